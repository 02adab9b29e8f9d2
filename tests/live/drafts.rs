//! What a person types into the box of a real agent stays theirs.

use serde_json::json;

use super::agents::{Agent, CLAUDE, CODEX, Folder};
use super::{PATIENCE, Stage};
use crate::harness::within;

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

/// A person may type between two pieces of a long prompt: neither is sent then.
#[test]
fn claude_is_not_sent_what_a_person_types_into_a_prompt() {
    for row in ["row 5 of", "row 31 of"] {
        let Some(stage) = Stage::set(&CLAUDE, Folder::Trusted) else { return };
        let session = stage.run_turn("PONG 1")["session"].as_str().unwrap().to_owned();
        let prompt: String =
            (1..=60).map(|i| format!("row {i} of a prompt\n")).collect::<String>() + "PONG 2";
        let (client, path) = (stage.client(), format!("/sessions/{session}/turns"));
        let body = json!({"text": prompt, "wait": PATIENCE.as_secs()});
        let sent = std::thread::spawn(move || client.post(&path, body));
        let pane = format!("={session}:");
        let shown = || stage.tmux().run(&["capture-pane", "-p", "-t", &pane]);
        within(PATIENCE, "the prompt is being typed", || shown().contains(row).then_some(()));
        stage.tmux().run(&["send-keys", "-t", &pane, "-l", "THEIRS"]);
        sent.join().unwrap().refused_as(503, "not_shown");
        assert_eq!(stage.prompts(), ["PONG 1"]);
        assert!(shown().contains("THEIRS"), "what they typed is gone:\n{}", shown());
    }
}
