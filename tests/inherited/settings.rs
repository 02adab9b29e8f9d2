//! The inherited variables and file: environment over file over default.

use serde_json::json;

use crate::harness::{Daemon, Setup};

const CONFIG: &str = ".config/agentmux/config.json";

/// The agent that a daemon says it uses.
fn agent(daemon: &Daemon) -> String {
    daemon.get("/health").ok()["agent"].as_str().unwrap().to_owned()
}

#[test]
fn every_key_of_the_file_is_obeyed() {
    let setup = Setup::new();
    let (work, log) = (setup.file("work"), setup.file("logs/d.log"));
    let config = json!({
        "host": "localhost", "port": 0, "token": "from-the-file", "session_prefix": "filed",
        "window_name": "pane",
        "workdir": work, "agent": "demo", "repl_cmd": setup.demo(""), "startup_delay": 1.0, "log_file": log,
        "allow_external_target": true,
    });
    let setup = setup.write("work/x", "").write("logs/x", "").write(CONFIG, &config.to_string());
    let setup = setup.without("AGENTMUX_PORT").without("AGENTMUX_AGENT").without("AGENTMUX_REPL_CMD");
    let daemon = setup.env("AGENTMUX_TOKEN", "from-the-environment").start();
    daemon.tmux().run(&["new-session", "-d", "-s", "foreign", "cat"]);
    let name = daemon.run("PONG")["session"].as_str().unwrap().to_owned();
    assert!(name.starts_with("filed-"), "{name}");
    let shown = daemon.tmux().run(&[
        "display-message",
        "-p",
        "-t",
        &format!("={name}:"),
        "#{window_name} #{pane_current_path}",
    ]);
    assert_eq!(shown, format!("pane {}", work.display()));
    let time = |kind: &str| daemon.log().all(kind)[0]["t"].as_f64().unwrap();
    assert!(time("prompt") - time("start") >= 0.9);
    assert!(log.metadata().unwrap().len() > 0);
    daemon.get("/capture?target=foreign:0.0").ok();
}

#[test]
fn a_token_in_the_file_is_accepted() {
    let setup = Setup::new().write(CONFIG, r#"{"token": "from-the-file"}"#);
    let daemon = setup.start();
    let header = "X-Bridge-Token: from-the-file";
    assert_eq!(daemon.stranger().ask("GET", "/health", &[header], b"").status, 200);
}

#[test]
fn the_environment_beats_the_file_and_the_file_the_default() {
    let file = r#"{"session_prefix": "filed", "window_name": "filed"}"#;
    let daemon = Setup::new().write(CONFIG, file).env("AGENTMUX_SESSION", "envied").start();
    let run = daemon.run("PONG");
    let session = run["session"].as_str().unwrap();
    assert!(session.starts_with("envied-"), "{run}");
    assert_eq!(daemon.tmux().windows(session), "filed");
    let plain = Daemon::start();
    let run = plain.run("PONG");
    let session = run["session"].as_str().unwrap();
    assert!(session.starts_with("agentmux-"), "{run}");
    assert_eq!(plain.tmux().windows(session), "repl");
}

#[test]
fn the_file_that_a_variable_names_beats_the_usual_one() {
    let setup =
        Setup::new().write(CONFIG, r#"{"agent": "codex"}"#).write("mine.json", r#"{"agent": "repl"}"#);
    let named = setup.file("mine.json");
    let daemon = setup.without("AGENTMUX_AGENT").env("AGENTMUX_CONFIG_FILE", named.to_str().unwrap()).start();
    assert_eq!(agent(&daemon), "repl");
}

#[test]
fn the_file_in_the_working_directory_counts_only_where_that_is_allowed() {
    for (value, expected) in [
        ("0", "claude"),
        ("", "claude"),
        ("1", "codex"),
        ("yes", "codex"),
        ("on", "codex"),
        ("TRUE", "codex"),
    ] {
        let setup = Setup::new().write("agentmux.json", r#"{"agent": "codex"}"#).without("AGENTMUX_AGENT");
        let daemon = setup.env("AGENTMUX_ALLOW_CWD_CONFIG", value).start();
        assert_eq!(agent(&daemon), expected, "{value:?}");
    }
}

#[test]
fn an_unknown_agent_falls_back_to_claude() {
    let daemon = Setup::new().env("AGENTMUX_AGENT", "nosuch").start();
    assert_eq!(agent(&daemon), "claude");
}

#[test]
fn a_session_starts_in_the_home_where_no_working_directory_is_set() {
    let daemon = Daemon::start();
    daemon.session("a");
    let path = daemon.tmux().run(&["display-message", "-p", "-t", "=a:", "#{pane_current_path}"]);
    assert_eq!(std::path::Path::new(&path), daemon.file("").components().as_path());
}

#[test]
fn a_tilde_in_the_working_directory_is_the_home() {
    let daemon = Setup::new().write("work/x", "").env("AGENTMUX_WORKDIR", "~/work").start();
    daemon.session("a");
    let path = daemon.tmux().run(&["display-message", "-p", "-t", "=a:", "#{pane_current_path}"]);
    assert_eq!(std::path::Path::new(&path), daemon.file("work"));
}

#[test]
fn an_empty_path_is_replaced_by_the_folders_of_the_system() {
    for setup in [Setup::new().without("PATH"), Setup::new().env("PATH", "")] {
        let daemon = setup.start();
        assert_eq!(daemon.run("PONG")["turn"]["reply"], "PONG");
    }
}

#[test]
fn the_log_is_where_the_variable_says() {
    let setup = Setup::new();
    let log = setup.file("my.log");
    let daemon = setup.env("AGENTMUX_LOG_FILE", log.to_str().unwrap()).start();
    daemon.session("a");
    assert!(log.metadata().unwrap().len() > 0);
}
