//! Usage limits and expired logins, as the real agents meet them and tell of them.

use std::time::Duration;

use serde_json::{Value, json};

use super::agents::{Agent, CLAUDE_SUBSCRIBER, CODEX, Folder, GEMINI};
use super::{PATIENCE, Stage, is_done};
use crate::harness::within;

/// A limit ends at a full minute, and agents that go on by themselves take up to two more.
const LIMIT: Duration = Duration::from_secs(300);

#[test]
fn claude_waits_for_the_end_of_a_limit_by_itself() {
    let Some(stage) = Stage::set(&CLAUDE_SUBSCRIBER, Folder::Trusted) else { return };
    let held = limited(&stage);
    assert_eq!((&held["state"], &held["delivery"]), (&json!("working"), &json!("confirmed")), "{held}");
    // It says by itself that it is to go on, to which the model answers.
    goes_on(&stage, &held, "PONG");
    let mut prompts = stage.prompts();
    let own = prompts.remove(2);
    assert!(own.contains("limit"), "{own}");
    assert_eq!(prompts, ["PONG 1", "LIMIT 10", "PONG 2"]);
}

#[test]
fn codex_gets_the_turn_that_met_a_limit_again() {
    let Some(stage) = Stage::set(&CODEX, Folder::Trusted) else { return };
    let held = limited(&stage);
    assert_eq!((&held["state"], &held["delivery"]), (&json!("queued"), &json!(null)), "{held}");
    goes_on(&stage, &held, "LIMIT-DONE");
    assert_eq!(stage.prompts(), ["PONG 1", "LIMIT 10", "LIMIT 10", "PONG 2"]);
}

/// A turn that has met a limit.
fn limited(stage: &Stage) -> Value {
    is_done(&stage.run_turn("PONG 1"), "PONG-1");
    let held = stage.send_turn("LIMIT 10");
    assert!(held["held_until"].is_string() && held["finished_at"].is_null(), "{held}");
    let session = stage.get(&format!("/sessions/{}", held["session"].as_str().unwrap())).ok();
    assert_eq!((&session["state"], &session["evidence"]["rule"]), (&json!("limited"), &json!("usage limit")));
    let ends = stage.model.limit_ends().unwrap();
    let told: jiff::Timestamp =
        session["resets_at"].as_str().unwrap_or_else(|| panic!("{session}")).parse().unwrap();
    assert_eq!(told.as_second(), i64::try_from(ends).unwrap(), "{session}");
    held
}

/// The turn that met the limit comes first, then the next one, each once.
fn goes_on(stage: &Stage, held: &Value, reply: &str) {
    let next = stage.send_on("PONG 2");
    assert_eq!(next["state"], "queued", "{next}");
    stage.post("/send", json!({"text": "PONG 3", "if_busy": "reject"})).refused_as(429, "limited");
    let ended = |turn: &Value| {
        within(LIMIT, "the limit is over", || {
            let turn = stage.get(&format!("/turns/{}", turn["id"].as_str().unwrap())).ok();
            (!turn["finished_at"].is_null()).then_some(turn)
        })
    };
    is_done(&ended(held), reply);
    is_done(&ended(&next), "PONG-2");
    assert_eq!(stage.model.replies(), 3, "{:?}", stage.prompts());
}

#[test]
fn claude_with_an_expired_login_asks_for_one() {
    an_expired_login_is_asked_for(&CLAUDE_SUBSCRIBER);
}

#[test]
fn codex_with_an_expired_login_asks_for_one() {
    an_expired_login_is_asked_for(&CODEX);
}

fn an_expired_login_is_asked_for(agent: &'static Agent) {
    let Some(stage) = Stage::set(agent, Folder::Trusted) else { return };
    is_done(&stage.run_turn("PONG 1"), "PONG-1");
    let turn = stage.send_turn("ERR401");
    assert_eq!((&turn["state"], &turn["error"]["code"]), (&json!("failed"), &json!("login")), "{turn}");
    let session = stage.get(&format!("/sessions/{}", turn["session"].as_str().unwrap())).ok();
    assert_eq!((&session["state"], &session["question"]["kind"]), (&json!("needs_input"), &json!("login")));
    stage.post("/send", json!({"text": "PONG 2"})).refused_as(409, "needs_input");
}

#[test]
fn gemini_asks_what_to_do_at_a_limit_and_stops() {
    let Some(stage) = Stage::set(&GEMINI, Folder::Trusted) else { return };
    is_done(&stage.run_turn("PONG 1"), "PONG-1");
    let turn = stage.send_turn("LIMIT 10");
    assert_eq!(
        (&turn["state"], &turn["question"]["kind"]),
        (&json!("needs_input"), &json!("choice")),
        "{turn}"
    );
    stage.answer(&turn, &json!({"deny": true}));
    let held = within(PATIENCE, "the turn is held", || {
        let turn = stage.get(&format!("/turns/{}", turn["id"].as_str().unwrap())).ok();
        turn["held_until"].is_string().then_some(turn)
    });
    assert_eq!(held["state"], "queued", "{held}");
    stage.post("/send", json!({"text": "PONG 2", "if_busy": "reject"})).refused_as(429, "limited");
    // It does not tell when the limit ends, and a quarter of an hour is too long for a test.
    stage.post(&format!("/turns/{}/cancel", turn["id"].as_str().unwrap()), json!({})).ok();
    assert_eq!(stage.prompts(), ["PONG 1", "LIMIT 10"]);
}
