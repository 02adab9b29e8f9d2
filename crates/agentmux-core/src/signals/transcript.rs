//! The agent's own record of a conversation, a file of JSON lines: what it says of one turn.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::profile::Pattern;
use serde_json::Value;

use super::receipt::{Receipt, compare};
use super::{Usage, hold, usage};
use crate::profile::signals::{Transcript, UsageEntry};
use crate::reply::tail;

/// So much of a record's end is read: a reply of 1 MiB, at worst six bytes a character, and what surrounds it.
const MOST: u64 = 8 * 1024 * 1024;

/// What a record tells of a turn.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Told {
    /// The last message of the agent; `None` where it said nothing.
    pub(crate) reply: Option<String>,
    pub(crate) usage: Usage,
}

/// Reads what followed a prompt; `None` where the record does not have it.
///
/// # Errors
/// The file cannot be read, or is none.
pub(crate) fn read(
    rule: &Transcript,
    file: &Path,
    prompt: &str,
    wrapping: &[Pattern],
) -> io::Result<Option<Told>> {
    let is_it = |entry: &Value| {
        let text = hold(&rule.prompt.when, entry).then(|| rule.prompt.text.text(entry)).flatten();
        text.is_some_and(|text| compare(prompt, &text, wrapping) != Receipt::Other)
    };
    let bytes = end_of(file)?;
    // From the end back to the prompt. The last line may be half written.
    let entries = bytes.rsplit(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    let mut turn = Vec::new();
    let mut found = false;
    for entry in entries {
        found = is_it(&entry);
        if found {
            break;
        }
        turn.push(entry);
    }
    if !found {
        return Ok(None);
    }
    turn.reverse();
    let said = |entry: &Value| hold(&rule.reply.when, entry).then(|| rule.reply.text.text(entry)).flatten();
    let reply = turn.iter().rev().filter_map(said).find(|text| !text.trim().is_empty()).map(tail);
    let usage = rule.usage.as_ref().map_or_else(Usage::default, |rule| total(rule, &turn));
    Ok(Some(Told { reply, usage }))
}

/// The end of a record.
fn end_of(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe in its place would never end.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("is not a file"));
    }
    let mut file = File::open(path)?;
    let skipped = file.metadata()?.len().saturating_sub(MOST);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Output and cost of all the turn's messages; input and context of the last one, which has all that came before.
fn total(rule: &UsageEntry, turn: &[Value]) -> Usage {
    let mut counted: Vec<(Option<String>, Usage)> = Vec::new();
    for entry in turn.iter().filter(|entry| hold(&rule.when, entry)) {
        let id = rule.id.as_ref().and_then(|id| id.text(entry));
        let now = usage(&rule.usage, entry);
        match counted.last_mut() {
            Some((known, last)) if id.is_some() && *known == id => *last = now.or(*last),
            _ => counted.push((id, now)),
        }
    }
    let all = || counted.iter().map(|(_, usage)| usage);
    let sum =
        |numbers: Vec<u64>| (!numbers.is_empty()).then(|| numbers.into_iter().fold(0, u64::saturating_add));
    let costs: Vec<f64> = all().filter_map(|usage| usage.cost).collect();
    Usage {
        input: all().filter_map(|usage| usage.input).next_back(),
        output: sum(all().filter_map(|usage| usage.output).collect()),
        cost: (!costs.is_empty()).then(|| costs.iter().sum()),
        context: all().filter_map(|usage| usage.context).next_back(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Definitions;
    use std::io::Write;

    fn told(lines: &str, prompt: &str) -> Option<Told> {
        let profile = Definitions::builtin().profile("claude").unwrap();
        let signals = profile.signals.as_ref().unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(lines.as_bytes()).unwrap();
        read(signals.transcript.as_ref().unwrap(), file.path(), prompt, &signals.wrapping).unwrap()
    }

    const RECORD: &str = r##"{"type":"user","message":{"role":"user","content":"PONG 1"}}
{"type":"assistant","message":{"id":"m1","content":[{"type":"text","text":"PONG-1"}],"usage":{"input_tokens":5,"output_tokens":3}}}
{"type":"user","message":{"role":"user","content":"do it"}}
{"type":"assistant","message":{"id":"m2","content":[{"type":"text","text":"first"}],"usage":{"input_tokens":10,"cache_read_input_tokens":90,"output_tokens":1}}}
{"type":"assistant","message":{"id":"m2","content":[{"type":"tool_use","name":"Bash"}],"usage":{"input_tokens":10,"cache_read_input_tokens":90,"output_tokens":20}}}
{"type":"user","message":{"role":"user","content":[{"type":"tool_result","content":"x"}]}}
{"type":"assistant","isSidechain":true,"message":{"id":"s1","content":[{"type":"text","text":"a helper's"}],"usage":{"input_tokens":1,"output_tokens":1}}}
{"type":"assistant","message":{"id":"m3","content":[{"type":"text","text":"# Done\n"}],"usage":{"input_tokens":120,"output_tokens":7}}}
{"type":"assi"##;

    #[test]
    fn only_what_followed_the_prompt_counts() {
        let told_of = |prompt| told(RECORD, prompt);
        let usage = |input, output| Usage { input: Some(input), output: Some(output), ..Usage::default() };
        let done = Told { reply: Some("# Done\n".into()), usage: usage(120, 27) };
        assert_eq!(told_of("do it"), Some(done));
        assert_eq!(told_of("something else"), None);
        let silent = told("{\"type\":\"user\",\"message\":{\"content\":\"hi\"}}\n", "hi");
        assert_eq!(silent, Some(Told::default()));
    }
}
