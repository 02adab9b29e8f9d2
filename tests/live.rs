//! The real agents, driven by the daemon, with the stand-in as their model.
//!
//! Each claim is a test with each agent. What is not the same for all of them is in the table of
//! [`agents`], and for the prompts in [`delivery`]. An agent that `tests/install-agents.sh` has not installed
//! is skipped, which its tests say.

mod agents;
mod answers;
mod delivery;
mod drafts;
mod endings;
mod images;
mod limits;
mod records;
mod stage;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::documents;
use crate::harness::within;
use crate::standin::MARKDOWN;
use agents::{Agent, CLAUDE_SETTINGS, Failure, Folder, Reply};
use stage::{PATIENCE, Stage};

/// Each claim as a test with each agent.
macro_rules! claims {
    ([$($agent:ident = $row:ident),*] $claims:tt) => {
        $(claims! { $agent = $row $claims })*
    };
    ($agent:ident = $row:ident { $($claim:path: $name:ident in a $folder:ident folder,)* }) => {
        mod $agent {
            use super::*;
            $(#[test] fn $name() { super::with(&agents::$row, Folder::$folder, $claim); })*
        }
    };
}

claims! {
    [
        claude = CLAUDE, codex = CODEX, gemini = GEMINI, opencode = OPENCODE, qwen = QWEN, copilot = COPILOT,
        aider = AIDER
    ] {
        super::questions_at_the_start: questions_at_the_start_are_answered in a Strange folder,
        super::answer: a_prompt_is_answered in a Trusted folder,
        super::context: the_next_prompt_finds_the_context in a Trusted folder,
        super::delivery::table: prompts_arrive_byte_for_byte in a Trusted folder,
        super::long: a_reply_longer_than_the_screen_is_whole in a Trusted folder,
        super::markdown: a_reply_that_looks_like_the_screen_is_a_reply in a Trusted folder,
        super::slow: a_working_agent_is_never_idle in a Trusted folder,
        super::thinking: a_thinking_agent_is_waited_for in a Trusted folder,
        super::queued: two_prompts_to_a_busy_agent_are_two_turns in a Trusted folder,
        super::answers::approved: an_approved_command_is_run in a Trusted folder,
        super::answers::denied: a_denied_command_is_not_run in a Trusted folder,
        super::answers::policy: a_policy_decides_without_anybody in a Trusted folder,
        super::interrupted: an_interrupted_turn_ends_and_the_next_is_answered in a Trusted folder,
        super::failed: an_error_of_the_model_ends_the_turn in a Trusted folder,
        super::exited: an_agent_told_to_exit_has_exited in a Trusted folder,
        super::killed: nothing_is_left_of_a_killed_session in a Trusted folder,
    }
}

/// The README with the agent that most of its readers have.
#[test]
fn the_readme_works_with_claude_code() {
    followed_with_claude("README.md", None);
}

#[test]
fn the_tour_shows_claude_code() {
    followed_with_claude("docs/tour.md", Some("claude"));
}

/// Follows a page, or the part of it that is for this agent, with Claude Code.
fn followed_with_claude(page: &str, agent: Option<&str>) {
    let setup = documents::home();
    // One that Claude Code knows.
    std::fs::create_dir(setup.file("work")).unwrap();
    if let Some((setup, _model)) = stage::seeded(&agents::CLAUDE, setup, Folder::Trusted) {
        documents::follow_in(setup, page, agent);
    }
}

fn with(agent: &'static Agent, folder: Folder, claim: fn(&Stage)) {
    if let Some(stage) = Stage::set(agent, folder) {
        claim(&stage);
    }
}

#[track_caller]
fn is_done(turn: &Value, reply: &str) {
    assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &json!(reply)), "{turn}");
}

fn questions_at_the_start(stage: &Stage) {
    is_done(&stage.run_turn("PONG 1"), "PONG-1");
    if stage.agent.name == "claude" {
        let settings = std::fs::read_to_string(stage.file(".claude/settings.json")).unwrap();
        assert_eq!(settings, CLAUDE_SETTINGS, "the user's settings were changed");
    }
}

fn answer(stage: &Stage) {
    let turn = stage.run_turn("PONG 1 please");
    is_done(&turn, "PONG-1");
    let is_own = turn["reply_source"] == "hook" || turn["reply_source"] == "transcript";
    assert_eq!((&turn["delivery"], is_own), (&json!("confirmed"), stage.agent.reply == Reply::Own), "{turn}");
    assert_eq!(stage.prompts(), ["PONG 1 please"]);
    assert_eq!(stage.get("/idle").ok()["idle"], true);
}

fn context(stage: &Stage) {
    stage.run_turn("PONG is the word");
    for _ in 0..2 {
        let turn = stage.send_turn("RECALL");
        // Some put more into a prompt, which then is in the answer.
        let reply = turn["reply"].as_str().unwrap_or_default();
        assert!(turn["state"] == "done" && reply.ends_with("PONG is the word"), "{turn}");
    }
}

fn long(stage: &Stage) {
    let lines: String = (1..=200).map(|i| format!("line {i}\n")).collect();
    let turn = stage.run_turn("LONG 200");
    is_done(&turn, &format!("{lines}LONG-DONE"));
    is_done(&stage.send_turn("PONG 2"), "PONG-2");
}

/// What the agents do to the reply's form is their own; its text must be there, and nothing of theirs.
fn markdown(stage: &Stage) {
    let turn = stage.run_turn("MD");
    assert_eq!(stage.model.replies(), 1, "an end, and the model still speaks");
    let turn = if stage.agent.name == "aider" { refuse_block(stage, &turn) } else { turn };
    assert_eq!(turn["state"], "done", "{turn}");
    let reply = turn["reply"].as_str().unwrap_or_else(|| panic!("{turn}"));
    let words = |text: &str| {
        let frame = |c| ('─'..='╿').contains(&c);
        let plain = text.replace("```bash", "").replace("# ", "").replace('•', "-");
        let plain = plain.replace(['*', '`'], "").replace(frame, "");
        plain.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    match stage.agent.reply {
        Reply::Own => assert_eq!(reply, MARKDOWN),
        // Gemini CLI counts the lines of code.
        Reply::Whole => {
            let mut seen = words(reply);
            seen.retain(|word| !["1", "2", "3", "4"].contains(&word.as_str()));
            assert_eq!(seen, words(MARKDOWN), "{reply}");
        }
    }
}

/// Aider asks whether a block of shell commands in a reply is to be run.
fn refuse_block(stage: &Stage, turn: &Value) -> Value {
    assert_eq!(turn["state"], "needs_input", "{turn}");
    stage.answer(turn, &json!({"deny": true}));
    stage.ended(turn)
}

fn slow(stage: &Stage) {
    let turn = stage.post("/run", json!({"text": "SLOW 4"})).ok()["turn"].clone();
    within(PATIENCE, "the session is idle", || {
        let idle = stage.get("/idle").ok()["idle"] == true;
        assert!(!idle || stage.model.replies() == 1, "idle, and the model still speaks");
        idle.then_some(())
    });
    let turn = stage.ended(&turn);
    let words = (0..40).map(|i| format!("word{i}")).chain(["SLOW-DONE".to_owned()]);
    let reply: Vec<_> = turn["reply"].as_str().unwrap_or_default().split_whitespace().collect();
    assert!(turn["state"] == "done" && words.eq(reply.iter().copied()), "{turn}");
}

fn thinking(stage: &Stage) {
    is_done(&stage.run_turn("THINK 2"), "THINK-DONE");
    is_done(&stage.send_turn("HANG 2"), "HANG-DONE");
}

fn queued(stage: &Stage) {
    let slow = stage.post("/run", json!({"text": "SLOW 3"})).ok()["turn"].clone();
    let [first, second] = ["PONG 1", "PONG 2"].map(|text| stage.send_on(text));
    assert_eq!(second["state"], "queued", "{second}");
    assert_eq!(stage.settled(&slow)["state"], "done");
    is_done(&stage.settled(&first), "PONG-1");
    is_done(&stage.settled(&second), "PONG-2");
    assert_eq!(stage.prompts(), ["SLOW 3", "PONG 1", "PONG 2"]);
}

fn interrupted(stage: &Stage) {
    let turn = stage.post("/run", json!({"text": "SLOW 60"})).ok()["turn"].clone();
    let session = turn["session"].as_str().unwrap();
    within(PATIENCE, "the reply is on the screen", || {
        let screen = stage.get(&format!("/sessions/{session}/screen")).ok();
        screen["content"].as_str().unwrap().contains("word5").then_some(())
    });
    let answer = stage.post(&format!("/sessions/{session}/interrupt"), json!({})).ok();
    assert_eq!(answer["interrupted"], true);
    let turn = stage.ended(&turn);
    assert_eq!(turn["state"], "interrupted", "{turn}");
    is_done(&stage.send_turn("PONG 2"), "PONG-2");
    assert_eq!(stage.prompts(), ["SLOW 60", "PONG 2"]);
}

fn failed(stage: &Stage) {
    let turn = stage.run_turn("ERR400");
    let error = &turn["error"];
    let (state, text) = match stage.agent.error {
        Failure::Told => ("failed", error["error"].as_str()),
        Failure::Reply => ("done", turn["reply"].as_str()),
    };
    assert_eq!(turn["state"], state, "{turn}");
    assert!(text.unwrap_or_default().contains("the script says"), "{turn}");
    is_done(&stage.send_turn("PONG 2"), "PONG-2");
}

fn exited(stage: &Stage) {
    let turn = stage.run_turn("PONG 1");
    stage.send_on(stage.agent.exit);
    let path = format!(
        "/sessions/{}/wait?until=exited&wait={}",
        turn["session"].as_str().unwrap(),
        PATIENCE.as_secs()
    );
    assert_eq!(stage.get(&path).ok()["state"], "exited");
    assert_eq!(stage.prompts(), ["PONG 1"]);
}

fn killed(stage: &Stage) {
    let before = files(&stage.state());
    let turn = stage.run_turn("PONG");
    let is_seen = !stage.agent_processes().is_empty();
    assert!(is_seen || cfg!(not(target_os = "linux")), "the agent's processes are not found");
    stage.post("/kill", json!({"session": turn["session"]})).ok();
    within(PATIENCE, "no process of the agent is left", || stage.agent_processes().is_empty().then_some(()));
    assert_eq!(files(&stage.state()), before);
}

/// What is in a folder and below it.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        }
        // What stays for the next session: tmux, and the folder above the sessions' own ones.
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with("tmux") && name != "sessions" {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}
