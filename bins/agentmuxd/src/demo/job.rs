//! The work on one prompt while it lasts.

use std::time::{Duration, Instant};

use super::script::{Plan, Then};

/// The spinner turns, and a word comes, this often.
const TICK: Duration = Duration::from_millis(120);
const WORDS_A_LINE: usize = 10;

/// A plan under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    plan: Plan,
    /// From then on the screen may tell of it.
    begins: Instant,
    words: usize,
    /// The line of the reply that is being written.
    line: String,
    /// The lines before it.
    lines: Vec<String>,
}

impl Job {
    /// Starts on a plan; the screen tells of it `late`.
    pub(super) fn new(plan: Plan, now: Instant, late: Duration) -> Self {
        Self { plan, begins: now + late, words: 0, line: String::new(), lines: Vec::new() }
    }

    /// Whether it shows as an attempt after an error.
    pub(super) fn retries(&self) -> bool {
        self.plan.retries
    }

    /// Whether an interrupt puts the prompt back into the box.
    pub(super) fn returns(&self) -> bool {
        self.plan.returns
    }

    fn ends(&self) -> Instant {
        self.begins + self.plan.busy
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        now >= self.ends()
    }

    /// How long it has been at work, where the screen tells of that.
    pub(super) fn shown_for(&self, now: Instant) -> Option<Duration> {
        now.checked_duration_since(self.begins).filter(|_| self.plan.shows_work)
    }

    /// When it has to be looked at next.
    pub(super) fn wake(&self, now: Instant) -> Instant {
        let next = match now.checked_duration_since(self.begins) {
            None => self.begins,
            Some(_) if !self.plan.shows_work => self.ends(),
            Some(since) => self.begins + TICK * u32::try_from(ticks(since) + 1).unwrap_or(u32::MAX),
        };
        next.min(self.ends())
    }

    /// Writes the words that are due; returns the lines that became full, with true for the first one.
    pub(super) fn write(&mut self, now: Instant) -> Vec<(bool, String)> {
        let mut full = Vec::new();
        let due = now.checked_duration_since(self.begins).map_or(0, ticks);
        while self.plan.streams && self.words < due {
            self.line += &format!("{}word{}", if self.line.is_empty() { "" } else { " " }, self.words);
            self.words += 1;
            if self.words.is_multiple_of(WORDS_A_LINE) {
                full.extend(self.end_line());
            }
        }
        full
    }

    /// The line that is being written, with true where it is the first.
    pub(super) fn unfinished(&self) -> Option<(bool, &str)> {
        (!self.line.is_empty()).then_some((self.lines.is_empty(), self.line.as_str()))
    }

    /// Ends the line that is being written.
    pub(super) fn end_line(&mut self) -> Option<(bool, String)> {
        let line = std::mem::take(&mut self.line);
        (!line.is_empty()).then(|| {
            self.lines.push(line.clone());
            (self.lines.len() == 1, line)
        })
    }

    /// What was written, how it ends, and what it leaves in the box.
    pub(super) fn finish(self) -> (Vec<String>, Then, Option<String>) {
        (self.lines, self.plan.then, self.plan.leaves)
    }
}

fn ticks(time: Duration) -> usize {
    usize::try_from(time.as_millis() / TICK.as_millis()).unwrap_or(usize::MAX)
}

/// The look of the spinner at a time.
pub(super) fn spinner(time: Duration) -> char {
    const FRAMES: [char; 6] = ['✻', '✽', '✻', '✶', '✳', '✢'];
    FRAMES[ticks(time) % FRAMES.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_with_time_and_fill_lines() {
        let now = Instant::now();
        let mut job = Job::new(Plan::of("SLOW 9"), now, Duration::ZERO);
        assert_eq!(job.write(now), []);
        let full = job.write(now + TICK * 11);
        assert_eq!(full.len(), 1);
        assert!(full[0].0 && full[0].1.ends_with(" word9"));
        assert_eq!(job.unfinished(), Some((false, "word10")));
        assert!(!job.is_over(now + TICK * 11) && job.is_over(now + Duration::from_secs(9)));
    }

    #[test]
    fn a_late_or_silent_job_shows_nothing() {
        let now = Instant::now();
        let late = Job::new(Plan::of("THINK 2"), now, Duration::from_secs(1));
        assert_eq!((late.shown_for(now), late.wake(now)), (None, now + Duration::from_secs(1)));
        assert!(late.shown_for(now + Duration::from_secs(2)).is_some());
        let silent = Job::new(Plan::of("SILENT 2"), now, Duration::ZERO);
        assert_eq!((silent.shown_for(now), silent.wake(now)), (None, now + Duration::from_secs(2)));
    }
}
