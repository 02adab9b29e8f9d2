//! The process of a control client, and the pipes to and from it.

use std::io::{PipeReader, Read};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::Arc;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::Sender;
use tokio::process::{Child, ChildStdout};
use tokio::time::{Duration, timeout};

use super::orphans::{Entry, Register};
use super::protocol::{Event, Parser, TooLong};
use crate::failure::{Failure, classify};
use crate::subprocess::Subprocess;

/// How long attaching may take. No command of ours runs meanwhile.
const ATTACH: Duration = Duration::from_secs(2);

/// How much is read at a time.
const CHUNK: usize = 32 * 1024;

/// A control client that has attached. Dropping it ends its process.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// The server itself reads the other end: the client hands its standard input and output over.
    stdin: Sender,
    unread: PipeReader,
    pub(crate) output: Stream,
    _entry: Entry,
}

/// What a client writes, cut into events.
#[derive(Debug)]
pub(crate) struct Stream {
    stdout: ChildStdout,
    parser: Parser,
    chunk: Vec<u8>,
}

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    /// The client has ended, or the server has.
    #[error("the control client ended")]
    Closed,
    /// The client cannot be read.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// It wrote more than we hold.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

impl Process {
    /// Starts a client with this command and waits until it has attached.
    ///
    /// A client of 3.6 or newer on a server of 3.3a or older never gets a first block: hence the time-out.
    pub(crate) async fn start(
        subprocess: &Subprocess,
        attach: &[String],
        limit: usize,
        register: &Arc<Register>,
    ) -> Result<Self, Failure> {
        let cannot = |error: std::io::Error| {
            Failure::Unavailable(format!("tmux connect: cannot run a control client: {error}"))
        };
        let mut process = Self::spawn(subprocess, attach, limit, register).map_err(cannot)?;
        match timeout(ATTACH, process.attached()).await {
            Ok(Ok(())) => Ok(process),
            Ok(Err(reason)) => Err(classify("connect", &reason)),
            Err(_) => {
                process.retract();
                Err(subprocess.no_answer("connect"))
            }
        }
    }

    fn spawn(
        subprocess: &Subprocess,
        attach: &[String],
        limit: usize,
        register: &Arc<Register>,
    ) -> std::io::Result<Self> {
        let (reader, writer) = std::io::pipe()?;
        let unread = reader.try_clone()?;
        let stdin = Sender::from_owned_fd(OwnedFd::from(writer))?;
        let mut child = subprocess.control(attach).stdin(Stdio::from(reader)).spawn()?;
        let stdout = child.stdout.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
        let entry = register.enter(child.id());
        let output = Stream { stdout, parser: Parser::new(limit), chunk: vec![0; CHUNK] };
        Ok(Self { child, stdin, unread, output, _entry: entry })
    }

    /// Waits for the block that answers the attaching (its flags are 0); why there is none.
    async fn attached(&mut self) -> Result<(), String> {
        let mut answer = None;
        while answer.is_none() {
            let read = self.output.next(|event| {
                if let Event::Block(block) = event {
                    let body = String::from_utf8_lossy(&block.body).trim().to_owned();
                    answer = Some(if block.error { Err(body) } else { Ok(()) });
                }
            });
            if let Err(ended) = read.await {
                let reason = self.last_words().await;
                return Err(if reason.is_empty() { ended.to_string() } else { reason });
            }
        }
        answer.unwrap_or(Ok(()))
    }

    async fn last_words(&mut self) -> String {
        let mut words = Vec::new();
        if let Some(stderr) = self.child.stderr.take() {
            // What could not be read is not told.
            let _ = stderr.take(4096).read_to_end(&mut words).await;
        }
        String::from_utf8_lossy(&words).trim().to_owned()
    }

    /// The two directions, to be served at the same time.
    pub(crate) fn split(&mut self) -> (&mut Sender, &mut Stream) {
        (&mut self.stdin, &mut self.output)
    }

    /// The number of the process, while it has not been reaped.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Writes lines.
    pub(crate) async fn write(&mut self, lines: &[u8]) -> std::io::Result<()> {
        self.stdin.write_all(lines).await
    }

    /// Ends the client of a server that hangs, and takes back what the server has not read: a prompt whose
    /// delivery was reported as failed must not be typed when the server comes to itself.
    pub(crate) fn retract(&mut self) {
        // It may have ended by itself.
        let _ = self.child.start_kill();
        let drained = fcntl_getfl(&self.unread)
            .and_then(|flags| fcntl_setfl(&self.unread, flags | OFlags::NONBLOCK))
            .map_err(std::io::Error::from)
            .and_then(|()| self.unread.read_to_end(&mut Vec::new()));
        // It ends with "would block": our own end for writing is still open.
        log::debug!("a control client of a server that hangs was ended: {drained:?}");
    }
}

impl Stream {
    /// Reads once and hands on what is complete. Nothing is lost where this is dropped before it ends.
    pub(crate) async fn next(&mut self, on: impl FnMut(Event<'_>)) -> Result<(), Ended> {
        match self.stdout.read(&mut self.chunk).await? {
            0 => Err(Ended::Closed),
            read => Ok(self.parser.feed(&self.chunk[..read], on)?),
        }
    }
}
