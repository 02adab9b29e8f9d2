//! Sessions: started, looked at, waited for, ended.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::harness::{Answer, Client, Daemon, Setup, environment, eventually, signal};

/// A wait in the background: the answer, and when it came.
fn waiting(client: &Client, path: &str) -> std::thread::JoinHandle<(Answer, SystemTime)> {
    let (client, path) = (client.clone(), path.to_owned());
    std::thread::spawn(move || (client.get(&path), SystemTime::now()))
}

#[test]
fn a_session_is_started_as_it_was_asked_for() {
    let daemon = Daemon::start();
    std::fs::create_dir(daemon.file("work")).unwrap();
    let workdir = daemon.file("work").canonicalize().unwrap();
    let command = daemon.setup().demo_logging_to("other.log", "");
    let body = json!({
        "name": "a", "agent": "demo", "command": command, "workdir": workdir, "env": {"MARK": "x y"},
        "size": {"columns": 100, "rows": 30},
    });
    let answer = daemon.post("/sessions", body);
    let started = answer.with(201);
    assert_eq!(answer.header("location"), Some("/sessions/a"));
    assert_eq!(
        (&started["name"], &started["state"], &started["workdir"], &started["exit"]),
        (&json!("a"), &json!("starting"), &json!(workdir), &Value::Null)
    );
    let ready = daemon.get("/sessions/a/wait?until=idle&wait=60").ok();
    assert_eq!((&ready["id"], &ready["waited_out"]), (&started["id"], &Value::Null));
    let size = daemon.tmux().run(&["display-message", "-p", "-t", "=a:", "#{window_width}x#{window_height}"]);
    assert_eq!((size.as_str(), daemon.log_in("other.log").all("ready").len()), ("100x30", 1));
    if let Some(environment) = environment(daemon.tmux().pane_pid("a")) {
        assert!(environment.lines().any(|line| line == "MARK=x y"), "{environment}");
    }
    daemon.post("/sessions", json!({"name": "a"})).refused_as(409, "name_taken");
    assert_eq!(
        daemon.get(&format!("/sessions/{}", started["id"].as_str().unwrap())).ok(),
        daemon.get("/sessions/a").ok()
    );
}

#[test]
fn what_is_wrong_is_refused_and_nothing_is_started() {
    let daemon = Daemon::start();
    for body in [
        json!({"size": {"columns": 10, "rows": 30}}),
        json!({"size": {"columns": 100}}),
        json!({"size": "100x30"}),
        json!({"agent": "smith"}),
        json!({"workdir": "/nowhere"}),
        json!({"env": {"TMUX": "x"}}),
        json!({"name": "a b"}),
        json!({"text": "PONG"}),
        json!({"wait": -1}),
    ] {
        let answer = daemon.post("/sessions", body.clone());
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("invalid")), "{body}");
    }
    assert_eq!(daemon.tmux().sessions(), [""; 0]);
}

#[test]
fn a_prompt_waits_until_the_session_is_ready() {
    let daemon = Daemon::start();
    let command = daemon.setup().demo("--start-silent 1 --start-delay 0.5");
    daemon.post("/sessions", json!({"name": "a", "command": command})).with(201);
    let turn = daemon.post("/sessions/a/turns", json!({"text": "PONG"})).with(202);
    assert_eq!(turn["state"], "queued");
    assert_eq!(daemon.turn_in(turn["id"].as_str().unwrap(), "done")["reply"], "PONG");
}

#[test]
fn who_waits_for_a_start_sees_it_fail() {
    let daemon = Daemon::start();
    let command = daemon.setup().demo("--start-delay 0.5 --die-at-start 3");
    let refusal = daemon.post("/sessions", json!({"name": "a", "command": command, "wait": 60}));
    let refusal = refusal.refused_as(503, "not_ready");
    assert!(refusal["screen"].is_string() && refusal["error"].as_str().unwrap().contains('3'), "{refusal}");
    daemon.get("/sessions/a").refused_as(404, "session_not_found");

    let silent = ["sh", "-c", "sleep 2; exit 3"];
    daemon.post("/sessions", json!({"name": "b", "command": silent})).with(201);
    let waiter = waiting(&daemon, "/sessions/b/wait?until=idle&wait=60");
    let turn = daemon.post("/sessions/b/turns", json!({"text": "PONG"})).with(202);
    waiter.join().unwrap().0.refused_as(404, "session_not_found");
    let failed = daemon.turn_in(turn["id"].as_str().unwrap(), "failed");
    assert!(failed["error"]["code"].is_string(), "{failed}");
    assert_eq!((daemon.names(), daemon.tmux().sessions()), (vec![], vec![]));
}

#[test]
fn the_screen_is_shown_as_text_and_with_its_colours() {
    // Which is faint.
    let daemon = Setup::new().agent("--placeholder suggestion").start();
    daemon.session("a");
    daemon.send("LONG 100");
    let screen = |query: &str| daemon.get(&format!("/sessions/a/screen{query}")).ok();
    let content = |query: &str| screen(query)["content"].as_str().unwrap().to_owned();
    let visible = screen("");
    assert_eq!((&visible["session"], &visible["format"]), (&json!("a"), &json!("text")));
    assert!(content("").contains("LONG-DONE") && !content("").contains("line 1\n"), "{visible}");
    assert!(content("?lines=500").contains("line 1\n"));
    assert_eq!(content("?lines=3").lines().count(), 3);
    let ansi = content("?format=ansi");
    assert!(ansi.contains("\u{1b}["), "{ansi:?}");
    let others = ansi.chars().filter(|c| c.is_control() && !['\n', '\u{1b}'].contains(c));
    assert_eq!(others.count(), 0, "{ansi:?}");
    assert!(!content("").contains('\u{1b}'));
    let pane = &screen("?format=ansi")["pane"];
    assert_eq!(
        (&pane["columns"], &pane["rows"], &pane["alternate"]),
        (&json!(120), &json!(40), &json!(false))
    );
    assert!(pane["cursor"][1].as_u64().unwrap() < 40 && pane["title"].is_string(), "{pane}");
    assert!(visible.get("pane").is_none());
    for query in ["?format=html", "?lines=x", "?line=1"] {
        daemon.get(&format!("/sessions/a/screen{query}")).refused_as(400, "invalid");
    }
}

#[test]
fn a_question_is_explained_and_answered_by_keys() {
    let daemon = Daemon::start();
    daemon.session("a");
    let turn = daemon.post("/sessions/a/turns", json!({"text": "ASK"})).with(202);
    daemon.get("/sessions/a/wait?until=needs_input&wait=60").ok();
    let explained = daemon.get("/sessions/a/explain").ok();
    let evidence = &explained["session"]["evidence"];
    assert_eq!((&evidence["source"], &evidence["rule"]), (&json!("screen"), &json!("dialog")), "{evidence}");
    let rules = explained["rules"].as_array().unwrap();
    let first = rules.iter().find(|rule| rule["holds"] == true).unwrap();
    assert_eq!((&first["rule"], &first["state"]), (&evidence["rule"], &json!("needs_input")));
    assert!(evidence["matched"].as_str().unwrap().contains("Esc to cancel"), "{evidence}");
    daemon.post("/sessions/a/turns", json!({"text": "x"})).refused_as(409, "needs_input");
    let pressed = daemon.post("/sessions/a/keys", json!({"key": "down", "repeat": 1})).ok();
    assert_eq!(pressed, json!({"session": "a", "key": "down", "repeat": 1}));
    daemon.post("/sessions/a/keys", json!({"key": "enter"})).ok();
    assert_eq!(daemon.turn_in(turn["id"].as_str().unwrap(), "done")["reply"], "ASKED-NO");
    daemon.post("/sessions/a/keys", json!({"key": "any"})).refused_as(400, "invalid");
    daemon.post("/sessions/b/keys", json!({"key": "enter"})).refused_as(404, "session_not_found");
}

/// How long after the agent's own moment, by its log, the answer came.
fn lag(daemon: &Daemon, event: &str, answered: SystemTime) -> f64 {
    let moment = daemon.log().all(event).last().unwrap()["t"].as_f64().unwrap();
    answered.duration_since(UNIX_EPOCH).unwrap().as_secs_f64() - moment
}

#[test]
fn who_waits_for_a_state_is_answered_when_it_comes() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.post("/sessions/a/turns", json!({"text": "THINK 2"})).with(202);
    let out = daemon.get("/sessions/a/wait?until=idle,exited&wait=0.2").ok();
    assert_eq!((&out["state"], &out["waited_out"]), (&json!("busy"), &json!(true)));
    let (idle, at) = waiting(&daemon, "/sessions/a/wait?until=idle&wait=60").join().unwrap();
    assert_eq!(idle.ok()["state"], "idle");
    let behind = lag(&daemon, "idle", at);
    assert!(behind < 1.0, "{behind} s behind");

    daemon.post("/sessions/a/turns", json!({"text": "THINK 1 ASK"})).with(202);
    let waiter = waiting(&daemon, "/sessions/a/wait?until=needs_input&wait=60");
    assert_eq!(waiter.join().unwrap().0.ok()["evidence"]["rule"], "dialog");
    daemon.post("/sessions/a/keys", json!({"key": "enter"})).ok();
    daemon.get("/sessions/a/wait?until=idle&wait=60").ok();

    let waiter = waiting(&daemon, "/sessions/a/wait?until=exited&wait=60");
    let killed = SystemTime::now();
    signal(daemon.tmux().pane_pid("a"), "KILL");
    let (exited, at) = waiter.join().unwrap();
    assert_eq!(exited.ok()["exit"], json!({"signal": 9}));
    let behind = at.duration_since(killed).unwrap();
    assert!(behind < Duration::from_secs(2), "{behind:?} behind");
    for query in ["", "?wait=1", "?until=", "?until=idle,soon", "?until=idle&wait=x"] {
        daemon.get(&format!("/sessions/a/wait{query}")).refused_as(400, "invalid");
    }
}

#[test]
fn ending_a_session_ends_what_waits_in_it() {
    let daemon = Daemon::start();
    daemon.session("a");
    let id = daemon.get("/sessions/a").ok()["id"].clone();
    let turn = daemon.post("/sessions/a/turns", json!({"text": "THINK 60"})).with(202);
    let waiter = waiting(&daemon, "/sessions/a/wait?until=idle&wait=60");
    let client = daemon.client();
    let path = format!("/turns/{}?wait=60", turn["id"].as_str().unwrap());
    let reply = std::thread::spawn(move || client.get(&path).ok());
    eventually("it works", || (daemon.get("/sessions/a").ok()["state"] == "busy").then_some(()));
    let began = Instant::now();
    assert_eq!(daemon.delete("/sessions/a").ok(), json!({"name": "a", "id": id}));
    waiter.join().unwrap().0.refused_as(404, "session_not_found");
    let failed = reply.join().unwrap();
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("session_killed")));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    for answer in [daemon.delete("/sessions/a"), daemon.get("/sessions/a"), daemon.get("/sessions/a/turns")] {
        answer.refused_as(404, "session_not_found");
    }
    assert_eq!(daemon.tmux().sessions(), [""; 0]);
}

#[test]
fn the_agents_are_told_and_that_work_can_be_done() {
    let daemon = Daemon::start();
    let agents = daemon.get("/agents").ok();
    assert_eq!(agents["default"], "demo");
    let demo = agents["agents"].as_array().unwrap().iter().find(|agent| agent["name"] == "demo").unwrap();
    assert_eq!(demo["command"][1], "demo-agent", "the configured command: {demo}");
    assert!(demo["program"].as_str().unwrap().ends_with("agentmuxd"), "{demo}");
    assert_eq!(demo["origin"], "built in");
    assert_eq!(daemon.get("/readyz").ok(), json!({"ok": true}));
}
