//! The documents about sessions on the endpoints by resource.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{CommandLine, Question};

/// `POST /sessions`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StartRequest {
    /// As in [`RunRequest::agent`](crate::RunRequest::agent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// As in [`RunRequest::command`](crate::RunRequest::command).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandLine>,
    /// Where the agent starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workdir: Option<String>,
    /// Variables added to the agent's environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
    /// The new session's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The size of its terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// As in [`RunRequest::policy`](crate::RunRequest::policy).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Seconds that this call may wait until the session is ready, 0 to 3600; absent: it does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<f64>,
}

/// The size of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Characters in a row, 20 to 500.
    pub columns: u16,
    /// Rows on the screen, 5 to 200.
    pub rows: u16,
}

/// A session: `POST /sessions`, `GET /sessions/{name}` and its `/wait`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionDetail {
    /// Its name.
    pub name: String,
    /// Its id, which no other session ever has.
    pub id: String,
    /// `starting`, `idle`, `draft`, `busy`, `needs_input`, `limited`, `exited` or `unknown`.
    pub state: String,
    /// Since when it is in that state: RFC 3339, UTC.
    pub since: String,
    /// Why we believe that.
    pub evidence: Evidence,
    /// What it asks; null where it asks nothing, or nothing that is recognised.
    #[serde(default)]
    pub question: Option<Question>,
    /// What is done with its questions for permission: `ask`, `deny` or `approve`.
    #[serde(default)]
    pub policy: String,
    /// The agent's profile.
    pub agent: String,
    /// Where the agent was started.
    pub workdir: String,
    /// `SESSION:WINDOWINDEX.PANEINDEX`.
    pub target: String,
    /// Whether it is the one that is meant where none is named.
    pub active: bool,
    /// Percent of the agent's context used, where its screen tells.
    pub context: Option<u8>,
    /// How the agent ended; null while it runs.
    pub exit: Option<Exit>,
    /// When the usage limit ends that holds the agent up: RFC 3339, UTC; null where none does, or the agent does not tell.
    #[serde(default)]
    pub resets_at: Option<String>,
    /// Whether tmux does not have it any more.
    pub lost: bool,
    /// How many turns wait or go on.
    pub turns: usize,
    /// How often the agent announced something that its screen contradicted.
    pub contradictions: u64,
    /// When it was made: RFC 3339, UTC.
    pub started_at: String,
    /// Present, and true, where a wait ended before what was waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited_out: Option<bool>,
}

/// Why a session is believed to be in its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it comes from: `process`, `hook`, `osc`, `submission`, `title` or `screen`.
    pub source: String,
    /// The rule of the profile that decided, or a word for what happened.
    pub rule: String,
    /// The text that matched.
    pub matched: String,
}

/// How an agent ended: by a status, by a signal, or (neither) nobody knows how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Its exit status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
}

/// A session that is gone: `DELETE /sessions/{name}`, and the event `gone`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
}

/// `GET /sessions/{name}/screen`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screen {
    /// The session's name.
    pub session: String,
    /// Its id.
    pub session_id: String,
    /// What it does.
    pub state: String,
    /// `text` or `ansi`.
    pub format: String,
    /// The last lines, joined by line feeds: plain text, or with SGR escape sequences and no others.
    pub content: String,
    /// The pane at the same moment; only with the format `ansi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pane: Option<Pane>,
}

/// What is known of a pane besides its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pane {
    /// How wide it is.
    pub columns: usize,
    /// How high it is.
    pub rows: usize,
    /// The title that the program set; empty where it set none.
    pub title: String,
    /// The cursor's column and row on the screen, from 0.
    pub cursor: (usize, usize),
    /// Whether the cursor is shown.
    pub cursor_visible: bool,
    /// Whether the program draws on the alternate screen.
    pub alternate: bool,
}

/// `GET /sessions/{name}/explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The session, with what is believed of it.
    pub session: SessionDetail,
    /// What each rule of its profile says of its screen now, in order: the first that holds decides.
    pub rules: Vec<RuleOutcome>,
    /// What its agent tells of itself.
    #[serde(default)]
    pub signals: Signals,
}

/// What a session's agent tells of itself by hooks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signals {
    /// `off`: it was not made to; `waiting`: nothing came yet; `live`; `silent`: nothing came though it was at work.
    pub health: String,
    /// A sentence on that.
    pub why: String,
    /// The events that its profile knows.
    pub events: Vec<SignalEvent>,
}

/// An event of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalEvent {
    /// Its name.
    pub event: String,
    /// What it means: `ready`, `submitted`, `working`, `asks`, `done`, `failed`, `interrupted`, `ended`, `notes` or
    /// `ignored`.
    pub means: String,
    /// How often it came.
    pub count: u64,
    /// When it came last: RFC 3339, UTC; null where it never did.
    pub last_at: Option<String>,
}

/// What a rule says of a screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleOutcome {
    /// Its name.
    pub rule: String,
    /// The state that it stands for.
    pub state: String,
    /// Whether all its conditions hold.
    pub holds: bool,
    /// The text that matched.
    pub matched: String,
}

/// `POST /sessions/{name}/keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysRequest {
    /// The key's name.
    pub key: String,
    /// How often, 1 to 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<u64>,
}

/// The answer of `POST /sessions/{name}/keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// The session's name.
    pub session: String,
    /// The key's name, as it was given.
    pub key: String,
    /// How often it was pressed.
    pub repeat: u64,
}

/// The answer of `POST /sessions/{name}/interrupt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interrupt {
    /// The session's name.
    pub session: String,
    /// False where its agent did nothing that could be interrupted.
    pub interrupted: bool,
}
