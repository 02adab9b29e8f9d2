//! The configuration: read and checked as a whole before anything is bound or touched.

mod file;
mod listen;
mod setting;
mod shown;
mod source;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use agentmux_api::local::StateDir;
use agentmux_core::environment::EnvironmentSource;
use agentmux_core::input::{ShortName, Workdir};
use agentmux_core::profile::{Definitions, Profiles};
use agentmux_core::question::Policy;
use agentmux_core::registry::Settings;
use agentmux_core::terminal::Size;
use agentmux_tmux::{LONGEST_SOCKET, Transport};

pub(crate) use listen::{Listen, Token};
use setting::{
    AGENT, AGENTS, ALLOW_CWD_CONFIG, ALLOW_EXTERNAL_TARGET, LOG, LOG_FILE, LOGIN_ENV, MAX_SESSIONS, POLICY,
    READY_TIMEOUT, REPL_CMD, SESSION, STARTUP_DELAY, STATE_DIR, TABLE, TMUX_SOCKET, TMUX_TRANSPORT, TOKEN,
    TRUST, WINDOW, WORKDIR,
};
pub(crate) use shown::Shown;
pub(crate) use source::ConfigError;
use source::{Source, Sources};

/// The agent where none, or an unknown one, is set.
const DEFAULT_AGENT: &str = "claude";

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
    /// Whether the file has values that others must not read.
    pub(crate) has_secrets: bool,
    allow_cwd_config: bool,
    /// Where the value of each setting is from, as the table lists them.
    sources: Vec<Source>,
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
    ///
    /// # Errors
    /// All that is wrong with them.
    pub(crate) fn load(env: &dyn Fn(&str) -> Option<OsString>, home: &Path) -> Result<Self, ConfigError> {
        let mut sources = Sources::new(env, home);
        sources.file = file::load(&sources);
        // What is left without the file says little about what was meant.
        sources.check()?;
        let mut warnings = Vec::new();
        file::check_keys(&sources, &mut warnings);
        let state = state(&sources);
        let listen = listen::load(&sources);
        if listen.token == Token::Open {
            warnings.push(
                "AGENTMUX_TOKEN is set and empty: every user of this machine may drive the agents".to_owned(),
            );
        }
        let log_file = sources.path(&LOG_FILE).map(|given| given.value);
        let log_filter = log_filter(&sources);
        let tmux_socket = tmux_socket(&sources);
        check_socket(&sources, state.as_ref(), tmux_socket.as_deref());
        let tmux_transport = tmux_transport(&sources);
        let allow_cwd_config = sources.flag(&ALLOW_CWD_CONFIG);
        let login_env = login_env(&sources);
        let profiles = profiles(&sources);
        let sessions = sessions(&sources, profiles.as_ref(), &mut warnings);
        sources.check()?;
        let (Some(state), Some(profiles), Some(sessions)) = (state, profiles, sessions) else {
            unreachable!("what is missing has been said to be wrong");
        };
        Ok(Self {
            log_file: log_file.unwrap_or_else(|| state.log()),
            log_filter,
            tmux_socket,
            tmux_transport,
            login_env,
            home: home.to_owned(),
            sessions,
            has_secrets: [&TOKEN, &AGENTS].iter().any(|setting| sources.entry(setting).is_some()),
            allow_cwd_config,
            sources: TABLE.iter().map(|setting| sources.origin(setting)).collect(),
            file: sources.file.take().map(|file| file.path),
            profiles,
            state,
            listen,
            warnings,
        })
    }
}

fn state(sources: &Sources<'_>) -> Option<StateDir> {
    let chosen = sources.path(&STATE_DIR)?;
    let found = StateDir::locate(chosen.value.to_str(), None);
    if found.is_none() {
        sources.refuse(&chosen.source, "must be valid UTF-8");
    }
    found
}

/// What is compiled in, under the user's files, under the entries of the configuration file.
fn profiles(sources: &Sources<'_>) -> Option<Profiles> {
    let mut definitions = Definitions::of_user(sources.home).unwrap_or_else(|error| {
        sources.fault(error.to_string());
        Definitions::builtin()
    });
    if let Some(file) = &sources.file
        && let Err(error) = definitions.add_config(file)
    {
        sources.fault(error.to_string());
    }
    let read = definitions.read();
    if read.is_err() {
        definitions.faults().iter().for_each(|fault| sources.fault(fault.to_string()));
    }
    read.ok()
}

fn sessions(
    sources: &Sources<'_>,
    profiles: Option<&Profiles>,
    warnings: &mut Vec<String>,
) -> Option<Settings> {
    let short_name = |setting| sources.parsed(setting, |text| ShortName::parse("the name", text));
    let prefix = short_name(&SESSION);
    let window = short_name(&WINDOW);
    let workdir = sources.parsed(&WORKDIR, |text| Workdir::parse(text, sources.home));
    let command = command(sources);
    let startup_delay = sources.seconds(&STARTUP_DELAY);
    let max_sessions = usize::try_from(sources.number(&MAX_SESSIONS)).expect("the table allows no more");
    let ready_timeout = sources.seconds(&READY_TIMEOUT).expect("it has a default");
    let accept_trust = sources.word(&TRUST) == "accept";
    let policy = Policy::parse(sources.word(&POLICY)).expect("the table has no other words");
    let allow_external = sources.flag(&ALLOW_EXTERNAL_TARGET);
    Some(Settings {
        prefix: prefix?,
        window: window?,
        agent: agent(sources, profiles?, warnings)?,
        command,
        workdir: workdir?,
        home: sources.home.to_owned(),
        startup_delay,
        max_sessions,
        ready_timeout,
        size: Size::default(),
        env: EnvironmentSource::fixed(std::collections::BTreeMap::new()),
        accept_trust,
        policy,
        allow_external,
        relay: None,
    })
}

fn command(sources: &Sources<'_>) -> Option<Vec<String>> {
    let given = sources.text(&REPL_CMD)?;
    let parsed = agentmux_core::command::parse_line(&given.value);
    parsed.map_err(|invalid| sources.refuse(&given.source, format!("is no command: {invalid}"))).ok()
}

/// The default agent. An unknown one falls back, as it always did; a request that names one is refused.
fn agent(sources: &Sources<'_>, profiles: &Profiles, warnings: &mut Vec<String>) -> Option<ShortName> {
    let given = sources.text(&AGENT)?;
    let name = if profiles.contains(&given.value) {
        given.value.as_str()
    } else {
        let known = profiles.names().join(", ");
        let what = format!("{} names the unknown agent {:?}", given.source, given.value);
        warnings.push(format!("{what} (known: {known}); {DEFAULT_AGENT} is used"));
        DEFAULT_AGENT
    };
    let parsed = ShortName::parse("agent", name);
    parsed.map_err(|invalid| sources.refuse(&given.source, format!("cannot be used: {invalid}"))).ok()
}

fn tmux_socket(sources: &Sources<'_>) -> Option<PathBuf> {
    let given = sources.path(&TMUX_SOCKET)?;
    if !given.value.parent().is_some_and(Path::is_dir) {
        let why = format!("names {}, whose folder does not exist", given.value.display());
        sources.refuse(&given.source, why);
    }
    Some(given.value)
}

fn check_socket(sources: &Sources<'_>, state: Option<&StateDir>, chosen: Option<&Path>) {
    let (setting, path) = match (chosen, state) {
        (Some(path), _) => (&TMUX_SOCKET, path.to_owned()),
        (None, Some(state)) => (&STATE_DIR, state.tmux_socket()),
        (None, None) => return,
    };
    let length = path.as_os_str().len();
    if length > LONGEST_SOCKET {
        let why = format!("makes {length} bytes of the tmux socket's path, {}", path.display());
        sources.refuse(&sources.origin(setting), format!("{why}; at most {LONGEST_SOCKET} are allowed"));
    }
}

fn tmux_transport(sources: &Sources<'_>) -> Transport {
    match sources.word(&TMUX_TRANSPORT) {
        "control" => Transport::Control,
        "subprocess" => Transport::Subprocess,
        _ => Transport::Auto,
    }
}

fn login_env(sources: &Sources<'_>) -> LoginEnv {
    match sources.word(&LOGIN_ENV) {
        "always" => LoginEnv::Always,
        "never" => LoginEnv::Never,
        _ => LoginEnv::Auto,
    }
}

/// A filter in the manner of `env_logger`, strictly: it takes a misspelt level for the name of a module.
fn log_filter(sources: &Sources<'_>) -> String {
    let given = sources.text(&LOG).expect("it has a default");
    let is_level = |word: &str| word.trim().parse::<log::LevelFilter>().is_ok();
    let is_directive = |part: &str| match part.split_once('=') {
        Some((module, level)) => !module.trim().is_empty() && is_level(level),
        None => is_level(part),
    };
    if !given.value.split(',').all(is_directive) {
        let allowed = "a level (off, error, warn, info, debug, trace) or module=level, separated by commas";
        sources.refuse(&given.source, format!("must be {allowed}, not {:?}", given.value));
    }
    given.value
}
