//! Which question a session asks now: the same one as before, or another.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Session;
use crate::question::{Asked, Question, find};
use crate::state::State;

/// A question that reads differently may be half painted: it must read so for that long.
const SETTLED: Duration = Duration::from_millis(100);

/// A question that is believed.
#[derive(Debug)]
struct Known {
    asked: Arc<Asked>,
    /// Since when it is asked.
    since: Instant,
    /// Since when the same option is selected.
    selected_since: Instant,
}

/// The question on a session's screen.
#[derive(Debug, Default)]
pub(super) struct Asking {
    known: Option<Known>,
    /// Another reading, and since when.
    candidate: Option<(Question, Instant)>,
}

impl Known {
    fn new(question: Question, since: Instant) -> Self {
        Self { asked: Arc::new(Asked::new(question)), since, selected_since: since }
    }

    /// Notes what the same question shows now.
    fn see_again(&mut self, found: Question, now: Instant) {
        let question = self.asked.question.seen_again(found);
        if question.selected() != self.asked.question.selected() {
            self.selected_since = now;
        }
        if question != self.asked.question {
            self.asked = Arc::new(Asked { id: self.asked.id.clone(), question });
        }
    }
}

impl Asking {
    /// The question that is asked, whatever the last reading was.
    pub(super) fn known(&self) -> Option<&Arc<Asked>> {
        self.known.as_ref().map(|known| &known.asked)
    }

    /// The question, where the last reading showed it, and since when it has been asked.
    pub(super) fn shown(&self) -> Option<(&Arc<Asked>, Instant)> {
        let shown = self.known.as_ref().filter(|_| self.candidate.is_none());
        shown.map(|known| (&known.asked, known.since))
    }

    /// Since when the same option of the question is selected.
    pub(super) fn selected_since(&self) -> Option<Instant> {
        self.known.as_ref().map(|known| known.selected_since)
    }

    /// What says the same is another question.
    pub(super) fn is_another(&mut self) {
        if let Some(known) = &mut self.known {
            *known = Known::new(known.asked.question.clone(), Instant::now());
        }
    }

    /// Nothing is asked any more.
    fn end(&mut self) {
        *self = Self::default();
    }

    /// Notes what a reading shows; returns when to read again, where it is not sure yet.
    fn note(&mut self, found: Question, now: Instant) -> Option<Instant> {
        if let Some(known) = &mut self.known
            && known.asked.question.is_same(&found)
        {
            known.see_again(found, now);
            self.candidate = None;
            return None;
        }
        let since = match &self.candidate {
            Some((candidate, since)) if candidate.is_same(&found) => *since,
            _ => now,
        };
        if now < since + SETTLED {
            self.candidate = Some((found, since));
            return Some(since + SETTLED);
        }
        self.known = Some(Known::new(found, since));
        self.candidate = None;
        None
    }
}

impl Session {
    /// Notes the question on the screen that was just read.
    pub(super) fn note_question(&mut self, now: Instant) {
        if self.reading.state != State::NeedsInput {
            if self.believed {
                self.asking.end();
            }
            return;
        }
        // A question that is not recognised may be in mid-repaint: the known one stays, and gets no key.
        let Some(found) = find(&self.parts.profile, &self.screen) else {
            self.unrecognised = true;
            return;
        };
        self.unrecognised = false;
        if let Some(at) = self.asking.note(found, now) {
            self.look_again(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;
    use crate::screen::Screen;

    fn question(rows: &str) -> Question {
        let demo = Profiles::builtin().get("demo").unwrap();
        find(&demo, &Screen::from_ansi(&format!("────────\n{rows}\n\nEsc to cancel"))).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn another_question_is_believed_when_it_has_settled_and_has_another_id() {
        let first = || question("Do you want to proceed?\n\n❯ 1. Yes\n  2. No");
        let (mut asking, start) = (Asking::default(), Instant::now());
        let settled = asking.note(first(), start).unwrap();
        assert_eq!(asking.note(first(), settled), None);
        let id = asking.known().unwrap().id.clone();

        let moved = question("Do you want to proceed?\n\n  1. Yes\n❯ 2. No");
        let later = settled + SETTLED;
        assert_eq!((asking.note(moved, later), asking.selected_since()), (None, Some(later)));
        let (asked, since) = asking.shown().unwrap();
        assert_eq!((&asked.id, asked.question.selected(), since), (&id, Some(1), start));

        let other = || question("Do you want to stop?\n\n❯ 1. Yes\n  2. No");
        let settled = asking.note(other(), settled).unwrap();
        assert!(asking.shown().is_none() && asking.known().unwrap().id == id);
        assert_eq!(asking.note(other(), settled), None);
        assert_ne!(asking.shown().unwrap().0.id, id);
    }
}
