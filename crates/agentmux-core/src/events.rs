//! What happens to sessions and turns, as a bounded log that readers follow at their own pace.
//!
//! A reader that is too slow, or comes back too late, is told that it missed something; it never holds memory or
//! delays others.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::input::SessionName;
use crate::question::Asked;
use crate::screen::Exit;
use crate::state::{Evidence, State};
use crate::turn::Turn;

/// How many events are kept.
const KEPT: usize = 1024;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A session is in another state.
    Session {
        /// Its name.
        name: SessionName,
        /// Its id.
        id: String,
        /// What it does now.
        state: State,
        /// Why we believe that.
        evidence: Evidence,
        /// What it asks, where it does.
        question: Option<Arc<Asked>>,
        /// How its agent ended, where it did.
        exit: Option<Exit>,
        /// When a usage limit ends, where one holds it up and the agent tells that.
        resets_at: Option<SystemTime>,
    },
    /// A session is gone.
    Gone {
        /// Its name.
        name: SessionName,
        /// Its id.
        id: String,
    },
    /// A turn has changed; its reply is left out.
    Turn(Turn),
}

impl Event {
    /// Whether it is about the session of that name or id.
    pub fn is_about(&self, session: &str) -> bool {
        let (name, own) = match self {
            Self::Session { name, id, .. } | Self::Gone { name, id } => (name, id),
            Self::Turn(turn) => (&turn.session, &turn.session_id),
        };
        name.as_str() == session || own == session
    }
}

/// An event with its number: they grow, also over restarts of the daemon.
#[derive(Debug, Clone)]
pub struct Numbered {
    /// The number.
    pub number: u64,
    /// What happened.
    pub event: Arc<Event>,
}

/// What a reader gets next.
#[derive(Debug, Clone)]
pub enum Next {
    /// The next event.
    Event(Numbered),
    /// Events up to the one before this number are not kept any more: look at the present instead.
    Lagged(u64),
}

/// The log: a cheap handle, to be cloned.
#[derive(Debug, Clone)]
pub struct EventLog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kept: Mutex<VecDeque<Numbered>>,
    /// The number of the next event.
    next: watch::Sender<u64>,
}

/// Follows the log from some number on.
#[derive(Debug)]
pub struct Reader {
    log: EventLog,
    next: u64,
    grown: watch::Receiver<u64>,
}

impl Default for EventLog {
    fn default() -> Self {
        // Room for a million events a second: no number of an earlier daemon comes again.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros());
        let (next, _) = watch::channel(u64::try_from(now).unwrap_or(0));
        Self(Arc::new(Inner { kept: Mutex::default(), next }))
    }
}

impl EventLog {
    pub(crate) fn push(&self, event: Event) {
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let number = *self.0.next.borrow();
        kept.push_back(Numbered { number, event: Arc::new(event) });
        if kept.len() > KEPT {
            kept.pop_front();
        }
        // Under the lock, so that numbers come in order.
        self.0.next.send_replace(number + 1);
    }

    /// A reader from after the event `last` on; without one, from now on.
    pub fn read(&self, last: Option<u64>) -> Reader {
        let grown = self.0.next.subscribe();
        let now = *grown.borrow();
        // A number from the future is of a clock that was set back: all that is kept is new then.
        let next = last.map_or(now, |last| if last < now { last + 1 } else { 0 });
        Reader { log: self.clone(), next, grown }
    }
}

impl Reader {
    /// The number of the last event before the next: a reader made with it goes on here.
    pub fn last(&self) -> u64 {
        self.next.saturating_sub(1)
    }

    /// The next event; waits for it.
    pub async fn next(&mut self) -> Next {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            let wanted = self.next;
            // The log outlives its readers: they hold it.
            drop(self.grown.wait_for(|next| *next > wanted).await.map(|_| ()));
        }
    }

    fn take(&mut self) -> Option<Next> {
        let kept = self.log.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let first = kept.front().map_or(*self.log.0.next.borrow(), |event| event.number);
        if self.next < first {
            self.next = first;
            return Some(Next::Lagged(first));
        }
        let at = usize::try_from(self.next - first).ok()?;
        let found = kept.get(at)?.clone();
        self.next = found.number + 1;
        Some(Next::Event(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(name: &str) -> Event {
        Event::Gone { name: SessionName::parse(name).unwrap(), id: format!("s-{name}") }
    }

    async fn next(reader: &mut Reader) -> u64 {
        match reader.next().await {
            Next::Event(event) => event.number,
            Next::Lagged(_) => 0,
        }
    }

    #[tokio::test]
    async fn a_reader_gets_what_came_after_the_event_it_names() {
        let log = EventLog::default();
        let mut live = log.read(None);
        for name in ["a", "b", "c"] {
            log.push(gone(name));
        }
        let first = next(&mut live).await;
        assert_eq!([next(&mut live).await, next(&mut live).await], [first + 1, first + 2]);
        assert_eq!(next(&mut log.read(Some(first + 1))).await, first + 2);
    }

    #[tokio::test]
    async fn who_is_too_late_is_told_so_once() {
        let log = EventLog::default();
        let mut slow = log.read(None);
        (0..KEPT + 10).for_each(|_| log.push(gone("a")));
        assert!(matches!(slow.next().await, Next::Lagged(_)));
        assert!(matches!(slow.next().await, Next::Event(_)));
        for forged in [0, 1, u64::MAX] {
            assert!(matches!(log.read(Some(forged)).next().await, Next::Lagged(_)), "{forged}");
        }
    }

    #[tokio::test]
    async fn a_reader_waits_for_the_next_event() {
        let log = EventLog::default();
        let mut reader = log.read(None);
        let waiting = tokio::spawn(async move { next(&mut reader).await });
        tokio::task::yield_now().await;
        log.push(gone("a"));
        assert_ne!(waiting.await.unwrap(), 0);
    }
}
