//! Permissions of the real agents: approved and denied, by an answer and by a policy, with the effect on disk.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::agents::{CLAUDE, Folder};
use super::{PATIENCE, Stage, is_done};

/// A file that a command is to remove.
fn victim(stage: &Stage) -> PathBuf {
    let victim = stage.file("work/victim");
    std::fs::write(&victim, "").unwrap();
    victim
}

/// A file, and the turn that asks whether it may be removed.
fn asked(stage: &Stage) -> (PathBuf, Value) {
    let victim = victim(stage);
    let turn = stage.run_turn("TOOL rm -f victim");
    let question = &turn["question"];
    let seen = (&turn["state"], &turn["reply"], &question["kind"]);
    assert_eq!(seen, (&json!("needs_input"), &json!(null), &json!("permission")), "{turn}");
    assert!(question["text"].as_str().unwrap().contains("rm -f victim"), "{question}");
    assert!(victim.exists());
    stage.post("/send", json!({"text": "PONG"})).refused_as(409, "needs_input");
    (victim, turn)
}

pub(super) fn approved(stage: &Stage) {
    let (victim, turn) = asked(stage);
    stage.answer(&turn, &json!({"approve": true, "question": turn["question"]["id"]}));
    let turn = stage.ended(&turn);
    let reply = turn["reply"].as_str().unwrap_or_default();
    assert!(turn["state"] == "done" && reply.contains("TOOL-DONE"), "{turn}");
    assert!(!victim.exists());
    assert_eq!(stage.prompts(), ["TOOL rm -f victim"]);
}

pub(super) fn denied(stage: &Stage) {
    let (victim, turn) = asked(stage);
    stage.answer(&turn, &json!({"deny": true}));
    stage.ended(&turn);
    assert!(victim.exists());
    is_done(&stage.send_turn("PONG 2"), "PONG-2");
    assert!(victim.exists());
}

pub(super) fn policy(stage: &Stage) {
    let victim = victim(stage);
    let body =
        |policy: &str| json!({"text": "TOOL rm -f victim", "policy": policy, "wait": PATIENCE.as_secs()});
    let denied = stage.post("/run", body("deny")).ok()["turn"].clone();
    assert!(victim.exists(), "{denied}");
    assert_ne!(denied["state"], "needs_input", "{denied}");
    stage.ended(&denied);
    let approved = stage.post("/send", body("approve")).ok()["turn"].clone();
    assert_eq!((&approved["state"], victim.exists()), (&json!("done"), false), "{approved}");
}

/// Claude Code shows its question while its hook is held: a person may answer there, and then nobody else can.
#[test]
fn a_person_at_claudes_terminal_answers_first_and_a_late_answer_is_refused() {
    let Some(stage) = Stage::set(&CLAUDE, Folder::Trusted) else { return };
    let (victim, turn) = asked(&stage);
    let session = turn["session"].as_str().unwrap();
    stage.tmux().run(&["send-keys", "-t", &format!("={session}:"), "Enter"]);
    let turn = stage.ended(&turn);
    assert_eq!((&turn["state"], victim.exists()), (&json!("done"), false), "{turn}");
    let answer = format!("/sessions/{session}/answer");
    stage.post(&answer, json!({"deny": true})).refused_as(409, "no_question");
    is_done(&stage.send_turn("PONG 2"), "PONG-2");

    std::fs::write(&victim, "").unwrap();
    let earlier = stage.send_turn("TOOL rm -f victim");
    assert_eq!(earlier["state"], "needs_input", "{earlier}");
    stage.tmux().run(&["send-keys", "-t", &format!("={session}:"), "Escape"]);
    stage.ended(&earlier);
    let turn = stage.send_turn("TOOL rm -f victim");
    assert_eq!(turn["state"], "needs_input", "{turn}");
    let late = json!({"approve": true, "question": earlier["question"]["id"]});
    stage.post(&answer, late).refused_as(409, "question_changed");
    stage.answer(&turn, &json!({"deny": true}));
    stage.ended(&turn);
    assert!(victim.exists(), "a question was answered that nobody meant");
    is_done(&stage.send_turn("PONG 3"), "PONG-3");
}
