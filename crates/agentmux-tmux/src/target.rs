//! Panes as tmux commands name them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use agentmux_core::terminal::PaneId;

use crate::listing::Place;

/// A pane's id that is one (`%` and digits), seen from a session where that is known.
///
/// The window of a pane may also be linked into the hidden session, and `%5` alone is then seen from the
/// session that was used last: `#{session_name}` and `#{session_attached}` would be those of the hidden one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    text: String,
    pane_at: usize,
}

impl Target {
    /// Checks an id; `None` for a text that no pane can have.
    pub(crate) fn parse(pane: &PaneId) -> Option<Self> {
        let digits = pane.as_str().strip_prefix('%')?;
        let is_id = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        is_id.then(|| Self { text: pane.as_str().to_owned(), pane_at: 0 })
    }

    /// The same pane, seen from the session of this id; tmux does not find it elsewhere.
    pub(crate) fn at(&self, session: &str) -> Self {
        let from = format!("{session}:.");
        Self { text: format!("{from}{}", self.pane()), pane_at: from.len() }
    }

    /// The text for `-t`.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The pane's id alone.
    pub(crate) fn pane(&self) -> &str {
        &self.text[self.pane_at..]
    }
}

/// The sessions in which panes live, as far as they were seen.
#[derive(Debug, Default)]
pub(crate) struct Homes(Mutex<HashMap<PaneId, String>>);

impl Homes {
    /// The pane seen from its own session; `None` for an id that no pane can have.
    pub(crate) fn target(&self, pane: &PaneId) -> Option<Target> {
        let target = Target::parse(pane)?;
        Some(match self.lock().get(pane) {
            Some(session) => target.at(session),
            None => target,
        })
    }

    /// Remembers where a new pane lives.
    pub(crate) fn insert(&self, pane: &PaneId, session: &str) {
        self.lock().insert(pane.clone(), session.to_owned());
    }

    /// Remembers what a complete listing says, and forgets panes that are gone.
    ///
    /// A pane that is left in the hidden session alone keeps its home, which is gone: so is the pane, then,
    /// for all who ask.
    pub(crate) fn update(&self, places: &[Place]) {
        let mut homes = self.lock();
        let old = std::mem::take(&mut *homes);
        for place in places {
            if let Some(session) = place.session.as_ref().or_else(|| old.get(&place.pane)) {
                homes.insert(place.pane.clone(), session.clone());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PaneId, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_of_panes_are_targets() {
        for id in ["", "%", "5", "@1", "$1", "%1;kill-server", "%-1", "%1 ", "%é", "agent:0.0"] {
            assert_eq!(Target::parse(&PaneId::new(id)), None, "{id}");
        }
    }

    #[test]
    fn a_pane_is_seen_from_the_session_in_which_it_was_listed() {
        let homes = Homes::default();
        let seen = |pane: &str| homes.target(&PaneId::new(pane)).unwrap().as_str().to_owned();
        homes.insert(&PaneId::new("%1"), "$1");
        homes.insert(&PaneId::new("%2"), "$2");
        homes.insert(&PaneId::new("%3"), "$3");
        assert_eq!([seen("%1"), seen("%9")], ["$1:.%1", "%9"]);
        let place = |pane: &str, session: Option<&str>| Place {
            pane: PaneId::new(pane),
            session: session.map(String::from),
            ..Place::default()
        };
        homes.update(&[place("%1", Some("$7")), place("%2", None)]);
        assert_eq!([seen("%1"), seen("%2"), seen("%3")], ["$7:.%1", "$2:.%2", "%3"]);
    }
}
