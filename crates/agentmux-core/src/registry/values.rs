//! The values that go into the registry and come out of it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::environment::EnvironmentSource;
use crate::input::{Invalid, SessionName, ShortName, Workdir};
use crate::profile::Profile;
use crate::question::{Asked, Policy};
use crate::screen::Exit;
use crate::signals::Relay;
use crate::state::{Evidence, State};
use crate::terminal::Size;
use crate::turn::Turn;

/// What the registry needs to know; validated by whoever fills it in.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Session names begin with it.
    pub prefix: ShortName,
    /// The name of each session's window.
    pub window: ShortName,
    /// The agent that is started where a request names none; must be one of the profiles.
    pub agent: ShortName,
    /// The command for that agent instead of the profile's own.
    pub command: Option<Vec<String>>,
    /// Where agents start when a request does not say.
    pub workdir: Workdir,
    /// The user's home folder: `~` in requests.
    pub home: PathBuf,
    /// A minimum time between the start of an agent and its first prompt, where the user set one.
    pub startup_delay: Option<Duration>,
    /// How many sessions may be alive.
    pub max_sessions: usize,
    /// How long a new session may take to get ready.
    pub ready_timeout: Duration,
    /// Columns and rows of new sessions.
    pub size: Size,
    /// The environment that agents get (profile and request add to it); nothing of the daemon's secrets.
    pub env: EnvironmentSource,
    /// Whether the agent's own question "do you trust this folder?" is answered with yes.
    pub accept_trust: bool,
    /// What is done with questions for permission where a request does not say.
    pub policy: Policy,
    /// Whether panes that we did not start may be captured and typed into.
    pub allow_external: bool,
    /// How agents reach the daemon with what they tell of themselves; without it their screens alone are read.
    pub relay: Option<Relay>,
}

impl Settings {
    /// Sessions of this agent in this folder, with this environment, which is searched for the agent's program, too.
    ///
    /// The rest is as agentmuxd has it where nothing is set; but an agent's question whether a folder is trusted is
    /// left to whoever waits.
    ///
    /// # Errors
    /// The agent's name is none, or the folder cannot be used.
    pub fn new(agent: &str, workdir: &str, env: BTreeMap<OsString, OsString>) -> Result<Self, Invalid> {
        let home = env.get(OsStr::new("HOME")).map_or_else(|| "/".into(), PathBuf::from);
        Ok(Self {
            prefix: ShortName::parse("prefix", "agentmux")?,
            window: ShortName::parse("window", "repl")?,
            agent: ShortName::parse("agent", agent)?,
            command: None,
            workdir: Workdir::parse(workdir, &home)?,
            home,
            startup_delay: None,
            max_sessions: 10,
            ready_timeout: Duration::from_secs(30),
            size: Size::default(),
            env: EnvironmentSource::fixed(env),
            accept_trust: false,
            policy: Policy::Ask,
            allow_external: false,
            relay: None,
        })
    }

    /// What is started for an agent where a request does not say.
    pub fn command_of(&self, profile: &Profile) -> Vec<String> {
        let configured = self.command.as_ref().filter(|_| profile.name == self.agent);
        configured.unwrap_or(&profile.command).clone()
    }
}

/// What to do where the session already works on something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfBusy {
    /// Refuse with [`Error::Busy`](crate::error::Error::Busy).
    Reject,
    /// Let the prompt wait for its turn.
    Queue,
    /// Start another session all the same ([`Registry::run`](super::Registry::run) only).
    Start,
}

/// A turn that was accepted, and its session.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The session, as it is now.
    pub session: SessionView,
    /// The turn, as it is now.
    pub turn: Turn,
}

/// What [`Registry::send`](super::Registry::send) did.
#[derive(Debug, Clone)]
pub enum Sent {
    /// A session of ours took the prompt as a turn.
    Turn(Box<Accepted>),
    /// Typed into a pane that is not ours, Enter pressed: its address.
    External(String),
}

/// A session, as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionView {
    /// Its name.
    pub name: SessionName,
    /// Its id: unique for ever.
    pub id: String,
    /// The profile of its agent.
    pub agent: String,
    /// What it does.
    pub state: State,
    /// Why we believe that.
    pub evidence: Evidence,
    /// What it asks, where it does and that is recognised.
    pub question: Option<Arc<Asked>>,
    /// What is done with its questions for permission, where a turn does not say otherwise.
    pub policy: Policy,
    /// When it was made.
    pub created_at: SystemTime,
    /// The address of its pane.
    pub target: String,
    /// Where its agent was started.
    pub workdir: String,
    /// The newest that became ready: the one that is meant where no session is named.
    pub active: bool,
    /// Percent of the agent's context used, where the screen tells it.
    pub context: Option<u8>,
    /// The terminal does not have it any more.
    pub lost: bool,
    /// How its agent ended.
    pub exit: Option<Exit>,
    /// When a usage limit ends, where one holds it up and the agent tells that.
    pub resets_at: Option<SystemTime>,
    /// How many turns wait or go on.
    pub turns: usize,
    /// How often the agent announced something that its screen contradicted.
    pub contradictions: u64,
}
