//! The run loop: accept connections, serve them, and end in bounded time.

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use agentmux_core::registry::Registry;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::gate::Access;
use crate::limits::{
    ACCEPT_PAUSE, DRAIN, FAREWELL, HEAD_DEADLINE, MAX_BUFFER, MAX_CONNECTIONS, MAX_HEAD, MAX_HEADERS,
};
use crate::service::Service;
use crate::wire::{Hints, Wire};

/// The HTTP side of a daemon.
pub struct Server {
    service: Arc<Service>,
}

/// A connection that was accepted, and its place among the connections.
struct Guest {
    socket: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
}

impl Server {
    /// A server for these sessions that lets in whom `access` says.
    pub fn new(registry: Registry, access: Access) -> Self {
        Self { service: Arc::new(Service::new(registry, &access)) }
    }

    /// Serves until `shutdown` ends, then lets what is under way come to its end: for ten seconds at most,
    /// and no longer than until `at_once` ends.
    ///
    /// At shutdown the registry is told to drain, so that waits end with what they wait for as it is, and
    /// streams with `bye`. The registry itself is to be stopped by the caller afterwards.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
        at_once: impl Future<Output = ()>,
    ) {
        let mut connections = JoinSet::new();
        let (closing, _) = watch::channel(false);
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                guest = accept(&listener, &places) => {
                    connections.spawn(serve_connection(guest, self.service.clone(), closing.subscribe()));
                }
            }
        }
        drop(listener);
        self.service.drain();
        closing.send_replace(true);
        self.drain(connections, at_once).await;
    }

    /// Waits for connections and work to end, and cuts off what does not.
    async fn drain(&self, mut connections: JoinSet<()>, at_once: impl Future<Output = ()>) {
        let ended = async {
            while connections.join_next().await.is_some() {}
            self.service.finished().await;
        };
        tokio::select! {
            () = ended => log::info!("all requests have ended"),
            () = sleep(DRAIN) => log::warn!("requests still open after {} s are cut off", DRAIN.as_secs()),
            () = at_once => log::warn!("told to stop at once: open requests are cut off"),
        }
        connections.shutdown().await;
    }
}

/// The next connection, once there is a place for one more. Where accepting fails (mostly for want of file
/// descriptors) it pauses: the failed connection stays in the queue, and trying again at once would spin.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Guest {
    let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
    let (mut pause, longest) = ACCEPT_PAUSE;
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => return Guest { socket, peer, place },
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                log::warn!("could not accept a connection: {error}");
                sleep(pause).await;
                pause = longest.min(pause * 2);
            }
        }
    }
}

/// True where a client was gone before it was accepted.
fn is_the_clients(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// Serves one connection until it ends; once `closing` is true, until its current request is answered.
async fn serve_connection(guest: Guest, service: Arc<Service>, closing: watch::Receiver<bool>) {
    let Guest { socket, peer, place: _place } = guest;
    // Answers are small and written whole: there is nothing to be gained by holding them back.
    let _ = socket.set_nodelay(true);
    let local = peer.ip().to_canonical().is_loopback();
    converse(socket, local, service, closing).await;
}

async fn converse(
    socket: impl AsyncRead + AsyncWrite + Unpin,
    local: bool,
    service: Arc<Service>,
    mut closing: watch::Receiver<bool>,
) {
    let hints = Hints::default();
    let wire = Wire::new(socket, hints.clone());
    let answer = service_fn(|request| {
        let (service, hints) = (service.clone(), hints.clone());
        async move { Ok::<_, Infallible>(service.answer(request, local, &hints).await) }
    });
    let mut connection = pin!(protocol().serve_connection(TokioIo::new(wire), answer));
    let closing = async { drop(closing.wait_for(|closing| *closing).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing => {
            connection.as_mut().graceful_shutdown();
            // A stream ends at once, and whoever does not read it does not hold up the end.
            let most = if hints.is_streaming() { FAREWELL } else { Duration::MAX };
            timeout(most, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        log::debug!("a connection ended early: {error}");
    }
}

/// HTTP/1 within our limits.
///
/// Without the timer, hyper 1.12 ignores its own header time-out. Half-closed connections are served, since
/// `nc -N` and its like close their side before they read the answer.
fn protocol() -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_header_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_BUFFER)
        .half_close(true);
    protocol
}
