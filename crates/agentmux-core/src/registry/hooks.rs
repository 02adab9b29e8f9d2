//! What agents tell of themselves: from a payload to the session's task.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Entry, Inner, Registry, Sessions};
use crate::error::Error;
use crate::session::Command;
use crate::signals::{Decision, Known, Link, Secret, SignalsView, Verdict, launch, none, read};
use crate::turn::{Turn, TurnState};

impl Registry {
    /// The secret by which the hooks of a session's agent are known; `None` where there is no such session, or its
    /// agent sends none.
    pub fn hook_secret(&self, session: &str) -> Option<Secret> {
        self.0.sessions().link(session)?.secret.clone().ok()
    }

    /// Which signals of a session's agent there should be, and which came.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`].
    pub fn signals(&self, session: &str) -> Result<SignalsView, Error> {
        let view = self.session(session)?;
        let worked = |turn: &Turn| turn.session_id == view.id && turn.state == TurnState::Done;
        let worked = !self.0.book.list(1, worked).is_empty();
        let sessions = self.0.sessions();
        let entry = sessions.find(&view.id).ok_or_else(|| Error::SessionNotFound(session.to_owned()))?;
        Ok(entry.link.view(&Known { ready: entry.was_ready(), worked, announced: entry.has_announced() }))
    }

    /// Takes what a session's agent tells by a hook; the verdict is what the agent gets for it. `event` names it where
    /// the payload does not.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`].
    pub async fn hook(&self, session: &str, event: Option<&str>, payload: &Value) -> Result<Verdict, Error> {
        let at = Instant::now();
        let gone = || Error::SessionNotFound(session.to_owned());
        let (link, commands) = {
            let sessions = self.0.sessions();
            let link = sessions.link(session).ok_or_else(gone)?;
            (link, sessions.find(session).map(Entry::commands))
        };
        let signals = link.profile.signals.as_ref();
        let signal = signals.and_then(|signals| read(signals, event, payload, at));
        if let Some(signal) = &signal {
            link.note(&signal.event);
        }
        // One whose session has no task yet tells no more than that it starts.
        if let (Some(signal), Some(commands)) = (signal, commands) {
            let (answer, decision) = signal.permit.as_ref().map(|_| oneshot::channel()).unzip();
            commands.send(Command::Hear(Box::new(signal), answer)).await.map_err(|_| gone())?;
            return Ok(
                decision.map_or_else(|| Verdict::Given(none()), |decision| Verdict::Open(Decision(decision)))
            );
        }
        Ok(Verdict::Given(none()))
    }
}

impl Sessions {
    /// How the agent of a session is heard.
    fn link(&self, session: &str) -> Option<Arc<Link>> {
        let starting = || self.links.iter().find(|(id, _)| id == session).map(|(_, link)| link.clone());
        self.find(session).map(|entry| entry.link.clone()).or_else(starting)
    }
}

impl Inner {
    /// Removes the folder that a session had for its hooks.
    pub(super) fn forget_files(&self, session: &str) {
        if let Some(relay) = &self.settings.relay {
            launch::remove(relay, session);
        }
    }
}
