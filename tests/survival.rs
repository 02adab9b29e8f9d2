//! Daemons, agents and tmux servers die; people look over the agent's shoulder. What is promised then.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Daemon, Setup, environment, eventually, is_alive, mentioning};

/// What must not change for a session when another daemon takes it over.
fn identity(daemon: &Daemon, name: &str) -> (Value, Value, Value, u32) {
    let session = daemon.listed(name).unwrap();
    let id =
        daemon.post("/send", json!({"text": "PONG", "session": name, "wait": 60})).ok()["turn"]["session_id"]
            .clone();
    (id, session["created_at"].clone(), session["target"].clone(), daemon.tmux().pane_pid(name))
}

#[test]
fn a_killed_daemon_finds_its_sessions_again() {
    let mut daemon = Daemon::start();
    for name in ["first", "second", "third"] {
        daemon.session(name);
    }
    let before = ["first", "second", "third"].map(|name| identity(&daemon, name));
    let token = daemon.token().to_owned();
    daemon.kill();
    daemon.start_again();
    assert_eq!(daemon.names(), ["first", "second", "third"]);
    assert_eq!(
        (daemon.get("/sessions").ok()["active"].as_str(), daemon.token()),
        (Some("third"), token.as_str())
    );
    assert_eq!(["first", "second", "third"].map(|name| identity(&daemon, name)), before);
    assert_eq!(daemon.run("PONG")["turn"]["reply"], "PONG");
    assert_eq!(daemon.tmux().sessions().len(), 4);
}

#[test]
fn a_daemon_killed_during_a_turn_types_nothing_twice_and_goes_on() {
    let mut daemon = Daemon::start();
    daemon.session("a");
    daemon.post("/send", json!({"text": "THINK 3"})).ok();
    daemon.log().until("prompt", 2);
    daemon.kill();
    daemon.start_again();
    assert_eq!(daemon.get("/idle").ok()["idle"], false);
    daemon.post("/run", json!({"text": "PONG"})).refused_as(409, "busy");
    let queued = daemon.post("/send", json!({"text": "after the restart", "wait": 60})).ok();
    assert_eq!(queued["turn"]["reply"], "You said: after the restart");
    assert_eq!(daemon.log().prompts(), ["PONG", "THINK 3", "after the restart"]);
    assert_eq!(daemon.tmux().sessions(), ["a"]);
}

#[test]
fn a_daemon_killed_during_a_start_leaves_nothing_that_it_forgets() {
    let mut daemon = Setup::new().agent("--start-silent 1").start();
    daemon.client().post_and_hang_up("/run", &json!({"text": "PONG", "name": "a"}));
    daemon.log().until("start", 1);
    daemon.kill();
    daemon.start_again();
    eventually("what tmux has is what the daemon has", || {
        (daemon.names() == daemon.tmux().sessions()).then_some(())
    });
    daemon.post("/kill", json!({"session": "a"})).ok();
    assert_eq!(daemon.tmux().sessions(), [""; 0]);
}

#[test]
fn an_agent_that_ended_while_no_daemon_ran_is_an_error_afterwards() {
    let mut daemon = Daemon::start();
    daemon.session("a");
    let agent = daemon.tmux().pane_pid("a");
    assert!(daemon.stop("TERM").success());
    crate::harness::signal(agent, "KILL");
    eventually("the agent is gone", || (!is_alive(agent)).then_some(()));
    daemon.start_again();
    eventually("its end is noticed", || daemon.listed("a").filter(|session| session["status"] == "error"));
    daemon.post("/send", json!({"text": "PONG"})).refused_as(409, "agent_exited");
}

#[test]
fn a_tmux_server_that_is_killed_is_noticed_and_replaced() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.post("/run", json!({"text": "THINK 60", "name": "b"})).ok();
    daemon.tmux().kill_server();
    for name in ["a", "b"] {
        let lost =
            eventually("its loss is noticed", || daemon.listed(name).filter(|s| s["tmux_exists"] == false));
        assert_eq!(lost["status"], "error");
    }
    let active = daemon.listed("b").unwrap();
    assert_eq!(
        (active.get("idle"), active.get("ctx_percent")),
        (Some(&Value::Null), Some(&Value::Null)),
        "{active}"
    );
    daemon.post("/send", json!({"text": "PONG"})).refused_as(409, "agent_exited");
    assert_eq!(daemon.run("PONG")["turn"]["reply"], "PONG");
    let mut killed = daemon.post("/cleanup", json!({})).ok()["killed"].clone();
    killed.as_array_mut().unwrap().sort_by_key(Value::to_string);
    assert_eq!(killed, json!(["a", "b"]));
    assert_eq!(daemon.names().len(), 1);
}

#[test]
fn a_turn_fails_when_the_tmux_server_is_killed() {
    let daemon = Daemon::start();
    let run = daemon.post("/run", json!({"text": "THINK 60", "name": "a"})).ok();
    daemon.tmux().kill_server();
    let turn = daemon.turn_in(run["turn"]["id"].as_str().unwrap(), "failed");
    assert_eq!(turn["error"]["code"], "agent_exited", "{turn}");
}

#[test]
fn killing_a_session_never_touches_one_whose_name_it_begins() {
    let daemon = Daemon::start();
    let names = ["a1", "a", "ab", "a-b", "a_b", "A"];
    for name in names {
        daemon.session(name);
    }
    for name in ["a", "a1"] {
        daemon.post("/kill", json!({"session": name})).ok();
    }
    assert_eq!(daemon.names(), ["ab", "a-b", "a_b", "A"]);
    let mut left = daemon.tmux().sessions();
    left.sort();
    assert_eq!(left, ["A", "a-b", "a_b", "ab"]);
    for name in ["a", "a1", "a*", "=ab", ""] {
        assert!([400, 404].contains(&daemon.post("/kill", json!({"session": name})).status), "{name}");
    }
    assert_eq!(daemon.names().len(), 4);
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
}

#[test]
fn ten_crashed_sessions_do_not_block_the_eleventh() {
    let daemon = Daemon::start();
    for number in 0..10 {
        let body = json!({"text": "CRASH", "name": format!("s{number}"), "wait": 60});
        assert_eq!(daemon.post("/run", body).ok()["turn"]["state"], "failed");
    }
    assert_eq!(daemon.run("PONG")["turn"]["reply"], "PONG");
    assert!(daemon.names().len() <= 10, "{:?}", daemon.names());
}

#[test]
fn one_home_has_one_daemon() {
    let mut daemon = Daemon::start();
    daemon.session("a");
    let refusal = daemon.setup().refused();
    assert_eq!(refusal.status.code(), Some(75), "{}", refusal.stderr);
    assert!(refusal.stderr.contains(&daemon.pid().to_string()), "{}", refusal.stderr);
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
    daemon.kill();
    daemon.start_again();
    assert_eq!(daemon.names(), ["a"]);
}

/// A terminal of that size in which a person has attached to the session.
fn attach(daemon: &Daemon, session: &str, columns: &str, rows: &str) {
    let socket = daemon.state().join("tmux.sock");
    let attach = format!("exec env -u TMUX tmux -u -S {} attach -t ={session}", socket.display());
    daemon.terminal().run(&["new-session", "-d", "-x", columns, "-y", rows, &attach]);
    eventually("somebody is attached", || {
        let clients = daemon.tmux().attached();
        clients.lines().any(|client| client == session).then_some(())
    });
}

#[test]
fn a_person_may_watch_and_type_while_turns_run() {
    for (columns, rows) in [("120", "40"), ("200", "60"), ("20", "5")] {
        let daemon = Daemon::start();
        daemon.session("a");
        attach(&daemon, "a", columns, rows);
        assert_eq!(daemon.send("SLOW 1")["turn"]["state"], "done");
        assert_eq!(
            daemon.send("LONG 60")["turn"]["reply"],
            daemon.log().all("reply").last().unwrap()["text"]
        );
        daemon.terminal().run(&["send-keys", "-l", "typed by hand"]);
        eventually("the draft is noticed", || (daemon.get("/idle").ok()["idle"] == false).then_some(()));
        daemon.post("/send", json!({"text": "x"})).refused_as(409, "human_draft");
        daemon.terminal().run(&["send-keys", "Enter"]);
        daemon.log().until("reply", 4);
        daemon.until_idle();
        daemon.terminal().run(&["kill-server"]);
        assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
        assert_eq!(daemon.log().prompts(), ["PONG", "SLOW 1", "LONG 60", "typed by hand", "PONG"]);
    }
}

#[test]
fn the_token_is_nowhere_but_in_its_file_and_prompts_are_nowhere_but_in_the_agent() {
    let setup = Setup::new().env("AGENTMUX_TOKEN", "token-canary").env("AGENTMUX_LOG", "trace");
    let daemon = setup.start();
    let generated = std::fs::read_to_string(daemon.state().join("token")).unwrap_or_default();
    daemon.session("a");
    daemon.post("/send", json!({"text": "THINK 1 prompt-canary"})).ok();
    let secrets: Vec<_> = ["token-canary", "prompt-canary", generated.trim()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    for secret in &secrets {
        assert_eq!(mentioning(secret), [], "command lines");
    }
    daemon.until_idle();
    let tmux = daemon.tmux();
    let places = [
        ("the server's environment", tmux.run(&["show-environment", "-g"])),
        ("the session's environment", tmux.run(&["show-environment", "-t", "=a"])),
        ("the buffers", tmux.run(&["list-buffers"])),
        ("the start command", tmux.run(&["list-panes", "-a", "-F", "#{pane_start_command}"])),
        ("the agent's environment", environment(tmux.pane_pid("a")).unwrap_or_default()),
        ("the server's own environment", environment(tmux.server_pid().unwrap()).unwrap_or_default()),
        ("the log", std::fs::read_to_string(daemon.state().join("agentmux.log")).unwrap()),
        ("its errors", std::fs::read_to_string(daemon.file("stderr")).unwrap()),
    ];
    for (place, text) in places {
        let leaked: Vec<_> = secrets.iter().filter(|secret| text.contains(**secret)).collect();
        assert!(leaked.is_empty(), "{place}: {leaked:?}\n{text}");
    }
    let said = std::fs::read_to_string(daemon.state().join("agentmux.log")).unwrap();
    assert!(!said.contains("THINK-DONE"), "a reply is in the log");
}

#[test]
fn agents_see_no_tmux_and_no_settings_of_ours_but_their_session_name() {
    let daemon = Setup::new().env("OPENAI_API_KEY", "kept").start();
    daemon.session("a");
    let Some(environment) = environment(daemon.tmux().pane_pid("a")) else { return };
    let ours: Vec<_> = environment
        .lines()
        .filter(|line| line.starts_with("AGENTMUX_") || line.starts_with("TMUX"))
        .collect();
    assert_eq!(ours, ["AGENTMUX_SESSION=a"]);
    for line in ["OPENAI_API_KEY=kept", "TERM="] {
        assert!(environment.lines().any(|known| known.starts_with(line)), "{line} is not in {environment}");
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn what_the_daemon_keeps_is_for_its_user_alone() {
    let setup = Setup::new();
    let state = setup.state();
    std::fs::create_dir(&state).unwrap();
    std::fs::set_permissions(&state, PermissionsExt::from_mode(0o755)).unwrap();
    let daemon = setup.start();
    daemon.session("a");
    assert_eq!(mode(&state), 0o700);
    for file in ["token", "daemon.json", "agentmux.log"] {
        assert_eq!(mode(&state.join(file)), 0o600, "{file}");
    }
    let launches = std::fs::read_dir(state.join("launch")).map_or(0, Iterator::count);
    assert_eq!(launches, 0, "a launch file, with the agent's environment, is left");
    let about: Value = serde_json::from_slice(&std::fs::read(state.join("daemon.json")).unwrap()).unwrap();
    assert_eq!((&about["pid"], &about["url"]), (&json!(daemon.pid()), &json!(daemon.url())));
}

#[test]
fn a_tmux_server_of_the_user_keeps_its_options_and_outlives_everything() {
    let setup = Setup::new();
    let socket = setup.file("terminal.sock");
    let mut daemon = setup.env("AGENTMUX_TMUX_SOCKET", socket.to_str().unwrap()).start();
    let terminal = daemon.terminal();
    terminal.run(&["new-session", "-d", "-s", "mine", "cat"]);
    let options = || {
        [["show-options", "-g"], ["show-options", "-s"], ["show-options", "-gw"]]
            .map(|args| terminal.run(&args))
    };
    let before = options();
    assert_eq!(
        daemon.post("/run", json!({"text": "PONG", "name": "a", "wait": 60})).ok()["turn"]["reply"],
        "PONG"
    );
    assert_eq!(options(), before);
    daemon.post("/send", json!({"text": "x", "target": "mine:0.0"})).refused_as(400, "not_managed");
    assert_eq!(daemon.post("/cleanup", json!({})).ok()["killed"], json!([]));
    daemon.post("/kill", json!({"session": "a"})).ok();
    assert!(daemon.stop("TERM").success());
    assert_eq!(terminal.sessions(), ["mine"]);
    assert!(!daemon.state().join("tmux.sock").exists());
}
