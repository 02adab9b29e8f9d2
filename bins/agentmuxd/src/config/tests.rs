//! The configuration's rules, each as a row: what is set, and what comes of it.

use std::collections::BTreeMap;

use super::setting::{ALLOW_CWD_CONFIG, CONFIG_FILE, IN_FILE, STATE_DIR};
use super::*;

type Row<'a> = (&'a str, &'a str);

/// A home folder, with a configuration file in it or not.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with_file(content: &str) -> Self {
        let home = Self::new();
        let folder = home.0.path().join(".config/agentmux");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.json"), content).unwrap();
        home
    }

    fn with_agent(name: &str, profile: &str) -> Self {
        let home = Self::with_file("{}");
        home.agent(name, profile);
        home
    }

    /// A profile of the user's.
    fn agent(&self, name: &str, profile: &str) {
        let folder = self.0.path().join(".config/agentmux/agents");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.toml")), profile).unwrap();
    }

    fn load(&self, env: &[Row<'_>]) -> Result<Config, ConfigError> {
        let env: BTreeMap<_, _> =
            env.iter().map(|(name, value)| (format!("AGENTMUX_{name}"), *value)).collect();
        Config::load(&|name| env.get(name).map(OsString::from), self.0.path())
    }
}

#[track_caller]
fn refused(home: &Home, env: &[Row<'_>], parts: &[&str]) {
    let error = match home.load(env) {
        Ok(_) => panic!("{env:?} was accepted"),
        Err(error) => error.to_string(),
    };
    assert!(parts.iter().all(|part| error.contains(part)), "{env:?}: {error}");
}

#[test]
fn defaults_are_those_of_the_table() {
    let home = Home::new();
    let config = home.load(&[]).unwrap();
    assert_eq!(config.listen.address.to_string(), "127.0.0.1:8765");
    assert_eq!(config.listen.token, Token::Generated);
    assert_eq!(config.log_file, home.0.path().join(".agentmux/agentmux.log"));
    let sessions = config.sessions;
    assert_eq!(
        (sessions.prefix.as_str(), sessions.window.as_str(), sessions.agent.as_str()),
        ("agentmux", "repl", "claude")
    );
    assert_eq!((sessions.workdir.as_path(), sessions.max_sessions), (home.0.path(), 10));
    assert_eq!((sessions.startup_delay, sessions.ready_timeout), (None, Duration::from_secs(30)));
    assert!(sessions.accept_trust && !sessions.allow_external && config.warnings.is_empty());
}

#[test]
fn environment_is_over_file_and_file_over_default() {
    let home = Home::with_file(
        r#"{"port": 1, "agent": "codex", "startup_delay": 1.5, "token": "", "workdir": null}"#,
    );
    let config = home.load(&[("PORT", "2"), ("AGENT", "")]).unwrap();
    assert_eq!((config.listen.address.port(), config.sessions.agent.as_str()), (2, "codex"));
    assert_eq!(config.sessions.startup_delay, Some(Duration::from_millis(1500)));
    assert_eq!(config.listen.token, Token::Generated);
}

#[test]
fn wrong_values_are_refused_with_name_source_and_what_is_allowed() {
    let home = Home::new();
    for (name, value, allowed) in [
        ("PORT", "abc", "a whole number from 0 to 65535, not \"abc\""),
        ("PORT", "65536", "from 0 to 65535"),
        ("PORT", "-1", "from 0 to 65535"),
        ("HOST", "", "not empty"),
        ("HOST", "no such host", "is no address or host name"),
        ("SESSION", "a:b", "A-Z a-z 0-9 _ -"),
        ("WINDOW", "#(id)", "A-Z a-z 0-9 _ -"),
        ("LOGIN_ENV", "sometimes", "must be auto, always or never, not \"sometimes\""),
        ("WORKDIR", "/no/such", "does not exist"),
        ("WORKDIR", "relative", "must be an absolute path"),
        ("REPL_CMD", "claude 'x", "quote that is not closed"),
        ("STARTUP_DELAY", "soon", "a number of seconds from 0 to 3600"),
        ("READY_TIMEOUT", "0", "a number of seconds from 1 to 3600"),
        ("READY_TIMEOUT", "NaN", "a number of seconds from 1 to 3600"),
        ("MAX_SESSIONS", "0", "a whole number from 1 to 1000"),
        ("ALLOW_EXTERNAL_TARGET", "maybe", "true or false"),
        ("TRUST", "never", "accept or ask"),
        ("POLICY", "always", "ask, deny or approve"),
        ("LOG", "inof", "error, warn, info"),
        ("LOG_FILE", "relative.log", "an absolute path"),
        ("STATE_DIR", "relative", "an absolute path"),
        ("TMUX_SOCKET", "/no/such/socket", "folder does not exist"),
        ("ALLOW_HOST", "box:80", "without port or wildcard"),
        ("ALLOW_HOST", "*.example", "without port or wildcard"),
        ("CONFIG_FILE", "/no/such/file", "which does not exist"),
    ] {
        let variable = format!("AGENTMUX_{name} (environment variable)");
        refused(&home, &[(name, value)], &[&variable, allowed]);
    }
}

#[test]
fn a_file_that_is_wrong_is_never_skipped() {
    for (content, why) in [
        ("{\"port\": 1,}", "is not valid JSON: trailing comma at line 1 column 12"),
        ("[]", "must be a JSON object"),
        ("{\"prot\": 1}", "has the unknown key \"prot\"; known are host, port"),
        ("{\"port\": \"8765\"}", "\"port\" in "),
        ("{\"port\": true}", "must be a whole number from 0 to 65535, not true"),
        ("{\"host\": 1}", "must be a text, not 1"),
        ("{\"allow_external_target\": 1}", "must be true or false, not 1"),
    ] {
        refused(&Home::with_file(content), &[], &["config.json", why]);
    }
}

#[test]
fn a_wrong_token_is_refused_without_being_shown() {
    let home = Home::new();
    let error = home.load(&[("TOKEN", "se cret")]).unwrap_err().to_string();
    assert!(error.contains("AGENTMUX_TOKEN") && !error.contains("cret"), "{error}");
    let error = Home::with_file("{\"token\": 4711}").load(&[]).unwrap_err().to_string();
    assert!(error.contains("\"token\" in") && !error.contains("4711"), "{error}");
}

#[test]
fn an_empty_token_opens_the_daemon_and_warns() {
    let config = Home::with_file("{\"token\": \"x\"}").load(&[("TOKEN", "")]).unwrap();
    assert_eq!(config.listen.token, Token::Open);
    assert_eq!(config.warnings.len(), 1);
}

#[test]
fn an_unknown_agent_falls_back_with_a_warning() {
    let config = Home::new().load(&[("AGENT", "clod")]).unwrap();
    assert_eq!(config.sessions.agent.as_str(), "claude");
    assert!(
        config.warnings[0].contains("\"clod\"") && config.warnings[0].contains("codex"),
        "{:?}",
        config.warnings
    );
}

#[test]
fn all_spellings_of_loopback_are_loopback() {
    for host in ["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]", "::ffff:127.0.0.1"] {
        assert!(Home::new().load(&[("HOST", host)]).is_ok(), "{host}");
    }
}

#[test]
fn other_machines_are_let_in_only_where_it_is_meant() {
    const ALL: Row<'_> = ("HOST", "0.0.0.0");
    const REMOTE: Row<'_> = ("ALLOW_REMOTE", "1");
    const NAMES: Row<'_> = ("ALLOW_HOST", "box, box.example");
    let home = Home::new();
    for host in ["0.0.0.0", "::", "0", "0x0", "192.0.2.1", "::ffff:0.0.0.0"] {
        refused(&home, &[("HOST", host)], &["AGENTMUX_HOST", "AGENTMUX_ALLOW_REMOTE=1"]);
    }
    refused(&home, &[ALL, REMOTE], &["AGENTMUX_ALLOW_HOST"]);
    refused(&home, &[ALL, REMOTE, NAMES, ("TOKEN", "short")], &["AGENTMUX_TOKEN", "at least 32"]);
    refused(&home, &[ALL, REMOTE, NAMES, ("TOKEN", "")], &["AGENTMUX_TOKEN", "not be empty"]);
    let config = home.load(&[ALL, REMOTE, NAMES]).unwrap();
    assert!(config.listen.allowed_hosts.contains(&"box.example".to_owned()));
    let config = home.load(&[("HOST", "192.0.2.1"), REMOTE]).unwrap();
    assert!(config.listen.allowed_hosts.contains(&"192.0.2.1".to_owned()));
}

#[test]
fn agents_are_those_built_in_under_the_users_files_under_the_entries() {
    let home = Home::with_file(
        r#"{"agent": "mine", "agents": {"glm": {"extends": "mine", "env": {"A": "1"}}, "codex": {"env": {"B": "2"}}}}"#,
    );
    home.agent("mine", "extends = 'claude'\ncommand = ['other']");
    let config = home.load(&[]).unwrap();
    let agent = |name: &str| config.profiles.get(name).unwrap();
    assert_eq!(config.profiles.names().len(), Profiles::builtin().names().len() + 2);
    assert_eq!((config.sessions.agent.as_str(), &*config.warnings), ("mine", &[][..]));
    assert_eq!((&*agent("glm").command, &*agent("glm").env["A"]), (&["other".to_owned()][..], "1"));
    assert_eq!((agent("codex").env.len(), &*agent("codex").env["B"]), (1, "2"));
}

#[test]
fn a_wrong_agent_is_refused_with_file_and_line() {
    let home = Home::with_agent("mine", "extends = 'claude'\n\n[box]\ntext = '('\n");
    refused(&home, &[], &[".config/agentmux/agents/mine.toml:4: box: text: is no regular expression"]);
    let home = Home::with_file(r#"{"agents": {"glm": {"extends": "claude", "prompt": "x"}}}"#);
    refused(&home, &[], &["profile glm in /", "config.json: unknown field `prompt`"]);
    refused(&Home::with_file(r#"{"agents": []}"#), &[], &["config.json: \"agents\" must be an object"]);
    assert!(Home::with_file(r#"{"agents": null}"#).load(&[]).is_ok());
}

#[test]
fn the_documentation_lists_each_setting() {
    let documentation = include_str!("../../../../docs/configuration.md");
    for setting in IN_FILE.into_iter().chain([STATE_DIR, CONFIG_FILE, ALLOW_CWD_CONFIG]) {
        let key = setting.key.map_or(" |".to_owned(), |key| format!("`{key}` |"));
        let row = format!("| `{}` | {}", setting.variable, key.trim_start_matches(' '));
        assert!(documentation.lines().any(|line| line.starts_with(&row)), "{row}");
    }
}
