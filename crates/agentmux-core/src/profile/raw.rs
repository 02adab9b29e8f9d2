//! The form of a profile that serde reads, and the way from it to a checked one.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;

use super::attachments::AttachmentsTable;
use super::ending::{EndingTable, PatienceTable};
use super::fault::Fault;
use super::question::{RawForm, RawRows};
use super::rule::RuleTable;
use super::special::SpecialTable;
use super::submit::SubmitTable;
use super::{Consent, Edges, InputBox, LoginMarks, Origin, Pattern, ReplyMarks};
use crate::command::{check_argv, check_variable};
use crate::input::{Key, ShortName};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    name: String,
    command: Vec<String>,
    checked: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default, rename = "box")]
    input: Option<InputBoxTable>,
    prompt: Option<String>,
    #[serde(default, rename = "rule")]
    rules: Vec<RuleTable>,
    #[serde(default, rename = "dialog")]
    dialogs: Vec<Dialog>,
    #[serde(default, rename = "question")]
    questions: Vec<RawForm>,
    #[serde(default)]
    asking: RawRows,
    #[serde(default = "default_selected")]
    selected: String,
    #[serde(default)]
    submit: SubmitTable,
    attachments: Option<AttachmentsTable>,
    #[serde(default)]
    reply: Reply,
    #[serde(default)]
    login: LoginMarks,
    #[serde(default, rename = "ending")]
    endings: Vec<EndingTable>,
    #[serde(default, rename = "limit")]
    patience: PatienceTable,
    #[serde(default, rename = "special")]
    specials: Vec<SpecialTable>,
    command_line: Option<String>,
    context: Option<String>,
    signals: Option<super::signals::Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputBoxTable {
    between: Option<Between>,
    above: Option<String>,
    at: Option<At>,
    text: String,
    not: Option<String>,
    below: Option<String>,
    placeholder: Option<String>,
}

/// One pattern for both edges, or the upper and the lower one.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a pattern or two")]
enum Between {
    Same(String),
    Two([String; 2]),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum At {
    Cursor,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dialog {
    name: String,
    #[serde(default)]
    consent: String,
    argument: Option<String>,
    #[serde(rename = "match")]
    matches: String,
    option: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Reply {
    echo: Option<String>,
    marker: Option<String>,
    indent: usize,
    frame: Option<String>,
    drop: Vec<String>,
}

fn default_selected() -> String {
    r"^\s*[❯›]\s".to_owned()
}

impl Profile {
    pub(super) fn check(self, origin: Origin) -> Result<super::Profile, Fault> {
        let name = ShortName::parse("name", &self.name).map_err(|e| Fault::at("name", e.message))?;
        let command = check_argv(self.command).map_err(|e| Fault::at("command", e.message))?;
        for (name, value) in &self.env {
            check_variable(name, value).map_err(|e| Fault::at(name, e.message).within("env"))?;
        }
        let input = self.input.map(InputBoxTable::check).transpose();
        let input = input.map_err(|fault| fault.within("box"))?;
        let prompt = self.prompt.as_deref().map(|text| with_text_group("prompt", text)).transpose()?;
        if input.is_none() && prompt.is_none() {
            return Err("has neither 'box' nor 'prompt': it could never be idle".into());
        }
        let has_box = input.is_some();
        let rules = each("rule", self.rules, |rule| rule.check(has_box))?;
        Ok(super::Profile {
            name,
            origin,
            command,
            checked: self.checked,
            env: self.env,
            input,
            prompt,
            rules,
            dialogs: each("dialog", self.dialogs, Dialog::check)?,
            questions: each("question", self.questions, |form| form.check(&self.asking))?,
            selected: pattern("selected", &self.selected)?,
            submit: self.submit.check().map_err(|fault| fault.within("submit"))?,
            attachments: self
                .attachments
                .map(AttachmentsTable::check)
                .transpose()
                .map_err(|fault| fault.within("attachments"))?,
            reply: self.reply.check().map_err(|fault| fault.within("reply"))?,
            login: check_login(self.login).map_err(|fault| fault.within("login"))?,
            endings: each("ending", self.endings, EndingTable::check)?,
            patience: self.patience.check().map_err(|fault| fault.within("limit"))?,
            specials: each("special", self.specials, SpecialTable::check)?,
            command_line: optional("command_line", self.command_line.as_deref())?,
            context: self.context.as_deref().map(|text| pattern("context", text)).transpose()?,
            signals: self
                .signals
                .map(super::signals::Raw::check)
                .transpose()
                .map_err(|fault| fault.within("signals"))?,
        })
    }
}

impl InputBoxTable {
    fn check(self) -> Result<InputBox, Fault> {
        let text = with_text_group("text", &self.text)?;
        let not = optional("not", self.not.as_deref())?;
        let placeholder = optional("placeholder", self.placeholder.as_deref())?;
        let edges = match (self.between, self.above, self.at, self.below) {
            (Some(Between::Same(rule)), None, None, None) => {
                let rule = pattern("between", &rule)?;
                Edges::Between { top: rule.clone(), bottom: rule }
            }
            (Some(Between::Two([top, bottom])), None, None, None) => {
                Edges::Between { top: pattern("between", &top)?, bottom: pattern("between", &bottom)? }
            }
            (None, Some(bottom), None, None) => Edges::Above { bottom: pattern("above", &bottom)? },
            (None, None, Some(At::Cursor), None) => Edges::Cursor,
            (None, None, None, below) => Edges::Row { below: optional("below", below.as_deref())? },
            (.., Some(_)) => return Err(Fault::at("below", "does not go with 'between', 'above' or 'at'")),
            _ => return Err("give one of 'between', 'above' and 'at'".into()),
        };
        Ok(InputBox { edges, text, not, placeholder })
    }
}

impl Dialog {
    fn check(self) -> Result<super::Dialog, Fault> {
        let consent = match (self.consent.as_str(), &self.argument) {
            ("", None) => Consent::Free,
            ("trust", None) => Consent::Trust,
            ("argument", Some(argument)) => Consent::Argument(pattern("argument", argument)?),
            ("argument", None) => {
                return Err(Fault::at("consent", "'argument' needs the key argument"));
            }
            (_, Some(_)) => return Err(Fault::at("argument", "goes with consent 'argument'")),
            (other, None) => {
                let why = format!("'{other}' is unknown; use trust or argument");
                return Err(Fault::at("consent", why));
            }
        };
        Ok(super::Dialog {
            consent,
            matches: pattern("match", &self.matches)?,
            option: optional("option", self.option.as_deref())?,
            name: self.name,
        })
    }
}

impl Reply {
    fn check(self) -> Result<ReplyMarks, Fault> {
        Ok(ReplyMarks {
            echo: self.echo.as_deref().map(|text| with_text_group("echo", text)).transpose()?,
            marker: optional("marker", self.marker.as_deref())?,
            indent: self.indent,
            frame: optional("frame", self.frame.as_deref())?,
            drop: self.drop.iter().map(|text| pattern("drop", text)).collect::<Result<_, _>>()?,
        })
    }
}

/// Checks each item of an array of tables.
pub(super) fn each<T, U>(
    array: &str,
    items: Vec<T>,
    check: impl Fn(T) -> Result<U, Fault>,
) -> Result<Vec<U>, Fault> {
    let check = |(at, item)| check(item).map_err(|fault| fault.in_item(array, at));
    items.into_iter().enumerate().map(check).collect()
}

fn check_login(login: LoginMarks) -> Result<LoginMarks, Fault> {
    let is_placed = |file: &&String| {
        let (first, rest) = file.split_once('/').unwrap_or_default();
        !rest.is_empty() && (first == "~" || first.strip_prefix('$').is_some_and(|name| !name.is_empty()))
    };
    match login.files.iter().find(|file| !is_placed(file)) {
        Some(file) => Err(Fault::at("files", format!("'{file}' must begin with ~/ or $VARIABLE/"))),
        None => Ok(login),
    }
}

pub(super) fn keys(key: &str, names: &[String]) -> Result<Vec<Key>, Fault> {
    let parse = |name: &String| Key::parse_any(name).map_err(|e| Fault::at(key, e.message));
    names.iter().map(parse).collect()
}

pub(super) fn pattern(key: &str, text: &str) -> Result<Pattern, Fault> {
    compiled(key, text).map(|regex| Pattern::of(&regex))
}

pub(super) fn compiled(key: &str, text: &str) -> Result<Regex, Fault> {
    Regex::new(text).map_err(|e| Fault::at(key, wrong_pattern(&e)))
}

/// The last line of the error says what is wrong; those above it show where, in a fixed-width font.
fn wrong_pattern(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
    format!("is no regular expression: {last}")
}

pub(super) fn optional(key: &str, text: Option<&str>) -> Result<Option<Pattern>, Fault> {
    text.map(|text| pattern(key, text)).transpose()
}

fn with_text_group(key: &str, text: &str) -> Result<Pattern, Fault> {
    let regex = compiled(key, text)?;
    match regex.capture_names().flatten().any(|name| name == "text") {
        true => Ok(Pattern::of(&regex)),
        false => Err(Fault::at(key, "has no group named text, as in (?P<text>.*)")),
    }
}
