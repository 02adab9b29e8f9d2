//! What there is to see of sessions and turns, and to wait for. Nothing here changes anything.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::typing::{Aim, external};
use super::{Inner, Registry, SessionView, Settings};
use crate::agent::{self, AgentView};
use crate::environment::Environment;
use crate::error::Error;
use crate::events;
use crate::profile::Profiles;
use crate::reading::{RuleOutcome, explain};
use crate::screen::{Screen, last_lines};
use crate::session::Extent;
use crate::state::State;
use crate::terminal::{PaneId, TerminalError};
use crate::turn::{Turn, TurnState, wait_for};

impl Registry {
    /// What the registry was made with.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The session that is meant where none is named.
    pub fn active(&self) -> Option<SessionView> {
        let sessions = self.0.sessions();
        let active = sessions.active.as_deref()?;
        sessions.find(active).map(|entry| entry.view(Some(active)))
    }

    /// The sessions, oldest first.
    pub fn sessions(&self) -> Vec<SessionView> {
        let sessions = self.0.sessions();
        sessions.entries.iter().map(|entry| entry.view(sessions.active.as_deref())).collect()
    }

    /// A number that is another one whenever [`sessions`](Self::sessions) would return something else: for documents
    /// that are kept.
    pub fn version(&self) -> u64 {
        let sessions = self.0.sessions();
        let mut hasher = DefaultHasher::new();
        sessions.active.hash(&mut hasher);
        sessions.entries.iter().for_each(|entry| entry.version().hash(&mut hasher));
        hasher.finish()
    }

    /// A session by its name or id.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`].
    pub fn session(&self, name: &str) -> Result<SessionView, Error> {
        let sessions = self.0.sessions();
        let entry = sessions.find(name).ok_or_else(|| Error::SessionNotFound(name.to_owned()))?;
        Ok(entry.view(sessions.active.as_deref()))
    }

    /// The agents that sessions can be started with, whether their programs are there, and the environment in which
    /// they were looked for. Where that is not known yet, this waits for it.
    pub async fn agents(&self) -> (Vec<AgentView>, Arc<Environment>) {
        let environment = self.0.settings.env.get().await;
        (agent::find(&self.0.profiles, &self.0.settings, &environment), environment)
    }

    /// The same, with the versions that the programs tell: they are started for it, which takes seconds.
    pub async fn agents_with_versions(&self) -> (Vec<AgentView>, Arc<Environment>) {
        let (mut agents, environment) = self.agents().await;
        agent::ask_versions(&mut agents, &self.0.profiles, &self.0.settings, &environment).await;
        (agents, environment)
    }

    /// Finds the agents' environment out anew; sessions that run keep what they have.
    pub async fn refresh_environment(&self) {
        self.0.settings.env.refresh().await;
    }

    /// The profiles that sessions can be started with.
    pub fn profiles(&self) -> &Profiles {
        &self.0.profiles
    }

    /// Whether work could be done now: the terminal answers, and the daemon is not about to stop.
    ///
    /// # Errors
    /// [`Error::Terminal`], [`Error::ShuttingDown`].
    pub async fn check_ready(&self) -> Result<(), Error> {
        self.check_open()?;
        self.0.terminal.panes().await?;
        Ok(())
    }

    /// Waits until a session is in one of these states, and returns it with `true`; with `false` where `patience`
    /// ended first, or the daemon is about to stop.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`], also where it goes while it is waited for.
    pub async fn wait_session(
        &self,
        session: &str,
        states: &[State],
        patience: Duration,
    ) -> Result<(SessionView, bool), Error> {
        let (id, mut snapshot) = {
            let sessions = self.0.sessions();
            let entry = sessions.find(session).ok_or_else(|| Error::SessionNotFound(session.to_owned()))?;
            (entry.id.clone(), entry.snapshot())
        };
        let mut draining = self.0.draining.subscribe();
        let reached = tokio::select! {
            reached = tokio::time::timeout(patience, snapshot.wait_for(|now| states.contains(&now.state))) => {
                matches!(reached, Ok(Ok(_)))
            }
            _ = draining.wait_for(|draining| *draining) => false,
        };
        Ok((self.session(&id)?, reached))
    }

    /// What each rule of the agent's profile says of the session's screen now.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn explain(&self, session: &str) -> Result<(SessionView, Vec<RuleOutcome>), Error> {
        let (view, pane, _) = self.aim_at(session)?;
        let screen = match self.0.terminal.read(&pane, 0).await {
            Ok(screen) => screen,
            Err(TerminalError::Gone) => return Ok((view, Vec::new())),
            Err(error) => return Err(error.into()),
        };
        let profile = self.0.profile(&view.agent);
        Ok((view, explain(&profile, &screen)))
    }

    /// The screen of a session, with up to `lines` rows that scrolled out.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn screen(&self, session: &str, lines: usize) -> Result<(SessionView, Screen), Error> {
        let (view, pane, _) = self.aim_at(session)?;
        match self.0.terminal.read(&pane, history(lines)).await {
            Ok(screen) => Ok((view, screen)),
            Err(error) => Err(seen_from(view, error)),
        }
    }

    /// The last lines of a session as plain text; without a number what its screen shows.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn text(&self, session: &str, lines: Option<usize>) -> Result<(SessionView, String), Error> {
        let (view, pane, extent) = self.aim_at(session)?;
        let read = match lines {
            Some(lines) => self.0.tail(&pane, extent, lines).await,
            None => self.0.terminal.text(&pane, 0).await.map(|text| last_lines(&text, usize::MAX).0),
        };
        match read {
            Ok(text) => Ok((view, text)),
            Err(error) => Err(seen_from(view, error)),
        }
    }

    fn aim_at(&self, session: &str) -> Result<(SessionView, PaneId, Extent), Error> {
        let sessions = self.0.sessions();
        let entry = sessions.find(session).ok_or_else(|| Error::SessionNotFound(session.to_owned()))?;
        Ok((entry.view(sessions.active.as_deref()), entry.pane.clone(), entry.extent()))
    }

    /// The last lines of a pane as text, and the pane's address.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn capture(&self, lines: usize, target: Option<&str>) -> Result<(String, String), Error> {
        let (pane, target, extent) = match self.aim(target).await? {
            Aim::Ours(name) => {
                let (view, pane, extent) = self.aim_at(name.as_str())?;
                (pane, view.target, extent)
            }
            Aim::External(pane, target) => (pane, target, Extent::default()),
        };
        match self.0.tail(&pane, extent, lines).await {
            Ok(text) => Ok((target, text)),
            Err(error) => Err(external(error)),
        }
    }

    /// The newest turns, newest first, without their replies: of one session, in one state, at most so many.
    pub fn turns(&self, session: Option<&str>, state: Option<TurnState>, most: usize) -> Vec<Turn> {
        let of =
            |turn: &Turn| session.is_none_or(|name| turn.session.as_str() == name || turn.session_id == name);
        self.0.book.list(most, |turn| of(turn) && state.is_none_or(|state| turn.state == state))
    }

    /// A turn, as it is now.
    ///
    /// # Errors
    /// [`Error::TurnNotFound`].
    pub fn turn(&self, id: &str) -> Result<Turn, Error> {
        self.watch_turn(id).map(|turn| turn.borrow().clone())
    }

    /// Waits until a turn is final or needs an answer, and returns it with `true`; with `false` where `patience` ended
    /// first, or the daemon is about to stop.
    ///
    /// # Errors
    /// [`Error::TurnNotFound`].
    pub async fn wait_turn(&self, id: &str, patience: Duration) -> Result<(Turn, bool), Error> {
        let turn = self.watch_turn(id)?;
        let mut draining = self.0.draining.subscribe();
        let view = turn.clone();
        tokio::select! {
            ended = wait_for(turn, patience) => Ok(ended),
            _ = draining.wait_for(|draining| *draining) => {
                let now = view.borrow().clone();
                let settled = now.state.is_final();
                Ok((now, settled))
            }
        }
    }

    /// What happens to sessions and turns, from now on or from after an event on.
    pub fn events(&self, last: Option<u64>) -> events::Reader {
        self.0.book.events().read(last)
    }

    /// Waits until the daemon is about to stop.
    pub async fn draining(&self) {
        let mut draining = self.0.draining.subscribe();
        // Whoever asks holds the registry, and with it the sender.
        drop(draining.wait_for(|draining| *draining).await.map(|_| ()));
    }

    pub(super) fn watch_turn(&self, id: &str) -> Result<watch::Receiver<Turn>, Error> {
        self.0.book.find(id).ok_or_else(|| Error::TurnNotFound(id.to_owned()))
    }
}

impl Inner {
    /// The last lines of a pane that had so much text when it was read last.
    async fn tail(&self, pane: &PaneId, extent: Extent, lines: usize) -> Result<String, TerminalError> {
        let above = extent.above(lines);
        let (text, count) = last_lines(&self.terminal.text(pane, history(above)).await?, lines);
        if count < lines && above < lines {
            // Its screen is emptier than it was.
            let all = self.terminal.text(pane, history(lines)).await?;
            return Ok(last_lines(&all, lines).0);
        }
        Ok(text)
    }
}

fn history(lines: usize) -> u32 {
    u32::try_from(lines).unwrap_or(u32::MAX)
}

/// What a terminal's error means for a session of ours that is only looked at.
fn seen_from(view: SessionView, error: TerminalError) -> Error {
    match error {
        TerminalError::Gone => Error::AgentExited { session: view.name, exit: view.exit },
        error => Error::Terminal(error),
    }
}
