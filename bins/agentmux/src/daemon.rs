//! Where the daemon is, and the token that it gets.
//!
//! Any program of any user can listen on a port that the daemon has left. So the token goes only where the
//! user said (`AGENTMUX_HOST`, `AGENTMUX_PORT`), or where the state folder's `daemon.json` names a process that
//! lives.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::PathBuf;

use agentmux_api::local::{DaemonFile, StateDir};
use hyper::Uri;

use crate::ending::Failed;

const HOST: &str = "127.0.0.1";
const PORT: u16 = 8765;

/// The daemon to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Daemon {
    /// Without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) token: Token,
    /// The tmux server that holds its sessions.
    pub(crate) tmux_socket: Option<PathBuf>,
}

/// What is known of the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// To be sent.
    Known(String),
    /// There is none.
    None,
    /// Nothing vouches for who listens there.
    Withheld,
}

impl Daemon {
    /// Finds it by the environment's variables and the state folder.
    pub(crate) fn find(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failed> {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        let state = StateDir::locate(given("AGENTMUX_STATE_DIR").as_deref(), given("HOME").as_deref());
        let file = state.as_ref().map(daemon_file).transpose()?.flatten();
        let tmux_socket = match &file {
            Some(file) => Some(file.tmux_socket.clone()),
            None => {
                let set = given("AGENTMUX_TMUX_SOCKET").map(PathBuf::from);
                set.or_else(|| state.as_ref().map(StateDir::tmux_socket))
            }
        };
        let token = || token(given("AGENTMUX_TOKEN"), state.as_ref());
        let (host, port) = (host(given("AGENTMUX_HOST"))?, port(given("AGENTMUX_PORT"))?);
        if host.is_some() || port.is_some() {
            let (host, port) = (host.map_or(HOST.to_owned(), reachable), port.unwrap_or(PORT));
            return Ok(Self { host, port, token: token()?, tmux_socket });
        }
        match file.filter(is_alive) {
            Some(file) => {
                let (host, port) = address(&file.url)?;
                Ok(Self { host, port, token: token()?, tmux_socket })
            }
            None => Ok(Self { host: HOST.to_owned(), port: PORT, token: Token::Withheld, tmux_socket }),
        }
    }

    /// `HOST:PORT`, as in a URL.
    pub(crate) fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// Whether the daemon's process lives, and is this user's.
fn is_alive(file: &DaemonFile) -> bool {
    let pid = i32::try_from(file.pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

fn daemon_file(state: &StateDir) -> Result<Option<DaemonFile>, Failed> {
    let path = state.daemon();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(Failed::new(format!("could not read {}: {error}", path.display()))),
    };
    let file = serde_json::from_str(&text);
    file.map(Some).map_err(|error| Failed::new(format!("{} is not the daemon's: {error}", path.display())))
}

/// The token that the user has, and where it is from.
pub(crate) fn own_token(variable: impl Fn(&str) -> Option<String>) -> Result<(String, String), Failed> {
    let given = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(token) = given("AGENTMUX_TOKEN") {
        return Ok((token, "AGENTMUX_TOKEN".to_owned()));
    }
    let state = StateDir::locate(given("AGENTMUX_STATE_DIR").as_deref(), given("HOME").as_deref());
    let state =
        state.ok_or_else(|| Failed::new("there is no state folder: set HOME or AGENTMUX_STATE_DIR"))?;
    let path = state.token().display().to_string();
    let none =
        || Failed::new(format!("there is no token in {path}: the daemon makes it when it is first started"));
    Ok((file_token(&state)?.ok_or_else(none)?, path))
}

fn token(variable: Option<String>, state: Option<&StateDir>) -> Result<Token, Failed> {
    let token = match (variable, state) {
        (Some(token), _) => Some(token),
        (None, Some(state)) => file_token(state)?,
        (None, None) => None,
    };
    Ok(token.map_or(Token::None, Token::Known))
}

fn file_token(state: &StateDir) -> Result<Option<String>, Failed> {
    let path = state.token();
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|token| !token.is_empty())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Failed::new(format!("could not read {}: {error}", path.display()))),
    }
}

/// 0 means a free port to the daemon, which tells in `daemon.json` which one it is.
fn port(variable: Option<String>) -> Result<Option<u16>, Failed> {
    let parse = |text: String| {
        text.trim()
            .parse()
            .map_err(|_| Failed::usage(format!("AGENTMUX_PORT must be 0 to 65535, not '{text}'")))
    };
    Ok(variable.map(parse).transpose()?.filter(|port| *port != 0))
}

/// A name or an address: the port is another variable's.
fn host(variable: Option<String>) -> Result<Option<String>, Failed> {
    let is_host = |text: &str| {
        let address = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        address.parse::<IpAddr>().is_ok()
            || text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    match variable {
        Some(text) if !is_host(&text) => {
            let wanted = "AGENTMUX_HOST must be a host's name or address alone";
            Err(Failed::usage(format!("{wanted}, not '{text}'; the port is AGENTMUX_PORT's")))
        }
        host => Ok(host),
    }
}

/// One listens on all addresses, but asks on one.
fn reachable(host: String) -> String {
    match host.trim_matches(['[', ']']) {
        "0.0.0.0" => HOST.to_owned(),
        "::" => "::1".to_owned(),
        host => host.to_owned(),
    }
}

fn address(url: &str) -> Result<(String, u16), Failed> {
    let uri = url.parse::<Uri>().ok();
    let authority = uri.as_ref().and_then(Uri::authority);
    let found = authority.and_then(|it| Some((reachable(it.host().to_owned()), it.port_u16()?)));
    found.ok_or_else(|| Failed::new(format!("daemon.json names no address that can be asked: '{url}'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state folder whose daemon is this very process, or one that is gone.
    fn state(pid: u32) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let file = DaemonFile {
            pid,
            url: "http://127.0.0.1:4711".to_owned(),
            version: "0.1.0".to_owned(),
            tmux_socket: "/x/tmux.sock".into(),
        };
        std::fs::write(dir.path().join("daemon.json"), serde_json::to_string(&file).unwrap()).unwrap();
        std::fs::write(dir.path().join("token"), "amx_file\n").unwrap();
        dir
    }

    fn find(dir: &tempfile::TempDir, variables: &[(&str, &str)]) -> Result<Daemon, Failed> {
        Daemon::find(|name| match name {
            "AGENTMUX_STATE_DIR" => Some(dir.path().to_str().unwrap().to_owned()),
            name => variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
        })
    }

    fn known(token: &str) -> Token {
        Token::Known(token.to_owned())
    }

    const NOBODY: u32 = i32::MAX as u32;

    #[test]
    fn a_living_daemon_of_the_state_folder_is_asked() {
        let dir = state(std::process::id());
        let daemon = find(&dir, &[("AGENTMUX_PORT", "0")]).unwrap();
        assert_eq!((daemon.authority(), daemon.token), ("127.0.0.1:4711".to_owned(), known("amx_file")));
        assert_eq!(daemon.tmux_socket, Some("/x/tmux.sock".into()));
    }

    #[test]
    fn whoever_took_the_port_of_a_dead_daemon_gets_no_token() {
        let daemon = find(&state(NOBODY), &[("AGENTMUX_TOKEN", "secret")]).unwrap();
        assert_eq!((daemon.authority(), daemon.token), ("127.0.0.1:8765".to_owned(), Token::Withheld));
    }

    #[test]
    fn an_address_that_was_given_is_asked_with_the_token() {
        for (variables, authority, token) in [
            (&[("AGENTMUX_PORT", "1")][..], "127.0.0.1:1", "amx_file"),
            (&[("AGENTMUX_HOST", "::1"), ("AGENTMUX_TOKEN", "t")], "[::1]:8765", "t"),
            (&[("AGENTMUX_HOST", "0.0.0.0"), ("AGENTMUX_TOKEN", "")], "127.0.0.1:8765", "amx_file"),
        ] {
            let daemon = find(&state(NOBODY), variables).unwrap();
            assert_eq!((daemon.authority(), daemon.token), (authority.to_owned(), known(token)));
        }
    }

    #[test]
    fn without_a_state_folder_there_is_no_token() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(find(&dir, &[("AGENTMUX_PORT", "1")]).unwrap().token, Token::None);
    }

    #[test]
    fn the_token_is_told_with_where_it_is_from() {
        let dir = state(NOBODY);
        let told = |variables: &[(&str, &str)]| {
            let folder = ("AGENTMUX_STATE_DIR", dir.path().to_str().unwrap());
            let known = [variables, &[folder]].concat();
            own_token(|name| {
                known.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let file = dir.path().join("token");
        assert_eq!(told(&[]).unwrap(), ("amx_file".to_owned(), file.display().to_string()));
        assert_eq!(told(&[("AGENTMUX_TOKEN", "t")]).unwrap(), ("t".to_owned(), "AGENTMUX_TOKEN".to_owned()));
        std::fs::remove_file(&file).unwrap();
        assert!(told(&[]).unwrap_err().sentence().starts_with("there is no token in "));
        assert!(own_token(|_| None).unwrap_err().sentence().starts_with("there is no state folder"));
    }

    #[test]
    fn a_wrong_host_or_port_is_named() {
        for (variable, value, part) in [
            ("AGENTMUX_PORT", "high", "AGENTMUX_PORT must be 0 to 65535, not 'high'"),
            ("AGENTMUX_HOST", "127.0.0.1:1", "address alone, not '127.0.0.1:1'; the port is AGENTMUX_PORT's"),
            ("AGENTMUX_HOST", "http://a", "address alone, not 'http://a'"),
            ("AGENTMUX_HOST", "a b", "address alone, not 'a b'"),
        ] {
            let failed = find(&state(NOBODY), &[(variable, value)]).unwrap_err();
            assert!(failed.sentence().contains(part), "{}", failed.sentence());
        }
        for host in ["localhost", "my-host.example", "::1", "[::1]", "10.0.0.1"] {
            assert!(find(&state(NOBODY), &[("AGENTMUX_HOST", host)]).is_ok(), "{host}");
        }
    }
}
