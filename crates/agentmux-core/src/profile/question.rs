//! The forms of an agent's questions: how they look on the screen, and how they are answered.

use regex::Regex;
use serde::Deserialize;

use super::fault::Fault;
use super::pattern::Pattern;
use super::raw::{compiled, keys, optional, pattern};
use crate::input::Key;
use crate::question::QuestionKind;

/// How one kind of question looks, and how it is answered. The first that is found on a screen counts.
#[derive(Debug)]
pub struct QuestionForm {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub kind: QuestionKind,
    /// One row of the question must match.
    pub matches: Pattern,
    /// The first row of the question: the last one above its options that matches; without one, the row of `matches`.
    pub begin: Option<Pattern>,
    /// What is not part of the text: borders, scroll bars.
    pub frame: Option<Pattern>,
    /// Rows that say nothing: rules, hints.
    pub skip: Option<Pattern>,
    /// An option; groups `label` and, where there are such, `selected`, `number`, `description`, `ticked`, `key`.
    pub option: Option<Pattern>,
    /// A row without a number that can be chosen among those that have one; groups `label` and `selected`.
    pub button: Option<Pattern>,
    /// Where the options stand.
    pub layout: Layout,
    /// What further rows of an option are.
    pub further: Further,
    /// How it is answered with yes, for this once.
    pub approve: Option<Way>,
    /// How it is answered with no.
    pub deny: Option<Way>,
    /// How free text is given.
    pub text: Option<FreeText>,
}

/// Where the options of a question stand, and so, which keys move the selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Below one another.
    #[default]
    Down,
    /// Below one another with blank rows between them; the further rows of each say what it means.
    Blocks,
    /// Beside one another, on one row; the selected one has a background of its own.
    Across,
    /// In the sentence that asks: the letter in group `key` is typed, then Enter.
    Typed,
}

/// What the further rows of an option are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Further {
    /// The rest of its label.
    #[default]
    Label,
    /// What it means.
    Description,
}

/// How a decision is given.
#[derive(Debug)]
pub enum Way {
    /// By the option whose label matches.
    Option(Pattern),
    /// By these keys.
    Keys(Vec<Key>),
}

/// How free text is given.
#[derive(Debug)]
pub enum FreeText {
    /// It is typed at once.
    Line,
    /// The option whose label matches is selected, then it is typed.
    Option {
        /// That option.
        label: Pattern,
        /// Enter must be pressed there before text is taken.
        enter: bool,
    },
}

/// What all forms of a profile have in common, where they do not say otherwise.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawRows {
    frame: Option<String>,
    skip: Option<String>,
    option: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawForm {
    name: String,
    kind: QuestionKind,
    #[serde(rename = "match")]
    matches: String,
    begin: Option<String>,
    frame: Option<String>,
    skip: Option<String>,
    option: Option<String>,
    button: Option<String>,
    #[serde(default)]
    layout: Layout,
    #[serde(default)]
    further: Further,
    approve: Option<String>,
    #[serde(default)]
    approve_keys: Vec<String>,
    deny: Option<String>,
    #[serde(default)]
    deny_keys: Vec<String>,
    #[serde(default)]
    text: bool,
    text_option: Option<String>,
    #[serde(default)]
    text_enter: bool,
}

impl RawForm {
    pub(super) fn check(self, common: &RawRows) -> Result<QuestionForm, Fault> {
        let own = |own: &Option<String>, common: &Option<String>| own.clone().or_else(|| common.clone());
        let option = own(&self.option, &common.option).filter(|option| !option.is_empty());
        let option = option.map(|option| with_label("option", &option)).transpose()?;
        if self.layout == Layout::Typed && !option.as_deref().is_some_and(|option| has_group(option, "key")) {
            return Err(Fault::at("layout", "'typed' needs an option with a group named key"));
        }
        let text = match (self.text, self.text_option.as_deref()) {
            (true, Some(_)) => return Err(Fault::at("text", "does not go with text_option")),
            (true, None) => Some(FreeText::Line),
            (false, Some(label)) => {
                Some(FreeText::Option { label: pattern("text_option", label)?, enter: self.text_enter })
            }
            (false, None) => None,
        };
        Ok(QuestionForm {
            kind: self.kind,
            matches: pattern("match", &self.matches)?,
            begin: optional("begin", self.begin.as_deref())?,
            frame: optional("frame", own(&self.frame, &common.frame).as_deref())?,
            skip: optional("skip", own(&self.skip, &common.skip).as_deref())?,
            button: self.button.as_deref().map(|button| with_label("button", button)).transpose()?,
            layout: self.layout,
            further: self.further,
            approve: way("approve", self.approve.as_deref(), "approve_keys", &self.approve_keys)?,
            deny: way("deny", self.deny.as_deref(), "deny_keys", &self.deny_keys)?,
            option,
            text,
            name: self.name,
        })
    }
}

/// A decision by an option or by keys.
fn way(key: &str, option: Option<&str>, keys_key: &str, names: &[String]) -> Result<Option<Way>, Fault> {
    match (option, names) {
        (Some(_), [_, ..]) => Err(Fault::at(keys_key, format!("does not go with {key}"))),
        (Some(label), []) => Ok(Some(Way::Option(pattern(key, label)?))),
        (None, []) => Ok(None),
        (None, names) => Ok(Some(Way::Keys(keys(keys_key, names)?))),
    }
}

fn with_label(key: &str, text: &str) -> Result<Pattern, Fault> {
    let pattern = compiled(key, text)?;
    match has_group(&pattern, "label") {
        true => Ok(Pattern::of(&pattern)),
        false => Err(Fault::at(key, "has no group named label, as in (?P<label>.*)")),
    }
}

fn has_group(pattern: &Regex, group: &str) -> bool {
    pattern.capture_names().flatten().any(|name| name == group)
}
