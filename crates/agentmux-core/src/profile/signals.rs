//! The table `[signals]` of a profile: how an agent is made to tell what it does, and what its words mean.

mod raw;
mod transcript;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Pattern;
use crate::signals::{Pointer, Template};

pub(super) use raw::Raw;
pub use transcript::{Entry, Transcript, UsageEntry, Whereabouts};

/// How an agent is made to tell what it does, for one launch and without a change to its user's own files; and what
/// it tells.
#[derive(Debug)]
pub struct Signals {
    /// It announces its state in its output (OSC 7501), unasked.
    pub announces: bool,
    /// Arguments put right behind the program.
    pub args: Vec<Template>,
    /// Variables added to the agent's environment.
    pub env: BTreeMap<String, Template>,
    /// Files written into the session's own folder.
    pub files: Vec<SignalFile>,
    /// Arguments of a user's own command that stand in the way: theirs are kept, and the agent stays silent.
    pub conflicts: Vec<Pattern>,
    /// What is left out where the user has it already: theirs would be replaced.
    pub unless: Vec<Unless>,
    /// Where a payload has its event's name; a name that the relay was given goes first.
    pub event_key: Pointer,
    /// What payloads mean; the first that fits decides.
    pub events: Vec<EventRule>,
    /// What the agent wraps a prompt in.
    pub wrapping: Vec<Pattern>,
    /// The agent's own record of the conversation.
    pub transcript: Option<Transcript>,
}

/// A setting of the user's own that ours would replace.
#[derive(Debug)]
pub struct Unless {
    /// Where it may be.
    pub place: Place,
    /// What is there then.
    pub matches: Pattern,
}

/// Where a setting of the user's own may be.
#[derive(Debug)]
pub enum Place {
    /// In a file; it begins with `/`, `~/` or a variable, as `$CODEX_HOME/config.toml`.
    File(String),
    /// In a variable of the agent's environment.
    Env(String),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::File(name) | Self::Env(name)) = self;
        f.write_str(name)
    }
}

/// A file in the session's own folder.
#[derive(Debug)]
pub struct SignalFile {
    /// Its name, without a folder.
    pub name: String,
    /// What is in it.
    pub content: Template,
}

/// What a payload of one event means.
#[derive(Debug)]
pub struct EventRule {
    /// The event's name.
    pub name: String,
    /// All of these must hold.
    pub when: Vec<Condition>,
    /// What it says of the agent.
    pub means: Meaning,
    /// Where the payload has the agent's own id of the turn.
    pub turn: Option<Pointer>,
    /// Where it has the prompt as the agent received it.
    pub prompt: Option<Pointer>,
    /// Where it has the agent's final message.
    pub reply: Option<Pointer>,
    /// Where it has a sentence for people: an error, a notification.
    pub message: Option<Pointer>,
    /// Where it has the path of the agent's record of the conversation.
    pub transcript: Option<Pointer>,
    /// Where it has the agent's own id of the conversation.
    pub conversation: Option<Pointer>,
    /// Where it has what the turn cost.
    pub usage: UsagePointers,
    /// What it asks, and how that is answered.
    pub question: QuestionPointers,
}

/// Where a payload has what a turn used.
#[derive(Debug, Default, Clone)]
pub struct UsagePointers {
    /// Tokens sent to the model; several are added up.
    pub input: Vec<Pointer>,
    /// Tokens that came back.
    pub output: Vec<Pointer>,
    /// The price, in dollars.
    pub cost: Option<Pointer>,
    /// How much of the context is used: percent; a ratio or tokens where there is a `context_limit`.
    pub context: Option<Pointer>,
    /// The size of the context in tokens.
    pub context_limit: Option<Pointer>,
}

/// Where a payload has what is asked, and the bodies that answer it.
#[derive(Debug, Default, Clone)]
pub struct QuestionPointers {
    /// The tool that would be used.
    pub tool: Option<Pointer>,
    /// What it would do.
    pub command: Option<Pointer>,
    /// The answers to choose from.
    pub options: Option<Pointer>,
    /// The hook's answer that allows it.
    pub allow: Option<Value>,
    /// The hook's answer that denies it.
    pub deny: Option<Value>,
}

/// What an event says of the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// It has started.
    Ready,
    /// It took a prompt.
    Submitted,
    /// It works.
    Working,
    /// It asks something.
    Asks,
    /// It has finished.
    Done,
    /// It has finished with an error.
    Failed,
    /// It was interrupted.
    Interrupted,
    /// Its program ends.
    Ended,
    /// Nothing of its state; what else the payload has counts.
    Notes,
    /// Nothing.
    Ignored,
}

impl Meaning {
    /// The word for it in profiles and on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Submitted => "submitted",
            Self::Working => "working",
            Self::Asks => "asks",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Ended => "ended",
            Self::Notes => "notes",
            Self::Ignored => "ignored",
        }
    }
}

/// A condition on a payload.
#[derive(Debug)]
pub struct Condition {
    /// Where it looks.
    pub at: Pointer,
    /// What must be there.
    pub wanted: Wanted,
}

/// What must be at a place in a payload.
#[derive(Debug)]
pub enum Wanted {
    /// Nothing: absent, null, false, or without content.
    Empty,
    /// Something.
    Filled,
    /// A text or number that matches.
    Matching(Pattern),
}
