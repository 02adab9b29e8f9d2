//! The demo agent's hooks: a command that it runs on its events, with a document on stdin, as Claude Code does.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;

use serde_json::{Value, json};

use super::log::Event;

/// What is run, and what was said since the last prompt.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    command: Option<String>,
    /// No hook for this event.
    mute: Option<String>,
    prompts: u64,
    reply: String,
    interrupted: bool,
    /// What the hook of a question decides.
    deciding: Option<Receiver<Option<bool>>>,
}

impl Hooks {
    pub(super) fn new(command: Option<String>, mute: Option<String>) -> Self {
        Self { command, mute, ..Self::default() }
    }

    /// Runs the hook for this event, where there is one, to its end. As with real agents there is none for an
    /// interrupted turn.
    pub(super) fn tell(&mut self, event: &Event) {
        match event {
            Event::Ready => self.run("SessionStart", json!({})),
            Event::Prompt(text) => {
                self.prompts += 1;
                self.reply.clear();
                self.interrupted = false;
                self.run("UserPromptSubmit", json!({"prompt": String::from_utf8_lossy(text)}));
            }
            Event::Asked(command) => {
                let input = json!({"command": command});
                self.ask("PermissionRequest", json!({"tool_name": "Bash", "tool_input": input}));
            }
            Event::Reply(text) => self.reply.clone_from(text),
            Event::Interrupted => self.interrupted = true,
            Event::Idle if !self.interrupted => {
                self.run("Stop", json!({"last_assistant_message": self.reply, "background_tasks": []}));
            }
            Event::Start | Event::Lost(_) | Event::Busy | Event::Idle | Event::Key(_) | Event::Exit(_) => {}
        }
    }

    /// True while the hook of a question runs.
    pub(super) fn is_deciding(&self) -> bool {
        self.deciding.is_some()
    }

    /// What the hook of a question has decided, once it has. It is not waited for when nothing is asked any more.
    pub(super) fn decision(&mut self, is_asked: bool) -> Option<bool> {
        let decided = match self.deciding.as_ref().filter(|_| is_asked).map(Receiver::try_recv) {
            Some(Err(TryRecvError::Empty)) => return None,
            Some(Ok(decided)) => decided,
            Some(Err(TryRecvError::Disconnected)) | None => None,
        };
        self.deciding = None;
        decided
    }

    /// Runs the hook of a question, while that is shown.
    fn ask(&mut self, event: &'static str, payload: Value) {
        let Some((command, payload)) = self.prepared(event, payload) else { return };
        let (sender, receiver) = channel();
        self.deciding = Some(receiver);
        thread::spawn(move || {
            let said =
                output(&command, &payload).and_then(|said| serde_json::from_slice::<Value>(&said).ok());
            let behaviour = said.and_then(|said| {
                Some(said.pointer("/hookSpecificOutput/decision/behavior")?.as_str()? == "allow")
            });
            // The question may be answered already.
            let _ = sender.send(behaviour);
        });
    }

    fn run(&self, event: &str, payload: Value) {
        if let Some((command, payload)) = self.prepared(event, payload) {
            output(&command, &payload);
        }
    }

    /// The command for this event, where there is one, and what it gets to read.
    fn prepared(&self, event: &str, mut payload: Value) -> Option<(String, String)> {
        let command = self.command.clone().filter(|_| self.mute.as_deref() != Some(event))?;
        payload["hook_event_name"] = event.into();
        payload["prompt_id"] = self.prompts.to_string().into();
        Some((command, payload.to_string()))
    }
}

/// Runs a hook to its end; what it printed.
fn output(command: &str, payload: &str) -> Option<Vec<u8>> {
    #[expect(clippy::disallowed_methods, reason = "an agent runs its hooks itself")]
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A hook that reads nothing is still one.
        let _ = stdin.write_all(payload.as_bytes());
    }
    Some(child.wait_with_output().ok()?.stdout)
}
