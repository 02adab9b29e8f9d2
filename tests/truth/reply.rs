//! The reply is what the agent said, all of it and nothing else; and turns come one after the other.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Daemon, Setup};

/// What the demo agent says that it replied last.
fn last_reply(daemon: &Daemon) -> Value {
    daemon.log().all("reply").last().unwrap()["text"].clone()
}

#[test]
fn run_with_wait_is_a_whole_job() {
    let daemon = Daemon::start();
    let run = daemon.post("/run", json!({"text": "PONG", "wait": 60, "name": "a"})).ok();
    assert_eq!((&run["ok"], &run["session"], &run["waited_out"]), (&json!(true), &json!("a"), &Value::Null));
    let turn = &run["turn"];
    assert_eq!((&turn["state"], &turn["delivery"]), (&json!("done"), &json!("confirmed")));
    assert_eq!(
        (&turn["reply"], &turn["reply_source"], &turn["session"]),
        (&json!("PONG"), &json!("screen"), &json!("a"))
    );
    for time in ["accepted_at", "submitted_at", "finished_at"] {
        let time = turn[time].as_str().unwrap();
        assert!(time.starts_with("20") && time.ends_with('Z') && time.contains('T'), "{time}");
    }
}

#[test]
fn replies_are_exact() {
    let daemon = Daemon::start();
    daemon.session("a");
    for text in [
        "PONG",
        "THINK 0.5",
        "SLOW 3",
        "LONG 3",
        "LONG 200",
        "MD",
        "hello 漢字 and 🦀",
        "two\nlines",
        "SILENT 0.5",
        "PONG",
        "1\n2\n3\n4\n5\n6 as a marker",
        "  indented",
    ] {
        let turn = &daemon.send(text)["turn"];
        assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &last_reply(&daemon)), "{text:?}");
    }
}

#[test]
fn a_late_reply_is_exact_too() {
    for late in ["0.2", "0.5", "1.5"] {
        let daemon = Setup::new().agent(&format!("--late-busy {late}")).start();
        assert_eq!(daemon.run("LONG 100")["turn"]["reply"], last_reply(&daemon), "{late}");
        assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG", "{late}");
    }
}

#[test]
fn no_reply_is_an_empty_one() {
    let daemon = Daemon::start();
    daemon.session("a");
    let turn = &daemon.send("EMPTY")["turn"];
    assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &json!("")));
}

/// An empty reply says that the agent said nothing: nobody may conclude that from not having seen it.
#[test]
fn a_reply_whose_beginning_is_out_of_sight_is_null() {
    let daemon = Daemon::start();
    daemon.session("a");
    let turn = &daemon.send("LONG 20000")["turn"];
    assert_eq!((&turn["state"], &turn["delivery"]), (&json!("done"), &json!("confirmed")), "{turn}");
    assert_eq!((&turn["reply"], &turn["reply_source"]), (&Value::Null, &Value::Null), "{turn}");
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
}

#[test]
fn a_wait_that_ends_first_is_no_error_and_the_turn_can_be_asked_for() {
    let daemon = Daemon::start();
    daemon.session("a");
    let began = Instant::now();
    let sent = daemon.post("/send", json!({"text": "THINK 3", "wait": 0.5})).ok();
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!((&sent["waited_out"], &sent["turn"]["state"]), (&json!(true), &json!("working")));
    let id = sent["turn"]["id"].as_str().unwrap();
    assert_eq!(daemon.get(&format!("/turns/{id}")).ok()["state"], "working");
    let waited = daemon.get(&format!("/turns/{id}?wait=0.1")).ok();
    assert_eq!((&waited["waited_out"], &waited["reply"]), (&json!(true), &Value::Null));
    let done = daemon.get(&format!("/turns/{id}?wait=60")).ok();
    assert_eq!(
        (&done["id"], &done["state"], &done["reply"]),
        (&json!(id), &json!("done"), &json!("THINK-DONE"))
    );
    assert_eq!(daemon.get(&format!("/turns/{id}")).ok()["reply"], "THINK-DONE");
    daemon.get("/turns/nope").refused_as(404, "turn_not_found");
    assert_eq!(daemon.get(&format!("/turns/{id}?wait=soon")).status, 400);
    assert_eq!(daemon.get(&format!("/turns/{id}?wait=3601")).status, 400);
}

#[test]
fn prompts_to_a_busy_session_are_queued_and_taken_in_order() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.post("/send", json!({"text": "THINK 1"})).ok();
    let turns: Vec<_> = (1..=3)
        .map(|number| daemon.post("/send", json!({"text": format!("number {number}")})).ok()["turn"].clone())
        .collect();
    for (number, turn) in (1..).zip(&turns) {
        assert_eq!((&turn["state"], &turn["delivery"]), (&json!("queued"), &Value::Null));
        let done = daemon.get(&format!("/turns/{}?wait=60", turn["id"].as_str().unwrap())).ok();
        assert_eq!(done["reply"], format!("You said: number {number}"));
    }
    assert_eq!(daemon.log().prompts(), ["PONG", "THINK 1", "number 1", "number 2", "number 3"]);
}

#[test]
fn a_client_can_refuse_to_queue() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.post("/send", json!({"text": "THINK 60"})).ok();
    daemon.post("/send", json!({"text": "PONG", "if_busy": "reject"})).refused_as(409, "busy");
    daemon.post("/send", json!({"text": "PONG", "if_busy": "start"})).refused_as(400, "invalid");
    assert_eq!(daemon.log().prompts(), ["PONG", "THINK 60"]);
}

#[test]
fn run_can_queue_at_the_busy_session_or_start_another() {
    let daemon = Daemon::start();
    daemon.post("/run", json!({"text": "THINK 1.5", "name": "a"})).ok();
    let queued = daemon.post("/run", json!({"text": "PONG", "if_busy": "queue"})).ok();
    assert_eq!((&queued["session"], &queued["turn"]["state"]), (&json!("a"), &json!("queued")));
    let other =
        daemon.post("/run", json!({"text": "PONG", "if_busy": "start", "name": "b", "wait": 60})).ok();
    assert_eq!((&other["session"], &other["turn"]["reply"]), (&json!("b"), &json!("PONG")));
    daemon.turn_in(queued["turn"]["id"].as_str().unwrap(), "done");
}

#[test]
fn a_turn_whose_time_is_up_is_interrupted() {
    let daemon = Daemon::start();
    daemon.session("a");
    let turn = &daemon.post("/send", json!({"text": "THINK 60", "timeout": 1, "wait": 60})).ok()["turn"];
    assert_eq!((&turn["state"], &turn["error"]["code"]), (&json!("failed"), &json!("timeout")), "{turn}");
    assert_eq!(daemon.log().all("idle").len(), 2, "the agent came to rest");
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
}

#[test]
fn a_queued_turn_whose_time_is_up_is_never_typed() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.post("/send", json!({"text": "THINK 2"})).ok();
    let turn = &daemon.post("/send", json!({"text": "late", "timeout": 0.3, "wait": 60})).ok()["turn"];
    assert_eq!((&turn["state"], &turn["error"]["code"]), (&json!("failed"), &json!("timeout")), "{turn}");
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
    assert_eq!(daemon.log().prompts(), ["PONG", "THINK 2", "PONG"]);
}

#[test]
fn a_plain_program_with_a_prompt_is_an_agent_too() {
    let daemon = Daemon::start();
    let command = daemon.setup().demo("--line");
    let body = json!({"text": "say it", "agent": "repl", "command": command, "name": "a", "wait": 60});
    assert_eq!(daemon.post("/run", body).ok()["turn"]["reply"], "you said: say it");
    assert_eq!(daemon.send("LONG 50")["turn"]["reply"], last_reply(&daemon));
    let refusal = daemon.post("/send", json!({"text": "two\nlines"}));
    assert_eq!(refusal.status, 400, "{}", refusal.json());
    assert_eq!(daemon.log().prompts(), ["say it", "LONG 50"]);
}
