//! A question of the agent ends a wait, takes keys, and never a prompt.

use serde_json::{Value, json};

use crate::harness::{Daemon, Setup, eventually};

/// A session whose agent asks for permission: the id of the turn that waits for it.
fn asking(daemon: &Daemon) -> String {
    let run = daemon.post("/run", json!({"text": "ASK", "name": "a", "wait": 60})).ok();
    assert_eq!(
        (&run["turn"]["state"], &run["turn"]["delivery"]),
        (&json!("needs_input"), &json!("confirmed")),
        "{run}"
    );
    run["turn"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn it_ends_the_wait_and_refuses_prompts() {
    let daemon = Daemon::start();
    let id = asking(&daemon);
    assert_eq!(daemon.get("/idle").ok()["idle"], false);
    daemon.post("/send", json!({"text": "PONG"})).refused_as(409, "needs_input");
    daemon.post("/run", json!({"text": "PONG"})).refused_as(409, "busy");
    assert!(daemon.get("/capture").ok()["content"].as_str().unwrap().contains("Do you want to proceed?"));
    assert_eq!(daemon.get(&format!("/turns/{id}?wait=60")).ok()["state"], "needs_input");
    assert_eq!((daemon.log().prompts(), daemon.log().all("lost")), (vec!["ASK".to_owned()], vec![]));
}

#[test]
fn keys_answer_it_and_the_turn_goes_on() {
    for (keys, reply) in [(&["enter"][..], "ASKED-YES"), (&["down", "enter"], "ASKED-NO")] {
        let daemon = Daemon::start();
        let id = asking(&daemon);
        for key in keys {
            daemon.post("/key", json!({"key": key})).ok();
        }
        assert_eq!(daemon.turn_in(&id, "done")["reply"], reply);
        daemon.until_idle();
        assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
    }
}

#[test]
fn a_queued_prompt_waits_for_the_answer() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.post("/send", json!({"text": "THINK 1 ASK"})).ok();
    let queued = daemon.post("/send", json!({"text": "queued"}));
    // The question may be there already; then the prompt is refused, which is as good.
    eventually("it asks", || {
        let content = daemon.get("/capture").ok()["content"].as_str().unwrap().to_owned();
        content.contains("Do you want to proceed?").then_some(())
    });
    if queued.status == 200 {
        let id = queued.ok()["turn"]["id"].as_str().unwrap().to_owned();
        assert_eq!(daemon.get(&format!("/turns/{id}?wait=1")).ok()["state"], "queued");
        daemon.post("/key", json!({"key": "enter"})).ok();
        daemon.turn_in(&id, "done");
    }
    assert_eq!(daemon.log().all("lost"), Vec::<serde_json::Value>::new());
}

/// A session whose agent is typed into in pieces, and asks something that long after the first.
fn asked_while_typed_into(pause: &str) -> Daemon {
    let pieces = "extends = \"demo\"\n[submit]\nchunk_lines = 1\nchunk_chars = 400\nchunk_pause_ms = 400\n";
    let setup = Setup::new().write(".config/agentmux/agents/pieces.toml", pieces);
    let command = setup.demo(&format!("--ask-over-paste {pause}"));
    let daemon = setup.start();
    let body = json!({"name": "a", "agent": "pieces", "command": command, "wait": 60});
    daemon.post("/sessions", body).with(201);
    daemon
}

#[test]
fn a_question_that_comes_while_a_prompt_is_typed_is_told_and_the_prompt_is_submitted_once() {
    for (pause, text) in
        [("0", "one"), ("0", "one\ntwo\nthree"), ("0.5", "one\ntwo\nthree"), ("0.6", "1\n2\n3\n4\n5")]
    {
        let daemon = asked_while_typed_into(pause);
        let turn = daemon.post("/sessions/a/turns", json!({"text": text, "wait": 60})).with(202);
        assert_eq!(
            (&turn["state"], &turn["delivery"]),
            (&json!("needs_input"), &Value::Null),
            "{text:?}: {turn}"
        );
        assert_eq!(turn["question"]["kind"], "permission", "{turn}");
        assert_eq!(daemon.get("/sessions/a").ok()["question"]["id"], turn["question"]["id"]);
        daemon.post("/sessions/a/answer", json!({"approve": true})).ok();
        let turn = daemon.turn_in(turn["id"].as_str().unwrap(), "done");
        assert_eq!(turn["delivery"], "confirmed", "{text:?}: {turn}");
        assert_eq!(daemon.log().prompts(), [text], "after {pause} s");
    }
}

#[test]
fn a_prompt_below_a_question_that_stays_is_given_up_where_its_time_is_up_or_somebody_takes_it_back() {
    let daemon = asked_while_typed_into("0");
    let timed = json!({"text": "one\ntwo", "timeout": 2, "wait": 60});
    let turn = daemon.post("/sessions/a/turns", timed).with(202);
    assert_eq!(turn["state"], "needs_input", "{turn}");
    let turn = daemon.turn_in(turn["id"].as_str().unwrap(), "failed");
    assert_eq!((&turn["error"]["code"], &turn["submitted_at"]), (&json!("timeout"), &Value::Null), "{turn}");
    daemon.post("/sessions/a/answer", json!({"deny": true})).ok();
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
    assert_eq!(daemon.log().prompts(), ["PONG"]);

    let daemon = asked_while_typed_into("0");
    let turn = daemon.post("/sessions/a/turns", json!({"text": "one\ntwo", "wait": 60})).with(202);
    assert_eq!(turn["state"], "needs_input", "{turn}");
    daemon.post(&format!("/turns/{}/cancel", turn["id"].as_str().unwrap()), json!({})).ok();
    daemon.turn_in(turn["id"].as_str().unwrap(), "cancelled");
    assert_eq!(daemon.log().prompts(), [""; 0]);
}
