//! Permissions that are decided by the agent's hook: by an answer while it is held, by a policy, or by nobody.

use serde_json::{Value, json};

use crate::harness::{Daemon, Setup, eventually, mentioning, signal};

/// The demo agent, whose hook takes decisions.
const DECIDED: &str = r#"
extends = "demo"
[signals]
args = ["--hooks", "{relay}"]
[[signals.event]]
name = "UserPromptSubmit"
means = "submitted"
turn = "/prompt_id"
prompt = "/prompt"
[[signals.event]]
name = "PermissionRequest"
means = "asks"
turn = "/prompt_id"
command = "/tool_input/command"
allow = '{"hookSpecificOutput":{"decision":{"behavior":"allow"}}}'
deny = '{"hookSpecificOutput":{"decision":{"behavior":"deny"}}}'
[[signals.event]]
name = "Stop"
means = "done"
turn = "/prompt_id"
reply = "/last_assistant_message"
"#;

fn deciding(profile: &str) -> Daemon {
    let setup = Setup::new().write(".config/agentmux/agents/decided.toml", profile).agent("");
    setup.env("AGENTMUX_AGENT", "decided").env("AGENTMUX_LOG", "debug").start()
}

/// A session `a` whose agent asks, and whose hook is held: the turn's id.
fn asking(daemon: &Daemon) -> String {
    let run = daemon.post("/run", json!({"text": "ASKTOOL rm -f x", "name": "a", "wait": 60})).ok();
    assert_eq!(run["turn"]["state"], "needs_input", "{run}");
    assert!(!relays(daemon).is_empty(), "no hook is held");
    run["turn"]["id"].as_str().unwrap().to_owned()
}

/// The hooks that wait for an answer.
fn relays(daemon: &Daemon) -> Vec<u32> {
    let hook = format!("agentmuxd hook {}", daemon.state().join("sessions").display());
    let known = mentioning(&hook).into_iter();
    known
        .filter(|(_, line)| !line.contains("--hooks") && !line.contains("/bin/sh"))
        .map(|(pid, _)| pid)
        .collect()
}

fn no_relays(daemon: &Daemon) {
    eventually("the hook is answered", || relays(daemon).is_empty().then_some(()));
}

#[track_caller]
fn ends(daemon: &Daemon, turn: &str, reply: &str, keys: &[&str]) {
    let turn = daemon.turn_in(turn, "done");
    assert_eq!(turn["reply"], reply, "{turn}");
    let pressed: Vec<Value> = daemon.log().all("key").into_iter().map(|key| key["text"].clone()).collect();
    assert_eq!(pressed, keys, "the first is the prompt's own");
    no_relays(daemon);
}

#[test]
fn a_decision_goes_to_the_hook_while_the_question_is_shown_and_presses_no_key() {
    for (body, reply) in
        [(json!({"approve": true}), "ASKED-YES-BY-HOOK"), (json!({"deny": true}), "ASKED-NO-BY-HOOK")]
    {
        let daemon = deciding(DECIDED);
        let id = asking(&daemon);
        daemon.post("/sessions/a/answer", body).ok();
        ends(&daemon, &id, reply, &["enter"]);
        assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
    }
}

#[test]
fn a_policy_decides_by_the_hook_at_once() {
    for (policy, reply) in [("approve", "ASKED-YES-BY-HOOK"), ("deny", "ASKED-NO-BY-HOOK")] {
        let daemon = deciding(DECIDED);
        let body = json!({"text": "ASKTOOL rm -f x", "name": "a", "wait": 60, "policy": policy});
        let turn = daemon.post("/run", body).ok()["turn"].clone();
        ends(&daemon, turn["id"].as_str().unwrap(), reply, &["enter"]);
    }
}

#[test]
fn what_a_hook_cannot_say_is_answered_by_keys_and_lets_the_hook_go() {
    let daemon = deciding(DECIDED);
    let id = asking(&daemon);
    daemon.post("/sessions/a/answer", json!({"choice": 2})).ok();
    ends(&daemon, &id, "ASKED-ALWAYS", &["enter", "down", "enter"]);
}

#[test]
fn a_person_at_the_terminal_answers_and_the_hook_is_let_go() {
    let daemon = deciding(DECIDED);
    let id = asking(&daemon);
    daemon.post("/key", json!({"session": "a", "key": "enter"})).ok();
    ends(&daemon, &id, "ASKED-YES", &["enter", "enter"]);
}

#[test]
fn a_hook_about_another_command_than_is_shown_decides_nothing() {
    let daemon = deciding(&DECIDED.replace("/tool_input/command", "/hook_event_name"));
    let id = asking(&daemon);
    daemon.post("/sessions/a/answer", json!({"deny": true})).ok();
    ends(&daemon, &id, "ASKED-NO", &["enter", "down", "down", "enter"]);
}

#[test]
fn a_hook_that_has_gone_or_does_not_act_is_replaced_by_keys() {
    let daemon = deciding(DECIDED);
    let id = asking(&daemon);
    relays(&daemon).into_iter().for_each(|pid| signal(pid, "KILL"));
    no_relays(&daemon);
    daemon.post("/sessions/a/answer", json!({"approve": true})).ok();
    ends(&daemon, &id, "ASKED-YES", &["enter", "enter"]);

    let daemon = deciding(&DECIDED.replace(r#""decision""#, r#""ignored""#));
    let id = asking(&daemon);
    daemon.post("/sessions/a/answer", json!({"approve": true})).ok();
    ends(&daemon, &id, "ASKED-YES", &["enter", "enter"]);
}

#[test]
fn a_held_hook_holds_up_neither_the_daemon_s_end_nor_the_question() {
    let mut daemon = deciding(DECIDED);
    asking(&daemon);
    assert!(daemon.stop("TERM").success());
    no_relays(&daemon);
    daemon.start_again();
    eventually("the question", || daemon.get("/sessions/a").ok()["question"].is_object().then_some(()));
    daemon.post("/sessions/a/answer", json!({"approve": true})).ok();
    daemon.log().until("reply", 1);
    assert_eq!(daemon.log().all("reply")[0]["text"], "ASKED-YES");
}

#[test]
fn a_session_that_is_ended_lets_its_hook_go() {
    let daemon = deciding(DECIDED);
    asking(&daemon);
    daemon.delete("/sessions/a").ok();
    no_relays(&daemon);
}
