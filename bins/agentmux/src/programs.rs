//! The verbs that become another program: `serve` is agentmuxd, `attach` is tmux; and `doctor`, which asks agentmuxd.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use agentmux_api::SessionDetail;
use agentmux_api::doctor::Doctor;

use crate::client::{Client, escaped};
use crate::ending::{Ending, Failed};
use crate::sessions;

const DAEMON: &str = "agentmuxd";

/// Becomes the daemon: the one beside this program, else the first in PATH.
pub(crate) fn serve(args: &[OsString]) -> Result<Ending, Failed> {
    let daemon = daemon();
    Err(become_program(command(daemon.as_os_str()).args(args), DAEMON))
}

/// The daemon's program: the one beside this, else the first in PATH.
fn daemon() -> PathBuf {
    let own = std::env::current_exe().ok().and_then(|path| path.canonicalize().ok());
    let beside = own.as_deref().and_then(Path::parent).map(|folder| folder.join(DAEMON));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(DAEMON))
}

/// What agentmuxd finds by itself.
pub(crate) fn look(agents: bool) -> Result<Doctor, Failed> {
    let program = daemon();
    let mut doctor = command(program.as_os_str());
    doctor.arg("doctor").args((!agents).then_some("--without-agents")).stdin(Stdio::null());
    let output = doctor.output().map_err(|error| not_started(&program, DAEMON, &error))?;
    let strange = |why: &dyn std::fmt::Display| Failed::new(format!("{} doctor: {why}", program.display()));
    if !output.status.success() {
        return Err(strange(&String::from_utf8_lossy(&output.stderr).trim()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| strange(&error))
}

/// Becomes a tmux client of the session. Sessions outlive the daemon: one that is named is found without it.
pub(crate) async fn attach(client: &Client, name: Option<String>) -> Result<Ending, Failed> {
    let name = match name {
        None => sessions::named(client, None).await?,
        Some(name) if client.reach().await.is_err() => name,
        Some(key) => client.get::<SessionDetail>(&format!("/sessions/{}", escaped(&key)), 0.0).await?.name,
    };
    if !std::io::stdin().is_terminal() {
        return Err(Failed::new("attach needs a terminal: stdin is none"));
    }
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
    reason = "this process becomes that program, or waits for the little that it prints"
)]
fn command(program: &OsStr) -> Command {
    Command::new(program)
}

/// Returns only where that fails.
fn become_program(command: &mut Command, name: &str) -> Failed {
    let error = command.exec();
    not_started(Path::new(command.get_program()), name, &error)
}

fn not_started(program: &Path, name: &str, error: &std::io::Error) -> Failed {
    match error.kind() {
        std::io::ErrorKind::NotFound if name == DAEMON => {
            Failed::new(format!("{name} is not installed beside agentmux or in PATH"))
        }
        std::io::ErrorKind::NotFound => Failed::new(format!("{name} is not installed: it is not in PATH")),
        _ => Failed::new(format!("could not start {}: {error}", program.display())),
    }
}
