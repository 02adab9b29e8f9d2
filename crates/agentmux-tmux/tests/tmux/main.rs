//! Tests on a real tmux: each has a server of its own, in a folder of its own, and leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "the set-up of tests")]
#![expect(clippy::duplicate_mod, reason = "what every transport promises is tested on each")]

mod control;
mod faults;
mod over_auto;
mod over_control;
mod over_subprocess;

use std::ffi::OsString;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use agentmux_core::contract::Stage;
use agentmux_tmux::{Config, Tmux, Transport};
use tempfile::TempDir;

/// Becomes what a launch file says; shows what it was started with.
const LAUNCHER: &str = env!("CARGO_BIN_EXE_agentmux-launch");

/// A folder with a socket; on drop, the server that runs there is ended.
struct Home {
    dir: TempDir,
    config: Config,
}

impl Home {
    fn new(transport: Transport) -> Self {
        let dir = TempDir::new().unwrap();
        let config = Config {
            tmux: "tmux".into(),
            socket: dir.path().join("s"),
            owned: true,
            owner: "contract".into(),
            launcher: vec![LAUNCHER.into()],
            launch_dir: dir.path().join("launch"),
            transport,
        };
        Self { dir, config }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    async fn connect(&self) -> Tmux {
        Tmux::connect(self.config.clone()).await.unwrap()
    }

    /// Calls tmux as a person would.
    fn tmux(&self, arguments: &[&str]) -> Output {
        let socket = self.config.socket.to_str().unwrap();
        run("tmux", &[&["-u", "-f", "/dev/null", "-S", socket], arguments].concat())
    }

    /// What tmux prints, on success.
    fn ask(&self, arguments: &[&str]) -> String {
        let output = self.tmux(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// The pid of the server.
    fn server(&self) -> String {
        self.ask(&["display-message", "-p", "#{pid}"])
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

fn run(program: &str, arguments: &[&str]) -> Output {
    #[expect(clippy::disallowed_methods, reason = "tests look at tmux from outside")]
    std::process::Command::new(program).args(arguments).output().unwrap()
}

fn signal(name: &str, pid: &str) {
    assert!(run("kill", &[&format!("-{name}"), pid]).status.success());
}

fn is_alive(pid: &str) -> bool {
    run("kill", &["-0", pid]).status.success()
}

/// The processes of the control clients of a home's server.
fn clients(home: &Home) -> Vec<String> {
    let control = format!(" -S {} -f /dev/null -C ", home.config.socket.display());
    let rows = run("ps", &["-axww", "-o", "pid=,stat=,args="]).stdout;
    let rows = String::from_utf8_lossy(&rows).into_owned();
    let clients = rows.lines().filter(|row| row.contains(&control)).filter_map(|row| {
        let mut fields = row.split_whitespace();
        let (pid, stat) = (fields.next()?, fields.next()?);
        (!stat.starts_with('Z')).then(|| pid.to_owned())
    });
    clients.collect()
}

/// The arguments of a shell that runs this script.
fn sh(script: &str) -> Vec<OsString> {
    ["/bin/sh", "-c", script].map(OsString::from).into()
}

/// A program that shows its environment (`env`) or its folder (`pwd`).
fn show(what: &str) -> Vec<OsString> {
    [LAUNCHER, "show", what].map(OsString::from).into()
}

/// A program that writes what is typed to `got` in this folder.
fn receiver(dir: &Path) -> Vec<OsString> {
    sh(&format!("stty raw -echo; printf ready; exec cat > {}", dir.join("got").display()))
}

/// A stage on a server of its own, and the means to look at that from outside.
async fn stage_with_home(transport: Transport) -> (Stage, Arc<Home>) {
    let home = Arc::new(Home::new(transport));
    let got = home.path().join("got");
    let stage = Stage {
        terminal: Arc::new(home.connect().await),
        echo: vec!["cat".into()],
        exit_3: sh("exit 3"),
        env: show("env"),
        pwd: show("pwd"),
        workdir: home.path().canonicalize().unwrap(),
        receiver: receiver(home.path()),
        received: Box::new(move |_| std::fs::read(&got).unwrap_or_default()),
        keep: Box::new(home.clone()),
    };
    (stage, home)
}
