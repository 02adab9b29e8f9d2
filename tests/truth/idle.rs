//! A working agent is never called idle.

use serde_json::json;

use crate::harness::{Daemon, Setup};

/// Sends a prompt and asks for idleness all the time, until the daemon says so; at that moment the agent must
/// have finished by its own account.
#[track_caller]
fn idle_is_true(daemon: &Daemon, text: &str) {
    let finished = daemon.log().all("idle").len() + 1;
    daemon.post("/send", json!({"text": text})).ok();
    crate::harness::eventually("it is idle again", || {
        let idle = daemon.get("/idle").ok()["idle"] == true;
        let done = daemon.log().all("idle").len();
        assert!(!idle || done >= finished, "idle while the agent works on {text:?}");
        idle.then_some(())
    });
}

#[test]
fn not_while_it_thinks_or_writes() {
    let daemon = Daemon::start();
    daemon.session("a");
    for text in ["PONG", "THINK 1", "SLOW 2", "EMPTY", "LONG 500"] {
        idle_is_true(&daemon, text);
    }
}

#[test]
fn not_while_its_reply_looks_like_its_prompt() {
    for options in ["", "--late-busy 0.3", "--no-title", "--no-title --late-busy 0.3"] {
        let daemon = Setup::new().agent(options).start();
        daemon.session("a");
        for text in ["MD", "MD", "THINK 1", "MD"] {
            idle_is_true(&daemon, text);
        }
    }
}

#[test]
fn not_before_a_late_sign_of_work() {
    for late in ["0.2", "0.5", "1.5"] {
        let daemon = Setup::new().agent(&format!("--late-busy {late}")).start();
        daemon.session("a");
        for text in ["PONG", "THINK 1", "MD"] {
            idle_is_true(&daemon, text);
        }
    }
}

#[test]
fn not_while_it_works_in_silence() {
    let daemon = Daemon::start();
    daemon.session("a");
    for text in ["SILENT 0.5", "SILENT 2"] {
        idle_is_true(&daemon, text);
    }
}

#[test]
fn a_suggestion_in_the_box_is_no_draft() {
    let daemon = Setup::new().agent("--placeholder 'Try \"fix the build\"'").start();
    daemon.session("a");
    idle_is_true(&daemon, "THINK 1");
    assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
}

#[test]
fn submission_alone_makes_it_busy() {
    let daemon = Setup::new().agent("--late-busy 1.5").start();
    daemon.session("a");
    daemon.post("/send", json!({"text": "PONG"})).ok();
    assert_eq!(daemon.get("/idle").ok()["idle"], false);
    let health = daemon.listed("a").unwrap();
    assert_eq!((&health["idle"], &health["status"]), (&json!(false), &json!("active")));
    daemon.post("/run", json!({"text": "PONG"})).refused_as(409, "busy");
}

#[test]
fn work_that_a_person_started_counts_too() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.tmux().run(&["send-keys", "-t", "=a:", "-l", "THINK 3"]);
    daemon.tmux().run(&["send-keys", "-t", "=a:", "Enter"]);
    daemon.log().until("busy", 2);
    crate::harness::eventually("its work is noticed", || {
        (daemon.get("/idle").ok()["idle"] == false).then_some(())
    });
    daemon.until_idle();
    assert_eq!(daemon.log().all("idle").len(), 2);
}

#[test]
fn not_by_a_row_of_its_output_that_looks_like_a_prompt_with_a_draft() {
    // What stood in the box before Enter is no sign that the box is back; and 3 s of settling leave a slow machine time.
    let slow = "extends = 'bash'\n[submit]\nsettle_ms = 3000\n";
    let setup = Setup::new().write(".config/agentmux/agents/slow.toml", slow);
    let daemon = setup.start();
    daemon.post("/sessions", json!({"name": "a", "agent": "slow", "wait": 60})).with(201);
    let turn = daemon.send(r"echo one; printf '%s ' '$ two'; sleep 0.4; printf '\nthree\n'")["turn"].clone();
    assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &json!("one\n$ two\nthree")), "{turn}");
}
