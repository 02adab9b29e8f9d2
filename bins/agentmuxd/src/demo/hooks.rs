//! The demo agent's hooks: a command that it runs on its events, with a document on stdin, as Claude Code does.

use std::io::Write;
use std::process::{Command, Stdio};

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
            Event::Asked => {
                let input = json!({"command": "rm -rf build"});
                self.run("PermissionRequest", json!({"tool_name": "Bash", "tool_input": input}));
            }
            Event::Reply(text) => self.reply.clone_from(text),
            Event::Interrupted => self.interrupted = true,
            Event::Idle if !self.interrupted => {
                self.run("Stop", json!({"last_assistant_message": self.reply, "background_tasks": []}));
            }
            Event::Start | Event::Lost(_) | Event::Busy | Event::Idle | Event::Key(_) | Event::Exit(_) => {}
        }
    }

    fn run(&self, event: &str, mut payload: Value) {
        let Some(command) = self.command.as_ref().filter(|_| self.mute.as_deref() != Some(event)) else {
            return;
        };
        payload["hook_event_name"] = event.into();
        payload["prompt_id"] = self.prompts.to_string().into();
        #[expect(clippy::disallowed_methods, reason = "an agent runs its hooks itself")]
        let child = Command::new("/bin/sh")
            .args(["-c", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = child else { return };
        if let Some(mut stdin) = child.stdin.take() {
            // A hook that reads nothing is still one.
            let _ = stdin.write_all(payload.to_string().as_bytes());
        }
        let _ = child.wait();
    }
}
