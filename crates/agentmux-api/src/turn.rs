//! The documents about turns.

use serde::{Deserialize, Serialize};

use crate::{Problem, Question};

/// `POST /sessions/{name}/turns`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TurnRequest {
    /// The prompt, delivered as it is.
    pub text: String,
    /// As in [`RunRequest::wait`](crate::RunRequest::wait).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<f64>,
    /// As in [`RunRequest::timeout`](crate::RunRequest::timeout).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
    /// `queue` (default) or `reject`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_busy: Option<String>,
    /// What is done with questions for permission in this turn: `ask`, `deny` or `approve`; the session's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// True: the text goes to the agent as if it was typed, commands of the agent's own included. Absent or false: it
    /// arrives as text, or is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<bool>,
}

/// `GET /turns`, `GET /sessions/{name}/turns`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turns {
    /// The turns, newest first, without their replies.
    pub turns: Vec<Turn>,
}

/// The tokens that a turn used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Sent to the model with its last request: the context.
    pub input: Option<u64>,
    /// What the model said.
    pub output: Option<u64>,
}

/// A turn: one prompt and the agent's work on it. `GET /turns/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// Its id.
    pub id: String,
    /// Its session's name.
    pub session: String,
    /// Its session's id.
    pub session_id: String,
    /// `queued`, `delivering`, `working`, `needs_input`, `done`, `unconfirmed`, `failed`, `interrupted` or
    /// `cancelled`.
    pub state: String,
    /// What the agent asks, in `needs_input`; null where that is not recognised.
    #[serde(default)]
    pub question: Option<Question>,
    /// `confirmed`: the agent took the prompt; `unconfirmed`: typed, no proof yet; null before Enter was
    /// pressed.
    pub delivery: Option<String>,
    /// Where the proof for that came from: `hook` (the agent's own receipt), `osc` or `screen`; absent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// Present, and true, where the agent received the text changed, or with more around it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformed: Option<bool>,
    /// What the agent said, once it has finished; null in lists and in events, and where nobody knows it. Empty
    /// where it said nothing.
    pub reply: Option<String>,
    /// Where the reply was read: `hook`, `transcript` or `screen`; null where it is not known.
    pub reply_source: Option<String>,
    /// Percent of the context used at its end, where the agent tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u8>,
    /// The tokens that it used, where the agent tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
    /// What it cost, in dollars, where the agent tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// RFC 3339, UTC.
    pub accepted_at: String,
    /// When Enter was pressed.
    #[serde(default)]
    pub submitted_at: Option<String>,
    /// When there was proof that the agent took the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<String>,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Option<String>,
    /// Present while a usage limit holds the turn up: when it goes on. RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<String>,
    /// Present, and true, where a wait ended before the turn did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited_out: Option<bool>,
}
