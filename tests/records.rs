//! The agent's own record of a conversation: found by the agent's id of that, or in the session's own folder, and
//! believed for its own turn only.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::harness::{Daemon, Setup, eventually};

/// The demo agent with a hook for prompts, whose payload has the id of the conversation.
const KEPT: &str = r#"
extends = "demo"
[signals]
args = ["--hooks", "{relay}", "--hooks-mute", "Stop"]
[[signals.event]]
name = "UserPromptSubmit"
means = "submitted"
prompt = "/prompt"
conversation = "/prompt_id"
[signals.transcript]
files = ["$RECORDS/*/r-*-{id}.jsonl", "~/.records/*/r-*-{id}.jsonl"]
time = "/time"
prompt = { when = [{ at = "/user", is = "filled" }], text = "/user" }
reply = { text = "/agent" }
[[signals.transcript.usage]]
numbers = { input = ["/in"], output = ["/out"], context = "/ctx" }
"#;

/// The same with a record in the session's own folder, of text in sections.
const OWN: &str = r#"
extends = "demo"
[signals]
[[signals.file]]
name = "talk"
content = ""
[signals.transcript]
files = ["{dir}/talk"]
section = '^(?:ASKED|SAID) \d+$'
reply = { when = [{ at = "/head", match = '^SAID' }], text = "/text" }
strip = ['(?m)^> ']
[[signals.transcript.usage]]
file = "{dir}/used"
numbers = { output = ["/out"] }
"#;

/// The same, and nothing that its screen shows of a turn is known.
const HIDDEN: &str = r#"
[remove]
rule = ["title spins", "esc to interrupt below the box", "spinner above the box"]
[reply]
echo = '^never: (?P<text>.*)$'
"#;

fn setup(profile: &str) -> Setup {
    Setup::new()
        .write(".config/agentmux/agents/kept.toml", profile)
        .agent("")
        .env("AGENTMUX_AGENT", "kept")
        .env("AGENTMUX_LOG", "debug")
}

/// Begins a turn that asks something, so that its end is in our hand. Where the agent tells that it took the prompt, that
/// is known by then.
fn begin(daemon: &Daemon, path: &str, body: Value) -> String {
    let id = daemon.post(path, body).ok()["turn"]["id"].as_str().unwrap().to_owned();
    daemon.turn_in(&id, "needs_input");
    id
}

fn end(daemon: &Daemon, id: &str) -> Value {
    daemon.post("/key", json!({"key": "enter"})).ok();
    daemon.turn_in(id, "done")
}

fn record(file: &Path, prompt: &str, time: SystemTime, reply: &str) {
    let time = jiff::Timestamp::try_from(time).unwrap().to_string();
    let lines =
        [json!({"user": prompt, "time": time}), json!({"agent": reply, "in": 12, "out": 3, "ctx": 42})];
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, lines.map(|line| format!("{line}\n")).concat()).unwrap();
}

fn source(turn: &Value) -> (&str, &str) {
    (turn["reply"].as_str().unwrap_or("?"), turn["reply_source"].as_str().unwrap_or("?"))
}

#[test]
fn a_record_is_found_by_its_conversation_and_believed_for_its_own_turn() {
    let daemon = setup(KEPT).start();
    let records = |day: &str, id: u8| daemon.file(&format!(".records/{day}/r-x-{id}.jsonl"));
    let id = begin(&daemon, "/run", json!({"text": "ASK"}));
    record(&records("01", 1), "ASK", SystemTime::now(), "# Own words\n");
    let turn = end(&daemon, &id);
    assert_eq!(source(&turn), ("# Own words\n", "transcript"), "{turn}");
    assert_eq!((&turn["tokens"], &turn["context"]), (&json!({"input": 12, "output": 3}), &json!(42)));
    assert_eq!(daemon.get(&format!("/sessions/{}", turn["session"].as_str().unwrap())).ok()["context"], 42);

    // Another conversation, whose record is of an older turn with the same prompt; that of the one before is newer.
    let before = SystemTime::now();
    let id = begin(&daemon, "/send", json!({"text": "ASK"}));
    record(&records("00", 2), "ASK", before, "OLD");
    record(&records("01", 1), "ASK", SystemTime::now(), "ANOTHER'S");
    assert_eq!(source(&end(&daemon, &id)), ("ASKED-YES", "screen"));
}

#[test]
fn the_agent_s_own_variable_says_where_its_records_are() {
    let elsewhere = tempfile::tempdir().unwrap();
    let daemon = setup(KEPT).start();
    let id = begin(&daemon, "/run", json!({"text": "ASK", "env": {"RECORDS": elsewhere.path()}}));
    record(&daemon.file(".records/01/r-x-1.jsonl"), "ASK", SystemTime::now(), "WRONG");
    record(&elsewhere.path().join("01/r-x-1.jsonl"), "ASK", SystemTime::now(), "RIGHT");
    assert_eq!(source(&end(&daemon, &id)), ("RIGHT", "transcript"));
}

#[test]
fn a_later_daemon_knows_the_record_that_an_earlier_one_found() {
    let mut daemon = setup(KEPT).start();
    let file = daemon.file(".records/01/r-x-1.jsonl");
    let id = begin(&daemon, "/run", json!({"text": "ASK"}));
    record(&file, "ASK", SystemTime::now(), "ONE");
    assert_eq!(source(&end(&daemon, &id)), ("ONE", "transcript"));
    daemon.kill();
    daemon.start_again();
    daemon.until_idle();
    // Its hooks are silent from here on.
    let hook = folder(&daemon).join("hook.json");
    let key = std::fs::read_to_string(&hook).unwrap();
    std::fs::write(&hook, key.replace("\"secret\":\"", "\"secret\":\"x")).unwrap();
    let id = begin(&daemon, "/send", json!({"text": "ASK"}));
    record(&file, "ASK", SystemTime::now(), "TWO");
    assert_eq!(source(&end(&daemon, &id)), ("TWO", "transcript"));
}

#[test]
fn a_record_in_the_session_s_own_folder_is_of_one_turn_alone() {
    let daemon = setup(OWN).start();
    let id = begin(&daemon, "/run", json!({"text": "ASK"}));
    let (talk, used) = (folder(&daemon).join("talk"), folder(&daemon).join("used"));
    std::fs::write(&talk, "ASKED 1\nASK\nSAID 1\n> I look\nASKED 2\nSAID 2\n> # Own\n> \n> SAID 3\n")
        .unwrap();
    std::fs::write(&used, "{\"out\": 3}\n{\"out\": 4}\n{\"ou").unwrap();
    let turn = end(&daemon, &id);
    assert_eq!(source(&turn), ("# Own\n\nSAID 3", "transcript"), "{turn}");
    assert_eq!(turn["tokens"]["output"], 7, "{turn}");

    let id = begin(&daemon, "/send", json!({"text": "ASK"}));
    assert_eq!((std::fs::read(&talk).unwrap(), std::fs::read(&used).unwrap()), (vec![], vec![]));
    let turn = end(&daemon, &id);
    assert_eq!(source(&turn), ("ASKED-YES", "screen"), "{turn}");
    assert_eq!(turn.get("tokens"), None, "{turn}");
}

#[test]
fn what_a_person_s_prompts_leave_in_the_session_s_own_folder_does_not_stay() {
    let daemon = setup(OWN).start();
    let session = daemon.run("PONG")["session"].as_str().unwrap().to_owned();
    let talk = folder(&daemon).join("talk");
    daemon.tmux().run(&["send-keys", "-t", &format!("={session}:"), "ASK", "Enter"]);
    daemon.get(&format!("/sessions/{session}/wait?until=needs_input&wait=60")).ok();
    std::fs::write(&talk, "SAID 1\n> A PERSON'S").unwrap();
    daemon.post("/key", json!({"key": "enter"})).ok();
    daemon.until_idle();
    eventually("it is emptied", || std::fs::read(&talk).unwrap().is_empty().then_some(()));
}

/// The only session's own folder.
fn folder(daemon: &Daemon) -> PathBuf {
    let mut folders = std::fs::read_dir(daemon.state().join("sessions")).unwrap();
    folders.next().unwrap().unwrap().path()
}

/// Aider 0.86.2 on a busy machine: answered between two readings, and ten kilobytes of prompt between the screen and its echo.
#[test]
fn a_turn_of_which_the_screen_shows_nothing_is_in_the_record() {
    let daemon = setup(&format!("{OWN}{HIDDEN}")).start();
    let id = daemon.post("/run", json!({"text": "PONG"})).ok()["turn"]["id"].as_str().unwrap().to_owned();
    eventually("it is submitted", || {
        daemon.get(&format!("/turns/{id}")).ok()["submitted_at"].is_string().then_some(())
    });
    std::fs::write(folder(&daemon).join("talk"), "ASKED 1\nPONG\nSAID 1\n> its own word\n").unwrap();
    let turn = daemon.turn_in(&id, "done");
    assert_eq!(source(&turn), ("its own word", "transcript"), "{turn}");
    assert_eq!((&turn["delivery"], &turn["receipt"]), (&json!("confirmed"), &json!("transcript")), "{turn}");
}
