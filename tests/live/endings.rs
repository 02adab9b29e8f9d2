//! Prompts that the real agents treat specially, and turns that a person ends.

use serde_json::json;

use super::agents::{CLAUDE, CODEX, Folder};
use super::{PATIENCE, Stage};
use crate::harness::within;

/// What is sent to arrive as text, and what arrives. Claude Code keeps the blank that makes it text.
const AS_TEXT: [(&str, &str, &str); 5] = [
    ("!echo PONG 1", " !echo PONG 1", "!echo PONG 1"),
    ("/unknown PONG 2", " /unknown PONG 2", "/unknown PONG 2"),
    ("/etc/hosts PONG 3", "/etc/hosts PONG 3", "/etc/hosts PONG 3"),
    ("PONG 4 ends with \\", "PONG 4 ends with \\", "PONG 4 ends with \\"),
    ("# PONG 5", "# PONG 5", "# PONG 5"),
];

#[test]
fn claude_takes_special_prompts_for_text() {
    let Some(stage) = Stage::set(&CLAUDE, Folder::Trusted) else { return };
    special_prompts_arrive_as_text(&stage, |(_, claude, _)| claude);
    let session = stage.get("/health").ok()["active_session"].as_str().unwrap().to_owned();
    let refusal = stage.post(&format!("/sessions/{session}/turns"), json!({"text": "exit"}));
    refusal.refused_as(422, "special");
}

#[test]
fn codex_takes_special_prompts_for_text() {
    let Some(stage) = Stage::set(&CODEX, Folder::Trusted) else { return };
    special_prompts_arrive_as_text(&stage, |(_, _, codex)| codex);
}

#[test]
fn claude_is_interrupted_by_a_person() {
    let Some(stage) = Stage::set(&CLAUDE, Folder::Trusted) else { return };
    a_person_interrupts(&stage);
}

#[test]
fn codex_is_interrupted_by_a_person() {
    let Some(stage) = Stage::set(&CODEX, Folder::Trusted) else { return };
    a_person_interrupts(&stage);
}

fn special_prompts_arrive_as_text(
    stage: &Stage,
    arrives: impl Fn((&'static str, &'static str, &'static str)) -> &'static str,
) {
    let session = stage.run_turn("PONG 0")["session"].as_str().unwrap().to_owned();
    for row in AS_TEXT {
        let body = json!({"text": row.0, "wait": PATIENCE.as_secs()});
        let turn = stage.post(&format!("/sessions/{session}/turns"), body).with(200);
        assert_eq!((&turn["state"], &turn["delivery"]), (&json!("done"), &json!("confirmed")), "{turn}");
    }
    let expected: Vec<_> = std::iter::once("PONG 0").chain(AS_TEXT.map(arrives)).collect();
    assert_eq!(stage.model.user_texts(), expected);
}

fn a_person_interrupts(stage: &Stage) {
    let answer = stage.post("/run", json!({"text": "SLOW 30"})).ok();
    let session = answer["session"].as_str().unwrap();
    within(PATIENCE, "it writes", || {
        let screen = stage.get(&format!("/sessions/{session}/screen")).ok();
        screen["content"].as_str().unwrap().contains("word5").then_some(())
    });
    stage.tmux().run(&["send-keys", "-t", &format!("={session}:"), "Escape"]);
    let turn = stage.ended(&answer["turn"]);
    assert_eq!(turn["state"], "interrupted", "{turn}");
    assert!(turn["reply"].as_str().unwrap().starts_with("word0 word1"), "{turn}");
    assert!(!turn["reply"].as_str().unwrap().to_lowercase().contains("interrupted"), "{turn}");
    assert_eq!(stage.send_turn("PONG 2")["reply"], "PONG-2");
}
