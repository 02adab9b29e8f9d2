//! The settings by their names: a variable, and for most a key in the file.

/// A setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The environment variable.
    pub(crate) variable: &'static str,
    /// The key in the configuration file; `None` where only the variable counts.
    pub(crate) key: Option<&'static str>,
}

const fn setting(variable: &'static str, key: &'static str) -> Setting {
    Setting { variable, key: Some(key) }
}

const fn variable(variable: &'static str) -> Setting {
    Setting { variable, key: None }
}

pub(super) const HOST: Setting = setting("AGENTMUX_HOST", "host");
pub(super) const PORT: Setting = setting("AGENTMUX_PORT", "port");
pub(super) const TOKEN: Setting = setting("AGENTMUX_TOKEN", "token");
pub(super) const ALLOW_REMOTE: Setting = setting("AGENTMUX_ALLOW_REMOTE", "allow_remote");
pub(super) const ALLOW_HOST: Setting = setting("AGENTMUX_ALLOW_HOST", "allow_host");
pub(super) const AGENT: Setting = setting("AGENTMUX_AGENT", "agent");
pub(super) const REPL_CMD: Setting = setting("AGENTMUX_REPL_CMD", "repl_cmd");
pub(super) const STARTUP_DELAY: Setting = setting("AGENTMUX_STARTUP_DELAY", "startup_delay");
pub(super) const READY_TIMEOUT: Setting = setting("AGENTMUX_READY_TIMEOUT", "ready_timeout");
pub(super) const TRUST: Setting = setting("AGENTMUX_TRUST", "trust");
pub(super) const POLICY: Setting = setting("AGENTMUX_POLICY", "policy");
pub(super) const SESSION: Setting = setting("AGENTMUX_SESSION", "session_prefix");
pub(super) const WINDOW: Setting = setting("AGENTMUX_WINDOW", "window_name");
pub(super) const WORKDIR: Setting = setting("AGENTMUX_WORKDIR", "workdir");
pub(super) const MAX_SESSIONS: Setting = setting("AGENTMUX_MAX_SESSIONS", "max_sessions");
pub(super) const ALLOW_EXTERNAL_TARGET: Setting =
    setting("AGENTMUX_ALLOW_EXTERNAL_TARGET", "allow_external_target");
pub(super) const TMUX_SOCKET: Setting = setting("AGENTMUX_TMUX_SOCKET", "tmux_socket");
pub(super) const TMUX_TRANSPORT: Setting = setting("AGENTMUX_TMUX_TRANSPORT", "tmux_transport");
pub(super) const LOGIN_ENV: Setting = setting("AGENTMUX_LOGIN_ENV", "login_env");
pub(super) const LOG_FILE: Setting = setting("AGENTMUX_LOG_FILE", "log_file");
pub(super) const LOG: Setting = setting("AGENTMUX_LOG", "log");
pub(super) const STATE_DIR: Setting = variable("AGENTMUX_STATE_DIR");
pub(super) const CONFIG_FILE: Setting = variable("AGENTMUX_CONFIG_FILE");
pub(super) const ALLOW_CWD_CONFIG: Setting = variable("AGENTMUX_ALLOW_CWD_CONFIG");

/// The key for what is said of agents, in the file only.
pub(super) const AGENTS: &str = "agents";

/// Those that a file may hold.
pub(super) const IN_FILE: [Setting; 21] = [
    HOST,
    PORT,
    TOKEN,
    ALLOW_REMOTE,
    ALLOW_HOST,
    AGENT,
    REPL_CMD,
    STARTUP_DELAY,
    READY_TIMEOUT,
    TRUST,
    POLICY,
    SESSION,
    WINDOW,
    WORKDIR,
    MAX_SESSIONS,
    ALLOW_EXTERNAL_TARGET,
    TMUX_SOCKET,
    TMUX_TRANSPORT,
    LOGIN_ENV,
    LOG_FILE,
    LOG,
];
