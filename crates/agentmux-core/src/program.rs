//! Programs that are asked something and end: `--version`, a login shell. Bounded in time and in what they print;
//! what they started ends with them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// The most that is read of what a program prints, in bytes.
const MOST: usize = 4 * 1024 * 1024;

/// How long a program that has printed what was wanted may take to end.
const FAREWELL: Duration = Duration::from_secs(1);

/// A program to be asked; it gets no input, and what it says on stderr is not read.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Its file.
    pub program: &'a Path,
    /// Its arguments.
    pub args: &'a [OsString],
    /// Its whole environment.
    pub env: &'a BTreeMap<OsString, OsString>,
    /// Where it starts.
    pub workdir: &'a Path,
    /// How long it may take.
    pub patience: Duration,
    /// False where it makes a session, and so a group of processes, of its own as the first thing it does.
    pub new_group: bool,
}

/// What a program printed.
#[derive(Debug)]
pub struct Answer {
    /// Its output as far as it was read.
    pub stdout: Vec<u8>,
    /// How it ended; `None` where it had to be ended.
    pub status: Option<ExitStatus>,
}

/// A program did not answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// It could not be started, or read.
    #[error("could not be run: {0}")]
    Run(#[from] io::Error),
    /// It took too long, and was ended with all that it started.
    #[error("did not answer within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// It did not stop printing, and was ended.
    #[error("printed more than {} MiB", MOST / 1024 / 1024)]
    TooMuch,
}

impl Question<'_> {
    /// Runs the program until `is_complete` holds for what it printed, or it closes its output.
    ///
    /// # Errors
    /// See [`NoAnswer`].
    pub async fn ask(&self, is_complete: impl Fn(&[u8]) -> bool) -> Result<Answer, NoAnswer> {
        let mut child = self.command().spawn()?;
        let mut group = Group { leader: leader(&child), signal: Signal::KILL };
        let read = timeout(self.patience, read(&mut child, is_complete)).await;
        let stdout = read.map_err(|_| NoAnswer::TimedOut(self.patience))??;
        let status = timeout(FAREWELL.min(self.patience), child.wait()).await;
        if status.is_ok() {
            // What it left behind is told what programs are told when their terminal is closed.
            group.signal = Signal::HUP;
        }
        Ok(Answer { stdout, status: status.ok().transpose()? })
    }

    fn command(&self) -> Command {
        #[expect(clippy::disallowed_methods, reason = "the one place in the core that starts a program")]
        let mut command = Command::new(self.program);
        command
            .args(self.args)
            .env_clear()
            .envs(self.env)
            .current_dir(self.workdir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        if self.new_group {
            command.process_group(0);
        }
        command
    }
}

async fn read(child: &mut Child, is_complete: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>, NoAnswer> {
    let mut from = child.stdout.take().expect("stdout is a pipe: it was just set up");
    let mut output = Vec::new();
    while from.read_buf(&mut output).await? > 0 && !is_complete(&output) {
        if output.len() > MOST {
            return Err(NoAnswer::TooMuch);
        }
    }
    Ok(output)
}

fn leader(child: &Child) -> Option<Pid> {
    child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw)
}

/// The processes that a program started: they get the signal when this goes, however that comes about.
struct Group {
    leader: Option<Pid>,
    signal: Signal,
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // Mostly there are none.
            let _ = kill_process_group(leader, self.signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(script: &str, patience: Duration) -> Result<Answer, NoAnswer> {
        let args = ["-c".into(), script.into()];
        let env = [("PATH".into(), "/usr/bin:/bin".into())].into();
        let (program, workdir) = (Path::new("/bin/sh"), Path::new("/"));
        let question = Question { program, args: &args, env: &env, workdir, patience, new_group: true };
        question.ask(|output| output.ends_with(b"enough")).await
    }

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn what_a_program_prints_is_returned_with_its_end() {
        let answer = ask("cat; echo hello; echo complaint >&2; exit 3", LONG).await.unwrap();
        assert_eq!(answer.stdout, b"hello\n");
        assert_eq!(answer.status.unwrap().code(), Some(3));
    }

    #[tokio::test]
    async fn one_that_said_enough_is_not_waited_for_long() {
        let answer = ask("printf enough; exec sleep 1000", LONG).await.unwrap();
        assert_eq!((answer.stdout.as_slice(), answer.status), (b"enough".as_slice(), None));
    }

    #[tokio::test]
    async fn one_that_hangs_is_ended_with_what_it_started() {
        let dir = std::env::temp_dir().join(format!("amx-hang-{}", std::process::id()));
        let script = format!("sleep 1000 & echo $! > {}; wait", dir.display());
        let error = ask(&script, Duration::from_millis(500)).await.unwrap_err();
        assert_eq!(error.to_string(), "did not answer within 0.5 s");
        let pid: i32 = std::fs::read_to_string(&dir).unwrap().trim().parse().unwrap();
        std::fs::remove_file(&dir).unwrap();
        let pid = Pid::from_raw(pid).unwrap();
        let gone = || async {
            while rustix::process::test_kill_process(pid).is_ok() && !is_zombie(pid) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(LONG, gone()).await.expect("the sleep is gone");
    }

    /// An orphan that nobody reaps, as in some containers.
    fn is_zombie(pid: Pid) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
        stat.is_ok_and(|stat| stat.contains(") Z "))
    }

    #[tokio::test]
    async fn one_that_never_stops_printing_is_ended() {
        assert!(matches!(ask("exec yes", LONG).await, Err(NoAnswer::TooMuch)));
    }

    #[tokio::test]
    async fn one_that_is_not_there_says_so() {
        let env = BTreeMap::new();
        let (program, workdir) = (Path::new("/no/such"), Path::new("/"));
        let question = Question { program, args: &[], env: &env, workdir, patience: LONG, new_group: true };
        assert!(question.ask(|_| false).await.unwrap_err().to_string().starts_with("could not be run: "));
    }
}
