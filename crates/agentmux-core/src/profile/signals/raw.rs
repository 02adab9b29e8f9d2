//! The form of `[signals]` that serde reads, and the way from it to the checked one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::transcript::RawTranscript;
use super::{
    Condition, EventRule, Meaning, Place, QuestionPointers, SignalFile, Signals, Unless, UsagePointers,
    Wanted,
};
use crate::profile::Pattern;
use crate::profile::fault::Fault;
use crate::profile::raw::{each, pattern};
use crate::signals::{Pointer, Template};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::profile) struct Raw {
    #[serde(default)]
    announces: bool,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default, rename = "file")]
    files: Vec<RawFile>,
    #[serde(default)]
    conflicts: Vec<String>,
    #[serde(default)]
    unless: Vec<RawUnless>,
    event_key: Option<String>,
    #[serde(default, rename = "event")]
    events: Vec<RawEvent>,
    #[serde(default)]
    wrapping: Vec<String>,
    transcript: Option<RawTranscript>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawUnless {
    file: Option<String>,
    env: Option<String>,
    #[serde(rename = "match")]
    matches: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    name: String,
    content: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvent {
    name: String,
    #[serde(default)]
    when: Vec<RawCondition>,
    means: Meaning,
    turn: Option<String>,
    prompt: Option<String>,
    reply: Option<String>,
    message: Option<String>,
    transcript: Option<String>,
    conversation: Option<String>,
    tool: Option<String>,
    command: Option<String>,
    options: Option<String>,
    allow: Option<String>,
    deny: Option<String>,
    #[serde(default)]
    usage: RawUsage,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawUsage {
    input: Vec<String>,
    output: Vec<String>,
    cost: Option<String>,
    context: Option<String>,
    context_limit: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCondition {
    at: String,
    is: Option<Filling>,
    #[serde(rename = "match")]
    matches: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Filling {
    Empty,
    Filled,
}

impl Raw {
    pub(in crate::profile) fn check(self) -> Result<Signals, Fault> {
        let env = self.env.into_iter().map(|(name, text)| {
            let value = template(&name, &text).map_err(|fault| fault.within("env"))?;
            Ok((name, value))
        });
        let transcript = self.transcript.map(RawTranscript::check).transpose();
        Ok(Signals {
            announces: self.announces,
            args: self.args.iter().map(|text| template("args", text)).collect::<Result<_, _>>()?,
            env: env.collect::<Result<_, Fault>>()?,
            files: each("file", self.files, RawFile::check)?,
            conflicts: patterns("conflicts", &self.conflicts)?,
            unless: each("unless", self.unless, RawUnless::check)?,
            event_key: pointer("event_key", self.event_key.as_deref().unwrap_or("/hook_event_name"))?,
            events: each("event", self.events, RawEvent::check)?,
            wrapping: patterns("wrapping", &self.wrapping)?,
            transcript: transcript.map_err(|fault| fault.within("transcript"))?,
        })
    }
}

impl RawUnless {
    fn check(self) -> Result<Unless, Fault> {
        let place = match (self.file, self.env) {
            (Some(file), None) if is_rooted(&file) || file.starts_with("./") => Place::File(file),
            (Some(_), None) => {
                return Err(Fault::at("file", "must begin with /, ~/, ./ or a variable, as $HOME/x"));
            }
            (None, Some(name)) => Place::Env(name),
            _ => return Err(Fault::new("needs 'file' or 'env', one of them")),
        };
        Ok(Unless { matches: pattern("match", &self.matches)?, place })
    }
}

impl RawFile {
    fn check(self) -> Result<SignalFile, Fault> {
        if !is_plain(&self.name) {
            return Err(Fault::at("name", "must be the plain name of a file, without a folder"));
        }
        Ok(SignalFile { content: template("content", &self.content)?, name: self.name })
    }
}

impl RawEvent {
    fn check(self) -> Result<EventRule, Fault> {
        Ok(EventRule {
            when: conditions(&self.when)?,
            means: self.means,
            turn: optional("turn", self.turn.as_deref())?,
            prompt: optional("prompt", self.prompt.as_deref())?,
            reply: optional("reply", self.reply.as_deref())?,
            message: optional("message", self.message.as_deref())?,
            transcript: optional("transcript", self.transcript.as_deref())?,
            conversation: optional("conversation", self.conversation.as_deref())?,
            usage: self.usage.check().map_err(|fault| fault.within("usage"))?,
            question: QuestionPointers {
                tool: optional("tool", self.tool.as_deref())?,
                command: optional("command", self.command.as_deref())?,
                options: optional("options", self.options.as_deref())?,
                allow: body("allow", self.allow.as_deref())?,
                deny: body("deny", self.deny.as_deref())?,
            },
            name: self.name,
        })
    }
}

impl RawUsage {
    pub(super) fn check(&self) -> Result<UsagePointers, Fault> {
        let several =
            |key, texts: &[String]| texts.iter().map(|text| pointer(key, text)).collect::<Result<_, _>>();
        Ok(UsagePointers {
            input: several("input", &self.input)?,
            output: several("output", &self.output)?,
            cost: optional("cost", self.cost.as_deref())?,
            context: optional("context", self.context.as_deref())?,
            context_limit: optional("context_limit", self.context_limit.as_deref())?,
        })
    }
}

pub(super) fn conditions(raw: &[RawCondition]) -> Result<Vec<Condition>, Fault> {
    let condition = |raw: &RawCondition| {
        let wanted = match (&raw.is, &raw.matches) {
            (Some(Filling::Empty), None) => Wanted::Empty,
            (Some(Filling::Filled), None) => Wanted::Filled,
            (None, Some(text)) => Wanted::Matching(pattern("match", text)?),
            _ => return Err(Fault::new("needs 'is' or 'match', one of them")),
        };
        Ok(Condition { at: pointer("at", &raw.at)?, wanted })
    };
    let numbered = raw.iter().enumerate();
    numbered.map(|(at, raw)| condition(raw).map_err(|fault| fault.in_item("when", at))).collect()
}

/// Whether it is a path that does not depend on the working folder.
pub(super) fn is_rooted(file: &str) -> bool {
    file.starts_with(['/', '$']) || file.starts_with("~/")
}

/// Whether it is the name of a file, without a folder.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}

fn template(key: &str, text: &str) -> Result<Template, Fault> {
    Template::parse(text).map_err(|why| Fault::at(key, why))
}

pub(super) fn pointer(key: &str, text: &str) -> Result<Pointer, Fault> {
    Pointer::parse(text).map_err(|why| Fault::at(key, why))
}

pub(super) fn optional(key: &str, text: Option<&str>) -> Result<Option<Pointer>, Fault> {
    text.map(|text| pointer(key, text)).transpose()
}

pub(super) fn patterns(key: &str, texts: &[String]) -> Result<Vec<Pattern>, Fault> {
    texts.iter().map(|text| pattern(key, text)).collect()
}

fn body(key: &str, text: Option<&str>) -> Result<Option<Value>, Fault> {
    let parse =
        |text| serde_json::from_str(text).map_err(|error| Fault::at(key, format!("is not JSON: {error}")));
    text.map(parse).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("args = ['{dri}']", "{dri} is no placeholder"),
            ("[[file]]\nname = '../x'\ncontent = ''", "plain name"),
            ("[[event]]\nname = 'Stop'\nmeans = 'over'", "over"),
            ("[[event]]\nname = 'Stop'\nmeans = 'done'\nreply = 'x'", "no JSON pointer"),
            ("[[event]]\nname = 'Stop'\nmeans = 'done'\nwhen = [{ at = '/x' }]", "'is' or 'match'"),
            ("[[event]]\nname = 'P'\nmeans = 'asks'\nallow = '{'", "is not JSON"),
            ("conflicts = ['(']", "conflicts"),
            ("[[unless]]\nmatch = 'x'", "'file' or 'env'"),
            ("[[unless]]\nfile = 'x'\nmatch = 'x'", "must begin with"),
        ] {
            let error = match toml::from_str::<Raw>(text) {
                Ok(raw) => format!("{:?}", raw.check().expect_err(text)),
                Err(error) => error.to_string(),
            };
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
