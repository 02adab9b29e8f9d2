//! The real Claude Code and Codex, driven by the daemon, with the stand-in as their model.
//!
//! Skipped, saying so, where `tests/install-agents.sh` has not installed them.

mod answers;
mod endings;
mod stage;

use serde_json::json;

use crate::harness::eventually;
use crate::standin::MARKDOWN;
use stage::{Agent, CLAUDE_SETTINGS, Folder, Stage};

/// Each claim as a test with each agent.
macro_rules! claims {
    ($($claim:ident in a $folder:ident folder,)*) => {
        mod claude {
            use super::{Agent, Folder};
            $(#[test] fn $claim() { super::with(Agent::Claude, Folder::$folder, super::$claim); })*
        }
        mod codex {
            use super::{Agent, Folder};
            $(#[test] fn $claim() { super::with(Agent::Codex, Folder::$folder, super::$claim); })*
        }
    };
}

claims! {
    questions_at_the_start_are_answered in a Strange folder,
    a_prompt_is_answered in a Trusted folder,
    the_next_prompt_finds_the_context in a Trusted folder,
    prompts_arrive_byte_for_byte in a Trusted folder,
    a_reply_longer_than_the_screen_is_whole in a Trusted folder,
    a_reply_that_looks_like_the_screen_is_a_reply in a Trusted folder,
    a_working_agent_is_never_idle in a Trusted folder,
    a_thinking_agent_is_waited_for in a Trusted folder,
    a_question_ends_the_wait_and_enter_answers_it in a Trusted folder,
    an_error_of_the_model_ends_the_turn in a Trusted folder,
    nothing_is_left_of_a_killed_session in a Trusted folder,
}

fn with(agent: Agent, folder: Folder, claim: fn(&Stage)) {
    if let Some(stage) = Stage::set(agent, folder) {
        claim(&stage);
    }
}

fn questions_at_the_start_are_answered(stage: &Stage) {
    let turn = stage.run_turn("PONG 1");
    assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &json!("PONG-1")), "{turn}");
    if stage.agent == Agent::Claude {
        let settings = std::fs::read_to_string(stage.file(".claude/settings.json")).unwrap();
        assert_eq!(settings, CLAUDE_SETTINGS, "the user's settings were changed");
    }
}

fn a_prompt_is_answered(stage: &Stage) {
    let answer = stage.run("PONG 1 please");
    let turn = &answer["turn"];
    assert_eq!((&turn["state"], &turn["delivery"]), (&json!("done"), &json!("confirmed")), "{answer}");
    assert_eq!((&turn["reply"], &turn["reply_source"]), (&json!("PONG-1"), &json!("hook")));
    assert_eq!(stage.model.user_texts(), ["PONG 1 please"]);
    assert_eq!(stage.get("/idle").ok()["idle"], true);
}

fn the_next_prompt_finds_the_context(stage: &Stage) {
    stage.run_turn("PONG is the word");
    for _ in 0..2 {
        let turn = stage.send_turn("RECALL");
        assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &json!("PONG is the word")), "{turn}");
    }
}

fn prompts_arrive_byte_for_byte(stage: &Stage) {
    let prompts = [
        "first of three\nsecond -- `PONG 2` in it\nthird;",
        "- #{pane_id} $(id) \"quoted\" 'too' \\ back; PONG",
        "# 漢字 and 👍\n- é and **bold**\n* `code` PONG;",
    ];
    for (number, prompt) in prompts.iter().enumerate() {
        let turn = if number == 0 { stage.run_turn(prompt) } else { stage.send_turn(prompt) };
        assert_eq!(turn["state"], "done", "{turn}");
    }
    assert_eq!(stage.model.user_texts(), prompts);
}

fn a_reply_longer_than_the_screen_is_whole(stage: &Stage) {
    let lines: Vec<_> = (1..=60).map(|i| format!("line {i}\n")).collect();
    let turn = stage.run_turn("LONG 60");
    assert_eq!(turn["reply"], format!("{}LONG-DONE", lines.concat()), "{turn}");
    let turn = stage.send_turn("PONG 2");
    assert_eq!(turn["reply"], "PONG-2", "{turn}");
}

/// What the agents do to the reply's form is their own; its text must be there, and nothing of theirs.
fn a_reply_that_looks_like_the_screen_is_a_reply(stage: &Stage) {
    let turn = stage.run_turn("MD");
    let reply = turn["reply"].as_str().unwrap_or_else(|| panic!("{turn}"));
    let words = |text: &str| {
        let plain = text.replace("```bash", "").replace("# ", "").replace(['*', '`'], "").replace('•', "-");
        plain.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(words(reply), words(MARKDOWN), "{reply}");
}

fn a_working_agent_is_never_idle(stage: &Stage) {
    let answer = stage.post("/run", json!({"text": "SLOW 4"})).ok();
    eventually("the session is idle", || {
        let idle = stage.get("/idle").ok()["idle"] == true;
        assert!(!idle || stage.model.replies() == 1, "idle, and the model still speaks");
        idle.then_some(())
    });
    let turn = stage.turn_in(answer["turn"]["id"].as_str().unwrap(), "done");
    let reply = turn["reply"].as_str().unwrap();
    assert!(reply.starts_with("word0 word1 ") && reply.ends_with(" word39\n\nSLOW-DONE"), "{reply}");
}

fn a_thinking_agent_is_waited_for(stage: &Stage) {
    for (prompt, reply) in [("THINK 2", "THINK-DONE"), ("HANG 2", "HANG-DONE")] {
        let turn = if reply == "THINK-DONE" { stage.run_turn(prompt) } else { stage.send_turn(prompt) };
        assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &json!(reply)), "{turn}");
    }
}

fn a_question_ends_the_wait_and_enter_answers_it(stage: &Stage) {
    std::fs::write(stage.file("work/victim"), "").unwrap();
    let turn = stage.run_turn("TOOL rm -f victim");
    assert_eq!((&turn["state"], &turn["reply"]), (&json!("needs_input"), &json!(null)), "{turn}");
    assert!(stage.file("work/victim").exists());
    stage.post("/send", json!({"text": "PONG"})).refused_as(409, "needs_input");
    stage.post("/key", json!({"key": "enter"})).ok();
    let turn = stage.turn_in(turn["id"].as_str().unwrap(), "done");
    assert_eq!(turn["reply"], "TOOL-DONE", "{turn}");
    assert!(!stage.file("work/victim").exists());
    assert_eq!(stage.model.user_texts(), ["TOOL rm -f victim"]);
}

fn an_error_of_the_model_ends_the_turn(stage: &Stage) {
    let turn = stage.run_turn("ERR400");
    assert_eq!((&turn["state"], &turn["error"]["code"]), (&json!("failed"), &json!("agent_error")), "{turn}");
    assert!(turn["error"]["error"].as_str().unwrap().contains("the script says"), "{turn}");
    assert_eq!(stage.send_turn("PONG 2")["reply"], "PONG-2");
}

fn nothing_is_left_of_a_killed_session(stage: &Stage) {
    let answer = stage.run("PONG");
    let session = answer["session"].as_str().unwrap();
    let is_seen = !stage.agent_processes(session).is_empty();
    assert!(is_seen || cfg!(not(target_os = "linux")), "the agent's processes are not found");
    stage.post("/kill", json!({"session": session})).ok();
    eventually("no process of the agent is left", || stage.agent_processes(session).is_empty().then_some(()));
}
