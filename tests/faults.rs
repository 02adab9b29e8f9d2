//! What tmux and its clients do when something is wrong with them, and what is promised then.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Answer, Daemon, Setup, eventually, is_alive, signal};

/// A process that is stopped; it goes on when this is dropped.
struct Stopped(u32);

impl Stopped {
    fn new(pid: u32) -> Self {
        signal(pid, "STOP");
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        signal(self.0, "CONT");
    }
}

/// An answer, and how long it took.
fn timed(ask: impl FnOnce() -> Answer) -> (Answer, Duration) {
    let began = Instant::now();
    (ask(), began.elapsed())
}

/// A session that runs a shell, as an agent that only prints what it is told to.
#[track_caller]
fn shell(daemon: &Daemon, name: &str) {
    let body = json!({
        "name": name, "agent": "repl", "command": ["bash", "--norc", "-i"], "env": {"PS1": "$ "}, "wait": 60
    });
    daemon.post("/sessions", body).with(201);
}

#[test]
fn a_tmux_that_hangs_costs_only_those_who_need_it() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.session("b");
    let stopped = Stopped::new(daemon.tmux().server_pid().unwrap());
    std::thread::scope(|scope| {
        let needy: Vec<_> = [
            ("GET", "/capture", ""),
            ("GET", "/sessions/a/screen", ""),
            ("GET", "/readyz", ""),
            ("POST", "/send", r#"{"text":"first"}"#),
            ("POST", "/run", r#"{"text":"second","name":"c","if_busy":"start"}"#),
        ]
        .map(|(method, path, body)| {
            let asked = || timed(|| daemon.ask(method, path, &[], body.as_bytes()));
            (path, scope.spawn(asked))
        })
        .into();
        let deadline = Instant::now() + Duration::from_secs(4);
        while Instant::now() < deadline {
            for path in ["/health", "/sessions", "/livez", "/idle", "/sessions/a", "/turns"] {
                let (answer, took) = timed(|| daemon.get(path));
                answer.ok();
                assert!(took < Duration::from_secs(1), "{path}: {took:?}");
            }
        }
        for (path, asked) in needy {
            let (answer, took) = asked.join().unwrap();
            assert!(took < Duration::from_secs(8), "{path}: {took:?} {}", answer.json());
            answer.refused_as(503, "tmux_unavailable");
        }
    });
    drop(stopped);
    eventually("tmux answers again", || (daemon.get("/readyz").status == 200).then_some(()));
    for name in ["a", "b"] {
        eventually("the session is idle", || {
            (daemon.get(&format!("/sessions/{name}")).ok()["state"] == "idle").then_some(())
        });
        let body = json!({"text": format!("after in {name}"), "wait": 60});
        let turn = daemon.post(&format!("/sessions/{name}/turns"), body).with(200);
        assert_eq!(turn["reply"], format!("You said: after in {name}"));
    }
    assert_eq!(daemon.post("/run", json!({"text": "PONG", "wait": 60})).ok()["turn"]["reply"], "PONG");
    let prompts = daemon.log().prompts();
    assert_eq!(prompts.iter().filter(|text| *text == "second").count(), 0, "{prompts:?}");
    assert!(prompts.iter().filter(|text| *text == "first").count() <= 1, "{prompts:?}");
}

#[test]
fn a_tmux_that_is_killed_takes_its_sessions_with_it_at_once() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.session("b");
    let turn = daemon.post("/sessions/b/turns", json!({"text": "THINK 60"})).with(202);
    let client = daemon.client();
    let path = format!("/turns/{}?wait=60", turn["id"].as_str().unwrap());
    let waiter = std::thread::spawn(move || client.get(&path).ok());
    let stream = daemon.events();
    let server = daemon.tmux().server_pid().unwrap();
    let began = Instant::now();
    signal(server, "KILL");
    let failed = waiter.join().unwrap();
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("agent_exited")));
    for _ in 0..2 {
        stream.until("end of a session", |event| event.says("session", "exited"));
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    for name in ["a", "b"] {
        assert_eq!(daemon.listed(name).unwrap()["tmux_exists"], false);
        let session = daemon.get(&format!("/sessions/{name}")).ok();
        assert_eq!(
            (&session["state"], &session["lost"], &session["exit"]),
            (&json!("exited"), &json!(true), &json!({}))
        );
    }
    assert_eq!(daemon.post("/run", json!({"text": "PONG", "wait": 60})).ok()["turn"]["reply"], "PONG");
    assert_ne!(daemon.tmux().server_pid(), Some(server));
}

#[test]
fn control_clients_that_are_killed_are_replaced_and_nothing_is_lost() {
    let daemon = Daemon::start();
    daemon.session("a");
    let clients = eventually("both clients are there", || {
        Some(daemon.tmux().control_clients()).filter(|clients| clients.len() == 2)
    });
    for text in ["SLOW 2", "THINK 1", "LONG 200"] {
        let turn = daemon.post("/sessions/a/turns", json!({"text": text})).with(202);
        daemon.tmux().control_clients().into_iter().for_each(|pid| signal(pid, "KILL"));
        let done = daemon.get(&format!("/turns/{}?wait=60", turn["id"].as_str().unwrap())).ok();
        assert_eq!(
            (&done["state"], &done["reply"]),
            (&json!("done"), &daemon.log().all("reply").last().unwrap()["text"]),
            "{text}"
        );
    }
    eventually("there are two others", || {
        let others = daemon.tmux().control_clients();
        (others.len() == 2 && others.iter().all(|pid| !clients.contains(pid))).then_some(())
    });
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
    assert_eq!(daemon.log().prompts(), ["PONG", "SLOW 2", "THINK 1", "LONG 200", "PONG"]);
}

#[test]
fn output_that_looks_like_tmux_s_own_is_only_text() {
    let daemon = Daemon::start();
    shell(&daemon, "a");
    let lines = [
        "%begin 1 2 1",
        "%end 1 2 1",
        "%error 1 2 1",
        "%exit",
        "%exit server exited",
        "%output %0 x",
        "%extended-output %0 9 : x",
        "%pause %0",
        "%window-close @0",
        "%session-changed $0 a",
        "\\033]0;x",
    ];
    for line in lines {
        let turn = daemon.send(&format!("printf '%s\\n' '{line}'"))["turn"].clone();
        assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &json!(line)), "{line}: {turn}");
    }
    for (line, part) in [
        (r"printf '\377\376\200ok-one\n'", "ok-one"),
        (r"printf '\033Pjunk\033\\ok-two\n'", "ok-two"),
        (r"printf '\033]7501;state=\377\033\\ok-three\n'", "ok-three"),
        (r"head -c 200000 /dev/urandom | tr -d '\000-\037'; reset > /dev/null; echo ok-four", "ok-four"),
    ] {
        let turn = daemon.send(line)["turn"].clone();
        assert_eq!(turn["state"], "done", "{line}: {turn}");
        assert!(turn["reply"].as_str().unwrap().contains(part), "{turn}");
    }
    daemon.session("b");
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
    let log = std::fs::read_to_string(daemon.state().join("agentmux.log")).unwrap();
    let complaints: Vec<_> =
        log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
    assert_eq!(complaints, [""; 0]);
}

#[test]
fn either_transport_alone_does_all_the_work() {
    for (transport, clients) in [("subprocess", 0), ("control", 2)] {
        let mut daemon = Setup::new().env("AGENTMUX_TMUX_TRANSPORT", transport).start();
        assert_eq!(daemon.run("PONG")["turn"]["reply"], "PONG", "{transport}");
        daemon.session("b");
        let long = daemon.send("LONG 100")["turn"].clone();
        assert_eq!(long["reply"], daemon.log().all("reply").last().unwrap()["text"], "{transport}");
        eventually("the clients are there", || {
            (daemon.tmux().control_clients().len() == clients).then_some(())
        });
        daemon.post("/sessions/b/turns", json!({"text": "THINK 2"})).with(202);
        daemon.kill();
        daemon.start_again();
        assert_eq!(daemon.names().len(), 2, "{transport}");
        eventually("it is done", || (daemon.get("/sessions/b").ok()["state"] == "idle").then_some(()));
        assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG", "{transport}");
        daemon.delete("/sessions/b").ok();
        assert_eq!(daemon.tmux().sessions(), daemon.names(), "{transport}");
        eventually("no other clients", || (daemon.tmux().control_clients().len() == clients).then_some(()));
        daemon.tmux().kill_server();
        eventually("the loss is noticed", || {
            let exited: Vec<Value> =
                daemon.names().iter().map(|name| daemon.listed(name).unwrap()["status"].clone()).collect();
            exited.iter().all(|status| status == "error").then_some(())
        });
        assert_eq!(daemon.run("PONG")["turn"]["reply"], "PONG", "{transport}");
    }
}

#[test]
fn clients_of_a_daemon_that_was_killed_in_a_flood_are_removed() {
    let mut daemon = Daemon::start();
    shell(&daemon, "a");
    daemon.session("b");
    daemon.post("/sessions/a/turns", json!({"text": "yes flood"})).with(202);
    // It reads no more, and output waits for it when it dies.
    signal(daemon.pid(), "STOP");
    eventually("it floods", || {
        let size = daemon.tmux().run(&["display-message", "-p", "-t", "=a:", "#{history_size}"]);
        (size.parse::<u32>().unwrap() > 1000).then_some(())
    });
    let left = daemon.tmux().control_clients();
    assert_eq!(left.len(), 2);
    daemon.kill();
    daemon.start_again();
    assert_eq!(daemon.names(), ["a", "b"]);
    eventually("what was left is gone", || (!left.iter().any(|pid| is_alive(*pid))).then_some(()));
    eventually("there are two others", || {
        let attached = daemon.tmux().run(&["list-clients", "-F", "#{client_control_mode}"]);
        (attached == "1\n1" && daemon.tmux().control_clients().len() == 2).then_some(())
    });
    assert_eq!(
        daemon.post("/sessions/b/turns", json!({"text": "PONG", "wait": 60})).with(200)["reply"],
        "PONG"
    );
    daemon.tmux().run(&["send-keys", "-t", "=a:", "C-c"]);
    daemon.get("/sessions/a/wait?until=idle&wait=60").ok();
    let said = daemon.post("/sessions/a/turns", json!({"text": "echo here", "wait": 60})).with(200);
    assert_eq!(said["reply"], "here");
}
