//! A turn's way through the session: text into an empty box, Enter, proof, the end, the reply.
//!
//! ```text
//! typing ── text shows, pause ──► Enter ──► submitted ── finished ──► done
//!    │                              ▲           └─ unproven ─► late evidence, or the next turn
//!    ├─ never shows ─► failed       └─ text still in the box
//!    └─ a question comes over the box ─► needs_input ── answered ──► typing, or pasted anew
//! ```

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::chunks::{Joint, joint, pieces};
use super::conclusion::{Conclusion, conclude};
use super::growth::{Growth, MARGIN};
use super::interrupt::INTERRUPT;
use super::signals::{Report, Said};
use super::{Session, Waiting};
use crate::input::{Key, Prompt};
use crate::notice::{self, Notice};
use crate::profile::Profile;
use crate::question::Policy;
use crate::reading::Reading;
use crate::reply::{Traces, traces, traces_above};
use crate::screen::Screen;
use crate::state::{Source, State};
use crate::submission::{Sight, Submission, Verdict};
use crate::terminal::TerminalError;
use crate::turn::{Reply, TurnPen, TurnState};

/// How many rows that scrolled out are searched for a prompt's echo and its reply at most.
const HISTORY: usize = 5000;

/// How many rows more than have scrolled out since the last look are asked for: some may just have.
const SLACK: usize = 100;

/// How long pasted text may take to show in the box.
const SHOWS: Duration = Duration::from_secs(15);

/// How long the box must have rested on something else than a pasted piece for that to be how the agent shows it.
const REWRITTEN: Duration = Duration::from_secs(1);

/// How long a screen that tells of a limit must last to be believed.
const LIMIT_SETTLES: Duration = Duration::from_millis(1500);

/// How long keys that clear the box may take to show: some do something else where the box is empty.
const CLEARS: Duration = Duration::from_secs(1);

/// How long an agent must have rested before what a question swallowed is pasted again: some start anew after it.
const RESTED: Duration = Duration::from_secs(2);

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

    /// Our own text was left in the box: takes it out, so that it does not mix with the next prompt.
    async fn clear_box(&mut self) {
        let now = Instant::now();
        if let Some(at) = self.cleared.map(|cleared| cleared + CLEARS).filter(|at| now < *at) {
            self.look_again(at);
            return;
        }
        self.cleared = Some(now);
        let keys = self.parts.profile.submit.clear.clone();
        if let Err(error) = self.parts.terminal.keys(&self.parts.pane, &keys).await {
            log::warn!("session {}: could not clear the box: {error}", self.parts.name);
        }
        self.look_again(now + Duration::from_millis(200));
    }

    /// Pastes the next prompt, if a fresh reading still shows an empty box.
    async fn begin(&mut self) {
        let screen = match self.read_rows(MARGIN).await {
            Ok(screen) => screen,
            Err(error) => {
                self.cannot_begin(&error);
                return;
            }
        };
        let Some(next) = self.waiting.front() else { return };
        let before = traces(&self.parts.profile, &screen, next.prompt.as_str());
        let notice_before = notice::find(&self.parts.profile, &screen).map(|(notice, _)| notice);
        let command = self.parts.profile.is_command(&next.prompt);
        self.note_screen(screen.without_history());
        if self.reading.state != State::Idle {
            return;
        }
        if self.waiting.front().is_some_and(|next| next.swallowed) && self.quiet_since.elapsed() < RESTED {
            self.look_again(self.quiet_since + RESTED);
            return;
        }
        let Some(next) = self.waiting.pop_front() else { return };
        next.pen.enter(TurnState::Delivering);
        let mut left = pieces(next.prompt.as_str(), self.parts.profile.submit.chunks);
        let first = left.pop_front().unwrap_or_default();
        let report = Report::new(&self.parts.link);
        let pasted = self.parts.terminal.paste(&self.parts.pane, &first).await;
        let piece = first.len();
        self.last_typed = first;
        if let Err(error) = pasted {
            self.paste_failed(&next.pen, &error);
            return;
        }
        self.current = Some(Current {
            pen: next.pen,
            prompt: next.prompt,
            deadline: next.deadline,
            policy: next.policy,
            phase: Phase::Typing { pasted: Instant::now(), piece, left, shown: None },
            stop: None,
            interrupted: None,
            swallowed: next.swallowed,
            asked: false,
            worked_before: self.announced_work(),
            echoes_before: before.echoes,
            growth: Growth::since(&screen),
            searched: None,
            traces: Traces::default(),
            report,
            notice_before,
            command,
            held: false,
        });
        self.look_again(Instant::now());
    }

    /// The terminal does not answer: who waits for the prompt to be typed is told so; what was queued waits on.
    fn cannot_begin(&mut self, error: &TerminalError) {
        if matches!(error, TerminalError::Unavailable(_))
            && self.waiting.front().is_some_and(|next| next.urgent)
            && let Some(next) = self.waiting.pop_front()
        {
            next.pen.failed("tmux_unavailable", format!("nothing was typed: {error}"));
        }
        self.look_again(Instant::now() + Duration::from_millis(200));
    }

    fn paste_failed(&mut self, pen: &TurnPen, error: &TerminalError) {
        let code = match error {
            TerminalError::Gone | TerminalError::Exited => "agent_exited",
            _ => "tmux_unavailable",
        };
        pen.failed(code, format!("the prompt could not be typed: {error}"));
        self.look_again(Instant::now());
    }

    /// Pastes the next piece once the one before is seen in the box; presses Enter once all of the text is, and the agent
    /// has had the pause that it needs.
    async fn step_typing(&mut self) {
        let (now, state) = (Instant::now(), self.reading.state);
        let asked = self.current.as_ref().is_some_and(|current| current.asked);
        if let Some(current) = &self.current
            && asked
            && self.believed
            && state != State::NeedsInput
        {
            // Whoever answered.
            current.pen.enter(TurnState::Delivering);
        }
        if state == State::NeedsInput || (asked && state == State::Busy) {
            self.wait_for_answer();
            return;
        }
        if asked && self.after_question().await {
            return;
        }
        let ours = self.box_is_ours();
        let Some(current) = &mut self.current else { return };
        let Phase::Typing { pasted, left, shown, .. } = &mut current.phase else { return };
        let visible = self.reading.state == State::Draft || shows_end(&self.screen, &self.last_typed);
        if visible && ours && !left.is_empty() {
            self.paste_next().await;
        } else if visible && ours {
            let press_at = *shown.get_or_insert(now) + self.parts.profile.submit.pause;
            if now < press_at {
                self.look_again(press_at);
            } else {
                self.press_enter().await;
            }
        } else if now >= *pasted + SHOWS {
            let why = match visible {
                true => {
                    "the agent's input box shows more than the text: somebody typed into it, too; Enter was not pressed"
                }
                false => "the text did not show in the agent's input box; Enter was not pressed",
            };
            self.end_turn(|pen| pen.failed("not_shown", why));
        } else {
            let give_up = *pasted + SHOWS;
            self.look_again((now + Duration::from_millis(100)).min(give_up));
        }
    }

    /// Pastes the next piece, after the pause that the agent needs to take it for one of its own.
    async fn paste_next(&mut self) {
        let now = Instant::now();
        let Some(current) = &mut self.current else { return };
        let Phase::Typing { pasted, piece: last, left, .. } = &mut current.phase else { return };
        let pause = self.parts.profile.submit.chunks.map_or(Duration::ZERO, |chunks| chunks.pause);
        if now < *pasted + pause {
            let at = *pasted + pause;
            self.wake(at);
        } else if let Some(piece) = left.pop_front() {
            let result = self.parts.terminal.paste(&self.parts.pane, &piece).await;
            (*pasted, *last) = (Instant::now(), piece.len());
            self.last_typed += &piece;
            if let Err(error) = result
                && let Some(current) = self.current.take()
            {
                self.paste_failed(&current.pen, &error);
            }
            self.look_again(Instant::now());
        }
    }

    /// True where the box holds nothing but what we typed: a piece of it is seen behind the one before, as a box may not
    /// show all of a long text.
    fn box_is_ours(&self) -> bool {
        let Some(current) = &self.current else { return false };
        let only = holds_only(&self.parts.profile, &self.reading, &self.last_typed);
        match current.phase {
            Phase::Typing { pasted, piece, ref left, .. }
                if !left.is_empty() || piece < self.last_typed.len() =>
            {
                let joint = match &self.reading.input {
                    Some(text) if stands_for(&self.parts.profile, text) => Joint::Whole,
                    Some(text) => joint(text, &self.last_typed, piece),
                    None => joint(&down_to_cursor(&self.screen), &self.last_typed, piece),
                };
                let is_shown = match joint {
                    Joint::Whole => self.looked_at > pasted,
                    Joint::Parted => false,
                    Joint::Unseen => self.quiet_since > pasted && self.quiet_since.elapsed() >= REWRITTEN,
                };
                only && is_shown
            }
            _ => only,
        }
    }

    /// A question has come over the box, which would swallow what is typed, or the agent works after its answer: nothing is
    /// typed, and who waits for the turn is told what is asked.
    fn wait_for_answer(&mut self) {
        let is_asked = self.believed && self.reading.state == State::NeedsInput;
        let asked = self.asking.known().cloned();
        let by_itself = self.policy_answers() || self.answers_dialog();
        let Some(current) = &mut self.current else { return };
        if let Phase::Typing { pasted, shown, .. } = &mut current.phase {
            (*pasted, *shown) = (Instant::now(), None);
        }
        current.asked |= is_asked;
        if is_asked && !by_itself {
            current.pen.asks(asked);
        }
    }

    /// The question that came over the box is gone: what was typed may have gone into it, or one piece of that. Then it is
    /// pasted anew, once. False where it goes on as it is.
    async fn after_question(&mut self) -> bool {
        let Some(current) = &self.current else { return true };
        let Phase::Typing { pasted, .. } = current.phase else { return true };
        let anew = !current.swallowed;
        let in_pieces = pieces(current.prompt.as_str(), self.parts.profile.submit.chunks).len() > 1;
        match self.reading.state {
            // A second reading will come.
            _ if !self.believed => {}
            State::Idle if anew => self.paste_once_more(),
            _ if !in_pieces => return false,
            State::Draft if anew && self.draft_begins_ours() => self.clear_box().await,
            State::Idle | State::Draft => self.end_turn(not_whole),
            _ if Instant::now() >= pasted + SHOWS => self.end_turn(not_whole),
            _ => self.look_again(pasted + SHOWS),
        }
        true
    }

    /// Lets the turn begin anew. Its Enter was never pressed; should the text turn up twice, it never will be.
    fn paste_once_more(&mut self) {
        let Some(current) = self.current.take() else { return };
        log::info!("session {}: a question swallowed the prompt; it is pasted again", self.parts.name);
        let Current { pen, prompt, deadline, policy, .. } = current;
        self.waiting.push_front(Waiting { pen, prompt, deadline, policy, urgent: false, swallowed: true });
        self.wake(Instant::now());
    }

    /// Presses Enter again if a fresh reading still shows our text, and nothing else, in the box.
    async fn enter_again(&mut self) {
        self.look().await;
        let Some(current) = &self.current else { return };
        if self.reading.state == State::Draft
            && holds_only(&self.parts.profile, &self.reading, current.prompt.as_str())
        {
            self.press_enter().await;
        }
    }

    async fn press_enter(&mut self) {
        // What the agent told and showed before says nothing of what follows: our text in the box is no draft.
        self.ears.word = None;
        self.candidate = None;
        let pressed = self.parts.terminal.keys(&self.parts.pane, &[Key::Enter]).await;
        let now = Instant::now();
        let Some(current) = &mut self.current else { return };
        match pressed {
            Ok(()) => {
                match &mut current.phase {
                    Phase::Submitted(submission) => submission.entered_again(now),
                    phase => *phase = Phase::Submitted(Submission::new(now)),
                }
                current.pen.submitted();
                self.answering = None;
            }
            Err(error) => {
                let message = format!("Enter could not be pressed: {error}");
                self.end_turn(|pen| pen.failed("tmux_unavailable", message));
            }
        }
        self.look_again(now + Duration::from_millis(10));
    }

    async fn step_submitted(&mut self) {
        if self.is_kept() {
            return;
        }
        self.search_traces().await;
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

/// A question came between the pieces of a prompt, and the box is not as it was.
fn not_whole(pen: &TurnPen) {
    let why = "a question came over the agent's input box while the text was typed; Enter was not pressed";
    pen.failed("not_shown", why);
}

/// True where the box holds no more than was typed: what a person typed behind it is not to be submitted with it.
///
/// Agents show a text in their own way (composed accents, no zero-width characters, a part of it, a word for it), so it
/// is letters and digits that are counted, not compared.
fn holds_only(profile: &Profile, reading: &Reading, typed: &str) -> bool {
    let count = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    reading.input.as_ref().is_none_or(|text| count(text) <= count(typed) || stands_for(profile, text))
}

/// True where the agent shows a word for what was pasted.
fn stands_for(profile: &Profile, text: &str) -> bool {
    profile.submit.pasted.as_ref().is_some_and(|pasted| pasted.is_match(text))
}

/// True where the rows down to the cursor end with the text's end, blanks ignored: programs without a box wrap long
/// input over several rows.
fn shows_end(screen: &Screen, typed: &str) -> bool {
    let end: Vec<char> = typed.chars().rev().filter(|c| !c.is_whitespace()).take(60).collect();
    let end: String = end.into_iter().rev().collect();
    squash(&down_to_cursor(screen)).ends_with(&end)
}

/// The rows that are seen down to the cursor.
fn down_to_cursor(screen: &Screen) -> String {
    let rows = screen.visible();
    let last = (screen.cursor_row + 1).min(rows.len());
    rows[..last].iter().flat_map(|row| [row.text(), "\n"]).collect()
}

/// The text without its blanks: agents wrap and indent what they show.
pub(super) fn squash(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}
