//! `agentmux doctor`: with a daemon and without one; what it says, and what it must not say.

use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::client::program;
use crate::harness::{Daemon, Setup, eventually, is_alive};

/// The doctor of that home; without a daemon, its port is one on which nothing listens.
fn doctor(setup: &Setup, args: &[&str]) -> Output {
    let mut command = Command::new(program());
    command.env_clear().env("HOME", setup.file("")).env("AGENTMUX_STATE_DIR", setup.state());
    let path = format!("{}:/usr/bin:/bin", setup.file("first").display());
    command.env("PATH", path).env("SHELL", "/bin/sh").stdin(Stdio::null());
    if !setup.state().join("daemon.json").exists() {
        command.env("AGENTMUX_PORT", "1");
    }
    command.arg("doctor").args(args).output().unwrap()
}

/// Its document; it must end with that status.
#[track_caller]
fn document(setup: &Setup, status: i32) -> Value {
    let output = doctor(setup, &["--json"]);
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What was found about that, and how it is.
#[track_caller]
fn check<'a>(document: &'a Value, name: &str) -> (&'a str, &'a str) {
    let mut checks = document["checks"].as_array().unwrap().iter();
    let check = checks.find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}: {document:#}"));
    (check["status"].as_str().unwrap(), check["found"].as_str().unwrap())
}

const SECRETS: [&str; 2] = ["secret-in-file", "secret-in-variable"];

/// Agents of all kinds, in `tools`.
fn agents(setup: Setup) -> Setup {
    let hung = setup.file("hung").display().to_string();
    setup
        .script("tools/claude", "echo '2.1.330 (Claude Code)'")
        .script("tools/gemini", "echo; echo 99.0.0; cat")
        .script("tools/qwen", "echo complaint; exit 3")
        .script("tools/codex", &format!("sleep 1000 & echo $! > '{hung}'; wait"))
        .write(".claude/.credentials.json", SECRETS[0])
}

#[test]
fn a_daemon_is_asked_for_its_agents_and_their_versions() {
    let setup = agents(Setup::new()).env("GEMINI_API_KEY", SECRETS[1]);
    let path = format!("{}:/usr/bin:/bin", setup.file("tools").display());
    let daemon = setup.env("PATH", &path).start();
    let found = document(daemon.setup(), 0);
    assert_eq!(found["ok"], true);
    for (name, status, part) in [
        ("config", "ok", "no file"),
        ("tmux", "ok", "tmux "),
        ("state", "ok", "for this user alone"),
        ("token", "ok", "for this user alone"),
        ("daemon", "ok", &*format!("ready at {}", daemon.url())),
        ("environment", "ok", "AGENTMUX_LOGIN_ENV is never"),
        ("claude", "ok", "2.1.330 (Claude Code), "),
        ("claude", "ok", "logged in: file ~/.claude/.credentials.json"),
        ("gemini", "warn", "99.0.0, "),
        ("gemini", "warn", "newer than "),
        ("gemini", "warn", "logged in: variable GEMINI_API_KEY"),
        ("qwen", "warn", "version unknown, "),
        ("qwen", "warn", "no login found"),
        ("codex", "warn", "version unknown, "),
        ("aider", "absent", "aider is not found"),
        ("demo", "ok", "agentmuxd "),
    ] {
        let check = check(&found, name);
        assert!(check.0 == status && check.1.contains(part), "{name}: {check:?} lacks {part:?}");
    }
    let hint = |name: &str| {
        let checks = found["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == name).unwrap()["hint"].as_str().unwrap().to_owned()
    };
    assert!(hint("codex").contains("did not answer within 10 s"), "{}", hint("codex"));
    assert!(hint("qwen").contains("exit status: 3"), "{}", hint("qwen"));
    let pid = std::fs::read_to_string(daemon.file("hung")).unwrap().trim().parse().unwrap();
    eventually("what hung is gone", || (!is_alive(pid)).then_some(()));
    SECRETS.iter().for_each(|secret| assert!(!found.to_string().contains(secret), "{found:#}"));
}

#[test]
fn without_a_daemon_it_looks_by_itself() {
    let setup = agents(Setup::new()).write(".profile", "PATH=$HOME/tools:$PATH; echo noise\n");
    std::fs::write(setup.file("tools/codex"), "#!/bin/sh\necho codex-cli 0.1.0\n").unwrap();
    let found = document(&setup, 0);
    assert_eq!(check(&found, "daemon").0, "warn");
    assert!(check(&found, "daemon").1.starts_with("no daemon at http://127.0.0.1:1"), "{found:#}");
    assert!(check(&found, "environment").1.ends_with("the login shell /bin/sh"), "{found:#}");
    assert_eq!(check(&found, "claude").0, "ok");
    assert!(check(&found, "codex").1.contains("older than "), "{found:#}");
    assert!(!setup.state().exists(), "it changes nothing");

    let people = doctor(&setup, &[]);
    let text = String::from_utf8(people.stdout).unwrap();
    assert!(text.starts_with("ok    config"), "{text}");
    assert!(text.contains("\nwarn  daemon") && text.contains("\n-     aider"), "{text}");
}

#[test]
fn what_does_not_work_is_an_error() {
    let config = |text: &str| Setup::new().write(".config/agentmux/config.json", text);
    let mine =
        r#"{"agent": "mine", "agents": {"mine": {"extends": "claude", "command": ["no-such-agent"]}}}"#;
    let found = document(&config(mine), 1);
    assert_eq!(
        (&found["ok"], check(&found, "mine").0),
        (&json!(false), "fail"),
        "the default agent is missing"
    );

    let found = document(&config(r#"{"startup_delay": -1, "trust": "x"}"#), 1);
    assert_eq!(check(&found, "config").0, "fail");
    assert!(check(&found, "config").1.contains("\"startup_delay\""), "{found:#}");
    let checks = found["checks"].as_array().unwrap();
    assert_eq!(checks.iter().filter(|check| check["name"] == "config").count(), 2, "{found:#}");
}

#[test]
fn tmux_is_asked_for_its_server_too() {
    let daemon = Daemon::start();
    let tmux = |setup: &Setup, status| {
        let found = document(setup, status);
        let (status, found) = check(&found, "tmux");
        (status.to_owned(), found.to_owned())
    };
    let (status, found) = tmux(daemon.setup(), 0);
    assert!(
        status == "ok" && found.starts_with("tmux 3.") && found.ends_with("; no server runs yet"),
        "{found}"
    );
    daemon.session("a");
    let (status, found) = tmux(daemon.setup(), 0);
    assert!(status == "ok" && found.ends_with("; its server answers"), "{found}");

    let refuses = "[ $1 = -V ] && echo tmux 3.6 || { echo server exited unexpectedly >&2; exit 1; }";
    let (status, found) = tmux(&Setup::new().script("first/tmux", refuses), 1);
    assert!(status == "fail" && found.contains("another version of tmux"), "{found}");
}
