//! The operations of [`Terminal`] on tmux.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use agentmux_core::input::Key;
use agentmux_core::screen::{Exit, Screen};
use agentmux_core::terminal::{Activity, Answer, Launch, Pane, PaneId, Terminal, TerminalError};
use rustix::process::Pid;
use tokio::time::sleep;

use crate::commands::Commands;
use crate::failure::{Failure, classify};
use crate::parse::Address;
use crate::target::Target;
use crate::{Tmux, args, group, label, launch, listing, parse};

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
        Box::pin(async { Ok(listing::panes(self.server.places().await?)) })
    }

    fn read<'a>(&'a self, pane: &'a PaneId, history: u32) -> Answer<'a, Screen> {
        Box::pin(async move {
            for wait in REAPED {
                let (screen, server) = self.capture(pane, history).await?;
                if screen.exit != Some(Exit::Unknown) {
                    return Ok(screen);
                }
                group::remind(server);
                sleep(Duration::from_millis(wait)).await;
            }
            Ok(self.capture(pane, history).await?.0)
        })
    }

    fn text<'a>(&'a self, pane: &'a PaneId, history: u32) -> Answer<'a, String> {
        Box::pin(async move {
            Ok(self.server.run_at("text", pane, |target| args::text(target, history), b"").await?)
        })
    }

    fn paste<'a>(&'a self, pane: &'a PaneId, text: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            if text.is_empty() {
                return Ok(());
            }
            let buffer = unique();
            let paste = |target: &Target| args::paste(target, &buffer);
            let pasted = self.server.run_at("paste", pane, paste, text.as_bytes()).await;
            self.server.watches.touch(pane);
            if matches!(pasted, Err(Failure::Gone | Failure::Exited | Failure::Refused(_))) {
                // The prompt must not stay readable in a buffer; where it was never loaded this fails, and
                // may.
                let _ = self.server.client.run("paste", &args::delete_buffer(&buffer), b"").await;
            }
            alive(&pasted?)
        })
    }

    fn keys<'a>(&'a self, pane: &'a PaneId, keys: &'a [Key]) -> Answer<'a, ()> {
        Box::pin(async move {
            if keys.is_empty() {
                return Ok(());
            }
            let receipt = unique();
            let press = |target: &Target| args::keys(target, keys, &receipt);
            let pressed = self.server.run_at("keys", pane, press, b"").await;
            self.server.watches.touch(pane);
            alive(&pressed?)
        })
    }

    fn kill<'a>(&'a self, pane: &'a PaneId) -> Answer<'a, ()> {
        Box::pin(async move {
            let Some(target) = Target::parse(pane) else { return Ok(()) };
            let ended = self.server.end(&target).await;
            self.server.watches.touch(pane);
            Ok(ended?)
        })
    }

    fn activity(&self, pane: &PaneId) -> Activity {
        let activity = self.server.watches.subscribe(pane);
        self.server.client.allow(true);
        activity
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
            let up = self.server.client.bring_up(&args::start(self.config.owned)).await;
            let started = match up {
                Ok(()) => self.try_start(&launch, &label).await,
                Err(failure) => Err(failure),
            };
            match started {
                Ok(Address { pane, session, readable }) => {
                    self.server.homes.insert(&pane, &session);
                    return Ok(Pane { id: pane, target: readable, label: Some(launch.label) });
                }
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

    async fn try_start(&self, launch: &Launch, label: &str) -> Result<Address, Failure> {
        let dir = &self.config.launch_dir;
        let file = launch::write(dir, launch).map_err(|error| {
            Failure::Unavailable(format!("cannot write a launch file in {}: {error}", dir.display()))
        })?;
        let (launcher, owned) = (&self.config.launcher, self.config.owned);
        let started = self.create(args::spawn(launch, launcher, &file, label, &unique(), owned)).await;
        if started.is_err() {
            launch::remove(&file);
        }
        started
    }

    async fn create(&self, commands: Commands) -> Result<Address, Failure> {
        let output = self.server.client.exec("spawn", &commands, b"").await?;
        match (parse::address(&output.stdout), output.success) {
            (Some(address), true) => Ok(address),
            // Made, but not marked: without its label it would be nobody's.
            (Some(address), false) => {
                let _ = self.kill(&address.pane).await;
                Err(classify("spawn", &output.stderr))
            }
            // Status 0 is no proof: without the socket's folder tmux prints an error and succeeds.
            (None, _) => Err(classify("spawn", &output.stderr)),
        }
    }

    async fn capture(&self, pane: &PaneId, history: u32) -> Result<(Screen, Option<Pid>), TerminalError> {
        let read = |target: &Target| args::read(std::slice::from_ref(target), history);
        let stdout = self.server.run_at("read", pane, read, b"").await?;
        parse::screen(&stdout).ok_or(TerminalError::Gone)
    }
}

/// The guarded sequences print this where the program has ended, and nothing where they did their work.
fn alive(stdout: &str) -> Result<(), TerminalError> {
    if stdout.trim_end() == args::ENDED { Err(TerminalError::Exited) } else { Ok(()) }
}

/// A name for a buffer or receipt. Several daemons may use one server, also one after the other: the moment
/// and the process's number are part of it.
fn unique() -> String {
    static USED: AtomicU64 = AtomicU64::new(0);
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
    format!("agentmux-{}-{now:x}-{}", std::process::id(), USED.fetch_add(1, Ordering::Relaxed))
}
