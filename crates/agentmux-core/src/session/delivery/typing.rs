//! The typing: a prompt into an empty box, in pieces where the agent needs that, and Enter once all of it shows.

use std::time::Duration;

use tokio::time::Instant;

use super::{Current, Phase, ends_as};
use crate::input::Key;
use crate::notice;
use crate::profile::Profile;
use crate::reading::Reading;
use crate::reply::{Traces, traces};
use crate::screen::Screen;
use crate::session::chunks::{Joint, joint, pieces};
use crate::session::growth::{Growth, MARGIN};
use crate::session::signals::Report;
use crate::session::{Session, Waiting};
use crate::state::State;
use crate::submission::Submission;
use crate::terminal::TerminalError;
use crate::turn::{TurnPen, TurnState};

/// How long pasted text may take to show in the box.
const SHOWS: Duration = Duration::from_secs(15);

/// How long the box must have rested on something else than a pasted piece for that to be how the agent shows it.
const REWRITTEN: Duration = Duration::from_secs(1);

/// How long keys that clear the box may take to show: some do something else where the box is empty.
const CLEARS: Duration = Duration::from_secs(1);

/// How long an agent must have rested before what a question swallowed is pasted again: some start anew after it.
const RESTED: Duration = Duration::from_secs(2);

impl Session {
    /// Our own text was left in the box: takes it out, so that it does not mix with the next prompt.
    pub(in crate::session) async fn clear_box(&mut self) {
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
    pub(super) async fn begin(&mut self) {
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
            recorded: None,
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
    pub(super) async fn step_typing(&mut self) {
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
    pub(super) async fn enter_again(&mut self) {
        let is_fresh = self.look().await;
        let Some(current) = &self.current else { return };
        if is_fresh
            && self.reading.state == State::Draft
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
}

/// A question came between the pieces of a prompt, and the box is not as it was.
fn not_whole(pen: &TurnPen) {
    let why = "a question came over the agent's input box while the text was typed; Enter was not pressed";
    pen.failed("not_shown", why);
}

/// True where the box holds no more than was typed: what a person typed behind it is not to be submitted with it.
///
/// Agents show a text in their own way (composed accents, no zero-width characters, a part of it, a word for it or for a
/// file), so it is letters and digits that are counted, not compared.
pub(super) fn holds_only(profile: &Profile, reading: &Reading, typed: &str) -> bool {
    let count = |text: &str| {
        let words = profile.attachments.as_ref().map(|attachments| attachments.without_words(text));
        words.as_deref().unwrap_or(text).chars().filter(|c| c.is_alphanumeric()).count()
    };
    reading.input.as_ref().is_none_or(|text| count(text) <= count(typed) || stands_for(profile, text))
}

/// True where the agent shows a word for what was pasted.
fn stands_for(profile: &Profile, text: &str) -> bool {
    profile.submit.pasted.as_ref().is_some_and(|pasted| pasted.is_match(text))
}

/// True where the rows down to the cursor end with the text's end, blanks ignored: programs without a box wrap long
/// input over several rows.
fn shows_end(screen: &Screen, typed: &str) -> bool {
    ends_as(&down_to_cursor(screen), typed, 60)
}

/// The rows that are seen down to the cursor.
fn down_to_cursor(screen: &Screen) -> String {
    let rows = screen.visible();
    let last = (screen.cursor_row + 1).min(rows.len());
    rows[..last].iter().flat_map(|row| [row.text(), "\n"]).collect()
}
