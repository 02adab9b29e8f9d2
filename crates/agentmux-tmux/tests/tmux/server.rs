//! Servers that are killed, hang, are old or belong to somebody else.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use agentmux_core::contract::within;
use agentmux_core::terminal::{Terminal, TerminalError};
use agentmux_tmux::{Config, ConnectError, Tmux};

use super::{home, stage_with_home};
use crate::{is_alive, run, sh, signal};

#[tokio::test]
async fn where_no_server_runs_nothing_is_started_and_nothing_is_there() {
    let home = home();
    let tmux = home.connect().await;
    assert_eq!(tmux.panes().await, Ok(vec![]));
    assert!(!tmux.socket().exists());
    assert_eq!(tmux.program(), home.config.tmux);
}

#[tokio::test]
async fn after_the_server_was_killed_the_next_spawn_starts_another() {
    let (stage, home) = stage_with_home().await;
    for kill in ["kill-server", "SIGKILL", "kill-server"] {
        let pane = stage.spawn("one", &stage.echo).await.id;
        let mut activity = stage.terminal.activity(&pane);
        activity.changed().await;
        match kill {
            "SIGKILL" => signal("KILL", &home.server()),
            _ => drop(home.tmux(&["kill-server"])),
        }
        let again = stage.spawn("two", &stage.echo).await.id;
        stage.terminal.paste(&again, "hello").await.unwrap();
        stage.screen(&again, |screen| screen.text(1) == "hello").await;
        assert_eq!(stage.terminal.panes().await.unwrap().len(), 1);
        stage.terminal.kill(&again).await.unwrap();
    }
}

#[tokio::test]
async fn losing_the_server_is_reported_as_activity_and_as_gone() {
    let (stage, home) = stage_with_home().await;
    let pane = stage.spawn("one", &stage.echo).await.id;
    let mut activity = stage.terminal.activity(&pane);
    signal("KILL", &home.server());
    let noticed = within(Duration::from_secs(10), async {
        while stage.terminal.read(&pane, 0).await != Err(TerminalError::Gone) {
            activity.changed().await;
        }
    });
    noticed.await.unwrap();
    assert_eq!(stage.terminal.paste(&pane, "x").await, Err(TerminalError::Gone));
    assert_eq!(stage.terminal.kill(&pane).await, Ok(()));
    assert_eq!(stage.terminal.panes().await, Ok(vec![]));
}

#[tokio::test]
async fn a_stopped_server_is_unavailable_within_seconds_and_recovers() {
    let (stage, home) = stage_with_home().await;
    let pane = stage.spawn("one", &stage.echo).await.id;
    let server = home.server();
    signal("STOP", &server);
    let start = Instant::now();
    let text = "x".repeat(300_000);
    let (read, pasted) = tokio::join!(stage.terminal.read(&pane, 0), stage.terminal.paste(&pane, &text));
    let took = start.elapsed();
    signal("CONT", &server);
    for error in [read.err(), pasted.err()] {
        assert!(
            matches!(&error, Some(TerminalError::Unavailable(m)) if m.contains("no answer")),
            "{error:?}"
        );
    }
    assert!((4..8).contains(&took.as_secs()), "{took:?}");

    let mut activity = stage.terminal.activity(&pane);
    stage.terminal.paste(&pane, "back").await.unwrap();
    let shown = within(Duration::from_secs(10), async {
        while stage.terminal.read(&pane, 0).await.unwrap().text(1) != "back" {
            activity.changed().await;
        }
    });
    shown.await.unwrap();
    assert_eq!(home.ask(&["list-buffers"]), "");
}

#[tokio::test]
async fn our_server_has_our_options_and_keeps_those_that_a_person_changes() {
    let (stage, home) = stage_with_home().await;
    let pane = stage.spawn("one", &stage.echo).await.id;
    let option = |arguments: &[&str]| home.ask(&[&["show-options", "-v"], arguments].concat());
    assert_eq!(option(&["-s", "exit-empty"]), "off");
    assert_eq!(option(&["-g", "history-limit"]), "5000");
    assert_eq!(option(&["-w", "-t", pane.as_str(), "window-size"]), "manual");
    home.ask(&["set-option", "-g", "status", "on"]);
    stage.terminal.kill(&pane).await.unwrap();
    stage.spawn("two", &stage.echo).await;
    assert_eq!(option(&["-g", "status"]), "on");
}

#[tokio::test]
async fn on_a_server_of_the_user_no_global_option_changes() {
    let mut home = home();
    home.config.owned = false;
    home.ask(&["new-session", "-d", "-s", "theirs", "--", "cat", "-"]);
    let globals = || ["-s", "-g", "-wg"].map(|scope| home.ask(&["show-options", scope]));
    let before = globals();
    let (stage, foreign) = {
        let (mut stage, own) = stage_with_home().await;
        stage.terminal = std::sync::Arc::new(home.connect().await);
        (stage, own)
    };
    let pane = stage.spawn("one", &stage.exit_3).await.id;
    let screen = stage.end(&pane).await;
    assert_eq!(screen.rows.len(), 30);
    assert_eq!(globals(), before);
    let panes = stage.terminal.panes().await.unwrap();
    assert_eq!(panes.iter().filter(|pane| pane.label.is_none()).count(), 1);
    stage.terminal.kill(&pane).await.unwrap();
    assert_eq!(home.ask(&["list-sessions", "-F", "#{session_name}"]), "theirs");
    drop(foreign);
}

#[tokio::test]
async fn another_owner_s_panes_are_listed_without_their_label() {
    let (stage, home) = stage_with_home().await;
    stage.spawn("one", &stage.echo).await;
    let other = Tmux::connect(Config { owner: "other".into(), ..home.config.clone() }).await.unwrap();
    assert_eq!(other.panes().await.unwrap()[0].label, None);
    drop(other);
    assert!(home.connect().await.panes().await.unwrap()[0].label.is_some());
}

#[tokio::test]
async fn the_server_s_environment_holds_no_secret_of_ours() {
    let (stage, home) = stage_with_home().await;
    stage.spawn("one", &stage.echo).await;
    let global = home.ask(&["show-environment", "-g"]);
    let names: Vec<_> = global.lines().filter_map(|row| row.split_once('=')).map(|(name, _)| name).collect();
    let allowed =
        ["PATH", "HOME", "LANG", "TERM", "SHELL", "USER", "LOGNAME", "TMPDIR", "XDG_RUNTIME_DIR", "PWD"];
    let is_allowed = |name: &str| allowed.contains(&name) || name.starts_with("LC_");
    assert!(std::env::vars_os().any(|(name, _)| !is_allowed(&name.to_string_lossy())), "nothing to leak");
    assert!(names.iter().all(|name| is_allowed(name)), "{names:?}");
}

#[tokio::test]
async fn launch_arguments_are_not_to_be_seen_from_outside() {
    let (stage, home) = stage_with_home().await;
    let pane = stage.spawn("one", &sh("echo on; : hidden; exec cat")).await.id;
    stage.screen(&pane, |screen| screen.text(1) == "on").await;
    let command = home.ask(&["display-message", "-p", "-t", pane.as_str(), "#{pane_start_command}"]);
    assert!(!command.contains("hidden"), "{command}");
}

#[tokio::test]
async fn dropping_it_leaves_server_and_panes_alive() {
    let (stage, home) = stage_with_home().await;
    stage.spawn("one", &stage.echo).await;
    let server = home.server();
    drop(stage);
    assert!(is_alive(&server));
    assert_eq!(home.connect().await.panes().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_a_usable_tmux_is_refused_by_a_sentence() {
    let home = home();
    let program = |name: &str, prints: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\necho '{prints}'\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let table = [
        (program("old", "tmux 3.1c"), "is tmux 3.1c; at least 3.2a is needed"),
        (program("other", "screen 4.9"), "does not answer `-V` as tmux does, but with \"screen 4.9\""),
        (home.path().join("none"), "none: No such file or directory"),
    ];
    for (tmux, sentence) in table {
        let error = Tmux::connect(Config { tmux, ..home.config.clone() }).await.unwrap_err();
        assert!(error.to_string().contains(sentence), "{error}");
    }
    let socket = home.path().join("x".repeat(104));
    let error = Tmux::connect(Config { socket, ..home.config.clone() }).await.unwrap_err();
    assert!(matches!(error, ConnectError::SocketPath { .. }), "{error}");
}

#[tokio::test]
async fn a_socket_without_a_folder_is_unavailable_not_a_session() {
    let (stage, home) = stage_with_home().await;
    let socket = home.path().join("none/s");
    let tmux = Tmux::connect(Config { socket, ..home.config.clone() }).await.unwrap();
    let error = tmux.spawn(stage.launch("one", &stage.echo)).await.unwrap_err();
    assert!(matches!(&error, TerminalError::Unavailable(m) if m.contains("none/s")), "{error:?}");
    assert_eq!(run("ls", &[home.path().join("launch").to_str().unwrap()]).stdout, b"");
}
