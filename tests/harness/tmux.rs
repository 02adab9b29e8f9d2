//! The tmux server of one test, looked at and disturbed from outside.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{eventually, processes};

/// A tmux server on a socket of its own.
#[derive(Debug, Clone)]
pub(crate) struct Tmux {
    socket: PathBuf,
}

impl Tmux {
    pub(crate) fn on(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// A tmux command on this server, ready to be run.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin")
            .env("TERM", "xterm-256color");
        command.args(["-u", "-f", "/dev/null", "-S"]).arg(&self.socket).args(args).stdin(Stdio::null());
        command
    }

    /// What the command printed; fails where tmux does.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> String {
        self.try_run(args).unwrap_or_else(|stderr| panic!("tmux {args:?}: {stderr}"))
    }

    /// What the command printed, or what it said in failing.
    pub(crate) fn try_run(&self, args: &[&str]) -> Result<String, String> {
        let output = self.command(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// The names of the sessions, none where there is no server. The one of the daemon's own clients does not count.
    pub(crate) fn sessions(&self) -> Vec<String> {
        let listed = self.try_run(&["list-sessions", "-F", "#{session_name}"]).unwrap_or_default();
        listed.lines().filter(|name| *name != "_agentmux").map(str::to_owned).collect()
    }

    /// The process in the pane of that session.
    pub(crate) fn pane_pid(&self, session: &str) -> u32 {
        self.run(&["display-message", "-p", "-t", &format!("={session}:"), "#{pane_pid}"]).parse().unwrap()
    }

    /// The server's process, where there is one.
    pub(crate) fn server_pid(&self) -> Option<u32> {
        self.try_run(&["display-message", "-p", "#{pid}"]).ok()?.parse().ok()
    }

    /// Ends the server without warning, and waits until its process is gone.
    pub(crate) fn kill_server(&self) {
        let pid = self.server_pid().expect("a server to kill");
        processes::signal(pid, "KILL");
        eventually("the tmux server is gone", || (!processes::is_alive(pid)).then_some(()));
    }

    /// The names of a session's windows.
    pub(crate) fn windows(&self, session: &str) -> String {
        self.run(&["list-windows", "-t", &format!("={session}"), "-F", "#{window_name}"])
    }

    /// The sessions that people look at, a name for each of them.
    pub(crate) fn attached(&self) -> String {
        let clients = self.run(&["list-clients", "-F", "#{client_control_mode} #{client_session}"]);
        let people: Vec<_> = clients.lines().filter_map(|client| client.strip_prefix("0 ")).collect();
        people.join("\n")
    }

    /// The processes of the daemon's clients in control mode, of one that has died too.
    pub(crate) fn control_clients(&self) -> Vec<u32> {
        let socket = format!("-S {} ", self.socket.display());
        let clients = processes::mentioning(&socket).into_iter().filter(|(_, line)| line.contains(" -C "));
        clients.map(|(pid, _)| pid).collect()
    }

    /// Ends the server and all that runs in its panes; harmless where there is none. Control clients go first: one
    /// whose daemon was killed while output waited for it holds the server up for ever.
    pub(crate) fn end(&self) {
        self.control_clients().into_iter().for_each(|pid| processes::signal(pid, "KILL"));
        let living = ["list-panes", "-a", "-F", "#{?pane_dead,,#{pane_pid}}"];
        let agents = self.try_run(&living).unwrap_or_default();
        let _ = self.try_run(&["kill-server"]);
        // An agent may survive its terminal, and write into a home that is about to be removed.
        agents.lines().filter_map(|pid| pid.parse().ok()).for_each(processes::end_group);
    }
}
