//! A connection's socket, with what hyper does not have: a client that does not read is cut off, a client that
//! is still sending a refused body gets to read the refusal, and a stream or a wait ends when its client hangs up.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::limits::{HALF_CLOSED, LINGER, LINGER_BYTES, WRITE_STALL};

/// A socket with time-outs.
pub(crate) struct Wire<S> {
    socket: S,
    /// Runs while the client takes nothing.
    stall: Pin<Box<Sleep>>,
    stalled: bool,
    hints: Hints,
    /// A byte that came while the client waited: the first of its next request.
    ahead: Option<u8>,
    /// Runs once the client has closed its side while it waited.
    closed: Option<Pin<Box<Sleep>>>,
    /// Runs once our side is shut down, while the client's rest is thrown away.
    rest: Option<(Pin<Box<Sleep>>, usize)>,
}

/// What the wire is told of the requests on it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hints(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    unread: AtomicBool,
    streaming: AtomicBool,
    waiting: AtomicBool,
}

impl Hints {
    /// Whether bytes of a request were left unread: closing a socket with unread bytes resets the connection,
    /// and the client may lose the answer.
    pub(crate) fn unread(&self, unread: bool) {
        self.0.unread.store(unread, Ordering::Relaxed);
    }

    /// The answer is a stream, and the last on this connection.
    pub(crate) fn streaming(&self) {
        self.0.streaming.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_streaming(&self) -> bool {
        self.0.streaming.load(Ordering::Relaxed)
    }

    /// Whether the client waits for something, with nothing at work for it.
    pub(crate) fn waiting(&self, waiting: bool) {
        self.0.waiting.store(waiting, Ordering::Relaxed);
    }

    fn is_waiting(&self) -> bool {
        self.0.waiting.load(Ordering::Relaxed)
    }

    fn is_unread(&self) -> bool {
        self.0.unread.load(Ordering::Relaxed)
    }
}

impl<S> Wire<S> {
    pub(crate) fn new(socket: S, hints: Hints) -> Self {
        let stall = Box::pin(sleep(WRITE_STALL));
        Self { socket, stall, stalled: false, hints, ahead: None, closed: None, rest: None }
    }

    /// Passes a result of the socket on, unless it has been pending for too long.
    fn unless_stalled<T>(
        &mut self,
        result: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled = false;
            return result;
        }
        if !self.stalled {
            self.stalled = true;
            self.stall.as_mut().reset(Instant::now() + WRITE_STALL);
        }
        ready!(self.stall.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answer")))
    }
}

impl<S: AsyncRead + Unpin> Wire<S> {
    /// Fails once the client of a stream closes its side, or sends something: it can want nothing more.
    ///
    /// hyper (1.12, half-closed connections served) does not read while it answers. A client that has gone
    /// would keep its place among the streams until two heartbeats have failed.
    fn poll_hang_up(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.poll_byte(cx)? {
            Poll::Pending => Ok(()),
            Poll::Ready(_) => Err(hung_up("the client of a stream has hung up")),
        }
    }

    /// Fails once the client of a wait has gone, or has closed its side for a while: that looks the same, and most have
    /// gone. What it sends is its next request.
    fn poll_left(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.ahead.is_none() && self.closed.is_none() {
            match self.poll_byte(cx)? {
                Poll::Pending => return Ok(()),
                Poll::Ready(Some(byte)) => self.ahead = Some(byte),
                Poll::Ready(None) => self.closed = Some(Box::pin(sleep(HALF_CLOSED))),
            }
        }
        let is_over = self.closed.as_mut().is_some_and(|closed| closed.as_mut().poll(cx).is_ready());
        match is_over {
            true => Err(hung_up("the client of a wait has hung up")),
            false => Ok(()),
        }
    }

    /// The next byte from the client; `None` where it has closed its side.
    fn poll_byte(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<u8>>> {
        let mut space = [0; 1];
        let mut buffer = ReadBuf::new(&mut space);
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().first().copied()))
    }

    /// Reads and drops what the client still sends, within limits.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (deadline, left) = self.rest.get_or_insert_with(|| (Box::pin(sleep(LINGER)), LINGER_BYTES));
        let mut space = [0; 4096];
        while *left > 0 && deadline.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut self.socket).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => *left = left.saturating_sub(buffer.filled().len()),
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn hung_up(sentence: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, sentence)
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(byte) = self.ahead.take_if(|_| to.remaining() > 0) {
            to.put_slice(&[byte]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.socket).poll_read(cx, to)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, from);
        self.unless_stalled(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, from);
        self.unless_stalled(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.socket).poll_flush(cx);
        let flushed = self.unless_stalled(flushed, cx);
        if self.hints.is_streaming() {
            self.poll_hang_up(cx)?;
        } else if self.hints.is_waiting() {
            self.poll_left(cx)?;
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.rest.is_none() {
            let shut = Pin::new(&mut self.socket).poll_shutdown(cx);
            ready!(self.unless_stalled(shut, cx))?;
        }
        match self.hints.is_unread() {
            true => self.poll_rest(cx),
            false => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_cut_off() {
        let (ours, _theirs) = tokio::io::duplex(16);
        let mut wire = Wire::new(ours, Hints::default());
        let started = Instant::now();
        let error = wire.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(
            (error.kind(), started.elapsed().as_secs()),
            (io::ErrorKind::TimedOut, WRITE_STALL.as_secs())
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_slowly_is_not() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let mut wire = Wire::new(ours, Hints::default());
        let reader = tokio::spawn(async move {
            let mut space = [0; 16];
            while theirs.read(&mut space).await.unwrap() > 0 {
                tokio::time::sleep(WRITE_STALL / 2).await;
            }
        });
        wire.write_all(&[0; 160]).await.unwrap();
        drop(wire);
        reader.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_that_comes_during_a_wait_is_read_after_it() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let hints = Hints::default();
        hints.waiting(true);
        let mut wire = Wire::new(ours, hints);
        theirs.write_all(b"next").await.unwrap();
        wire.flush().await.unwrap();
        wire.flush().await.unwrap();
        let mut space = [0; 4];
        wire.read_exact(&mut space).await.unwrap();
        assert_eq!(&space, b"next");
    }

    #[tokio::test(start_paused = true)]
    async fn the_rest_of_a_refused_body_is_read_but_not_for_ever() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let hints = Hints::default();
        hints.unread(true);
        let mut wire = Wire::new(ours, hints);
        let sender = tokio::spawn(async move {
            theirs.write_all(&[0; 1000]).await.unwrap();
            theirs
        });
        let started = Instant::now();
        wire.shutdown().await.unwrap();
        assert_eq!(started.elapsed(), LINGER);
        drop(sender.await.unwrap());
    }
}
