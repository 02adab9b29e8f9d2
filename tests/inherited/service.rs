//! The daemon as a service: its greeting, its end, and the original's submit script.

use std::process::{Command, Output};

use serde_json::json;

use crate::harness::{Daemon, Setup};

/// The script, run against a daemon with this input and these arguments.
fn submit(daemon: &Daemon, input: &str, args: &[&str]) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/harness/submit.sh");
    let input_file = daemon.file("input");
    std::fs::write(&input_file, input).unwrap();
    Command::new("sh")
        .arg(script)
        .args(["--url", &daemon.url(), "--token", daemon.token(), "--poll-interval", "0.2"])
        .args(args)
        .stdin(std::fs::File::open(input_file).unwrap())
        .output()
        .unwrap()
}

#[test]
fn the_greeting_is_one_line_with_host_and_port() {
    let daemon = Daemon::start();
    let port = daemon.greeting["port"].clone();
    let wanted =
        json!({"ok": true, "message": "bridge started (multi-session)", "host": "127.0.0.1", "port": port});
    assert_eq!(daemon.greeting, wanted);
}

#[test]
fn both_signals_end_it_well_and_leave_the_sessions() {
    for signal in ["TERM", "INT"] {
        let mut daemon = Daemon::start();
        daemon.session("a");
        let agent = daemon.tmux().pane_pid("a");
        let status = daemon.stop(signal);
        assert_eq!(status.code(), Some(0), "{signal}");
        assert_eq!(daemon.tmux().pane_pid("a"), agent);
        assert!(crate::harness::is_alive(agent));
    }
}

#[test]
fn it_ends_soon_although_a_request_waits() {
    let mut daemon = Daemon::start();
    daemon.session("a");
    let client = daemon.client();
    let waiting = std::thread::spawn(move || client.post("/send", json!({"text": "THINK 60", "wait": 60})));
    daemon.log().until("prompt", 2);
    assert_eq!(daemon.stop("TERM").code(), Some(0));
    let answer = waiting.join().unwrap().ok();
    assert_eq!((&answer["waited_out"], &answer["turn"]["state"]), (&json!(true), &json!("working")));
}

#[test]
fn the_submit_script_of_the_original_works() {
    let daemon = Daemon::start();
    let output = submit(&daemon, "", &["--prompt", "THINK 2", "--timeout", "60"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("THINK 2") && said.contains("THINK-DONE"), "{said}");
}

#[test]
fn the_submit_script_takes_a_prompt_from_its_input_and_writes_a_file() {
    let daemon = Setup::new().agent("--late-busy 0.5").start();
    let file = daemon.file("out.txt");
    let input = "a \"quoted\" \\ line\nand PONG\n";
    let output = submit(&daemon, input, &["--output", file.to_str().unwrap(), "--timeout", "60"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(std::fs::read_to_string(file).unwrap().contains("PONG"));
    assert_eq!(daemon.log().prompts(), ["a \"quoted\" \\ line\nand PONG"]);
}
