//! The tmux program as a process: one for each call, or one that stays and speaks control mode.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::TIMEOUT;
use crate::failure::Failure;

/// Calls at the same time; beyond it the server, one thread, is the limit anyway.
const CONCURRENT: usize = 16;

/// What tmux (and so a server that it starts) gets of our environment: nothing secret.
const ENVIRONMENT: [&str; 9] =
    ["PATH", "HOME", "LANG", "TERM", "SHELL", "USER", "LOGNAME", "TMPDIR", "XDG_RUNTIME_DIR"];

/// Calls tmux for one server.
#[derive(Debug)]
pub(crate) struct Subprocess {
    program: PathBuf,
    socket: PathBuf,
    environment: Vec<(OsString, OsString)>,
    permits: Semaphore,
}

/// What a call printed, and whether all of its commands went well.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) success: bool,
}

impl Subprocess {
    /// Calls for the server on this socket; the environment is read now.
    pub(crate) fn new(program: PathBuf, socket: PathBuf) -> Self {
        let environment = std::env::vars_os().filter(|(name, _)| is_allowed(name)).collect();
        Self { program, socket, environment, permits: Semaphore::new(CONCURRENT) }
    }

    /// Runs commands on the server.
    pub(crate) async fn exec(
        &self,
        operation: &str,
        commands: impl IntoIterator<Item = OsString>,
        input: &[u8],
    ) -> Result<Output, Failure> {
        let mut arguments = self.to_server();
        arguments.extend(commands);
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
            Err(_) => Err(self.no_answer(operation)),
        }
    }

    /// Runs commands on the server without waiting; needs no runtime.
    pub(crate) fn spawn_and_forget(&self, commands: impl IntoIterator<Item = OsString>) {
        let mut command = self.command().into_std();
        command.args(self.to_server()).args(commands);
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Err(error) = quiet.spawn() {
            log::debug!("cannot run {}: {error}", self.program.display());
        }
    }

    /// The failure of a server that is stopped or hangs.
    pub(crate) fn no_answer(&self, operation: &str) -> Failure {
        Failure::Unavailable(format!(
            "tmux {operation}: no answer from the server on {} within {} s",
            self.socket.display(),
            TIMEOUT.as_secs()
        ))
    }

    /// A client in control mode that begins with this command, to be spawned; it never starts a server.
    pub(crate) fn control(&self, attach: &[String]) -> Command {
        let mut command = self.command();
        command.arg("-N").args(self.to_server()).arg("-C").args(attach);
        command
    }

    fn to_server(&self) -> Vec<OsString> {
        // -u: without a UTF-8 locale (launchd) tmux prints `_` for what is not ASCII. -f: a user's
        // configuration moves indices, aliases commands and ends detached sessions.
        let mut arguments: Vec<OsString> = vec!["-u".into(), "-S".into(), self.socket.clone().into()];
        arguments.extend(["-f".into(), "/dev/null".into()]);
        arguments
    }

    fn command(&self) -> Command {
        #[expect(clippy::disallowed_methods, reason = "the one place that calls tmux")]
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C in the terminal of a daemon in the foreground is not for tmux.
            .process_group(0)
            // A client that hangs is killed and reaped when its time is up, and none outlives its owner.
            .kill_on_drop(true);
        command
    }

    async fn spawn_and_collect(&self, arguments: &[OsString], input: &[u8]) -> std::io::Result<Output> {
        let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
        let mut child = self.command().args(arguments).stdin(stdin).spawn()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tmux_gets_no_secret_of_ours() {
        for (name, allowed) in
            [("PATH", true), ("LC_ALL", true), ("AGENTMUX_TOKEN", false), ("TMUX", false), ("API_KEY", false)]
        {
            assert_eq!(is_allowed(OsStr::new(name)), allowed, "{name}");
        }
    }
}
