//! Settings that cannot be obeyed: the daemon does not start, and says which one, and what would be right.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::json;

use crate::harness::{AGENTMUXD, Setup};

const CONFIG: &str = ".config/agentmux/config.json";
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
        (r#"{"prot": 8765}"#, &[CONFIG, "prot"]),
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
