//! The port to whatever keeps the agents' terminals alive.
//!
//! The core drives agents through [`Terminal`] alone. `agentmux-tmux` implements it on tmux;
//! [`fake::FakeTerminal`](crate::fake::FakeTerminal) in memory. Both pass the same contract test.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::input::{Invalid, Key, SessionName, ShortName};
use crate::question::Policy;
use crate::screen::Screen;

/// What a call to a terminal returns; boxed, so that the trait is object-safe.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, TerminalError>> + Send + 'a>>;

/// Keeps programs alive in terminals of their own.
///
/// Each call ends within a bounded time (seconds) with [`TerminalError::Unavailable`] at the latest. Dropping a future
/// does not undo what was begun.
pub trait Terminal: Send + Sync + 'static {
    /// Starts a program as the own process of a new pane, which stays readable after the program has ended.
    fn spawn(&self, launch: Launch) -> Answer<'_, Pane>;

    /// All panes that there are, each once.
    fn panes(&self) -> Answer<'_, Vec<Pane>>;

    /// One consistent reading of the pane: its metadata and its rows, with up to `history` rows that scrolled out.
    fn read<'a>(&'a self, pane: &'a PaneId, history: u32) -> Answer<'a, Screen>;

    /// The text of the pane alone, a line for each row that [`read`](Self::read) gives, also for blank ones: cheaper
    /// where a terminal has a cheaper way.
    fn text<'a>(&'a self, pane: &'a PaneId, history: u32) -> Answer<'a, String> {
        Box::pin(async move { Ok(self.read(pane, history).await?.lines()) })
    }

    /// Pastes text, bracketed where the program asked for that, line feeds kept; nothing is submitted.
    ///
    /// Refused with [`TerminalError::Exited`] where the program has ended. A pane that a person scrolled gets it too.
    fn paste<'a>(&'a self, pane: &'a PaneId, text: &'a str) -> Answer<'a, ()>;

    /// Presses keys, in order; leaves a scrolled view first, so that the program gets them.
    fn keys<'a>(&'a self, pane: &'a PaneId, keys: &'a [Key]) -> Answer<'a, ()>;

    /// Ends the program with all processes of its group, and removes the pane; harmless when it is gone already.
    fn kill<'a>(&'a self, pane: &'a PaneId) -> Answer<'a, ()>;

    /// A signal that the pane may look different now: output, death, disappearance.
    fn activity(&self, pane: &PaneId) -> Activity;
}

/// The terminal's own id of a pane: never reused while that terminal lives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaneId(String);

impl PaneId {
    /// Wraps the id that the terminal gave.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as the terminal gave it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What to start, and where.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The name of the new session.
    pub name: SessionName,
    /// The name of its window.
    pub window: ShortName,
    /// The program and its arguments, at least the program.
    pub argv: Vec<OsString>,
    /// Where it starts.
    pub workdir: PathBuf,
    /// Its whole environment; the terminal adds only `TERM`, and that only where it is missing.
    pub env: BTreeMap<OsString, OsString>,
    /// Columns and rows.
    pub size: Size,
    /// What is remembered with the pane, so that a later daemon can adopt it.
    pub label: Label,
}

/// The size of a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Characters in a row.
    pub columns: u16,
    /// Rows on the screen.
    pub rows: u16,
}

impl Size {
    /// Checks a size: 20 to 500 columns and 5 to 200 rows.
    ///
    /// # Errors
    /// A sentence that says what is allowed.
    pub fn new(columns: u16, rows: u16) -> Result<Self, Invalid> {
        if (20..=500).contains(&columns) && (5..=200).contains(&rows) {
            Ok(Self { columns, rows })
        } else {
            Err(Invalid::new("size must have 20 to 500 columns and 5 to 200 rows"))
        }
    }
}

impl Default for Size {
    fn default() -> Self {
        Self { columns: 120, rows: 40 }
    }
}

/// What a pane remembers of the session that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The session's id: unique for ever.
    pub id: String,
    /// The session's name when it was made.
    pub name: SessionName,
    /// The agent's profile.
    pub agent: ShortName,
    /// When the session was made: seconds since 1970.
    pub created: i64,
    /// Where the agent was started.
    pub workdir: String,
    /// What is done with its questions for permission.
    pub policy: Policy,
}

/// A pane, as the terminal lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pane {
    /// Its id.
    pub id: PaneId,
    /// The readable address that users know: `SESSION:WINDOW.PANE`.
    pub target: String,
    /// What we remembered with it; `None` for a pane that this daemon's family did not make.
    pub label: Option<Label>,
}

/// Why a terminal could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TerminalError {
    /// The pane is not there any more.
    #[error("the pane is gone")]
    Gone,
    /// The pane is there, its program has ended.
    #[error("the program in the pane has ended")]
    Exited,
    /// A session of that name exists already.
    #[error("the name is taken")]
    NameTaken,
    /// The terminal does not answer, or cannot be started.
    #[error("{0}")]
    Unavailable(String),
    /// The terminal answered that it will not.
    #[error("{0}")]
    Refused(String),
}

/// A signal that a pane may look different now; several changes may be reported as one.
#[derive(Debug, Clone)]
pub struct Activity(watch::Receiver<Pulse>);

/// What is known of a pane without reading its screen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Grows with each change.
    pub changes: u64,
    /// How many of them were output of the same form as the output before, as the frames of a spinner are; zero where the
    /// terminal does not see output.
    pub repeats: u64,
    /// What the program announced last of its own state, where the terminal sees escape sequences in its output.
    pub announced: Option<Announced>,
}

/// A program's announcement of its own state: `ESC ] 7501 ; state=WORD:key=value... ST` in its output (OSC 7501).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The word: `idle`, `working`, `blocked`, `done`, `error`, `clear`.
    pub state: String,
    /// The value of `kind`, as in `blocked:kind=permission`.
    pub kind: Option<String>,
    /// How often `working` was announced so far: it may come and go between two looks.
    pub worked: u64,
    /// When it was seen.
    pub at: Instant,
}

impl Activity {
    /// A signal that fires when `pulse` is sent a new value.
    pub fn new(pulse: watch::Receiver<Pulse>) -> Self {
        Self(pulse)
    }

    /// Waits for the next change; for ever where the terminal reports no more.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Grows with each change that is more than a repetition.
    pub(crate) fn news(&self) -> u64 {
        let pulse = self.0.borrow();
        pulse.changes - pulse.repeats
    }

    /// What the program announced last of its own state.
    pub fn announced(&self) -> Option<Announced> {
        self.0.borrow().announced.clone()
    }
}
