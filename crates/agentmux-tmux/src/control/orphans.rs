//! Control clients that a dead daemon left behind, and the file in which ours are written down.
//!
//! A client whose daemon died while output was on its way to it never ends (3.2a to 3.7c), and a later
//! `kill-server` waits for it for ever. From 3.7 on `list-clients` does not tell of it either.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Duration, sleep, timeout};

/// The file's name, beside the folder of launch files.
const FILE: &str = "tmux-clients";

/// How long a process may take to end that was killed.
const PATIENCE: Duration = Duration::from_secs(1);

/// The control clients of this daemon, in a file that a later one can read.
#[derive(Debug)]
pub(crate) struct Register {
    file: PathBuf,
    pids: Mutex<BTreeSet<i32>>,
}

/// A client that is written down for as long as this lives.
#[derive(Debug)]
pub(crate) struct Entry {
    register: Arc<Register>,
    pid: Option<i32>,
}

impl Register {
    /// The register of the daemon that keeps its launch files in this folder; written on the first entry.
    pub(crate) fn beside(launch_dir: &Path) -> Self {
        let file = launch_dir.parent().unwrap_or(launch_dir).join(FILE);
        Self { file, pids: Mutex::default() }
    }

    /// The processes that the file names.
    pub(crate) fn recorded(&self) -> Vec<i32> {
        pids(&std::fs::read_to_string(&self.file).unwrap_or_default())
    }

    /// Writes a client down.
    pub(crate) fn enter(self: &Arc<Self>, pid: Option<u32>) -> Entry {
        let pid = pid.and_then(|pid| i32::try_from(pid).ok());
        self.change(|pids| pids.extend(pid));
        Entry { register: self.clone(), pid }
    }

    /// Ends all clients that are written down, at once.
    pub(crate) fn end_all(&self) {
        let pids = self.pids.lock().unwrap_or_else(PoisonError::into_inner);
        for pid in pids.iter().copied().filter_map(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    fn change(&self, change: impl FnOnce(&mut BTreeSet<i32>)) {
        let mut pids = self.pids.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut pids);
        let text: String = pids.iter().map(|pid| format!("{pid}\n")).collect();
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&self.file);
        if let Err(error) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
            log::debug!("{} cannot be written: {error}", self.file.display());
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let pid = self.pid;
        self.register.change(|pids| pids.retain(|other| Some(*other) != pid));
    }
}

/// The processes named in a text, one a line; none that may not be signalled.
pub(crate) fn pids(text: &str) -> Vec<i32> {
    text.lines().filter_map(|line| line.trim().parse().ok()).filter(|pid| *pid > 1).collect()
}

/// Ends those of these processes that are control clients of the server on this socket and not children of
/// ours, and waits until they have ended; whether there were any.
pub(crate) async fn end(candidates: impl IntoIterator<Item = i32>, socket: &Path) -> bool {
    let mut found = false;
    for pid in candidates.into_iter().collect::<BTreeSet<_>>() {
        if !is_there(pid, socket).await {
            continue;
        }
        found = true;
        // It may have ended in this moment.
        let ended = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::KILL));
        log::info!("ended the tmux client {pid} of a dead daemon: {ended:?}");
        let gone = async {
            while is_there(pid, socket).await {
                sleep(Duration::from_millis(2)).await;
            }
        };
        if timeout(PATIENCE, gone).await.is_err() {
            log::warn!("the tmux client {pid} of a dead daemon does not end");
        }
    }
    found
}

/// A process that has ended and was not reaped is not there: it has no arguments.
async fn is_there(pid: i32, socket: &Path) -> bool {
    look(pid).await.is_some_and(|(parent, arguments)| is_orphan(parent, &arguments, socket))
}

/// A process's number may have been given out again: only what was started as we start clients is one.
fn is_orphan(parent: i32, arguments: &str, socket: &Path) -> bool {
    let ours = i32::try_from(std::process::id()).ok();
    let Some(socket) = socket.to_str() else { return false };
    Some(parent) != ours
        && arguments.contains("tmux")
        && arguments.contains(&format!(" -S {socket} -f /dev/null -C "))
}

/// A process's parent and arguments; `None` where it has ended, or cannot be looked at.
async fn look(pid: i32) -> Option<(i32, String)> {
    if Path::new("/proc/self/stat").exists() {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
        let arguments = std::fs::read(folder.join("cmdline")).ok()?;
        // `PID (NAME) STATE PARENT ...`: the name may hold spaces and parentheses.
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        return Some((parent, String::from_utf8_lossy(&arguments).replace('\0', " ")));
    }
    #[expect(clippy::disallowed_methods, reason = "macOS tells of another process through ps alone")]
    let mut ps = tokio::process::Command::new("ps");
    let output = ps.args(["-ww", "-o", "ppid=,args=", "-p", &pid.to_string()]).output().await.ok()?;
    let row = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let (parent, arguments) = row.split_once(' ')?;
    Some((parent.parse().ok()?, arguments.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_names_the_clients_that_live() {
        let dir = tempfile::tempdir().unwrap();
        let register = Arc::new(Register::beside(&dir.path().join("launch")));
        assert_eq!(register.recorded(), [0; 0]);
        let one = register.enter(Some(7001));
        let two = register.enter(Some(7002));
        assert_eq!(register.recorded(), [7001, 7002]);
        drop(one);
        assert_eq!(register.recorded(), [7002]);
        drop(two);
        assert_eq!(register.recorded(), [0; 0]);
    }

    #[test]
    fn only_a_client_of_ours_whose_daemon_is_gone_is_an_orphan() {
        let ours = i32::try_from(std::process::id()).unwrap();
        let client = "tmux -N -u -S /s -f /dev/null -C attach-session -t =_agentmux ";
        let table = [
            (1, client, true),
            (ours, client, false),
            (1, "tmux -N -u -S /s2 -f /dev/null -C attach-session", false),
            (1, "tmux -u -S /s -f /dev/null attach", false),
            (1, "vim", false),
        ];
        for (parent, arguments, expected) in table {
            assert_eq!(is_orphan(parent, arguments, Path::new("/s")), expected, "{parent} {arguments}");
        }
    }

    #[test]
    fn processes_that_may_not_be_signalled_are_not_read() {
        assert_eq!(pids("12\n1\n0\n-5\nx\n\n 13 \n"), [12, 13]);
    }
}
