//! The agent's own record of a conversation: what it says of one turn.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::receipt::{Receipt, compare};
use super::records::Records;
use super::{Usage, hold, usage};
use crate::profile::signals::{Transcript, UsageEntry};
use crate::profile::{Pattern, Profile};
use crate::reply::tail;

/// So much of a record's end is read first. Where that does not reach back to the prompt, more is read.
const FIRST: u64 = 128 * 1024;

/// So much of it is read at most: a reply of 1 MiB, at worst six bytes a character, and what surrounds it.
const MOST: u64 = 8 * 1024 * 1024;

/// What a record tells of a turn.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Told {
    /// The last message of the agent; `None` where it said nothing.
    pub(crate) reply: Option<String>,
    pub(crate) usage: Usage,
    /// It has the turn's end, as far as agents write that down.
    pub(crate) is_whole: bool,
}

/// A turn, as it is looked for in a record.
#[derive(Debug, Clone)]
pub(crate) struct Sought {
    /// The prompt as it was typed.
    pub(crate) prompt: String,
    /// When that was: the same prompt from before is another turn's.
    pub(crate) since: Timestamp,
}

/// Reads what followed a prompt; `None` where the record does not have it.
///
/// # Errors
/// A file cannot be read, or is none.
pub(crate) fn read(
    profile: &Profile,
    rule: &Transcript,
    records: &Records,
    file: &Path,
    sought: &Sought,
) -> io::Result<Option<Told>> {
    let Some(turn) = turn(profile, rule, file, sought)? else { return Ok(None) };
    let bare =
        |text: String| rule.strip.iter().fold(text, |text, strip| strip.replace_all(&text, "").into_owned());
    let reply = turn
        .iter()
        .rev()
        .filter_map(|entry| rule.reply.text(entry))
        .map(bare)
        .find(|text| !text.trim().is_empty())
        .map(tail);
    let mut used = Usage::default();
    for rule in &rule.usage {
        let more = match &rule.file {
            None => total(rule, &turn),
            Some(name) => match end_of(&records.own(name), MOST) {
                // What it used may come later than what it said, or never.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Usage::default(),
                read => total(rule, &lines(&read?.0)),
            },
        };
        used = used.or(more);
    }
    let is_whole = rule.end.is_empty() || turn.iter().any(|entry| hold(&rule.end, entry));
    Ok(Some(Told { reply, usage: used, is_whole }))
}

/// The entries that followed the prompt; all of a record that is this turn's alone.
fn turn(
    profile: &Profile,
    rule: &Transcript,
    file: &Path,
    sought: &Sought,
) -> io::Result<Option<Vec<Value>>> {
    let entries = |bytes: &[u8]| match &rule.section {
        None => lines(bytes),
        Some(head) => sections(head, bytes),
    };
    let Some(prompt) = &rule.prompt else { return Ok(Some(entries(&end_of(file, MOST)?.0))) };
    let is_it = |entry: &Value| {
        prompt.text(entry).is_some_and(|text| compare(profile, &sought.prompt, &text) != Receipt::Other)
    };
    let mut most = FIRST;
    loop {
        let (bytes, is_whole) = end_of(file, most)?;
        let mut entries = entries(&bytes);
        match entries.iter().rposition(is_it) {
            Some(at) if is_old(rule, &entries[at], sought.since) => return Ok(None),
            Some(at) => return Ok(Some(entries.split_off(at + 1))),
            None if is_whole || most >= MOST => return Ok(None),
            None => most *= 8,
        }
    }
}

/// True where a prompt is from before this time, or does not tell when it came though it should.
fn is_old(rule: &Transcript, entry: &Value, since: Timestamp) -> bool {
    let Some(time) = &rule.time else { return false };
    let time = time.text(entry).and_then(|text| text.parse::<Timestamp>().ok());
    time.is_none_or(|time| time < since)
}

/// JSON lines. The first and the last one may be cut, and are none then.
fn lines(bytes: &[u8]) -> Vec<Value> {
    bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

/// Text in sections, each as `{"head": ROW, "text": ROWS}`.
fn sections(head: &Pattern, bytes: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(bytes);
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in text.strip_suffix('\n').unwrap_or(&text).split('\n') {
        match found.last_mut() {
            _ if head.is_match(row) => found.push((row, Vec::new())),
            Some((_, rows)) => rows.push(row),
            None => {}
        }
    }
    found.into_iter().map(|(head, rows)| json!({"head": head, "text": rows.join("\n")})).collect()
}

/// The end of a record, and whether that is all of it.
fn end_of(path: &Path, most: u64) -> io::Result<(Vec<u8>, bool)> {
    // A pipe in its place would never end.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("is not a file"));
    }
    let mut file = File::open(path)?;
    let skipped = file.metadata()?.len().saturating_sub(most);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok((bytes, skipped == 0))
}

/// Output and cost of all the turn's messages; input and context of the last one, which has all that came before.
fn total(rule: &UsageEntry, turn: &[Value]) -> Usage {
    let mut counted: Vec<(Option<Value>, Usage)> = Vec::new();
    for entry in turn.iter().filter(|entry| hold(&rule.when, entry)) {
        let id = rule.id.as_ref().and_then(|id| id.first(entry)).cloned();
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

    /// What an agent's record tells of a turn that began at this time.
    fn told_since(agent: &str, record: &[u8], prompt: &str, since: &str) -> Option<Told> {
        let profile = Definitions::builtin().profile(agent).unwrap();
        let signals = profile.signals.as_ref().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("record");
        std::fs::write(&file, record).unwrap();
        let records = Records::new(folder.path().to_owned(), None);
        let sought = Sought { prompt: prompt.to_owned(), since: since.parse().unwrap() };
        read(&profile, signals.transcript.as_ref().unwrap(), &records, &file, &sought).unwrap()
    }

    fn told(agent: &str, record: &str, prompt: &str) -> Option<Told> {
        told_since(agent, record.as_bytes(), prompt, "2026-11-29T10:00:00Z")
    }

    fn used(input: u64, output: u64, context: Option<u8>) -> Usage {
        Usage { input: Some(input), output: Some(output), cost: None, context }
    }

    fn said(reply: &str, usage: Usage) -> Option<Told> {
        Some(Told { reply: Some(reply.into()), usage, is_whole: true })
    }

    const CLAUDE: &str = r##"{"type":"user","timestamp":"2026-11-29T10:00:01.000Z","message":{"role":"user","content":"PONG 1"}}
{"type":"assistant","message":{"id":"m1","content":[{"type":"text","text":"PONG-1"}],"usage":{"input_tokens":5,"output_tokens":3}}}
{"type":"user","timestamp":"2026-11-29T10:00:02.000Z","message":{"role":"user","content":"do it"}}
{"type":"assistant","message":{"id":"m2","content":[{"type":"text","text":"first"}],"usage":{"input_tokens":10,"cache_read_input_tokens":90,"output_tokens":1}}}
{"type":"assistant","message":{"id":"m2","content":[{"type":"tool_use","name":"Bash"}],"usage":{"input_tokens":10,"cache_read_input_tokens":90,"output_tokens":20}}}
{"type":"user","message":{"role":"user","content":[{"type":"tool_result","content":"x"}]}}
{"type":"assistant","isSidechain":true,"message":{"id":"s1","content":[{"type":"text","text":"a helper's"}],"usage":{"input_tokens":1,"output_tokens":1}}}
{"type":"assistant","message":{"id":"m3","content":[{"type":"text","text":"# Done\n"}],"usage":{"input_tokens":120,"output_tokens":7}}}
{"type":"system","subtype":"turn_duration","durationMs":574}
{"type":"assi"##;

    /// As Codex 0.169.0 writes it, shortened: a turn, one that was interrupted, an error, a tool, and one under way.
    const CODEX: &str = r##"{"timestamp":"2026-11-29T10:00:01.000Z","type":"session_meta","payload":{"id":"t1","cwd":"/w"}}
{"timestamp":"2026-11-29T10:00:01.100Z","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"<environment_context>"}]}}
{"timestamp":"2026-11-29T10:00:01.200Z","type":"event_msg","payload":{"type":"item_completed","item":{"type":"UserMessage","content":[{"type":"text","text":"go on"}]}}}
{"timestamp":"2026-11-29T10:00:01.300Z","type":"event_msg","payload":{"type":"item_completed","item":{"type":"AgentMessage","content":[{"type":"Text","text":"# One\n\n- a"}]}}}
{"timestamp":"2026-11-29T10:00:01.400Z","type":"token_usage_record","payload":{"response_id":"r1","usage":{"input_tokens":21000,"cached_input_tokens":20000,"output_tokens":50,"total_tokens":21050}}}
{"timestamp":"2026-11-29T10:00:01.400Z","type":"event_msg","payload":{"type":"token_count","info":{"last_token_usage":{"input_tokens":21000,"output_tokens":50,"total_tokens":21050},"model_context_window":258400}}}
{"timestamp":"2026-11-29T10:00:01.500Z","type":"event_msg","payload":{"type":"task_complete","last_agent_message":"# One\n\n- a"}}
{"timestamp":"2026-11-29T10:00:02.000Z","type":"event_msg","payload":{"type":"item_completed","item":{"type":"UserMessage","content":[{"type":"text","text":"stopped"}]}}}
{"timestamp":"2026-11-29T10:00:02.400Z","type":"event_msg","payload":{"type":"token_count","info":{"last_token_usage":{"input_tokens":21000,"output_tokens":50,"total_tokens":21050},"model_context_window":258400}}}
{"timestamp":"2026-11-29T10:00:02.500Z","type":"event_msg","payload":{"type":"turn_aborted","reason":"interrupted"}}
{"timestamp":"2026-11-29T10:00:03.000Z","type":"event_msg","payload":{"type":"item_completed","item":{"type":"UserMessage","content":[{"type":"text","text":"fails"}]}}}
{"timestamp":"2026-11-29T10:00:03.500Z","type":"event_msg","payload":{"type":"task_complete","last_agent_message":null,"error":{"message":"400"}}}
{"timestamp":"2026-11-29T10:00:04.000Z","type":"compacted","payload":{"message":"so far","replacement_history":[{"role":"user","content":[{"text":"use it"}]}]}}
{"timestamp":"2026-11-29T10:00:05.000Z","type":"event_msg","payload":{"type":"item_completed","item":{"type":"UserMessage","content":[{"type":"text","text":"use it"}]}}}
{"timestamp":"2026-11-29T10:00:05.100Z","type":"event_msg","payload":{"type":"item_completed","item":{"type":"AgentMessage","content":[{"type":"Text","text":"I look first"}]}}}
{"timestamp":"2026-11-29T10:00:05.200Z","type":"token_usage_record","payload":{"response_id":"r2","usage":{"input_tokens":30000,"output_tokens":7}}}
{"timestamp":"2026-11-29T10:00:05.300Z","type":"token_usage_record","payload":{"response_id":"r3","usage":{"input_tokens":40000,"output_tokens":5}}}
{"timestamp":"2026-11-29T10:00:05.300Z","type":"event_msg","payload":{"type":"token_count","info":{"last_token_usage":{"total_tokens":129200},"model_context_window":258400}}}
{"timestamp":"2026-11-29T10:00:05.500Z","type":"event_msg","payload":{"type":"task_complete","last_agent_message":"Done."}}
{"timestamp":"2026-11-29T10:00:06.000Z","type":"event_msg","payload":{"type":"item_completed","item":{"type":"UserMessage","content":[{"type":"text","text":"unfinished"}]}}}
{"timestamp":"2026-11-29T10:00:06.100Z","type":"event_msg","payload":{"type":"item_completed","item":{"type":"AgentMessage","content":[{"type":"Text","text":"I begin"}]}}}
{"timestamp":"2026-11-29T10:00:06.500Z","type":"event_msg","payload":{"type":"task_complete","last_agent_message":"never rea"##;

    #[test]
    fn only_what_followed_the_prompt_counts() {
        let silent = |context, is_whole| {
            Some(Told { reply: None, usage: Usage { context, ..Usage::default() }, is_whole })
        };
        for (agent, record, prompt, expected) in [
            ("claude", CLAUDE, "do it", said("# Done\n", used(120, 27, None))),
            ("claude", CLAUDE, "PONG 1", said("# Done\n", used(120, 30, None))),
            ("claude", CLAUDE, "something else", None),
            ("codex", CODEX, "go on", said("Done.", used(40000, 62, Some(50)))),
            ("codex", CODEX, "use it", said("Done.", used(40000, 12, Some(50)))),
            ("codex", CODEX, "unfinished", silent(None, false)),
            ("codex", CODEX, "so far", None),
        ] {
            assert_eq!(told(agent, record, prompt), expected, "{agent} {prompt}");
        }
        let until = |prompt: &str| {
            let end = CODEX.find(&format!("\"text\":\"{prompt}\"")).unwrap();
            &CODEX[..CODEX[..end].rfind('\n').unwrap()]
        };
        for (next, prompt, expected) in [
            ("stopped", "go on", said("# One\n\n- a", used(21000, 50, Some(8)))),
            // Its count of tokens is that of the turn before; how full the context is stays true.
            ("fails", "stopped", silent(Some(8), true)),
            ("use it", "fails", silent(None, true)),
        ] {
            assert_eq!(told("codex", until(next), prompt), expected, "{prompt}");
        }
    }

    /// As Aider 0.86.2 writes it, shortened: two requests of a turn, the second with thoughts.
    const AIDER: &str = "\
TO LLM 2026-11-29T10:00:01
-------
SYSTEM Act as an expert software developer.
-------
USER LLM RESPONSE 2026-11-29T10:00:00
LLM RESPONSE 2026-11-29T10:00:02
ASSISTANT I look first
TO LLM 2026-11-29T10:00:03
-------
USER go on
LLM RESPONSE 2026-11-29T10:00:04
ASSISTANT <thinking-content-7bbeb8e1441453ad>
ASSISTANT 
ASSISTANT Hm. 
ASSISTANT 
ASSISTANT </thinking-content-7bbeb8e1441453ad>
ASSISTANT 
ASSISTANT # Done
ASSISTANT 
ASSISTANT ASSISTANT > 
ASSISTANT     code
";

    const EVENTS: &str = r#"{"event": "message_send", "properties": {"prompt_tokens": 2396, "completion_tokens": 4, "cost": 0.5}}
{"event": "command_tokens", "properties": {"prompt_tokens": 7}}
{"event": "message_send", "properties": {"prompt_tokens": 2400, "completion_tokens": 6, "cost": 0.25}}
"#;

    #[test]
    fn a_record_of_text_is_read_in_its_sections() {
        let profile = Definitions::builtin().profile("aider").unwrap();
        let signals = profile.signals.as_ref().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let records = Records::new(folder.path().to_owned(), None);
        let sought = Sought { prompt: "go on".into(), since: Timestamp::now() };
        let told = |talk: &str, events: &str| {
            std::fs::write(records.own("talk"), talk).unwrap();
            std::fs::write(records.own("events"), events).unwrap();
            read(&profile, signals.transcript.as_ref().unwrap(), &records, &records.own("talk"), &sought)
                .unwrap()
        };
        let all = Usage { cost: Some(0.75), ..used(2400, 10, None) };
        assert_eq!(told(AIDER, EVENTS), said("# Done\n\nASSISTANT > \n    code", all));
        let until = |part: &str| &AIDER[..AIDER.find(part).unwrap()];
        for (talk, reply) in [
            ("", None),
            (until("-------"), None),
            (until("TO LLM 2026-11-29T10:00:03"), Some("I look first")),
            // Interrupted while it thought.
            (until("ASSISTANT </"), Some("I look first")),
            // An error: there is no answer.
            ("TO LLM 2026-11-29T10:00:01\n-------\nUSER x\nLLM RESPONSE 2026-11-29T10:00:02\n\n", None),
        ] {
            let told = told(talk, "").unwrap();
            assert_eq!((told.reply.as_deref(), told.usage), (reply, Usage::default()), "{talk}");
        }
    }

    /// As Claude Code 2.1.330 and Gemini CLI 0.61.0 write them, shortened.
    #[test]
    fn a_prompt_is_found_without_the_files_that_were_taken_out() {
        let claude = r##"{"type":"user","timestamp":"2026-11-29T10:00:01.000Z","message":{"role":"user","content":[{"type":"text","text":"[Image #1]what is it"},{"type":"image","source":{"type":"base64"}}]}}
{"type":"user","isMeta":true,"timestamp":"2026-11-29T10:00:01.000Z","message":{"role":"user","content":[{"type":"text","text":"[Image: source: /w/a.png]"}]}}
{"type":"assistant","message":{"id":"m1","content":[{"type":"text","text":"A dot."}]}}
"##;
        let gemini = r##"{"id":"1","timestamp":"2026-11-29T10:00:01.000Z","type":"user","content":[{"text":"@a.png what is it"},{"text":"\n--- Content from referenced files ---"},{"inlineData":{"mimeType":"image/png"}},{"text":"\n--- End of content ---"}],"displayContent":[{"text":"@/w/a.png what is it"}]}
{"id":"2","type":"gemini","content":"A dot."}
"##;
        for (agent, record, prompt, found) in [
            ("claude", claude, "/w/a.png\nwhat is it", true),
            ("claude", claude, "/w/a.png\nwhat was it", false),
            ("claude", claude, "/w/a.png", false),
            ("gemini", gemini, "@/w/a.png what is it", true),
            ("gemini", gemini, "@/w/b.png what is it", false),
        ] {
            let reply = told(agent, record, prompt).and_then(|told| told.reply);
            assert_eq!(reply, found.then(|| "A dot.".to_owned()), "{agent} {prompt}");
        }
    }

    #[test]
    fn the_same_prompt_from_before_is_another_turn_s() {
        let at = |since| told_since("codex", CODEX.as_bytes(), "use it", since).is_some();
        assert!(at("2026-11-29T10:00:04.990Z") && at("2026-11-29T10:00:05Z"));
        assert!(!at("2026-11-29T10:00:05.001Z"));
        let timeless = CLAUDE.replace("timestamp", "clock");
        assert_eq!(told("claude", &timeless, "do it"), None);
    }

    #[test]
    fn a_long_record_is_read_from_its_end() {
        let noise = |bytes: u64| {
            let line = format!("{{\"type\":\"event_msg\",\"payload\":\"{}\"}}\n", "é".repeat(500));
            line.repeat(usize::try_from(bytes).unwrap() / line.len() + 1)
        };
        let turn = CODEX.rfind("{\"timestamp\":\"2026-11-29T10:00:05.000Z").unwrap();
        let (before, turn) = CODEX.split_at(turn);
        let reply = |record: String| told("codex", &record, "use it").and_then(|told| told.reply);
        for (above, amid, found) in
            [(3 * MOST, 0, true), (MOST, FIRST, true), (0, MOST / 2, true), (0, MOST, false)]
        {
            let (prompt, rest) = turn.split_once('\n').unwrap();
            let record = format!("{before}{}{prompt}\n{}{rest}", noise(above), noise(amid));
            assert_eq!(reply(record), found.then(|| "Done.".to_owned()), "{above} {amid}");
        }
        let mut broken = noise(FIRST).into_bytes();
        broken.extend(b"\xff\xfe\n\n{}\n[1]\nnull\n");
        broken.extend(CODEX.as_bytes());
        let told = told_since("codex", &broken, "use it", "2026-11-29T10:00:00Z");
        assert_eq!(told.unwrap().reply.as_deref(), Some("Done."));
    }
}
