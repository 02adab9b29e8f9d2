//! Reading the screen, and how far a reading is believed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::delivery::Current;
use super::{Extent, Session, evidence};
use crate::events::Event;
use crate::fusion::{COUNTS, STARTED, Word, fuse, started};
use crate::question::Asked;
use crate::reading::read;
use crate::screen::{Exit, Screen};
use crate::state::{Evidence, Source, State};
use crate::terminal::TerminalError;

/// A repaint may be half done when it is read: a change of state needs a second reading that agrees.
const CONFIRM: Duration = Duration::from_millis(40);

/// A screen that no rule knows is more often a half-done repaint than news.
const CONFIRM_UNKNOWN: Duration = Duration::from_millis(250);

/// Claude Code 2.1.330 ignores keys for up to 100 ms after it has painted a question: whoever is told of one answers.
const CONFIRM_QUESTION: Duration = Duration::from_millis(250);

/// Codex 0.169.0 announces that it is blocked up to a second before its question shows.
const CONFIRM_ANNOUNCED: Duration = Duration::from_millis(1500);

/// A pause after a terminal that did not answer.
const RETRY: Duration = Duration::from_secs(1);

/// While an agent is plainly at work and goes on printing, its screen is read so often at most.
const AT_WORK: Duration = Duration::from_millis(250);

/// But at once when the output has paused for so long after something new: it may have finished.
const PAUSE: Duration = Duration::from_millis(40);

/// Other changes are gathered for a moment: a repaint is several writes.
const GATHER: Duration = Duration::from_millis(8);

/// When the screen is read next, as something was printed now, and whether that is at the pause that may follow. `planned` is
/// the same as it was.
fn plan(
    planned: Option<(Instant, bool)>,
    looked_at: Instant,
    now: Instant,
    at_work: bool,
    repeats: bool,
) -> (Instant, bool) {
    let at = if at_work {
        // Between two frames of a spinner is no pause.
        let pause = if repeats { AT_WORK } else { PAUSE };
        (now + pause).min(looked_at + AT_WORK).max(now)
    } else {
        now + GATHER
    };
    match planned {
        // A pause is over when something new is printed; other plans stay.
        Some((planned, is_for_pause)) if planned < at && (repeats || !is_for_pause) => (planned, false),
        _ => (at, true),
    }
}

impl Session {
    /// Something was printed: reads the screen soon.
    pub(super) fn note_activity(&mut self) {
        let now = Instant::now();
        let announced = self.activity.announced().map(|announced| announced.at);
        let news = announced != self.announced_at;
        self.announced_at = announced;
        let seen = self.activity.news();
        let repeats = std::mem::replace(&mut self.news_seen, seen) == seen;
        let typing = self.current.as_ref().is_some_and(Current::is_typing);
        let at_work = self.reading.state == State::Busy && !typing && !news;
        let planned = self.look_at.map(|at| (at, self.look_is_for_pause));
        let (at, is_for_pause) = plan(planned, self.looked_at, now, at_work, repeats);
        (self.look_at, self.look_is_for_pause) = (Some(at), is_for_pause);
    }

    /// Reads the screen now, and decides how far to believe it. False where it could not be read: what is known is old.
    pub(super) async fn look(&mut self) -> bool {
        self.look_at = None;
        self.looked_at = Instant::now();
        match self.parts.terminal.read(&self.parts.pane, 0).await {
            Ok(screen) => self.note_screen(screen),
            Err(TerminalError::Gone | TerminalError::Exited) => {
                log::warn!("session {}: its pane is gone", self.parts.name);
                self.lost = true;
                self.note_state(State::Exited, Instant::now());
                self.reading.state = State::Exited;
                self.reading.source = Source::Process;
                self.reading.rule = "pane gone".into();
                self.reading.matched.clear();
                self.believed = true;
            }
            Err(error) => {
                log::warn!("session {}: could not read the screen: {error}", self.parts.name);
                self.look_again(Instant::now() + RETRY);
                return false;
            }
        }
        true
    }

    pub(super) fn note_screen(&mut self, screen: Screen) {
        let now = Instant::now();
        if (&screen.rows, &screen.title) != (&self.screen.rows, &self.screen.title) {
            self.quiet_since = now;
        }
        self.screen = screen;
        if let Some(current) = &mut self.current {
            current.note_screen(&self.screen);
        }
        let word = self.word();
        let reading = started(read(&self.parts.profile, &self.screen), self.quiet_since, now);
        if reading.state == State::Starting && now < self.quiet_since + STARTED {
            self.look_again(self.quiet_since + STARTED);
        }
        self.on_screen = reading.state;
        let (reading, contradiction) = fuse(reading, word.as_ref(), self.quiet_since, now);
        if let (true, Some(word)) = (contradiction, &word) {
            self.note_contradiction(word);
        }
        self.reading = reading;
        self.note_state(self.reading.state, now);
        self.believed = match self.candidate {
            None => true,
            Some((state, since)) => {
                let enough = since + self.confirmation(state);
                if now < enough {
                    self.look_again(enough);
                }
                now >= enough
            }
        };
        self.note_question(now);
    }

    /// Counts a contradiction between the agent's word and its screen, once for each word.
    fn note_contradiction(&mut self, word: &Word) {
        let now = Instant::now();
        let until = [word.at + COUNTS, self.quiet_since + COUNTS].into_iter().filter(|until| *until > now);
        if let Some(until) = until.min() {
            self.look_again(until);
        }
        if self.contradicted != Some(word.at) {
            self.contradicted = Some(word.at);
            self.contradictions += 1;
            log::debug!("session {}: its screen differs from its word {}", self.parts.name, word.matched);
        }
    }

    /// Notes a reading's state: a candidate where it contradicts what is published.
    fn note_state(&mut self, state: State, now: Instant) {
        if self.shown(state) == self.view.borrow().state {
            self.candidate = None;
        } else if self.candidate.is_none_or(|(candidate, _)| candidate != state) {
            self.candidate = Some((state, now));
        }
    }

    /// How long a state must be read before it is believed. Work and an ended process are believed at once: to take
    /// a busy agent for idle is the costly mistake.
    fn confirmation(&self, state: State) -> Duration {
        match state {
            State::Busy | State::Exited => Duration::ZERO,
            State::Unknown => CONFIRM_UNKNOWN,
            // The agent's word, or its title, comes before its question is painted.
            State::NeedsInput if self.reading.source != Source::Screen && self.asking.known().is_none() => {
                CONFIRM_ANNOUNCED
            }
            State::NeedsInput => CONFIRM_QUESTION,
            // Its own word is no half-done repaint; the profile says where the screen follows it late.
            State::Idle if matches!(self.reading.source, Source::Osc | Source::Hook) => {
                self.parts.profile.submit.settle
            }
            State::Idle | State::Draft => CONFIRM.max(self.parts.profile.submit.settle),
            _ => CONFIRM,
        }
    }

    /// The word for a state: before a session is ready, a screen that is not known is a start.
    fn shown(&self, state: State) -> State {
        if self.start.is_some() && state == State::Unknown { State::Starting } else { state }
    }

    /// The state that others see, and why.
    fn belief(&self) -> (State, Source, String, String) {
        if let Some(rule) = self.current.as_ref().and_then(|current| current.holds_busy(&self.reading)) {
            return (State::Busy, Source::Submission, rule.to_owned(), String::new());
        }
        if let Some(believed) = self.held_state() {
            return believed;
        }
        let reading = &self.reading;
        if reading.state == State::NeedsInput && self.policy_answers() {
            let rule = "permission answered by policy".to_owned();
            return (State::Busy, Source::Submission, rule, reading.matched.clone());
        }
        let state = match self.shown(reading.state) {
            // Ready is what the start says is ready: a box that is painted early, or a minimum delay, is not.
            State::Idle | State::Draft if self.start.is_some() => State::Starting,
            state => state,
        };
        (state, reading.source, reading.rule.clone(), reading.matched.clone())
    }

    /// The state of an idle agent that a limit or a missing login holds up.
    fn held_state(&self) -> Option<(State, Source, String, String)> {
        if self.start.is_some() || self.reading.state != State::Idle {
            return None;
        }
        let limit = self.limits.hold.as_ref().map(|hold| (State::Limited, &hold.notice));
        let login = || self.limits.login.as_ref().map(|login| (State::NeedsInput, &login.notice));
        let (state, notice) = limit.or_else(login)?;
        Some((state, Source::Screen, notice.name.clone(), notice.message.clone()))
    }

    /// Lets others see what is believed. Of an agent that is being killed there is nothing more to tell.
    pub(super) fn publish(&mut self) {
        if self.killing {
            return;
        }
        let goes_on = self.current.as_ref().is_some_and(|current| !current.is_unproven());
        let turns = self.waiting.len() + usize::from(goes_on);
        let (state, source, rule, matched) = self.belief();
        let sure = self.believed || state == State::Busy;
        let (screen, lost, contradictions) = (&self.screen, self.lost, self.contradictions);
        let resets_at = self.limits.hold.as_ref().filter(|_| state == State::Limited);
        let resets_at = resets_at.and_then(|hold| hold.resets_at);
        let (context, name) = (self.ears.context.or(self.reading.context), &self.parts.name);
        let asked = self.asking.known().or(self.limits.login.as_ref().map(|login| &login.question));
        let announced = self.activity.announced().is_some();
        let mut news = None;
        self.view.send_if_modified(|seen| {
            let mut now = seen.clone();
            if sure {
                let since = if now.state == state { now.evidence.since } else { SystemTime::now() };
                now.state = state;
                now.evidence = Evidence { since, ..evidence(source, &rule, &matched, since) };
            }
            now.question = asked.filter(|_| now.state == State::NeedsInput).cloned();
            if !screen.target.is_empty() {
                now.target.clone_from(&screen.target);
            }
            now.context = context.or(now.context);
            now.attached = screen.attached > 0;
            now.exit = screen.exit.or(lost.then_some(Exit::Unknown));
            now.lost = lost;
            now.resets_at = resets_at;
            now.turns = turns;
            now.announced |= announced;
            now.contradictions = contradictions;
            let changed = now != *seen;
            now.version += u64::from(changed);
            now.extent = Extent::of(screen);
            let id = |asked: &Option<Arc<Asked>>| asked.as_ref().map(|asked| asked.id.clone());
            if now.state != seen.state || id(&now.question) != id(&seen.question) {
                let question = now.question.clone();
                news = Some((now.state, now.evidence.clone(), question, now.exit, now.resets_at));
                log::debug!("session {name}: {} -> {} ({})", seen.state, now.state, now.evidence.rule);
            }
            *seen = now;
            changed
        });
        if let Some((state, evidence, question, exit, resets_at)) = news {
            if state == State::Idle && self.current.is_none() {
                // What a person's prompts left there is nobody's, and would grow for ever.
                self.parts.link.empty_records();
            }
            let (name, id) = (self.parts.name.clone(), self.parts.id.clone());
            let event = Event::Session { name, id, state, evidence, question, exit, resets_at };
            self.parts.book.events().push(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a screen is read in a second in which output comes every so many milliseconds, and how many milliseconds after
    /// the last output it is read the last time.
    fn reads(every: u64, at_work: bool, repeats: bool) -> (u32, u128) {
        let begin = Instant::now();
        let (mut looked_at, mut planned, mut count) = (begin, None, 0);
        let last = begin + Duration::from_millis(1000 / every * every);
        for millisecond in 0..2000 {
            let now = begin + Duration::from_millis(millisecond);
            if millisecond % every == 0 && now <= last {
                planned = Some(plan(planned, looked_at, now, at_work, repeats));
            }
            if planned.is_some_and(|(at, _)| at <= now) {
                (looked_at, planned, count) = (now, None, count + 1);
            }
        }
        (count, looked_at.duration_since(last).as_millis())
    }

    #[test]
    fn a_spinner_is_read_four_times_a_second_and_news_at_the_pause() {
        // The last outputs are at 990 and 960 ms.
        assert_eq!(reads(30, true, false), (4, 10), "a stream of text");
        assert_eq!(reads(120, true, false), (9, 40), "news, with pauses");
        assert_eq!(reads(120, true, true), (4, 40), "a spinner");
        assert_eq!(reads(120, false, true), (9, 8), "not at work");
    }

    #[test]
    fn a_frame_of_a_spinner_does_not_put_off_the_reading_of_news() {
        let begin = Instant::now();
        let at = |milliseconds| begin + Duration::from_millis(milliseconds);
        let planned = plan(None, begin, at(10), true, false);
        assert_eq!(planned, (at(50), true));
        assert_eq!(plan(Some(planned), begin, at(20), true, true), (at(50), false));
        assert_eq!(plan(Some(planned), begin, at(20), true, false), (at(60), true));
    }
}
