//! The table `[signals.transcript]`: where an agent's own record of the conversation is, and how it is read.

use serde::Deserialize;
use serde_json::Value;

use super::raw::{RawCondition, RawUsage, conditions, is_plain, is_rooted, optional, patterns, pointer};
use super::{Condition, UsagePointers};
use crate::profile::Pattern;
use crate::profile::fault::Fault;
use crate::profile::raw::{each, pattern};
use crate::signals::{Pointer, hold};

/// The agent's own record of the conversation: a file of JSON lines, or of text in sections.
#[derive(Debug)]
pub struct Transcript {
    /// Where it is.
    pub whereabouts: Whereabouts,
    /// The head of a section; what stands below is its `text`. Without it the file is JSON lines.
    pub section: Option<Pattern>,
    /// Where an entry has its time, in RFC 3339.
    pub time: Option<Pointer>,
    /// Which entries are prompts of the user; a file of the session's own needs none.
    pub prompt: Option<Entry>,
    /// Which entries are messages of the agent; the last one is the reply.
    pub reply: Entry,
    /// Entries by which the agent says that the turn is over; all of these must hold. Empty where it says no such thing.
    pub end: Vec<Condition>,
    /// What is no part of a reply.
    pub strip: Vec<Pattern>,
    /// Which entries tell what was used.
    pub usage: Vec<UsageEntry>,
}

/// Where the agent's record is.
#[derive(Debug)]
pub enum Whereabouts {
    /// Hooks tell that.
    Told,
    /// In the session's own folder, by its name: it is emptied when a turn begins.
    Own(String),
    /// Where the agent keeps it, by its own id of the conversation: the first whose variable is set.
    Kept(Vec<String>),
}

/// Entries of a transcript, and where they have their text.
#[derive(Debug)]
pub struct Entry {
    /// All of these must hold.
    pub when: Vec<Condition>,
    /// Where the text is: the first of these places where there is one; several there are put one behind the other.
    text: Vec<Pointer>,
}

impl Entry {
    /// The text of an entry of this kind; `None` where it is none, or has no text.
    pub(crate) fn text(&self, entry: &Value) -> Option<String> {
        let text = || self.text.iter().find_map(|place| place.text(entry));
        hold(&self.when, entry).then(text).flatten()
    }
}

/// Entries of a transcript that tell what was used.
#[derive(Debug)]
pub struct UsageEntry {
    /// The file that has them, JSON lines in the session's own folder; where there is none, the transcript itself.
    pub file: Option<String>,
    /// All of these must hold.
    pub when: Vec<Condition>,
    /// Entries with the same value here are one: the last counts.
    pub id: Option<Pointer>,
    /// Where the numbers are. Output is added up over the turn's entries; of input and context the last counts.
    pub usage: UsagePointers,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTranscript {
    #[serde(default)]
    files: Vec<String>,
    section: Option<String>,
    time: Option<String>,
    prompt: Option<RawEntry>,
    reply: RawEntry,
    #[serde(default)]
    end: Vec<RawCondition>,
    #[serde(default)]
    strip: Vec<String>,
    #[serde(default)]
    usage: Vec<RawUsageEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    #[serde(default)]
    when: Vec<RawCondition>,
    text: Places,
}

/// One pointer, or several.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a pointer or a list of them")]
enum Places {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawUsageEntry {
    file: Option<String>,
    #[serde(default)]
    when: Vec<RawCondition>,
    id: Option<String>,
    numbers: RawUsage,
}

impl RawTranscript {
    pub(super) fn check(self) -> Result<Transcript, Fault> {
        let whereabouts = whereabouts(self.files)?;
        let prompt = self.prompt.map(RawEntry::check).transpose().map_err(|fault| fault.within("prompt"))?;
        if prompt.is_none() && !matches!(whereabouts, Whereabouts::Own(_)) {
            return Err(Fault::new("needs 'prompt', unless its file is one of {dir}"));
        }
        Ok(Transcript {
            whereabouts,
            section: self.section.as_deref().map(|text| pattern("section", text)).transpose()?,
            time: optional("time", self.time.as_deref())?,
            prompt,
            reply: self.reply.check().map_err(|fault| fault.within("reply"))?,
            end: conditions(&self.end).map_err(|fault| fault.within("end"))?,
            strip: patterns("strip", &self.strip)?,
            usage: each("usage", self.usage, RawUsageEntry::check)?,
        })
    }
}

fn whereabouts(files: Vec<String>) -> Result<Whereabouts, Fault> {
    if files.is_empty() {
        return Ok(Whereabouts::Told);
    }
    if let [file] = files.as_slice()
        && let Some(name) = own_name(file)
    {
        return Ok(Whereabouts::Own(name));
    }
    let is_kept = |file: &String| {
        is_rooted(file)
            && file.contains("{id}")
            && file.split('/').skip(1).all(|name| !name.is_empty() && name != "..")
    };
    match files.iter().all(is_kept) {
        true => Ok(Whereabouts::Kept(files)),
        false => Err(Fault::at(
            "files",
            "must be one of {dir}, as {dir}/x, or begin with /, ~/ or a variable and have {id} in them",
        )),
    }
}

/// The name of a file of the session's own folder.
fn own_name(file: &str) -> Option<String> {
    file.strip_prefix("{dir}/").filter(|name| is_plain(name)).map(str::to_owned)
}

impl RawEntry {
    fn check(self) -> Result<Entry, Fault> {
        let places = match self.text {
            Places::One(place) => vec![place],
            Places::Several(places) => places,
        };
        let text = places.iter().map(|place| pointer("text", place)).collect::<Result<_, _>>()?;
        Ok(Entry { when: conditions(&self.when)?, text })
    }
}

impl RawUsageEntry {
    fn check(self) -> Result<UsageEntry, Fault> {
        let own = |file: String| {
            own_name(&file).ok_or_else(|| Fault::at("file", "must be one of {dir}, as {dir}/x"))
        };
        Ok(UsageEntry {
            file: self.file.map(own).transpose()?,
            when: conditions(&self.when)?,
            id: optional("id", self.id.as_deref())?,
            usage: self.numbers.check().map_err(|fault| fault.within("numbers"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named() {
        let reply = "reply = { text = '/x' }";
        let prompt = "prompt = { text = '/x' }";
        for (text, part) in [
            (reply.to_owned(), "needs 'prompt'"),
            (format!("{prompt}\nreply = {{ text = ['/x', 'x'] }}"), "no JSON pointer"),
            (format!("{reply}\n{prompt}\nfiles = ['{{dir}}/a/b']"), "must be one of {dir}"),
            (format!("{reply}\n{prompt}\nfiles = ['{{dir}}/a', '{{dir}}/b']"), "must be one of {dir}"),
            (format!("{reply}\n{prompt}\nfiles = ['~/x']"), "{id}"),
            (format!("{reply}\n{prompt}\nfiles = ['x/{{id}}']"), "begin with"),
            (format!("{reply}\n{prompt}\nfiles = ['~/../{{id}}']"), "begin with"),
            (format!("{reply}\n{prompt}\n[[usage]]\nfile = '/x'\nnumbers = {{}}"), "must be one of {dir}"),
        ] {
            let raw: RawTranscript = toml::from_str(&text).unwrap();
            let error = format!("{:?}", raw.check().expect_err(&text));
            assert!(error.contains(part), "{text}: {error}");
        }
        let own: RawTranscript = toml::from_str(&format!("{reply}\nfiles = ['{{dir}}/a']")).unwrap();
        assert!(matches!(own.check().unwrap().whereabouts, Whereabouts::Own(name) if name == "a"));
    }
}
