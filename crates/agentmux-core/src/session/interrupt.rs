//! Pressing the keys that end a turn; again, where the agent asks for that.

use std::time::Duration;

use tokio::time::Instant;

use super::Session;
use crate::state::State;
use crate::terminal::TerminalError;

/// How long an interrupted agent may take to come to rest: some took seven seconds on a busy machine.
pub(super) const INTERRUPT: Duration = Duration::from_secs(20);

/// An agent that neither rests nor asks for the keys again has missed them, or its time for the second ones is over.
const MISSED: Duration = Duration::from_millis(1500);

/// The rows in which an agent asks for the keys again.
const FOOTER: usize = 4;

/// An interruption that may take the keys more than once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interrupting {
    since: Instant,
    pressed: Instant,
    /// What the agent asks for has been done, and its screen does not show that yet.
    answered: bool,
}

impl Session {
    /// Presses the keys that end a turn.
    pub(super) async fn press_interrupt(&mut self) -> Result<(), TerminalError> {
        let now = Instant::now();
        self.interrupting = Some(Interrupting { since: now, pressed: now, answered: false });
        let keys = self.parts.profile.submit.interrupt.clone();
        self.look_again(now + Duration::from_millis(50));
        self.parts.terminal.keys(&self.parts.pane, &keys).await
    }

    /// Presses them again where the agent wants that.
    pub(super) async fn step_interrupt(&mut self) {
        let Some(Interrupting { since, pressed, answered }) = self.interrupting else { return };
        let now = Instant::now();
        let submit = &self.parts.profile.submit;
        let Some(again) = submit.interrupt_again.as_ref().filter(|_| now < since + INTERRUPT) else {
            self.interrupting = None;
            return;
        };
        if self.believed && self.reading.state != State::Busy && self.current.is_none() {
            self.interrupting = None;
            return;
        }
        let footer = self.screen.visible().iter().rev().filter(|row| !row.is_blank()).take(FOOTER);
        let asks = footer.into_iter().any(|row| again.is_match(row.text()));
        let wanted = asks && !answered && now >= pressed + submit.interrupt_pause;
        // A prompt may have been interrupted before the agent began to work on it.
        let missed = self.reading.state == State::Busy && now >= pressed + MISSED;
        if wanted || missed {
            let keys = submit.interrupt.clone();
            self.interrupting = Some(Interrupting { since, pressed: now, answered: asks });
            if let Err(error) = self.parts.terminal.keys(&self.parts.pane, &keys).await {
                log::warn!("session {}: could not interrupt the agent: {error}", self.parts.name);
            }
        } else {
            self.interrupting = Some(Interrupting { since, pressed, answered: answered && asks });
        }
        self.look_again(now + Duration::from_millis(50));
    }
}
