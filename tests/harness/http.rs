//! A blocking HTTP/1.1 client that sends exactly what it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Speaks to one daemon, with a token or without; each request has a connection of its own.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    port: u16,
    token: Option<String>,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(port: u16, token: Option<String>) -> Self {
        Self { port, token }
    }

    /// The same daemon, asked without a token.
    pub(crate) fn stranger(&self) -> Self {
        Self::new(self.port, None)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, &[], body.to_string().as_bytes())
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, &[], b"")
    }

    /// A connection on which this was asked for and nothing was read.
    pub(crate) fn unread(&self, path: &str, headers: &[&str]) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(&self.head("GET", path, headers, 0)).unwrap();
        stream
    }

    /// One request with these extra header lines and this body.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut request = self.head(method, path, headers, body.len());
        request.extend_from_slice(body);
        self.raw(&request)
    }

    /// Sends these bytes and reads until the daemon closes.
    pub(crate) fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect();
        // The daemon may answer, and close, before it has taken a body that it refuses.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let end = stream.read_to_end(&mut answer);
        Answer::parse(&answer).unwrap_or_else(|| panic!("no HTTP answer ({end:?}): {answer:?}"))
    }

    /// Sends a POST and hangs up without reading an answer.
    pub(crate) fn post_and_hang_up(&self, path: &str, body: &Value) {
        let body = body.to_string();
        let mut request = self.head("POST", path, &[], body.len());
        request.extend_from_slice(body.as_bytes());
        let mut stream = self.connect();
        stream.write_all(&request).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    }

    /// The header line that the daemon wants to see.
    pub(crate) fn authorization(&self) -> String {
        format!("Authorization: Bearer {}", self.token())
    }

    pub(crate) fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(300))).unwrap();
        stream
    }

    fn head(&self, method: &str, path: &str, headers: &[&str], length: usize) -> Vec<u8> {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n", self.port);
        if self.token.is_some() {
            head += &format!("{}\r\n", self.authorization());
        }
        for line in headers {
            head += &format!("{line}\r\n");
        }
        if method == "POST" {
            head += &format!("Content-Length: {length}\r\n");
        }
        (head + "\r\n").into_bytes()
    }
}

impl Answer {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Some(Self { status, headers, body: bytes[end + 4..].to_vec() })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn length(&self) -> usize {
        self.body.len()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {} {:?}", self.status, String::from_utf8_lossy(&self.body)))
    }

    /// The document of a request that must have succeeded.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        self.with(200)
    }

    /// The document of an answer that must have this status.
    #[track_caller]
    pub(crate) fn with(&self, status: u16) -> Value {
        let document = self.json();
        assert_eq!(self.status, status, "{document}");
        document
    }

    /// The document of a request that must have been refused with this status and this sentence.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, error: &str) -> Value {
        let document = self.json();
        assert_eq!((self.status, document["error"].as_str()), (status, Some(error)), "{document}");
        document
    }

    /// The document of a request that must have been refused with this status and code.
    #[track_caller]
    pub(crate) fn refused_as(&self, status: u16, code: &str) -> Value {
        let document = self.json();
        assert_eq!((self.status, document["code"].as_str()), (status, Some(code)), "{document}");
        document
    }
}
