//! Why the daemon does not run, by what a person can do about it, and the exit status that tells programs.

use std::path::PathBuf;

use crate::config::ConfigError;

/// The daemon did not start, or could not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A setting has to be changed.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// A file or folder that the configuration names, or that is ours, cannot be used.
    #[error("{what} {path}: {source}", path = path.display())]
    File {
        /// What it is for.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// Why it cannot be used.
        source: std::io::Error,
    },
    /// Another daemon uses the same state folder.
    #[error("{0}")]
    AlreadyRunning(String),
    /// tmux, or the port, has to be made available.
    #[error("{0}")]
    Unavailable(String),
    /// The system refused something that it should not.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// The refusal.
        source: std::io::Error,
    },
}

impl Failure {
    /// The status, as `sysexits.h` names them: `EX_CONFIG`, `EX_TEMPFAIL`, `EX_UNAVAILABLE`, `EX_OSERR`.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Config(_) | Self::File { .. } => 78,
            Self::AlreadyRunning(_) => 75,
            Self::Unavailable(_) => 69,
            Self::System { .. } => 71,
        }
    }
}
