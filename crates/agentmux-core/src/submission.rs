//! What follows a prompt's Enter: judged from what was seen since, as a pure function.
//!
//! ```text
//!             text still in the box ─► Enter again (never the text again) ─► stuck
//! Enter ─┬──► busy ──────────────────► taken ─► idle ─► finished
//!        ├──► question ──────────────► taken ─► asks
//!        ├──► echo, box empty ───────► taken ─► reply rows, or quiet for the grace ─► finished
//!        └──► none of it, and quiet for ten seconds ─► unproven (later evidence still counts)
//! ```

use std::time::Duration;

use tokio::time::Instant;

use crate::profile::Submit;
use crate::state::State;

/// How long to wait for evidence, and how long for a box that keeps its text.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A pause before an empty box after a command of the agent's own is taken for its end.
const COMMAND: Duration = Duration::from_millis(500);

/// A pause before a screen with a reply but no sign of work is taken for the end.
const UNSEEN_WORK: Duration = Duration::from_millis(150);

/// A prompt whose Enter was pressed.
#[derive(Debug, Clone)]
pub(crate) struct Submission {
    /// The first Enter.
    pub(crate) entered: Instant,
    /// The last one.
    pub(crate) last_enter: Instant,
    /// How many.
    pub(crate) enters: u32,
    /// The agent was seen at work, or asking, since.
    pub(crate) worked: bool,
    /// The prompt was seen above the box since.
    pub(crate) echoed: bool,
    /// The agent said that it took the prompt.
    pub(crate) told: bool,
}

/// What is seen now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight {
    /// What the screen says.
    pub(crate) state: State,
    /// Whether that may be believed.
    pub(crate) believed: bool,
    /// Since when nothing has changed.
    pub(crate) quiet_since: Instant,
    /// Whether something stands below the echo.
    pub(crate) answered: bool,
    /// Whether the box holds nothing but our text.
    pub(crate) ours: bool,
    /// Whether the agent said that it has finished.
    pub(crate) ended: bool,
    /// Whether the prompt is a command of the agent's own, which may show neither work nor echo.
    pub(crate) command: bool,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Look again, at this time at the latest.
    Wait(Option<Instant>),
    /// The text is still in the box: press Enter.
    EnterAgain,
    /// The agent has finished.
    Finished,
    /// The agent asks something.
    Asks,
    /// Nothing shows that the agent took it.
    Unproven,
    /// The box keeps its text whatever we do.
    Stuck,
}

impl Submission {
    pub(crate) fn new(now: Instant) -> Self {
        Self { entered: now, last_enter: now, enters: 1, worked: false, echoed: false, told: false }
    }

    /// True once there is proof that the agent took the prompt.
    pub(crate) fn is_taken(&self) -> bool {
        self.worked || self.echoed || self.told
    }

    /// Notes what is seen.
    pub(crate) fn note(&mut self, state: State, believed: bool, echoed: bool) {
        self.worked |= state == State::Busy || (state == State::NeedsInput && believed);
        self.echoed |= echoed;
    }

    pub(crate) fn entered_again(&mut self, now: Instant) {
        self.last_enter = now;
        self.enters += 1;
    }

    /// Judges what was noted and is seen now.
    pub(crate) fn judge(&self, sight: Sight, submit: &Submit, now: Instant) -> Verdict {
        match sight.state {
            State::Busy => Verdict::Wait(None),
            State::NeedsInput if sight.believed => Verdict::Asks,
            State::Draft if sight.believed => self.judge_draft(sight, now),
            State::Idle if sight.believed => self.judge_idle(sight, submit, now),
            _ => self.judge_silence(sight, now),
        }
    }

    fn judge_draft(&self, sight: Sight, now: Instant) -> Verdict {
        if self.worked || sight.ended || (self.echoed && sight.answered) {
            return Verdict::Finished;
        }
        if self.echoed || self.told {
            return Verdict::Wait(None);
        }
        if now >= self.entered + PATIENCE {
            return Verdict::Stuck;
        }
        // What a person typed behind it would be submitted with it.
        if !sight.ours {
            return Verdict::Wait(Some(self.entered + PATIENCE));
        }
        // 0.3, 0.6, 1.2, 2.4 seconds: an agent may swallow Enter for a while after a paste.
        let pause = Duration::from_millis(300) * 2_u32.pow(self.enters.saturating_sub(1).min(3));
        if now >= self.last_enter + pause {
            Verdict::EnterAgain
        } else {
            Verdict::Wait(Some(self.last_enter + pause))
        }
    }

    fn judge_idle(&self, sight: Sight, submit: &Submit, now: Instant) -> Verdict {
        if self.worked || sight.ended {
            return Verdict::Finished;
        }
        let quiet = match (self.told, self.echoed) {
            (false, _) if sight.command => COMMAND.max(submit.settle),
            // It took the prompt, does not show that it works, and will say when it has finished, unless somebody
            // interrupts it.
            (true, _) => PATIENCE,
            (false, true) if sight.answered => UNSEEN_WORK.max(submit.settle),
            (false, true) => submit.grace,
            (false, false) => return self.judge_silence(sight, now),
        };
        let end = sight.quiet_since.max(self.last_enter) + quiet;
        if now >= end { Verdict::Finished } else { Verdict::Wait(Some(end)) }
    }

    fn judge_silence(&self, sight: Sight, now: Instant) -> Verdict {
        if self.is_taken() {
            return Verdict::Wait(None);
        }
        let end = sight.quiet_since.max(self.entered) + PATIENCE;
        if now >= end { Verdict::Unproven } else { Verdict::Wait(Some(end)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    /// One row: what was noted, what is seen, milliseconds since Enter and of quiet; what follows.
    #[expect(clippy::too_many_arguments, reason = "a row of a table")]
    fn row(
        worked: bool,
        echoed: bool,
        enters: u32,
        state: State,
        believed: bool,
        answered: bool,
        at: u64,
        quiet: u64,
    ) -> Verdict {
        let profile = Profiles::builtin().get("demo").unwrap();
        let entered = Instant::now();
        let now = entered + Duration::from_millis(at);
        let submission = Submission { enters, worked, echoed, ..Submission::new(entered) };
        let quiet_since = now - Duration::from_millis(quiet);
        let sight =
            Sight { state, believed, answered, quiet_since, ours: true, ended: false, command: false };
        submission.judge(sight, &profile.submit, now)
    }

    #[test]
    fn idle_counts_only_with_newer_evidence() {
        use State::Idle;
        assert_eq!(row(true, false, 1, Idle, true, false, 50, 0), Verdict::Finished);
        assert!(matches!(row(true, false, 1, Idle, false, false, 50, 0), Verdict::Wait(_)));
        // A late sign of work: echo and an empty box, but nothing below the echo yet.
        assert!(matches!(row(false, true, 1, Idle, true, false, 1500, 1500), Verdict::Wait(_)));
        assert_eq!(row(false, true, 1, Idle, true, false, 4000, 3500), Verdict::Finished);
        assert_eq!(row(false, true, 1, Idle, true, true, 300, 200), Verdict::Finished);
        assert!(matches!(row(false, false, 1, Idle, true, false, 9000, 9000), Verdict::Wait(_)));
        assert_eq!(row(false, false, 1, Idle, true, false, 10_000, 10_000), Verdict::Unproven);
        assert!(matches!(row(false, false, 1, Idle, true, false, 20_000, 50), Verdict::Wait(_)));
    }

    #[test]
    fn an_agent_that_told_of_the_beginning_is_waited_for_until_it_tells_of_the_end() {
        let profile = Profiles::builtin().get("demo").unwrap();
        let entered = Instant::now();
        for (state, ended, at, expected) in [
            (State::Idle, false, 9000, Verdict::Wait(Some(entered + PATIENCE))),
            (State::Idle, false, 10_000, Verdict::Finished),
            (State::Idle, true, 100, Verdict::Finished),
            (State::Draft, false, 9000, Verdict::Wait(None)),
            (State::Draft, true, 100, Verdict::Finished),
        ] {
            let submission = Submission { told: true, echoed: true, ..Submission::new(entered) };
            let now = entered + Duration::from_millis(at);
            let sight = Sight {
                state,
                believed: true,
                quiet_since: entered,
                answered: false,
                ours: true,
                ended,
                command: false,
            };
            assert_eq!(submission.judge(sight, &profile.submit, now), expected, "{state} {ended} {at}");
        }
    }

    #[test]
    fn a_box_that_keeps_its_text_gets_enter_again_never_for_ever() {
        use State::Draft;
        assert!(matches!(row(false, false, 1, Draft, true, false, 200, 200), Verdict::Wait(_)));
        assert_eq!(row(false, false, 1, Draft, true, false, 300, 300), Verdict::EnterAgain);
        assert!(matches!(row(false, false, 1, Draft, false, false, 300, 300), Verdict::Wait(_)));
        assert_eq!(row(false, false, 9, Draft, true, false, 10_000, 300), Verdict::Stuck);
        // After work, text in the box is not ours to submit.
        assert_eq!(row(true, true, 1, Draft, true, true, 9000, 300), Verdict::Finished);
    }

    #[test]
    fn a_person_s_text_behind_ours_is_never_submitted() {
        let profile = Profiles::builtin().get("demo").unwrap();
        let entered = Instant::now();
        for (at, expected) in [(5000, Verdict::Wait(Some(entered + PATIENCE))), (10_000, Verdict::Stuck)] {
            let now = entered + Duration::from_millis(at);
            let sight = Sight {
                state: State::Draft,
                believed: true,
                answered: false,
                quiet_since: entered,
                ours: false,
                ended: false,
                command: false,
            };
            assert_eq!(Submission::new(entered).judge(sight, &profile.submit, now), expected, "{at}");
        }
    }

    #[test]
    fn questions_are_reported_and_work_is_waited_for() {
        assert_eq!(row(true, true, 1, State::NeedsInput, true, false, 900, 0), Verdict::Asks);
        assert_eq!(row(true, true, 1, State::Busy, true, false, 90_000, 90_000), Verdict::Wait(None));
        assert_eq!(row(true, true, 1, State::Unknown, true, false, 90_000, 90_000), Verdict::Wait(None));
        assert_eq!(row(false, false, 1, State::Unknown, true, false, 10_000, 10_000), Verdict::Unproven);
    }
}
