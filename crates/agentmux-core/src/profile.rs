//! Profiles: what must be known of an agent's program to drive it, as data.
//!
//! A profile is a TOML file. Those compiled in are in `src/profiles/`. What serde reads is turned into a [`Profile`],
//! whose patterns are compiled and whose values are checked.

mod attachments;
mod document;
mod ending;
mod fault;
mod hopeless;
mod known;
mod layers;
mod lint;
mod pattern;
mod question;
mod raw;
mod rule;
pub mod signals;
mod special;
mod submit;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::error::Error;
use crate::input::{Key, Prompt, ShortName};
use crate::state::State;

pub use attachments::Attachments;
pub use ending::{Ending, Means, Patience};
pub use known::{Definitions, Origin, Profiles};
pub use pattern::Pattern;
pub use question::{FreeText, Further, Layout, QuestionForm, Way};
pub use special::{Delivery, Special, Wording};

/// Why a profile was refused: where in which file, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("profile {file}:{} {reason}", line.map_or_else(String::new, |line| format!("{line}:")))]
pub struct ProfileError {
    /// The file, or the name of the profile that is compiled in.
    pub file: String,
    /// The line in it, from 1; `None` where it is about the whole file.
    pub line: Option<usize>,
    /// What is wrong, with the key.
    pub reason: String,
}

impl ProfileError {
    fn of_file(file: &Path, reason: String) -> Self {
        Self { file: file.display().to_string(), line: None, reason }
    }
}

/// What must be known of an agent's program to drive it.
#[derive(Debug)]
pub struct Profile {
    /// Its name: what `agent` means in requests and configuration.
    pub name: ShortName,
    /// Where it comes from.
    pub origin: Origin,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The version that this was checked with.
    pub checked: Option<String>,
    /// Variables added to the agent's environment.
    pub env: BTreeMap<String, String>,
    /// Where the typed text stands; where there is no box, see `prompt`.
    pub input: Option<InputBox>,
    /// A prompt on the cursor's row: the last and least trusted way to see an idle program.
    pub prompt: Option<Pattern>,
    /// What each screen means; the first that holds decides.
    pub rules: Vec<Rule>,
    /// Questions at the start that are answered by themselves.
    pub dialogs: Vec<Dialog>,
    /// The forms of its questions; the first that is found on a screen counts.
    pub questions: Vec<QuestionForm>,
    /// Which row of a dialog is selected.
    pub selected: Pattern,
    /// How a prompt is submitted, and turns are ended.
    pub submit: Submit,
    /// What it makes of the paths of files in a prompt, where it does not leave them as they are.
    pub attachments: Option<Attachments>,
    /// How a reply is found on the screen.
    pub reply: ReplyMarks,
    /// What logs it in.
    pub login: LoginMarks,
    /// How the agent says that a turn did not come to a good end.
    pub endings: Vec<Ending>,
    /// How long a session at a usage limit is held.
    pub patience: Patience,
    /// Prompts that the agent treats specially.
    pub specials: Vec<Special>,
    /// Prompts that are commands of the agent itself: their turn ends at the next idle, without a reply.
    pub command_line: Option<Pattern>,
    /// Percent of the context used: group 1, searched in the rows below the box, else in the last five.
    pub context: Option<Pattern>,
    /// How it is made to tell what it does.
    pub signals: Option<signals::Signals>,
}

/// What logs an agent in: it is looked for, never read.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoginMarks {
    /// Files that are there when it is logged in; they begin with `~/` or `$VARIABLE/`.
    pub files: Vec<String>,
    /// Variables that it takes a key from.
    pub env: Vec<String>,
}

/// The input box: where the typed text stands on the screen.
#[derive(Debug)]
pub struct InputBox {
    /// Which rows are its own.
    pub edges: Edges,
    /// The first row inside, with [`Edges::Above`] each of them; group `text` is what was typed.
    pub text: Pattern,
    /// A first row that makes it something else (a list of choices).
    pub not: Option<Pattern>,
    /// Text that counts as an empty box.
    pub placeholder: Option<Pattern>,
}

/// Which rows are those of the input box.
#[derive(Debug)]
pub enum Edges {
    /// From the last row that matches `top` and has a `bottom` below it, down to that; they may be the same pattern.
    Between {
        /// The upper edge.
        top: Pattern,
        /// The lower edge.
        bottom: Pattern,
    },
    /// From the last row that matches the box's text, down to the next blank row.
    Row {
        /// A row that must follow below.
        below: Option<Pattern>,
    },
    /// The rows directly above the last one that matches `bottom`, as far as they match the box's text. The last
    /// paragraph of several is the agent's own and no text. What stands right of the lower edge is not of the box.
    Above {
        /// The lower edge.
        bottom: Pattern,
    },
    /// The cursor's line: its row, with the rows above that wrap into it.
    Cursor,
}

/// One line of the decision list: all its conditions must hold.
#[derive(Debug)]
pub struct Rule {
    /// Its name in evidence.
    pub name: String,
    /// What the screen means then.
    pub state: State,
    /// The title must match; it is empty where the program has set none.
    pub title: Option<Pattern>,
    /// The box must be like that.
    pub input: Option<BoxState>,
    /// All of this must be so of the cursor.
    pub cursor: Vec<CursorIs>,
    /// Whether the program must be on the alternate screen, or on the normal one.
    pub alternate: Option<bool>,
    /// Where `from`, `matches` and `not` look.
    pub region: Region,
    /// The region begins at its last row that matches; one must.
    pub from: Option<Pattern>,
    /// `matches` and `not` look at the rows of the region as one line, joined by blanks: footers wrap.
    pub joined: bool,
    /// One row of the region must match.
    pub matches: Option<Pattern>,
    /// No row of the region may match.
    pub not: Option<Pattern>,
}

/// How the input box is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoxState {
    /// Not on the screen.
    Absent,
    /// On the screen.
    Present,
    /// On the screen, without text.
    Empty,
    /// On the screen, with text.
    Text,
}

/// How the cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CursorIs {
    /// In the input box.
    InBox,
    /// On the last row that is not blank, or below it.
    OnLastRow,
    /// Directly behind the text of its row, which is not blank.
    BehindText,
    /// Shown.
    Visible,
    /// Not shown.
    Hidden,
}

/// A part of the screen, blank rows at its end left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// All rows on it.
    Screen,
    /// The last so many rows that are not blank.
    Last(usize),
    /// The last so many rows above the box that are not blank.
    AboveBox(usize),
    /// The rows below the box, as far as it is wide.
    BelowBox,
    /// The cursor's row.
    Cursor,
}

/// A question at the start that is answered by the text of an option.
#[derive(Debug)]
pub struct Dialog {
    /// Its name in logs.
    pub name: String,
    /// What the user must have allowed for it to be answered.
    pub consent: Consent,
    /// One row of the screen must match.
    pub matches: Pattern,
    /// The row of the right option; without one, Enter goes on.
    pub option: Option<Pattern>,
}

/// What the user must have allowed for a dialog to be answered.
#[derive(Debug)]
pub enum Consent {
    /// Nothing: it decides nothing that matters.
    Free,
    /// That working directories are trusted.
    Trust,
    /// The launch command asked for it: one of its arguments matches.
    Argument(Pattern),
}

/// How a prompt is submitted, and turns are ended.
#[derive(Debug)]
pub struct Submit {
    /// A pause that the agent needs between the text on the screen and Enter.
    pub pause: Duration,
    /// How long a screen that looks idle must last to be believed.
    pub settle: Duration,
    /// How long a screen that looks idle must last after a prompt that showed no sign of work.
    pub grace: Duration,
    /// What the box shows in place of a long paste.
    pub pasted: Option<Pattern>,
    /// Pieces in which a longer text is pasted, where the agent changes a long paste.
    pub chunks: Option<Chunks>,
    /// The keys that end a turn.
    pub interrupt: Vec<Key>,
    /// A row near the end of the screen by which the agent asks for these keys once more.
    pub interrupt_again: Option<Pattern>,
    /// How long after the first time they may be pressed again.
    pub interrupt_pause: Duration,
    /// The keys that empty the box.
    pub clear: Vec<Key>,
    /// The text that, submitted, ends the program.
    pub exit: Option<String>,
    /// Whether prompts of several lines may be sent.
    pub multiline: bool,
    /// The longest line that the program reads, in bytes.
    pub max_line: Option<usize>,
}

/// In which pieces a text is pasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunks {
    /// Lines in a piece at most.
    pub lines: usize,
    /// Characters in a piece at most.
    pub chars: usize,
    /// The pause between two pieces.
    pub pause: Duration,
}

/// How a reply is found on the screen.
#[derive(Debug)]
pub struct ReplyMarks {
    /// The first row of a prompt's echo; group `text` is its text.
    pub echo: Option<Pattern>,
    /// What stands before the first row of a message of the agent.
    pub marker: Option<Pattern>,
    /// How many blanks the further rows of a message begin with.
    pub indent: usize,
    /// What is no text in a row: scroll bars.
    pub frame: Option<Pattern>,
    /// Rows that are not part of a reply.
    pub drop: Vec<Pattern>,
}

impl Profile {
    /// Whether a prompt may be sent to this agent at all.
    ///
    /// # Errors
    /// Several lines to a program that would take each for a prompt, or a line longer than it reads.
    pub fn accepts(&self, prompt: &Prompt) -> Result<(), crate::input::Invalid> {
        let refuse = |why: String| Err(crate::input::Invalid::new(format!("text {why}")));
        if !self.submit.multiline && prompt.as_str().contains('\n') {
            return refuse(format!("has several lines; agent '{}' would take each for a prompt", self.name));
        }
        match self.submit.max_line {
            Some(most) if prompt.as_str().split('\n').any(|line| line.len() > most) => {
                refuse(format!("has a line of over {most} bytes; agent '{}' cannot read it", self.name))
            }
            _ => Ok(()),
        }
    }
}

impl Profile {
    /// How a prompt is typed: as it is, or, where it must arrive as text, as the agent takes it for text.
    pub fn word(&self, prompt: &Prompt) -> Wording {
        match prompt.is_literal() {
            true => special::word(&self.specials, prompt),
            false => Wording::Typed(prompt.clone()),
        }
    }

    /// The prompt as it is to be typed.
    pub(crate) fn worded(&self, prompt: &Prompt) -> Result<Prompt, Error> {
        self.accepts(prompt)?;
        match self.word(prompt) {
            Wording::Typed(prompt) => Ok(prompt),
            Wording::Refused(what) => Err(Error::Special { agent: self.name.to_string(), what }),
        }
    }

    /// Whether the prompt, typed as it is, is a command of the agent itself.
    pub(crate) fn is_command(&self, prompt: &Prompt) -> bool {
        let command = |pattern: &Pattern| !prompt.is_literal() && pattern.is_match(prompt.as_str());
        self.command_line.as_ref().is_some_and(command)
    }
}
