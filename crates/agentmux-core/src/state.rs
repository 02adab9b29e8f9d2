//! What a session does now, and why we believe that.

use std::time::SystemTime;

/// What a session does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Started, not ready yet.
    Starting,
    /// Ready for a prompt; its input box is empty.
    Idle,
    /// Text stands in its input box, not submitted.
    Draft,
    /// It works.
    Busy,
    /// It asks something.
    NeedsInput,
    /// A usage limit holds it up.
    Limited,
    /// Its program has ended.
    Exited,
    /// None of the profile's rules knows this screen.
    Unknown,
}

impl State {
    /// The word for it on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Idle => "idle",
            Self::Draft => "draft",
            Self::Busy => "busy",
            Self::NeedsInput => "needs_input",
            Self::Limited => "limited",
            Self::Exited => "exited",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// All states.
pub const STATES: [State; 8] = [
    State::Starting,
    State::Idle,
    State::Draft,
    State::Busy,
    State::NeedsInput,
    State::Limited,
    State::Exited,
    State::Unknown,
];

/// Where a belief comes from, most trusted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The process: it has ended.
    Process,
    /// What the agent told by a hook.
    Hook,
    /// The agent's own announcement in its output (OSC 7501).
    Osc,
    /// The agent's own record of the conversation.
    Transcript,
    /// Our own act: a prompt was submitted and nothing newer is known.
    Submission,
    /// The title that the agent set.
    Title,
    /// The text on the screen.
    Screen,
}

impl Source {
    /// The word for it on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Hook => "hook",
            Self::Osc => "osc",
            Self::Transcript => "transcript",
            Self::Submission => "submission",
            Self::Title => "title",
            Self::Screen => "screen",
        }
    }
}

/// Why a session is believed to be in its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Where it comes from.
    pub source: Source,
    /// The rule of the profile that decided, or a word for what happened.
    pub rule: String,
    /// The text that matched, at most 200 characters.
    pub matched: String,
    /// Since when.
    pub since: SystemTime,
}
