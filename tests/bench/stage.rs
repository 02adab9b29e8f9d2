//! The stage of a measurement: a daemon, its tmux behind a counter of processes, and many sessions; all gone
//! at the end.

use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cost;
use crate::harness::{AgentLog, Daemon, Setup, Tmux, signal};

/// The smallest agent: it has a prompt, takes lines, and is silent.
const QUIET: [&str; 3] = ["sh", "-c", "while printf '> '; read -r line; do :; done"];
/// So many sessions are started at once: more would only wait for one another.
const STARTERS: usize = 6;
const PATH: &str = "/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin";

/// The tmux servers of the stages that are there, for whoever has to end in a hurry.
static SOCKETS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A daemon and what it runs. It derefs to the daemon.
pub(crate) struct Stage {
    daemon: Daemon,
    runs: bool,
}

impl Stage {
    /// One whose daemon chooses its way to tmux.
    pub(crate) fn new() -> Self {
        Self::over("auto")
    }

    /// One whose daemon takes this way to tmux.
    pub(crate) fn over(transport: &str) -> Self {
        let setup =
            Setup::new().env("AGENTMUX_MAX_SESSIONS", "400").env("AGENTMUX_TMUX_TRANSPORT", transport);
        let stage = Self { daemon: counting_tmux(setup).start(), runs: true };
        SOCKETS.lock().unwrap().extend(stage.sockets());
        stage
    }

    /// Starts silent sessions until there are so many.
    pub(crate) fn grow_to(&self, count: usize) {
        let names: Vec<_> = (self.names().len()..count).map(|number| format!("quiet{number}")).collect();
        self.start_all(&names, |name| {
            json!({"text": "x", "name": name, "agent": "repl", "command": QUIET, "if_busy": "start",
                "wait": 60})
        });
    }

    /// A demo session that has answered its first prompt: what its agent writes down.
    pub(crate) fn demo(&self, name: &str, options: &str) -> AgentLog {
        let file = format!("{name}.log");
        self.session_of(name, &self.setup().demo_logging_to(&file, options));
        self.log_in(&file)
    }

    /// Starts sessions by `/run`, some at a time.
    pub(crate) fn start_all(&self, names: &[String], run: impl Fn(&str) -> Value + Sync) {
        let next = AtomicUsize::new(0);
        let start = || {
            while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.post("/run", run(name)).ok();
            }
        };
        std::thread::scope(|scope| (0..STARTERS).for_each(|_| drop(scope.spawn(start))));
    }

    /// Ends the daemon as a service would; the sessions stay.
    pub(crate) fn stop(&mut self) {
        self.daemon.stop("TERM");
        self.runs = false;
    }

    /// A new daemon for the same sessions, over that way to tmux: milliseconds until it listens.
    pub(crate) fn start_again_over(&mut self, transport: &str) -> f64 {
        self.daemon.set("AGENTMUX_TMUX_TRANSPORT", transport);
        let began = Instant::now();
        self.daemon.start_again();
        self.runs = true;
        began.elapsed().as_secs_f64() * 1000.0
    }

    /// How often a tmux process was started so far.
    pub(crate) fn tmux_starts(&self) -> usize {
        std::fs::read(self.file("starts")).map_or(0, |starts| starts.len())
    }

    /// The daemon and the tmux clients that it keeps.
    pub(crate) fn daemon_pids(&self) -> Vec<u32> {
        let clients = cost::children(self.pid());
        std::iter::once(self.pid()).chain(clients).collect()
    }

    fn sockets(&self) -> [PathBuf; 2] {
        [self.state().join("tmux.sock"), self.file("terminal.sock")]
    }
}

impl Deref for Stage {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

impl Drop for Stage {
    /// Faster than a test ends, which looks after each agent: here are hundreds.
    fn drop(&mut self) {
        let clients = if self.runs { cost::children(self.pid()) } else { Vec::new() };
        if self.runs && !std::thread::panicking() {
            self.stop();
        }
        self.daemon.kill();
        // A control client with unread output outlives its daemon, and holds the server up (tmux 3.3a).
        clients.into_iter().for_each(|pid| signal(pid, "KILL"));
        let sockets = self.sockets();
        sockets.iter().for_each(|socket| end(&Tmux::on(socket)));
        SOCKETS.lock().unwrap().retain(|socket| !sockets.contains(socket));
    }
}

/// Lets an interrupt from the keyboard end the agents too, which live in no process group of ours.
pub(crate) fn end_on_interrupt() {
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(tokio::signal::ctrl_c()).unwrap();
        SOCKETS.lock().unwrap().iter().for_each(|socket| end(&Tmux::on(socket)));
        std::process::exit(130);
    });
}

/// Ends all agents of a server by one command, then the server.
fn end(tmux: &Tmux) {
    let living = ["list-panes", "-a", "-F", "#{?pane_dead,,#{pane_pid}}"];
    let panes = tmux.try_run(&living).unwrap_or_default();
    let groups: Vec<_> = panes.lines().filter(|pid| !pid.is_empty()).map(|pid| format!("-{pid}")).collect();
    if !groups.is_empty() {
        let _ = Command::new("kill").args(["-KILL", "--"]).args(groups).output();
    }
    let _ = tmux.try_run(&["kill-server"]);
}

/// Puts a `tmux` in front of the real one that counts its starts.
fn counting_tmux(setup: Setup) -> Setup {
    let real = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("tmux"))
        .find(|file| file.is_file())
        .expect("tmux is installed");
    let count = setup.file("starts");
    let script = format!("#!/bin/sh\necho >> {}\nexec {} \"$@\"\n", count.display(), real.display());
    let setup = setup.write("bin/tmux", &script);
    std::fs::set_permissions(setup.file("bin/tmux"), PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{PATH}", setup.file("bin").display());
    setup.env("PATH", &path)
}

/// Lets a stage come to rest before its silence is measured.
pub(crate) fn settle(seconds: u64) {
    std::thread::sleep(Duration::from_secs(seconds));
}
