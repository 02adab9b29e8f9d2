//! How a daemon is started: the folder that is its home, its settings, its process.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::{Client, Daemon, PATIENCE, Tmux, processes};

/// The program under test.
pub(crate) const AGENTMUXD: &str = env!("CARGO_BIN_EXE_agentmuxd");

/// How a daemon is to be started. The folder is there from the beginning: settings can name files in it.
#[derive(Debug)]
pub(crate) struct Setup {
    dir: TempDir,
    program: PathBuf,
    env: BTreeMap<String, String>,
}

/// A daemon that did not start: how it ended and what it said.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: ExitStatus,
    pub(crate) stderr: String,
}

impl Setup {
    /// Nothing set but a home, a state folder, a free port and the demo agent; no login shell is asked.
    pub(crate) fn new() -> Self {
        // A short path: tmux puts it into a socket address of 104 bytes at most.
        let dir = tempfile::Builder::new().prefix("amx.").tempdir_in("/tmp").unwrap();
        let setup = Self { dir, program: AGENTMUXD.into(), env: BTreeMap::new() };
        let home = setup.file("").to_str().unwrap().to_owned();
        let state = setup.state().to_str().unwrap().to_owned();
        setup
            .env("PATH", "/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin")
            .env("HOME", &home)
            .env("SHELL", "/bin/sh")
            .env("AGENTMUX_LOGIN_ENV", "never")
            .env("AGENTMUX_STATE_DIR", &state)
            .env("AGENTMUX_PORT", "0")
            .env("AGENTMUX_AGENT", "demo")
            .agent("")
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
    }

    /// The settings as the beginning of a line for a shell.
    pub(crate) fn assignments(&self) -> String {
        let pairs = self.env.iter().map(|(name, value)| format!("'{name}={value}'"));
        format!("env -i {}", pairs.collect::<Vec<_>>().join(" "))
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        &self.env[name]
    }

    /// The same program at another path below the home.
    pub(crate) fn installed_at(mut self, path: &str) -> Self {
        self.program = self.install(Path::new(AGENTMUXD), path);
        self
    }

    /// Puts a program at a path below the home.
    pub(crate) fn install(&self, program: &Path, path: &str) -> PathBuf {
        let file = self.file(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        if std::fs::hard_link(program, &file).is_err() {
            std::fs::copy(program, &file).unwrap();
        }
        file
    }

    /// A shell script below the home, to be run.
    pub(crate) fn script(self, path: &str, text: &str) -> Self {
        let setup = self.write(path, &format!("#!/bin/sh\n{text}\n"));
        std::fs::set_permissions(setup.file(path), PermissionsExt::from_mode(0o755)).unwrap();
        setup
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    /// Options of the demo agent that sessions start.
    pub(crate) fn agent(self, options: &str) -> Self {
        let command = self.demo(options);
        self.env("AGENTMUX_REPL_CMD", &command)
    }

    /// A file below the home, with its folders and this content.
    pub(crate) fn write(self, path: &str, content: &str) -> Self {
        let file = self.file(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
        self
    }

    /// The path of a file below the home.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.file("s")
    }

    /// The command line of a demo agent that writes into the common log.
    pub(crate) fn demo(&self, options: &str) -> String {
        self.demo_logging_to("agent.log", options)
    }

    /// The command line of a demo agent that writes into a log of its own.
    pub(crate) fn demo_logging_to(&self, log: &str, options: &str) -> String {
        format!("'{AGENTMUXD}' demo-agent --log {} {options}", self.file(log).display())
    }

    pub(crate) fn start(self) -> Daemon {
        let (process, greeting) = self.spawn().unwrap_or_else(|refusal| panic!("did not start: {refusal:?}"));
        Daemon::new(self, process, greeting)
    }

    /// Starts it, sure that it refuses.
    #[track_caller]
    pub(crate) fn refused(&self) -> Refusal {
        match self.spawn() {
            Err(refusal) => refusal,
            Ok((mut process, greeting)) => {
                end(&mut process);
                panic!("it started: {greeting}")
            }
        }
    }

    pub(super) fn spawn(&self) -> Result<(Child, Value), Refusal> {
        let stderr = self.file("stderr");
        let mut process = Command::new(&self.program)
            .env_clear()
            .envs(&self.env)
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::options().append(true).create(true).open(&stderr).unwrap())
            .spawn()
            .unwrap();
        match first_line(process.stdout.take().unwrap()) {
            Some(line) => {
                let greeting = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
                Ok((process, greeting))
            }
            None => {
                let status = wait(&mut process);
                Err(Refusal { status, stderr: std::fs::read_to_string(stderr).unwrap() })
            }
        }
    }

    /// The sockets of tmux servers in the state folders that there are.
    fn sockets(&self) -> Vec<PathBuf> {
        let folders = std::fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().path());
        folders.map(|folder| folder.join("tmux.sock")).filter(|socket| socket.exists()).collect()
    }

    pub(super) fn client(&self, greeting: &Value) -> Client {
        let port = u16::try_from(greeting["port"].as_u64().unwrap()).unwrap();
        let generated = || std::fs::read_to_string(self.state().join("token")).ok();
        let token = self.env.get("AGENTMUX_TOKEN").cloned().or_else(generated);
        Client::new(port, token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty()))
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        // Terminals first: a daemon in one of them would start a tmux server again.
        Tmux::on(&self.file("terminal.sock")).end();
        for socket in self.sockets() {
            Tmux::on(&socket).end();
        }
        let left = remains(self.dir.path(), Duration::from_secs(5));
        for (pid, _) in &left {
            processes::signal(*pid, "KILL");
        }
        if !std::thread::panicking() {
            assert!(left.is_empty(), "left behind: {left:?}");
        }
    }
}

/// The processes that still have the folder in their command line when `grace` has passed.
fn remains(dir: &Path, grace: Duration) -> Vec<(u32, String)> {
    let deadline = Instant::now() + grace;
    loop {
        let left = processes::mentioning(dir.to_str().unwrap());
        if left.is_empty() || Instant::now() > deadline {
            return left;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The first line that a program prints, `None` where it ends without one. What follows is dropped.
fn first_line(from: impl Read + Send + 'static) -> Option<String> {
    let (to, line) = mpsc::channel();
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = String::new();
        let _ = from.read_line(&mut line);
        let _ = to.send(line);
        let _ = std::io::copy(&mut from, &mut std::io::sink());
    });
    line.recv_timeout(PATIENCE).ok().filter(|line| !line.is_empty())
}

/// How the process ended; fails where it does not.
pub(super) fn wait(process: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = process.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            end(process);
            panic!("the daemon did not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Ends the process without warning; harmless when it has ended.
pub(super) fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}
