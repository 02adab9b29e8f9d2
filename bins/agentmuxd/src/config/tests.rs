//! The configuration's rules, each as a row: what is set, and what comes of it.

use std::collections::BTreeMap;

use std::time::Duration;

use super::setting::{Default, Kind, Setting};
use super::*;

type Row<'a> = (&'a str, &'a str);

/// A home folder, with a configuration file in it or not.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with_file(content: &str) -> Self {
        Self::with("config.json", content)
    }

    fn with_toml(content: &str) -> Self {
        Self::with("config.toml", content)
    }

    fn with(name: &str, content: &str) -> Self {
        let home = Self::new();
        let folder = home.0.path().join(".config/agentmux");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), content).unwrap();
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
    let mut rows = vec![
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
    ];
    // All that is wrong is told at once: one look for each value that a setting has above.
    while !rows.is_empty() {
        let mut names = std::collections::BTreeSet::new();
        let (round, rest): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(name, ..)| names.insert(*name));
        let env: Vec<_> = round.iter().map(|(name, value, _)| (*name, *value)).collect();
        let error = Home::new().load(&env).unwrap_err();
        for (name, _, allowed) in round {
            let variable = format!("AGENTMUX_{name} (environment variable)");
            let told = |sentence: &&String| sentence.starts_with(&variable) && sentence.contains(allowed);
            assert_eq!(error.sentences().iter().filter(told).count(), 1, "{variable} {allowed}: {error}");
        }
        rows = rest;
    }
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let variable = "AGENTMUX_CONFIG_FILE (environment variable)";
    refused(&Home::new(), &[("CONFIG_FILE", "/no/such/file")], &[variable, "which does not exist"]);
}

#[test]
fn a_file_that_is_wrong_is_never_skipped() {
    for (content, why) in [
        ("{\"port\": 1,}", "is not valid JSON: trailing comma at line 1 column 12"),
        ("[]", "must be a JSON object"),
        ("{\"port\": \"high\"}", "\"port\" in "),
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
    refused(&Home::with_file(r#"{"agents": []}"#), &[], &["config.json: \"agents\" must be a table"]);
    assert!(Home::with_file(r#"{"agents": null}"#).load(&[]).is_ok());
}

/// The documentation's table, which is made of ours.
#[test]
fn the_documentation_has_the_table() {
    let mut table = "| variable | key | value | default | meaning |\n|---|---|---|---|---|\n".to_owned();
    for setting in TABLE {
        let code = |text: Option<&str>| text.map_or_else(String::new, |text| format!("`{text}`"));
        let default = match setting.default {
            Default::Value(value) if setting.kind == Kind::Flag => value.to_owned(),
            Default::Value(value) => code(Some(value)),
            Default::Words(words) => words.to_owned(),
        };
        let cells = [
            code(setting.variable),
            code(setting.key),
            setting.kind.to_string(),
            default,
            setting.meaning.to_owned(),
        ];
        table += &format!("| {} |\n", cells.join(" | ")).replace("|  |", "| |");
    }
    let documentation = include_str!("../../../../docs/configuration.md");
    assert!(documentation.contains(&table), "docs/configuration.md must have this table:\n\n{table}");
}

#[test]
fn no_two_settings_share_a_name() {
    let names = |of: fn(&Setting) -> Option<&'static str>| {
        let all: Vec<_> = TABLE.iter().filter_map(|setting| of(setting)).collect();
        (all.len(), all.into_iter().collect::<std::collections::BTreeSet<_>>().len())
    };
    for (all, different) in [names(|setting| setting.variable), names(|setting| setting.key)] {
        assert_eq!(all, different);
    }
}

/// A value that each kind of setting takes, in the environment, and the same in TOML.
fn sample(setting: &Setting, home: &Path) -> (String, String) {
    let quoted = |text: &str| (text.to_owned(), format!("{text:?}"));
    match setting.kind {
        Kind::Text => match setting.name() {
            "workdir" => quoted(home.join("w").to_str().unwrap()),
            "log" => quoted("debug"),
            "agent" => quoted("codex"),
            "host" => quoted("127.0.0.2"),
            _ => quoted("some"),
        },
        Kind::Secret => quoted("some"),
        Kind::Flag => ("yes".to_owned(), "true".to_owned()),
        Kind::Number(least, _) => ((least + 1).to_string(), (least + 1).to_string()),
        Kind::Seconds(least, _) => (format!("{least}.5"), format!("{least}.5")),
        Kind::List => ("some".to_owned(), "[\"some\"]".to_owned()),
        Kind::Path => quoted(home.join("some").to_str().unwrap()),
        Kind::Word(words) => quoted(words.last().unwrap()),
        Kind::Table => (String::new(), "{ own = { extends = \"demo\" } }".to_owned()),
    }
}

#[test]
fn each_setting_is_read_from_the_variable_and_the_file_and_shown_with_its_source() {
    let home = Home::with_toml("");
    std::fs::create_dir(home.0.path().join("w")).unwrap();
    let file = home.0.path().join(".config/agentmux/config.toml");
    let samples = TABLE.map(|setting| sample(setting, home.0.path()));
    let shown = |env: &[Row<'_>]| home.load(env).unwrap_or_else(|error| panic!("{error}")).shown();
    let defaults = shown(&[]);
    let keys = TABLE
        .iter()
        .zip(&samples)
        .filter_map(|(setting, (_, toml))| setting.key.map(|key| format!("{key} = {toml}\n")));
    std::fs::write(&file, keys.collect::<String>()).unwrap();
    let from_file = shown(&[]);
    let rows: Vec<_> = TABLE
        .iter()
        .zip(&samples)
        .filter_map(|(setting, (text, _))| {
            let name = setting.variable?.strip_prefix("AGENTMUX_")?;
            (name != "CONFIG_FILE").then_some((name, text.as_str()))
        })
        .collect();
    let from_variables = shown(&rows);
    for (at, setting) in TABLE.iter().enumerate() {
        let [default, file, variable] = [&defaults, &from_file, &from_variables].map(|shown| &shown[at]);
        assert_eq!((default.name, &*default.source), (setting.name(), "default"));
        if let Some(key) = setting.key {
            assert!(file.source.contains("config.toml") && file.value != default.value, "{key}: {file:?}");
        }
        if rows.iter().any(|(name, _)| setting.variable == Some(&*format!("AGENTMUX_{name}"))) {
            assert_eq!(variable.source, format!("{} (environment variable)", setting.variable.unwrap()));
            assert_ne!(variable.value, default.value, "{}", setting.name());
            assert!(setting.key.is_none() || variable.value == file.value, "{variable:?} {file:?}");
        }
    }
}

#[test]
fn each_word_of_a_choice_means_itself() {
    let choices: Vec<_> = TABLE
        .iter()
        .filter_map(|setting| match setting.kind {
            Kind::Word(words) => Some((setting, words)),
            _ => None,
        })
        .collect();
    for at in 0..3 {
        let chosen = choices.iter().map(|(setting, words)| (setting, words[at.min(words.len() - 1)]));
        let rows: Vec<_> =
            chosen.clone().map(|(setting, word)| (&setting.variable.unwrap()[9..], word)).collect();
        let shown = Home::new().load(&rows).unwrap().shown();
        for (setting, word) in chosen {
            assert_eq!(shown.iter().find(|shown| shown.name == setting.name()).unwrap().value, word);
        }
    }
}

/// What is said of a file, with HOME for the folder that it is in; each part must begin a sentence.
#[track_caller]
fn toml_refused(content: &str, wanted: &[&str]) {
    let home = Home::with_toml(content);
    let folder = home.0.path().join(".config/agentmux").display().to_string();
    let error = home.load(&[]).unwrap_err();
    let told: Vec<_> = error.sentences().iter().map(|sentence| sentence.replace(&folder, "HOME")).collect();
    for part in wanted {
        assert!(told.iter().any(|sentence| sentence.starts_with(part)), "{part}\nis not in {told:#?}");
    }
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
}

#[test]
fn a_wrong_value_in_toml_is_told_with_line_and_column_and_what_is_allowed() {
    let content = "port = \"8765\"
  host =  1
allow_remote = \"yes\"
trust = 'never'
startup_delay = -1.5
prot = 1
[agents.glm]
extends = 'nobody'
[server]
port = 1
";
    let wanted = [
        "\"port\" in HOME/config.toml:1:8 must be a whole number from 0 to 65535, not \"8765\"",
        "\"host\" in HOME/config.toml:2:11 must be a text, not 1",
        "\"allow_remote\" in HOME/config.toml:3:16 must be true or false, not \"yes\"",
        "\"trust\" in HOME/config.toml:4:9 must be accept or ask, not \"never\"",
        "\"startup_delay\" in HOME/config.toml:5:17 must be a number of seconds from 0 to 3600, not -1.5",
        "HOME/config.toml:6:1 has the unknown key \"prot\"; did you mean \"port\"?",
        "profile glm in HOME/config.toml:7: extends: there is no 'nobody' below it",
        "HOME/config.toml:9:2 has the unknown key \"server\"; known are host, port",
    ];
    toml_refused(content, &wanted);
}

#[test]
fn what_is_no_toml_or_no_setting_is_told_with_its_place() {
    toml_refused("port = ", &["configuration file HOME/config.toml:1:8 is not valid TOML"]);
    let no_number =
        "configuration file HOME/config.toml:1:17 \"startup_delay\" holds a number that no setting can be";
    toml_refused("startup_delay = nan", &[no_number]);
    toml_refused("agents = []", &["profile HOME/config.toml:1: \"agents\" must be a table"]);
    let unknown = "profile glm in HOME/config.toml:2: unknown field `prompt`";
    toml_refused("\n[agents.glm]\nextends = 'claude'\nprompt = 'x'", &[unknown]);
}

#[test]
fn unknown_keys_in_json_are_told_as_the_original_passed_over_them() {
    let config = Home::with_file(r#"{"prot": 1, "_comment": "mine", "port": "8766", "startup_delay": "2"}"#)
        .load(&[])
        .unwrap();
    assert_eq!(config.listen.address.port(), 8766);
    assert_eq!(config.sessions.startup_delay, Some(Duration::from_secs(2)));
    assert_eq!(config.warnings.len(), 2);
    assert!(
        config.warnings[1].contains("config.json has the unknown key \"prot\"; did you mean \"port\"?"),
        "{:?}",
        config.warnings
    );
}

#[test]
fn two_files_are_refused_with_both_names() {
    let home = Home::with_file("{}");
    std::fs::write(home.0.path().join(".config/agentmux/config.toml"), "").unwrap();
    refused(&home, &[], &["config.toml", "config.json", "keep one"]);
    // Whoever names a file has said which one is meant.
    let named = home.0.path().join(".config/agentmux/config.toml");
    assert!(home.load(&[("CONFIG_FILE", named.to_str().unwrap())]).is_ok());
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let home = Home::with_toml("port = 70000\ntrust = 'x'\n[agents.a]\nextends = 'nobody'\n");
    home.agent("mine", "extends = 'noone'\n");
    let error = home.load(&[("MAX_SESSIONS", "0"), ("HOST", "")]).unwrap_err();
    let parts = ["AGENTMUX_HOST", "\"port\"", "\"trust\"", "AGENTMUX_MAX_SESSIONS", "'nobody'", "'noone'"];
    assert_eq!(error.sentences().len(), parts.len(), "{error}");
    assert!(parts.iter().all(|part| error.to_string().contains(part)), "{error}");
}

#[test]
fn a_home_that_is_missing_is_an_error_and_no_panic() {
    let error = Config::load(&|_| None, Path::new("/no/such/home")).unwrap_err().to_string();
    assert!(error.starts_with("workdir (default) cannot be used"), "{error}");
}

#[test]
fn no_token_is_shown() {
    let home = Home::with_toml("token = 'a-token-in-the-file'");
    for env in [&[][..], &[("TOKEN", "a-token-of-the-environment")]] {
        let shown = format!("{:?}", home.load(env).unwrap().shown());
        assert!(shown.contains("one that is set") && !shown.contains("a-token"), "{shown}");
    }
}
