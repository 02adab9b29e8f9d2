//! The data of the events in `GET /events`, by the name in their `event:` line.

use serde::{Deserialize, Serialize};

use crate::{Evidence, Exit, Question};

/// `session`: a session is in another state. (`gone` is [`Gone`](crate::Gone), `turn` is
/// [`Turn`](crate::Turn) without its reply.)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEvent {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// What it does now.
    pub state: String,
    /// Since when: RFC 3339, UTC.
    pub since: String,
    /// Why we believe that.
    pub evidence: Evidence,
    /// What it asks; null where it asks nothing, or nothing that is recognised.
    #[serde(default)]
    pub question: Option<Question>,
    /// How its agent ended, where it did.
    pub exit: Option<Exit>,
    /// As in [`SessionDetail::resets_at`](crate::SessionDetail::resets_at).
    #[serde(default)]
    pub resets_at: Option<String>,
}

/// `lagged`: events are missing here. Whoever follows the present must look at it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lagged {
    /// The number of the first event that is still there.
    pub first: u64,
}

/// `bye`: the daemon is about to stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bye {}
