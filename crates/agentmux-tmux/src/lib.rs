//! The [`Terminal`](agentmux_core::terminal::Terminal) of `agentmux-core` on tmux.
//!
//! Each program runs as the own process of a pane, on a tmux server of ours (own socket, no configuration
//! file) or on one that the user runs. Every operation is a sequence of commands that the server runs without
//! a break; `Client::exec` is the one place that sends them: over a control client that stays (`control`)
//! or, to start a server, without a client, and for large input, by a call of the tmux program.
//!
//! ```no_run
//! use agentmux_core::terminal::Terminal;
//! use agentmux_tmux::{Config, Tmux, Transport};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let tmux = Tmux::connect(Config {
//!     tmux: "/usr/bin/tmux".into(),
//!     socket: "/home/me/.agentmux/tmux.sock".into(),
//!     owned: true,
//!     owner: "/home/me/.agentmux".into(),
//!     // Your program calls `agentmux_tmux::launch::exec` when it is started like this.
//!     launcher: vec!["/home/me/bin/mine".into(), "launch".into()],
//!     launch_dir: "/home/me/.agentmux/launch".into(),
//!     transport: Transport::Auto,
//! })
//! .await?;
//! for pane in tmux.panes().await? {
//!     println!("{} {}", pane.id, tmux.read(&pane.id, 0).await?.text(10));
//! }
//! # Ok(())
//! # }
//! ```

mod activity;
mod args;
mod client;
mod commands;
mod connect;
mod control;
mod failure;
mod group;
mod label;
pub mod launch;
mod listing;
mod parse;
mod poll;
mod quote;
mod server;
mod subprocess;
mod target;
mod terminal;
mod version;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use crate::connect::{ConnectError, LONGEST_SOCKET, Usable};
use crate::server::Server;
pub use crate::version::Version;

/// A server that is stopped or hangs answers nothing, ever. It is never killed for that: it holds the agents.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Which tmux, which server, and how programs are started in it.
#[derive(Debug, Clone)]
pub struct Config {
    /// The tmux program, as an absolute path.
    pub tmux: PathBuf,
    /// The server's socket; its folder must exist. At most 103 bytes.
    pub socket: PathBuf,
    /// Whether the server is ours. On one that the user runs no global option is touched.
    pub owned: bool,
    /// Identifies this daemon's state: panes that carry another owner are listed without their label.
    pub owner: String,
    /// The program, and its arguments before the launch file's path, that calls [`launch::exec`].
    pub launcher: Vec<OsString>,
    /// Where launch files are written; made, with mode 0700, where it is missing.
    pub launch_dir: PathBuf,
    /// How commands reach the server.
    pub transport: Transport,
}

/// How commands reach the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// By a control client that stays, and by a process for each call while there is none. What panes write
    /// is pushed. On a server of the user's this is so while panes are watched, for the hidden session of
    /// these clients would keep the server alive.
    #[default]
    Auto,
    /// By a process for each call; panes that are watched are polled.
    Subprocess,
    /// As `Auto`, but a call waits for the control client; a process only starts the server and takes large
    /// input.
    Control,
}

/// Panes of a tmux server.
///
/// The server is started by the first [`spawn`](agentmux_core::terminal::Terminal::spawn) that finds none,
/// also after it was killed, and inherits the limits of this process: raise the number of open files (one a
/// pane) before that. Dropping a `Tmux` ends its background task and its control clients; server and
/// panes live on.
#[derive(Debug)]
pub struct Tmux {
    server: Arc<Server>,
    config: Config,
    watcher: tokio::task::JoinHandle<()>,
}

impl Tmux {
    /// The socket of the server, for `tmux -S SOCKET attach`.
    pub fn socket(&self) -> &Path {
        &self.config.socket
    }

    /// The tmux program.
    pub fn program(&self) -> &Path {
        &self.config.tmux
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.watcher.abort();
        // Calls that nobody waits for may still be under way, and hold the server.
        self.server.client.allow(false);
        if !self.config.owned {
            self.server.client.end_with(&args::unhide(&self.server.hidden));
        }
    }
}

/// The programs of `docs/embedding.md`, to be run as examples.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedding.md")]
struct Embedding;
