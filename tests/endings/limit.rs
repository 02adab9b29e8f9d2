//! Usage limits and missing logins.

use serde_json::json;

use super::{ended, press, prompts, session_in, submitted};
use crate::harness::Daemon;

#[test]
fn a_turn_that_bounced_goes_first_when_the_limit_is_over() {
    let daemon = Daemon::start();
    daemon.session("a");
    let waiting = daemon.post("/sessions/a/turns", json!({"text": "LIMIT 5", "wait": 60})).with(202);
    assert_eq!((&waiting["state"], &waiting["delivery"]), (&json!("queued"), &json!(null)), "{waiting}");
    assert!(waiting["held_until"].is_string() && waiting["finished_at"].is_null(), "{waiting}");
    let session = session_in(&daemon, "limited");
    assert_eq!(session["evidence"]["rule"], "usage limit");
    assert!(session["evidence"]["matched"].as_str().unwrap().starts_with("Usage limit reached"), "{session}");
    assert!(session["resets_at"].is_string(), "{session}");
    assert!(session["resets_at"].as_str() <= waiting["held_until"].as_str(), "{session} {waiting}");
    assert_eq!(daemon.get("/idle").ok()["idle"], false);

    let next = submitted(&daemon, "PONG");
    let refusal = daemon.post("/send", json!({"text": "x", "if_busy": "reject"}));
    assert!(refusal.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
    let refusal = refusal.refused_as(429, "limited");
    assert_eq!((&refusal["session"], &refusal["state"]), (&json!("a"), &json!("limited")));

    let bounced = ended(&daemon, waiting["id"].as_str().unwrap());
    assert_eq!((&bounced["state"], &bounced["reply"]), (&json!("done"), &json!("LIMIT-DONE")), "{bounced}");
    assert!(bounced.get("held_until").is_none(), "{bounced}");
    assert_eq!(ended(&daemon, &next)["reply"], "PONG");
    assert_eq!(prompts(&daemon), ["LIMIT 5", "LIMIT 5", "PONG"]);
    assert!(session_in(&daemon, "idle")["resets_at"].is_null());
}

#[test]
fn a_limit_of_unknown_length_is_tried_again_after_pauses_that_grow() {
    let daemon = Daemon::start();
    daemon.session("a");
    let turn = submitted(&daemon, "LIMIT 4 untold");
    assert!(session_in(&daemon, "limited")["resets_at"].is_null());
    let turn = ended(&daemon, &turn);
    assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &json!("LIMIT-DONE")), "{turn}");
    // Two seconds and up to one more, then four: the limit was over before the third.
    assert!((2..=3).contains(&prompts(&daemon).len()), "{:?}", prompts(&daemon));
}

#[test]
fn an_agent_that_goes_on_by_itself_gets_nothing_again() {
    let daemon = Daemon::start();
    daemon.session("a");
    let turn = submitted(&daemon, "LIMIT 6 resumes");
    session_in(&daemon, "limited");
    let held = daemon.get(&format!("/turns/{turn}")).ok();
    assert_eq!((&held["state"], &held["delivery"]), (&json!("working"), &json!("confirmed")), "{held}");
    assert!(held["held_until"].is_string(), "{held}");
    let next = submitted(&daemon, "PONG");
    assert_eq!(ended(&daemon, &turn)["reply"], "LIMIT-DONE");
    assert_eq!(ended(&daemon, &next)["reply"], "PONG");
    assert_eq!(prompts(&daemon), ["LIMIT 6 resumes", "PONG"]);
}

#[test]
fn held_turns_can_be_cancelled_and_their_own_time_counts() {
    let daemon = Daemon::start();
    daemon.session("a");
    let bounced = submitted(&daemon, "LIMIT 600");
    session_in(&daemon, "limited");
    let late = daemon.post("/sessions/a/turns", json!({"text": "x", "timeout": 0.5, "wait": 60})).with(200);
    assert_eq!((&late["state"], &late["error"]["code"]), (&json!("failed"), &json!("timeout")));
    let cancelled = daemon.post(&format!("/turns/{bounced}/cancel"), json!({})).ok();
    assert_eq!(cancelled["state"], "cancelled");

    daemon.session("b");
    let resuming =
        daemon.post("/sessions/b/turns", json!({"text": "LIMIT 600 resumes", "wait": 60})).with(202);
    let id = resuming["id"].as_str().unwrap();
    assert!(resuming["held_until"].is_string(), "{resuming}");
    daemon.post(&format!("/turns/{id}/cancel"), json!({})).ok();
    assert_eq!(ended(&daemon, id)["state"], "interrupted");
}

#[test]
fn a_limit_is_over_when_the_screen_says_so() {
    let daemon = Daemon::start();
    daemon.session("a");
    let turn = submitted(&daemon, "LIMIT 600");
    session_in(&daemon, "limited");
    daemon.post(&format!("/turns/{turn}/cancel"), json!({})).ok();
    press(&daemon, &["-l", "/login"]);
    press(&daemon, &["Enter"]);
    session_in(&daemon, "idle");
}

#[test]
fn a_daemon_that_starts_again_finds_the_limit() {
    let mut daemon = Daemon::start();
    daemon.session("a");
    submitted(&daemon, "LIMIT 600");
    let before = session_in(&daemon, "limited");
    daemon.kill();
    daemon.start_again();
    let after = session_in(&daemon, "limited");
    assert_eq!(after["evidence"]["matched"], before["evidence"]["matched"]);
    assert!(after["resets_at"].is_string());
}

#[test]
fn a_missing_login_fails_the_turn_and_is_a_question_until_it_is_there() {
    let daemon = Daemon::start();
    daemon.session("a");
    let turn = daemon.post("/sessions/a/turns", json!({"text": "LOGOUT", "wait": 60})).with(200);
    assert_eq!((&turn["state"], &turn["error"]["code"]), (&json!("failed"), &json!("login")), "{turn}");
    assert_eq!(turn["error"]["error"], "Not logged in · run /login");
    let session = session_in(&daemon, "needs_input");
    assert_eq!(session["evidence"]["rule"], "not logged in");
    assert_eq!(session["question"]["kind"], "login", "{session}");
    daemon.post("/sessions/a/turns", json!({"text": "PONG"})).refused_as(409, "needs_input");
    let login =
        daemon.post("/sessions/a/turns", json!({"text": "/login", "raw": true, "wait": 60})).with(200);
    assert_eq!((&login["state"], &login["reply"]), (&json!("done"), &json!("")), "{login}");
    session_in(&daemon, "idle");
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
}

#[test]
fn a_reply_that_quotes_a_limit_is_a_reply() {
    let daemon = Daemon::start();
    daemon.session("a");
    for text in ["■ Usage limit reached · resets in 500 s", "■ Not logged in · run /login"] {
        let turn = &daemon.send(text)["turn"];
        assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &json!(format!("You said: {text}"))));
        assert_eq!(daemon.get("/sessions/a").ok()["state"], "idle", "{text}");
    }
}
