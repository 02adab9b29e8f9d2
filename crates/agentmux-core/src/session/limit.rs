//! Usage limits and missing logins: what they hold up, and until when.
//!
//! ```text
//! idle ── the agent says so above the box ──► limited ── its time is over ──► idle (the turn that bounced goes first)
//!                                               └── the agent works, or its words are gone ──► what the screen says
//! ```

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::{Timestamp, ZonedDateTime};
use tokio::time::Instant;

use super::Session;
use super::delivery::Current;
use crate::notice::{self, Notice};
use crate::profile::{Means, Patience};
use crate::question::{Asked, Question, QuestionKind, Takes};
use crate::reset::{self, Sight};
use crate::state::State;

/// How often the clock on the wall is looked at: it may be set, and machines sleep.
const CLOCK: Duration = Duration::from_secs(60);

/// A limit that holds the session's turns up.
#[derive(Debug, Clone)]
pub(super) struct Hold {
    pub(super) notice: Notice,
    /// When the limit ends, where the agent tells that.
    pub(super) resets_at: Option<SystemTime>,
    /// When turns go on.
    pub(super) until: SystemTime,
}

/// Nobody is logged in.
#[derive(Debug, Clone)]
pub(super) struct Login {
    pub(super) notice: Notice,
    /// The same as a question, which no answer solves.
    pub(super) question: Arc<Asked>,
}

impl Login {
    fn new(notice: Notice) -> Self {
        let question = Question {
            kind: QuestionKind::Login,
            form: notice.name.clone(),
            text: notice.message.clone(),
            options: Vec::new(),
            multiple: false,
            takes: Takes::default(),
            text_option: None,
        };
        Self { notice, question: Arc::new(Asked::new(question)) }
    }
}

/// What is known of limits and logins.
#[derive(Debug, Default)]
pub(super) struct Limits {
    pub(super) hold: Option<Hold>,
    pub(super) login: Option<Login>,
    /// A notice whose time is over: the same words hold nothing up.
    spent: Option<Notice>,
    /// How many turns have bounced one after the other.
    bounces: u32,
    /// The screen that was looked at last.
    seen: Option<Instant>,
}

impl Limits {
    /// True where no prompt is to be typed.
    pub(super) fn hold_up(&self) -> bool {
        self.hold.is_some() || self.login.is_some()
    }

    /// The agent has answered: the next limit is a new one.
    pub(super) fn answered(&mut self) {
        self.bounces = 0;
    }

    fn forget(&mut self) {
        (self.hold, self.login, self.spent, self.seen) = (None, None, None, None);
    }
}

/// When turns go on: a little after the time that the agent told, or after a pause that grows.
///
/// Where the agent told a time, and a turn bounced after it all the same, the pause counts, too.
fn goes_on_at(
    patience: &Patience,
    resets_at: Option<SystemTime>,
    bounces: u32,
    seed: &str,
    now: SystemTime,
) -> SystemTime {
    let mut hasher = DefaultHasher::new();
    (seed, bounces).hash(&mut hasher);
    let most = u64::try_from(patience.jitter.as_millis()).unwrap_or(u64::MAX);
    let jitter = Duration::from_millis(hasher.finish() % most.saturating_add(1));
    let pause = |times: u32| patience.retry.saturating_mul(2_u32.saturating_pow(times)).min(patience.longest);
    let earliest = match (resets_at, bounces) {
        (Some(resets_at), 0 | 1) => resets_at.max(now) + patience.slack,
        (Some(resets_at), _) => (resets_at + patience.slack).max(now + pause(bounces - 2)),
        (None, _) => now + pause(bounces.saturating_sub(1)),
    };
    earliest + jitter
}

impl Session {
    /// Looks whether the agent says that a limit or a missing login holds it up, or does not any more.
    pub(super) fn step_limit(&mut self) {
        if !self.believed {
            return;
        }
        match self.reading.state {
            State::Idle | State::Draft => {}
            State::Busy => {
                self.adopted = false;
                self.limits.forget();
                self.current.as_mut().into_iter().for_each(Current::goes_on);
                return;
            }
            _ => return,
        }
        if self.limits.seen != Some(self.quiet_since) {
            let sight = if std::mem::take(&mut self.adopted) { Sight::Old } else { Sight::New };
            self.limits.seen = Some(self.quiet_since);
            self.note_notice(sight);
        }
        self.let_go();
    }

    fn note_notice(&mut self, sight: Sight) {
        let found = notice::find(&self.parts.profile, &self.screen).map(|(notice, _)| notice);
        let login = found.clone().filter(|notice| notice.means == Means::Login);
        let known = self.limits.login.take();
        self.limits.login = login.map(|notice| match known {
            Some(login) if login.notice.says_the_same(&notice) => login,
            _ => Login::new(notice),
        });
        let Some(limit) = found.filter(|notice| notice.means == Means::Limit) else {
            (self.limits.hold, self.limits.spent) = (None, None);
            return;
        };
        if self.limits.spent.as_ref().is_some_and(|spent| spent.says_the_same(&limit)) {
            return;
        }
        match &mut self.limits.hold {
            Some(hold) if hold.notice.says_the_same(&limit) => hold.notice = limit,
            _ => self.hold(limit, sight),
        }
    }

    fn hold(&mut self, notice: Notice, sight: Sight) {
        let now = SystemTime::now();
        let told =
            notice.reset.as_deref().and_then(|words| reset::parse(words, &ZonedDateTime::now(), sight));
        let resets_at = told.and_then(|told| SystemTime::try_from(told).ok());
        let (bounces, id) = (self.limits.bounces, &self.parts.id);
        let until = goes_on_at(&self.parts.profile.patience, resets_at, bounces, id, now);
        let time = Timestamp::try_from(until).map_or_else(|_| "?".to_owned(), |time| format!("{time:.0}"));
        log::info!("session {}: {}: its turns go on at {time}", self.parts.name, notice.name);
        self.limits.spent = None;
        self.limits.hold = Some(Hold { notice, resets_at, until });
    }

    /// Ends a limit whose time is over; one after which the agent goes on by itself lasts until it does.
    fn let_go(&mut self) {
        let Some(hold) = &self.limits.hold else { return };
        if hold.notice.resumes {
            return;
        }
        let left = hold.until.duration_since(SystemTime::now()).unwrap_or_default();
        if !left.is_zero() {
            self.wake(Instant::now() + left.min(CLOCK));
            return;
        }
        self.limits.spent = self.limits.hold.take().map(|hold| hold.notice);
        log::info!("session {}: the time of its usage limit is over", self.parts.name);
    }

    /// The current turn was not answered: it waits for the limit's end, in the agent or at the front of the queue.
    pub(super) fn bounce(&mut self, notice: Notice) {
        let resumes = notice.resumes;
        let known = |hold: &Hold| resumes && hold.notice.says_the_same(&notice);
        if !self.limits.hold.as_ref().is_some_and(known) {
            self.limits.bounces += 1;
            self.hold(notice, Sight::New);
        }
        let Some(hold) = &self.limits.hold else { return };
        let until = hold.until;
        if !resumes {
            let Some(current) = self.current.take() else { return };
            self.waiting.push_front(current.again(until));
        } else if let Some(current) = &mut self.current {
            current.hold(until);
        }
        self.wake(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_go_on_a_little_after_the_time_that_was_told_or_after_a_pause_that_grows() {
        let seconds = Duration::from_secs;
        let patience =
            Patience { retry: seconds(900), longest: seconds(3600), slack: seconds(60), jitter: seconds(30) };
        let now = SystemTime::UNIX_EPOCH + seconds(1_000_000);
        for (told, bounces, earliest) in [
            (Some(600), 1, 660),
            (Some(600), 0, 660),
            (Some(-20), 1, 60),
            // It bounced after the time that was told.
            (Some(0), 2, 900),
            (Some(7200), 3, 7260),
            (None, 1, 900),
            (None, 2, 1800),
            (None, 3, 3600),
            (None, 90, 3600),
        ] {
            let at = |offset: i64| {
                let part = seconds(offset.unsigned_abs());
                if offset < 0 { now - part } else { now + part }
            };
            let found = goes_on_at(&patience, told.map(at), bounces, "s-1", now);
            let jitter = found.duration_since(at(earliest)).expect("never earlier");
            assert!(jitter <= seconds(30), "{told:?} {bounces}: {jitter:?}");
            assert_eq!(
                found,
                goes_on_at(&patience, told.map(at), bounces, "s-1", now),
                "it is deterministic"
            );
        }
    }
}
