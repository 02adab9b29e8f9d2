//! A daemon in a home of its own: started, disturbed, started again, in the end gone with all that it started.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};

use serde_json::{Value, json};

use super::setup::{Setup, end, wait};
use super::{AgentLog, Client, Tmux, eventually, processes};

/// A running daemon. It derefs to a [`Client`] that has its token.
#[derive(Debug)]
pub(crate) struct Daemon {
    setup: Setup,
    process: Child,
    client: Client,
    /// The line that it printed when it listened.
    pub(crate) greeting: Value,
}

impl Daemon {
    pub(super) fn new(setup: Setup, process: Child, greeting: Value) -> Self {
        let client = setup.client(&greeting);
        Self { setup, process, client, greeting }
    }

    /// One with a plain demo agent.
    pub(crate) fn start() -> Self {
        Setup::new().start()
    }

    /// `/run`, waited to its end: the answer, which must be good.
    #[track_caller]
    pub(crate) fn run(&self, text: &str) -> Value {
        self.post("/run", json!({"text": text, "wait": 60})).ok()
    }

    /// `/send` to the active session, waited to its end: the answer, which must be good.
    #[track_caller]
    pub(crate) fn send(&self, text: &str) -> Value {
        self.post("/send", json!({"text": text, "wait": 60})).ok()
    }

    /// A session that has answered its first prompt: its name.
    #[track_caller]
    pub(crate) fn session(&self, name: &str) -> String {
        self.session_of(name, self.setup.value("AGENTMUX_REPL_CMD"))
    }

    /// As [`Daemon::session`], with this command line.
    #[track_caller]
    pub(crate) fn session_of(&self, name: &str, command: &str) -> String {
        let body = json!({"text": "PONG", "name": name, "command": command, "wait": 60});
        let answer = self.post("/run", body).ok();
        assert_eq!(answer["turn"]["state"], "done", "{answer}");
        name.to_owned()
    }

    /// The turn, once it is in that state.
    #[track_caller]
    pub(crate) fn turn_in(&self, id: &str, state: &str) -> Value {
        eventually(&format!("turn {id} is {state}"), || {
            let turn = self.get(&format!("/turns/{id}")).ok();
            (turn["state"] == state).then_some(turn)
        })
    }

    /// A session as `/health` lists it, if it does.
    pub(crate) fn listed(&self, name: &str) -> Option<Value> {
        let health = self.get("/health").ok();
        health["sessions"].as_array().unwrap().iter().find(|session| session["name"] == name).cloned()
    }

    /// The names of all sessions, oldest first.
    pub(crate) fn names(&self) -> Vec<String> {
        let listed = self.get("/sessions").ok();
        let sessions = listed["sessions"].as_array().unwrap();
        sessions.iter().map(|session| session["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until `/idle` says so.
    #[track_caller]
    pub(crate) fn until_idle(&self) {
        eventually("the active session is idle", || (self.get("/idle").ok()["idle"] == true).then_some(()));
    }

    /// What the demo agents did and got.
    pub(crate) fn log(&self) -> AgentLog {
        self.log_in("agent.log")
    }

    pub(crate) fn log_in(&self, file: &str) -> AgentLog {
        AgentLog::at(&self.file(file))
    }

    pub(crate) fn tmux(&self) -> Tmux {
        Tmux::on(&self.state().join("tmux.sock"))
    }

    /// A tmux server that is not the daemon's: a terminal in which a person works.
    pub(crate) fn terminal(&self) -> Tmux {
        Tmux::on(&self.file("terminal.sock"))
    }

    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Asks it to stop by this signal; how it ended.
    pub(crate) fn stop(&mut self, signal: &str) -> ExitStatus {
        processes::signal(self.process.id(), signal);
        wait(&mut self.process)
    }

    /// Ends it without warning.
    pub(crate) fn kill(&mut self) {
        end(&mut self.process);
    }

    /// Changes a setting of the daemons that are started after this one.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.setup.set(name, value);
    }

    /// A new daemon on the same home, after the old one was stopped or killed.
    pub(crate) fn start_again(&mut self) {
        let (process, greeting) =
            self.setup.spawn().unwrap_or_else(|refusal| panic!("did not start: {refusal:?}"));
        self.client = self.setup.client(&greeting);
        self.process = process;
        self.greeting = greeting;
    }

    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.setup.file(path)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.setup.state()
    }

    /// What is started on the same home while this daemon runs.
    pub(crate) fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Shows, with a failed test, what the daemon said.
    fn testify(&self) {
        let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        eprintln!("--- its errors\n{}", read(&self.file("stderr")));
        eprintln!("--- its log\n{}", read(&self.state().join("agentmux.log")));
    }
}

impl Deref for Daemon {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        end(&mut self.process);
        if std::thread::panicking() {
            self.testify();
        }
    }
}
