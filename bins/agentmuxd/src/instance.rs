//! One daemon a state folder: a lock while it runs, and a file that tells clients where it is.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;

use agentmux_api::local::{DaemonFile, StateDir};

use crate::failure::Failure;
use crate::private;

/// This daemon's hold on its state folder. The lock decides, never the pid in a file: pids are used again.
#[derive(Debug)]
pub(crate) struct Instance {
    state: StateDir,
    _lock: File,
    announced: bool,
}

impl Instance {
    /// Takes the folder, or says who has it.
    pub(crate) fn claim(state: &StateDir) -> Result<Self, Failure> {
        let path = state.lock();
        let unusable = |source| Failure::File { what: "lock file", path: path.clone(), source };
        let (lock, _) =
            private::open(&path, OpenOptions::new().write(true).create(true)).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { state: state.clone(), _lock: lock, announced: false }),
            Err(TryLockError::WouldBlock) => Err(Failure::AlreadyRunning(who_runs(state))),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Tells clients where the daemon is.
    pub(crate) fn announce(&mut self, file: &DaemonFile) -> io::Result<()> {
        let text = serde_json::to_vec(file)?;
        private::replace(&self.state.daemon(), &text)?;
        self.announced = true;
        Ok(())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if self.announced
            && let Err(error) = fs::remove_file(self.state.daemon())
        {
            log::warn!("could not remove {}: {error}", self.state.daemon().display());
        }
    }
}

fn who_runs(state: &StateDir) -> String {
    let folder = state.path().display();
    let text = fs::read(state.daemon()).unwrap_or_default();
    match serde_json::from_slice::<DaemonFile>(&text) {
        Ok(first) => {
            format!("agentmuxd already runs with state folder {folder}: process {}, {}", first.pid, first.url)
        }
        Err(_) => format!("another agentmuxd is just starting with state folder {folder}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_daemon_is_told_about_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::locate(dir.path().to_str(), None).unwrap();
        let mut first = Instance::claim(&state).unwrap();
        let file = DaemonFile {
            pid: 4711,
            url: "http://127.0.0.1:1".into(),
            version: "0".into(),
            tmux_socket: state.tmux_socket(),
        };
        first.announce(&file).unwrap();
        let refused = Instance::claim(&state).unwrap_err();
        assert!(refused.to_string().contains("process 4711"), "{refused}");
        assert_eq!(refused.status(), 75);
        drop(first);
        assert!(!state.daemon().exists());
        assert!(Instance::claim(&state).is_ok());
    }
}
