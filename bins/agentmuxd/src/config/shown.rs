//! The settings as they are in force, each with its source: what `--check-config` prints.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agentmux_core::profile::{Origin, Profile};
use agentmux_tmux::Transport;
use serde::Serialize;

use super::setting::{Setting, TABLE};
use super::source::Source;
use super::{Config, LoginEnv, Token};

/// A setting in force.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    /// The key or, where there is none, the variable.
    pub(crate) name: &'static str,
    /// A token is not in it.
    pub(crate) value: String,
    pub(crate) source: String,
}

impl Config {
    /// All settings, as the table lists them.
    pub(crate) fn shown(&self) -> Vec<Shown> {
        let show = |(setting, source): (&&Setting, &Source)| Shown {
            name: setting.name(),
            value: self.value(setting.name()),
            source: match source {
                _ if setting.name() == "agents" && !self.own_agents().is_empty() => self.origins().join(", "),
                Source::Default(_) => "default".to_owned(),
                source => source.to_string(),
            },
        };
        TABLE.iter().zip(&self.sources).map(show).collect()
    }

    fn value(&self, name: &str) -> String {
        let sessions = &self.sessions;
        let path = |path: &Path| path.display().to_string();
        let yes_or_no = |is: bool| if is { "yes" } else { "no" }.to_owned();
        let seconds = |time: Duration| format!("{} s", time.as_secs_f64());
        let or_none = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
        let list = |items: Vec<String>| or_none(Some(items.join(", ")).filter(|all| !all.is_empty()));
        match name {
            "host" => self.listen.host.clone(),
            "port" => self.listen.address.port().to_string(),
            "token" => match self.listen.token {
                Token::Generated => "the generated one".to_owned(),
                Token::Set(_) => "one that is set, and the generated one".to_owned(),
                Token::Open => "none is needed".to_owned(),
            },
            "allow_remote" => yes_or_no(self.listen.allow_remote),
            "allow_host" => list(self.listen.allowed_hosts.clone()),
            "agent" => sessions.agent.to_string(),
            "agents" => list(self.own_agents().iter().map(|profile| profile.name.to_string()).collect()),
            "repl_cmd" => sessions.command.as_ref().map_or("the agent's".to_owned(), |argv| argv.join(" ")),
            "workdir" => path(sessions.workdir.as_path()),
            "startup_delay" => or_none(sessions.startup_delay.map(seconds)),
            "ready_timeout" => seconds(sessions.ready_timeout),
            "trust" => if sessions.accept_trust { "accept" } else { "ask" }.to_owned(),
            "policy" => sessions.policy.word().to_owned(),
            "session_prefix" => sessions.prefix.to_string(),
            "window_name" => sessions.window.to_string(),
            "max_sessions" => sessions.max_sessions.to_string(),
            "allow_external_target" => yes_or_no(sessions.allow_external),
            "tmux_socket" => path(&self.tmux_socket.clone().unwrap_or_else(|| self.state.tmux_socket())),
            "tmux_transport" => match self.tmux_transport {
                Transport::Auto => "auto",
                Transport::Control => "control",
                Transport::Subprocess => "subprocess",
            }
            .to_owned(),
            "login_env" => match self.login_env {
                LoginEnv::Auto => "auto",
                LoginEnv::Always => "always",
                LoginEnv::Never => "never",
            }
            .to_owned(),
            "log_file" => path(&self.log_file),
            "log" => self.log_filter.clone(),
            "AGENTMUX_STATE_DIR" => path(self.state.path()),
            "AGENTMUX_CONFIG_FILE" => or_none(self.file.as_deref().map(path)),
            "AGENTMUX_ALLOW_CWD_CONFIG" => yes_or_no(self.allow_cwd_config),
            other => unreachable!("the table has no {other}"),
        }
    }

    /// The agents that are not built in, or not as they are.
    fn own_agents(&self) -> Vec<Arc<Profile>> {
        let all = self.profiles.names().into_iter().filter_map(|name| self.profiles.get(&name));
        all.filter(|profile| profile.origin != Origin::BuiltIn).collect()
    }

    /// The files that they are in.
    fn origins(&self) -> Vec<String> {
        let origins =
            self.own_agents().iter().map(|profile| profile.origin.to_string()).collect::<BTreeSet<_>>();
        origins.into_iter().collect()
    }
}
