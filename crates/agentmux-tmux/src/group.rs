//! The process group of a pane: ended for good, and watched until it is gone.

use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, kill_process, kill_process_group, test_kill_process, test_kill_process_group,
};
use tokio::time::{Instant, sleep};

use crate::parse::Process;

/// How often the group is looked at; no system tells the end of a process that is not a child.
const INTERVAL: Duration = Duration::from_millis(10);

/// How long tmux may take to reap a process that has ended.
const REAP: Duration = Duration::from_millis(200);

/// What the group gets, and how long it then has to end. The hang-up came from tmux, with the pane's removal.
const STEPS: [(Option<Signal>, Duration); 3] = [
    (None, Duration::from_millis(300)),
    (Some(Signal::TERM), Duration::from_millis(1500)),
    (Some(Signal::KILL), Duration::from_millis(500)),
];

/// Makes a tmux server reap what has ended; it does this to itself from 3.4 on.
///
/// Before that (seen on Debian's 3.3a, one end in three) it misses a `SIGCHLD` that comes while libutempter
/// removes the login record of the pane, and the process stays a zombie, its status unknown, until some other
/// child ends.
pub(crate) fn remind(server: Option<Pid>) {
    if let Some(server) = server {
        // A server that is gone needs no reminder; to any other process the signal means nothing.
        let _ = kill_process(server, Signal::CHILD);
    }
}

/// Ends the group of a pane that was just removed; returns when it is gone, after 2.5 s at the latest.
pub(crate) async fn end(process: Process) {
    let leader = process.pid;
    let is_leader_gone = || test_kill_process(leader) == Err(Errno::SRCH);
    let is_group_gone = || test_kill_process_group(leader) == Err(Errno::SRCH);
    // The leader of a dead pane has been reaped, or is at once: a process that keeps the number is somebody
    // else's. Without one the group is still the pane's, as a number is not given out again while a group has
    // it.
    if process.dead && !comes_true(REAP, process.server, is_leader_gone).await {
        return;
    }
    for (signal, patience) in STEPS {
        if let Some(signal) = signal {
            // It may have ended in this moment.
            let _ = kill_process_group(leader, signal);
        }
        if comes_true(patience, process.server, is_group_gone).await {
            return;
        }
    }
    // Seen where nobody reaps orphans (a container whose first process does not): they are dead, but still
    // counted.
    log::warn!("processes of the group {} are still there after SIGKILL", leader.as_raw_nonzero());
}

async fn comes_true(patience: Duration, server: Pid, holds: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    while !holds() {
        if Instant::now() >= deadline {
            return false;
        }
        remind(Some(server));
        sleep(INTERVAL).await;
    }
    true
}
