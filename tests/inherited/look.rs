//! The inherited GET endpoints.

use serde_json::{Value, json};

use crate::harness::{Daemon, Setup, eventually};

/// The keys of a document, sorted.
fn keys(document: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = document.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn a_fresh_daemon_is_healthy_and_empty() {
    let daemon = Daemon::start();
    let health =
        json!({"ok": true, "agent": "demo", "active_session": null, "total_sessions": 0, "sessions": []});
    assert_eq!(daemon.get("/health").ok(), health);
    assert_eq!(daemon.get("/sessions").ok(), json!({"sessions": [], "active": ""}));
    daemon.get("/idle").refused(404, "no active session");
    daemon.get("/capture").refused(404, "no active session");
}

#[test]
fn health_tells_of_the_active_session_what_it_tells_of_no_other() {
    let daemon = Setup::new().agent("--ctx 42").start();
    daemon.session("first");
    daemon.session("second");
    let health = daemon.get("/health").ok();
    assert_eq!(keys(&health), ["active_session", "agent", "ok", "sessions", "total_sessions"]);
    assert_eq!((&health["active_session"], &health["total_sessions"]), (&json!("second"), &json!(2)));
    let (first, second) = (&health["sessions"][0], &health["sessions"][1]);
    assert_eq!(keys(first), ["created_at", "name", "status", "target"]);
    assert_eq!(keys(second), ["created_at", "ctx_percent", "idle", "name", "status", "target"]);
    assert_eq!(
        (&first["name"], &first["status"], &first["target"]),
        (&json!("first"), &json!("completed"), &json!("first:0.0"))
    );
    assert_eq!(
        (&second["status"], &second["idle"], &second["ctx_percent"]),
        (&json!("active"), &json!(true), &json!(42))
    );
}

#[test]
fn sessions_are_listed_with_the_active_one() {
    let daemon = Daemon::start();
    daemon.session("first");
    daemon.session("second");
    let listed = daemon.get("/sessions").ok();
    assert_eq!(keys(&listed), ["active", "sessions"]);
    assert_eq!(listed["active"], "second");
    assert_eq!(daemon.names(), ["first", "second"]);
    assert_eq!(keys(&listed["sessions"][1]), ["created_at", "name", "status", "target"]);
}

#[test]
fn created_at_is_local_time_to_the_second() {
    let daemon = Setup::new().env("TZ", "UTC").start();
    daemon.session("a");
    let created = daemon.listed("a").unwrap()["created_at"].as_str().unwrap().to_owned();
    let shape: String = created.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00 00:00:00", "{created}");
}

#[test]
fn idle_tells_whether_the_active_session_is_ready() {
    let daemon = Setup::new().agent("--ctx 7").start();
    daemon.session("a");
    assert_eq!(daemon.get("/idle").ok(), json!({"idle": true, "ctx_percent": 7, "session": "a"}));
    daemon.post("/send", json!({"text": "THINK 2"})).ok();
    assert_eq!(daemon.get("/idle").ok()["idle"], false);
    daemon.until_idle();
}

#[test]
fn a_session_without_a_context_sign_has_null_for_it() {
    let daemon = Daemon::start();
    daemon.session("a");
    assert_eq!(daemon.get("/idle").ok(), json!({"idle": true, "ctx_percent": null, "session": "a"}));
}

#[test]
fn a_capture_has_the_last_lines_of_the_active_session() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.send("LONG 200");
    let capture = daemon.get("/capture").ok();
    assert_eq!(keys(&capture), ["content", "lines", "target"]);
    assert_eq!((&capture["target"], &capture["lines"]), (&json!("a:0.0"), &json!(60)));
    let content = capture["content"].as_str().unwrap();
    assert!(
        content.contains("LONG-DONE") && content.contains("line 199") && !content.contains("line 100\n"),
        "{content}"
    );
    assert!(!content.contains('\u{1b}'));
    assert!(daemon.get("/capture?lines=500").ok()["content"].as_str().unwrap().contains("line 1\n"));
}

#[test]
fn the_number_of_lines_is_clamped_and_must_be_a_number() {
    let daemon = Daemon::start();
    daemon.session("a");
    for (asked, got) in [("1", 10), ("10", 10), ("77", 77), ("500", 500), ("9999", 500), ("1000000000", 500)]
    {
        assert_eq!(daemon.get(&format!("/capture?lines={asked}")).ok()["lines"], got, "{asked}");
    }
    for asked in ["x", "true", "1.5", "%225%22"] {
        daemon.get(&format!("/capture?lines={asked}")).refused(400, "lines must be an integer");
    }
    for asked in ["0", "-1"] {
        daemon.get(&format!("/capture?lines={asked}")).refused(400, "lines must be >= 1");
    }
}

#[test]
fn a_capture_takes_the_target_of_any_session_and_of_no_other_pane() {
    let daemon = Daemon::start();
    daemon.session("first");
    daemon.session("second");
    daemon.send("only in the second");
    daemon.tmux().run(&["new-session", "-d", "-s", "foreign", "cat"]);
    let captured = |target: &str| daemon.get(&format!("/capture?target={target}"));
    assert_eq!(captured("").ok()["target"], "second:0.0");
    let first = captured("first:0.0").ok();
    assert_eq!(first["target"], "first:0.0");
    assert!(!first["content"].as_str().unwrap().contains("only in the second"));
    assert!(captured("second:0.0").ok()["content"].as_str().unwrap().contains("only in the second"));
    for target in ["nope:0.0", "foreign:0.0", "firs:0.0", "f*", "%250"] {
        captured(target).refused(400, "target is not managed by agentmux");
    }
}

#[test]
fn panes_of_others_are_reached_only_where_that_is_allowed() {
    let daemon = Setup::new().env("AGENTMUX_ALLOW_EXTERNAL_TARGET", "1").start();
    daemon.session("a");
    daemon.tmux().run(&["new-session", "-d", "-s", "foreign", "cat"]);
    let sent = daemon.post("/send", json!({"text": "hello there", "target": "foreign:0.0"})).ok();
    assert_eq!(
        (&sent["ok"], &sent["action"], &sent["target"]),
        (&json!(true), &json!("send"), &json!("foreign:0.0"))
    );
    eventually("cat has said it back", || {
        let content = daemon.get("/capture?target=foreign:0.0").ok()["content"].as_str().unwrap().to_owned();
        (content.matches("hello there").count() == 2).then_some(())
    });
    let pressed = daemon.post("/key", json!({"key": "enter", "target": "foreign:0.0"})).ok();
    assert_eq!(pressed["target"], "foreign:0.0");
}
