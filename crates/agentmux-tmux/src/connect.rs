//! Making a [`Tmux`]: what must hold before anything is touched, and what to do about it when it does not.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::activity::Watches;
use crate::client::Client;
use crate::control::orphans::{self, Register};
use crate::control::{Control, watcher};
use crate::failure::{Failure, classify};
use crate::server::{Server, hidden};
use crate::subprocess::{Output, Subprocess};
use crate::target::Homes;
use crate::version::Version;
use crate::{Config, Tmux, args, launch};

/// The longest path of a socket: macOS has room for 104 bytes with the closing NUL, Linux for 108.
pub const LONGEST_SOCKET: usize = 103;

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

/// What [`Tmux::check`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usable {
    /// What the program calls itself, such as `tmux 3.3a`.
    pub program: String,
    /// Whether a server runs; it answers then.
    pub is_running: bool,
}

impl Tmux {
    /// Checks program, socket and running server, if any, as [`connect`](Self::connect) does; changes nothing.
    ///
    /// # Errors
    /// What must be changed before tmux can be used.
    pub async fn check(config: &Config) -> Result<Usable, ConnectError> {
        check_socket(config)?;
        let subprocess = Arc::new(Subprocess::new(config.tmux.clone(), config.socket.clone()));
        let program = check_program(&subprocess, config).await?;
        match check_server(&subprocess, config).await? {
            Running::Ending(message) => Err(ConnectError::Server(message)),
            running => Ok(Usable { program, is_running: running == Running::Yes }),
        }
    }

    /// Checks program, socket and running server, if any; starts no server.
    ///
    /// Must be called within a tokio runtime: one task watches the panes that are asked for.
    ///
    /// # Errors
    /// What must be changed before tmux can be used.
    pub async fn connect(config: Config) -> Result<Self, ConnectError> {
        check_socket(&config)?;
        let subprocess = Arc::new(Subprocess::new(config.tmux.clone(), config.socket.clone()));
        let register = Arc::new(Register::beside(&config.launch_dir));
        let hidden = hidden(config.owned, &config.owner);
        let control = Control::new(subprocess.clone(), hidden.clone(), register.clone());
        check_program(&subprocess, &config).await?;
        let is_running = match check_server(&subprocess, &config).await? {
            // The first spawn waits for a server that is just ending.
            Running::Ending(message) => {
                log::warn!("{message}");
                false
            }
            running => running == Running::Yes,
        };
        let client = Client::new(subprocess, control, config.transport);
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.launch_dir);
        made.map_err(|source| ConnectError::LaunchDir { path: config.launch_dir.clone(), source })?;
        launch::sweep(&config.launch_dir);
        end_orphans(&client, &register, &hidden, &config, is_running).await;

        // On a server of the user the hidden session is there while panes are watched, and no longer.
        client.allow(config.owned);
        let server = Arc::new(Server {
            client,
            watches: Watches::default(),
            homes: Homes::default(),
            hidden,
            owner: config.owner.clone(),
            owned: config.owned,
        });
        let watcher = tokio::spawn(watcher::watch(server.clone()));
        if is_running {
            server.client.settle().await;
        }
        Ok(Self { server, config, watcher })
    }
}

/// Ends the control clients of a daemon that died: those it wrote down, and those that the server knows.
async fn end_orphans(client: &Client, register: &Register, hidden: &str, config: &Config, is_running: bool) {
    let mut pids = register.recorded();
    if is_running {
        // Fails where there is no hidden session: then nobody is in it.
        let listed = client.run("clients", &args::clients(hidden), b"").await;
        pids.extend(orphans::pids(&listed.unwrap_or_default()));
    }
    if orphans::end(pids, &config.socket).await && is_running {
        // The server tells all clients that they are gone, and must not do that while one of ours attaches:
        // when it answers this, it has done so.
        let _ = client.run("version", &args::server_version(), b"").await;
    }
    if is_running && !config.owned {
        // What a daemon that was killed has left there; fails where it left nothing.
        let _ = client.run("unhide", &args::unhide(hidden), b"").await;
    }
}

fn check_socket(config: &Config) -> Result<(), ConnectError> {
    match config.socket.as_os_str().as_bytes().len() {
        length if length > LONGEST_SOCKET => {
            Err(ConnectError::SocketPath { path: config.socket.clone(), length })
        }
        _ => Ok(()),
    }
}

/// What the program calls itself.
async fn check_program(subprocess: &Subprocess, config: &Config) -> Result<String, ConnectError> {
    let output = match subprocess.call("-V", &["-V".into()], b"").await {
        Ok(output) => output,
        Err(failure) => return Err(ConnectError::Missing(message(failure))),
    };
    let program = config.tmux.clone();
    match program_version(&output) {
        None => Err(ConnectError::NotTmux { program, answer: output.stdout.trim().to_owned() }),
        Some(Some(found)) if found < Version::OLDEST => Err(ConnectError::TooOld { program, found }),
        // A build without a version number ("tmux master") is newer than the oldest.
        Some(_) => Ok(output.stdout.trim().to_owned()),
    }
}

/// What `tmux -V` says: `None` where it is not tmux that answers, `Some(None)` for a build without a number.
fn program_version(output: &Output) -> Option<Option<Version>> {
    output.stdout.trim().strip_prefix("tmux ").map(Version::parse)
}

/// Whether a server is running.
#[derive(PartialEq, Eq)]
enum Running {
    Yes,
    No,
    /// It is just ending, or another version of tmux started it: what tmux said.
    Ending(String),
}

/// Whether a server is running, and one that can be used.
async fn check_server(subprocess: &Subprocess, config: &Config) -> Result<Running, ConnectError> {
    let asked = subprocess.exec("version", args::server_version().arguments(), b"").await;
    let answer = asked.and_then(|output| match output.success {
        true => Ok(output.stdout),
        false => Err(classify("version", &output.stderr)),
    });
    match answer {
        Ok(stdout) => match Version::parse(stdout.trim()) {
            Some(found) if found < Version::OLDEST => {
                Err(ConnectError::ServerTooOld { socket: config.socket.clone(), found })
            }
            _ => Ok(Running::Yes),
        },
        // A server without a session, which has nothing to print a format for.
        Err(Failure::Gone) => Ok(Running::Yes),
        Err(Failure::NoServer) => Ok(Running::No),
        Err(Failure::Exiting(message)) => Ok(Running::Ending(message)),
        Err(failure) => Err(ConnectError::Server(message(failure))),
    }
}

fn message(failure: Failure) -> String {
    agentmux_core::terminal::TerminalError::from(failure).to_string()
}
