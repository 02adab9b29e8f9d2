//! Answers to questions: by option, by text, by decision and by policy; and when nothing may be pressed.

use serde_json::{Value, json};

use crate::harness::{Answer, Daemon, Setup, eventually};

/// A session `a` whose agent asks by this prompt: the turn, and the question.
fn asking(daemon: &Daemon, prompt: &str) -> (String, Value) {
    let run = daemon.post("/run", json!({"text": prompt, "name": "a", "wait": 60})).ok();
    let turn = &run["turn"];
    assert_eq!(turn["state"], "needs_input", "{run}");
    (turn["id"].as_str().unwrap().to_owned(), turn["question"].clone())
}

fn answer(daemon: &Daemon, body: Value) -> Answer {
    daemon.post("/sessions/a/answer", body)
}

fn keys(daemon: &Daemon) -> Vec<String> {
    let key = |event: Value| event["text"].as_str().unwrap_or_default().to_owned();
    daemon.log().all("key").into_iter().map(key).collect()
}

#[test]
fn a_question_is_shown_as_data_wherever_the_state_is() {
    let daemon = Daemon::start();
    let (id, question) = asking(&daemon, "ASKTOOL rm -f x");
    assert_eq!(
        (&question["kind"], &question["text"], &question["takes"]),
        (
            &json!("permission"),
            &json!("Run a command\n\n  rm -f x\n\nDo you want to proceed?"),
            &json!(["choice", "approve", "deny"])
        )
    );
    assert_eq!(
        question["options"],
        json!([
            {"number": 1, "label": "Yes", "selected": true},
            {"number": 2, "label": "Yes, and don't ask again for this command", "selected": false},
            {"number": 3, "label": "No", "selected": false},
        ])
    );
    let session = daemon.get("/sessions/a").ok();
    assert_eq!((&session["question"], &session["policy"]), (&question, &json!("ask")));
    assert_eq!(daemon.get(&format!("/turns/{id}?wait=60")).ok()["question"], question);
    answer(&daemon, json!({"deny": true})).ok();
    assert_eq!(daemon.turn_in(&id, "done")["question"], Value::Null);
    assert_eq!(daemon.get("/sessions/a").ok()["question"], Value::Null);
}

#[test]
fn each_way_to_answer_chooses_what_it_says() {
    for (prompt, body, reply) in [
        ("ASKTOOL x", json!({"approve": true}), "ASKED-YES"),
        ("ASKTOOL x", json!({"deny": true}), "ASKED-NO"),
        ("ASKTOOL x", json!({"choice": 2}), "ASKED-ALWAYS"),
        ("ASKTOOL x", json!({"choice": "no"}), "ASKED-NO"),
        ("ASKTOOL x", json!({"choice": "yes, and"}), "ASKED-ALWAYS"),
        ("ASKCOLOUR", json!({"choice": "Blue"}), "ASKED-BLUE"),
        ("ASKCOLOUR", json!({"text": "grün; $x"}), "ASKED-grün; $x"),
        ("ASKCOLOUR", json!({"deny": true}), "ASKED-NO"),
    ] {
        let daemon = Daemon::start();
        let (id, question) = asking(&daemon, prompt);
        let answered = answer(&daemon, body.clone()).ok();
        assert_eq!(answered["question"], question["id"], "{body}");
        let turn = daemon.get(&format!("/turns/{id}?wait=60")).ok();
        assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &json!(reply)), "{body}: {turn}");
        assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
        assert_eq!(daemon.log().all("lost"), Vec::<Value>::new());
    }
}

#[test]
fn what_is_no_answer_presses_nothing() {
    let daemon = Daemon::start();
    daemon.session("a");
    answer(&daemon, json!({"approve": true})).refused_as(409, "no_question");
    let id = daemon.post("/send", json!({"text": "ASKTOOL x", "wait": 60})).ok()["turn"]["id"].clone();
    for body in [
        json!({"choice": 4}),
        json!({"choice": 0}),
        json!({"choice": "maybe"}),
        json!({"choice": "y"}),
        json!({"choice": true}),
        json!({"approve": false}),
        json!({"approve": true, "deny": true}),
        json!({"choice": 1, "text": "x"}),
        json!({"text": "\u{1b}"}),
        json!({"answer": 1}),
        json!({}),
    ] {
        answer(&daemon, body).refused_as(400, "invalid");
    }
    answer(&daemon, json!({"text": "x"})).refused_as(409, "not_answerable");
    answer(&daemon, json!({"approve": true, "question": "q-1"})).refused_as(409, "question_changed");
    daemon.post("/send", json!({"text": "PONG"})).refused_as(409, "needs_input");
    daemon.post("/sessions/b/answer", json!({"approve": true})).refused_as(404, "session_not_found");
    assert_eq!(keys(&daemon), ["enter", "enter"], "the two prompts' own");
    answer(&daemon, json!({"approve": true})).ok();
    daemon.turn_in(id.as_str().unwrap(), "done");
}

#[test]
fn two_questions_that_look_the_same_are_two() {
    let daemon = Daemon::start();
    let (id, first) = asking(&daemon, "ASKTWICE");
    // The selection is back where it was: so it is another one.
    let next =
        answer(&daemon, json!({"choice": 2, "question": first["id"]})).ok()["session"]["question"].clone();
    assert_eq!(next["text"], first["text"]);
    answer(&daemon, json!({"approve": true, "question": first["id"]})).refused_as(409, "question_changed");
    answer(&daemon, json!({"approve": true, "question": next["id"]})).ok();
    assert_eq!(daemon.turn_in(&id, "done")["reply"], "ASKED-NO ASKED-YES");
}

#[test]
fn an_agent_that_forgets_an_early_enter_is_answered_all_the_same() {
    let daemon = Setup::new().agent("--swallow-enter 0.2").start();
    let (id, _) = asking(&daemon, "ASKTOOL x");
    answer(&daemon, json!({"deny": true})).ok();
    assert_eq!(daemon.turn_in(&id, "done")["reply"], "ASKED-NO");
    // Those before are for the prompt.
    assert!(keys(&daemon).ends_with(&["down", "down", "enter"].map(str::to_owned)), "{:?}", keys(&daemon));
}

#[test]
fn an_answer_that_shows_no_effect_is_not_given_twice() {
    let daemon = Daemon::start();
    // The second has the same option selected: nothing tells that it is another one.
    let (id, _) = asking(&daemon, "ASKTWICE");
    answer(&daemon, json!({"approve": true})).refused_as(409, "not_answered");
    assert_eq!(keys(&daemon), ["enter", "enter"]);
    answer(&daemon, json!({"deny": true})).ok();
    assert_eq!(daemon.turn_in(&id, "done")["reply"], "ASKED-YES ASKED-NO");
}

#[test]
fn a_question_that_changes_amid_the_answer_gets_no_more_keys() {
    let daemon = Daemon::start();
    let (id, first) = asking(&daemon, "ASKSHIFT");
    answer(&daemon, json!({"deny": true})).refused_as(409, "question_changed");
    assert_eq!(keys(&daemon), ["enter", "down"]);
    let now = daemon.get("/sessions/a").ok()["question"].clone();
    assert!(now["text"].as_str().unwrap().contains("delete everything"), "{now}");
    answer(&daemon, json!({"approve": true, "question": first["id"]})).refused_as(409, "question_changed");
    answer(&daemon, json!({"deny": true, "question": now["id"]})).ok();
    assert_eq!(daemon.turn_in(&id, "done")["reply"], "ASKED-NO");
}

#[test]
fn a_slow_dialog_is_answered_all_the_same() {
    let daemon = Setup::new().agent("--slow-dialog 0.6").start();
    let (id, _) = asking(&daemon, "ASKTOOL x");
    answer(&daemon, json!({"deny": true})).ok();
    assert_eq!(daemon.turn_in(&id, "done")["reply"], "ASKED-NO");
    assert_eq!(keys(&daemon), ["enter", "down", "down", "enter"]);
}

#[test]
fn what_is_not_recognised_is_shown_and_not_touched() {
    let daemon = Daemon::start();
    let (_, question) = asking(&daemon, "ASKSTRANGE");
    assert_eq!(question, Value::Null);
    let refusal = answer(&daemon, json!({"approve": true})).refused_as(409, "question_unknown");
    assert!(refusal["screen"].as_str().unwrap().contains("Hm?"), "{refusal}");
    assert_eq!(keys(&daemon), ["enter"]);
}

#[test]
fn a_policy_answers_permissions_for_once_and_nobody_else_notices() {
    let daemon = Daemon::start();
    for (policy, prompt, reply) in [
        ("approve", "ASKTOOL x", "ASKED-YES"),
        ("deny", "ASKTOOL x", "ASKED-NO"),
        ("approve", "ASK", "ASKED-YES"),
        ("deny", "ASKTWICE", "ASKED-NO ASKED-NO"),
    ] {
        let run = json!({"text": prompt, "policy": policy, "wait": 60, "if_busy": "start"});
        let run = daemon.post("/run", run).ok();
        assert_eq!((&run["turn"]["state"], &run["turn"]["reply"]), (&json!("done"), &json!(reply)), "{run}");
        let path = format!("/sessions/{}", run["session"].as_str().unwrap());
        assert_eq!(daemon.get(&path).ok()["policy"], policy);
    }
    daemon.post("/run", json!({"text": "PONG", "policy": "sometimes"})).refused_as(400, "invalid");
}

#[test]
fn a_policy_holds_for_its_turn_and_for_permissions_only() {
    let daemon = Daemon::start();
    daemon.session("a");
    let send = |text: &str, policy: Value| {
        daemon.post("/send", json!({"text": text, "policy": policy, "wait": 60})).ok()["turn"].clone()
    };
    assert_eq!(send("ASKTOOL x", json!("approve"))["reply"], "ASKED-YES");
    assert_eq!(send("ASKCOLOUR", json!("approve"))["state"], "needs_input");
    answer(&daemon, json!({"choice": 1})).ok();
    daemon.until_idle();
    assert_eq!(send("ASKTOOL x", json!(null))["state"], "needs_input");
    answer(&daemon, json!({"approve": true})).ok();
    daemon.until_idle();
    let turn = json!({"text": "ASKTOOL x", "policy": "deny", "wait": 60});
    assert_eq!(daemon.post("/sessions/a/turns", turn).with(200)["reply"], "ASKED-NO");
}

#[test]
fn the_daemons_policy_is_the_default_and_a_sessions_own_survives_it() {
    let mut daemon = Setup::new().env("AGENTMUX_POLICY", "deny").start();
    daemon.session("a");
    daemon.post("/sessions", json!({"name": "b", "policy": "approve", "wait": 60})).with(201);
    let turn = |daemon: &Daemon, name: &str| {
        let path = format!("/sessions/{name}/turns");
        daemon.post(&path, json!({"text": "ASKTOOL x", "wait": 60})).with(200)["reply"].clone()
    };
    assert_eq!(turn(&daemon, "a"), "ASKED-NO");
    daemon.stop("TERM");
    daemon.start_again();
    let policy = |name: &str| daemon.get(&format!("/sessions/{name}")).ok()["policy"].clone();
    assert_eq!((policy("a"), policy("b")), (json!("deny"), json!("approve")));
    assert_eq!((turn(&daemon, "a"), turn(&daemon, "b")), (json!("ASKED-NO"), json!("ASKED-YES")));
}

#[test]
fn a_question_at_the_start_can_be_answered_by_somebody() {
    let daemon = Setup::new().env("AGENTMUX_TRUST", "ask").agent("--dialog trust-no-first").start();
    daemon.post("/sessions", json!({"name": "a"})).with(201);
    let asked = daemon.get("/sessions/a/wait?until=needs_input&wait=60").ok();
    assert_eq!((&asked["question"]["kind"], &asked["state"]), (&json!("trust"), &json!("needs_input")));
    answer(&daemon, json!({"approve": true})).ok();
    daemon.get("/sessions/a/wait?until=idle&wait=60").ok();
    eventually("the agent is ready", || (daemon.log().all("ready").len() == 1).then_some(()));
}

#[test]
fn what_else_a_starting_agent_prints_is_not_the_effect_of_a_key() {
    let daemon = Setup::new().agent("--dialog trust-no-first --slow-dialog 0.6").start();
    daemon.session("a");
    assert_eq!(keys(&daemon), ["down", "enter", "enter"]);
}
