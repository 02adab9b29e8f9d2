//! The client in a terminal: what a person sees.

use std::io::Write;
use std::path::Path;

use super::{agentmux, document, prints, program};
use crate::harness::{Daemon, Tmux, eventually, signal};

/// A terminal of 100 columns in which a shell waits, with the daemon's settings.
fn terminal(daemon: &Daemon) -> Tmux {
    let terminal = daemon.terminal();
    let home = daemon.file("").display().to_string();
    let path = format!("{}:/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin", folder(&program()));
    let shell = format!(
        "exec env HOME='{home}' AGENTMUX_STATE_DIR='{}' PATH='{path}' PS1='$ ' LC_ALL=C.UTF-8 sh",
        daemon.state().display()
    );
    terminal.run(&["new-session", "-d", "-x", "100", "-y", "30", &shell]);
    until_shown(&terminal, "$");
    terminal
}

fn folder(file: &Path) -> &str {
    file.parent().unwrap().to_str().unwrap()
}

fn enter(terminal: &Tmux, line: &str) {
    terminal.run(&["send-keys", "-l", "--", line]);
    terminal.run(&["send-keys", "Enter"]);
}

fn screen(terminal: &Tmux) -> String {
    terminal.run(&["capture-pane", "-p"])
}

#[track_caller]
fn until_shown(terminal: &Tmux, part: &str) -> String {
    eventually(part, || Some(screen(terminal)).filter(|screen| screen.contains(part)))
}

#[test]
fn who_waits_sees_what_goes_on_and_in_the_end_the_reply_alone() {
    let daemon = Daemon::start();
    let terminal = terminal(&daemon);
    enter(&terminal, "agentmux run --wait 'THINK 3' --name a");
    until_shown(&terminal, " a: working  0:0");
    let shown = until_shown(&terminal, "THINK-DONE\n$");
    assert_eq!(
        shown.lines().collect::<Vec<_>>(),
        ["$ agentmux run --wait 'THINK 3' --name a", "THINK-DONE", "$"]
    );
}

#[test]
fn who_waits_sees_how_many_turns_come_first_and_what_the_agent_asks() {
    let daemon = Daemon::start();
    daemon.session("a");
    let terminal = terminal(&daemon);
    let sent =
        ["THINK 2", "ASK", "PONG"].map(|text| document(&daemon, 0, &["send", text])["turn"]["id"].clone());
    enter(&terminal, &format!("agentmux wait {}", sent[2].as_str().unwrap()));
    until_shown(&terminal, "a: queued, 2 before it  0:0");
    until_shown(&terminal, "a: queued, 1 before it; needs input: ");
}

#[test]
fn who_interrupts_a_wait_is_told_that_the_turn_goes_on() {
    let daemon = Daemon::start();
    let terminal = terminal(&daemon);
    enter(&terminal, "agentmux run --wait 'THINK 3' --name a; echo \"status $?\"");
    until_shown(&terminal, "a: working");
    terminal.run(&["send-keys", "C-c"]);
    let shown = until_shown(&terminal, "status 130");
    let id = document(&daemon, 0, &["turns"])["turns"][0]["id"].as_str().unwrap().to_owned();
    assert!(shown.contains("agentmux: interrupted; the turn goes on: `agentmux wait "), "{shown}");
    assert!(shown.replace('\n', "").contains(&id) && !shown.contains("working"), "{shown}");
    assert_eq!(prints(&daemon, 0, &["wait", &id]), "THINK-DONE\n");
}

#[test]
fn a_client_that_still_reads_its_prompt_is_interrupted() {
    let daemon = Daemon::start();
    let (nothing, mut writer) = std::io::pipe().unwrap();
    let mut client = agentmux(&daemon, &["run"]).stdin(nothing).spawn().unwrap();
    // More than a pipe holds: when it is written, the client reads.
    writer.write_all(&[b'x'; 200_000]).unwrap();
    signal(client.id(), "INT");
    eventually("it has ended", || client.try_wait().unwrap());
    assert_eq!(daemon.names(), [""; 0]);
}

#[test]
fn a_person_reads_tables_in_colours_unless_they_are_refused() {
    let daemon = Daemon::start();
    daemon.session("a");
    let terminal = terminal(&daemon);
    let row_of = |command: &str, end: &str| {
        enter(&terminal, &format!("clear; {command}; echo {end}"));
        until_shown(&terminal, &format!("\n{end}"));
        let screen = terminal.run(&["capture-pane", "-p", "-e"]);
        screen.lines().find(|line| line.contains("idle") && line.contains("demo")).unwrap().to_owned()
    };
    assert!(row_of("agentmux ls", "first").contains("\u{1b}[32midle\u{1b}["));
    assert!(!row_of("NO_COLOR=1 agentmux ls", "second").contains('\u{1b}'));
    assert!(!prints(&daemon, 0, &["ls"]).contains('\u{1b}'), "no terminal, no colours");
}
