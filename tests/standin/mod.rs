//! A scripted model on 127.0.0.1 that the real agent CLIs talk to instead of a paid one.
//!
//! It speaks as much of each API as its CLIs need. [`script`] decides what to answer,
//! [`ask`] is what was asked in the same form for all APIs, and each API has a file that translates between
//! the two.

mod anthropic;
mod ask;
mod chat;
mod gemini;
mod http;
mod responses;
mod schema;
mod script;
mod tools;

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use ask::Ask;
use http::{Events, Refusal, Request};
use script::Reply;

pub(crate) use script::MARKDOWN;

/// A running model; it takes no more connections once this is dropped.
#[derive(Debug)]
pub(crate) struct StandIn {
    address: SocketAddr,
    state: Arc<State>,
}

/// What the connections have in common.
#[derive(Debug, Default)]
struct State {
    stopped: AtomicBool,
    texts: Mutex<Vec<String>>,
    /// Streams begun.
    streams: AtomicUsize,
    /// Replies to prompts that are complete but for their last event.
    replies: AtomicUsize,
    /// When the usage limit ends, where one was met: seconds since the epoch.
    limit: Mutex<Option<u64>>,
}

/// An API, as far as the stand-in cares.
struct Dialect {
    /// How to read a request of it.
    read: fn(&Value) -> Ask,
    /// How to stream a reply.
    stream: fn(&Reply, &mut Events<'_>) -> io::Result<()>,
    /// How to give a reply with this number in one piece; some APIs are only ever asked to stream.
    whole: Option<fn(&Reply, usize) -> Value>,
    /// How to say that it failed with this status, and why.
    failure: fn(u16, &str) -> Value,
    /// How to say that a usage limit is reached, and when that ends.
    limit: fn(Limit) -> Refusal,
}

/// A usage limit, which ends so many seconds after the epoch, and from now on.
#[derive(Debug, Clone, Copy)]
struct Limit {
    ends: u64,
    left: u64,
}

impl StandIn {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let shared = state.clone();
        std::thread::spawn(move || serve(&listener, &shared));
        Self { address, state }
    }

    /// The base URL, without a path.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The prompts that arrived, each exactly as the agent sent it; a retry arrives again.
    pub(crate) fn user_texts(&self) -> Vec<String> {
        self.state.texts.lock().unwrap().clone()
    }

    /// When the usage limit ends that was met: seconds since the epoch.
    pub(crate) fn limit_ends(&self) -> Option<u64> {
        *self.state.limit.lock().unwrap()
    }

    /// How many replies to prompts were about to end: counted before the last event of each is sent, so that
    /// no agent can know of an end before it counts here.
    pub(crate) fn replies(&self) -> usize {
        self.state.replies.load(Ordering::SeqCst)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it is to stop.
        let _ = TcpStream::connect(self.address);
    }
}

/// Takes connections until the stand-in is dropped. Each has a thread, which ends with its one answer or its
/// client.
fn serve(listener: &TcpListener, state: &Arc<State>) {
    for connection in listener.incoming() {
        if state.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(mut connection) = connection else { continue };
        let state = state.clone();
        // An error means that the client has gone, which agents do when they are interrupted.
        std::thread::spawn(move || answer(&mut connection, &state));
    }
}

fn answer(connection: &mut TcpStream, state: &State) -> io::Result<()> {
    let request = Request::read(connection)?;
    let path = request.path.split('?').next().unwrap_or_default();
    let dialect = match (request.method.as_str(), path.rsplit('/').next().unwrap_or_default()) {
        ("POST", "messages") => anthropic::DIALECT,
        ("POST", "responses") => responses::DIALECT,
        ("POST", "completions") => chat::DIALECT,
        ("POST", name) if name.ends_with(":streamGenerateContent") => gemini::STREAMED,
        ("POST", name) if name.ends_with(":generateContent") => gemini::WHOLE,
        ("POST", name) if name == "count_tokens" || name.ends_with(":countTokens") => {
            let tokens = request.body.len() / 4 + 1;
            return http::json(connection, 200, &json!({"input_tokens": tokens, "totalTokens": tokens}));
        }
        ("GET", "models") => return http::json(connection, 200, &models()),
        // Health checks, telemetry and the like.
        _ => return http::json(connection, 200, &json!({})),
    };
    match serde_json::from_slice(&request.body) {
        Ok(body) => converse(connection, state, &dialect, &(dialect.read)(&body)),
        Err(error) => http::json(connection, 400, &(dialect.failure)(400, &error.to_string())),
    }
}

fn converse(connection: &mut TcpStream, state: &State, dialect: &Dialect, ask: &Ask) -> io::Result<()> {
    let mut times = 0;
    if ask.is_prompt() {
        let mut texts = state.texts.lock().unwrap();
        texts.push(ask.text().to_owned());
        times = texts.iter().filter(|text| *text == ask.text()).count();
    }
    if let Some(limit) = state.limit(ask) {
        return http::refuse(connection, &(dialect.limit)(limit));
    }
    let reply = script::reply_to(ask, times);
    std::thread::sleep(reply.silence);
    if let script::Content::Failure(status) = reply.content {
        return http::json(connection, status, &(dialect.failure)(status, "the script says so"));
    }
    let mut about_to_end = || {
        if !ask.is_side() && !reply.is_call() {
            state.replies.fetch_add(1, Ordering::SeqCst);
        }
    };
    let number = state.streams.fetch_add(1, Ordering::SeqCst);
    if let Some(whole) = dialect.whole.filter(|_| ask.is_whole) {
        let document = whole(&reply, number);
        about_to_end();
        return http::json(connection, 200, &document);
    }
    (dialect.stream)(&reply, &mut Events::start(connection, number, &mut about_to_end)?)
}

impl State {
    /// The usage limit that keeps this from being answered. Agents tell its end to the minute, so it is a full one.
    fn limit(&self, ask: &Ask) -> Option<Limit> {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let mut ends = self.limit.lock().unwrap();
        if let Some(away) = script::limit(ask.text()).filter(|_| ask.is_prompt()) {
            ends.get_or_insert((now + away).as_secs().next_multiple_of(60));
        }
        let ends = (*ends)?;
        let left = Duration::from_secs(ends).checked_sub(now)?;
        Some(Limit { ends, left: left.as_secs() + 1 })
    }
}

/// A failure as the clients of Anthropic and OpenAI understand it.
fn failure(status: u16, message: &str) -> Value {
    let kind = match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    };
    let message = format!("stand-in {status}: {message}");
    json!({"type": "error", "error": {"type": kind, "code": kind, "message": message}})
}

fn models() -> Value {
    let model = |name: &str| {
        json!({"id": name, "object": "model", "type": "model", "display_name": name, "created": 0,
            "created_at": "2026-01-01T00:00:00Z", "owned_by": "standin"})
    };
    let names = ["claude-opus-5-5", "claude-sonnet-4-5", "gpt-5", "standin"];
    json!({"object": "list", "has_more": false, "data": names.map(model)})
}
