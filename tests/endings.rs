//! How turns end other than by a reply: limits, logins, errors, interruptions; and prompts that are more than text.

mod fault;
mod limit;
mod special;

use serde_json::{Value, json};

use crate::harness::{Daemon, eventually};

/// A prompt to the session `a`: its turn's id.
#[track_caller]
fn submitted(daemon: &Daemon, text: &str) -> String {
    let turn = daemon.post("/sessions/a/turns", json!({"text": text})).with(202);
    turn["id"].as_str().unwrap().to_owned()
}

/// The session `a`, once it is in that state.
#[track_caller]
fn session_in(daemon: &Daemon, state: &str) -> Value {
    eventually(&format!("session a is {state}"), || {
        let session = daemon.get("/sessions/a").ok();
        (session["state"] == state).then_some(session)
    })
}

/// The turn, once it has ended.
#[track_caller]
fn ended(daemon: &Daemon, id: &str) -> Value {
    eventually(&format!("turn {id} has ended"), || {
        let turn = daemon.get(&format!("/turns/{id}?wait=60")).ok();
        (!turn["finished_at"].is_null()).then_some(turn)
    })
}

/// Keys that a person presses in the session's terminal.
fn press(daemon: &Daemon, keys: &[&str]) {
    daemon.tmux().run(&[&["send-keys", "-t", "=a:"], keys].concat());
}

/// The log without the first prompt, which made the session.
fn prompts(daemon: &Daemon) -> Vec<String> {
    daemon.log().prompts().split_off(1)
}
