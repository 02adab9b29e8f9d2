//! The verbs that become another program: `serve` is agentmuxd, `attach` is tmux.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::client::Client;
use crate::ending::{Ending, Failed};
use crate::sessions;

const DAEMON: &str = "agentmuxd";

/// Becomes the daemon: the one beside this program, else the first in PATH.
pub(crate) fn serve(args: &[OsString]) -> Result<Ending, Failed> {
    let own = std::env::current_exe().ok().and_then(|path| path.canonicalize().ok());
    let beside = own.as_deref().and_then(Path::parent).map(|folder| folder.join(DAEMON));
    let daemon = beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(DAEMON));
    Err(become_program(command(daemon.as_os_str()).args(args), DAEMON))
}

/// Becomes a tmux client of the session.
pub(crate) async fn attach(client: &Client, name: Option<String>) -> Result<Ending, Failed> {
    let name = sessions::named(client, name).await?;
    let socket = client.daemon().tmux_socket.as_ref();
    let socket =
        socket.ok_or_else(|| Failed::new("there is no state folder: set HOME or AGENTMUX_STATE_DIR"))?;
    let mut tmux = command(OsStr::new("tmux"));
    // Within tmux, attaching is refused while these name the surrounding session.
    tmux.env_remove("TMUX").env_remove("TMUX_PANE");
    tmux.args(["-u", "-S"]).arg(socket).args(["attach-session", "-t", &format!("={name}")]);
    Err(become_program(&mut tmux, "tmux"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "this process becomes that program; nothing is started beside it"
)]
fn command(program: &OsStr) -> Command {
    Command::new(program)
}

/// Returns only where that fails.
fn become_program(command: &mut Command, name: &str) -> Failed {
    let error = command.exec();
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failed::new(format!("{name} is not installed beside agentmux or in PATH"))
        }
        _ => Failed::new(format!("could not start {}: {error}", command.get_program().display())),
    }
}
