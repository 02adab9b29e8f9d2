//! What is known of a session's signals: whether its agent is made to tell, and what was heard of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::records::Records;
use crate::profile::Profile;
use crate::profile::signals::{Meaning, Transcript};

/// One session's way of hearing its agent: set up when the agent is started, found again when it is adopted.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) profile: Arc<Profile>,
    /// What the agent's payloads are signed with, or why the agent is not made to send any.
    pub(crate) secret: Result<Secret, String>,
    records: Option<Records>,
    /// An earlier daemon started the agent, and heard what it told then.
    adopted: bool,
    heard: Mutex<BTreeMap<String, Heard>>,
}

/// A text that only one session's agent knows; it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, to compare with.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What was heard of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// How often it came.
    pub count: u64,
    /// When it came last.
    pub last: SystemTime,
}

/// What is known of a session's signals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalsView {
    /// How they are.
    pub health: Health,
    /// A sentence on that.
    pub why: String,
    /// Each event that the profile knows, what it means, and what was heard of it.
    pub events: Vec<(String, &'static str, Option<Heard>)>,
}

/// What is known of a session besides what its hooks told, since this daemon knows it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known {
    /// The agent has been ready.
    pub(crate) ready: bool,
    /// It has finished a turn.
    pub(crate) worked: bool,
    /// It has announced its state in its output.
    pub(crate) announced: bool,
}

/// How a session's signals are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// The agent was not made to send any.
    Off,
    /// None came yet, and none need have come.
    Waiting,
    /// They come.
    Live,
    /// None came, though the agent has been at work.
    Silent,
}

impl Health {
    /// The word for it on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Waiting => "waiting",
            Self::Live => "live",
            Self::Silent => "silent",
        }
    }
}

impl Link {
    pub(crate) fn new(profile: Arc<Profile>, set_up: Result<(Secret, Records), String>) -> Arc<Self> {
        Arc::new(Self::of(profile, set_up, false))
    }

    pub(crate) fn adopted(profile: Arc<Profile>, set_up: Result<(Secret, Records), String>) -> Arc<Self> {
        Arc::new(Self::of(profile, set_up, true))
    }

    fn of(profile: Arc<Profile>, set_up: Result<(Secret, Records), String>, adopted: bool) -> Self {
        let (secret, records) = match set_up {
            Ok((secret, records)) => (Ok(secret), Some(records)),
            Err(why) => (Err(why), None),
        };
        Self { profile, secret, records, adopted, heard: Mutex::default() }
    }

    /// What is read of the agent's own record, and where that is; `None` where it has none that we know.
    pub(crate) fn record(&self) -> Option<(&Transcript, &Records)> {
        let signals = self.profile.signals.as_ref()?;
        Some((signals.transcript.as_ref()?, self.records.as_ref()?))
    }

    /// Whether the agent tells by a hook what it said, and nothing of its state.
    pub(crate) fn tells_notes(&self) -> bool {
        let events = self.profile.signals.iter().flat_map(|signals| &signals.events);
        self.secret.is_ok() && events.into_iter().any(|rule| rule.means == Meaning::Notes)
    }

    /// Empties the records that are of one turn alone. False where that failed: they may tell of an older one.
    pub(crate) fn empty_records(&self) -> bool {
        self.record().is_none_or(|(rule, records)| records.empty(rule))
    }

    /// Notes that an event came.
    pub(crate) fn note(&self, event: &str) {
        // An agent has a dozen events; anything more is not one's.
        let mut heard = self.heard();
        if heard.len() < 100 || heard.contains_key(event) {
            let now = Heard { count: 0, last: SystemTime::UNIX_EPOCH };
            let heard = heard.entry(event.to_owned()).or_insert(now);
            *heard = Heard { count: heard.count + 1, last: SystemTime::now() };
        }
    }

    /// What is known.
    pub(crate) fn view(&self, known: &Known) -> SignalsView {
        let heard = self.heard();
        let rules = || self.profile.signals.iter().flat_map(|signals| &signals.events);
        let tells_start = rules().any(|rule| rule.means == Meaning::Ready);
        let tried = known.worked || (known.ready && tells_start && !self.adopted);
        let announces = self.profile.signals.as_ref().is_some_and(|signals| signals.announces);
        let mute = announces && known.worked && !known.announced;
        let rest = match announces && !mute {
            true => "announcements (OSC 7501), title and screen decide",
            false => "title and screen decide",
        };
        let (health, mut why) = match &self.secret {
            Err(why) => (Health::Off, format!("{why}; {rest}")),
            Ok(_) if rules().next().is_none() => {
                (Health::Off, format!("agent '{}' has no hooks that tell; {rest}", self.profile.name))
            }
            Ok(_) if !heard.is_empty() => (Health::Live, "the agent tells what it does".to_owned()),
            Ok(_) if tried => (Health::Silent, format!("hooks are silent: {rest}")),
            Ok(_) => (Health::Waiting, "no hook has come yet".to_owned()),
        };
        if mute {
            why += "; none of its announcements (OSC 7501) has come, though it was at work";
        }
        let mut events: Vec<(String, &'static str, Option<Heard>)> = Vec::new();
        // One event has several meanings: of those the first that says anything.
        let (telling, ignored): (Vec<_>, Vec<_>) = rules().partition(|rule| rule.means != Meaning::Ignored);
        for rule in telling.into_iter().chain(ignored) {
            if !events.iter().any(|(name, ..)| *name == rule.name) {
                events.push((rule.name.clone(), rule.means.word(), heard.get(&rule.name).copied()));
            }
        }
        SignalsView { health, why, events }
    }

    fn heard(&self) -> MutexGuard<'_, BTreeMap<String, Heard>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Definitions;

    #[test]
    fn what_decides_in_place_of_silent_signals_is_told() {
        let link = |agent: &str, secret: Result<&str, &str>| {
            let profile = Arc::new(Definitions::builtin().profile(agent).unwrap());
            let set_up = |text: &str| (Secret::new(text.into()), Records::new("/none".into(), None));
            Link::new(profile, secret.map(set_up).map_err(str::to_owned))
        };
        for (agent, secret, worked, announced, expected) in [
            ("claude", Ok("x"), true, false, "hooks are silent: title and screen decide"),
            ("aider", Ok("x"), true, false, "agent 'aider' has no hooks that tell; title and screen decide"),
            ("claude", Err("no"), false, false, "no; title and screen decide"),
            ("codex", Ok("x"), false, false, "no hook has come yet"),
            ("codex", Err("no"), false, false, "no; announcements (OSC 7501), title and screen decide"),
            (
                "codex",
                Ok("x"),
                true,
                true,
                "hooks are silent: announcements (OSC 7501), title and screen decide",
            ),
            (
                "codex",
                Ok("x"),
                true,
                false,
                "hooks are silent: title and screen decide; none of its announcements (OSC 7501) has come, \
                 though it was at work",
            ),
        ] {
            let view = link(agent, secret).view(&Known { ready: true, worked, announced });
            assert_eq!(view.why, expected, "{agent} {secret:?} {worked} {announced}");
        }
        let events = link("codex", Ok("x")).view(&Known::default()).events;
        assert_eq!(events, [("agent-turn-complete".to_owned(), "notes", None)]);
    }
}
