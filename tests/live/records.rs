//! What the agents' own records give: replies where no hook comes, tokens, and how full the context is.

use serde_json::{Value, json};

use super::agents::{AIDER, CLAUDE, CODEX, Folder};
use super::{MARKDOWN, PATIENCE, Stage};
use crate::harness::within;

/// The reply's source, the tokens and the context of a turn that is done.
#[track_caller]
fn told(turn: &Value) -> (&str, &Value, &Value) {
    assert_eq!(turn["state"], "done", "{turn}");
    (turn["reply_source"].as_str().unwrap_or("?"), &turn["tokens"], &turn["context"])
}

#[test]
fn codex_tells_by_its_rollout_what_notify_does_not() {
    let Some(stage) = Stage::set(&CODEX, Folder::Trusted) else { return };
    let (tokens, context) = (json!({"input": 21000, "output": 50}), json!(8));
    let turn = stage.run_turn("PONG 1");
    assert_eq!((told(&turn), &turn["reply"]), (("hook", &tokens, &context), &json!("PONG-1")), "{turn}");
    // Linux takes no argument of more than 128 KiB, and notify's has all prompts and the reply.
    let source = if cfg!(target_os = "linux") { "transcript" } else { "hook" };
    let turn = stage.send_turn(&format!("{}MD", "a row of a prompt that is long\n".repeat(5000)));
    assert_eq!(
        (told(&turn), turn["reply"].as_str()),
        ((source, &tokens, &context), Some(MARKDOWN)),
        "{turn}"
    );
    // From now on it is silent: each prompt is in the argument of each turn. What was said before is not said again.
    for _ in 0..2 {
        let turn = stage.send_turn("PONG 2");
        assert_eq!((told(&turn), &turn["reply"]), ((source, &tokens, &context), &json!("PONG-2")), "{turn}");
    }
    let failed = stage.send_turn("ERR400");
    assert_eq!((&failed["state"], &failed["tokens"]), (&json!("failed"), &Value::Null), "{failed}");
}

#[test]
fn claude_tells_tokens_by_its_transcript() {
    let Some(stage) = Stage::set(&CLAUDE, Folder::Trusted) else { return };
    let tokens = |turn: &Value| {
        assert_eq!((told(turn).0, &turn["reply"]), ("hook", &json!("PONG-1")), "{turn}");
        turn["tokens"].clone()
    };
    let first = tokens(&stage.run_turn("PONG 1"));
    assert!(first["input"].is_u64() && first["output"].is_u64(), "{first}");
    for _ in 0..2 {
        assert_eq!(tokens(&stage.send_turn("PONG 1")), first);
    }
}

#[test]
fn aider_tells_by_its_logs_what_its_screen_does_not() {
    let Some(stage) = Stage::set(&AIDER, Folder::Trusted) else { return };
    let turn = stage.run_turn("MD");
    assert_eq!(turn["state"], "needs_input", "{turn}");
    stage.answer(&turn, &json!({"deny": true}));
    let turn = stage.ended(&turn);
    let (source, tokens, _) = told(&turn);
    assert_eq!((source, turn["reply"].as_str()), ("transcript", Some(MARKDOWN)), "{turn}");
    assert!(tokens["input"].as_u64() > Some(1000) && tokens["output"].as_u64() > Some(100), "{turn}");
    assert!(turn["cost"].as_f64() > Some(0.0), "{turn}");

    let turn = stage.post("/run", json!({"text": "SLOW 60"})).ok()["turn"].clone();
    let session = turn["session"].as_str().unwrap();
    within(PATIENCE, "the reply is on the screen", || {
        let screen = stage.get(&format!("/sessions/{session}/screen")).ok();
        screen["content"].as_str().unwrap().contains("word5").then_some(())
    });
    stage.post(&format!("/sessions/{session}/interrupt"), json!({})).ok();
    let turn = stage.ended(&turn);
    assert_eq!(
        (&turn["state"], &turn["reply_source"]),
        (&json!("interrupted"), &json!("transcript")),
        "{turn}"
    );
    let said: Vec<_> = turn["reply"].as_str().unwrap().split_whitespace().collect();
    assert!((0..said.len()).map(|i| format!("word{i}")).eq(said.iter().copied()) && said.len() > 5, "{turn}");

    // A command of its own says nothing, and what was said before is not said again.
    let turn = stage.post("/send", json!({"text": "/tokens", "raw": true, "wait": PATIENCE.as_secs()})).ok();
    assert_eq!((&turn["turn"]["state"], &turn["turn"]["reply"]), (&json!("done"), &json!("")), "{turn}");
    // Its user's own history of the chat has all of it.
    let history = std::fs::read_to_string(stage.file("work/.aider.chat.history.md")).unwrap();
    assert!(history.contains("#### MD") && history.contains("#### SLOW 60"), "{history}");
}
