//! What a person types into the box of a real agent stays theirs.

use serde_json::json;

use super::agents::{Agent, CLAUDE, CODEX, Folder};
use super::{PATIENCE, Stage};

#[test]
fn claude_keeps_a_persons_draft() {
    a_draft_is_in_the_way(&CLAUDE);
}

#[test]
fn codex_keeps_a_persons_draft() {
    a_draft_is_in_the_way(&CODEX);
}

/// Prompts are refused, and what is queued waits until the draft is gone; text and shell mode are drafts alike.
fn a_draft_is_in_the_way(agent: &'static Agent) {
    let Some(stage) = Stage::set(agent, Folder::Trusted) else { return };
    let session = stage.run_turn("PONG 1")["session"].as_str().unwrap().to_owned();
    let pane = format!("={session}:");
    let until = |state: &str| {
        let path = format!("/sessions/{session}/wait?until={state}&wait={}", PATIENCE.as_secs());
        assert_eq!(stage.get(&path).ok()["state"], state);
    };
    for draft in ["half a thought", "!"] {
        stage.tmux().run(&["send-keys", "-t", &pane, "-l", draft]);
        until("draft");
        stage.post("/send", json!({"text": "PONG 2"})).refused_as(409, "human_draft");
        let turns = format!("/sessions/{session}/turns");
        stage.post(&turns, json!({"text": "PONG 2"})).refused_as(409, "human_draft");
        stage.tmux().run(&["send-keys", "-N", &draft.len().to_string(), "-t", &pane, "BSpace"]);
        until("idle");
    }
    assert_eq!(stage.send_turn("PONG 3")["reply"], "PONG-3");
    let working = stage.send_on("THINK 8");
    let queued = stage.send_on("PONG 4");
    stage.tmux().run(&["send-keys", "-t", &pane, "-l", "PONG 9"]);
    stage.ended(&working);
    until("draft");
    assert_eq!(stage.get(&format!("/turns/{}", queued["id"].as_str().unwrap())).ok()["state"], "queued");
    stage.tmux().run(&["send-keys", "-t", &pane, "Enter"]);
    assert_eq!(stage.settled(&queued)["reply"], "PONG-4");
    assert_eq!(stage.prompts(), ["PONG 1", "PONG 3", "THINK 8", "PONG 9", "PONG 4"]);
}
