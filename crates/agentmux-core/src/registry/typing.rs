//! What is typed: prompts and keys, into the sessions here and, where that is allowed, into other panes.

use std::time::Duration;

use tokio::sync::watch;

use super::{Accepted, IfBusy, Registry, Sent, Sessions};
use crate::error::Error;
use crate::input::{Invalid, Key, Prompt, SessionName};
use crate::question::Policy;
use crate::session::{Command, Ticket};
use crate::state::State;
use crate::terminal::{PaneId, TerminalError};
use crate::turn::{Turn, TurnState};

/// How long an operation waits for its prompt to be typed.
const TYPED: Duration = Duration::from_secs(30);

/// How long it waits after Enter for proof that the agent took the prompt.
const PROOF: Duration = Duration::from_secs(1);

/// A pane that is meant: one of ours, or another one.
pub(super) enum Aim {
    Ours(SessionName),
    External(PaneId, String),
}

impl Registry {
    /// Sends a prompt to a session that is there: by its name or id, by the address of its pane, or the active one.
    /// `policy` holds for this turn; without one, the session's does.
    ///
    /// # Errors
    /// See [`Error`]; nothing was typed unless the error is [`Error::NotDelivered`].
    pub async fn send(
        &self,
        prompt: Prompt,
        session: Option<&str>,
        target: Option<&str>,
        if_busy: IfBusy,
        timeout: Option<Duration>,
        policy: Option<Policy>,
    ) -> Result<Sent, Error> {
        self.check_open()?;
        let aim = match session {
            Some(name) => Aim::Ours(self.session(name)?.name),
            None => self.aim(target).await?,
        };
        match aim {
            Aim::Ours(name) => {
                let accepted = self.submit(&name, prompt, if_busy, timeout, policy).await?;
                Ok(Sent::Turn(Box::new(accepted)))
            }
            Aim::External(..) if prompt.is_literal() => {
                Err(Invalid::new("raw: false needs a session of agentmux: the pane's agent is not known")
                    .into())
            }
            Aim::External(pane, target) => {
                self.0.terminal.paste(&pane, prompt.as_str()).await.map_err(external)?;
                self.0.terminal.keys(&pane, &[Key::Enter]).await.map_err(external)?;
                Ok(Sent::External(target))
            }
        }
    }

    /// Presses a key `repeat` times, 80 ms apart; returns the address of the pane.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn press(&self, key: Key, repeat: u32, target: Option<&str>) -> Result<String, Error> {
        match self.aim(target).await? {
            Aim::Ours(name) => {
                let view = self.session(name.as_str())?;
                if view.state == State::Exited {
                    return Err(Error::AgentExited { session: name, exit: view.exit });
                }
                self.ask(&name, |answer| Command::Press { key, repeat, answer }).await??;
                Ok(view.target)
            }
            Aim::External(pane, target) => {
                for round in 0..repeat {
                    if round > 0 {
                        tokio::time::sleep(Duration::from_millis(80)).await;
                    }
                    self.0.terminal.keys(&pane, &[key]).await.map_err(external)?;
                }
                Ok(target)
            }
        }
    }

    /// Hands the first prompt to a session that has just got ready: it must be typed now.
    pub(super) async fn first_turn(
        &self,
        session: &SessionName,
        prompt: Prompt,
        timeout: Option<Duration>,
    ) -> Result<Accepted, Error> {
        let Ticket { turn, .. } = self
            .ask(session, |answer| Command::Submit { prompt, timeout, queue: true, policy: None, answer })
            .await??;
        let turn = typed(turn).await?;
        if turn.state == TurnState::Queued {
            let message = "new session did not become ready: it was ready and is not any more".to_owned();
            return Err(Error::NotReady { message, screen: String::new(), exit: None });
        }
        Ok(Accepted { session: self.session(session.as_str())?, turn })
    }

    /// Hands a prompt to a session, and waits until it is typed and taken, a second after Enter at the latest.
    pub(super) async fn submit(
        &self,
        session: &SessionName,
        prompt: Prompt,
        if_busy: IfBusy,
        timeout: Option<Duration>,
        policy: Option<Policy>,
    ) -> Result<Accepted, Error> {
        let queue = if_busy != IfBusy::Reject;
        let Ticket { turn, queued } =
            self.ask(session, |answer| Command::Submit { prompt, timeout, queue, policy, answer }).await??;
        let turn = if queued { turn.borrow().clone() } else { typed(turn).await? };
        Ok(Accepted { session: self.session(session.as_str())?, turn })
    }

    /// Which pane is meant.
    pub(super) async fn aim(&self, target: Option<&str>) -> Result<Aim, Error> {
        let Some(target) = target.map(str::trim).filter(|target| !target.is_empty()) else {
            return self.active().map(|active| Aim::Ours(active.name)).ok_or(Error::NoActiveSession);
        };
        let ours = |sessions: &Sessions| {
            let entry = sessions.entries.iter().find(|entry| entry.answers_to(target));
            entry.map(|entry| entry.name.clone())
        };
        if let Some(name) = ours(&self.0.sessions()) {
            return Ok(Aim::Ours(name));
        }
        if !self.0.settings.allow_external {
            return Err(Error::NotManaged);
        }
        let named = |known: &str| known == target || known.split(':').next() == Some(target);
        let panes = self.0.terminal.panes().await?;
        let pane = panes.into_iter().find(|pane| pane.id.as_str() == target || named(&pane.target));
        pane.map(|pane| Aim::External(pane.id, pane.target)).ok_or(Error::NotManaged)
    }
}

/// What a terminal's error means for a pane that is not one of our sessions, or is only read.
pub(super) fn external(error: TerminalError) -> Error {
    match error {
        TerminalError::Gone => Error::NotManaged,
        error => Error::Terminal(error),
    }
}

/// Waits until a turn's prompt is typed and taken, a second after Enter at the latest, or a question keeps it from that; a
/// turn that still waits after half a minute is returned as it is.
///
/// # Errors
/// [`Error::NotDelivered`] where the turn failed on the way.
async fn typed(mut turn: watch::Receiver<Turn>) -> Result<Turn, Error> {
    let ended = |turn: &Turn| turn.state.is_final() || turn.state == TurnState::NeedsInput;
    let entered = |turn: &Turn| turn.submitted_at.is_some() || ended(turn);
    // The turn's pen is dropped only when the daemon stops; then it is shown as it was.
    drop(tokio::time::timeout(TYPED, turn.wait_for(entered)).await.map(|_| ()));
    if turn.borrow().state == TurnState::Queued {
        return Ok(turn.borrow().clone());
    }
    let taken = |turn: &Turn| turn.confirmed == Some(true) || ended(turn);
    drop(tokio::time::timeout(PROOF, turn.wait_for(taken)).await.map(|_| ()));
    let now = turn.borrow().clone();
    match (now.state, &now.failure, now.submitted_at) {
        (TurnState::Failed, Some(failure), None) => {
            Err(Error::NotDelivered { code: failure.code, message: failure.message.clone() })
        }
        _ => Ok(now),
    }
}
