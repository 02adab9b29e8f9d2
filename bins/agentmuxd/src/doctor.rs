//! `agentmuxd doctor`: what a daemon that is started now would find. It changes nothing, and needs no daemon.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use agentmux_api::doctor::{Check, CheckStatus, Doctor};
use agentmux_core::agent;
use agentmux_tmux::{ConnectError, Tmux, Usable, Version};

use crate::agent_env;
use crate::config::{Config, ConfigError, LoginEnv};
use crate::serve::tmux_config;

/// Looks at everything; at the agents only where that is wanted.
pub(crate) async fn look(config: Result<Config, ConfigError>, agents: bool) -> Doctor {
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            let hint = "docs/configuration.md lists the settings";
            let fail = |sentence: &String| Check::fail("config", sentence, hint);
            return Doctor { ok: false, checks: error.sentences().iter().map(fail).collect(), agents: None };
        }
    };
    let mut checks = vec![configuration(&config), tmux(&config).await];
    checks.push(private("state", config.state.path(), 0o700));
    checks.push(private("token", &config.state.token(), 0o600));
    let agents = if agents { look_at_agents(&config).await } else { None };
    Doctor { ok: checks.iter().all(|check| check.status != CheckStatus::Fail), checks, agents }
}

fn configuration(config: &Config) -> Check {
    let file = config.file.as_ref().map_or("no file".to_owned(), |file| file.display().to_string());
    match config.warnings.as_slice() {
        [] => Check::ok("config", file),
        warnings => Check::warn("config", file, &warnings.join("; ")),
    }
}

/// The program, and the server where one runs.
async fn tmux(config: &Config) -> Check {
    let install = format!("install tmux {} or newer", Version::OLDEST);
    let asked = match std::env::current_exe().ok().map(|program| tmux_config(config, &program)) {
        Some(Ok(asked)) => asked,
        Some(Err(missing)) => return Check::fail("tmux", missing.to_string(), &install),
        None => return Check::fail("tmux", "agentmuxd does not find itself", "start it by its full path"),
    };
    match Tmux::check(&asked).await {
        Ok(Usable { program, is_running }) => {
            let server = if is_running { "its server answers" } else { "no server runs yet" };
            Check::ok("tmux", format!("{program}, {}; {server}", asked.tmux.display()))
        }
        Err(error) => Check::fail("tmux", error.to_string(), &hint(&error, &install)),
    }
}

/// What to do about a tmux that cannot be used.
fn hint(error: &ConnectError, install: &str) -> String {
    match error {
        ConnectError::TooOld { .. } => install.to_owned(),
        ConnectError::Server(_) | ConnectError::ServerTooOld { .. } => {
            "end that server, once its agents are done; docs/deployment.md, \"Update tmux\"".to_owned()
        }
        ConnectError::SocketPath { .. } => "set AGENTMUX_TMUX_SOCKET to a shorter path".to_owned(),
        _ => "run `tmux -V` by hand".to_owned(),
    }
}

/// A file or folder that must be this user's alone.
fn private(name: &str, path: &Path, mode: u32) -> Check {
    let shown = path.display();
    let meta = match path.symlink_metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Check::ok(name, format!("{shown}, which the daemon makes at its start"));
        }
        Err(error) => return Check::fail(name, format!("{shown}: {error}"), "see that it can be read"),
    };
    let found = meta.mode() & 0o777;
    if meta.is_symlink() && name == "token" {
        Check::fail(name, format!("{shown} is a symbolic link"), "put a file in its place")
    } else if meta.uid() != rustix::process::geteuid().as_raw() {
        Check::fail(name, format!("{shown} belongs to user {}", meta.uid()), "give it back to this user")
    } else if !meta.is_symlink() && found & 0o077 != 0 {
        let hint = format!("chmod {mode:o} {shown}; the daemon does so at its start");
        Check::warn(name, format!("{shown} has mode {found:03o}: others may look into it"), &hint)
    } else {
        Check::ok(name, format!("{shown}, for this user alone"))
    }
}

/// As a daemon that is not started from a terminal finds them.
async fn look_at_agents(config: &Config) -> Option<agentmux_api::Agents> {
    let login = match config.login_env {
        LoginEnv::Auto => LoginEnv::Always,
        set => set,
    };
    let program = std::env::current_exe().ok()?;
    let environment = agent_env::source(login, &program, &config.home).get().await;
    let mut found = agent::find(&config.profiles, &config.sessions, &environment);
    agent::ask_versions(&mut found, &config.profiles, &config.sessions, &environment).await;
    Some(agentmux_http::agents(found, config.sessions.agent.as_str(), &environment))
}

/// Whether the arguments ask for the agents, too.
pub(crate) fn wants_agents(args: &[OsString]) -> Result<bool, String> {
    match args {
        [] => Ok(true),
        [only] if only == "--without-agents" => Ok(false),
        _ => Err("doctor takes nothing but --without-agents".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_others_may_look_into_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        assert_eq!(private("token", &file, 0o600).status, CheckStatus::Ok);
        std::fs::write(&file, "secret").unwrap();
        for (mode, status) in [(0o600, CheckStatus::Ok), (0o644, CheckStatus::Warn)] {
            std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
            let check = private("token", &file, 0o600);
            assert_eq!(check.status, status, "{check:?}");
            assert!(!format!("{check:?}").contains("secret"));
        }
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(private("token", &link, 0o600).status, CheckStatus::Fail);
    }
}
