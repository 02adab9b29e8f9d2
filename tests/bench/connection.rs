//! A connection that is kept: the same request again and again, each answer read to its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::time::Instant;

use crate::times::Times;

/// What each client of a crowd asks before it is measured.
const WARM_UP: usize = 5;

/// A client that asks one thing.
pub(crate) struct Connection {
    stream: TcpStream,
    answers: BufReader<TcpStream>,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Connection {
    /// One that asks `GET path` of the server at this URL, with one more header line.
    pub(crate) fn open(url: &str, path: &str, header: &str) -> Self {
        let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        stream.set_nodelay(true).unwrap();
        let answers = BufReader::new(stream.try_clone().unwrap());
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n").into_bytes();
        Self { stream, answers, request, answer: Vec::new() }
    }

    /// Milliseconds until the whole answer is there, which must be good.
    pub(crate) fn ask(&mut self) -> f64 {
        let began = Instant::now();
        self.stream.write_all(&self.request).unwrap();
        self.read();
        let time = began.elapsed().as_secs_f64() * 1000.0;
        assert!(self.answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&self.answer));
        time
    }

    /// The bytes of an answer, head and body.
    pub(crate) fn answer(&mut self) -> &[u8] {
        self.ask();
        &self.answer
    }

    fn read(&mut self) {
        self.answer.clear();
        let mut length = 0;
        loop {
            let from = self.answer.len();
            let count = self.answers.read_until(b'\n', &mut self.answer).unwrap();
            assert!(count > 0, "the server hung up");
            let line = self.answer[from..].trim_ascii().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix(b"content-length:") {
                length = std::str::from_utf8(value).unwrap().trim().parse().unwrap();
            }
        }
        let head = self.answer.len();
        self.answer.resize(head + length, 0);
        self.answers.read_exact(&mut self.answer[head..]).unwrap();
    }
}

/// The times of `clients` that ask at once, `each` so often.
pub(crate) fn at_once(clients: usize, each: usize, open: impl Fn() -> Connection + Sync) -> Times {
    let ready = Barrier::new(clients);
    let client = || {
        let mut connection = open();
        for _ in 0..WARM_UP {
            connection.ask();
        }
        ready.wait();
        (0..each).map(|_| connection.ask()).collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..clients).map(|_| scope.spawn(client)).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}
