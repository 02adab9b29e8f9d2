//! Questions to the daemon: one connection each, JSON both ways.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::Duration;

use agentmux_api::{Failure, Livez};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

use crate::daemon::{Daemon, Token};
use crate::ending::Failed;

/// A daemon on this machine accepts at once, or not at all.
const CONNECT: Duration = Duration::from_secs(5);
/// A daemon says at once that it is one. Whoever does not is asked nothing, as that might take for ever.
const ALIVE: Duration = Duration::from_secs(10);
/// What the daemon may take, beyond what it was told to wait: it gives each request a minute of its own.
const WORK: Duration = Duration::from_secs(90);
/// How long a new session may take to get ready, in seconds, at most: how long it may really take is a setting of the
/// daemon's, which gives up by itself.
pub(crate) const START: f64 = 3600.0;
/// More than the longest reply, escaped.
const LONGEST_ANSWER: usize = 32 << 20;

/// The body of a request that has nothing to say.
pub(crate) const NO_FIELDS: BTreeMap<&str, ()> = BTreeMap::new();

/// Asks one daemon.
#[derive(Debug)]
pub(crate) struct Client {
    daemon: Daemon,
}

impl Client {
    pub(crate) fn new(daemon: Daemon) -> Self {
        Self { daemon }
    }

    pub(crate) fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// `GET path`, which the daemon may think about for `wait` seconds more than it needs.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str, wait: f64) -> Result<T, Failed> {
        self.ask("GET", path, Bytes::new(), wait).await
    }

    /// `POST path` with this document.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        document: &impl Serialize,
        wait: f64,
    ) -> Result<T, Failed> {
        let body = serde_json::to_vec(document).map_err(|error| Failed::new(error.to_string()))?;
        self.ask("POST", path, body.into(), wait).await
    }

    /// `GET path`, whose answer goes on and on.
    pub(crate) async fn stream(&self, path: &str) -> Result<Incoming, Failed> {
        let request = self.request("GET", path, Bytes::new())?;
        let answer = tokio::time::timeout(WORK, self.exchange(request)).await;
        let answer = answer.map_err(|_| self.silent(WORK))??;
        let status = answer.status();
        let kind = answer.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        match status.is_success() {
            true if kind.is_some_and(|kind| kind.starts_with(b"text/event-stream")) => Ok(answer.into_body()),
            true => Err(self.stranger(&"this is no stream of events")),
            false => Err(self.refusal(status, &self.collect(answer).await?)),
        }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Bytes,
        wait: f64,
    ) -> Result<T, Failed> {
        let request = self.request(method, path, body)?;
        let patience = WORK + Duration::from_secs_f64(wait);
        let answer = async {
            let answer = self.exchange(request).await?;
            Ok((answer.status(), self.collect(answer).await?))
        };
        let answer = tokio::time::timeout(patience, answer).await;
        let (status, body) = answer.map_err(|_| self.silent(patience))??;
        self.read(status, &body)
    }

    fn request(&self, method: &str, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, Failed> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, self.daemon.authority());
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Token::Known(token) = &self.daemon.token {
            let value = HeaderValue::try_from(format!("Bearer {token}"));
            let mut value =
                value.map_err(|_| Failed::new("the token has characters that a token cannot have"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request.body(Full::new(body)).map_err(|error| Failed::new(format!("cannot ask for {path}: {error}")))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Failed> {
        let stream = TokioIo::new(self.connect().await?);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(stream).await.map_err(|e| self.broken(&e))?;
        // It ends with the answer, or with this process.
        tokio::spawn(connection);
        let alive = tokio::time::timeout(ALIVE, self.alive(&mut sender)).await;
        alive.map_err(|_| self.mute())??;
        self.send(&mut sender, request).await
    }

    /// Whether it is a daemon at all that listens there: one that is not gets neither token nor prompt.
    async fn alive(&self, sender: &mut SendRequest<Full<Bytes>>) -> Result<(), Failed> {
        let request = Request::get("/livez").header(HOST, self.daemon.authority()).body(Full::default());
        let request = request.map_err(|error| Failed::new(format!("cannot ask {}: {error}", self.at())))?;
        let answer = self.send(sender, request).await?;
        let (status, body) = (answer.status(), self.collect(answer).await?);
        self.read::<Livez>(status, &body)?;
        sender.ready().await.map_err(|e| self.broken(&e))
    }

    async fn send(
        &self,
        sender: &mut SendRequest<Full<Bytes>>,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Failed> {
        sender.send_request(request).await.map_err(|error| match error.is_parse() {
            true => self.stranger(&error),
            false => self.broken(&error),
        })
    }

    async fn collect(&self, answer: Response<Incoming>) -> Result<Bytes, Failed> {
        let body = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await;
        Ok(body.map_err(|e| self.broken(&e))?.to_bytes())
    }

    /// Whether anybody listens there.
    pub(crate) async fn reach(&self) -> Result<(), Failed> {
        self.connect().await.map(drop)
    }

    async fn connect(&self) -> Result<TcpStream, Failed> {
        let connecting = TcpStream::connect((self.daemon.host.as_str(), self.daemon.port));
        let nobody = |why: &dyn std::fmt::Display| {
            Failed::new(format!("no daemon at {}: {why}; `agentmux serve` starts one", self.at()))
        };
        let stream =
            tokio::time::timeout(CONNECT, connecting).await.map_err(|_| nobody(&"it does not answer"))?;
        stream.map_err(|error| match error.kind() {
            ErrorKind::ConnectionRefused => nobody(&"nothing listens there"),
            _ => nobody(&error),
        })
    }

    fn read<T: DeserializeOwned>(&self, status: StatusCode, body: &[u8]) -> Result<T, Failed> {
        if status.is_success() {
            return serde_json::from_slice(body).map_err(|error| self.stranger(&error));
        }
        Err(self.refusal(status, body))
    }

    fn refusal(&self, status: StatusCode, body: &[u8]) -> Failed {
        let failure: Failure = match serde_json::from_slice(body) {
            Ok(failure) => failure,
            Err(_) => return self.stranger(&format!("it says {status}")),
        };
        let forbidden = status == StatusCode::FORBIDDEN && failure.code.is_none();
        let refused = Failed::refused(failure);
        if forbidden { refused.saying(self.no_entry()) } else { refused }
    }

    /// The connection broke off.
    pub(crate) fn broken(&self, error: &dyn std::fmt::Display) -> Failed {
        Failed::new(format!("the connection to the daemon at {} broke off: {error}", self.at()))
    }

    /// Nobody said that this is a daemon.
    fn mute(&self) -> Failed {
        let (at, seconds) = (self.at(), ALIVE.as_secs());
        Failed::new(format!(
            "what listens at {at} has said nothing for {seconds} s: it is no agentmuxd, or it hangs"
        ))
    }

    /// Nothing came for so long.
    pub(crate) fn silent(&self, patience: Duration) -> Failed {
        Failed::timed_out(format!("the daemon at {} has not answered in {} s", self.at(), patience.as_secs()))
    }

    fn no_entry(&self) -> String {
        let at = self.at();
        match self.daemon.token {
            Token::Known(_) => {
                format!(
                    "the daemon at {at} does not accept the token (AGENTMUX_TOKEN, else the state folder's)"
                )
            }
            Token::None => {
                format!(
                    "the daemon at {at} wants a token: set AGENTMUX_TOKEN, or AGENTMUX_STATE_DIR to its folder"
                )
            }
            Token::Withheld => format!(
                "the daemon at {at} wants a token, which is not sent: the state folder knows no daemon that runs; if that \
                 one is yours, set AGENTMUX_PORT={} (and AGENTMUX_TOKEN)",
                self.daemon.port
            ),
        }
    }

    fn stranger(&self, error: &dyn std::fmt::Display) -> Failed {
        Failed::new(format!(
            "what answers at {} is not an agentmuxd that this client knows: {error}",
            self.at()
        ))
    }

    fn at(&self) -> String {
        format!("http://{}", self.daemon.authority())
    }
}

/// Text as part of a path or a query.
pub(crate) fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_taken_for_syntax_is_escaped() {
        assert_eq!(escaped("a-1:0.0/?&ä"), "a-1%3A0.0%2F%3F%26%C3%A4");
    }

    fn client(token: Token) -> Client {
        Client::new(Daemon { host: "127.0.0.1".to_owned(), port: 1, token, tmux_socket: None })
    }

    fn refusal(token: Token, status: u16, body: &str) -> String {
        let status = StatusCode::from_u16(status).unwrap();
        client(token).read::<agentmux_api::Livez>(status, body.as_bytes()).unwrap_err().sentence().to_owned()
    }

    #[test]
    fn refusals_are_told_so_that_something_can_be_done() {
        let forbidden = r#"{"error":"forbidden"}"#;
        let known = || Token::Known("t".to_owned());
        for (token, status, body, part) in [
            (known(), 403, forbidden, "does not accept the token"),
            (Token::None, 403, forbidden, "set AGENTMUX_TOKEN"),
            (Token::Withheld, 403, forbidden, "set AGENTMUX_PORT=1"),
            (known(), 403, r#"{"error":"this host is not allowed","code":"host_not_allowed"}"#, "this host"),
            (
                known(),
                404,
                r#"{"error":"no active session","code":"no_active_session"}"#,
                "no active session",
            ),
            (known(), 200, "<html>", "not an agentmuxd"),
            (known(), 502, "<html>", "not an agentmuxd"),
        ] {
            let sentence = refusal(token, status, body);
            assert!(sentence.contains(part), "{sentence}");
        }
    }
}
