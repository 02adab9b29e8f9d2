//! Prompts that an agent takes for something else than text.

use serde_json::json;

use super::{prompts, session_in};
use crate::harness::Daemon;

#[test]
fn prompts_arrive_as_text_or_are_refused_with_the_reason() {
    let daemon = Daemon::start();
    daemon.session("a");
    for text in ["!echo hi", "/clear"] {
        let turn = daemon.post("/sessions/a/turns", json!({"text": text, "wait": 60})).with(200);
        assert_eq!(
            (&turn["state"], &turn["delivery"]),
            (&json!("done"), &json!("confirmed")),
            "{text}: {turn}"
        );
    }
    daemon.post("/send", json!({"text": "!x", "raw": false, "wait": 60})).ok();
    assert_eq!(prompts(&daemon), [" !echo hi", "/clear ", " !x"]);
    for path in ["/sessions/a/turns", "/send", "/run"] {
        let body = json!({"text": " exit ", "raw": false, "if_busy": "queue"});
        let refusal = daemon.post(path, body).refused_as(422, "special");
        assert!(refusal["error"].as_str().unwrap().contains("ends the program"), "{path}: {refusal}");
    }
    assert_eq!((daemon.names(), prompts(&daemon).len()), (vec!["a".to_owned()], 3));
}

#[test]
fn a_command_of_the_agent_ends_at_the_next_idle_without_a_reply() {
    let daemon = Daemon::start();
    daemon.session("a");
    let turn = daemon.post("/sessions/a/turns", json!({"text": "/clear", "raw": true, "wait": 60})).with(200);
    assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &json!("")), "{turn}");
    let turn = &daemon.send("/clear")["turn"];
    assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &json!("")), "{turn}");
    assert_eq!(prompts(&daemon).len(), 0, "the agent took them for commands");
    daemon.post("/send", json!({"text": "exit", "wait": 60})).ok();
    session_in(&daemon, "exited");
}
