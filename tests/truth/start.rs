//! What happens before the first prompt: questions at the start, slow starts, clients that give up.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Daemon, Setup, eventually};

#[test]
fn the_question_of_trust_is_answered_by_the_text_of_the_option() {
    for dialog in ["trust", "trust-no-first"] {
        let daemon =
            Setup::new().agent(&format!("--dialog {dialog} --start-delay 0.3 --prompt-delay 0.3")).start();
        assert_eq!(daemon.run("PONG")["turn"]["reply"], "PONG", "{dialog}");
        assert_eq!((daemon.log().prompts(), daemon.log().all("lost")), (vec!["PONG".to_owned()], vec![]));
    }
}

#[test]
fn a_bypass_warning_is_accepted_only_where_the_command_asked_for_bypass() {
    let daemon = Setup::new().env("AGENTMUX_READY_TIMEOUT", "3").agent("--dialog bypass").start();
    daemon.post("/run", json!({"text": "PONG"})).refused_as(503, "not_ready");
    assert_eq!((daemon.log().all("key"), daemon.log().all("exit").len()), (vec![], 0), "no key was pressed");
    let asked = daemon.setup().demo("--dialog bypass --placeholder bypass-permissions");
    let body = json!({"text": "PONG", "command": asked, "wait": 60});
    assert_eq!(daemon.post("/run", body).ok()["turn"]["reply"], "PONG");
}

#[test]
fn an_unknown_screen_gets_no_key() {
    let daemon = Setup::new().env("AGENTMUX_READY_TIMEOUT", "2").start();
    let (script, got) = (daemon.file("ask.sh"), daemon.file("got"));
    let text =
        format!("printf 'Delete everything? [Y/n] '; read -r answer; echo \"$answer\" > {}\n", got.display());
    std::fs::write(&script, text).unwrap();
    let command = json!(["/bin/sh", script]);
    let refusal =
        daemon.post("/run", json!({"text": "PONG", "command": command})).refused_as(503, "not_ready");
    assert!(refusal["screen"].as_str().unwrap().contains("Delete everything?"), "{refusal}");
    assert!(!got.exists(), "something was typed");
    assert_eq!(daemon.tmux().sessions(), [""; 0]);
}

#[test]
fn a_slow_start_is_waited_for() {
    let daemon = Setup::new().agent("--start-silent 1 --start-delay 1 --prompt-delay 1").start();
    assert_eq!(daemon.run("PONG")["turn"]["reply"], "PONG");
    assert_eq!(daemon.log().prompts(), ["PONG"]);
}

#[test]
fn other_requests_do_not_wait_behind_a_slow_start() {
    let daemon = Daemon::start();
    daemon.session("a");
    let slow = daemon.setup().demo_logging_to("slow.log", "--start-silent 8");
    let client = daemon.client();
    let run = std::thread::spawn(move || {
        client.post("/run", json!({"text": "PONG", "name": "slow", "command": slow, "wait": 60}))
    });
    daemon.log_in("slow.log").until("start", 1);
    for path in ["/health", "/sessions", "/idle", "/capture", "/livez"] {
        let began = Instant::now();
        daemon.get(path).ok();
        assert!(began.elapsed() < Duration::from_secs(1), "{path}: {:?}", began.elapsed());
    }
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
    let quick =
        daemon.post("/run", json!({"text": "PONG", "name": "quick", "if_busy": "start", "wait": 60})).ok();
    assert_eq!(quick["turn"]["reply"], "PONG");
    assert_eq!(
        daemon.log_in("slow.log").all("ready").len(),
        0,
        "the slow one is ready already: the machine is too slow"
    );
    assert_eq!(run.join().unwrap().ok()["turn"]["reply"], "PONG");
}

#[test]
fn a_run_completes_although_its_client_hangs_up() {
    let daemon = Setup::new().agent("--start-silent 1").start();
    for name in ["first", "second"] {
        daemon
            .client()
            .post_and_hang_up("/run", &json!({"text": name, "name": name, "wait": 60, "if_busy": "start"}));
    }
    daemon.log().until("reply", 2);
    let mut prompts = daemon.log().prompts();
    prompts.sort();
    assert_eq!(prompts, ["first", "second"]);
    eventually("both are done", || {
        let health = daemon.get("/health").ok();
        let done = |status: &str| {
            health["sessions"].as_array().unwrap().iter().any(|session| session["status"] == status)
        };
        (health["total_sessions"] == 2 && done("active") && done("completed")).then_some(())
    });
}

#[test]
fn five_runs_at_once_make_five_sessions_or_say_why_not() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let run = || client.post("/run", json!({"text": "PONG", "if_busy": "start", "wait": 60}));
        let runs: Vec<_> = (0..5).map(|_| scope.spawn(run)).collect();
        runs.into_iter().map(|run| run.join().unwrap().ok()).collect()
    });
    let mut names: Vec<_> =
        answers.iter().map(|answer| answer["session"].as_str().unwrap().to_owned()).collect();
    assert!(answers.iter().all(|answer| answer["turn"]["reply"] == "PONG"), "{answers:?}");
    let mut listed = daemon.names();
    names.sort();
    listed.sort();
    assert_eq!(names, listed);
    assert_eq!(daemon.log().prompts(), ["PONG"; 5]);
}
