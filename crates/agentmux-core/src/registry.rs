//! The sessions of one daemon: which there are, which is meant, how many there may be.
//!
//! Each session's life is in its own task; what is here is the list of them, and the operations that concern more than
//! one. The list's lock is held for a short look only, never over an await.

mod entry;
mod hooks;
mod look;
mod start;
mod typing;
mod values;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use crate::error::Error;
use crate::input::{Prompt, SessionName};
use crate::profile::Profiles;
use crate::question::Answer;
use crate::session::Command;
use crate::signals::{Link, launch};
use crate::state::State;
use crate::terminal::Terminal;
use crate::turn::{Turn, TurnBook};

pub use crate::session::Answered;
use entry::Entry;
pub use start::{Opening, StartSpec};
pub use values::{Accepted, IfBusy, Sent, SessionView, Settings};

/// How long the sessions that are taken over may take to be read for the first time.
const ADOPTED: Duration = Duration::from_secs(2);

/// The sessions and turns of one daemon: a cheap handle, to be cloned.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    terminal: Arc<dyn Terminal>,
    profiles: Profiles,
    settings: Settings,
    book: TurnBook,
    sessions: Mutex<Sessions>,
    draining: watch::Sender<bool>,
}

/// The list: oldest first.
#[derive(Default)]
struct Sessions {
    entries: Vec<Entry>,
    /// Names of sessions that are being started and have no entry yet.
    reserved: Vec<SessionName>,
    /// The links of those: their agents may tell something before there is an entry.
    links: Vec<(String, Arc<Link>)>,
    active: Option<String>,
}

impl Registry {
    /// An empty registry on a terminal.
    pub fn new(terminal: Arc<dyn Terminal>, profiles: Profiles, settings: Settings) -> Self {
        let (draining, _) = watch::channel(false);
        let (book, sessions) = (TurnBook::default(), Mutex::default());
        Self(Arc::new(Inner { terminal, profiles, settings, book, sessions, draining }))
    }

    /// Takes over the sessions that an earlier daemon left alive, and reads them once; returns how many.
    ///
    /// # Errors
    /// The terminal does not answer.
    pub async fn adopt(&self) -> Result<usize, Error> {
        let mut found: Vec<_> = self
            .0
            .terminal
            .panes()
            .await?
            .into_iter()
            .filter_map(|pane| Some((pane.label.clone()?, pane)))
            .collect();
        found.sort_by(|(a, _), (b, _)| (a.created, &a.id).cmp(&(b.created, &b.id)));
        let count = found.len();
        if let Some(relay) = &self.0.settings.relay {
            launch::sweep(relay, &found.iter().map(|(label, _)| label.id.clone()).collect());
        }
        for (label, pane) in found {
            let entry = self.0.adopt_entry(label, pane);
            let mut sessions = self.0.sessions();
            sessions.active = Some(entry.id.clone());
            sessions.entries.push(entry);
        }
        let snapshots: Vec<_> = self.0.sessions().entries.iter().map(Entry::snapshot).collect();
        let all_read = async {
            for mut snapshot in snapshots {
                // A task that has ended has nothing more to say.
                drop(snapshot.wait_for(|now| now.state != State::Unknown).await.map(|_| ()));
            }
        };
        // Before that, an agent at work would not be known to be busy. One whose screen no rule knows stays unknown.
        drop(tokio::time::timeout(ADOPTED, all_read).await);
        Ok(count)
    }

    /// Starts a new session, waits until it is ready, types the prompt and presses Enter; the session is the active
    /// one then. Returns when the agent was seen to take the prompt, a second after Enter at the latest.
    ///
    /// Where the active session works on something, `if_busy` decides. A session that does not get ready, or cannot
    /// be typed into, is gone again when this returns.
    ///
    /// # Errors
    /// See [`Error`]; nothing was typed unless the error is [`Error::NotDelivered`].
    pub async fn run(
        &self,
        prompt: Prompt,
        spec: StartSpec,
        if_busy: IfBusy,
        timeout: Option<Duration>,
    ) -> Result<Accepted, Error> {
        self.check_open()?;
        if let Some(active) = self.active().filter(|active| works(active.state))
            && if_busy != IfBusy::Start
        {
            if if_busy == IfBusy::Queue {
                return self.submit(&active.name, prompt, IfBusy::Queue, timeout, spec.policy).await;
            }
            return Err(Error::Busy { session: active.name, state: active.state });
        }
        let plan = self.0.plan(spec).await?;
        plan.profile.worded(&prompt)?;
        let started = self.start_session(plan).await?;
        let accepted = self.first_turn(&started.name, prompt, timeout).await;
        if accepted.is_err() {
            self.roll_back(&started).await;
        }
        accepted
    }

    /// Starts a session without a prompt and returns at once, while it starts. It is the active one once it is ready;
    /// where it does not get ready it is killed and forgotten, and the turns that wait in it fail.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn open(&self, spec: StartSpec) -> Result<(SessionView, Opening), Error> {
        self.check_open()?;
        let plan = self.0.plan(spec).await?;
        let (name, heard) = self.place_session(plan).await?;
        let view = self.session(name.as_str())?;
        let registry = self.clone();
        let task = tokio::spawn(async move {
            let ready = registry.until_ready(&name, heard).await;
            ready.map(drop).inspect_err(|error| log::warn!("session {name}: {error}"))
        });
        Ok((view, Opening(task)))
    }

    /// Starts a fresh session like the daemon's default; once it is ready, kills the one that was active.
    ///
    /// # Errors
    /// See [`Error`]; then the old session stays.
    pub async fn restart(&self) -> Result<SessionView, Error> {
        self.check_open()?;
        let old = self.active();
        let mut plan = self.0.plan(StartSpec::default()).await?;
        plan.replaces = old.as_ref().map(|old| old.id.clone());
        let started = self.start_session(plan).await.map_err(|error| match error {
            Error::NotReady { message, screen, exit } => Error::NotReady {
                message: message.replace("new session", "replacement session"),
                screen,
                exit,
            },
            error => error,
        })?;
        if let Some(old) = old {
            match self.kill(&old.id).await {
                // Somebody else may have ended it.
                Ok(_) | Err(Error::SessionNotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.session(started.name.as_str())
    }

    /// Kills every idle session but the active one, and forgets those whose agent or terminal is gone; returns their
    /// names.
    ///
    /// # Errors
    /// The terminal does not answer.
    pub async fn cleanup(&self) -> Result<Vec<SessionName>, Error> {
        let useless = |view: &SessionView| {
            let idle = view.state == State::Idle && view.turns == 0 && !view.active;
            idle || view.lost || (view.state == State::Exited && !view.active)
        };
        let names: Vec<_> = self.sessions().into_iter().filter(useless).map(|view| view.name).collect();
        let mut killed = Vec::new();
        for name in names {
            match self.kill(name.as_str()).await {
                Ok(name) => killed.push(name),
                // Somebody else was faster.
                Err(Error::SessionNotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(killed)
    }

    /// Ends a session with its agent; turns that go on are failed. The newest of the others becomes active if it was
    /// the active one. Where somebody else ends it at the same time, that is harmless.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`], or the terminal does not answer.
    pub async fn kill(&self, session: &str) -> Result<SessionName, Error> {
        let gone = || Error::SessionNotFound(session.to_owned());
        let (id, name, pane, commands) = {
            let sessions = self.0.sessions();
            let entry = sessions.find(session).ok_or_else(gone)?;
            (entry.id.clone(), entry.name.clone(), entry.pane.clone(), entry.commands())
        };
        let (killing, heard) = oneshot::channel();
        // A task that is gone already has nothing to tell.
        drop(commands.send(Command::Killing(killing)).await);
        drop(heard.await);
        if let Err(error) = self.0.terminal.kill(&pane).await {
            drop(commands.send(Command::Spared).await);
            return Err(error.into());
        }
        let entry = self.0.sessions().take(&id);
        // Whoever waits for its start forgets it, too, when its agent ends.
        if let Some(entry) = entry {
            entry.close().await;
            self.0.forget_files(&id);
        }
        Ok(name)
    }

    /// Takes a turn out of its queue, or interrupts it; one that has ended stays as it is. Returns it as it is now: a
    /// working turn is `interrupted` once its agent has come to rest.
    ///
    /// # Errors
    /// [`Error::TurnNotFound`].
    pub async fn cancel(&self, id: &str) -> Result<Turn, Error> {
        let turn = self.turn(id)?;
        if !turn.state.is_final() {
            let cancel = |answer| Command::Cancel { turn: id.to_owned(), answer };
            match self.ask(&turn.session, cancel).await {
                // With its session the turn has ended, too.
                Ok(_) | Err(Error::SessionNotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.turn(id)
    }

    /// Answers the question that a session asks, where it is the one of the id `question`; returns when the question is
    /// seen to be gone.
    ///
    /// # Errors
    /// See [`Error`]; nothing was answered unless it is [`Error::NotAnswered`].
    pub async fn answer(
        &self,
        session: &str,
        answer: Answer,
        question: Option<String>,
    ) -> Result<(SessionView, Answered), Error> {
        let view = self.session(session)?;
        let given = |sender| Command::Answer { given: answer, question, answer: sender };
        let answered = self.ask(&view.name, given).await??;
        Ok((self.session(&view.id)?, answered))
    }

    /// Interrupts what a session's agent does; false where it does nothing.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn interrupt(&self, session: &str) -> Result<bool, Error> {
        let name = self.session(session)?.name;
        self.ask(&name, |answer| Command::Interrupt { answer }).await?
    }

    /// Ends waits (they answer as if their patience had ended) and refuses new work.
    pub fn drain(&self) {
        self.0.draining.send_replace(true);
    }

    /// Ends the sessions' tasks; the agents stay alive. New work is refused.
    pub async fn stop(&self) {
        self.drain();
        let entries = std::mem::take(&mut self.0.sessions().entries);
        for entry in entries {
            entry.let_go().await;
        }
    }

    fn check_open(&self) -> Result<(), Error> {
        if *self.0.draining.borrow() { Err(Error::ShuttingDown) } else { Ok(()) }
    }

    /// Asks a session's task, and waits for its answer.
    async fn ask<T>(
        &self,
        session: &SessionName,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Error> {
        let gone = || Error::SessionNotFound(session.to_string());
        let commands = {
            let sessions = self.0.sessions();
            sessions.find(session.as_str()).ok_or_else(gone)?.commands()
        };
        let (sender, answer) = oneshot::channel();
        commands.send(command(sender)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }
}

/// True where a session's state is in the way of a new run.
fn works(state: State) -> bool {
    matches!(state, State::Starting | State::Busy | State::NeedsInput)
}

impl Inner {
    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a session that is in the list no more.
    async fn end(&self, entry: Entry) -> Result<(), Error> {
        let (pane, id) = (entry.pane.clone(), entry.id.clone());
        entry.close().await;
        let killed = self.terminal.kill(&pane).await;
        self.forget_files(&id);
        Ok(killed?)
    }
}

impl Sessions {
    fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name.as_str() == name || entry.id == name)
    }

    /// Takes a session out of the list; the newest of the others becomes active if it was the active one.
    fn take(&mut self, name: &str) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.name.as_str() == name || entry.id == name)?;
        let entry = self.entries.remove(at);
        if self.active.as_ref() == Some(&entry.id) {
            self.active =
                self.entries.iter().rev().find(|entry| entry.was_ready()).map(|entry| entry.id.clone());
        }
        Some(entry)
    }
}
