//! Permissions of the real agents: approved and denied, by an answer and by a policy, with the effect on disk.

use serde_json::{Value, json};

use super::{Agent, Folder, Stage};

fn with(agent: Agent, claim: fn(&Stage)) {
    if let Some(stage) = Stage::set(agent, Folder::Trusted) {
        std::fs::write(stage.file("work/victim"), "").unwrap();
        claim(&stage);
    }
}

macro_rules! claims {
    ($($claim:ident,)*) => {
        mod claude {
            $(#[test] fn $claim() { super::with(super::Agent::Claude, super::$claim); })*
        }
        mod codex {
            $(#[test] fn $claim() { super::with(super::Agent::Codex, super::$claim); })*
        }
    };
}

claims! {
    an_approved_command_runs,
    a_denied_command_does_not_run,
    a_policy_decides_without_anybody,
}

/// The question that the agent asks before it removes the file, and the path to answer it.
fn asked(stage: &Stage) -> (Value, String) {
    let answer = stage.run("TOOL rm -f victim");
    let question = &answer["turn"]["question"];
    assert_eq!(
        (&answer["turn"]["state"], &question["kind"]),
        (&json!("needs_input"), &json!("permission")),
        "{answer}"
    );
    assert!(question["text"].as_str().unwrap().contains("rm -f victim"), "{question}");
    (answer["turn"].clone(), format!("/sessions/{}/answer", answer["session"].as_str().unwrap()))
}

fn is_there(stage: &Stage) -> bool {
    stage.file("work/victim").exists()
}

fn an_approved_command_runs(stage: &Stage) {
    let (turn, path) = asked(stage);
    assert!(is_there(stage));
    stage.post(&path, json!({"approve": true, "question": turn["question"]["id"]})).ok();
    let turn = stage.turn_in(turn["id"].as_str().unwrap(), "done");
    assert_eq!((&turn["reply"], is_there(stage)), (&json!("TOOL-DONE"), false), "{turn}");
}

fn a_denied_command_does_not_run(stage: &Stage) {
    let (_, path) = asked(stage);
    stage.post(&path, json!({"deny": true})).ok();
    stage.until_idle();
    assert!(is_there(stage));
    assert_eq!(stage.send_turn("PONG 2")["reply"], "PONG-2");
}

fn a_policy_decides_without_anybody(stage: &Stage) {
    let turn = |policy: &str| json!({"text": "TOOL rm -f victim", "policy": policy, "wait": 60});
    let denied = stage.post("/run", turn("deny")).ok();
    assert!(is_there(stage), "{denied}");
    assert_ne!(denied["turn"]["state"], "needs_input", "{denied}");
    stage.until_idle();
    let approved = stage.post("/send", turn("approve")).ok();
    assert_eq!((&approved["turn"]["state"], is_there(stage)), (&json!("done"), false), "{approved}");
}
