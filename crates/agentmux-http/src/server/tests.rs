//! The server over real sockets.

mod mute;
mod protocol;
mod sessions;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use agentmux_core::fake::FakeTerminal;
use agentmux_core::input::{ShortName, Workdir};
use agentmux_core::profile::Profiles;
use agentmux_core::registry::Settings;
use agentmux_core::terminal::{Size, Terminal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use self::mute::Mute;
use super::*;
use crate::gate::Secret;

/// The headers of a request that the gate lets pass.
const HEAD: &str = "Host: localhost\r\nAuthorization: Bearer amx_token\r\n";
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sessions that run the in-memory terminal's `echo`.
fn registry(terminal: impl Terminal) -> Registry {
    let word = |text| ShortName::parse("word", text).unwrap();
    let settings = Settings {
        prefix: word("agentmux"),
        window: word("window"),
        agent: word("repl"),
        command: Some(vec!["echo".into()]),
        workdir: Workdir::parse("/", Path::new("/")).unwrap(),
        home: "/".into(),
        startup_delay: None,
        max_sessions: 10,
        ready_timeout: Duration::from_secs(2),
        size: Size::default(),
        env: BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())]),
        accept_trust: true,
        allow_external: false,
    };
    Registry::new(Arc::new(terminal), Profiles::builtin(), settings)
}

/// A server that runs; dropping `stop` shuts it down.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    async fn start() -> Self {
        Self::on(FakeTerminal::default()).await
    }

    async fn on(terminal: impl Terminal) -> Self {
        let access = Access { tokens: vec![Secret::new("amx_token")], ..Access::default() };
        let server = Server::new(registry(terminal), access);
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
}

async fn rest(socket: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("the server closes").unwrap();
    String::from_utf8(answer).unwrap()
}

/// Reads until the text has come.
async fn read_until(socket: &mut TcpStream, text: &str) -> String {
    let mut answer = String::new();
    while !answer.contains(text) {
        let mut space = [0; 4096];
        let count = timeout(PATIENCE, socket.read(&mut space)).await.expect("an answer comes").unwrap();
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
