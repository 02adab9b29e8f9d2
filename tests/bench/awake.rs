//! Cores that do not fall asleep while microseconds are measured.
//!
//! A request wakes one process after the other, and waking a core that sleeps takes longer than what any of
//! them does: how much longer is the machine's, differs from one moment to the next, and meets a daemon that asks
//! tmux more often than it meets its baselines.

use std::hint::black_box;
use std::io::Read;
use std::process::{Child, Command, Stdio};

/// A loop on each core that gives way to everything else; ends when it is dropped, or when this program does.
pub(crate) struct Awake(Child);

impl Awake {
    /// `None` where the system has no such priority (all but Linux), or no `chrt` to ask for it.
    pub(crate) fn keep() -> Option<Self> {
        let program = std::env::current_exe().unwrap();
        let mut loops = Command::new("chrt");
        loops.args(["--idle", "0"]).arg(program).arg("--awake");
        loops.stdin(Stdio::piped()).spawn().ok().map(Self)
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Be such loops, until nobody holds the other end of stdin.
pub(crate) fn serve() {
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    for _ in 0..cores {
        std::thread::spawn(|| {
            loop {
                black_box(())
            }
        });
    }
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
