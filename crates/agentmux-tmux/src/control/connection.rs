//! The command client: requests in, answers out, in order, several under way at once.
//!
//! The answer to a sequence is known to be complete by the answer to a marker: a command that is always run,
//! on a line of its own, as the rest of a line is not run after a command that failed.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Duration, timeout};

use super::process::{Ended, Process, Stream};
use super::protocol::{Block, Event};
use crate::TIMEOUT;
use crate::commands::Lines;
use crate::subprocess::Output;

/// Requests that wait to be written; beyond it callers wait.
const QUEUE: usize = 64;

/// The largest answer: a screen with all the history of a large pane has a few megabytes.
pub(crate) const LARGEST: usize = 64 * 1024 * 1024;

/// How long it may take to give a connection up: it is a matter of moments.
const RETRACT: Duration = Duration::from_millis(500);

/// A control client that takes commands. Dropping it ends the client.
#[derive(Debug)]
pub(crate) struct Connection {
    requests: mpsc::Sender<Request>,
    hung: Arc<Notify>,
    given_up: AtomicBool,
    marker: u64,
    sent: AtomicU64,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Nothing was sent.
    Unsent,
    /// The connection ended: the commands ran or did not, and will not run later.
    Lost,
    /// The server does not answer. The connection was given up.
    Hung,
}

#[derive(Debug)]
struct Request {
    text: String,
    pending: Pending,
}

#[derive(Debug)]
struct Pending {
    /// The body of the block that ends the answer; `None` where the first block does.
    marker: Option<String>,
    output: Output,
    reply: oneshot::Sender<Result<Output, Loss>>,
}

type Queue = Mutex<VecDeque<Pending>>;

impl Connection {
    /// A connection over a client that has attached.
    pub(crate) fn new(process: Process) -> Self {
        let (requests, queue) = mpsc::channel(QUEUE);
        let hung = Arc::new(Notify::new());
        // Ends with the connection, whose sender it waits for, or with the client.
        tokio::spawn(serve(process, queue, hung.clone()));
        // A pane's text must not be taken for a marker: its first part cannot be known to a program.
        let marker = RandomState::new().hash_one(std::process::id());
        Self { requests, hung, given_up: AtomicBool::new(false), marker, sent: AtomicU64::new(0) }
    }

    /// Whether requests are still taken.
    pub(crate) fn is_open(&self) -> bool {
        !self.given_up.load(Ordering::Relaxed) && !self.requests.is_closed()
    }

    /// Runs the commands and waits for their answer. Once sent they run, also where nobody waits any more.
    pub(crate) async fn request(&self, lines: &Lines) -> Result<Output, Loss> {
        let mut text = lines.text.clone();
        let marker = (!lines.single).then(|| {
            let marker = format!("{:x}-{}", self.marker, self.sent.fetch_add(1, Ordering::Relaxed));
            text.push_str(&format!("display-message -p {marker}\n"));
            marker
        });
        let (reply, mut answer) = oneshot::channel();
        let request = Request { text, pending: Pending { marker, output: Output::default(), reply } };
        let answered = timeout(TIMEOUT, async {
            self.requests.send(request).await.map_err(|_| Loss::Unsent)?;
            (&mut answer).await.map_err(|_| Loss::Lost)?
        });
        match answered.await {
            Ok(answered) => answered,
            Err(_) => self.give_up(answer).await,
        }
    }

    /// After no answer: returns when what the server has not read was taken back.
    async fn give_up(&self, answer: oneshot::Receiver<Result<Output, Loss>>) -> Result<Output, Loss> {
        // Before the task hears of it, the next request must take another way already.
        self.given_up.store(true, Ordering::Relaxed);
        self.hung.notify_one();
        match timeout(RETRACT, answer).await {
            Ok(Ok(answered)) => answered,
            _ => Err(Loss::Hung),
        }
    }
}

/// Serves requests until the client ends, nobody can ask any more, or the server hangs.
async fn serve(mut process: Process, mut requests: mpsc::Receiver<Request>, hung: Arc<Notify>) {
    let queue = Queue::default();
    let (stdin, output) = process.split();
    let ended = tokio::select! {
        () = write(stdin, &mut requests, &queue) => None,
        ended = read(output, &queue) => Some(ended),
        () = hung.notified() => {
            process.retract();
            for pending in lock(&queue).drain(..) {
                // Nobody may wait any more.
                let _ = pending.reply.send(Err(Loss::Hung));
            }
            None
        }
    };
    // Of the others those who wait learn from the dropped sender that the connection was lost.
    match ended {
        None | Some(Ended::Closed) => log::debug!("a connection to tmux ended"),
        Some(ended) => log::warn!("a connection to tmux was given up: {ended}"),
    }
}

async fn write(
    stdin: &mut (impl AsyncWriteExt + Unpin),
    requests: &mut mpsc::Receiver<Request>,
    queue: &Queue,
) {
    let mut batch = Vec::with_capacity(QUEUE);
    while requests.recv_many(&mut batch, QUEUE).await > 0 {
        let mut text = String::new();
        for request in batch.drain(..) {
            text.push_str(&request.text);
            lock(queue).push_back(request.pending);
        }
        if stdin.write_all(text.as_bytes()).await.is_err() {
            // The client has ended; the end of its output tells.
            std::future::pending::<()>().await;
        }
    }
}

async fn read(output: &mut Stream, queue: &Queue) -> Ended {
    loop {
        let read = output.next(|event| match event {
            Event::Block(block) if block.ours => answer(queue, block),
            // The attaching, commands of hooks, and notifications, which the watcher gets too.
            Event::Block(_) | Event::Line(_) => {}
        });
        if let Err(ended) = read.await {
            return ended;
        }
    }
}

/// Gives a block to the request that it answers.
fn answer(queue: &Queue, block: Block) {
    let mut queue = lock(queue);
    let Some(pending) = queue.front_mut() else {
        log::warn!("tmux answered what nobody asked");
        return;
    };
    if pending.take(block)
        && let Some(Pending { output, reply, .. }) = queue.pop_front()
    {
        // The caller may not wait any more.
        let _ = reply.send(Ok(output));
    }
}

impl Pending {
    /// Takes a block; whether the answer is complete.
    fn take(&mut self, block: Block) -> bool {
        let body = String::from_utf8(block.body)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let is_marker = |marker: &String| !block.error && body.trim_end() == marker;
        if self.marker.as_ref().is_some_and(is_marker) {
            self.output.success = self.output.stderr.is_empty();
            return true;
        }
        if block.error {
            self.output.stderr.push_str(match body.trim() {
                "" => "failed without a message",
                said => said,
            });
        } else if self.output.stdout.is_empty() {
            self.output.stdout = body;
        } else {
            self.output.stdout.push_str(&body);
        }
        self.output.success = self.output.stderr.is_empty();
        self.marker.is_none()
    }
}

fn lock(queue: &Queue) -> std::sync::MutexGuard<'_, VecDeque<Pending>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(marker: Option<&str>) -> Pending {
        let marker = marker.map(String::from);
        Pending { marker, output: Output::default(), reply: oneshot::channel().0 }
    }

    fn block(error: bool, body: &[u8]) -> Block {
        Block { ours: true, error, body: body.to_owned() }
    }

    #[test]
    fn a_command_alone_is_answered_by_its_block() {
        let mut pending = pending(None);
        assert!(pending.take(block(true, b"can't find pane: %9\n")));
        let expected = Output { stderr: "can't find pane: %9".into(), ..Output::default() };
        assert_eq!(pending.output, expected);
    }

    #[test]
    fn a_sequence_is_answered_by_all_blocks_up_to_its_marker() {
        let mut pending = pending(Some("m-1"));
        assert!(!pending.take(block(false, b"one\n")));
        assert!(!pending.take(block(false, b"m-1\nno marker\n")));
        assert!(!pending.take(block(false, b"")));
        assert!(pending.take(block(false, b"m-1\n")));
        let expected =
            Output { stdout: "one\nm-1\nno marker\n".into(), stderr: String::new(), success: true };
        assert_eq!(pending.output, expected);
    }

    #[test]
    fn a_sequence_in_which_a_command_failed_failed() {
        let mut pending = pending(Some("m-1"));
        assert!(!pending.take(block(true, b"")));
        assert!(!pending.take(block(true, b"m-1\n")));
        assert!(pending.take(block(false, b"m-1\n")));
        assert!(!pending.output.success);
    }
}
