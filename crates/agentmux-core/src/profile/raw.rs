//! The form of a profile that serde reads, and the way from it to a checked one.

use std::collections::BTreeMap;
use std::time::Duration;

use regex::Regex;
use serde::Deserialize;

use super::ending::{EndingTable, PatienceTable};
use super::fault::Fault;
use super::question::{RawForm, RawRows};
use super::special::SpecialTable;
use super::{
    BoxState, Chunks, Consent, CursorIs, Edges, InputBox, LoginMarks, Origin, Pattern, Region, ReplyMarks,
};
use crate::command::{check_argv, check_variable};
use crate::input::{Key, ShortName};
use crate::state::State;

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
    rules: Vec<Rule>,
    #[serde(default, rename = "dialog")]
    dialogs: Vec<Dialog>,
    #[serde(default, rename = "question")]
    questions: Vec<RawForm>,
    #[serde(default)]
    asking: RawRows,
    #[serde(default = "default_selected")]
    selected: String,
    #[serde(default)]
    submit: Submit,
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
struct Rule {
    name: String,
    state: State,
    title: Option<String>,
    #[serde(rename = "box")]
    input: Option<BoxState>,
    #[serde(default)]
    cursor: Vec<CursorIs>,
    alternate: Option<bool>,
    region: Option<String>,
    rows: Option<usize>,
    from: Option<String>,
    #[serde(default)]
    joined: bool,
    #[serde(rename = "match")]
    matches: Option<String>,
    not: Option<String>,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Submit {
    pause_ms: u64,
    settle_ms: u64,
    grace_ms: u64,
    pasted: Option<String>,
    chunk_lines: Option<usize>,
    chunk_chars: Option<usize>,
    chunk_pause_ms: u64,
    interrupt: Vec<String>,
    interrupt_again: Option<String>,
    interrupt_pause_ms: u64,
    clear: Vec<String>,
    exit: Option<String>,
    multiline: bool,
    max_line: Option<usize>,
}

impl Default for Submit {
    fn default() -> Self {
        Self {
            pause_ms: 0,
            settle_ms: 0,
            grace_ms: 3000,
            pasted: None,
            chunk_lines: None,
            chunk_chars: None,
            chunk_pause_ms: 20,
            interrupt: vec!["escape".into()],
            interrupt_again: None,
            interrupt_pause_ms: 200,
            clear: vec!["ctrl-u".into()],
            exit: None,
            multiline: true,
            max_line: None,
        }
    }
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

impl Rule {
    fn check(self, has_box: bool) -> Result<super::Rule, Fault> {
        if self.state == State::Exited {
            return Err(Fault::at("state", "'exited' is told by the pane, not by a screen"));
        }
        self.check_conditions()?;
        let region = region(self.region.as_deref(), self.rows)?;
        self.check_box(region, has_box)?;
        Ok(super::Rule {
            state: self.state,
            title: optional("title", self.title.as_deref())?,
            input: self.input,
            alternate: self.alternate,
            region,
            from: optional("from", self.from.as_deref())?,
            joined: self.joined,
            matches: optional("match", self.matches.as_deref())?,
            not: optional("not", self.not.as_deref())?,
            cursor: self.cursor,
            name: self.name,
        })
    }

    /// Something must decide, and what looks at rows must say at which.
    fn check_conditions(&self) -> Result<(), Fault> {
        let has_pattern = self.matches.is_some() || self.not.is_some();
        let looks = has_pattern || self.from.is_some();
        let of_the_rest = self.title.is_some() || self.input.is_some() || self.alternate.is_some();
        if !looks && !of_the_rest && self.cursor.is_empty() {
            return Err("has no condition: give title, box, cursor, alternate, from, match or not".into());
        }
        if looks && self.region.is_none() {
            return Err(
                "has match or not without a region: say where they look, such as region = 'screen'".into()
            );
        }
        if self.joined && !has_pattern {
            return Err(Fault::at("joined", "goes with match or not"));
        }
        if self.cursor.contains(&CursorIs::Visible) && self.cursor.contains(&CursorIs::Hidden) {
            return Err(Fault::at("cursor", "is not both visible and hidden: the rule could never hold"));
        }
        Ok(())
    }

    /// What is asked of a box, or beside it, can be only where there is one.
    fn check_box(&self, region: Region, has_box: bool) -> Result<(), Fault> {
        let beside = matches!(region, Region::AboveBox(_) | Region::BelowBox);
        let within = self.cursor.contains(&CursorIs::InBox);
        let wanted = self.input.is_some_and(|wanted| wanted != BoxState::Absent);
        for (asks, key) in [(wanted, "box"), (beside, "region"), (within, "cursor")] {
            if asks && !has_box {
                return Err(Fault::at(key, "the profile has no box: the rule could never hold"));
            }
            if asks && self.input == Some(BoxState::Absent) {
                let why = "is beside a box that must be absent: the rule could never hold";
                return Err(Fault::at(key, why));
            }
        }
        Ok(())
    }
}

fn region(name: Option<&str>, rows: Option<usize>) -> Result<Region, Fault> {
    match (name.unwrap_or("screen"), rows) {
        ("last" | "above_box", Some(0)) => Err(Fault::at("rows", "must be at least 1")),
        ("screen", None) => Ok(Region::Screen),
        ("last", rows) => Ok(Region::Last(rows.unwrap_or(1))),
        ("above_box", rows) => Ok(Region::AboveBox(rows.unwrap_or(usize::MAX))),
        ("below_box", None) => Ok(Region::BelowBox),
        ("cursor", None) => Ok(Region::Cursor),
        ("screen" | "below_box" | "cursor", Some(_)) => {
            Err(Fault::at("rows", "goes with region last or above_box only"))
        }
        (other, _) => {
            let why = format!("'{other}' is unknown; use screen, last, above_box, below_box or cursor");
            Err(Fault::at("region", why))
        }
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

impl Submit {
    fn check(self) -> Result<super::Submit, Fault> {
        Ok(super::Submit {
            pause: Duration::from_millis(self.pause_ms),
            settle: Duration::from_millis(self.settle_ms),
            grace: Duration::from_millis(self.grace_ms),
            pasted: optional("pasted", self.pasted.as_deref())?,
            chunks: self.chunks()?,
            interrupt: keys("interrupt", &self.interrupt)?,
            interrupt_again: optional("interrupt_again", self.interrupt_again.as_deref())?,
            interrupt_pause: Duration::from_millis(self.interrupt_pause_ms),
            clear: keys("clear", &self.clear)?,
            exit: self.exit,
            multiline: self.multiline,
            max_line: self.max_line,
        })
    }

    fn chunks(&self) -> Result<Option<Chunks>, Fault> {
        match (self.chunk_lines, self.chunk_chars) {
            (None, None) => Ok(None),
            (Some(0), _) => Err(Fault::at("chunk_lines", "must be at least 1")),
            (_, Some(0)) => Err(Fault::at("chunk_chars", "must be at least 1")),
            (lines, chars) => Ok(Some(Chunks {
                lines: lines.unwrap_or(usize::MAX),
                chars: chars.unwrap_or(usize::MAX),
                pause: Duration::from_millis(self.chunk_pause_ms),
            })),
        }
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
