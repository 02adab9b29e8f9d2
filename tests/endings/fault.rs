//! Errors, attempts, interruptions by others, and work that goes on behind a reply.

use serde_json::json;

use super::{ended, press, session_in, submitted};
use crate::harness::{Daemon, eventually};

#[test]
fn an_error_of_the_agent_fails_its_turn_in_its_own_words_and_the_next_goes_on() {
    let daemon = Daemon::start();
    daemon.session("a");
    let turn =
        daemon.post("/sessions/a/turns", json!({"text": "ERROR 500 overloaded", "wait": 60})).with(200);
    assert_eq!((&turn["state"], &turn["error"]["code"]), (&json!("failed"), &json!("agent_error")), "{turn}");
    assert_eq!(
        (&turn["error"]["error"], &turn["delivery"]),
        (&json!("API error: 500 overloaded"), &json!("confirmed"))
    );
    session_in(&daemon, "idle");
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
}

#[test]
fn an_attempt_after_an_error_is_work() {
    let daemon = Daemon::start();
    daemon.session("a");
    let turn = submitted(&daemon, "RETRY 2");
    let evidence = |daemon: &Daemon| daemon.get("/sessions/a").ok()["evidence"]["rule"].clone();
    eventually("it is said to be one", || (evidence(&daemon) == "retrying after an error").then_some(()));
    assert_eq!(ended(&daemon, &turn)["reply"], "RETRY-DONE");
}

#[test]
fn a_turn_that_a_person_interrupts_is_interrupted() {
    let daemon = Daemon::start();
    daemon.session("a");
    let turn = submitted(&daemon, "SLOW 60");
    eventually("it writes", || {
        let screen = daemon.get("/sessions/a/screen").ok();
        screen["content"].as_str().unwrap().contains("word3").then_some(())
    });
    press(&daemon, &["Escape"]);
    let turn = ended(&daemon, &turn);
    assert_eq!((&turn["state"], &turn["error"]), (&json!("interrupted"), &json!(null)), "{turn}");
    let reply = turn["reply"].as_str().unwrap();
    assert!(reply.starts_with("word0 word1") && !reply.contains("Interrupted"), "{reply}");
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
}

#[test]
fn a_prompt_that_comes_back_is_ours_and_is_not_mixed_with_the_next() {
    let daemon = Daemon::start();
    daemon.session("a");
    let turn = submitted(&daemon, "RETURNS 60");
    session_in(&daemon, "busy");
    eventually("the agent works", || (daemon.log().all("busy").len() == 2).then_some(()));
    press(&daemon, &["Escape"]);
    assert_eq!(ended(&daemon, &turn)["state"], "interrupted");
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
    assert_eq!(daemon.log().prompts(), ["PONG", "RETURNS 60", "PONG"]);
}

#[test]
fn work_behind_a_reply_is_part_of_the_turn() {
    let daemon = Daemon::start();
    daemon.session("a");
    let turn = submitted(&daemon, "BACKGROUND 2");
    eventually("it has said something", || {
        let screen = daemon.get("/sessions/a/screen").ok();
        screen["content"].as_str().unwrap().contains("BACKGROUND-STARTED").then_some(())
    });
    assert!(daemon.get(&format!("/turns/{turn}")).ok()["finished_at"].is_null());
    assert_eq!(ended(&daemon, &turn)["reply"], "BACKGROUND-DONE");
}
