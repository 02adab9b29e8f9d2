//! A turn's way through the session: text into an empty box, Enter, proof, the end, the reply.
//!
//! ```text
//! typing ── text shows, pause ──► Enter ──► submitted ── finished ──► done
//!    │                              ▲           └─ unproven ─► late evidence, or the next turn
//!    ├─ never shows ─► failed       └─ text still in the box
//!    └─ a question comes over the box ─► needs_input ── answered ──► typing, or pasted anew
//! ```

mod typing;

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::conclusion::{Conclusion, conclude};
use super::growth::Growth;
use super::interrupt::INTERRUPT;
use super::signals::{Report, Said};
use super::{Session, Waiting};
use crate::input::Prompt;
use crate::notice::{self, Notice};
use crate::profile::signals::{Transcript, Whereabouts};
use crate::question::Policy;
use crate::reading::Reading;
use crate::reply::{Traces, traces, traces_above};
use crate::screen::Screen;
use crate::state::{Source, State};
use crate::submission::{Sight, Submission, Verdict};
use crate::terminal::TerminalError;
use crate::turn::{Reply, TurnPen, TurnState};
use typing::holds_only;

/// How many rows that scrolled out are searched for a prompt's echo and its reply at most.
const HISTORY: usize = 5000;

/// How many rows more than have scrolled out since the last look are asked for: some may just have.
const SLACK: usize = 100;

/// How long a screen at rest is without a trace of a turn before the agent's record is asked, and how long from one time to
/// the next.
const RECORDED: Duration = Duration::from_secs(1);

/// How long a screen that tells of a limit must last to be believed.
const LIMIT_SETTLES: Duration = Duration::from_millis(1500);

/// The turn that a session works on.
pub(super) struct Current {
    pub(super) pen: TurnPen,
    pub(super) prompt: Prompt,
    deadline: Option<Instant>,
    pub(super) policy: Option<Policy>,
    phase: Phase,
    /// Why it is to be interrupted, if it is.
    stop: Option<Stop>,
    /// When the keys were pressed.
    interrupted: Option<Instant>,
    /// It was pasted before, and swallowed.
    swallowed: bool,
    /// A question has come over the box since the paste.
    asked: bool,
    /// How often the agent had announced work before.
    worked_before: u64,
    /// How often the same prompt had been echoed before, in the rows in which `growth` begins.
    echoes_before: usize,
    growth: Growth,
    /// The state of the screen for which the echo was last looked for.
    searched: Option<Instant>,
    /// When the agent's record was last looked into for it.
    recorded: Option<Instant>,
    traces: Traces,
    /// What the agent told of it.
    pub(super) report: Report,
    /// What the agent said of the turn before.
    notice_before: Option<Notice>,
    /// It is a command of the agent's own.
    command: bool,
    /// A usage limit holds it up in the agent.
    held: bool,
}

/// Why a turn is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Its time was up.
    Late,
    /// Somebody asked for it.
    Asked,
}

enum Phase {
    /// A piece of the text, of so many bytes, was pasted, these are left; all of it shows since.
    Typing { pasted: Instant, piece: usize, left: VecDeque<String>, shown: Option<Instant> },
    /// Enter was pressed.
    Submitted(Submission),
    /// Enter was pressed, nothing showed that it was heard: others may go ahead.
    Unproven(Submission),
}

impl Current {
    pub(super) fn is_typing(&self) -> bool {
        matches!(self.phase, Phase::Typing { .. })
    }

    /// Somebody wants it interrupted.
    pub(super) fn stop_asked(&mut self) {
        self.stop.get_or_insert(Stop::Asked);
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.is_some()
    }

    /// The agent said that it took the prompt. Whoever pressed Enter, it is not to be pressed again.
    pub(super) fn taken(&mut self) {
        if self.is_typing() {
            self.phase = Phase::Submitted(Submission::new(Instant::now()));
            self.pen.submitted();
        }
        if let Phase::Submitted(submission) | Phase::Unproven(submission) = &mut self.phase {
            submission.told = true;
        }
    }

    /// Notes a reading of the screen.
    pub(super) fn note_screen(&mut self, screen: &Screen) {
        self.growth.note(screen);
    }

    /// True where the agent was seen at work since Enter.
    fn has_worked(&self) -> bool {
        matches!(&self.phase, Phase::Submitted(submission) if submission.worked)
    }

    /// True where nothing more is expected of it.
    pub(super) fn is_unproven(&self) -> bool {
        matches!(self.phase, Phase::Unproven(_))
    }

    /// The agent holds it up until a limit ends, and goes on with it by itself.
    pub(super) fn hold(&mut self, until: SystemTime) {
        if !self.held {
            self.held = true;
            self.pen.held(until, false);
        }
    }

    /// What the agent asked is answered.
    pub(super) fn answered(&self) {
        let next = if self.is_typing() { TurnState::Delivering } else { TurnState::Working };
        self.pen.enter(next);
    }

    /// The agent works: no limit holds it up.
    pub(super) fn goes_on(&mut self) {
        if self.held {
            self.held = false;
            self.pen.goes_on();
        }
    }

    /// The same turn, to be sent again.
    pub(super) fn again(self, until: SystemTime) -> Waiting {
        let Self { pen, prompt, deadline, policy, .. } = self;
        pen.held(until, true);
        Waiting { pen, prompt, deadline, policy, urgent: false, swallowed: false }
    }

    /// Why the session is busy by our own act although the screen does not say so; `None` where the screen decides.
    pub(super) fn holds_busy(&self, reading: &Reading) -> Option<&'static str> {
        let silent =
            !matches!(reading.state, State::Busy | State::NeedsInput | State::Limited | State::Exited);
        match self.phase {
            Phase::Typing { .. } if reading.state != State::NeedsInput => Some("prompt being typed"),
            Phase::Submitted(_) if silent && !self.held => Some("prompt submitted"),
            _ => None,
        }
    }
}

impl Session {
    /// Drives the current turn, or begins the next.
    pub(super) async fn step_turn(&mut self) {
        match self.current.as_ref().map(|current| &current.phase) {
            Some(Phase::Typing { .. }) => self.step_typing().await,
            Some(Phase::Submitted(_)) => self.step_submitted().await,
            Some(Phase::Unproven(_)) => self.step_unproven().await,
            None => {}
        }
        if self.current.as_ref().is_none_or(Current::is_unproven) && !self.waiting.is_empty() && self.believed
        {
            match self.reading.state {
                State::Idle if !self.held_up() => self.begin().await,
                State::Draft if self.draft_is_ours() && !self.held_up() => self.clear_box().await,
                _ => {}
            }
        }
    }

    /// True where the agent holds the current turn up, and says that it goes on with it by itself.
    fn is_kept(&self) -> bool {
        let resumes = self.limits.hold.as_ref().is_some_and(|hold| hold.notice.resumes);
        resumes && self.current.as_ref().is_some_and(|current| current.held)
    }

    /// True where a limit or a missing login keeps the next turn from being typed: commands of the agent's own may help.
    fn held_up(&self) -> bool {
        let is_command = |next: &Waiting| self.parts.profile.is_command(&next.prompt);
        self.limits.hold_up() && !self.waiting.front().is_some_and(is_command)
    }

    async fn step_submitted(&mut self) {
        if self.is_kept() {
            return;
        }
        self.search_traces().await;
        self.search_record().await;
        let (now, announced, seen) = (Instant::now(), self.announced_work(), self.seen());
        let (asked, by_itself) = (self.asking.known().cloned(), self.policy_answers());
        let Some(current) = &mut self.current else { return };
        let ours = holds_only(&self.parts.profile, &self.reading, current.prompt.as_str());
        let Phase::Submitted(submission) = &mut current.phase else { return };
        submission.note(seen, self.believed, current.traces.echoes > current.echoes_before);
        let has_announced = announced > current.worked_before;
        submission.worked |= has_announced;
        if submission.is_taken() {
            current.pen.confirmed(if has_announced { Source::Osc } else { Source::Screen });
        }
        let sight = Sight {
            state: self.reading.state,
            believed: self.believed,
            quiet_since: self.quiet_since,
            answered: current.traces.reply.as_ref().is_some_and(|reply| !reply.is_empty()),
            ours,
            ended: current.report.ended,
            command: current.command,
        };
        let verdict = submission.judge(sight, &self.parts.profile.submit, now);
        let submission = submission.clone();
        if verdict != Verdict::Finished {
            current.report.goes_on();
        } else if self.awaits_word() {
            return;
        }
        let Some(current) = &mut self.current else { return };
        match verdict {
            Verdict::Wait(at) => {
                if submission.is_taken() && self.reading.state != State::NeedsInput {
                    current.pen.enter(TurnState::Working);
                }
                if let Some(at) = at {
                    self.look_again(at);
                }
            }
            Verdict::Asks if by_itself => {}
            Verdict::Asks => current.pen.asks(asked),
            Verdict::EnterAgain => self.enter_again().await,
            Verdict::Finished => self.finish().await,
            Verdict::Unproven => {
                current.phase = Phase::Unproven(submission);
                current.pen.unconfirmed();
            }
            Verdict::Stuck => self.end_turn(|pen| {
                pen.failed(
                    "not_submitted",
                    "the agent keeps the text in its input box although Enter was pressed",
                );
            }),
        }
    }

    /// What is seen of the agent, its hooks left aside: that it took a prompt does not mean that it was seen at work.
    fn seen(&self) -> State {
        if self.reading.source == Source::Hook { self.on_screen } else { self.reading.state }
    }

    /// How often the agent has announced that it works: that may come and go between two readings.
    fn announced_work(&self) -> u64 {
        self.activity.announced().map_or(0, |announced| announced.worked)
    }

    /// Late evidence still counts.
    async fn step_unproven(&mut self) {
        self.search_traces().await;
        let seen = self.seen();
        let Some(current) = &mut self.current else { return };
        let Phase::Unproven(submission) = &mut current.phase else { return };
        submission.note(seen, self.believed, current.traces.echoes > current.echoes_before);
        if submission.is_taken() {
            current.pen.enter(TurnState::Working);
            current.pen.confirmed(Source::Screen);
            current.phase = Phase::Submitted(submission.clone());
            self.wake(Instant::now());
        }
    }

    /// Looks for the prompt's echo above the box, where the agent was not seen at work and the screen has changed.
    async fn search_traces(&mut self) {
        let Some(current) = &mut self.current else { return };
        let worked = match &current.phase {
            Phase::Submitted(submission) | Phase::Unproven(submission) => {
                submission.worked || submission.told
            }
            Phase::Typing { .. } => return,
        };
        let idle = matches!(self.reading.state, State::Idle | State::Draft | State::Unknown);
        if worked || !idle || current.searched == Some(self.quiet_since) {
            return;
        }
        if let Ok(screen) = self.read_turn().await
            && let Some(current) = &mut self.current
        {
            current.searched = Some(self.quiet_since);
            current.traces = traces(&self.parts.profile, &screen, current.prompt.as_str());
        }
    }

    /// Looks for the turn in the agent's own record, where the screen has come to rest without a trace of it: the agent may have
    /// answered between two readings, and the prompt be too long for the screen.
    async fn search_record(&mut self) {
        let at_rest = self.believed && self.reading.state == State::Idle;
        let Some(current) = &mut self.current else { return };
        let Phase::Submitted(submission) = &current.phase else { return };
        let is_traced = submission.is_taken() || current.traces.echoes > current.echoes_before;
        // One that does not say when an entry was made may have the same prompt from before.
        let is_dated = |(rule, _): (&Transcript, _)| {
            rule.time.is_some() || matches!(rule.whereabouts, Whereabouts::Own(_))
        };
        if !at_rest || is_traced || current.command || !self.parts.link.record().is_some_and(is_dated) {
            return;
        }
        let now = Instant::now();
        let since = self.quiet_since.max(submission.last_enter);
        let due = current.recorded.map_or(since, |asked| asked.max(since)) + RECORDED;
        if now < due {
            self.look_again(due);
            return;
        }
        current.recorded = Some(now);
        self.look_again(now + RECORDED);
        let told = self.told().await;
        if !told.is_some_and(|told| told.is_whole && told.reply.is_some()) {
            return;
        }
        if let Some(current) = &mut self.current
            && let Phase::Submitted(submission) = &mut current.phase
        {
            submission.told = true;
            current.report.ended = true;
            current.pen.confirmed(Source::Transcript);
        }
    }

    async fn read_rows(&self, history: usize) -> Result<Screen, TerminalError> {
        self.parts.terminal.read(&self.parts.pane, u32::try_from(history).unwrap_or(u32::MAX)).await
    }

    /// The screen, below the rows that scrolled out since the current turn began.
    async fn read_turn(&mut self) -> Result<Screen, TerminalError> {
        let rows = |session: &Self| session.current.as_ref().map_or(0, |current| current.growth.rows());
        loop {
            let asked = (rows(self) + SLACK).min(HISTORY);
            let screen = self.read_rows(asked).await?;
            if let Some(current) = &mut self.current {
                current.note_screen(&screen);
            }
            if rows(self) <= asked || asked == HISTORY {
                return Ok(screen.with_history(rows(self)));
            }
        }
    }

    /// The reply among these rows, without what the agent says of the turn's end; `None` where the prompt's echo is not
    /// to be seen.
    async fn reply_in(&self, screen: &Screen) -> Option<String> {
        let current = self.current.as_ref()?;
        let find = |screen: &Screen| match notice::find(&self.parts.profile, screen) {
            Some((_, row)) => traces_above(&self.parts.profile, screen, current.prompt.as_str(), row),
            None => traces(&self.parts.profile, screen, current.prompt.as_str()),
        };
        let found = find(screen);
        if found.echoes > current.echoes_before {
            return found.reply;
        }
        // It is known to have taken the prompt: the last echo, wherever it is, is this one's.
        if !current.growth.is_certain()
            && current.has_worked()
            && let Ok(all) = self.read_rows(HISTORY).await
        {
            return find(&all).reply;
        }
        None
    }

    /// Reads the reply, if a fresh reading still shows the end.
    async fn finish(&mut self) {
        let Ok(screen) = self.read_turn().await else {
            self.look_again(Instant::now() + Duration::from_millis(100));
            return;
        };
        let state = self.reading.state;
        self.note_screen(screen.without_history());
        let Some(current) = &self.current else { return };
        if self.reading.state != state {
            return;
        }
        let stopped = current.stop.filter(|_| current.interrupted.is_some());
        let on_screen = self.reply_in(&screen).await;
        let is_echoed = on_screen.is_some();
        let Some(Said { reply, usage, failure }) = self.said(on_screen).await else { return };
        let Some(current) = &self.current else { return };
        // Without our echo between them, the same words may be those of the turn before.
        let shown = notice::find(&self.parts.profile, &screen).map(|(notice, _)| notice);
        let shown = shown.filter(|notice| is_echoed || current.notice_before.as_ref() != Some(notice));
        let reply =
            if current.command { Some(Reply { text: String::new(), source: "screen" }) } else { reply };
        let is_silent = reply.as_ref().is_none_or(|reply| reply.text.is_empty());
        let returned = is_silent && self.draft_is_ours();
        let conclusion = conclude(stopped, shown, failure, returned);
        current.pen.used(usage);
        match conclusion {
            Conclusion::Done => {
                self.limits.answered();
                self.end_turn(|pen| pen.done(reply));
            }
            Conclusion::Interrupted => self.end_turn(|pen| pen.interrupted(reply)),
            Conclusion::Late => {
                self.end_turn(|pen| pen.failed("timeout", "the turn's time was up; it was interrupted"));
            }
            Conclusion::Failed(code, message) => self.end_turn(|pen| pen.failed(code, message)),
            Conclusion::Bounced(notice) => {
                // The agent may not have said all: whether it goes on by itself comes a moment later.
                let settled = self.quiet_since + LIMIT_SETTLES;
                if Instant::now() < settled { self.look_again(settled) } else { self.bounce(notice) }
            }
        }
    }

    fn end_turn(&mut self, how: impl FnOnce(&TurnPen)) {
        if let Some(current) = self.current.take() {
            // First the session is free: whoever waited for the turn may start the next at once.
            if self.waiting.is_empty() {
                self.publish();
            }
            how(&current.pen);
        }
        self.wake(Instant::now());
    }

    /// Interrupts the current turn when its time is up or somebody asked for it, and ends it when it has come to rest or
    /// does not.
    pub(super) async fn step_stop(&mut self) {
        let now = Instant::now();
        let Some(current) = &mut self.current else { return };
        if current.stop.is_none() && current.deadline.is_some_and(|deadline| deadline <= now) {
            current.stop = Some(Stop::Late);
        }
        let (stop, interrupted) = (current.stop, current.interrupted);
        match (&current.phase, stop, interrupted) {
            // Nobody knows when the question will be gone.
            (Phase::Typing { .. }, Some(stop), None) if self.reading.state == State::NeedsInput => {
                self.end_turn(|pen| match stop {
                    Stop::Asked => pen.cancelled(),
                    Stop::Late => pen.failed(
                        "timeout",
                        "the turn's time was up while the agent asked something; Enter was not pressed",
                    ),
                });
            }
            // What is being typed is submitted first: half a prompt is nobody's.
            (Phase::Submitted(_), Some(_), None) => {
                current.interrupted = Some(now);
                if let Err(error) = self.press_interrupt().await {
                    log::warn!("session {}: could not interrupt the agent: {error}", self.parts.name);
                }
                self.wake(now + INTERRUPT);
            }
            (_, Some(_), Some(since)) if now < since + INTERRUPT => self.wake(since + INTERRUPT),
            (_, Some(Stop::Late), Some(_)) => {
                self.end_turn(|pen| {
                    pen.failed("timeout", "the turn's time was up; the agent did not come to rest")
                });
            }
            // It goes on: the agent may take another key.
            (_, Some(Stop::Asked), Some(_)) => (current.stop, current.interrupted) = (None, None),
            (_, None, _) => {
                if let Some(deadline) = current.deadline {
                    self.wake(deadline);
                }
            }
            (_, Some(_), None) => {}
        }
    }
}

/// True where what is shown ends with the text's end, so many characters of it at most; blanks are ignored.
pub(super) fn ends_as(shown: &str, text: &str, most: usize) -> bool {
    let end: Vec<char> = text.chars().rev().filter(|c| !c.is_whitespace()).take(most).collect();
    let end: String = end.into_iter().rev().collect();
    squash(shown).ends_with(&end)
}

/// The text without its blanks: agents wrap and indent what they show.
pub(super) fn squash(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}
