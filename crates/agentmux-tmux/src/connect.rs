//! Making a [`Tmux`]: what must hold before anything is touched, and what to do about it when it does not.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::activity::{self, Watches};
use crate::command::{Client, Failure, Output};
use crate::version::Version;
use crate::{Config, Tmux, args, launch};

/// The longest path of a socket: macOS has room for 104 bytes with the closing NUL, Linux for 108.
const LONGEST_SOCKET: usize = 103;

/// Why tmux cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// There is no such program, or it cannot be run.
    #[error("{0}")]
    Missing(String),
    /// The program is not tmux.
    #[error("{program} does not answer `-V` as tmux does, but with {answer:?}")]
    NotTmux {
        /// The program.
        program: PathBuf,
        /// What it printed.
        answer: String,
    },
    /// The program is older than [`Version::OLDEST`].
    #[error("{program} is tmux {found}; at least {} is needed", Version::OLDEST)]
    TooOld {
        /// The program.
        program: PathBuf,
        /// Its version.
        found: Version,
    },
    /// The server that runs is older than [`Version::OLDEST`].
    #[error("the tmux server on {socket} is of version {found}; at least {} is needed", Version::OLDEST)]
    ServerTooOld {
        /// The server's socket.
        socket: PathBuf,
        /// Its version.
        found: Version,
    },
    /// The server that runs cannot be talked to: it hangs, or another version of tmux started it.
    #[error("{0}")]
    Server(String),
    /// The path of the socket is longer than systems allow.
    #[error("the tmux socket {path} has a path of {length} bytes; at most {LONGEST_SOCKET} are allowed")]
    SocketPath {
        /// The path.
        path: PathBuf,
        /// Its length in bytes.
        length: usize,
    },
    /// The folder for launch files cannot be made.
    #[error("the folder {path} for launch files cannot be made")]
    LaunchDir {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Tmux {
    /// Checks program, socket and running server, if any; starts no server.
    ///
    /// Must be called within a tokio runtime: one task watches the panes that are asked for.
    ///
    /// # Errors
    /// What must be changed before tmux can be used.
    pub async fn connect(config: Config) -> Result<Self, ConnectError> {
        let length = config.socket.as_os_str().as_bytes().len();
        if length > LONGEST_SOCKET {
            return Err(ConnectError::SocketPath { path: config.socket, length });
        }
        let client = Arc::new(Client::new(config.tmux.clone(), config.socket.clone()));
        check_program(&client, &config).await?;
        check_server(&client, &config).await?;
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.launch_dir);
        made.map_err(|source| ConnectError::LaunchDir { path: config.launch_dir.clone(), source })?;
        launch::sweep(&config.launch_dir);

        let watches = Arc::new(Watches::default());
        let poller = tokio::spawn(activity::poll(client.clone(), watches.clone()));
        Ok(Self { client, config, watches, poller })
    }
}

async fn check_program(client: &Client, config: &Config) -> Result<(), ConnectError> {
    let output = match client.call("-V", &["-V".into()], b"").await {
        Ok(output) => output,
        Err(failure) => return Err(ConnectError::Missing(message(failure))),
    };
    let program = config.tmux.clone();
    match program_version(&output) {
        None => Err(ConnectError::NotTmux { program, answer: output.stdout.trim().to_owned() }),
        Some(Some(found)) if found < Version::OLDEST => Err(ConnectError::TooOld { program, found }),
        // A build without a version number ("tmux master") is newer than the oldest.
        Some(_) => Ok(()),
    }
}

/// What `tmux -V` says: `None` where it is not tmux that answers, `Some(None)` for a build without a number.
fn program_version(output: &Output) -> Option<Option<Version>> {
    output.stdout.trim().strip_prefix("tmux ").map(Version::parse)
}

async fn check_server(client: &Client, config: &Config) -> Result<(), ConnectError> {
    match client.run("version", args::server_version(), b"").await {
        Ok(stdout) => match Version::parse(stdout.trim()) {
            Some(found) if found < Version::OLDEST => {
                Err(ConnectError::ServerTooOld { socket: config.socket.clone(), found })
            }
            _ => Ok(()),
        },
        Err(Failure::NoServer | Failure::Gone) => Ok(()),
        // The first spawn waits for a server that is just ending.
        Err(Failure::Exiting(message)) => {
            log::warn!("{message}");
            Ok(())
        }
        Err(failure) => Err(ConnectError::Server(message(failure))),
    }
}

fn message(failure: Failure) -> String {
    agentmux_core::terminal::TerminalError::from(failure).to_string()
}
