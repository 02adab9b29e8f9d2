//! The operations of [`Terminal`] on tmux.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use agentmux_core::input::Key;
use agentmux_core::screen::{Exit, Screen};
use agentmux_core::terminal::{Activity, Answer, Launch, Pane, PaneId, Terminal, TerminalError};
use rustix::process::Pid;
use tokio::time::sleep;

use crate::args::Target;
use crate::command::Failure;
use crate::{Tmux, args, group, label, launch, parse};

/// Waits between tries to start a session on a server that is just ending (`kill-server` returns before it is
/// gone).
const RETRIES: [u64; 6] = [25, 50, 100, 200, 400, 800];

/// Waits for a dead pane's exit status: tmux notices the closed terminal a moment before it reaps the
/// process.
const REAPED: [u64; 3] = [5, 20, 40];

impl Terminal for Tmux {
    fn spawn(&self, launch: Launch) -> Answer<'_, Pane> {
        Box::pin(self.start(launch))
    }

    fn panes(&self) -> Answer<'_, Vec<Pane>> {
        Box::pin(async {
            match self.client.run("list", args::panes(), b"").await {
                Ok(stdout) => Ok(parse::panes(&stdout, &self.config.owner)),
                Err(Failure::NoServer | Failure::Gone) => Ok(Vec::new()),
                Err(failure) => Err(failure.into()),
            }
        })
    }

    fn read<'a>(&'a self, pane: &'a PaneId, history: u32) -> Answer<'a, Screen> {
        Box::pin(async move {
            let target = target(pane)?;
            for wait in REAPED {
                let (screen, server) = self.capture(&target, history).await?;
                if screen.exit != Some(Exit::Unknown) {
                    return Ok(screen);
                }
                group::remind(server);
                sleep(Duration::from_millis(wait)).await;
            }
            Ok(self.capture(&target, history).await?.0)
        })
    }

    fn paste<'a>(&'a self, pane: &'a PaneId, text: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            let target = target(pane)?;
            if text.is_empty() {
                return Ok(());
            }
            let buffer = unique_buffer();
            let pasted = self.client.run("paste", args::paste(&target, &buffer), text.as_bytes()).await;
            self.watches.touch(pane);
            if matches!(pasted, Err(Failure::Gone | Failure::Exited | Failure::Refused(_))) {
                // The prompt must not stay readable in a buffer; where it was never loaded this fails, and
                // may.
                let _ = self.client.run("paste", args::delete_buffer(&buffer), b"").await;
            }
            alive(&pasted?)
        })
    }

    fn keys<'a>(&'a self, pane: &'a PaneId, keys: &'a [Key]) -> Answer<'a, ()> {
        Box::pin(async move {
            let target = target(pane)?;
            if keys.is_empty() {
                return Ok(());
            }
            let pressed = self.client.run("keys", args::keys(&target, keys), b"").await;
            self.watches.touch(pane);
            alive(&pressed?)
        })
    }

    fn kill<'a>(&'a self, pane: &'a PaneId) -> Answer<'a, ()> {
        Box::pin(async move {
            let Some(target) = Target::parse(pane) else { return Ok(()) };
            let killed = self.client.run("kill", args::kill(&target), b"").await;
            self.watches.touch(pane);
            match killed {
                Ok(stdout) => {
                    if let Some(process) = parse::process(&stdout) {
                        // Goes on where the caller does not wait: the pane, our only handle, is gone already.
                        let _ = tokio::spawn(group::end(process)).await;
                    }
                    Ok(())
                }
                Err(Failure::NoServer | Failure::Gone) => Ok(()),
                Err(failure) => Err(failure.into()),
            }
        })
    }

    fn activity(&self, pane: &PaneId) -> Activity {
        self.watches.subscribe(pane)
    }
}

impl Tmux {
    async fn start(&self, launch: Launch) -> Result<Pane, TerminalError> {
        let label = label::encode(&launch.label, &self.config.owner).ok_or_else(|| {
            TerminalError::Refused("the working directory's path is too long for tmux".into())
        })?;
        launch::sweep(&self.config.launch_dir);
        let mut waits = RETRIES.into_iter();
        loop {
            match self.try_start(&launch, &label).await {
                Ok((id, target)) => return Ok(Pane { id, target, label: Some(launch.label) }),
                Err(Failure::Exiting(message)) => match waits.next() {
                    Some(wait) => sleep(Duration::from_millis(wait)).await,
                    None => return Err(TerminalError::Unavailable(message)),
                },
                Err(Failure::NoServer) => {
                    return Err(TerminalError::Unavailable("tmux spawn: the server ended".into()));
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    async fn try_start(&self, launch: &Launch, label: &str) -> Result<(PaneId, String), Failure> {
        let dir = &self.config.launch_dir;
        let file = launch::write(dir, launch).map_err(|error| {
            Failure::Unavailable(format!("cannot write a launch file in {}: {error}", dir.display()))
        })?;
        let commands = args::spawn(launch, &self.config.launcher, &file, label, self.config.owned);
        let started = self.create(commands).await;
        if started.is_err() {
            launch::remove(&file);
        }
        started
    }

    async fn create(&self, commands: args::Commands) -> Result<(PaneId, String), Failure> {
        let output = self.client.exec("spawn", commands, b"").await?;
        let address = parse::address(&output.stdout);
        match (address, output.success) {
            (Some(address), true) => Ok(address),
            // Made, but not marked: without its label it would be nobody's.
            (Some((pane, _)), false) => {
                let _ = self.kill(&pane).await;
                Err(crate::command::classify("spawn", &output.stderr))
            }
            // Status 0 is no proof: without the socket's folder tmux prints an error and succeeds.
            (None, _) => Err(crate::command::classify("spawn", &output.stderr)),
        }
    }

    async fn capture(&self, target: &Target, history: u32) -> Result<(Screen, Option<Pid>), TerminalError> {
        let stdout = self.client.run("read", args::read(std::slice::from_ref(target), history), b"").await?;
        parse::screen(&stdout).ok_or(TerminalError::Gone)
    }
}

/// An id that no pane can have is one of a pane that is gone.
fn target(pane: &PaneId) -> Result<Target, TerminalError> {
    Target::parse(pane).ok_or(TerminalError::Gone)
}

/// The guarded sequences print nothing unless the program has ended.
fn alive(stdout: &str) -> Result<(), TerminalError> {
    if stdout.is_empty() { Ok(()) } else { Err(TerminalError::Exited) }
}

/// Several daemons may use one server: the process's number is part of it.
fn unique_buffer() -> String {
    static USED: AtomicU64 = AtomicU64::new(0);
    format!("agentmux-{}-{}", std::process::id(), USED.fetch_add(1, Ordering::Relaxed))
}
