//! How an agent says that a turn did not come to a good end: rows of its own above the input box, and what they mean.

use std::time::Duration;

use serde::Deserialize;

use super::fault::Fault;
use super::pattern::Pattern;
use super::raw::{optional, pattern};

/// Rows that end a turn otherwise than by a reply.
#[derive(Debug)]
pub struct Ending {
    /// Its name in evidence.
    pub name: String,
    /// What it means.
    pub means: Means,
    /// The first of the rows. It is tried on all of them joined by blanks, too: group `message` is then what the agent
    /// says (else all of it), group `reset` the time at which a limit ends.
    pub matches: Pattern,
    /// Further rows of the agent's own that may follow.
    pub then: Option<Pattern>,
    /// A row that follows, or stands below the box, and says that the agent goes on by itself when the limit ends.
    pub resumes: Option<Pattern>,
}

/// What an ending means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// The model or its service failed.
    Error,
    /// Somebody stopped the agent.
    Interrupted,
    /// A usage limit is reached: the prompt was not answered.
    Limit,
    /// Nobody is logged in, or the login has expired.
    Login,
}

/// How long a session at a limit is held.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The first pause, where the agent does not say when the limit ends; it doubles each time.
    pub retry: Duration,
    /// The longest.
    pub longest: Duration,
    /// A pause after the time that the agent said: agents cut off the seconds.
    pub slack: Duration,
    /// A little more: up to that much, for many sessions are held by the same limit.
    pub jitter: Duration,
}

/// The form that serde reads.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndingTable {
    name: String,
    means: Means,
    #[serde(rename = "match")]
    matches: String,
    then: Option<String>,
    resumes: Option<String>,
}

impl EndingTable {
    pub(super) fn check(self) -> Result<Ending, Fault> {
        let matches = pattern("match", &self.matches)?;
        let is_limit = self.means == Means::Limit;
        if !is_limit
            && (self.resumes.is_some() || matches.capture_names().flatten().any(|name| name == "reset"))
        {
            return Err("only a limit resets or resumes".into());
        }
        let (then, resumes) =
            (optional("then", self.then.as_deref())?, optional("resumes", self.resumes.as_deref())?);
        Ok(Ending { name: self.name, means: self.means, matches, then, resumes })
    }
}

/// The form that serde reads.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PatienceTable {
    retry_s: u64,
    longest_s: u64,
    slack_s: u64,
    jitter_s: u64,
}

impl Default for PatienceTable {
    fn default() -> Self {
        Self { retry_s: 15 * 60, longest_s: 60 * 60, slack_s: 60, jitter_s: 30 }
    }
}

impl PatienceTable {
    pub(super) fn check(&self) -> Result<Patience, Fault> {
        if self.retry_s == 0 || self.longest_s < self.retry_s || self.slack_s.max(self.jitter_s) > 3600 {
            return Err("retry_s must be at least 1, longest_s at least that, the others at most 3600".into());
        }
        let seconds = Duration::from_secs;
        Ok(Patience {
            retry: seconds(self.retry_s),
            longest: seconds(self.longest_s),
            slack: seconds(self.slack_s),
            jitter: seconds(self.jitter_s),
        })
    }
}
