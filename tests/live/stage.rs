//! A real agent CLI in front of the stand-in model, its home seeded with the least that makes it ask nothing.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::agents::{Agent, Folder};
use crate::harness::{Daemon, Setup, environment, mentioning, signal, within};
use crate::standin::StandIn;

/// A daemon whose agent is a real one, and the model behind that agent. It derefs to the daemon.
#[derive(Debug)]
pub(crate) struct Stage {
    daemon: Daemon,
    pub(crate) model: StandIn,
    pub(crate) agent: &'static Agent,
}

/// How long a step may take before the test fails: real agents take their time on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

impl Stage {
    /// Everything ready but the agent, which starts with the first prompt. `None`, and said so, where it is
    /// not installed.
    pub(crate) fn set(agent: &'static Agent, folder: Folder) -> Option<Self> {
        let setup = Setup::new();
        let work = setup.file("work");
        std::fs::create_dir(&work).unwrap();
        let setup = setup
            .without("AGENTMUX_REPL_CMD")
            .env("AGENTMUX_AGENT", agent.name)
            .env("AGENTMUX_WORKDIR", work.to_str().unwrap())
            .env("PATH", "/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("AGENTMUX_LOG", "debug");
        let (setup, model) = seeded(agent, setup, folder)?;
        let daemon = setup.start();
        Some(Self { daemon, model, agent })
    }

    /// A new session with this prompt, waited for: the turn.
    #[track_caller]
    pub(crate) fn run_turn(&self, text: &str) -> Value {
        self.post("/run", json!({"text": text, "wait": PATIENCE.as_secs()})).ok()["turn"].clone()
    }

    /// The same session's next prompt, waited for: the turn.
    #[track_caller]
    pub(crate) fn send_turn(&self, text: &str) -> Value {
        self.post("/send", json!({"text": text, "wait": PATIENCE.as_secs()})).ok()["turn"].clone()
    }

    /// The same session's next prompt, not waited for: the turn.
    #[track_caller]
    pub(crate) fn send_on(&self, text: &str) -> Value {
        self.post("/send", json!({"text": text})).ok()["turn"].clone()
    }

    /// The turn once it has ended, or the agent asks something.
    #[track_caller]
    pub(crate) fn settled(&self, turn: &Value) -> Value {
        let path = format!("/turns/{}?wait={}", turn["id"].as_str().unwrap(), PATIENCE.as_secs());
        let turn = self.get(&path).ok();
        assert_ne!(turn["waited_out"], true, "{turn}");
        turn
    }

    /// The turn once it has ended, whatever the agent asked before.
    #[track_caller]
    pub(crate) fn ended(&self, turn: &Value) -> Value {
        within(PATIENCE, "the turn has ended", || {
            let turn = self.get(&format!("/turns/{}", turn["id"].as_str().unwrap())).ok();
            let goes_on = ["queued", "delivering", "working", "needs_input"];
            (!goes_on.contains(&turn["state"].as_str().unwrap())).then_some(turn)
        })
    }

    /// Answers what the turn's session asks.
    #[track_caller]
    pub(crate) fn answer(&self, turn: &Value, body: &Value) {
        self.post(&format!("/sessions/{}/answer", turn["session"].as_str().unwrap()), body.clone()).ok();
    }

    /// The prompts that arrived at the model, without what the agent itself puts around them.
    pub(crate) fn prompts(&self) -> Vec<String> {
        let texts = self.model.user_texts();
        texts.iter().map(|text| (self.agent.prompt_in)(text).to_owned()).collect()
    }

    /// The processes that agents have started here, they themselves included, wherever they have gone: by
    /// variables that only they have. Empty where the system does not show them.
    pub(crate) fn agent_processes(&self) -> Vec<(u32, String)> {
        let home = format!("\nHOME={}\n", self.file("").display()).replace("/\n", "\n");
        let has_it = |pid: u32| {
            environment(pid).is_some_and(|env| {
                let env = format!("\n{env}\n").replace("/\n", "\n");
                env.contains(&home) && env.contains("\nAGENTMUX_SESSION=")
            })
        };
        mentioning("").into_iter().filter(|(pid, _)| has_it(*pid)).collect()
    }
}

impl Deref for Stage {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

impl Drop for Stage {
    /// Kills the sessions, and sees that nothing of their agents stays. Shows, with a failed test, what they showed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in self.names() {
                let screen = self.get(&format!("/sessions/{name}/screen"));
                eprintln!(
                    "--- the screen of {name}\n{}",
                    screen.ok()["content"].as_str().unwrap_or_default()
                );
            }
        } else {
            for name in self.names() {
                self.post("/kill", json!({"session": name})).ok();
            }
            within(PATIENCE, "no process of the agent is left", || {
                self.agent_processes().is_empty().then_some(())
            });
        }
        for (pid, _) in self.agent_processes() {
            signal(pid, "KILL");
        }
    }
}

/// A home in which the agent is installed and works with the stand-in; in it is the folder `work`. `None`, and said so, where
/// the agent is not installed.
pub(crate) fn seeded(agent: &Agent, setup: Setup, folder: Folder) -> Option<(Setup, StandIn)> {
    let bin = installed(agent)?;
    let model = StandIn::start();
    let path = format!("{}:{}", bin.display(), setup.value("PATH"));
    let setup = setup.env("PATH", &path).env("AGENTMUX_READY_TIMEOUT", &PATIENCE.as_secs().to_string());
    Some(((agent.seed)(setup, &model, folder), model))
}

/// The folder with the agents' programs, if this one is among them.
fn installed(agent: &Agent) -> Option<PathBuf> {
    let given = std::env::var_os("AGENTMUX_TEST_AGENTS").filter(|dir| !dir.is_empty());
    let dir = given.map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join(".agents"),
        PathBuf::from,
    );
    let bin = dir.join("bin");
    if bin.join(agent.name).exists() {
        return Some(bin);
    }
    println!("skipped: no {} in {} (`sh tests/install-agents.sh` puts it there)", agent.name, bin.display());
    None
}
