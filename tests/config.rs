//! Settings that cannot be obeyed: the daemon does not start, and says which one, and what would be right.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::json;

use crate::harness::{AGENTMUXD, Setup};

const CONFIG: &str = ".config/agentmux/config.json";
const TOML: &str = ".config/agentmux/config.toml";
const LONG_TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The daemon must refuse to start, and say all of that.
#[track_caller]
fn refuses(setup: &Setup, words: &[&str]) {
    let refusal = setup.refused();
    assert!(!refusal.status.success());
    assert!(refusal.status.code().is_some(), "{:?}", refusal.status);
    for word in words {
        assert!(refusal.stderr.contains(word), "{word:?} is not said: {}", refusal.stderr);
    }
    assert!(!refusal.stderr.contains("panicked"), "{}", refusal.stderr);
}

#[test]
fn a_bad_value_is_named_with_its_variable() {
    for (name, value) in [
        ("AGENTMUX_PORT", "abc"),
        ("AGENTMUX_PORT", "70000"),
        ("AGENTMUX_PORT", "-1"),
        ("AGENTMUX_STARTUP_DELAY", "soon"),
        ("AGENTMUX_STARTUP_DELAY", "-1"),
        ("AGENTMUX_READY_TIMEOUT", "x"),
        ("AGENTMUX_MAX_SESSIONS", "0"),
        ("AGENTMUX_MAX_SESSIONS", "many"),
        ("AGENTMUX_SESSION", "a:b"),
        ("AGENTMUX_SESSION", "x#(touch canary)"),
        ("AGENTMUX_WINDOW", "a.b"),
        ("AGENTMUX_WORKDIR", "/no/such/folder"),
        ("AGENTMUX_WORKDIR", "relative"),
        ("AGENTMUX_REPL_CMD", "'unclosed"),
        ("AGENTMUX_HOST", "no such host"),
        ("AGENTMUX_CONFIG_FILE", "/no/such/file"),
        ("AGENTMUX_ALLOW_EXTERNAL_TARGET", "maybe"),
    ] {
        refuses(&Setup::new().env(name, value), &[name]);
    }
}

#[test]
fn a_bad_file_is_named_with_its_key() {
    for (content, words) in [
        ("{", &[CONFIG][..]),
        ("[]", &[CONFIG]),
        (r#"{"port": "x"}"#, &[CONFIG, "port"]),
        (r#"{"port": 70000}"#, &[CONFIG, "port"]),
        (r#"{"agent": 5}"#, &[CONFIG, "agent"]),
        (r#"{"startup_delay": -1}"#, &[CONFIG, "startup_delay"]),
        (r#"{"workdir": "/no/such/folder"}"#, &[CONFIG, "workdir"]),
        (r#"{"session_prefix": "a:b"}"#, &[CONFIG, "session_prefix"]),
    ] {
        refuses(
            &Setup::new().without("AGENTMUX_PORT").without("AGENTMUX_AGENT").write(CONFIG, content),
            words,
        );
    }
}

#[test]
fn a_port_in_use_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    refuses(&Setup::new().env("AGENTMUX_PORT", &port), &["AGENTMUX_PORT", &port, "in use"]);
}

#[test]
fn a_log_that_cannot_be_written_is_said() {
    let setup = Setup::new().write("a-file", "");
    let log = setup.file("a-file/agentmux.log");
    let log = log.to_str().unwrap();
    refuses(&setup.env("AGENTMUX_LOG_FILE", log), &["AGENTMUX_LOG_FILE", log]);
}

#[test]
fn a_state_folder_that_cannot_be_used_is_said() {
    let setup = Setup::new().write("a-file", "");
    let inside = setup.file("a-file/state");
    refuses(&setup.env("AGENTMUX_STATE_DIR", inside.to_str().unwrap()), &["AGENTMUX_STATE_DIR"]);
    let setup = Setup::new();
    let deep = setup.file(&"d".repeat(100));
    refuses(&setup.env("AGENTMUX_STATE_DIR", deep.to_str().unwrap()), &["AGENTMUX_STATE_DIR", "103"]);
}

#[test]
fn a_missing_tmux_is_said() {
    let setup = Setup::new().write("bin/nothing", "");
    let path = setup.file("bin");
    refuses(&setup.env("PATH", path.to_str().unwrap()), &["tmux", "PATH"]);
}

#[test]
fn a_tmux_that_is_too_old_is_said() {
    for version in ["tmux 3.1c", "tmux 2.9a", "tmux 1.8"] {
        let setup = Setup::new().write("bin/tmux", &format!("#!/bin/sh\necho {version}\n"));
        let tmux = setup.file("bin/tmux");
        std::fs::set_permissions(&tmux, PermissionsExt::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/bin:/bin", setup.file("bin").display());
        refuses(&setup.env("PATH", &path), &[version.trim_start_matches("tmux "), "3.2a"]);
    }
}

/// Settings of somebody who wants other machines to reach the daemon.
fn remote(host: &str) -> Setup {
    let insisting = Setup::new().env("AGENTMUX_HOST", host).env("AGENTMUX_ALLOW_REMOTE", "1");
    insisting.env("AGENTMUX_ALLOW_HOST", "box.example").env("AGENTMUX_TOKEN", LONG_TOKEN)
}

#[test]
fn only_this_machine_is_served_unless_the_user_insists() {
    for host in ["0.0.0.0", "::", "0"] {
        refuses(&remote(host).without("AGENTMUX_ALLOW_REMOTE"), &["AGENTMUX_HOST", "AGENTMUX_ALLOW_REMOTE"]);
        refuses(&remote(host).without("AGENTMUX_ALLOW_HOST"), &["AGENTMUX_HOST", "AGENTMUX_ALLOW_HOST"]);
        refuses(&remote(host).env("AGENTMUX_TOKEN", "short"), &["AGENTMUX_TOKEN", "32"]);
        refuses(&remote(host).env("AGENTMUX_TOKEN", ""), &["AGENTMUX_TOKEN", "empty"]);
    }
    let daemon = remote("0.0.0.0").start();
    daemon.get("/health").ok();
    assert_eq!(daemon.stranger().get("/health").status, 403);
}

#[test]
fn a_token_file_that_is_a_link_is_refused() {
    let setup = Setup::new().write("elsewhere", LONG_TOKEN).write("s/x", "");
    std::os::unix::fs::symlink(setup.file("elsewhere"), setup.state().join("token")).unwrap();
    refuses(&setup, &["token"]);
}

#[test]
fn a_token_file_that_others_may_read_is_narrowed() {
    let setup = Setup::new().write("s/token", LONG_TOKEN);
    let token = setup.state().join("token");
    std::fs::set_permissions(&token, PermissionsExt::from_mode(0o644)).unwrap();
    let daemon = setup.start();
    assert_eq!(token.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(daemon.token(), LONG_TOKEN);
    daemon.get("/health").ok();
}

#[test]
fn folders_that_others_may_enter_are_narrowed() {
    let setup = Setup::new().write("s/launch/x", "").write("s/sessions/x", "");
    let folders = [setup.state(), setup.state().join("launch"), setup.state().join("sessions")];
    for folder in &folders {
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o777)).unwrap();
    }
    let daemon = setup.start();
    let log = std::fs::read_to_string(daemon.state().join("agentmux.log")).unwrap();
    for folder in &folders {
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
        assert_eq!(log.matches(&format!("{} had mode 777; narrowed", folder.display())).count(), 1, "{log}");
    }
}

#[test]
fn an_unknown_argument_is_a_usage_error() {
    for argument in ["--bogus", "bogus", "--port=1"] {
        let output = Command::new(AGENTMUXD).arg(argument).env_clear().output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{argument}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(argument.split('=').next().unwrap()));
    }
}

const MINE: &str = ".config/agentmux/agents/mine.toml";

#[test]
fn a_profile_of_the_users_is_an_agent_that_requests_may_name() {
    let glm = json!({"agents": {"glm": {"extends": "mine"}, "who": {"extends": "bash", "env": {"WHO": "it is me"}}}}).to_string();
    let setup = Setup::new().write(MINE, "extends = 'demo'\n").write(CONFIG, &glm);
    let (file, config) = (setup.file(MINE), setup.file(CONFIG));
    let daemon = setup.start();
    let agents = daemon.get("/agents").ok();
    let origin = |name| {
        let agents = agents["agents"].as_array().unwrap();
        agents.iter().find(|agent| agent["name"] == name).unwrap()["origin"].as_str().unwrap().to_owned()
    };
    assert_eq!((origin("mine"), origin("glm")), (file.display().to_string(), config.display().to_string()));
    assert_eq!(origin("demo"), "built in");
    for agent in ["mine", "glm"] {
        let body = json!({"text": "PONG", "agent": agent, "if_busy": "start", "wait": 60});
        assert_eq!(daemon.post("/run", body).ok()["turn"]["reply"], "PONG", "{agent}");
    }
    let body = json!({"text": "echo $WHO", "agent": "who", "if_busy": "start", "wait": 60});
    assert_eq!(daemon.post("/run", body).ok()["turn"]["reply"], "it is me");
}

#[test]
fn a_bad_profile_is_named_with_its_file_and_line() {
    let rule =
        "extends = 'demo'\n\n[[rule]]\nname = 'mine'\nstate = 'busy'\nregion = 'screen'\nmatch = '('\n";
    let wanted = format!("{MINE}:7: rule 'mine': match: is no regular expression");
    refuses(&Setup::new().write(MINE, rule), &[&wanted]);
    let refusal = Setup::new().write(MINE, rule).refused();
    assert_eq!(refusal.status.code(), Some(78));
    refuses(&Setup::new().write(MINE, "extends = 'nobody'\n"), &[MINE, ":1: extends: there is no 'nobody'"]);
}

/// What `agentmuxd --check-config` prints, and its status.
fn check(setup: &Setup, json: bool) -> (String, Option<i32>) {
    let mut shell = Command::new("/bin/sh");
    let option = if json { "--json" } else { "" };
    shell.args(["-c", &format!("{} '{AGENTMUXD}' --check-config {option}", setup.assignments())]);
    let output = shell.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

/// The files below a folder, with their modes.
fn files(folder: &std::path::Path) -> Vec<(std::path::PathBuf, u32)> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let entry = entry.unwrap();
        found.push((entry.path(), entry.metadata().unwrap().permissions().mode()));
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_daemon_obeys_its_toml_file() {
    let setup = Setup::new().without("AGENTMUX_AGENT");
    let config = "session_prefix = 'tomled'\n[agents.who]\nextends = 'bash'\nenv = {WHO = 'it is me'}\n";
    let daemon = setup.write(TOML, config).start();
    let body = json!({"text": "echo $WHO", "agent": "who", "wait": 60});
    let run = daemon.post("/run", body).ok();
    assert_eq!(run["turn"]["reply"], "it is me");
    assert!(run["session"].as_str().unwrap().starts_with("tomled-"), "{run}");
}

#[test]
fn a_check_tells_what_is_in_force_and_where_it_was_set_and_changes_nothing() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let setup = Setup::new()
        .without("AGENTMUX_PORT")
        .write(TOML, &format!("\nport = {port}\ntoken = '{LONG_TOKEN}'\n"));
    let setup = setup.write(MINE, "extends = 'demo'\n");
    std::fs::set_permissions(setup.file(TOML), PermissionsExt::from_mode(0o644)).unwrap();
    let before = files(&setup.file(""));
    let (text, status) = check(&setup, false);
    assert_eq!(status, Some(0), "{text}");
    let row = |name: &str| text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap().to_owned();
    let file = setup.file(TOML);
    assert!(
        row("port").contains(&port) && row("port").ends_with(&format!("\"port\" in {}:2:8", file.display()))
    );
    assert!(row("agent").ends_with("AGENTMUX_AGENT (environment variable)"), "{text}");
    assert!(row("agents").contains("mine") && row("agents").ends_with(MINE), "{text}");
    assert!(row("max_sessions").ends_with("default"), "{text}");
    assert!(text.starts_with("warning: ") && text.contains("mode 644"), "{text}");
    assert!(!text.contains(LONG_TOKEN), "{text}");

    let (document, status) = check(&setup, true);
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!((&document["ok"], status, &document["errors"]), (&json!(true), Some(0), &json!([])));
    let shown = document["settings"].as_array().unwrap();
    assert!(shown.contains(&json!({"name": "policy", "value": "ask", "source": "default"})), "{document}");
    assert_eq!(files(&setup.file("")), before);
}

#[test]
fn a_check_and_a_daemon_refuse_the_same_in_the_same_words() {
    let setup = Setup::new()
        .without("AGENTMUX_PORT")
        .write(TOML, "port = 'x'\nagnet = 'claude'\n")
        .write(MINE, "extends = 'nobody'\n");
    let (text, status) = check(&setup, false);
    let refusal = setup.refused();
    assert_eq!((status, refusal.status.code()), (Some(1), Some(78)));
    let errors: Vec<_> = text.lines().map(|line| line.strip_prefix("error: ").unwrap()).collect();
    assert_eq!(errors.len(), 3, "{text}");
    let told: Vec<_> = refusal.stderr.lines().skip(1).map(str::trim_start).collect();
    assert_eq!(told, errors);
    assert!(!setup.state().exists());
}

#[test]
fn an_unknown_key_of_json_is_passed_over_and_told() {
    let daemon = Setup::new().write(CONFIG, r#"{"prot": 8765}"#).start();
    let log = std::fs::read_to_string(daemon.state().join("agentmux.log")).unwrap();
    assert!(log.contains("unknown key \"prot\"; did you mean \"port\"?"), "{log}");
}

#[test]
fn a_file_with_secrets_that_others_may_read_is_narrowed() {
    for (content, narrowed) in
        [(format!("token = '{LONG_TOKEN}'"), true), ("max_sessions = 9".to_owned(), false)]
    {
        let setup = Setup::new().write(TOML, &content);
        let file = setup.file(TOML);
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
        let daemon = setup.start();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        let log = std::fs::read_to_string(daemon.state().join("agentmux.log")).unwrap();
        let told = log.matches("config.toml had mode 644; narrowed").count();
        assert_eq!((mode, told), if narrowed { (0o600, 1) } else { (0o644, 0) });
    }
}
