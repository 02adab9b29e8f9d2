//! The command-line client and the scripts, with a daemon: what stdout has, and how they end.

mod people;
mod verbs;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::harness::{AGENTMUXD, Daemon, Setup, eventually, signal};

/// The client; it is built with the workspace, beside the daemon.
pub(crate) fn program() -> PathBuf {
    let client = Path::new(AGENTMUXD).with_file_name("agentmux");
    assert!(client.is_file(), "build the client too: cargo build -p agentmux");
    client
}

/// The client as a user of that daemon's home starts it.
fn agentmux(daemon: &Daemon, args: &[&str]) -> Command {
    in_home(daemon, program().to_str().unwrap(), args)
}

pub(crate) fn in_home(daemon: &Daemon, program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", daemon.file("")).env("AGENTMUX_STATE_DIR", daemon.state());
    command.env("PATH", "/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin").args(args).stdin(Stdio::null());
    command
}

/// What it printed; it must have ended with that status.
#[track_caller]
pub(crate) fn ended(status: i32, output: &Output) -> String {
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn prints(daemon: &Daemon, status: i32, args: &[&str]) -> String {
    ended(status, &agentmux(daemon, args).output().unwrap())
}

/// What it prints as JSON: the inherited verbs do so unasked.
#[track_caller]
fn document(daemon: &Daemon, status: i32, args: &[&str]) -> Value {
    let is_inherited = ["status", "cleanup", "send", "key", "capture"].contains(&args[0]);
    let json: &[&str] = if is_inherited || args.contains(&"--json") { &[] } else { &["--json"] };
    serde_json::from_str(&prints(daemon, status, &[args, json].concat())).unwrap()
}

/// A prompt from stdin.
fn piped(daemon: &Daemon, args: &[&str], prompt: &str) -> Output {
    let file = daemon.file("prompt.txt");
    std::fs::write(&file, prompt).unwrap();
    agentmux(daemon, args).stdin(std::fs::File::open(file).unwrap()).output().unwrap()
}

#[test]
fn the_inherited_verbs_print_their_documents() {
    let daemon = Daemon::start();
    for args in [&["send", "x"][..], &["key", "enter"], &["capture"], &["idle", "--json"]] {
        assert_eq!(document(&daemon, 1, args)["error"], "no active session", "{args:?}");
    }
    daemon.session("a");
    assert_eq!(document(&daemon, 0, &["status"])["active_session"], "a");
    let sent = document(&daemon, 0, &["send", "PONG"]);
    assert_eq!(
        (&sent["ok"], &sent["action"], &sent["target"]),
        (&json!(true), &json!("send"), &json!("a:0.0"))
    );
    daemon.log().until("reply", 2);
    daemon.until_idle();
    let captured = document(&daemon, 0, &["capture", "--lines", "20"]);
    assert_eq!(captured["lines"], 20);
    assert!(captured["content"].as_str().unwrap().contains("PONG"), "{captured}");
    let key = document(&daemon, 0, &["key", "down", "--repeat", "2"]);
    assert_eq!((&key["action"], &key["key"]), (&json!("key"), &json!("down")));
    assert_eq!(document(&daemon, 0, &["cleanup"]), json!({"ok": true, "action": "cleanup", "killed": []}));
}

#[test]
fn the_documents_of_the_inherited_verbs_have_the_inherited_fields() {
    let daemon = Daemon::start();
    daemon.session("a");
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    let status = document(&daemon, 0, &["status"]);
    assert_eq!(fields(&status), "active_session agent ok sessions total_sessions");
    assert_eq!(fields(&status["sessions"][0]), "created_at ctx_percent idle name status target");
    for (args, known) in [
        (&["send", "PONG"][..], "action ok target turn"),
        (&["capture"], "content lines target"),
        (&["key", "enter"], "action key ok target"),
        (&["cleanup"], "action killed ok"),
    ] {
        assert_eq!(fields(&document(&daemon, 0, args)), known, "{args:?}");
    }
    for (args, error) in [
        (&["capture", "--lines", "0"][..], "lines must be >= 1"),
        (&["key", "enter", "--repeat", "0"], "repeat must be >= 1"),
        (&["capture", "--target", "other:0.0"], "target is not managed by agentmux"),
    ] {
        assert_eq!(document(&daemon, 1, args)["error"], error, "{args:?}");
    }
    assert!(prints(&daemon, 0, &["cleanup"]).starts_with("{\n  \"ok\": true,\n"), "indented by two");
}

#[test]
fn waiting_prints_the_reply_and_nothing_else() {
    let daemon = Daemon::start();
    assert_eq!(prints(&daemon, 0, &["run", "--wait", "PONG", "--name", "a"]), "PONG\n");
    assert_eq!(prints(&daemon, 0, &["send", "--wait=60", "with  blanks "]), "You said: with  blanks\n");
    let run = document(&daemon, 0, &["run", "--wait", "--json", "PONG", "--if-busy", "start"]);
    assert_eq!((&run["turn"]["state"], &run["turn"]["reply"]), (&json!("done"), &json!("PONG")));
    assert_eq!(prints(&daemon, 0, &["wait", run["turn"]["id"].as_str().unwrap()]), "PONG\n");
}

#[test]
fn a_reply_that_is_not_known_is_said_to_be_so() {
    let daemon = Daemon::start();
    let output = agentmux(&daemon, &["run", "--wait", "LONG 20000"]).output().unwrap();
    assert_eq!(ended(0, &output), "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("agentmux: the agent has finished, but what it said is not known"), "{said}");
    let output = agentmux(&daemon, &["send", "--wait", "EMPTY"]).output().unwrap();
    assert_eq!((ended(0, &output), output.stderr.as_slice()), (String::new(), &[][..]));
}

#[test]
fn a_prompt_arrives_as_it_was_given() {
    let daemon = Daemon::start();
    ended(0, &piped(&daemon, &["run", "--wait", "--name", "a"], "from stdin\nlast line\n"));
    let file = daemon.file("prompt.md");
    std::fs::write(&file, "from a file: ä ❯\n\n  `x`").unwrap();
    prints(&daemon, 0, &["send", "--wait", "--file", file.to_str().unwrap()]);
    prints(&daemon, 0, &["send", "--wait", "--", "--wait"]);
    assert_eq!(daemon.log().prompts(), ["from stdin\nlast line", "from a file: ä ❯\n\n  `x`", "--wait"]);
}

#[test]
fn options_of_run_reach_the_agent() {
    let daemon = Daemon::start();
    std::fs::create_dir(daemon.file("work")).unwrap();
    let command = daemon.setup().demo_logging_to("other.log", "");
    let args = [
        "run",
        "--wait",
        "PONG",
        "--workdir",
        "work",
        "--env",
        "A=b=c",
        "--command",
        &command,
        "--name",
        "n",
    ];
    assert_eq!(ended(0, &agentmux(&daemon, &args).current_dir(daemon.file("")).output().unwrap()), "PONG\n");
    assert_eq!(daemon.log_in("other.log").prompts(), ["PONG"]);
    assert_eq!(daemon.names(), ["n"]);
}

#[test]
fn a_session_is_started_without_a_prompt_at_a_size_and_its_name_printed() {
    let daemon = Daemon::start();
    assert_eq!(prints(&daemon, 0, &["start", "--name", "a", "--size", "100x30"]), "a\n");
    prints(&daemon, 0, &["run", "PONG", "--name", "b", "--size", "90x20"]);
    for (name, columns, rows) in [("a", 100, 30), ("b", 90, 20)] {
        let screen = document(&daemon, 0, &["capture", "--session", name, "--ansi", "--json"]);
        assert_eq!((&screen["pane"]["columns"], &screen["pane"]["rows"]), (&json!(columns), &json!(rows)));
    }
    let gone = agentmux(&daemon, &["start", "--command", "false"]).output().unwrap();
    ended(5, &gone);
    prints(&daemon, 1, &["start", "--name", "c", "--size", "1x1"]);
    assert_eq!(daemon.names(), ["a", "b"]);
}

#[test]
fn any_session_is_captured_and_any_key_pressed_in_it() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.post("/run", json!({"text": "PONG", "name": "b", "if_busy": "start", "wait": 60})).ok();
    daemon.send("RED");
    assert_eq!(
        document(&daemon, 0, &["idle", "--session", "a", "--json"]),
        json!({"idle": true, "ctx_percent": null, "session": "a"})
    );
    let content = |args: &[&str]| document(&daemon, 0, args)["content"].as_str().unwrap().to_owned();
    assert!(!content(&["capture", "--session", "a"]).contains("RED"));
    assert!(content(&["capture", "--session", "b", "--lines", "500"]).contains("RED"));
    let coloured = document(&daemon, 0, &["capture", "--ansi"]);
    assert_eq!((&coloured["session"], &coloured["format"]), (&json!("b"), &json!("ansi")));
    let pressed = document(&daemon, 0, &["key", "x", "--session", "a", "--repeat", "3"]);
    assert_eq!(pressed, json!({"session": "a", "key": "x", "repeat": 3}));
    daemon.get("/sessions/a/wait?until=draft&wait=30").ok();
    assert_eq!(document(&daemon, 0, &["key", "ctrl-u"])["session"], "b");
    assert_eq!(document(&daemon, 0, &["key", "enter"])["target"], "b:0.0");
    prints(&daemon, 1, &["key", "nonsense"]);
    prints(&daemon, 1, &["key", "f1", "--session", "nobody"]);
}

#[test]
fn the_token_is_printed_alone() {
    let daemon = Daemon::start();
    let file = daemon.state().join("token");
    let token = std::fs::read_to_string(&file).unwrap();
    assert_eq!(prints(&daemon, 0, &["token"]).trim(), token.trim());
    let told = document(&daemon, 0, &["token", "--json"]);
    assert_eq!(told, json!({"token": token.trim(), "from": file}));
    std::fs::remove_file(&file).unwrap();
    prints(&daemon, 1, &["token"]);
}

#[test]
fn each_outcome_has_its_status() {
    let daemon = Daemon::start();
    let id = prints(&daemon, 0, &["run", "THINK 2", "--name", "a"]);
    assert!(id.starts_with("t-") && id.ends_with('\n') && id.lines().count() == 1, "{id:?}");
    assert_eq!(prints(&daemon, 3, &["idle"]), "a is not idle\n");
    prints(&daemon, 3, &["run", "PONG"]);
    prints(&daemon, 3, &["send", "PONG", "--if-busy", "reject"]);
    prints(&daemon, 124, &["wait", id.trim(), "--for", "0.1"]);
    prints(&daemon, 124, &["run", "--wait=0.1", "THINK 9", "--if-busy", "start", "--name", "b"]);
    assert_eq!(prints(&daemon, 0, &["wait", id.trim()]), "THINK-DONE\n");
    assert_eq!(prints(&daemon, 4, &["run", "--wait", "ASK", "--if-busy", "start", "--name", "c"]), "");
    prints(&daemon, 4, &["send", "--wait", "x", "--session", "c"]);
    prints(&daemon, 5, &["run", "--wait", "DIE 3", "--if-busy", "start", "--name", "d"]);
    prints(&daemon, 5, &["send", "--wait", "x", "--session", "d"]);
    prints(&daemon, 1, &["wait", "t-unknown"]);
    prints(&daemon, 1, &["run", "x", "--agent", "smith", "--if-busy", "start"]);
    prints(&daemon, 1, &["kill", "nobody"]);
}

#[test]
fn an_interrupted_wait_leaves_the_turn_alone() {
    let daemon = Daemon::start();
    let client = agentmux(&daemon, &["run", "--wait", "THINK 1"]).stdout(Stdio::piped()).spawn().unwrap();
    daemon.log().until("prompt", 1);
    signal(client.id(), "INT");
    ended(130, &client.wait_with_output().unwrap());
    daemon.log().until("reply", 1);
}

#[test]
fn sessions_are_listed_and_ended() {
    let daemon = Daemon::start();
    assert_eq!(prints(&daemon, 0, &["ls"]), "no sessions\n");
    daemon.session("a");
    daemon.post("/run", json!({"text": "PONG", "name": "b", "if_busy": "start", "wait": 60})).ok();
    let listed = prints(&daemon, 0, &["ls"]);
    let begins =
        |line: &str, words: &[&str]| line.split_whitespace().zip(words).all(|(word, known)| word == *known);
    for words in [["NAME", "STATE", "FOR"].as_slice(), &["a", "idle"], &["*", "b", "idle"]] {
        assert!(listed.lines().any(|line| begins(line, words)), "{words:?}: {listed}");
    }
    assert_eq!(prints(&daemon, 0, &["idle"]), "b is idle\n");
    assert_eq!(prints(&daemon, 0, &["kill", "b"]), "ended b\n");
    assert!(prints(&daemon, 0, &["restart"]).ends_with(" is ready\n"));
    assert_eq!(daemon.names().len(), 1);
}

#[test]
fn attaching_shows_the_session_also_from_within_tmux() {
    let daemon = Daemon::start();
    daemon.session("a");
    let attach =
        format!("exec env AGENTMUX_STATE_DIR={} {} attach", daemon.state().display(), program().display());
    daemon.terminal().run(&["new-session", "-d", "-x", "120", "-y", "40", &attach]);
    eventually("somebody is attached", || {
        let clients = daemon.tmux().attached();
        (clients == "a").then_some(())
    });
}

#[test]
fn a_client_without_the_token_is_told_so() {
    let daemon = Daemon::start();
    std::fs::remove_file(daemon.state().join("token")).unwrap();
    let output = agentmux(&daemon, &["ls"]).output().unwrap();
    ended(1, &output);
    assert!(String::from_utf8_lossy(&output.stderr).contains("wants a token"), "{output:?}");
}

#[test]
fn a_daemon_elsewhere_is_asked_by_host_port_and_token() {
    let daemon = Setup::new().env("AGENTMUX_TOKEN", "a-token-of-mine").start();
    let port = daemon.greeting["port"].to_string();
    let ask = |token: &str| {
        let mut client = agentmux(&daemon, &["ls"]);
        client.env("AGENTMUX_STATE_DIR", daemon.file("elsewhere")).env("AGENTMUX_PORT", &port);
        client.env("AGENTMUX_TOKEN", token).output().unwrap()
    };
    assert_eq!(ended(0, &ask("a-token-of-mine")), "no sessions\n");
    ended(1, &ask("another"));
}

#[test]
fn a_session_is_shown_with_its_evidence() {
    let daemon = Daemon::start();
    assert_eq!(document(&daemon, 1, &["show"])["error"], "no active session");
    daemon.session("a");
    daemon.until_idle();
    let shown = document(&daemon, 0, &["show"]);
    assert_eq!(shown, daemon.get("/sessions/a").ok());
    assert_eq!((&shown["name"], &shown["state"]), (&json!("a"), &json!("idle")));
    let explained = document(&daemon, 0, &["show", "a", "--explain"]);
    assert_eq!(explained["session"]["evidence"], shown["evidence"]);
    assert!(explained["rules"].as_array().unwrap().iter().any(|rule| rule["holds"] == true), "{explained}");
    assert_eq!(document(&daemon, 1, &["show", "nobody"])["code"], "session_not_found");
    assert_eq!(document(&daemon, 0, &["agents"])["default"], "demo");
    let terminal = daemon.terminal();
    let show = format!(
        "AGENTMUX_STATE_DIR={} {} show --explain; exec cat",
        daemon.state().display(),
        program().display()
    );
    terminal.run(&["new-session", "-d", "-x", "120", "-y", "40", &show]);
    eventually("a person reads tables", || {
        let screen = terminal.run(&["capture-pane", "-p"]);
        (screen.contains("state    idle") && screen.contains("RULE")).then_some(())
    });
}

#[test]
fn a_session_is_waited_for() {
    let daemon = Daemon::start();
    daemon.session("a");
    let wait =
        |status, args: &[&str]| document(&daemon, status, &[&["wait", "--session", "a"], args].concat());
    let id = prints(&daemon, 0, &["send", "THINK 2", "--json"]);
    let id: Value = serde_json::from_str(&id).unwrap();
    let out = wait(124, &["--until", "idle", "--timeout", "0.2"]);
    assert_eq!((&out["state"], &out["waited_out"]), (&json!("busy"), &json!(true)));
    assert_eq!(wait(0, &["--until", "needs_input,idle"])["state"], "idle");
    assert_eq!(prints(&daemon, 0, &["wait", id["turn"]["id"].as_str().unwrap()]), "THINK-DONE\n");
    prints(&daemon, 2, &["wait", "--session", "a", "--until", "soon"]);
    assert_eq!(
        document(&daemon, 1, &["wait", "--session", "b", "--until", "idle"])["code"],
        "session_not_found"
    );
}

#[test]
fn turns_are_listed_cancelled_and_interrupted() {
    let daemon = Daemon::start();
    daemon.session("a");
    let submit = |text| daemon.post("/sessions/a/turns", json!({"text": text})).with(202)["id"].clone();
    let (working, queued) = (submit("THINK 60"), submit("never"));
    let cancelled = document(&daemon, 0, &["cancel", queued.as_str().unwrap()]);
    assert_eq!((&cancelled["id"], &cancelled["state"]), (&queued, &json!("cancelled")));
    daemon.log().until("busy", 2);
    assert_eq!(document(&daemon, 0, &["interrupt"]), json!({"session": "a", "interrupted": true}));
    daemon.turn_in(working.as_str().unwrap(), "interrupted");
    prints(&daemon, 130, &["wait", working.as_str().unwrap()]);
    let listed = |args: &[&str]| {
        let turns = document(&daemon, 0, &[&["turns"], args].concat())["turns"].clone();
        turns.as_array().unwrap().iter().map(|turn| turn["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&["--session", "a"]).len(), 3);
    assert_eq!(listed(&["--state", "interrupted"]), [working]);
    assert_eq!(listed(&["--limit", "1"]), [queued]);
    assert_eq!(document(&daemon, 0, &["interrupt", "a"])["interrupted"], false);
}

#[test]
fn events_are_lines_until_the_daemon_stops() {
    let mut daemon = Daemon::start();
    let before = daemon.events().began.to_string();
    daemon.session("a");
    daemon.session("b");
    let follow = |args: &[&str]| {
        let args = [&["events", "--json", "--last", &before], args].concat();
        agentmux(&daemon, &args).stdout(Stdio::piped()).spawn().unwrap()
    };
    let (all, one, interrupted) = (follow(&[]), follow(&["--session", "b"]), follow(&[]));
    let mut first_line = String::new();
    let mut reading = follow(&[]);
    BufReader::new(reading.stdout.take().unwrap()).read_line(&mut first_line).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&first_line).unwrap()["data"]["state"], "starting");
    // Its reader has gone: the next line is its end.
    daemon.send("PONG");
    ended(0, &reading.wait_with_output().unwrap());
    signal(interrupted.id(), "INT");
    ended(130, &interrupted.wait_with_output().unwrap());
    assert_eq!(daemon.stop("TERM").code(), Some(0));
    for (client, only) in [(all, None), (one, Some("b"))] {
        let lines = ended(0, &client.wait_with_output().unwrap());
        let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(events.last().unwrap()["event"], "bye");
        let about =
            |event: &Value| ["name", "session"].map(|field| event["data"][field].as_str() == Some("a"));
        assert_eq!(events.iter().any(|event| about(event).contains(&true)), only.is_none(), "{lines}");
    }
}

#[test]
fn the_screen_of_a_session_becomes_a_case_for_its_profile() {
    let daemon = Daemon::start();
    daemon.session("a");
    let folder = daemon.file("screens").display().to_string();
    let saved = prints(&daemon, 0, &["profile", "save", "a", &folder, "idle--ready"]);
    assert_eq!(saved.trim(), format!("{folder}/demo/idle--ready.120x40.txt"));
    let read = document(&daemon, 0, &["profile", "test", "--json", &folder]);
    assert_eq!((&read[0]["state"], &read[0]["expected"]), (&json!("idle"), &json!("idle")), "{read}");
    prints(&daemon, 1, &["profile", "save", "a", &folder, "idle--ready"]);
    prints(&daemon, 1, &["profile", "save", "nobody", &folder, "idle"]);
    prints(&daemon, 2, &["profile", "save", "a", &folder, "happy"]);
}
