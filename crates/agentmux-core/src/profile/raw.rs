//! The form of a profile that serde reads, and the way from it to a checked one.

use std::collections::BTreeMap;
use std::time::Duration;

use regex::Regex;
use serde::Deserialize;

use super::{BoxState, Consent, InputBox, Region, ReplyMarks};
use crate::command::check_argv;
use crate::input::{Key, ShortName};
use crate::state::State;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    name: String,
    command: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default, rename = "box")]
    input: Option<InputBoxTable>,
    prompt: Option<String>,
    #[serde(default, rename = "rule")]
    rules: Vec<Rule>,
    #[serde(default, rename = "dialog")]
    dialogs: Vec<Dialog>,
    #[serde(default = "default_selected")]
    selected: String,
    #[serde(default)]
    submit: Submit,
    #[serde(default)]
    reply: Reply,
    context: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputBoxTable {
    between: Option<String>,
    text: String,
    not: Option<String>,
    below: Option<String>,
    placeholder: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    name: String,
    state: State,
    title: Option<String>,
    #[serde(rename = "box")]
    input: Option<BoxState>,
    region: Option<String>,
    rows: Option<usize>,
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
    interrupt: Vec<String>,
    clear: Vec<String>,
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
            interrupt: vec!["escape".into()],
            clear: vec!["ctrl-u".into()],
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
    drop: Vec<String>,
}

fn default_selected() -> String {
    r"^\s*[❯›]\s".to_owned()
}

impl Profile {
    pub(super) fn check(self) -> Result<super::Profile, String> {
        let name = ShortName::parse("name", &self.name).map_err(|e| e.message)?;
        let command = check_argv(self.command).map_err(|e| e.message)?;
        let input = self.input.map_or(Ok(InputBox::None), InputBoxTable::check)?;
        let prompt = self.prompt.as_deref().map(|text| with_text_group("prompt", text)).transpose()?;
        if matches!(input, InputBox::None) && prompt.is_none() {
            return Err("has neither 'box' nor 'prompt': it could never be idle".into());
        }
        let has_box = !matches!(input, InputBox::None);
        let rules = self.rules.into_iter().map(|rule| rule.check(has_box)).collect::<Result<_, _>>()?;
        Ok(super::Profile {
            name,
            command,
            env: self.env,
            input,
            prompt,
            rules,
            dialogs: self.dialogs.into_iter().map(Dialog::check).collect::<Result<_, _>>()?,
            selected: pattern("selected", &self.selected)?,
            submit: self.submit.check()?,
            reply: self.reply.check()?,
            context: self.context.as_deref().map(|text| pattern("context", text)).transpose()?,
        })
    }
}

impl InputBoxTable {
    fn check(self) -> Result<InputBox, String> {
        let text = with_text_group("box: text", &self.text)?;
        let not = optional("box: not", self.not.as_deref())?;
        let placeholder = optional("box: placeholder", self.placeholder.as_deref())?;
        match (self.between, self.below) {
            (Some(_), Some(_)) => Err("box: 'below' does not go with 'between'".into()),
            (Some(rule), None) => {
                Ok(InputBox::Between { rule: pattern("box: between", &rule)?, text, not, placeholder })
            }
            (None, below) => {
                let below = optional("box: below", below.as_deref())?;
                Ok(InputBox::Row { text, not, below, placeholder })
            }
        }
    }
}

impl Rule {
    fn check(self, has_box: bool) -> Result<super::Rule, String> {
        let key = |key: &str| format!("rule '{}': {key}", self.name);
        if self.title.is_none() && self.input.is_none() && self.matches.is_none() && self.not.is_none() {
            return Err(format!("rule '{}' has no condition: give title, box, match or not", self.name));
        }
        let region =
            region(self.region.as_deref(), self.rows).map_err(|e| format!("rule '{}': {e}", self.name))?;
        let needs_box = self.input.is_some_and(|wanted| wanted != BoxState::Absent)
            || matches!(region, Region::AboveBox(_) | Region::BelowBox);
        if needs_box && !has_box {
            return Err(format!(
                "rule '{}' asks for a box, and the profile has none: it could never hold",
                self.name
            ));
        }
        if matches!(region, Region::AboveBox(_) | Region::BelowBox) && self.input == Some(BoxState::Absent) {
            return Err(format!(
                "rule '{}' looks beside a box that must be absent: it could never hold",
                self.name
            ));
        }
        Ok(super::Rule {
            state: self.state,
            title: optional(&key("title"), self.title.as_deref())?,
            input: self.input,
            region,
            matches: optional(&key("match"), self.matches.as_deref())?,
            not: optional(&key("not"), self.not.as_deref())?,
            name: self.name,
        })
    }
}

fn region(name: Option<&str>, rows: Option<usize>) -> Result<Region, String> {
    match (name.unwrap_or("screen"), rows) {
        ("last" | "above_box", Some(0)) => Err("rows must be at least 1".into()),
        ("screen", None) => Ok(Region::Screen),
        ("last", rows) => Ok(Region::Last(rows.unwrap_or(1))),
        ("above_box", rows) => Ok(Region::AboveBox(rows.unwrap_or(usize::MAX))),
        ("below_box", None) => Ok(Region::BelowBox),
        ("cursor", None) => Ok(Region::Cursor),
        ("screen" | "below_box" | "cursor", Some(_)) => {
            Err("rows goes with region last or above_box only".into())
        }
        (other, _) => {
            Err(format!("region '{other}' is unknown; use screen, last, above_box, below_box or cursor"))
        }
    }
}

impl Dialog {
    fn check(self) -> Result<super::Dialog, String> {
        let key = |key: &str| format!("dialog '{}': {key}", self.name);
        let consent = match (self.consent.as_str(), &self.argument) {
            ("", None) => Consent::Free,
            ("trust", None) => Consent::Trust,
            ("argument", Some(argument)) => Consent::Argument(pattern(&key("argument"), argument)?),
            ("argument", None) => return Err(key("consent 'argument' needs the key argument")),
            (_, Some(_)) => return Err(key("the key argument goes with consent 'argument'")),
            (other, None) => {
                return Err(key(&format!("consent '{other}' is unknown; use trust or argument")));
            }
        };
        Ok(super::Dialog {
            consent,
            matches: pattern(&key("match"), &self.matches)?,
            option: optional(&key("option"), self.option.as_deref())?,
            name: self.name,
        })
    }
}

impl Submit {
    fn check(self) -> Result<super::Submit, String> {
        Ok(super::Submit {
            pause: Duration::from_millis(self.pause_ms),
            settle: Duration::from_millis(self.settle_ms),
            grace: Duration::from_millis(self.grace_ms),
            pasted: optional("submit: pasted", self.pasted.as_deref())?,
            interrupt: keys("submit: interrupt", &self.interrupt)?,
            clear: keys("submit: clear", &self.clear)?,
            multiline: self.multiline,
            max_line: self.max_line,
        })
    }
}

impl Reply {
    fn check(self) -> Result<ReplyMarks, String> {
        Ok(ReplyMarks {
            echo: self.echo.as_deref().map(|text| with_text_group("reply: echo", text)).transpose()?,
            marker: optional("reply: marker", self.marker.as_deref())?,
            indent: self.indent,
            drop: self.drop.iter().map(|text| pattern("reply: drop", text)).collect::<Result<_, _>>()?,
        })
    }
}

fn keys(key: &str, names: &[String]) -> Result<Vec<Key>, String> {
    let parse = |name: &String| Key::parse_any(name).map_err(|e| format!("{key}: {e}"));
    names.iter().map(parse).collect()
}

fn pattern(key: &str, text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|e| format!("{key}: {e}"))
}

fn optional(key: &str, text: Option<&str>) -> Result<Option<Regex>, String> {
    text.map(|text| pattern(key, text)).transpose()
}

fn with_text_group(key: &str, text: &str) -> Result<Regex, String> {
    let pattern = pattern(key, text)?;
    match pattern.capture_names().flatten().any(|name| name == "text") {
        true => Ok(pattern),
        false => Err(format!("{key}: has no group named text, as in (?P<text>.*)")),
    }
}
