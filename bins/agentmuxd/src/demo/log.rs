//! The demo agent's log: what it received and did, as lines of JSON, for tests to read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// The program runs.
    Start,
    /// The input box shows for the first time.
    Ready,
    /// A prompt was submitted: its exact bytes.
    Prompt(Vec<u8>),
    /// Text came where a question takes only keys.
    Lost(Vec<u8>),
    /// Work on a prompt began.
    Busy,
    /// What was replied.
    Reply(String),
    /// It asks whether it may go on, or run this command.
    Asked(Option<String>),
    /// Somebody interrupted the work.
    Interrupted,
    /// Work on a prompt is over.
    Idle,
    /// A key was pressed.
    Key(&'static str),
    /// The program ends, with this status.
    Exit(u8),
}

/// A file that events are appended to, or nothing.
#[derive(Debug)]
pub(super) struct Log(Option<File>);

impl Log {
    pub(super) fn open(path: Option<&Path>) -> io::Result<Self> {
        let open = |path| OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        path.map(open).transpose().map(Self)
    }

    /// Appends one line, in one write.
    pub(super) fn write(&mut self, event: &Event) -> io::Result<()> {
        let Some(file) = &mut self.0 else { return Ok(()) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let mut line = serde_json::json!({ "event": word(event), "t": now, "pid": std::process::id() });
        match event {
            Event::Prompt(bytes) | Event::Lost(bytes) => {
                line["text"] = String::from_utf8_lossy(bytes).into();
                line["bytes"] = bytes.len().into();
            }
            Event::Reply(text) => line["text"] = text.as_str().into(),
            Event::Key(name) => line["text"] = (*name).into(),
            Event::Exit(status) => line["status"] = (*status).into(),
            Event::Start
            | Event::Ready
            | Event::Busy
            | Event::Asked(_)
            | Event::Interrupted
            | Event::Idle => {}
        }
        file.write_all(format!("{line}\n").as_bytes())
    }
}

fn word(event: &Event) -> &'static str {
    match event {
        Event::Start => "start",
        Event::Ready => "ready",
        Event::Prompt(_) => "prompt",
        Event::Lost(_) => "lost",
        Event::Busy => "busy",
        Event::Reply(_) => "reply",
        Event::Asked(_) => "asked",
        Event::Interrupted => "interrupted",
        Event::Idle => "idle",
        Event::Key(_) => "key",
        Event::Exit(_) => "exit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_logged_with_its_text_and_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = Log::open(Some(&path)).unwrap();
        log.write(&Event::Prompt("a\n\"ä\"\t".into())).unwrap();
        let line: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!((line["text"].as_str(), line["bytes"].as_u64()), (Some("a\n\"ä\"\t"), Some(7)));
    }
}
