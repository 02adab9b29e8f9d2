//! Pressing the keys that end a turn; again, where the agent asks for that.

use std::time::Duration;

use tokio::time::Instant;

use super::Session;
use crate::state::State;
use crate::terminal::TerminalError;

/// How long an interrupted agent may take to come to rest: some took seven seconds on a busy machine.
pub(super) const INTERRUPT: Duration = Duration::from_secs(20);

/// An agent that neither rests nor asks for the keys again has missed them, or its time for the second ones is over. It
/// may as well be slow: then it gets what was pressed too often when it has stopped already, and Copilot CLI 1.0.102 opens
/// a list of older prompts for that. So each time takes three times as long as the one before.
const MISSED: Duration = Duration::from_millis(1500);

/// The rows in which an agent asks for the keys again.
const FOOTER: usize = 4;

/// An interruption that may take the keys more than once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interrupting {
    since: Instant,
    pressed: Instant,
    /// How long after that they are taken to be missed.
    missed_after: Duration,
    /// What the agent asks for has been done, and its screen does not show that yet.
    answered: bool,
}

impl Session {
    /// Presses the keys that end a turn.
    pub(super) async fn press_interrupt(&mut self) -> Result<(), TerminalError> {
        let now = Instant::now();
        self.interrupting =
            Some(Interrupting { since: now, pressed: now, missed_after: MISSED, answered: false });
        let keys = self.parts.profile.submit.interrupt.clone();
        self.look_again(now + Duration::from_millis(50));
        self.parts.terminal.keys(&self.parts.pane, &keys).await
    }

    /// Presses them again where the agent wants that.
    pub(super) async fn step_interrupt(&mut self) {
        let Some(so_far) = self.interrupting else { return };
        let Interrupting { since, pressed, missed_after, answered } = so_far;
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
        // A prompt may have been interrupted before the agent began to work on it. One that paints nothing reads nothing.
        let paints = self.quiet_since > pressed;
        let missed = self.on_screen == State::Busy && paints && now >= pressed + missed_after;
        if wanted || missed {
            let keys = submit.interrupt.clone();
            let missed_after = if wanted { missed_after } else { missed_after * 3 };
            self.interrupting = Some(Interrupting { since, pressed: now, missed_after, answered: asks });
            if let Err(error) = self.parts.terminal.keys(&self.parts.pane, &keys).await {
                log::warn!("session {}: could not interrupt the agent: {error}", self.parts.name);
            }
        } else {
            self.interrupting = Some(Interrupting { answered: answered && asks, ..so_far });
        }
        self.look_again(now + Duration::from_millis(50));
    }
}
