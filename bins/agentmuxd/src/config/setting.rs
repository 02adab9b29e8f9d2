//! The settings: one table, from which they are read, checked, shown and documented.

use std::fmt;

/// A setting.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The environment variable; `None` where only the file can set it.
    pub(crate) variable: Option<&'static str>,
    /// The key in the configuration file; `None` where only the variable counts.
    pub(crate) key: Option<&'static str>,
    pub(crate) kind: Kind,
    pub(crate) default: Default,
    /// What the documentation says of it, in Markdown.
    pub(crate) meaning: &'static str,
}

/// What values a setting can have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What its reader makes of it.
    Text,
    /// A text that is never shown.
    Secret,
    Flag,
    /// A whole number, from the first to the second.
    Number(u64, u64),
    /// A number of seconds, from the first to the second; fractions are allowed.
    Seconds(u32, u32),
    /// Texts: an array in the file, separated by commas in the variable.
    List,
    /// An absolute path, or one that begins with `~/`.
    Path,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A table of the file.
    Table,
}

/// What holds where nothing is set.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Default {
    /// This value.
    Value(&'static str),
    /// What these words say, in Markdown.
    Words(&'static str),
}

impl Setting {
    /// The key or, where there is none, the variable.
    pub(crate) fn name(&self) -> &'static str {
        self.key.or(self.variable).unwrap_or_default()
    }
}

impl Kind {
    /// What is allowed, as it reads after "must be".
    pub(crate) fn allowed(&self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Secret => "a text of visible ASCII characters without blanks".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::Seconds(least, most) => format!("a number of seconds from {least} to {most}"),
            Self::List => "a list of texts".to_owned(),
            Self::Path => "an absolute path (or begin with ~/)".to_owned(),
            Self::Word(words) => one_of(words, |word| (*word).to_owned()),
            Self::Table => "a table".to_owned(),
        }
    }
}

/// For the documentation.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text | Self::Secret => f.write_str("text"),
            Self::Flag => f.write_str("yes or no"),
            Self::Number(least, most) => write!(f, "{least} to {most}"),
            Self::Seconds(least, most) => write!(f, "seconds, {least} to {most}"),
            Self::List => f.write_str("list"),
            Self::Path => f.write_str("path"),
            Self::Word(words) => f.write_str(&one_of(words, |word| format!("`{word}`"))),
            Self::Table => f.write_str("table"),
        }
    }
}

fn one_of(words: &[&str], shown: impl Fn(&&str) -> String) -> String {
    let (last, first) = words.split_last().expect("a choice has words");
    format!("{} or {}", first.iter().map(&shown).collect::<Vec<_>>().join(", "), shown(last))
}

pub(super) const HOST: Setting = Setting {
    variable: Some("AGENTMUX_HOST"),
    key: Some("host"),
    kind: Kind::Text,
    default: Default::Value("127.0.0.1"),
    meaning: "the address, or the name of one, to listen on. Beyond loopback only with a token of at least 32 \
              characters and `AGENTMUX_ALLOW_REMOTE`; an address that means all of them also needs \
              `AGENTMUX_ALLOW_HOST`",
};

pub(super) const PORT: Setting = Setting {
    variable: Some("AGENTMUX_PORT"),
    key: Some("port"),
    kind: Kind::Number(0, 65_535),
    default: Default::Value("8765"),
    meaning: "the port; 0 takes a free one, which the line on stdout and `daemon.json` tell",
};

pub(super) const TOKEN: Setting = Setting {
    variable: Some("AGENTMUX_TOKEN"),
    key: Some("token"),
    kind: Kind::Secret,
    default: Default::Words("generated"),
    meaning: "the token that requests carry; a generated one, in the state folder, is accepted besides. The \
              variable, set and empty: none is needed on this machine",
};

pub(super) const ALLOW_REMOTE: Setting = Setting {
    variable: Some("AGENTMUX_ALLOW_REMOTE"),
    key: Some("allow_remote"),
    kind: Kind::Flag,
    default: Default::Value("no"),
    meaning: "lets other machines in, see the host",
};

pub(super) const ALLOW_HOST: Setting = Setting {
    variable: Some("AGENTMUX_ALLOW_HOST"),
    key: Some("allow_host"),
    kind: Kind::List,
    default: Default::Words("none"),
    meaning: "names under which the daemon may be asked besides `localhost`, `127.0.0.1` and `[::1]`",
};

pub(super) const AGENT: Setting = Setting {
    variable: Some("AGENTMUX_AGENT"),
    key: Some("agent"),
    kind: Kind::Text,
    default: Default::Value("claude"),
    meaning: "the agent that sessions start: one that `agentmux profile list` shows, built in or \
              [yours](#agents). An unknown one falls back to `claude`, with a warning",
};

pub(super) const AGENTS: Setting = Setting {
    variable: None,
    key: Some("agents"),
    kind: Kind::Table,
    default: Default::Words("none"),
    meaning: "agents, or more about those there are: see [below](#agents)",
};

pub(super) const REPL_CMD: Setting = Setting {
    variable: Some("AGENTMUX_REPL_CMD"),
    key: Some("repl_cmd"),
    kind: Kind::Text,
    default: Default::Words("the agent's"),
    meaning: "the command for that agent. Split as a shell would; what needs a shell (variables, `~`, pipes, \
              assignments) runs in `/bin/sh -c`",
};

pub(super) const WORKDIR: Setting = Setting {
    variable: Some("AGENTMUX_WORKDIR"),
    key: Some("workdir"),
    kind: Kind::Text,
    default: Default::Value("~"),
    meaning: "the folder where agents start, an absolute path or one that begins with `~`; it must exist",
};

pub(super) const STARTUP_DELAY: Setting = Setting {
    variable: Some("AGENTMUX_STARTUP_DELAY"),
    key: Some("startup_delay"),
    kind: Kind::Seconds(0, 3600),
    default: Default::Words("none"),
    meaning: "a minimum between an agent's start and its first prompt",
};

pub(super) const READY_TIMEOUT: Setting = Setting {
    variable: Some("AGENTMUX_READY_TIMEOUT"),
    key: Some("ready_timeout"),
    kind: Kind::Seconds(1, 3600),
    default: Default::Value("30"),
    meaning: "how long a new session may take to get ready",
};

pub(super) const TRUST: Setting = Setting {
    variable: Some("AGENTMUX_TRUST"),
    key: Some("trust"),
    kind: Kind::Word(&["accept", "ask"]),
    default: Default::Value("accept"),
    meaning: "`accept` answers an agent's question whether its working directory is to be trusted with yes; \
              `ask` leaves it to a person, who has the ready timeout for it",
};

pub(super) const POLICY: Setting = Setting {
    variable: Some("AGENTMUX_POLICY"),
    key: Some("policy"),
    kind: Kind::Word(&["ask", "deny", "approve"]),
    default: Default::Value("ask"),
    meaning: "what is done with an agent's questions for permission where a request does not say: `ask` leaves \
              them to whoever waits, `deny` answers no, `approve` answers yes, each for once and never \"don't \
              ask again\"",
};

pub(super) const SESSION: Setting = Setting {
    variable: Some("AGENTMUX_SESSION"),
    key: Some("session_prefix"),
    kind: Kind::Text,
    default: Default::Value("agentmux"),
    meaning: "how session names begin: 1 to 40 of `A-Z a-z 0-9 _ -`",
};

pub(super) const WINDOW: Setting = Setting {
    variable: Some("AGENTMUX_WINDOW"),
    key: Some("window_name"),
    kind: Kind::Text,
    default: Default::Value("repl"),
    meaning: "the name of each session's tmux window, as above",
};

pub(super) const MAX_SESSIONS: Setting = Setting {
    variable: Some("AGENTMUX_MAX_SESSIONS"),
    key: Some("max_sessions"),
    kind: Kind::Number(1, 1000),
    default: Default::Value("10"),
    meaning: "how many sessions may be there. At the limit exited ones are ended, then the oldest idle ones that \
              nobody looks at",
};

pub(super) const ALLOW_EXTERNAL_TARGET: Setting = Setting {
    variable: Some("AGENTMUX_ALLOW_EXTERNAL_TARGET"),
    key: Some("allow_external_target"),
    kind: Kind::Flag,
    default: Default::Value("no"),
    meaning: "lets `/capture`, `/send` and `/key` reach other panes of the tmux server",
};

pub(super) const TMUX_SOCKET: Setting = Setting {
    variable: Some("AGENTMUX_TMUX_SOCKET"),
    key: Some("tmux_socket"),
    kind: Kind::Path,
    default: Default::Words("`tmux.sock` in the state folder"),
    meaning: "the socket of a tmux server of yours; none of its global options is touched, and it is never killed",
};

pub(super) const TMUX_TRANSPORT: Setting = Setting {
    variable: Some("AGENTMUX_TMUX_TRANSPORT"),
    key: Some("tmux_transport"),
    kind: Kind::Word(&["auto", "control", "subprocess"]),
    default: Default::Value("auto"),
    meaning: "how the daemon talks to tmux: `auto` by a control-mode client, with one process a call where that \
              is down; `control` or `subprocess` force one of them",
};

pub(super) const LOGIN_ENV: Setting = Setting {
    variable: Some("AGENTMUX_LOGIN_ENV"),
    key: Some("login_env"),
    kind: Kind::Word(&["auto", "always", "never"]),
    default: Default::Value("auto"),
    meaning: "whether agents get the environment of your login shell: `auto` unless the daemon was started from a \
              terminal. See [below](#what-agents-get)",
};

pub(super) const LOG_FILE: Setting = Setting {
    variable: Some("AGENTMUX_LOG_FILE"),
    key: Some("log_file"),
    kind: Kind::Path,
    default: Default::Words("`agentmux.log` in the state folder"),
    meaning: "the log, mode 0600. No prompt, screen, token or query is in it",
};

pub(super) const LOG: Setting = Setting {
    variable: Some("AGENTMUX_LOG"),
    key: Some("log"),
    kind: Kind::Text,
    default: Default::Value("info"),
    meaning: "what is logged: a level (`off error warn info debug trace`) or `module=level`, separated by commas",
};

pub(super) const STATE_DIR: Setting = Setting {
    variable: Some("AGENTMUX_STATE_DIR"),
    key: None,
    kind: Kind::Path,
    default: Default::Value("~/.agentmux"),
    meaning: "token, lock, tmux socket and `daemon.json`; mode 0700, one daemon at a time",
};

pub(super) const CONFIG_FILE: Setting = Setting {
    variable: Some("AGENTMUX_CONFIG_FILE"),
    key: None,
    kind: Kind::Path,
    default: Default::Words("see above"),
    meaning: "the file to read, TOML where its name ends with `.toml`, else JSON; it must be there",
};

pub(super) const ALLOW_CWD_CONFIG: Setting = Setting {
    variable: Some("AGENTMUX_ALLOW_CWD_CONFIG"),
    key: None,
    kind: Kind::Flag,
    default: Default::Value("no"),
    meaning: "reads `./agentmux.json` where there is no other file",
};

/// All of them, as the documentation lists them.
pub(crate) const TABLE: [&Setting; 25] = [
    &HOST,
    &PORT,
    &TOKEN,
    &ALLOW_REMOTE,
    &ALLOW_HOST,
    &AGENT,
    &AGENTS,
    &REPL_CMD,
    &WORKDIR,
    &STARTUP_DELAY,
    &READY_TIMEOUT,
    &TRUST,
    &POLICY,
    &SESSION,
    &WINDOW,
    &MAX_SESSIONS,
    &ALLOW_EXTERNAL_TARGET,
    &TMUX_SOCKET,
    &TMUX_TRANSPORT,
    &LOGIN_ENV,
    &LOG_FILE,
    &LOG,
    &STATE_DIR,
    &CONFIG_FILE,
    &ALLOW_CWD_CONFIG,
];
