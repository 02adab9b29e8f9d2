//! The configuration: read and checked as a whole before anything is bound or touched.

mod file;
mod listen;
mod setting;
mod source;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agentmux_api::local::StateDir;
use agentmux_core::environment::EnvironmentSource;
use agentmux_core::input::{Invalid, ShortName, Workdir};
use agentmux_core::profile::{Definitions, Profiles};
use agentmux_core::question::Policy;
use agentmux_core::registry::Settings;
use agentmux_core::terminal::Size;
use agentmux_tmux::Transport;

pub(crate) use listen::{Listen, Token};
use setting::{
    AGENT, ALLOW_EXTERNAL_TARGET, LOG, LOG_FILE, LOGIN_ENV, MAX_SESSIONS, POLICY, READY_TIMEOUT, REPL_CMD,
    SESSION, STARTUP_DELAY, STATE_DIR, Setting, TMUX_SOCKET, TMUX_TRANSPORT, TRUST, WINDOW, WORKDIR,
};
pub(crate) use source::ConfigError;
use source::{Given, Source, Sources};

/// The agent where none, or an unknown one, is set.
const DEFAULT_AGENT: &str = "claude";
const HOUR: f64 = 3600.0;

/// Everything that a daemon is told.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    pub(crate) state: StateDir,
    pub(crate) listen: Listen,
    pub(crate) log_file: PathBuf,
    pub(crate) log_filter: String,
    /// The socket of a tmux server that the user runs; `None`: our own.
    pub(crate) tmux_socket: Option<PathBuf>,
    /// How tmux is talked to.
    pub(crate) tmux_transport: Transport,
    /// The agents that sessions can be started with.
    pub(crate) profiles: Profiles,
    /// Whether agents get the login shell's environment.
    pub(crate) login_env: LoginEnv,
    /// The user's home folder.
    pub(crate) home: PathBuf,
    /// What the registry is told; the agents' environment is filled in by the caller.
    pub(crate) sessions: Settings,
    /// What a person should know, though the daemon runs.
    pub(crate) warnings: Vec<String>,
}

/// Whether the login shell is asked for the environment that agents get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginEnv {
    /// Unless the daemon was started from a terminal.
    Auto,
    /// In any case.
    Always,
    /// The daemon's own is theirs.
    Never,
}

impl Config {
    /// Reads all settings. `env` looks a variable up; `home` is the user's home folder.
    pub(crate) fn load(env: &dyn Fn(&str) -> Option<OsString>, home: &Path) -> Result<Self, ConfigError> {
        let mut sources = Sources { env, file: None, home };
        sources.file = file::load(&sources)?;
        let state = state(&sources)?;
        let profiles = profiles(&sources)?;
        let mut warnings = Vec::new();
        let listen = listen::load(&sources)?;
        if listen.token == Token::Open {
            warnings.push(
                "AGENTMUX_TOKEN is set and empty: every user of this machine may drive the agents".to_owned(),
            );
        }
        Ok(Self {
            log_file: sources.path(LOG_FILE)?.map_or_else(|| state.log(), |given| given.value),
            log_filter: log_filter(&sources)?,
            tmux_socket: tmux_socket(&sources)?,
            tmux_transport: tmux_transport(&sources)?,
            login_env: login_env(&sources)?,
            home: home.to_owned(),
            sessions: sessions(&sources, &profiles, &mut warnings)?,
            file: sources.file.take().map(|file| file.path),
            profiles,
            state,
            listen,
            warnings,
        })
    }
}

fn state(sources: &Sources<'_>) -> Result<StateDir, ConfigError> {
    let chosen = sources.path(STATE_DIR)?.map(|given| given.value);
    let found = StateDir::locate(chosen.as_deref().and_then(Path::to_str), sources.home.to_str());
    found.ok_or_else(|| ConfigError::new("the home folder's path must be valid UTF-8; set HOME"))
}

/// What is compiled in, under the user's files, under the entries of the configuration file.
fn profiles(sources: &Sources<'_>) -> Result<Profiles, ConfigError> {
    let mut definitions = Definitions::of_user(sources.home)?;
    if let Some((file, agents)) = sources.agents() {
        definitions.add_entries(agents, file)?;
    }
    Ok(definitions.read()?)
}

fn sessions(
    sources: &Sources<'_>,
    profiles: &Profiles,
    warnings: &mut Vec<String>,
) -> Result<Settings, ConfigError> {
    let command = sources.text(REPL_CMD)?.map(|given| {
        let parsed = agentmux_core::command::parse_line(&given.value);
        parsed.map_err(|invalid| given.source.refuse(format!("is no command: {invalid}")))
    });
    let max_sessions = sources.number(MAX_SESSIONS, 1, 1000, 10)?;
    let ready_timeout = sources.seconds(READY_TIMEOUT, 1.0, HOUR)?;
    Ok(Settings {
        prefix: short_name(sources, SESSION, "agentmux")?,
        window: short_name(sources, WINDOW, "repl")?,
        agent: agent(sources, profiles, warnings)?,
        command: command.transpose()?,
        workdir: workdir(sources)?,
        home: sources.home.to_owned(),
        startup_delay: sources.seconds(STARTUP_DELAY, 0.0, HOUR)?,
        max_sessions: usize::try_from(max_sessions).expect("at most 1000"),
        ready_timeout: ready_timeout.unwrap_or(Duration::from_secs(30)),
        size: Size::default(),
        env: EnvironmentSource::fixed(std::collections::BTreeMap::new()),
        accept_trust: accept_trust(sources)?,
        policy: policy(sources)?,
        allow_external: sources.flag(ALLOW_EXTERNAL_TARGET)?,
        relay: None,
    })
}

/// A setting's text, or its default, through a constructor of the core.
fn parsed<T>(
    sources: &Sources<'_>,
    setting: Setting,
    default: &str,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> Result<T, ConfigError> {
    let default = || Given { value: default.to_owned(), source: Source::Default(setting.variable) };
    let given = sources.text(setting)?.unwrap_or_else(default);
    parse(&given.value).map_err(|invalid| given.source.refuse(format!("cannot be used: {invalid}")))
}

fn short_name(sources: &Sources<'_>, setting: Setting, default: &str) -> Result<ShortName, ConfigError> {
    parsed(sources, setting, default, |text| ShortName::parse("the name", text))
}

fn workdir(sources: &Sources<'_>) -> Result<Workdir, ConfigError> {
    parsed(sources, WORKDIR, "~", |text| Workdir::parse(text, sources.home))
}

/// The default agent. An unknown one falls back, as it always did; a request that names one is refused.
fn agent(
    sources: &Sources<'_>,
    profiles: &Profiles,
    warnings: &mut Vec<String>,
) -> Result<ShortName, ConfigError> {
    let given = sources.text(AGENT)?.filter(|given| {
        let is_known = profiles.contains(&given.value);
        if !is_known {
            let known = profiles.names().join(", ");
            let what = format!("{} names the unknown agent {:?}", given.source, given.value);
            warnings.push(format!("{what} (known: {known}); {DEFAULT_AGENT} is used"));
        }
        is_known
    });
    let name = given.map_or_else(|| DEFAULT_AGENT.to_owned(), |given| given.value);
    ShortName::parse("agent", &name).map_err(|invalid| ConfigError::new(invalid.to_string()))
}

fn accept_trust(sources: &Sources<'_>) -> Result<bool, ConfigError> {
    match sources.text(TRUST)? {
        None => Ok(true),
        Some(given) => match given.value.as_str() {
            "accept" => Ok(true),
            "ask" => Ok(false),
            other => Err(given.source.refuse(format!("must be accept or ask, not {other:?}"))),
        },
    }
}

fn policy(sources: &Sources<'_>) -> Result<Policy, ConfigError> {
    let Some(given) = sources.text(POLICY)? else { return Ok(Policy::Ask) };
    let refuse = || given.source.refuse(format!("must be ask, deny or approve, not {:?}", given.value));
    Policy::parse(&given.value).ok_or_else(refuse)
}

fn tmux_socket(sources: &Sources<'_>) -> Result<Option<PathBuf>, ConfigError> {
    let Some(given) = sources.path(TMUX_SOCKET)? else { return Ok(None) };
    match given.value.parent() {
        Some(folder) if folder.is_dir() => Ok(Some(given.value)),
        _ => {
            Err(given.source.refuse(format!("names {}, whose folder does not exist", given.value.display())))
        }
    }
}

fn tmux_transport(sources: &Sources<'_>) -> Result<Transport, ConfigError> {
    let Some(given) = sources.text(TMUX_TRANSPORT)? else { return Ok(Transport::Auto) };
    match given.value.as_str() {
        "auto" => Ok(Transport::Auto),
        "control" => Ok(Transport::Control),
        "subprocess" => Ok(Transport::Subprocess),
        other => Err(given.source.refuse(format!("must be auto, control or subprocess, not {other:?}"))),
    }
}

fn login_env(sources: &Sources<'_>) -> Result<LoginEnv, ConfigError> {
    let Some(given) = sources.text(LOGIN_ENV)? else { return Ok(LoginEnv::Auto) };
    match given.value.as_str() {
        "auto" => Ok(LoginEnv::Auto),
        "always" => Ok(LoginEnv::Always),
        "never" => Ok(LoginEnv::Never),
        other => Err(given.source.refuse(format!("must be auto, always or never, not {other:?}"))),
    }
}

/// A filter in the manner of `env_logger`, strictly: it takes a misspelt level for the name of a module.
fn log_filter(sources: &Sources<'_>) -> Result<String, ConfigError> {
    let Some(given) = sources.text(LOG)? else { return Ok("info".to_owned()) };
    let is_level = |word: &str| word.trim().parse::<log::LevelFilter>().is_ok();
    let is_directive = |part: &str| match part.split_once('=') {
        Some((module, level)) => !module.trim().is_empty() && is_level(level),
        None => is_level(part),
    };
    if given.value.split(',').all(is_directive) {
        return Ok(given.value);
    }
    let allowed = "a level (off, error, warn, info, debug, trace) or module=level, separated by commas";
    Err(given.source.refuse(format!("must be {allowed}, not {:?}", given.value)))
}
