//! One call of the tmux program: the primitive under everything, with its time-out, and what its errors mean.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use agentmux_core::terminal::TerminalError;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

use crate::args::Commands;

/// A server that is stopped or hangs answers nothing, ever.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Calls at the same time; beyond it the server, one thread, is the limit anyway.
const CONCURRENT: usize = 16;

/// What tmux (and so a server that it starts) gets of our environment: nothing secret.
const ENVIRONMENT: [&str; 9] =
    ["PATH", "HOME", "LANG", "TERM", "SHELL", "USER", "LOGNAME", "TMPDIR", "XDG_RUNTIME_DIR"];

/// Calls tmux for one server.
#[derive(Debug)]
pub(crate) struct Client {
    program: PathBuf,
    socket: PathBuf,
    environment: Vec<(OsString, OsString)>,
    permits: Semaphore,
}

/// What a call printed, and whether all of its commands went well.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) success: bool,
}

/// Why a call failed, by what tmux said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No server listens on the socket.
    NoServer,
    /// The server is ending, or speaks another protocol: tmux says the same of both.
    Exiting(String),
    /// What was aimed at is not there.
    Gone,
    /// The pane is there, its program has ended.
    Exited,
    /// A session of that name is there already.
    NameTaken,
    /// No answer, or no tmux.
    Unavailable(String),
    /// Anything else.
    Refused(String),
}

impl Client {
    /// A client of the server on this socket; the environment is read now.
    pub(crate) fn new(program: PathBuf, socket: PathBuf) -> Self {
        let environment = std::env::vars_os().filter(|(name, _)| is_allowed(name)).collect();
        Self { program, socket, environment, permits: Semaphore::new(CONCURRENT) }
    }

    /// Runs a sequence of commands on the server; what it prints, or why one of them failed.
    pub(crate) async fn run(
        &self,
        operation: &str,
        commands: Commands,
        input: &[u8],
    ) -> Result<String, Failure> {
        let output = self.exec(operation, commands, input).await?;
        if output.success { Ok(output.stdout) } else { Err(classify(operation, &output.stderr)) }
    }

    /// Runs a sequence of commands on the server: the seam for another transport.
    pub(crate) async fn exec(
        &self,
        operation: &str,
        commands: Commands,
        input: &[u8],
    ) -> Result<Output, Failure> {
        // -u: without a UTF-8 locale (launchd) tmux prints `_` for what is not ASCII. -f: a user's
        // configuration moves indices, aliases commands and ends detached sessions.
        let mut arguments: Vec<OsString> = vec!["-u".into(), "-S".into(), self.socket.clone().into()];
        arguments.extend(["-f".into(), "/dev/null".into()]);
        arguments.extend(commands.into_arguments());
        self.call(operation, &arguments, input).await
    }

    /// Calls the program with exactly these arguments.
    pub(crate) async fn call(
        &self,
        operation: &str,
        arguments: &[OsString],
        input: &[u8],
    ) -> Result<Output, Failure> {
        let call = async {
            let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
            self.spawn_and_collect(arguments, input).await
        };
        match tokio::time::timeout(TIMEOUT, call).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => {
                let program = self.program.display();
                Err(Failure::Unavailable(format!("tmux {operation}: cannot run {program}: {error}")))
            }
            Err(_) => Err(Failure::Unavailable(format!(
                "tmux {operation}: no answer from the server on {} within {} s",
                self.socket.display(),
                TIMEOUT.as_secs()
            ))),
        }
    }

    async fn spawn_and_collect(&self, arguments: &[OsString], input: &[u8]) -> std::io::Result<Output> {
        #[expect(clippy::disallowed_methods, reason = "the one place that calls tmux")]
        let mut command = tokio::process::Command::new(&self.program);
        let mut child = command
            .args(arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C in the terminal of a daemon in the foreground is not for tmux.
            .process_group(0)
            // A client that hangs is killed and reaped when its time is up.
            .kill_on_drop(true)
            .spawn()?;
        let stdin = child.stdin.take();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A sequence that failed before it came to read its input closes the pipe; its stderr says
                // why.
                let _ = stdin.write_all(input).await;
            }
        };
        let ((), output) = tokio::join!(feed, child.wait_with_output());
        let output = output?;
        Ok(Output {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            success: output.status.success(),
        })
    }
}

fn is_allowed(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| ENVIRONMENT.contains(&name) || name.starts_with("LC_"))
}

/// What a failed call means, by the text on its stderr (the same on 3.2a to 3.7 unless said otherwise).
pub(crate) fn classify(operation: &str, stderr: &str) -> Failure {
    let says = |text: &str| stderr.contains(text);
    let no_socket = says("error connecting to") && (says("(No such file") || says("(Connection refused"));
    if says("no server running on") || no_socket {
        Failure::NoServer
    } else if says("can't find pane") || says("can't find window") || says("can't find session") {
        Failure::Gone
    } else if says("no current target") {
        // A pane's id on a server that has no session left.
        Failure::Gone
    } else if says("target pane has exited") {
        Failure::Exited
    } else if says("duplicate session:") {
        Failure::NameTaken
    } else if says("server exited unexpectedly") || says("lost server") || says("protocol version mismatch") {
        Failure::Exiting(format!(
            "tmux {operation}: {stderr} (the server is ending, or was started by another version of tmux)"
        ))
    } else if says("error connecting to") || says("error creating") {
        Failure::Unavailable(format!("tmux {operation}: {stderr}"))
    } else if stderr.is_empty() {
        Failure::Refused(format!("tmux {operation}: failed without a message"))
    } else {
        Failure::Refused(format!("tmux {operation}: {stderr}"))
    }
}

/// Seen from an operation on a pane: where no server runs, the pane is gone.
impl From<Failure> for TerminalError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoServer | Failure::Gone => Self::Gone,
            Failure::Exited => Self::Exited,
            Failure::NameTaken => Self::NameTaken,
            Failure::Exiting(message) | Failure::Unavailable(message) => Self::Unavailable(message),
            Failure::Refused(message) => Self::Refused(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_tmux_have_one_meaning_each() {
        let exiting = |text: &str| {
            let hint = "(the server is ending, or was started by another version of tmux)";
            Failure::Exiting(format!("tmux read: {text} {hint}"))
        };
        let table = [
            ("error connecting to /s (No such file or directory)", Failure::NoServer),
            ("error connecting to /s (Connection refused)", Failure::NoServer),
            ("no server running on /s", Failure::NoServer),
            (
                "error connecting to /s (Permission denied)",
                Failure::Unavailable("tmux read: error connecting to /s (Permission denied)".into()),
            ),
            ("error creating /s", Failure::Unavailable("tmux read: error creating /s".into())),
            ("can't find pane: %7", Failure::Gone),
            ("no current target", Failure::Gone),
            ("target pane has exited", Failure::Exited),
            ("duplicate session: a", Failure::NameTaken),
            ("server exited unexpectedly", exiting("server exited unexpectedly")),
            (
                "protocol version mismatch (client 8, server 7)",
                exiting("protocol version mismatch (client 8, server 7)"),
            ),
            ("command too long", Failure::Refused("tmux read: command too long".into())),
            ("", Failure::Refused("tmux read: failed without a message".into())),
        ];
        for (stderr, meaning) in table {
            assert_eq!(classify("read", stderr), meaning, "{stderr}");
        }
    }

    #[test]
    fn tmux_gets_no_secret_of_ours() {
        for (name, allowed) in
            [("PATH", true), ("LC_ALL", true), ("AGENTMUX_TOKEN", false), ("TMUX", false), ("API_KEY", false)]
        {
            assert_eq!(is_allowed(OsStr::new(name)), allowed, "{name}");
        }
    }
}
