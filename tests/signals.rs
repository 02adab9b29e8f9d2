//! What an agent tells of itself by hooks: receipts, ends and replies in its own words; and what holds without them.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Answer, Daemon, Setup, eventually, signal};

/// The demo agent with hooks, as a user would describe it.
const HOOKED: &str = r#"
extends = "demo"
[signals]
args = ["--hooks", "{relay}"]
conflicts = ['^--hooks$']
[[signals.event]]
name = "SessionStart"
means = "ready"
[[signals.event]]
name = "UserPromptSubmit"
means = "submitted"
turn = "/prompt_id"
prompt = "/prompt"
[[signals.event]]
name = "PermissionRequest"
means = "asks"
[[signals.event]]
name = "Stop"
means = "done"
turn = "/prompt_id"
reply = "/last_assistant_message"
usage = { input = ["/in"], output = ["/out"], cost = "/cost", context = "/ctx" }
"#;

fn hooked(options: &str) -> Setup {
    Setup::new()
        .write(".config/agentmux/agents/hooked.toml", HOOKED)
        .agent(options)
        .env("AGENTMUX_AGENT", "hooked")
        .env("AGENTMUX_LOG", "debug")
}

/// The only session's own folder.
fn folder(daemon: &Daemon) -> PathBuf {
    let mut folders = std::fs::read_dir(daemon.state().join("sessions")).unwrap();
    folders.next().unwrap().unwrap().path()
}

/// Posts a payload as the only session's agent would.
fn post(daemon: &Daemon, payload: &Value) -> Answer {
    let key: Value =
        serde_json::from_slice(&std::fs::read(folder(daemon).join("hook.json")).unwrap()).unwrap();
    let authorization = format!("Authorization: Bearer {}", key["secret"].as_str().unwrap());
    let path = format!("/hooks/{}", key["session"].as_str().unwrap());
    daemon.stranger().ask("POST", &path, &[&authorization], payload.to_string().as_bytes())
}

#[track_caller]
fn health(daemon: &Daemon, session: &Value) -> Value {
    let path = format!("/sessions/{}/explain", session.as_str().unwrap());
    daemon.get(&path).ok()["signals"].clone()
}

#[test]
fn a_turn_has_the_agent_s_receipt_and_its_own_words() {
    let daemon = hooked("").start();
    let answer = daemon.run("MD");
    let turn = &answer["turn"];
    assert_eq!((&turn["state"], &turn["delivery"]), (&json!("done"), &json!("confirmed")), "{turn}");
    assert_eq!((&turn["receipt"], &turn["reply_source"]), (&json!("hook"), &json!("hook")), "{turn}");
    assert!(turn["confirmed_at"].is_string() && turn.get("transformed").is_none(), "{turn}");
    // The screen cuts blanks at the ends of rows, and this off: the agent's own word does not.
    let said = daemon.log().all("reply");
    assert_eq!(turn["reply"], said[0]["text"]);
    let signals = health(&daemon, &answer["session"]);
    assert_eq!(signals["health"], "live", "{signals}");
    let counts: Vec<_> = signals["events"].as_array().unwrap().iter().map(|e| e["count"].clone()).collect();
    assert_eq!(counts, [1, 1, 0, 1], "{signals}");
}

#[test]
fn long_and_strange_replies_come_whole() {
    let daemon = hooked("").start();
    let turn = daemon.run("LONG 20000")["turn"].clone();
    let reply = turn["reply"].as_str().unwrap();
    assert_eq!((reply.lines().count(), &turn["reply_source"]), (20_001, &json!("hook")));
    let turn = daemon.send("EMPTY")["turn"].clone();
    assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &json!("")), "{turn}");
    let turn = daemon.send(&format!("{}PONG", "line\n".repeat(20_000)))["turn"].clone();
    assert_eq!((&turn["receipt"], &turn["reply"]), (&json!("hook"), &json!("PONG")), "{turn}");
}

#[test]
fn work_that_no_screen_shows_is_waited_for() {
    let daemon = hooked("").start();
    let turn = daemon.run("SILENT 5")["turn"].clone();
    assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &json!("SILENT-DONE")), "{turn}");
    assert_eq!(turn["reply_source"], "hook");
}

#[test]
fn a_question_ends_the_wait_and_an_interrupt_the_turn_though_no_hook_tells_of_that() {
    let daemon = hooked("").start();
    let answer = daemon.run("ASK");
    assert_eq!(answer["turn"]["state"], "needs_input", "{answer}");
    daemon.post("/key", json!({"key": "enter"})).ok();
    let turn = daemon.turn_in(answer["turn"]["id"].as_str().unwrap(), "done");
    assert_eq!((&turn["reply"], &turn["reply_source"]), (&json!("ASKED-YES"), &json!("hook")), "{turn}");

    let id = daemon.post("/send", json!({"text": "SLOW 60"})).ok()["turn"]["id"].clone();
    daemon.turn_in(id.as_str().unwrap(), "working");
    daemon.post(&format!("/turns/{}/cancel", id.as_str().unwrap()), json!({})).ok();
    let turn = daemon.turn_in(id.as_str().unwrap(), "interrupted");
    assert_eq!(turn["receipt"], "hook", "{turn}");
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");

    let id = daemon.post("/send", json!({"text": "SLOW 60"})).ok()["turn"]["id"].clone();
    daemon.turn_in(id.as_str().unwrap(), "working");
    // By a person, at the terminal.
    daemon.post("/key", json!({"key": "escape"})).ok();
    daemon.turn_in(id.as_str().unwrap(), "interrupted");
}

#[test]
fn hooks_that_do_not_come_leave_the_screen_to_decide() {
    for (mute, source) in [("Stop", "screen"), ("UserPromptSubmit", "screen")] {
        let daemon = hooked(&format!("--hooks-mute {mute}")).start();
        let turn = daemon.run("THINK 1")["turn"].clone();
        assert_eq!(
            (&turn["state"], &turn["reply"]),
            (&json!("done"), &json!("THINK-DONE")),
            "{mute}: {turn}"
        );
        assert_eq!(turn["reply_source"], source, "{mute}: {turn}");
    }
}

#[test]
fn what_keeps_an_agent_from_telling_is_told() {
    let setup = hooked("");
    let (own, shell) = (setup.demo("--hooks true"), format!("exec {}", setup.demo("")));
    let daemon = setup.start();
    for (command, health_of, why) in [
        (own.as_str(), "off", "the command has its own --hooks"),
        (&format!("X=1; {shell}"), "off", "the command is a line for a shell"),
    ] {
        let body = json!({"text": "PONG", "command": command, "wait": 60, "if_busy": "start"});
        let answer = daemon.post("/run", body).ok();
        assert_eq!(answer["turn"]["reply_source"], "screen", "{answer}");
        let signals = health(&daemon, &answer["session"]);
        assert_eq!(signals["health"], health_of, "{signals}");
        assert!(signals["why"].as_str().unwrap().starts_with(why), "{signals}");
    }
    assert_eq!(std::fs::read_dir(daemon.state().join("sessions")).map_or(0, Iterator::count), 0);
}

#[test]
fn an_agent_whose_hooks_are_switched_off_is_told_to_be_silent() {
    let hooks = HOOKED.replace("{relay}", "true {dir}");
    let daemon = hooked("").write(".config/agentmux/agents/hooked.toml", &hooks).start();
    let answer = daemon.run("PONG");
    assert_eq!(answer["turn"]["reply_source"], "screen", "{answer}");
    let signals = health(&daemon, &answer["session"]);
    assert_eq!(signals["health"], "silent", "{signals}");
    assert_eq!(signals["why"], "hooks are silent: title and screen decide");
}

#[test]
fn only_the_session_s_own_secret_opens_its_hooks() {
    let daemon = hooked("").start();
    let session = daemon.run("PONG")["turn"]["session_id"].as_str().unwrap().to_owned();
    let payload = json!({"hook_event_name": "Stop"}).to_string();
    let ask = |session: &str, line: &str| {
        daemon.stranger().ask("POST", &format!("/hooks/{session}"), &[line], payload.as_bytes())
    };
    for (session, line) in [
        (session.as_str(), daemon.authorization()),
        (&session, "Authorization: Bearer x".to_owned()),
        ("s-unknown", daemon.authorization()),
        (&session, "X-Other: 1".to_owned()),
    ] {
        let answer = ask(session, &line);
        assert_eq!((answer.status, answer.json()), (403, json!({"error": "forbidden"})), "{session} {line}");
    }
    assert_eq!(post(&daemon, &json!({"hook_event_name": "Stop"})).ok(), json!({}));
    assert_eq!(post(&daemon, &json!({"hook_event_name": "Invented", "deep": [[[1]]]})).ok(), json!({}));
    assert_eq!(post(&daemon, &json!([])).status, 400);
    let huge = json!({"hook_event_name": "Stop", "last_assistant_message": "x".repeat(9 << 20)});
    assert_eq!(post(&daemon, &huge).status, 413);
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
}

#[test]
fn hooks_of_an_old_turn_and_hooks_that_come_twice_change_nothing() {
    let daemon = hooked("").start();
    daemon.run("PONG");
    let id = daemon.post("/send", json!({"text": "THINK 3"})).ok()["turn"]["id"].as_str().unwrap().to_owned();
    eventually("the receipt", || {
        (daemon.get(&format!("/turns/{id}")).ok()["receipt"] == "hook").then_some(())
    });
    let stop = |prompt: &str| {
        let payload =
            json!({"hook_event_name": "Stop", "prompt_id": prompt, "last_assistant_message": "OLD"});
        post(&daemon, &payload).ok();
    };
    stop("1");
    let again = json!({"hook_event_name": "UserPromptSubmit", "prompt_id": "2", "prompt": "THINK 3"});
    post(&daemon, &again).ok();
    // It claims to have finished while its screen shows that it works.
    stop("2");
    let turn = daemon.turn_in(&id, "done");
    assert_eq!((&turn["reply"], &turn["reply_source"]), (&json!("THINK-DONE"), &json!("hook")), "{turn}");
    stop("2");
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
}

#[test]
fn what_a_turn_used_is_told_with_it() {
    let daemon = hooked("--hooks-mute Stop").start();
    let id = daemon.post("/run", json!({"text": "THINK 2"})).ok()["turn"]["id"].as_str().unwrap().to_owned();
    eventually("the receipt", || {
        (daemon.get(&format!("/turns/{id}")).ok()["receipt"] == "hook").then_some(())
    });
    let payload = json!({
        "hook_event_name": "Stop", "prompt_id": "1", "last_assistant_message": "own words",
        "in": 1200, "out": 34, "cost": 0.25, "ctx": 42,
    });
    post(&daemon, &payload).ok();
    let turn = daemon.turn_in(&id, "done");
    assert_eq!((&turn["reply"], &turn["cost"]), (&json!("own words"), &json!(0.25)), "{turn}");
    assert_eq!((&turn["tokens"], &turn["context"]), (&json!({"input": 1200, "output": 34}), &json!(42)));
    assert_eq!(daemon.get(&format!("/sessions/{}", turn["session"].as_str().unwrap())).ok()["context"], 42);
}

#[test]
fn hooks_go_on_after_the_daemon_has_died_and_come_back_elsewhere() {
    let mut daemon = hooked("").start();
    let session = daemon.run("PONG")["session"].clone();
    let id = daemon.post("/send", json!({"text": "THINK 2"})).ok()["turn"]["id"].as_str().unwrap().to_owned();
    daemon.turn_in(&id, "working");
    daemon.kill();
    // The agent finishes, and its hook finds nobody.
    daemon.log().until("reply", 2);
    daemon.start_again();
    daemon.until_idle();
    assert_eq!(health(&daemon, &session)["health"], "waiting");
    let turn = daemon.send("PONG")["turn"].clone();
    assert_eq!((&turn["receipt"], &turn["reply_source"]), (&json!("hook"), &json!("hook")), "{turn}");
    assert_eq!(health(&daemon, &session)["health"], "live");
}

#[test]
fn a_session_s_secret_is_its_user_s_alone_and_goes_with_it() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    let mut daemon = hooked("").start();
    let session = daemon.run("PONG")["session"].as_str().unwrap().to_owned();
    let folder = folder(&daemon);
    let file = folder.join("hook.json");
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    let key: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let secret = key["secret"].as_str().unwrap();
    assert!(crate::harness::mentioning(secret).is_empty(), "the secret is in a command line");
    let left = daemon.state().join("sessions/s-0");
    std::fs::create_dir(&left).unwrap();
    daemon.stop("TERM");
    daemon.start_again();
    assert!(folder.exists() && !left.exists());
    daemon.post("/kill", json!({"session": session})).ok();
    assert!(!folder.exists());
}

#[test]
fn the_relay_is_quiet_whatever_is_wrong() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut daemon = hooked("").start();
    daemon.run("PONG");
    let folder = folder(&daemon);
    let relay = |folder: &std::path::Path, payload: &[u8]| {
        let mut child = Command::new(crate::harness::AGENTMUXD)
            .arg("hook")
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(payload).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(),
            "{output:?}"
        );
    };
    relay(&folder, b"{}");
    relay(&folder, b"not json");
    relay(&folder, &vec![b'x'; 9 << 20]);
    relay(std::path::Path::new("/no/such/folder"), b"{}");
    signal(daemon.pid(), "STOP");
    relay(&folder, b"{}");
    signal(daemon.pid(), "CONT");
    daemon.stop("TERM");
    relay(&folder, b"{}");
}
