//! Why the core refused or failed, named by what the caller can do about it.

use crate::input::{Invalid, SessionName};
use crate::screen::Exit;
use crate::terminal::TerminalError;

/// What an operation on sessions and turns may end with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The request itself is wrong; the sentence says what is allowed.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// There is no session to act on.
    #[error("no active session")]
    NoActiveSession,
    /// No session has that name or id.
    #[error("session '{0}' not found")]
    SessionNotFound(String),
    /// No turn has that id (any more).
    #[error("turn '{0}' not found")]
    TurnNotFound(String),
    /// The address belongs to no session of ours.
    #[error("target is not managed by agentmux")]
    NotManaged,
    /// The session works on something; try later, or queue.
    #[error("Agent is busy, previous task still running")]
    Busy {
        /// Which session.
        session: SessionName,
        /// What it does: `starting`, `busy` or `needs_input`.
        state: crate::state::State,
    },
    /// The session asks something; answer it first.
    #[error("session '{session}' waits for an answer to a question; answer it first (GET /capture shows it)")]
    NeedsInput {
        /// Which session.
        session: SessionName,
    },
    /// There is nothing to answer.
    #[error("session '{session}' asks nothing")]
    NoQuestion {
        /// Which session.
        session: SessionName,
    },
    /// The question that was to be answered is not asked any more, or another one is; no key was pressed on that.
    #[error("session '{session}' does not ask that any more; nothing was answered")]
    QuestionChanged {
        /// Which session.
        session: SessionName,
    },
    /// The session asks something that no form of its agent's profile knows; nothing was pressed.
    #[error("what session '{session}' asks is not recognised; look at its screen and answer it by keys")]
    QuestionUnknown {
        /// Which session.
        session: SessionName,
        /// What it shows.
        screen: String,
    },
    /// The question does not take answers of that kind.
    #[error("{message}")]
    NotAnswerable {
        /// Which session.
        session: SessionName,
        /// The sentence.
        message: String,
    },
    /// The keys were pressed, or could not be brought to the right option, and the question is still there.
    #[error("session '{session}' still asks the same, although it was answered; look at its screen")]
    NotAnswered {
        /// Which session.
        session: SessionName,
    },
    /// Somebody else's answer is on its way.
    #[error("another answer to session '{session}' is on its way")]
    Answering {
        /// Which session.
        session: SessionName,
    },
    /// A usage limit holds the agent up; try later, or queue.
    #[error("the agent of session '{session}' is at its usage limit{}", until_then(*held_until))]
    Limited {
        /// Which session.
        session: SessionName,
        /// When its turns go on.
        held_until: std::time::SystemTime,
    },
    /// The agent would not take the prompt for text, and nothing is known to make it.
    #[error(
        "agent '{agent}' would not take this prompt for text: it {what}; send it with raw: true if that is meant"
    )]
    Special {
        /// The agent.
        agent: String,
        /// What it would do.
        what: String,
    },
    /// Text that a person typed stands in the agent's input box.
    #[error(
        "somebody's unsent text stands in the input box of session '{session}'; submit or clear it first"
    )]
    HumanDraft {
        /// Which session.
        session: SessionName,
    },
    /// The agent of that session has ended.
    #[error("the agent of session '{session}' {}", exit.map_or("is gone".to_owned(), |exit| exit.to_string()))]
    AgentExited {
        /// Which session.
        session: SessionName,
        /// How it ended; `None` where its whole terminal is gone.
        exit: Option<Exit>,
    },
    /// No place for one more session.
    #[error("session limit ({0}) reached")]
    SessionLimit(usize),
    /// Too many turns wait in that session.
    #[error("session '{session}' has {limit} queued turns already; try later")]
    QueueFull {
        /// Which session.
        session: SessionName,
        /// How many turns may wait.
        limit: usize,
    },
    /// A session of that name exists.
    #[error("session name '{0}' is taken")]
    NameTaken(SessionName),
    /// A new session was not ready in time, or its agent ended; it is gone again.
    #[error("{message}")]
    NotReady {
        /// The sentence.
        message: String,
        /// The last screen that it showed.
        screen: String,
        /// How the agent ended, where it did.
        exit: Option<Exit>,
    },
    /// The turn was accepted, and failed before or while its prompt was typed.
    #[error("{message}")]
    NotDelivered {
        /// The failure's stable word.
        code: &'static str,
        /// The sentence.
        message: String,
    },
    /// The terminal did not do what was asked.
    #[error("terminal: {0}")]
    Terminal(#[from] TerminalError),
    /// The daemon is about to stop.
    #[error("the daemon is shutting down")]
    ShuttingDown,
}

/// `; its turns go on at 2026-11-25T14:00:00Z`.
fn until_then(time: std::time::SystemTime) -> String {
    let time = jiff::Timestamp::try_from(time).and_then(|time| time.round(jiff::Unit::Second));
    time.map_or_else(|_| String::new(), |time| format!("; its turns go on at {time}"))
}
