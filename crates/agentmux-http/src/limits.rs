//! Every limit and time-out of the HTTP side, in one place.

use std::time::Duration;

/// How long a client may take to send a request's head; hyper's timer for it is the keep-alive time-out too.
pub(crate) const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// How long a client may take to send a request's body.
pub(crate) const BODY_DEADLINE: Duration = Duration::from_secs(10);
/// How long a client may leave an answer unread before it is cut off.
pub(crate) const WRITE_STALL: Duration = Duration::from_secs(30);
/// How long a client that has closed its side still gets the answer to a wait: `nc -N` and its like read on, most have
/// gone.
pub(crate) const HALF_CLOSED: Duration = Duration::from_secs(5);
/// What an operation may take beyond the time that a new session may take to get ready; then its client is
/// told that it goes on without it. The core's own time-outs are shorter: this is the net below them.
pub(crate) const WORK_MARGIN: Duration = Duration::from_secs(30);
/// How often a stream of events says that it is still there.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);

/// How many streams of events may be open.
pub(crate) const MAX_STREAMS: usize = 32;

/// How long the client of a stream may take to read its end at shutdown.
pub(crate) const FAREWELL: Duration = Duration::from_secs(1);

/// How long open requests may take to end at shutdown.
pub(crate) const DRAIN: Duration = Duration::from_secs(10);

/// The request line and the headers, in bytes.
pub(crate) const MAX_HEAD: usize = 16 * 1024;
/// How many headers a request may have.
pub(crate) const MAX_HEADERS: usize = 64;
/// What hyper may buffer of a connection, in bytes.
pub(crate) const MAX_BUFFER: usize = 64 * 1024;
/// The body where it holds a prompt: 1 MiB of text, at worst six bytes a character in JSON, and room.
pub(crate) const PROMPT_BODY: u64 = 8 * 1024 * 1024;
/// The body elsewhere, in bytes.
pub(crate) const SMALL_BODY: u64 = 64 * 1024;
/// How many names an object in a body may have.
pub(crate) const MAX_NAMES: usize = 1000;

/// How many connections may be open; others wait to be accepted.
pub(crate) const MAX_CONNECTIONS: usize = 512;
/// How many requests may be at work; reads, those that only wait, and streams do not count.
pub(crate) const MAX_AT_WORK: u32 = 128;
/// How long a request waits for a place among those.
pub(crate) const WORK_PATIENCE: Duration = Duration::from_secs(10);

/// The longest `wait` and `timeout`, in seconds.
pub(crate) const MAX_SECONDS: u32 = 3600;
/// The fewest and the most lines of a capture.
pub(crate) const CAPTURE_LINES: (u64, u64) = (10, 500);
/// The lines of a capture where none are asked for.
pub(crate) const DEFAULT_LINES: u64 = 60;
/// The fewest and the most lines of a screen: as many as a terminal keeps.
pub(crate) const SCREEN_LINES: (u64, u64) = (1, 5000);

/// The fewest and the most turns of a list.
pub(crate) const LISTED_TURNS: (u64, u64) = (1, 1000);

/// The turns of a list where no number is asked for.
pub(crate) const DEFAULT_TURNS: u64 = 50;

/// How long `/sessions/{name}/wait` waits where the request does not say.
pub(crate) const DEFAULT_WAIT: Duration = Duration::from_secs(60);

/// The most repetitions of a key.
pub(crate) const MAX_REPEAT: u64 = 50;

/// How much of a refused body is read and thrown away before the connection is closed, in bytes.
pub(crate) const LINGER_BYTES: usize = 256 * 1024;
/// How long that may take.
pub(crate) const LINGER: Duration = Duration::from_millis(500);
/// The first and the longest pause after accepting a connection failed, e.g. for want of file descriptors.
pub(crate) const ACCEPT_PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
