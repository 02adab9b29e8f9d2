//! The time from an agent's start to its readiness.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Session;
use crate::screen::Exit;
use crate::state::State;

/// A start under way.
pub(crate) struct Start {
    /// Not ready before.
    pub(crate) not_before: Instant,
    /// Given up then.
    pub(crate) deadline: Instant,
    outcome: oneshot::Sender<Result<(), StartFailure>>,
}

/// Why a session did not get ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StartFailure {
    pub(crate) message: String,
    pub(crate) screen: String,
    pub(crate) exit: Option<Exit>,
}

impl Start {
    /// A start from now on; the receiver hears how it ended.
    pub(crate) fn new(
        delay: Duration,
        patience: Duration,
    ) -> (Self, oneshot::Receiver<Result<(), StartFailure>>) {
        let (outcome, heard) = oneshot::channel();
        let now = Instant::now();
        let start = Self { not_before: now + delay, deadline: now + patience.max(delay), outcome };
        (start, heard)
    }

    fn succeed(self) {
        // Whoever waited may have gone.
        drop(self.outcome.send(Ok(())));
    }

    pub(crate) fn fail(self, failure: StartFailure) {
        drop(self.outcome.send(Err(failure)));
    }
}

impl Session {
    /// Decides whether the agent is ready, or has had its time.
    pub(super) fn step_start(&mut self) {
        let Some(start) = &self.start else { return };
        let now = Instant::now();
        let ready = self.believed && self.shows_box();
        if ready && now >= start.not_before {
            if let Some(start) = self.start.take() {
                start.succeed();
            }
            return;
        }
        if now >= start.deadline {
            self.give_up();
            return;
        }
        let next = if ready { start.not_before } else { start.deadline };
        self.wake(next);
    }

    /// True where the input box, empty or not, is on the screen and may be typed into.
    fn shows_box(&self) -> bool {
        match self.reading.state {
            State::Idle => true,
            State::Draft => self.reading.input.is_some(),
            _ => false,
        }
    }

    fn give_up(&mut self) {
        let Some(start) = self.start.take() else { return };
        let screen = self.screen.text(usize::MAX);
        self.fail_all("not_ready", "the session did not become ready");
        start.fail(StartFailure { message: String::new(), screen, exit: None });
    }
}
