//! Profiles: what must be known of an agent's program to drive it, as data.
//!
//! A profile is a TOML file. Those compiled in are in `src/profiles/`. What serde reads is turned into a [`Profile`],
//! whose patterns are compiled and whose values are checked.

mod document;
mod fault;
mod hopeless;
mod known;
mod layers;
mod lint;
mod raw;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use regex::Regex;

use crate::input::{Key, ShortName};
use crate::state::State;

pub use known::{Definitions, Origin, Profiles};

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
    /// Variables added to the agent's environment.
    pub env: BTreeMap<String, String>,
    /// Where the typed text stands.
    pub input: InputBox,
    /// A prompt on the cursor's row: the last and least trusted way to see an idle program.
    pub prompt: Option<Regex>,
    /// What each screen means; the first that holds decides.
    pub rules: Vec<Rule>,
    /// Questions at the start that are answered by themselves.
    pub dialogs: Vec<Dialog>,
    /// Which row of a dialog is selected.
    pub selected: Regex,
    /// How a prompt is submitted, and turns are ended.
    pub submit: Submit,
    /// How a reply is found on the screen.
    pub reply: ReplyMarks,
    /// Percent of the context used: group 1, searched in the rows below the box, else in the last five.
    pub context: Option<Regex>,
}

/// Where the typed text stands on the screen.
#[derive(Debug)]
pub enum InputBox {
    /// There is none: see [`Profile::prompt`].
    None,
    /// Between the last two rows that match `rule`.
    Between {
        /// The upper and the lower edge.
        rule: Regex,
        /// The first row inside; group `text` is what was typed.
        text: Regex,
        /// A first row that makes it something else (a list of choices).
        not: Option<Regex>,
        /// Text that counts as an empty box.
        placeholder: Option<Regex>,
    },
    /// At the last row that matches `text`, down to the next blank row.
    Row {
        /// The row; group `text` is what was typed.
        text: Regex,
        /// A row that makes it something else.
        not: Option<Regex>,
        /// A row that must follow below.
        below: Option<Regex>,
        /// Text that counts as an empty box.
        placeholder: Option<Regex>,
    },
}

/// One line of the decision list: all its conditions must hold.
#[derive(Debug)]
pub struct Rule {
    /// Its name in evidence.
    pub name: String,
    /// What the screen means then.
    pub state: State,
    /// The title must match.
    pub title: Option<Regex>,
    /// The box must be like that.
    pub input: Option<BoxState>,
    /// Where `matches` and `not` look.
    pub region: Region,
    /// One row of the region must match.
    pub matches: Option<Regex>,
    /// No row of the region may match.
    pub not: Option<Regex>,
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

/// A part of the screen, blank rows at its end left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// All rows on it.
    Screen,
    /// The last so many rows that are not blank.
    Last(usize),
    /// The last so many rows above the box that are not blank.
    AboveBox(usize),
    /// The rows below the box.
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
    pub matches: Regex,
    /// The row of the right option; without one, Enter goes on.
    pub option: Option<Regex>,
}

/// What the user must have allowed for a dialog to be answered.
#[derive(Debug)]
pub enum Consent {
    /// Nothing: it decides nothing that matters.
    Free,
    /// That working directories are trusted.
    Trust,
    /// The launch command asked for it: one of its arguments matches.
    Argument(Regex),
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
    pub pasted: Option<Regex>,
    /// The keys that end a turn.
    pub interrupt: Vec<Key>,
    /// The keys that empty the box.
    pub clear: Vec<Key>,
    /// Whether prompts of several lines may be sent.
    pub multiline: bool,
    /// The longest line that the program reads, in bytes.
    pub max_line: Option<usize>,
}

/// How a reply is found on the screen.
#[derive(Debug)]
pub struct ReplyMarks {
    /// The first row of a prompt's echo; group `text` is its text.
    pub echo: Option<Regex>,
    /// What stands before the first row of a message of the agent.
    pub marker: Option<Regex>,
    /// How many blanks the further rows of a message begin with.
    pub indent: usize,
    /// Rows that are not part of a reply.
    pub drop: Vec<Regex>,
}

impl Profile {
    /// Whether a prompt may be sent to this agent at all.
    ///
    /// # Errors
    /// Several lines to a program that would take each for a prompt, or a line longer than it reads.
    pub fn accepts(&self, prompt: &crate::input::Prompt) -> Result<(), crate::input::Invalid> {
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
