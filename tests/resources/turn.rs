//! Turns: submitted, listed, cancelled, interrupted.

use serde_json::{Value, json};

use crate::harness::Daemon;

/// A prompt to the session `a`: its turn's id.
#[track_caller]
fn submitted(daemon: &Daemon, text: &str) -> String {
    let turn = daemon.post("/sessions/a/turns", json!({"text": text})).with(202);
    turn["id"].as_str().unwrap().to_owned()
}

/// The ids of the turns listed there.
#[track_caller]
fn ids(daemon: &Daemon, path: &str) -> Vec<String> {
    let listed = daemon.get(path).ok();
    let id = |turn: &Value| turn["id"].as_str().unwrap().to_owned();
    listed["turns"].as_array().unwrap().iter().map(id).collect()
}

#[test]
fn a_turn_is_accepted_or_done() {
    let daemon = Daemon::start();
    daemon.session("a");
    let answer = daemon.post("/sessions/a/turns", json!({"text": "THINK 1", "wait": 0.1}));
    let turn = answer.with(202);
    let location = answer.header("location").unwrap();
    assert_eq!(location, format!("/turns/{}", turn["id"].as_str().unwrap()));
    assert_eq!((&turn["state"], &turn["waited_out"]), (&json!("working"), &json!(true)));
    assert_eq!(daemon.get(&format!("{location}?wait=60")).ok()["reply"], "THINK-DONE");
    let done = daemon.post("/sessions/a/turns", json!({"text": "PONG", "wait": 60, "raw": true})).with(200);
    assert_eq!((&done["state"], &done["reply"]), (&json!("done"), &json!("PONG")));
    daemon.post("/sessions/a/turns", json!({"text": "x", "session": "a"})).refused_as(400, "invalid");
    daemon.post("/sessions/b/turns", json!({"text": "x"})).refused_as(404, "session_not_found");
}

#[test]
fn turns_are_listed_newest_first_without_their_replies() {
    let daemon = Daemon::start();
    let first = daemon.run("PONG")["turn"].clone();
    let (session, id) = (first["session"].as_str().unwrap(), first["session_id"].as_str().unwrap());
    daemon.post("/run", json!({"text": "DIE 3", "name": "a", "wait": 60})).ok();
    daemon.post("/cleanup", json!({})).ok();
    daemon.post("/run", json!({"text": "PONG", "name": "b", "wait": 60})).ok();
    let last = daemon.send("PONG")["turn"]["id"].as_str().unwrap().to_owned();
    let listed = daemon.get("/turns").ok();
    let listed = listed["turns"].as_array().unwrap();
    assert_eq!((listed.len(), &listed[0]["id"], &listed[3]["id"]), (4, &json!(last), &first["id"]));
    assert!(listed.iter().all(|turn| turn["reply"].is_null()), "{listed:?}");
    assert_eq!(ids(&daemon, "/turns?limit=1"), [last]);
    assert_eq!(ids(&daemon, "/sessions/b/turns"), ids(&daemon, "/turns?session=b"));
    assert_eq!(ids(&daemon, "/turns?state=failed"), ids(&daemon, "/turns?session=a"));
    for key in [session, id] {
        assert_eq!(ids(&daemon, &format!("/turns?session={key}")), [first["id"].as_str().unwrap()]);
    }
    assert_eq!(ids(&daemon, "/turns?session=nobody"), [""; 0]);
    daemon.get("/turns?state=over").refused_as(400, "invalid");
}

#[test]
fn a_queued_turn_that_is_cancelled_is_never_typed() {
    let daemon = Daemon::start();
    daemon.session("a");
    let working = submitted(&daemon, "THINK 1");
    let queued = submitted(&daemon, "never");
    let cancelled = daemon.post(&format!("/turns/{queued}/cancel"), json!({})).ok();
    assert_eq!((&cancelled["state"], &cancelled["delivery"]), (&json!("cancelled"), &Value::Null));
    assert_eq!(daemon.turn_in(&working, "done")["reply"], "THINK-DONE");
    for id in [&working, &queued] {
        let before = daemon.get(&format!("/turns/{id}")).ok();
        assert_eq!(daemon.post(&format!("/turns/{id}/cancel"), json!({})).ok(), before, "it has ended");
    }
    daemon.send("PONG");
    assert_eq!(daemon.log().prompts(), ["PONG", "THINK 1", "PONG"]);
    daemon.post("/turns/t-unknown/cancel", json!({})).refused_as(404, "turn_not_found");
}

#[test]
fn a_turn_at_work_is_interrupted() {
    let daemon = Daemon::start();
    daemon.session("a");
    let by_turn = |id: &str| {
        let turn = daemon.post(&format!("/turns/{id}/cancel"), json!({})).ok();
        assert!(["working", "interrupted"].contains(&turn["state"].as_str().unwrap()), "{turn}");
    };
    let by_session = |_: &str| {
        let answer = daemon.post("/sessions/a/interrupt", json!({})).ok();
        assert_eq!(answer, json!({"session": "a", "interrupted": true}));
    };
    for (round, interrupt) in [&by_turn as &dyn Fn(&str), &by_session].into_iter().enumerate() {
        let id = submitted(&daemon, "THINK 60");
        daemon.log().until("busy", round * 2 + 2);
        interrupt(&id);
        daemon.turn_in(&id, "interrupted");
        let pressed = daemon.log().all("key");
        assert_eq!(pressed.last().unwrap()["text"], "escape", "{pressed:?}");
        assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
    }
    let idle = daemon.post("/sessions/a/interrupt", json!({})).ok();
    assert_eq!(idle, json!({"session": "a", "interrupted": false}));
    assert_eq!(daemon.log().prompts(), ["PONG", "THINK 60", "PONG", "THINK 60", "PONG"]);
}
