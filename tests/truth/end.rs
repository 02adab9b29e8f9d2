//! A dead agent is never idle, and nothing is ever typed where it was.

use serde_json::json;

use crate::harness::{Daemon, eventually};

/// Whether the pane of the session is dead, as tmux has it.
fn is_dead(daemon: &Daemon, session: &str) -> bool {
    daemon.tmux().run(&["display-message", "-p", "-t", &format!("={session}:"), "#{pane_dead}"]) == "1"
}

#[test]
fn a_turn_fails_with_its_agent() {
    let daemon = Daemon::start();
    for (text, how) in
        [("DIE 3", "status 3"), ("DIE 0", "status 0"), ("CRASH", "signal 9"), ("DIEAFTER 1 4", "status 4")]
    {
        let turn = &daemon.run(text)["turn"];
        assert_eq!(
            (&turn["state"], &turn["error"]["code"]),
            (&json!("failed"), &json!("agent_exited")),
            "{turn}"
        );
        assert!(turn["error"]["error"].as_str().unwrap().contains(how), "{turn}");
    }
}

#[test]
fn an_exited_session_is_an_error_and_takes_no_prompt() {
    let daemon = Daemon::start();
    daemon.post("/run", json!({"text": "DIE 3", "name": "a", "wait": 60})).ok();
    let idle = daemon.get("/idle").ok();
    assert_eq!(idle, json!({"idle": false, "ctx_percent": null, "session": "a", "state": "exited"}));
    assert_eq!(daemon.listed("a").unwrap()["status"], "error");
    for text in ["PONG", "touch canary"] {
        let refusal = daemon.post("/send", json!({"text": text})).refused_as(409, "agent_exited");
        assert!(refusal["error"].as_str().unwrap().contains("status 3"), "{refusal}");
    }
    daemon.post("/key", json!({"key": "enter"})).refused_as(409, "agent_exited");
    assert!(is_dead(&daemon, "a"), "nothing lives in the pane, no shell either");
    assert!(!daemon.file("canary").exists());
    assert_eq!(daemon.log().prompts(), ["DIE 3"]);
    assert!(daemon.get("/capture").ok()["content"].as_str().unwrap().contains("DIE 3"));
    assert_eq!(daemon.run("PONG")["turn"]["reply"], "PONG");
}

#[test]
fn an_agent_that_somebody_killed_is_noticed() {
    let daemon = Daemon::start();
    daemon.session("a");
    let agent = daemon.tmux().pane_pid("a");
    crate::harness::signal(agent, "KILL");
    eventually("its end is noticed", || (daemon.get("/idle").ok()["state"] == "exited").then_some(()));
    let refusal = daemon.post("/send", json!({"text": "PONG"})).refused_as(409, "agent_exited");
    assert!(refusal["error"].as_str().unwrap().contains("signal 9"), "{refusal}");
}

#[test]
fn a_prompt_sent_right_after_the_end_is_not_typed_anywhere() {
    let daemon = Daemon::start();
    for _ in 0..5 {
        daemon.session("a");
        crate::harness::signal(daemon.tmux().pane_pid("a"), "KILL");
        let answer = daemon.post("/send", json!({"text": "late", "wait": 60}));
        let document = answer.json();
        let failed = answer.status == 200 && document["turn"]["error"]["code"] == "agent_exited";
        assert!(answer.status == 409 || failed, "{}: {document}", answer.status);
        daemon.post("/kill", json!({"session": "a"})).ok();
    }
    assert!(daemon.log().prompts().iter().all(|prompt| prompt == "PONG"));
}

#[test]
fn queued_turns_fail_when_the_agent_ends_or_the_session_is_killed() {
    let daemon = Daemon::start();
    for (name, first, code) in
        [("dies", "DIEAFTER 1 1", "agent_exited"), ("killed", "THINK 60", "session_killed")]
    {
        daemon.session(name);
        let ids: Vec<_> = [first, "queued"]
            .map(|text| {
                daemon.post("/send", json!({"text": text})).ok()["turn"]["id"].as_str().unwrap().to_owned()
            })
            .into();
        if code == "session_killed" {
            daemon.post("/kill", json!({"session": name})).ok();
        }
        for id in ids {
            assert_eq!(daemon.turn_in(&id, "failed")["error"]["code"], code);
        }
    }
    assert!(!daemon.log().prompts().contains(&"queued".to_owned()));
}
