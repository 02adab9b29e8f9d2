//! The primitive under everything: run a sequence of commands on the server. Which way it goes, nobody above
//! sees.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::commands::Commands;
use crate::control::Control;
use crate::control::connection::Loss;
use crate::failure::{Failure, classify};
use crate::subprocess::{Output, Subprocess};
use crate::{Transport, args};

/// Runs commands on one server.
#[derive(Debug)]
pub(crate) struct Client {
    subprocess: Arc<Subprocess>,
    /// `None` where each call is to be a process.
    control: Option<Arc<Control>>,
    /// A call waits for a connection instead of being a process meanwhile.
    waits: bool,
    /// Whether a connection is to be made.
    allowed: AtomicBool,
}

impl Client {
    /// A client that is not connected yet.
    pub(crate) fn new(subprocess: Arc<Subprocess>, control: Control, transport: Transport) -> Self {
        let control = (transport != Transport::Subprocess).then(|| Arc::new(control));
        let waits = transport == Transport::Control;
        Self { subprocess, control, waits, allowed: AtomicBool::new(false) }
    }

    /// Whether connections may be made from now on; gives up the one there is where not.
    pub(crate) fn allow(&self, allowed: bool) {
        self.allowed.store(allowed, Ordering::Relaxed);
        if let Some(control) = self.control.as_ref().filter(|_| !allowed) {
            control.close();
        }
    }

    /// Control mode, where it is to be used.
    pub(crate) fn control(&self) -> Option<&Arc<Control>> {
        self.control.as_ref()
    }

    /// Ends the clients and then, by a process that nobody waits for, runs commands.
    pub(crate) fn end_with(&self, commands: &Commands) {
        if let Some(control) = &self.control {
            control.register().end_all();
            self.subprocess.spawn_and_forget(commands.arguments());
        }
    }

    /// Runs a sequence of commands on the server; what it prints, or why one of them failed.
    pub(crate) async fn run(
        &self,
        operation: &str,
        commands: &Commands,
        input: &[u8],
    ) -> Result<String, Failure> {
        let output = self.exec(operation, commands, input).await?;
        if output.success { Ok(output.stdout) } else { Err(classify(operation, &output.stderr)) }
    }

    /// Runs a sequence of commands on the server: over the connection, or as a process where there is none,
    /// where it was lost, or where the input is large.
    pub(crate) async fn exec(
        &self,
        operation: &str,
        commands: &Commands,
        input: &[u8],
    ) -> Result<Output, Failure> {
        if self.waits
            && let Some(control) = self.usable()
        {
            match control.connect().await {
                // Without a server a process starts one, or tells.
                Ok(_) | Err(Failure::NoServer | Failure::Exiting(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        let _steady = match &self.control {
            Some(control) => Some(control.steady().await),
            None => None,
        };
        if let Some(output) = self.over_connection(operation, commands, input).await? {
            return Ok(output);
        }
        let output = self.subprocess.exec(operation, commands.arguments(), input).await?;
        if output.success {
            self.begin();
        }
        Ok(output)
    }

    /// Makes a connection in the background, as there is a server.
    fn begin(&self) {
        if let Some(control) = self.usable() {
            control.begin();
        }
    }

    /// Runs these commands on a server that may not be running yet, so that it runs, and then connects to it,
    /// before it has anything to lose. Does nothing where there is a connection.
    pub(crate) async fn bring_up(&self, start: &Commands) -> Result<(), Failure> {
        let Some(control) = self.usable().filter(|control| control.current().is_none()) else {
            return Ok(());
        };
        let output = self.subprocess.exec("start", start.arguments(), b"").await?;
        if !output.success {
            return Err(classify("start", &output.stderr));
        }
        control.settle().await;
        Ok(())
    }

    /// Connects to a server that runs.
    pub(crate) async fn settle(&self) {
        if let Some(control) = self.usable() {
            control.settle().await;
        }
    }

    fn usable(&self) -> Option<&Arc<Control>> {
        self.control.as_ref().filter(|_| self.allowed.load(Ordering::Relaxed))
    }

    /// `None` for what did not run, and will not.
    async fn over_connection(
        &self,
        operation: &str,
        commands: &Commands,
        input: &[u8],
    ) -> Result<Option<Output>, Failure> {
        let (Some(control), Some(lines)) = (self.usable(), commands.lines(input)) else { return Ok(None) };
        match control.request(&lines).await {
            Ok(output) => Ok(Some(output)),
            Err(Loss::Unsent) => Ok(None),
            Err(Loss::Lost) => self.done(operation, commands).await,
            Err(Loss::Hung) => Err(self.subprocess.no_answer(operation)),
        }
    }

    /// After the connection was lost: what the commands printed, where they must not run again as they ran.
    async fn done(&self, operation: &str, commands: &Commands) -> Result<Option<Output>, Failure> {
        let Some(receipt) = commands.receipt() else { return Ok(None) };
        let question = args::receipt(receipt).arguments();
        let output = self.subprocess.exec(operation, question, b"").await?;
        if output.success {
            return Ok(Some(output).filter(|output| !output.stdout.is_empty()));
        }
        match classify(operation, &output.stderr) {
            Failure::NoServer | Failure::Gone => Ok(None),
            failure => Err(failure),
        }
    }
}
