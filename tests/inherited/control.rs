//! The inherited endpoints that press keys and end sessions.

use serde_json::{Value, json};

use crate::harness::{Daemon, Setup, eventually};

const UNSUPPORTED: &str = "Unsupported key 'f13'. Supported keys: \
    backspace, delete, down, enter, esc, escape, left, right, space, tab, up";

#[test]
fn a_key_is_pressed_and_said_back() {
    let daemon = Daemon::start();
    daemon.session("a");
    let before = daemon.log().all("key").len();
    let pressed = daemon.post("/key", json!({"key": "up"})).ok();
    assert_eq!(pressed, json!({"ok": true, "action": "key", "target": "a:0.0", "key": "up"}));
    daemon.log().until("key", before + 1);
    daemon.post("/key", json!({"key": " down ", "repeat": 3, "target": "a:0.0"})).ok();
    daemon.log().until("key", before + 4);
    // As it comes from a shell script that quotes all its values.
    daemon.post("/key", json!({"key": "up", "repeat": "2"})).ok();
    daemon.log().until("key", before + 6);
}

#[test]
fn a_key_is_repeated_fifty_times_at_most() {
    let daemon = Daemon::start();
    daemon.session("a");
    let before = daemon.log().all("key").len();
    daemon.post("/key", json!({"key": "up", "repeat": 1_000_000_000})).ok();
    daemon.send("PONG");
    let pressed = &daemon.log().all("key")[before..];
    assert_eq!(pressed.iter().filter(|event| event["text"] == "up").count(), 50);
}

#[test]
fn every_inherited_key_is_known() {
    let daemon = Daemon::start();
    daemon.session("a");
    for key in
        ["backspace", "delete", "down", "enter", "esc", "escape", "left", "right", "space", "tab", "up"]
    {
        assert_eq!(daemon.post("/key", json!({"key": key})).ok()["key"], key);
    }
}

#[test]
fn bad_keys_are_refused_with_the_inherited_sentences() {
    let daemon = Daemon::start();
    daemon.post("/key", json!({"key": "enter"})).refused(404, "no active session");
    daemon.session("a");
    let before = daemon.log().all("key").len();
    for (body, error) in [
        (json!({}), "key is required"),
        (json!({"key": " "}), "key is required"),
        (json!({"key": 5}), "key must be a string"),
        (json!({"key": "f13"}), UNSUPPORTED),
        (json!({"key": "up", "repeat": 0}), "repeat must be >= 1"),
        (json!({"key": "up", "repeat": -3}), "repeat must be >= 1"),
        (json!({"key": "up", "repeat": true}), "repeat must be an integer"),
        (json!({"key": "up", "repeat": 1.5}), "repeat must be an integer"),
        (json!({"key": "up", "repeat": "x"}), "repeat must be an integer"),
        (json!({"key": "up", "target": 5}), "target must be a string"),
        (json!({"key": "up", "target": "nope:0.0"}), "target is not managed by agentmux"),
    ] {
        daemon.post("/key", body).refused(400, error);
    }
    daemon.send("PONG");
    let pressed = &daemon.log().all("key")[before..];
    assert!(pressed.iter().all(|event| event["text"] != "up"), "{pressed:?}");
}

#[test]
fn restart_replaces_the_active_session_by_a_fresh_one() {
    let daemon = Daemon::start();
    daemon.session("old");
    let restarted = daemon.post("/restart", json!({})).ok();
    let name = restarted["session"].as_str().unwrap();
    let wanted = json!({
        "ok": true, "action": "restart", "session": name, "target": format!("{name}:0.0"), "ready": true,
    });
    assert_eq!(restarted, wanted);
    assert_eq!((daemon.names(), daemon.tmux().sessions()), (vec![name.to_owned()], vec![name.to_owned()]));
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
}

#[test]
fn a_restart_at_the_limit_replaces_the_active_session_and_ends_no_other() {
    let daemon = Setup::new().env("AGENTMUX_MAX_SESSIONS", "2").start();
    daemon.session("idle");
    daemon.session("active");
    let fresh = daemon.post("/restart", json!({})).ok()["session"].clone();
    assert_eq!(daemon.names(), ["idle", fresh.as_str().unwrap()]);
    daemon.post("/sessions/idle/turns", json!({"text": "THINK 60"})).with(202);
    daemon.post("/send", json!({"text": "THINK 60"})).ok();
    let fresh = daemon.post("/restart", json!({})).ok()["session"].clone();
    assert_eq!(daemon.names(), ["idle", fresh.as_str().unwrap()]);
}

#[test]
fn a_restart_that_fails_leaves_the_old_session() {
    let setup = Setup::new().env("AGENTMUX_READY_TIMEOUT", "5");
    let (broken, demo) = (setup.file("broken"), setup.demo(""));
    let script = format!("[ ! -e {} ] || exec {demo} --start-silent 60\nexec {demo}\n", broken.display());
    let setup = setup.write("agent.sh", &script);
    let command = format!("/bin/sh {}", setup.file("agent.sh").display());
    let daemon = setup.env("AGENTMUX_REPL_CMD", &command).start();
    daemon.session("old");
    std::fs::write(broken, "").unwrap();
    let refusal = daemon.post("/restart", json!({})).refused_as(503, "not_ready");
    assert!(
        refusal["error"].as_str().unwrap().starts_with("replacement session did not become ready"),
        "{refusal}"
    );
    assert_eq!((daemon.names(), daemon.tmux().sessions()), (vec!["old".to_owned()], vec!["old".to_owned()]));
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
}

#[test]
fn cleanup_kills_the_idle_sessions_but_the_active_one() {
    let daemon = Daemon::start();
    daemon.session("idle");
    daemon.post("/run", json!({"text": "THINK 60", "name": "busy"})).ok();
    daemon.post("/run", json!({"text": "PONG", "name": "active", "if_busy": "start", "wait": 60})).ok();
    let cleaned = daemon.post("/cleanup", json!({})).ok();
    assert_eq!(cleaned, json!({"ok": true, "action": "cleanup", "killed": ["idle"]}));
    assert_eq!(
        (daemon.names(), daemon.tmux().sessions().len()),
        (vec!["busy".to_owned(), "active".to_owned()], 2)
    );
    assert_eq!(daemon.post("/cleanup", json!({})).ok()["killed"], json!([]));
}

#[test]
fn cleanup_forgets_sessions_that_tmux_lost() {
    let daemon = Daemon::start();
    for name in ["lost", "active"] {
        daemon.session(name);
    }
    daemon.tmux().run(&["kill-session", "-t", "=lost"]);
    eventually("its loss is noticed", || {
        daemon.listed("lost").filter(|session| session["tmux_exists"] == false)
    });
    assert_eq!(daemon.listed("lost").unwrap()["status"], "error");
    assert_eq!(daemon.post("/cleanup", json!({})).ok()["killed"], json!(["lost"]));
    assert_eq!(daemon.names(), ["active"]);
}

#[test]
fn kill_ends_a_session_and_the_newest_of_the_others_becomes_active() {
    let daemon = Daemon::start();
    for name in ["first", "second", "third"] {
        daemon.session(name);
    }
    let agent = daemon.tmux().pane_pid("third");
    let killed = daemon.post("/kill", json!({"session": " third "})).ok();
    assert_eq!(killed, json!({"ok": true, "action": "kill", "session": "third"}));
    assert_eq!(daemon.get("/sessions").ok()["active"], "second");
    assert_eq!(daemon.tmux().sessions(), ["first", "second"]);
    assert!(!crate::harness::is_alive(agent), "its agent is alive");
    daemon.post("/kill", json!({"session": "first"})).ok();
    assert_eq!(daemon.get("/sessions").ok()["active"], "second");
    daemon.post("/kill", json!({"session": "second"})).ok();
    assert_eq!(daemon.get("/health").ok()["active_session"], Value::Null);
    daemon.run("PONG");
}

#[test]
fn kill_names_what_it_does_not_find() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.post("/kill", json!({"session": "x"})).refused(404, "session 'x' not found");
    daemon.post("/kill", json!({"session": "x#(id)"})).refused(404, "session 'x#(id)' not found");
    daemon.post("/kill", json!({})).refused(400, "session is required");
    daemon.post("/kill", json!({"session": ""})).refused(400, "session is required");
    daemon.post("/kill", json!({"session": 5})).refused(400, "session must be a string");
    assert_eq!(daemon.names(), ["a"]);
}
