//! The files by which programs on this machine find the daemon.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The daemon's state folder: `AGENTMUX_STATE_DIR`, else `~/.agentmux`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// The folder by the variables' values; `None` where neither a folder nor a home is given.
    pub fn locate(state_dir: Option<&str>, home: Option<&str>) -> Option<Self> {
        let given = |value: Option<&str>| value.filter(|text| !text.is_empty()).map(PathBuf::from);
        given(state_dir).or_else(|| given(home).map(|home| home.join(".agentmux"))).map(Self)
    }

    /// The folder itself, mode 0700.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The generated token, mode 0600.
    pub fn token(&self) -> PathBuf {
        self.0.join("token")
    }

    /// What the running daemon says of itself: a [`DaemonFile`], mode 0600.
    pub fn daemon(&self) -> PathBuf {
        self.0.join("daemon.json")
    }

    /// Held locked while a daemon runs.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// The private tmux server's socket.
    pub fn tmux_socket(&self) -> PathBuf {
        self.0.join("tmux.sock")
    }

    /// Where launch files live for the moment between their writing and the start of the agent.
    pub fn launch(&self) -> PathBuf {
        self.0.join("launch")
    }

    /// A folder for each session whose agent tells what it does: its secret, and what the agent is started with.
    pub fn sessions(&self) -> PathBuf {
        self.0.join("sessions")
    }

    /// The log, where no other place was chosen.
    pub fn log(&self) -> PathBuf {
        self.0.join("agentmux.log")
    }
}

/// The content of `daemon.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonFile {
    /// The daemon's process.
    pub pid: u32,
    /// Where it listens, e.g. `http://127.0.0.1:8765`.
    pub url: String,
    /// Its version.
    pub version: String,
    /// The socket of the tmux server that holds the sessions.
    pub tmux_socket: PathBuf,
}
