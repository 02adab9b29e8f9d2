//! The server over real sockets.

mod documentation;
mod events;
mod mute;
mod protocol;
mod resources;
mod sessions;
mod states;

use std::net::SocketAddr;
use std::time::Duration;

use agentmux_core::fake::FakeTerminal;

use agentmux_core::profile::Profiles;
use agentmux_core::registry::Settings;
use agentmux_core::terminal::Terminal;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use self::mute::Mute;
use super::*;
use crate::gate::Secret;

/// The headers of a request that the gate lets pass.
const HEAD: &str = "Host: localhost\r\nAuthorization: Bearer amx_token\r\n";
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sessions that run the in-memory terminal's `echo`.
fn registry(terminal: Arc<dyn Terminal>) -> Registry {
    let env = [("PATH".into(), "/usr/bin:/bin".into())].into();
    let settings = Settings {
        command: Some(vec!["echo".into()]),
        ready_timeout: Duration::from_secs(2),
        accept_trust: true,
        ..Settings::new("repl", "/", env).unwrap()
    };
    Registry::new(terminal, Profiles::builtin(), settings)
}

fn access() -> Access {
    Access { tokens: vec![Secret::new("amx_token")], ..Access::default() }
}

/// A server that runs; dropping `stop` shuts it down.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    async fn start() -> Self {
        Self::on(Arc::new(FakeTerminal::default())).await
    }

    async fn on(terminal: Arc<dyn Terminal>) -> Self {
        Self::with(registry(terminal)).await
    }

    async fn with(registry: Registry) -> Self {
        let server = Server::new(registry, access());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { drop(stopped.await) };
        let task = tokio::spawn(server.serve(listener, shutdown, std::future::pending()));
        Self { address, stop, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// What comes back for these bytes until the server closes; our side is closed once they are sent.
    async fn exchange(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut socket = self.connect().await;
        socket.write_all(bytes.as_ref()).await.unwrap();
        socket.shutdown().await.unwrap();
        rest(&mut socket).await
    }

    async fn status(&self, bytes: impl AsRef<[u8]>) -> String {
        self.exchange(bytes).await.chars().skip("HTTP/1.1 ".len()).take(3).collect()
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        parsed(&self.exchange(get(path)).await)
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        parsed(&self.exchange(post(path, &body.to_string())).await)
    }

    async fn delete(&self, path: &str) -> (u16, Value) {
        parsed(&self.exchange(format!("DELETE {path} HTTP/1.1\r\n{HEAD}\r\n")).await)
    }

    /// Asks again and again until the document is as it must be.
    async fn get_until(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let look = async {
            loop {
                let (_, document) = self.get(path).await;
                if holds(&document) {
                    return document;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, look).await.expect("it comes to that")
    }
}

/// Status and document of an answer.
fn parsed(answer: &str) -> (u16, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head ends");
    (head["HTTP/1.1 ".len()..][..3].parse().unwrap(), serde_json::from_str(body).unwrap())
}

async fn rest(socket: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("the server closes").unwrap();
    String::from_utf8(answer).unwrap()
}

/// Reads until the text has come.
async fn read_until(socket: &mut (impl AsyncRead + Unpin), text: &str) -> String {
    let mut answer = String::new();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !answer.contains(text) {
        let mut space = [0; 4096];
        let read = tokio::time::timeout_at(deadline, socket.read(&mut space)).await;
        let count = read.unwrap_or_else(|_| panic!("no {text:?} in {answer}")).unwrap();
        assert!(count > 0, "closed after {answer}");
        answer.push_str(std::str::from_utf8(&space[..count]).unwrap());
    }
    answer
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\n{HEAD}\r\n")
}

fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\n{HEAD}Content-Length: {}\r\n\r\n{body}", body.len())
}
