//! Control mode: a client of tmux that stays, takes commands in lines and answers in blocks.
//!
//! ```text
//! Client ---> Control ---> Connection == pipe ==> tmux -C (no output)  --+
//!               ^                                                       +-- the hidden session
//! Watches <--- Watcher <================ pipe === tmux -C (output) ------+   (agent windows are linked in)
//! ```
//!
//! Both clients sit in the hidden session, which stays on a server of ours: a later daemon uses it again. On
//! a server of the user's, which it would keep alive, it is ended with them. The first client gets no output
//! of panes: while it is attached tmux never stops reading a pane because the second is slow (with a slow
//! client alone, 3.3a and 3.7c did, and the agent blocked).
//!
//! A client that attaches is a danger to the server: up to 3.6 it crashes, with all agents, when a session or
//! window comes, goes or is renamed between two messages of the client's greeting (seen on 3.3a; tmux pull
//! request 4980), and when the client ends between them (5004). So nothing of ours runs meanwhile, a client
//! that attaches is left alone, and on a new server both attach before there is an agent.
//!
//! Neither client ever says how large it is (`refresh-client -C`): windows would be resized, whatever their
//! flags say, and keep that size.

pub(crate) mod connection;
mod notice;
pub(crate) mod orphans;
pub(crate) mod osc;
mod process;
mod protocol;
mod reconcile;
mod shape;
pub(crate) mod watcher;

use std::sync::Arc;

use agentmux_core::terminal::TerminalError;
use tokio::sync::{Mutex, RwLock, RwLockReadGuard, watch};
use tokio::time::{Duration, Instant};

use crate::commands::Lines;
use crate::failure::Failure;
use crate::subprocess::{Output, Subprocess};
use connection::{Connection, Loss};
use orphans::Register;
use process::Process;

/// How many milliseconds to leave it alone after the n-th failure to connect in a row.
const BACK_OFF: [u64; 6] = [50, 200, 500, 1000, 3000, 10_000];

/// The same after no answer at all: another version of tmux started the server, or it hangs.
const NO_ANSWER: Duration = Duration::from_secs(60);

/// How long to wait for a watcher that should be there soon.
const SETTLE: Duration = Duration::from_secs(2);

/// Where the one connection for commands is kept, made again when it is lost, and given up.
#[derive(Debug)]
pub(crate) struct Control {
    subprocess: Arc<Subprocess>,
    hidden: String,
    register: Arc<Register>,
    current: watch::Sender<Option<Arc<Connection>>>,
    attempts: Mutex<Attempts>,
    /// Whether the watcher is attached too.
    watching: watch::Sender<bool>,
    /// Written while a client attaches.
    attaching: RwLock<()>,
}

#[derive(Debug)]
struct Attempts {
    failures: usize,
    not_before: Instant,
}

impl Control {
    /// Connects to nothing yet.
    pub(crate) fn new(subprocess: Arc<Subprocess>, hidden: String, register: Arc<Register>) -> Self {
        let attempts = Mutex::new(Attempts { failures: 0, not_before: Instant::now() });
        let (current, watching) = (watch::Sender::new(None), watch::Sender::new(false));
        Self { subprocess, hidden, register, current, attempts, watching, attaching: RwLock::new(()) }
    }

    /// The connection, where there is one.
    pub(crate) fn current(&self) -> Option<Arc<Connection>> {
        self.current.borrow().clone().filter(|connection| connection.is_open())
    }

    /// Waits until there is a connection.
    pub(crate) async fn connected(&self) {
        let is_open = |current: &Option<Arc<Connection>>| current.as_ref().is_some_and(|c| c.is_open());
        // Cannot fail: the sender is ours.
        let _ = self.current.subscribe().wait_for(is_open).await;
    }

    /// Makes a connection in the background where there is none and it is time to try.
    ///
    /// Called when a server has just answered a process: without a server nothing is tried, ever.
    pub(crate) fn begin(self: &Arc<Self>) {
        if self.current().is_some() {
            return;
        }
        let control = self.clone();
        tokio::spawn(async move {
            // One attempt at a time: another is under way where the lock is taken.
            if let Ok(mut attempts) = control.attempts.try_lock()
                && attempts.not_before <= Instant::now()
            {
                // What came of it is logged, and kept in `current`.
                let _ = control.attempt(&mut attempts).await;
            }
        });
    }

    /// The connection, made where there is none.
    pub(crate) async fn connect(self: &Arc<Self>) -> Result<Arc<Connection>, Failure> {
        let mut attempts = self.attempts.lock().await;
        match self.current() {
            Some(connection) => Ok(connection),
            None if attempts.not_before > Instant::now() => {
                Err(Failure::Exiting("tmux connect: no control client, a moment ago".into()))
            }
            None => self.attempt(&mut attempts).await,
        }
    }

    /// Makes the connection and waits until the watcher is attached too, or will not be for a while.
    pub(crate) async fn settle(self: &Arc<Self>) {
        if self.connect().await.is_ok() {
            let mut watching = self.watching.subscribe();
            // Both outcomes are fine: without a watcher panes are polled.
            let _ = tokio::time::timeout(SETTLE, watching.wait_for(|watching| *watching)).await;
        }
    }

    /// Says whether the watcher is attached.
    pub(crate) fn set_watching(&self, watching: bool) {
        self.watching.send_replace(watching);
    }

    /// Gives the connection up.
    pub(crate) fn close(&self) {
        self.current.send_replace(None);
    }

    /// Waits until no client is attaching; none begins to while the guard lives.
    pub(crate) async fn steady(&self) -> RwLockReadGuard<'_, ()> {
        self.attaching.read().await
    }

    /// Attaches a client, while nothing of ours runs; goes on where nobody waits any more.
    async fn attach(self: &Arc<Self>, command: Vec<String>, limit: usize) -> Result<Process, Failure> {
        let control = self.clone();
        let attaching = tokio::spawn(async move {
            let _alone = control.attaching.write().await;
            Process::start(&control.subprocess, &command, limit, &control.register).await
        });
        let is_ending = |_| Err(Failure::Exiting("tmux connect: the daemon ends".into()));
        attaching.await.unwrap_or_else(is_ending)
    }

    async fn attempt(self: &Arc<Self>, attempts: &mut Attempts) -> Result<Arc<Connection>, Failure> {
        let attempt = self.try_connect().await;
        match &attempt {
            Ok(connection) => {
                attempts.failures = 0;
                self.current.send_replace(Some(connection.clone()));
            }
            // Whoever starts one connects again at once.
            Err(Failure::NoServer) => attempts.not_before = Instant::now(),
            Err(failure) => {
                let mut wait = Duration::from_millis(BACK_OFF[attempts.failures.min(BACK_OFF.len() - 1)]);
                attempts.failures += 1;
                if !matches!(failure, Failure::Exiting(_)) {
                    wait = NO_ANSWER;
                    let error = TerminalError::from(failure.clone());
                    log::warn!("no control client for tmux, each call is a process: {error}");
                }
                attempts.not_before = Instant::now() + wait;
            }
        }
        attempt
    }

    async fn try_connect(self: &Arc<Self>) -> Result<Arc<Connection>, Failure> {
        // Not -D, which would detach the watcher too: orphans of a daemon that died are ended by their pids.
        // -n, as a window without a name is renamed by the server half a second later.
        let flags = "no-output,ignore-size";
        let attach = ["new-session", "-A", "-f", flags, "-s", &self.hidden, "-n", "hidden", "exec cat"];
        let process = self.attach(attach.map(String::from).into(), connection::LARGEST).await?;
        Ok(Arc::new(Connection::new(process)))
    }

    /// Attaches a client that is told what panes write.
    pub(crate) async fn attach_watcher(self: &Arc<Self>, limit: usize) -> Result<Process, Failure> {
        let target = format!("={}", self.hidden);
        let attach = ["attach-session", "-f", "ignore-size,pause-after=1", "-t", &target];
        self.attach(attach.map(String::from).into(), limit).await
    }

    /// Runs commands over the connection there is, if any.
    pub(crate) async fn request(&self, lines: &Lines) -> Result<Output, Loss> {
        match self.current() {
            Some(connection) => connection.request(lines).await,
            None => Err(Loss::Unsent),
        }
    }

    /// Where our clients are written down.
    pub(crate) fn register(&self) -> &Register {
        &self.register
    }
}
