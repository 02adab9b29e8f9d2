//! A real agent CLI in front of the stand-in model, its home seeded with the least that makes it ask nothing.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Daemon, Setup, environment, mentioning};
use crate::standin::StandIn;

/// An agent that the daemon knows a profile for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agent {
    Claude,
    Codex,
}

/// What the agent has to ask when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folder {
    /// Nothing: the folder is known to it.
    Trusted,
    /// Whether the folder is to be trusted, and what else it asks a user whom it does not know.
    Strange,
}

/// A daemon whose agent is a real one, and the model behind that agent. It derefs to the daemon.
#[derive(Debug)]
pub(crate) struct Stage {
    daemon: Daemon,
    pub(crate) model: StandIn,
    pub(crate) agent: Agent,
}

/// Claude Code's user asks to be asked before a command runs, which is not today's default.
pub(crate) const CLAUDE_SETTINGS: &str = r#"{"permissions": {"defaultMode": "manual"}}"#;

/// Not a real key. Claude Code asks about each key that it does not know by its last 20 characters.
const KEY: &str = "sk-ant-api03-not-a-real-key-00000000000000000000";

impl Agent {
    fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
        }
    }
}

impl Stage {
    /// Everything ready but the agent, which starts with the first prompt. `None`, and said so, where it is
    /// not installed.
    pub(crate) fn set(agent: Agent, folder: Folder) -> Option<Self> {
        let bin = agents()?;
        let model = StandIn::start();
        let setup = Setup::new();
        let path = format!("{}:/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin", bin.display());
        let work = setup.file("work");
        std::fs::create_dir(&work).unwrap();
        let setup = setup
            .without("AGENTMUX_REPL_CMD")
            .env("AGENTMUX_AGENT", agent.name())
            .env("AGENTMUX_WORKDIR", work.to_str().unwrap())
            .env("PATH", &path)
            .env("LANG", "C.UTF-8")
            .env("AGENTMUX_LOG", "debug");
        let setup = match agent {
            Agent::Claude => seed_claude(setup, &model, folder),
            Agent::Codex => seed_codex(setup, &model, folder),
        };
        Some(Self { daemon: setup.start(), model, agent })
    }

    /// A new session with this prompt, waited for: the turn.
    #[track_caller]
    pub(crate) fn run_turn(&self, text: &str) -> Value {
        self.daemon.post("/run", json!({"text": text, "wait": 60})).ok()["turn"].clone()
    }

    /// The same session's next prompt, waited for: the turn.
    #[track_caller]
    pub(crate) fn send_turn(&self, text: &str) -> Value {
        self.daemon.post("/send", json!({"text": text, "wait": 60})).ok()["turn"].clone()
    }

    /// The processes that the session's agent has started, itself included, wherever they have gone: by a
    /// variable that only they have. Empty where the system does not show it.
    pub(crate) fn agent_processes(&self, session: &str) -> Vec<(u32, String)> {
        let mark = format!("\nAGENTMUX_SESSION={session}\n");
        let has_it = |pid: u32| environment(pid).is_some_and(|env| format!("\n{env}\n").contains(&mark));
        mentioning("").into_iter().filter(|(pid, _)| has_it(*pid)).collect()
    }
}

impl Deref for Stage {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

/// The folder with the agents' programs.
fn agents() -> Option<PathBuf> {
    let given = std::env::var_os("AGENTMUX_TEST_AGENTS").filter(|dir| !dir.is_empty());
    let dir = given.map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join(".agents"),
        PathBuf::from,
    );
    let bin = dir.join("bin");
    let all = [Agent::Claude, Agent::Codex];
    if all.iter().all(|agent| bin.join(agent.name()).exists()) {
        return Some(bin);
    }
    println!("skipped: no agents in {} (`sh tests/install-agents.sh` puts them there)", dir.display());
    None
}

fn seed_claude(setup: Setup, model: &StandIn, folder: Folder) -> Setup {
    let mut known = json!({
        "hasCompletedOnboarding": true,
        "customApiKeyResponses": {"approved": [KEY[KEY.len() - 20..]], "rejected": []},
    });
    if folder == Folder::Trusted {
        let work = setup.file("work").canonicalize().unwrap();
        known["projects"] = json!({work.to_str().unwrap(): {"hasTrustDialogAccepted": true}});
        known["hasSeenAutoDefaultNudge"] = true.into();
    }
    setup
        .write(".claude.json", &known.to_string())
        .write(".claude/settings.json", CLAUDE_SETTINGS)
        .env("ANTHROPIC_BASE_URL", &model.url())
        .env("ANTHROPIC_API_KEY", KEY)
        .env("DISABLE_AUTOUPDATER", "1")
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
}

/// Codex asks only in a git repository whether it is to be trusted.
fn seed_codex(setup: Setup, model: &StandIn, folder: Folder) -> Setup {
    let config = format!(
        r#"
model = "gpt-5"
model_provider = "standin"
[model_providers.standin]
name = "standin"
base_url = "{}/v1"
wire_api = "responses"
env_key = "STANDIN_KEY"
[analytics]
enabled = false
"#,
        model.url()
    );
    let setup = setup.write(".codex/config.toml", &config).env("STANDIN_KEY", "none");
    if folder == Folder::Trusted {
        return setup;
    }
    let git = setup.file("work/.git");
    std::fs::create_dir_all(git.join("objects")).unwrap();
    std::fs::create_dir_all(git.join("refs")).unwrap();
    setup.write("work/.git/HEAD", "ref: refs/heads/main\n")
}
