//! The table `[signals]` of a profile: how an agent is made to tell what it does, and what its words mean.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Pattern;
use super::fault::Fault;
use super::raw::each;
use crate::signals::{Pointer, Template};

/// How an agent is made to tell what it does, for one launch and without a change to its user's own files; and what
/// it tells.
#[derive(Debug)]
pub struct Signals {
    /// Arguments put right behind the program.
    pub args: Vec<Template>,
    /// Variables added to the agent's environment.
    pub env: BTreeMap<String, Template>,
    /// Files written into the session's own folder.
    pub files: Vec<SignalFile>,
    /// Arguments of a user's own command that stand in the way: theirs are kept, and the agent stays silent.
    pub conflicts: Vec<Pattern>,
    /// What is left out where the user has it already: theirs would be replaced.
    pub unless: Vec<Unless>,
    /// Where a payload has its event's name; a name that the relay was given goes first.
    pub event_key: Pointer,
    /// What payloads mean; the first that fits decides.
    pub events: Vec<EventRule>,
    /// What the agent wraps a prompt in.
    pub wrapping: Vec<Pattern>,
    /// The agent's own record of the conversation.
    pub transcript: Option<Transcript>,
}

/// A setting of the user's own that ours would replace.
#[derive(Debug)]
pub struct Unless {
    /// Where it may be.
    pub place: Place,
    /// What is there then.
    pub matches: Pattern,
}

/// Where a setting of the user's own may be.
#[derive(Debug)]
pub enum Place {
    /// In a file; it begins with `/`, `~/` or a variable, as `$CODEX_HOME/config.toml`.
    File(String),
    /// In a variable of the agent's environment.
    Env(String),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::File(name) | Self::Env(name)) = self;
        f.write_str(name)
    }
}

/// A file in the session's own folder.
#[derive(Debug)]
pub struct SignalFile {
    /// Its name, without a folder.
    pub name: String,
    /// What is in it.
    pub content: Template,
}

/// What a payload of one event means.
#[derive(Debug)]
pub struct EventRule {
    /// The event's name.
    pub name: String,
    /// All of these must hold.
    pub when: Vec<Condition>,
    /// What it says of the agent.
    pub means: Meaning,
    /// Where the payload has the agent's own id of the turn.
    pub turn: Option<Pointer>,
    /// Where it has the prompt as the agent received it.
    pub prompt: Option<Pointer>,
    /// Where it has the agent's final message.
    pub reply: Option<Pointer>,
    /// Where it has a sentence for people: an error, a notification.
    pub message: Option<Pointer>,
    /// Where it has the path of the agent's record of the conversation.
    pub transcript: Option<Pointer>,
    /// Where it has what the turn cost.
    pub usage: UsagePointers,
    /// What it asks, and how that is answered.
    pub question: QuestionPointers,
}

/// Where a payload has what a turn used.
#[derive(Debug, Default, Clone)]
pub struct UsagePointers {
    /// Tokens sent to the model; several are added up.
    pub input: Vec<Pointer>,
    /// Tokens that came back.
    pub output: Vec<Pointer>,
    /// The price, in dollars.
    pub cost: Option<Pointer>,
    /// How much of the context is used: percent; a ratio or tokens where there is a `context_limit`.
    pub context: Option<Pointer>,
    /// The size of the context in tokens.
    pub context_limit: Option<Pointer>,
}

/// Where a payload has what is asked, and the bodies that answer it.
#[derive(Debug, Default, Clone)]
pub struct QuestionPointers {
    /// The tool that would be used.
    pub tool: Option<Pointer>,
    /// What it would do.
    pub command: Option<Pointer>,
    /// The answers to choose from.
    pub options: Option<Pointer>,
    /// The hook's answer that allows it.
    pub allow: Option<Value>,
    /// The hook's answer that denies it.
    pub deny: Option<Value>,
}

/// What an event says of the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// It has started.
    Ready,
    /// It took a prompt.
    Submitted,
    /// It works.
    Working,
    /// It asks something.
    Asks,
    /// It has finished.
    Done,
    /// It has finished with an error.
    Failed,
    /// It was interrupted.
    Interrupted,
    /// Its program ends.
    Ended,
    /// Nothing of its state; what else the payload has counts.
    Notes,
    /// Nothing.
    Ignored,
}

impl Meaning {
    /// The word for it in profiles and on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Submitted => "submitted",
            Self::Working => "working",
            Self::Asks => "asks",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Ended => "ended",
            Self::Notes => "notes",
            Self::Ignored => "ignored",
        }
    }
}

/// A condition on a payload.
#[derive(Debug)]
pub struct Condition {
    /// Where it looks.
    pub at: Pointer,
    /// What must be there.
    pub wanted: Wanted,
}

/// What must be at a place in a payload.
#[derive(Debug)]
pub enum Wanted {
    /// Nothing: absent, null, false, or without content.
    Empty,
    /// Something.
    Filled,
    /// A text or number that matches.
    Matching(Pattern),
}

/// The agent's own record of the conversation: a file of JSON lines.
#[derive(Debug)]
pub struct Transcript {
    /// Which entries are prompts of the user.
    pub prompt: Entry,
    /// Which entries are messages of the agent; the last one is the reply.
    pub reply: Entry,
    /// Which entries tell what was used.
    pub usage: Option<UsageEntry>,
}

/// Entries of a transcript, and where they have their text.
#[derive(Debug)]
pub struct Entry {
    /// All of these must hold.
    pub when: Vec<Condition>,
    /// The text; several are put one behind the other.
    pub text: Pointer,
}

/// Entries of a transcript that tell what was used.
#[derive(Debug)]
pub struct UsageEntry {
    /// All of these must hold.
    pub when: Vec<Condition>,
    /// Entries with the same value here are one: the last counts.
    pub id: Option<Pointer>,
    /// Where the numbers are. Output is added up over the turn's entries; of input and context the last counts.
    pub usage: UsagePointers,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
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
struct RawUsage {
    input: Vec<String>,
    output: Vec<String>,
    cost: Option<String>,
    context: Option<String>,
    context_limit: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCondition {
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTranscript {
    prompt: RawEntry,
    reply: RawEntry,
    usage: Option<RawUsageEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    #[serde(default)]
    when: Vec<RawCondition>,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawUsageEntry {
    #[serde(default)]
    when: Vec<RawCondition>,
    id: Option<String>,
    numbers: RawUsage,
}

impl Raw {
    pub(super) fn check(self) -> Result<Signals, Fault> {
        let env = self.env.into_iter().map(|(name, text)| {
            let value = template(&name, &text).map_err(|fault| fault.within("env"))?;
            Ok((name, value))
        });
        let transcript = self.transcript.map(RawTranscript::check).transpose();
        Ok(Signals {
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
            (Some(file), None) if file.starts_with(['/', '$']) || file.starts_with("~/") => Place::File(file),
            (Some(_), None) => {
                return Err(Fault::at("file", "must begin with /, ~/ or a variable, as $HOME/x"));
            }
            (None, Some(name)) => Place::Env(name),
            _ => return Err(Fault::new("needs 'file' or 'env', one of them")),
        };
        Ok(Unless { matches: super::raw::pattern("match", &self.matches)?, place })
    }
}

impl RawFile {
    fn check(self) -> Result<SignalFile, Fault> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if self.name.is_empty() || self.name.starts_with('.') || !self.name.chars().all(plain) {
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
    fn check(&self) -> Result<UsagePointers, Fault> {
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

impl RawTranscript {
    fn check(self) -> Result<Transcript, Fault> {
        let usage = self.usage.map(RawUsageEntry::check).transpose();
        Ok(Transcript {
            prompt: self.prompt.check().map_err(|fault| fault.within("prompt"))?,
            reply: self.reply.check().map_err(|fault| fault.within("reply"))?,
            usage: usage.map_err(|fault| fault.within("usage"))?,
        })
    }
}

impl RawEntry {
    fn check(self) -> Result<Entry, Fault> {
        Ok(Entry { when: conditions(&self.when)?, text: pointer("text", &self.text)? })
    }
}

impl RawUsageEntry {
    fn check(self) -> Result<UsageEntry, Fault> {
        Ok(UsageEntry {
            when: conditions(&self.when)?,
            id: optional("id", self.id.as_deref())?,
            usage: self.numbers.check().map_err(|fault| fault.within("numbers"))?,
        })
    }
}

fn conditions(raw: &[RawCondition]) -> Result<Vec<Condition>, Fault> {
    let condition = |raw: &RawCondition| {
        let wanted = match (&raw.is, &raw.matches) {
            (Some(Filling::Empty), None) => Wanted::Empty,
            (Some(Filling::Filled), None) => Wanted::Filled,
            (None, Some(pattern)) => Wanted::Matching(super::raw::pattern("match", pattern)?),
            _ => return Err(Fault::new("needs 'is' or 'match', one of them")),
        };
        Ok(Condition { at: pointer("at", &raw.at)?, wanted })
    };
    let numbered = raw.iter().enumerate();
    numbered.map(|(at, raw)| condition(raw).map_err(|fault| fault.in_item("when", at))).collect()
}

fn template(key: &str, text: &str) -> Result<Template, Fault> {
    Template::parse(text).map_err(|why| Fault::at(key, why))
}

fn pointer(key: &str, text: &str) -> Result<Pointer, Fault> {
    Pointer::parse(text).map_err(|why| Fault::at(key, why))
}

fn optional(key: &str, text: Option<&str>) -> Result<Option<Pointer>, Fault> {
    text.map(|text| pointer(key, text)).transpose()
}

fn patterns(key: &str, texts: &[String]) -> Result<Vec<Pattern>, Fault> {
    texts.iter().map(|text| super::raw::pattern(key, text)).collect()
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
