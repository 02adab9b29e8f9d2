//! The [`Terminal`](agentmux_core::terminal::Terminal) of `agentmux-core` on tmux.
//!
//! Each program runs as the own process of a pane, on a tmux server of ours (own socket, no configuration
//! file) or on one that the user runs. Every operation is one call of the tmux program with a sequence of
//! commands that the server runs without a break; `Client::exec` is the one place that makes such a call, so
//! another transport replaces that place alone.
//!
//! ```no_run
//! use agentmux_core::terminal::Terminal;
//! use agentmux_tmux::{Config, Tmux};
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
mod command;
mod connect;
mod group;
mod label;
pub mod launch;
mod parse;
mod terminal;
mod version;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::activity::Watches;
use crate::command::Client;
pub use crate::connect::ConnectError;
pub use crate::version::Version;

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
}

/// Panes of a tmux server.
///
/// The server is started by the first [`spawn`](agentmux_core::terminal::Terminal::spawn) that finds none,
/// also after it was killed, and inherits the limits of this process: raise the number of open files (one a
/// pane) before that. Dropping a `Tmux` ends its background task; server and panes live on.
#[derive(Debug)]
pub struct Tmux {
    client: Arc<Client>,
    config: Config,
    watches: Arc<Watches>,
    poller: tokio::task::JoinHandle<()>,
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
        self.poller.abort();
    }
}
