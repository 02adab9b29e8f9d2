//! What each test stands on: a daemon with its own home, tmux server and agents, all gone when the test ends.

mod agent;
mod daemon;
mod http;
mod processes;
mod setup;
mod stream;
mod tmux;

use std::time::{Duration, Instant};

pub(crate) use agent::AgentLog;
pub(crate) use daemon::Daemon;
pub(crate) use http::{Answer, Client};
pub(crate) use processes::{environment, is_alive, mentioning, signal};
pub(crate) use setup::{AGENTMUXD, Setup};
pub(crate) use stream::Event;
pub(crate) use tmux::Tmux;

/// How long a test waits for what must happen before it fails; generous, for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again and again until there is something; fails, naming `what`, when [`PATIENCE`] ends.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, look)
}

/// As [`eventually`], with this patience.
#[track_caller]
pub(crate) fn within<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
