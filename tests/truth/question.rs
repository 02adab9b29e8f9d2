//! A question of the agent ends a wait, takes keys, and never a prompt.

use serde_json::json;

use crate::harness::{Daemon, eventually};

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
