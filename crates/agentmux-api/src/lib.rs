//! What agentmuxd and its clients agree on: the JSON documents of the HTTP API and the files by which a
//! client finds the daemon.
//!
//! ```
//! let answer: agentmux_api::Run = serde_json::from_str(
//!     r#"{"ok":true,"action":"run","session":"a","target":"a:0.0",
//!         "turn":{"id":"t-1","session":"a","session_id":"s-1","state":"done","delivery":"confirmed",
//!                 "reply":"PONG","reply_source":"screen","accepted_at":"2026-11-24T09:00:00Z"}}"#,
//! )?;
//! assert_eq!(answer.turn.reply.as_deref(), Some("PONG"));
//! # Ok::<(), serde_json::Error>(())
//! ```

mod agent;
mod control;
pub mod doctor;
mod event;
mod failure;
pub mod local;
mod question;
mod session;
mod turn;

use serde::{Deserialize, Serialize};

pub use agent::{Agent, AgentEnvironment, Agents, Livez, Login, Readyz};
pub use control::{Cleanup, Key, KeyRequest, Kill, KillRequest, Restart};
pub use event::{Bye, Lagged, SessionEvent};
pub use failure::{Failure, Problem};
pub use question::{AnswerRequest, Answered, Choice, NumberOrLabel, Question};
pub use session::{
    Evidence, Exit, Explanation, Gone, Interrupt, Keys, KeysRequest, Pane, RuleOutcome, Screen,
    SessionDetail, SignalEvent, Signals, Size, StartRequest,
};
pub use turn::{Tokens, Turn, TurnRequest, Turns};

/// A session in the inherited form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its name.
    pub name: String,
    /// `creating`, `active`, `completed` or `error`.
    pub status: String,
    /// Local time, `YYYY-MM-DD HH:MM:SS`.
    pub created_at: String,
    /// `SESSION:WINDOWINDEX.PANEINDEX`.
    pub target: String,
    /// Present, and false, where tmux no longer has the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tmux_exists: Option<bool>,
    /// Only in `/health`, for the active session: whether it is ready for a prompt; null where that cannot be
    /// read.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "nullable")]
    pub idle: Option<Option<bool>>,
    /// Only in `/health`, for the active session: percent of the context used, or null.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "nullable")]
    pub ctx_percent: Option<Option<u8>>,
}

/// A field that may be absent or null, which are different things.
mod nullable {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        value: &Option<Option<T>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(Option::as_ref).serialize(to)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::<T>::deserialize(from).map(Some)
    }
}

/// `GET /health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Always true.
    pub ok: bool,
    /// The daemon's default agent.
    pub agent: String,
    /// The active session's name.
    pub active_session: Option<String>,
    /// How many sessions are tracked.
    pub total_sessions: usize,
    /// The sessions, oldest first.
    pub sessions: Vec<Session>,
}

/// `GET /sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    /// The sessions, oldest first.
    pub sessions: Vec<Session>,
    /// The active session's name, or an empty text.
    pub active: String,
}

/// `GET /idle`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idle {
    /// Whether the active session is ready for a prompt.
    pub idle: bool,
    /// Percent of the context used, where the agent shows it.
    pub ctx_percent: Option<u8>,
    /// The active session's name.
    pub session: String,
    /// `exited` where the agent has ended; absent else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// `GET /capture`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// The pane that was read.
    pub target: String,
    /// How many lines were asked for, after clamping to 10..500.
    pub lines: u64,
    /// The last lines of the pane, without control characters.
    pub content: String,
}

/// `POST /run`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunRequest {
    /// The prompt, delivered as it is.
    pub text: String,
    /// The agent's profile; the daemon's default where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The command line, or the argument vector, to start instead of the profile's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandLine>,
    /// Where the agent starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workdir: Option<String>,
    /// Variables added to the agent's environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<std::collections::BTreeMap<String, String>>,
    /// The new session's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The size of the new session's terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Seconds that this call may wait for the turn's end, 0 to 3600; absent: it does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<f64>,
    /// Seconds after which the turn is interrupted and failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
    /// `reject` (default), `queue` or `start`: what to do where the active session is busy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_busy: Option<String>,
    /// What is done with the session's questions for permission: `ask`, `deny` or `approve`; the daemon's setting if
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// False: the text arrives as text, or is refused. Absent or true: it goes to the agent as if it was typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<bool>,
}

/// A command to start: split as a shell would split it, or given as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CommandLine {
    /// One text.
    Line(String),
    /// The program and its arguments.
    Argv(Vec<String>),
}

/// `POST /send`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SendRequest {
    /// The prompt, delivered as it is.
    pub text: String,
    /// A pane's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// A session's name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// As in [`RunRequest::wait`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<f64>,
    /// As in [`RunRequest::timeout`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
    /// `queue` (default) or `reject`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_busy: Option<String>,
    /// What is done with questions for permission in this turn; as the session does if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// As in [`RunRequest::raw`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<bool>,
}

/// The answer of `POST /run`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Always true.
    pub ok: bool,
    /// `run`.
    pub action: String,
    /// The session that has the turn.
    pub session: String,
    /// Its pane.
    pub target: String,
    /// The turn.
    pub turn: Turn,
    /// Present, and true, where `wait` ended before the turn did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited_out: Option<bool>,
}

/// The answer of `POST /send`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Send {
    /// Always true.
    pub ok: bool,
    /// `send`.
    pub action: String,
    /// The pane that has the text.
    pub target: String,
    /// The turn; absent for a pane that is not one of the daemon's sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
    /// As in [`Run::waited_out`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited_out: Option<bool>,
}
