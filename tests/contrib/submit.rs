//! `agentmux-submit.sh`, in each shell of this machine.

use std::fs;
use std::process::{Command, Output, Stdio};

use super::{contrib, has};
use crate::client::{ended, in_home, program};
use crate::harness::{Daemon, Setup, eventually, mentioning, signal};

/// Shells as `PROGRAM` or `PROGRAM ARGUMENT`; `sh` is there always.
fn shells() -> impl Iterator<Item = Vec<&'static str>> {
    let all = ["sh", "dash", "bash --posix", "busybox sh", "ksh", "zsh --emulate sh"];
    all.into_iter().map(|shell| shell.split(' ').collect::<Vec<_>>()).filter(|words| has(words[0]))
}

/// The script, by that shell, as a user of the daemon's home runs it.
fn submit(daemon: &Daemon, shell: &[&str], args: &[&str]) -> Command {
    let script = contrib("agentmux-submit.sh");
    let words = [&shell[1..], &[&*script], args].concat();
    let mut command = in_home(daemon, shell[0], &words);
    command.env("PATH", format!("{}:/usr/bin:/bin", program().parent().unwrap().display()));
    command.current_dir(daemon.file(""));
    command
}

#[track_caller]
fn submitted(daemon: &Daemon, status: i32, args: &[&str]) -> String {
    ended(status, &submit(daemon, &["sh"], args).output().unwrap())
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_shell_submits_a_prompt_and_prints_the_reply() {
    let daemon = Daemon::start();
    for shell in shells() {
        let output =
            submit(&daemon, &shell, &["--prompt", "-n 'PONG' \\n $HOME", "--timeout", "60"]).output();
        assert_eq!(ended(0, &output.unwrap()), "PONG\n", "{shell:?}");
        let prompt = "a \"quoted\" \\ line\n\n  and PONG\t$x `y`";
        let file = daemon.file("prompt.md");
        fs::write(&file, format!("{prompt}\n")).unwrap();
        let mut piped = submit(&daemon, &shell, &["--output", "-reply.txt", "--poll-interval", "5"]);
        let output = piped.stdin(fs::File::open(&file).unwrap()).output().unwrap();
        assert_eq!((&*ended(0, &output), &*said(&output)), ("", ""), "{shell:?}");
        assert_eq!(fs::read_to_string(daemon.file("-reply.txt")).unwrap(), "PONG\n", "{shell:?}");
        assert_eq!(daemon.log().prompts().pop().unwrap(), prompt, "{shell:?}");
    }
}

#[test]
fn where_to_submit_is_told_by_option_or_variable() {
    let daemon = Daemon::start();
    let token = daemon.token().to_owned();
    let stranger = |args: &[&str]| {
        let mut command = submit(&daemon, &["sh"], &[&["--prompt", "PONG"], args].concat());
        command.env("AGENTMUX_STATE_DIR", daemon.file("elsewhere"));
        command
    };
    let url = daemon.url();
    assert_eq!(ended(0, &stranger(&["--url", &url, "--token", &token]).output().unwrap()), "PONG\n");
    let mut by_variables = stranger(&[]);
    by_variables.env("AGENTMUX_URL", format!("{url}/")).env("AGENTMUX_TOKEN", &token);
    assert_eq!(ended(0, &by_variables.output().unwrap()), "PONG\n");
    ended(1, &stranger(&["--url", &url, "--token", "wrong"]).output().unwrap());
    for url in ["https://127.0.0.1:1", "127.0.0.1", "http://", "http://127.0.0.1/x"] {
        let output = stranger(&["--url", url]).output().unwrap();
        ended(2, &output);
        assert!(said(&output).contains("URL must be"), "{output:?}");
    }
}

#[test]
fn a_token_in_a_variable_is_in_no_command_line() {
    let daemon = Setup::new().env("AGENTMUX_TOKEN", "a-token-that-nobody-may-see").start();
    let mut command = submit(&daemon, &["sh"], &["--prompt", "THINK 60", "--output", "reply.txt"]);
    let mut script = command.env("AGENTMUX_TOKEN", daemon.token()).spawn().unwrap();
    daemon.log().until("prompt", 1);
    assert_eq!(mentioning(daemon.token()), []);
    signal(script.id(), "TERM");
    assert_eq!(script.wait().unwrap().code(), Some(143));
}

#[test]
fn a_signal_ends_the_client_with_the_script() {
    let daemon = Daemon::start();
    let clients = || {
        let lines = mentioning("THINK 71").into_iter().map(|(_, line)| line);
        lines.filter(|line| line.starts_with("agentmux run")).count()
    };
    for args in [&["--output", "reply.txt"][..], &[]] {
        let mut script =
            submit(&daemon, &["sh"], &[&["--prompt", "THINK 71"], args].concat()).spawn().unwrap();
        eventually("the client runs", || (clients() == 1).then_some(()));
        signal(script.id(), "TERM");
        assert!(!script.wait().unwrap().success());
        eventually("the client has ended", || (clients() == 0).then_some(()));
        let _ = daemon.post("/kill", serde_json::json!({"session": daemon.names().last()}));
    }
    assert!(!fs::exists(daemon.file("reply.txt")).unwrap());
}

#[test]
fn what_the_agent_has_written_itself_stays_and_an_old_file_does_not() {
    let daemon = Daemon::start();
    let file = daemon.file("report.md");
    fs::write(&file, "yesterday's").unwrap();
    let args = ["--prompt", "PONG", "--output", file.to_str().unwrap()];
    assert_eq!(submitted(&daemon, 0, &args), "");
    assert_eq!(fs::read_to_string(&file).unwrap(), "PONG\n");
    let args = ["--prompt", "THINK 2", "--output", file.to_str().unwrap()];
    let script = submit(&daemon, &["sh"], &args).stdout(Stdio::piped()).spawn().unwrap();
    daemon.log().until("prompt", 2);
    fs::write(&file, "by the agent").unwrap();
    assert_eq!(ended(0, &script.wait_with_output().unwrap()), "");
    assert_eq!(fs::read_to_string(&file).unwrap(), "by the agent");
}

#[test]
fn no_reply_leaves_no_file_and_a_status_that_says_why() {
    let daemon = Daemon::start();
    let file = daemon.file("reply.txt");
    let output = file.to_str().unwrap();
    for (status, args) in [
        (124, &["--prompt", "THINK 30", "--timeout", "0.5", "--output", output][..]),
        (3, &["--prompt", "PONG", "--output", output]),
        (2, &["--nonsense"]),
        (2, &["--output"]),
        (2, &["--prompt", "PONG", "--timeout", "soon", "--output", output]),
        (2, &["--output", output]),
        (1, &["--prompt", "PONG", "--output", "/no/such/folder/x"]),
        (1, &["--prompt", "PONG", "--output", "."]),
    ] {
        let ran = submit(&daemon, &["sh"], args).output().unwrap();
        assert_eq!(ended(status, &ran), "", "{args:?}");
        assert_eq!(said(&ran).lines().count(), 1, "{args:?}: {ran:?}");
        assert!(!file.exists(), "{args:?}");
    }
    assert_eq!(daemon.log().prompts(), ["THINK 30"]);
}

#[test]
fn its_help_is_its_own_head() {
    let daemon = Daemon::start();
    let help = submitted(&daemon, 0, &["--help"]);
    assert!(help.starts_with("agentmux-submit.sh - ") && help.contains("124 timed out"), "{help}");
    assert!(!help.contains("set -eu"), "{help}");
}
