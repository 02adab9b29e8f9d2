//! The baseline of HTTP: bare hyper, which gives one answer to everybody.
//!
//! It is a process of its own, as the daemon is, on a runtime like the daemon's: this program again, with
//! `--hello`.

use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;

use crate::connection::Connection;

/// A running server; ends when it is dropped, or when this program does.
pub(crate) struct Hello {
    process: Child,
    url: String,
    _answer: NamedTempFile,
}

impl Hello {
    /// One that gives this answer: the head and the body that the daemon sent.
    pub(crate) fn answering(answer: &[u8]) -> Self {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(answer).unwrap();
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg("--hello")
            .arg(file.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { process, url: url.trim().to_owned(), _answer: file }
    }

    /// A client that sends it what the daemon gets.
    pub(crate) fn connection(&self, path: &str, header: &str) -> Connection {
        Connection::open(&self.url, path, header)
    }
}

impl Drop for Hello {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Be such a server, until nobody holds the other end of stdin.
pub(crate) fn serve(file: &Path) {
    let response = response(&std::fs::read(file).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap();
    // The server lasts as long as the process, and the process as long as stdin.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    runtime.block_on(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            socket.set_nodelay(true).unwrap();
            let response = response.clone();
            let answer = service_fn(move |_| std::future::ready(Ok::<_, Infallible>(response.clone())));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), answer));
        }
    });
}

/// The answer, less the headers that hyper writes by itself.
fn response(answer: &[u8]) -> Response<Full<Bytes>> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut response = Response::builder();
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        if !["content-length", "date"].contains(&name.to_ascii_lowercase().as_str()) {
            response = response.header(name, value);
        }
    }
    response.body(Full::new(Bytes::copy_from_slice(&answer[end + 4..]))).unwrap()
}
