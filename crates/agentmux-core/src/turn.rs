//! Turns: one prompt and the agent's work on it, from acceptance to reply.
//!
//! ```text
//!    ┌────── a usage limit ─────┐
//!    ▼                           │
//! queued ──► delivering ──► working ◄──► needs_input ──► done
//!    │           │  ▲           │             │
//!    ▼           ▼  │           ▼             ▼
//! cancelled   failed│        failed, interrupted
//!                   ▼
//!              unconfirmed        (late evidence: back to working, or done)
//! ```

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use crate::events::{Event, EventLog};
use crate::input::SessionName;
use crate::question::Asked;
use crate::signals::Usage;
use crate::state::Source;

/// The id of a turn: unique for ever, in order of time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TurnId(String);

impl TurnId {
    pub(crate) fn new() -> Self {
        Self(format!("t-{}", uuid::Uuid::now_v7().simple()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TurnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far a turn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TurnState {
    /// Accepted; waits for its session to be ready and free.
    Queued,
    /// Its text is being typed.
    Delivering,
    /// The agent has it and works.
    Working,
    /// The agent asks something before it goes on.
    NeedsInput,
    /// The agent has finished; the reply is there.
    Done,
    /// Typed and Enter pressed, but nothing shows that the agent took it.
    Unconfirmed,
    /// It did not come to a good end: see the turn's failure.
    Failed,
    /// Somebody interrupted the agent.
    Interrupted,
    /// Taken back before it was submitted.
    Cancelled,
}

/// All states, as on the wire.
pub const TURN_STATES: [TurnState; 9] = [
    TurnState::Queued,
    TurnState::Delivering,
    TurnState::Working,
    TurnState::NeedsInput,
    TurnState::Done,
    TurnState::Unconfirmed,
    TurnState::Failed,
    TurnState::Interrupted,
    TurnState::Cancelled,
];

impl TurnState {
    /// True where the turn will not go on by itself.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Delivering | Self::Working | Self::NeedsInput)
    }

    /// The word for it on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Delivering => "delivering",
            Self::Working => "working",
            Self::NeedsInput => "needs_input",
            Self::Done => "done",
            Self::Unconfirmed => "unconfirmed",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why a turn failed: a stable word and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `agent_exited`, `agent_error`, `login`, `session_killed`, `timeout`, `not_submitted`, `tmux_unavailable`, ...
    pub code: &'static str,
    /// For people.
    pub message: String,
}

/// A turn, as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Its id.
    pub id: TurnId,
    /// The session that it belongs to.
    pub session: SessionName,
    /// That session's id.
    pub session_id: String,
    /// How far it is.
    pub state: TurnState,
    /// What the agent asks before it goes on, where that is recognised.
    pub question: Option<Arc<Asked>>,
    /// True once there is proof that the agent took the prompt; false once it was typed without such proof; `None`
    /// before Enter was pressed.
    pub confirmed: Option<bool>,
    /// Where that proof came from: a [`Source`] that is more than our own act.
    pub receipt: Option<Source>,
    /// The agent changed the text that was typed, or added to it.
    pub transformed: bool,
    /// What the agent said; at most 1 MiB, the end is kept. `None` before its end, and where nobody knows it: the agent
    /// did not tell, and the prompt's echo, below which the reply stands, is out of sight.
    pub reply: Option<String>,
    /// Where the reply was read: `hook`, `transcript` or `screen`.
    pub reply_source: Option<&'static str>,
    /// What it used, as far as the agent tells.
    pub usage: Usage,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// When it was accepted.
    pub accepted_at: SystemTime,
    /// When Enter was pressed.
    pub submitted_at: Option<SystemTime>,
    /// When there was proof that the agent took the prompt.
    pub confirmed_at: Option<SystemTime>,
    /// When it became final.
    pub finished_at: Option<SystemTime>,
    /// A usage limit holds it up: when it goes on.
    pub held_until: Option<SystemTime>,
}

/// What the agent said in a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) text: String,
    /// Where it was read: `hook`, `transcript` or `screen`.
    pub(crate) source: &'static str,
}

/// How many finished turns are remembered.
const REMEMBERED: usize = 1000;

/// All turns of this process: those that go on, and the last thousand that have ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct TurnBook {
    pages: Arc<Mutex<Pages>>,
    events: EventLog,
}

#[derive(Debug, Default)]
struct Pages {
    turns: HashMap<TurnId, watch::Receiver<Turn>>,
    order: VecDeque<TurnId>,
}

/// The one place that may change a turn; whoever waits for the turn sees each change.
#[derive(Debug)]
pub(crate) struct TurnPen {
    turn: watch::Sender<Turn>,
    events: EventLog,
}

impl TurnBook {
    /// Writes down a new turn.
    pub(crate) fn open(&self, session: &SessionName, session_id: &str) -> TurnPen {
        let turn = Turn {
            id: TurnId::new(),
            session: session.clone(),
            session_id: session_id.to_owned(),
            state: TurnState::Queued,
            question: None,
            confirmed: None,
            receipt: None,
            transformed: false,
            reply: None,
            reply_source: None,
            usage: Usage::default(),
            failure: None,
            accepted_at: SystemTime::now(),
            submitted_at: None,
            confirmed_at: None,
            finished_at: None,
            held_until: None,
        };
        let id = turn.id.clone();
        let (pen, view) = watch::channel(turn);
        let mut pages = self.pages();
        pages.turns.insert(id.clone(), view);
        pages.order.push_back(id);
        pages.forget_old();
        drop(pages);
        let pen = TurnPen { turn: pen, events: self.events.clone() };
        pen.tell();
        pen
    }

    /// A turn by its id, to look at and to wait on.
    pub(crate) fn find(&self, id: &str) -> Option<watch::Receiver<Turn>> {
        self.pages().turns.get(&TurnId(id.to_owned())).cloned()
    }

    /// The newest turns that are wanted, newest first, without their replies: a thousand of those may be a gigabyte.
    pub(crate) fn list(&self, most: usize, wanted: impl Fn(&Turn) -> bool) -> Vec<Turn> {
        let pages = self.pages();
        let newest =
            pages.order.iter().rev().filter_map(|id| pages.turns.get(id)).map(watch::Receiver::borrow);
        newest.filter(|turn| wanted(turn)).take(most).map(|turn| turn.without_reply()).collect()
    }

    pub(crate) fn events(&self) -> &EventLog {
        &self.events
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    /// Forgets the oldest finished turns beyond the thousand; turns that go on stay, wherever they are.
    fn forget_old(&mut self) {
        let mut excess = self.order.len().saturating_sub(REMEMBERED);
        let turns = &mut self.turns;
        self.order.retain(|id| {
            let old = excess > 0 && turns.get(id).is_none_or(|turn| turn.borrow().state.is_final());
            if old {
                turns.remove(id);
                excess -= 1;
            }
            !old
        });
    }
}

impl TurnPen {
    pub(crate) fn watch(&self) -> watch::Receiver<Turn> {
        self.turn.subscribe()
    }

    pub(crate) fn state(&self) -> TurnState {
        self.turn.borrow().state
    }

    pub(crate) fn is(&self, id: &str) -> bool {
        self.turn.borrow().id.as_str() == id
    }

    /// Moves to a state that is not the end; nothing where it is there already.
    pub(crate) fn enter(&self, state: TurnState) {
        if self.state() != state {
            self.change(|turn| {
                turn.state = state;
                turn.question = None;
                turn.finished_at = None;
                turn.held_until = None;
            });
        }
    }

    /// The agent asks something.
    pub(crate) fn asks(&self, asked: Option<Arc<Asked>>) {
        let is_known = {
            let turn = self.turn.borrow();
            let id = |asked: &Option<Arc<Asked>>| asked.as_ref().map(|asked| asked.id.clone());
            turn.state == TurnState::NeedsInput && id(&turn.question) == id(&asked)
        };
        if !is_known {
            self.change(|turn| {
                turn.state = TurnState::NeedsInput;
                turn.question = asked;
            });
        }
    }

    /// Enter was pressed.
    pub(crate) fn submitted(&self) {
        self.change(|turn| {
            turn.submitted_at.get_or_insert_with(SystemTime::now);
            turn.confirmed.get_or_insert(false);
        });
    }

    /// A usage limit holds it up until then; the agent goes on with it by itself, or, else, it is to be sent again.
    pub(crate) fn held(&self, until: SystemTime, again: bool) {
        self.change(|turn| {
            turn.held_until = Some(until);
            if again {
                (turn.state, turn.finished_at) = (TurnState::Queued, None);
                (turn.confirmed, turn.receipt, turn.confirmed_at) = (None, None, None);
            }
        });
    }

    /// No limit holds it up any more.
    pub(crate) fn goes_on(&self) {
        if self.turn.borrow().held_until.is_some() {
            self.change(|turn| turn.held_until = None);
        }
    }

    /// There is proof that the agent took the prompt; the agent's own counts more than what was seen of it.
    pub(crate) fn confirmed(&self, by: Source) {
        let known = self.turn.borrow().receipt;
        if known.is_none() || (by == Source::Hook && known != Some(Source::Hook)) {
            self.change(|turn| {
                turn.confirmed = Some(true);
                turn.receipt = Some(by);
                turn.confirmed_at.get_or_insert_with(SystemTime::now);
            });
        }
    }

    /// The agent changed the prompt, or added to it.
    pub(crate) fn transformed(&self) {
        if !self.turn.borrow().transformed {
            self.change(|turn| turn.transformed = true);
        }
    }

    /// What the turn used; told with its end.
    pub(crate) fn used(&self, usage: Usage) {
        self.turn.send_modify(|turn| turn.usage = usage.or(turn.usage));
    }

    /// The agent has finished, and said this, where that is known.
    pub(crate) fn done(&self, reply: Option<Reply>) {
        self.finish(TurnState::Done, |turn| {
            turn.confirmed = Some(true);
            turn.says(reply);
        });
    }

    /// The agent was interrupted; this much it had said.
    pub(crate) fn interrupted(&self, reply: Option<Reply>) {
        let said_something = reply.filter(|reply| !reply.text.is_empty());
        self.finish(TurnState::Interrupted, |turn| turn.says(said_something));
    }

    /// Nothing was typed, and nothing will be.
    pub(crate) fn cancelled(&self) {
        self.finish(TurnState::Cancelled, |_| {});
    }

    /// Nothing shows that the agent took the prompt.
    pub(crate) fn unconfirmed(&self) {
        self.finish(TurnState::Unconfirmed, |_| {});
    }

    pub(crate) fn failed(&self, code: &'static str, message: impl Into<String>) {
        let failure = Failure { code, message: message.into() };
        self.finish(TurnState::Failed, |turn| turn.failure = Some(failure));
    }

    fn finish(&self, state: TurnState, change: impl FnOnce(&mut Turn)) {
        self.change(|turn| {
            turn.state = state;
            turn.question = None;
            turn.finished_at = Some(SystemTime::now());
            turn.held_until = None;
            change(turn);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Turn)) {
        self.turn.send_modify(change);
        self.tell();
    }

    fn tell(&self) {
        let event = self.turn.borrow().without_reply();
        self.events.push(Event::Turn(event));
    }
}

impl Turn {
    fn says(&mut self, reply: Option<Reply>) {
        (self.reply, self.reply_source) = reply.map(|reply| (reply.text, reply.source)).unzip();
    }

    fn without_reply(&self) -> Self {
        Self {
            id: self.id.clone(),
            session: self.session.clone(),
            session_id: self.session_id.clone(),
            reply: None,
            question: self.question.clone(),
            failure: self.failure.clone(),
            ..*self
        }
    }
}

/// Waits until a turn needs no more waiting: it is final, it asks something, or a usage limit begins to hold it up.
/// Returns it with `true`; with `false` where `patience` ended first.
pub(crate) async fn wait_for(mut turn: watch::Receiver<Turn>, patience: Duration) -> (Turn, bool) {
    let held = turn.borrow().held_until;
    let settled = |turn: &Turn| {
        let is_held_anew = turn.held_until.is_some() && turn.held_until != held;
        turn.state.is_final() || turn.state == TurnState::NeedsInput || is_held_anew
    };
    let reached = matches!(tokio::time::timeout(patience, turn.wait_for(settled)).await, Ok(Ok(_)));
    let now = turn.borrow().clone();
    (now, reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> SessionName {
        SessionName::parse("a").unwrap()
    }

    fn said(text: &str) -> Reply {
        Reply { text: text.to_owned(), source: "screen" }
    }

    #[test]
    fn a_reply_that_is_not_known_is_none_and_has_no_source() {
        let book = TurnBook::default();
        let ended = |end: &dyn Fn(&TurnPen)| {
            let pen = book.open(&name(), "s");
            end(&pen);
            let turn = pen.watch().borrow().clone();
            (turn.state, turn.reply, turn.reply_source)
        };
        let (done, interrupted) = (TurnState::Done, TurnState::Interrupted);
        assert_eq!(ended(&|pen| pen.done(None)), (done, None, None));
        assert_eq!(ended(&|pen| pen.done(Some(said("")))), (done, Some(String::new()), Some("screen")));
        assert_eq!(ended(&|pen| pen.interrupted(None)), (interrupted, None, None));
        assert_eq!(ended(&|pen| pen.interrupted(Some(said("")))), (interrupted, None, None));
        assert_eq!(
            ended(&|pen| pen.interrupted(Some(said("x")))),
            (interrupted, Some("x".to_owned()), Some("screen"))
        );
    }

    #[test]
    fn finished_turns_are_forgotten_before_those_that_go_on() {
        let book = TurnBook::default();
        let first = book.open(&name(), "s");
        let pens: Vec<_> = (0..REMEMBERED + 5)
            .map(|_| {
                let pen = book.open(&name(), "s");
                pen.done(None);
                pen
            })
            .collect();
        assert!(book.find(first.watch().borrow().id.as_str()).is_some());
        assert!(book.find(pens[0].watch().borrow().id.as_str()).is_none());
        assert!(book.find(pens.last().unwrap().watch().borrow().id.as_str()).is_some());
    }

    #[test]
    fn lists_are_newest_first_and_without_replies() {
        let book = TurnBook::default();
        let pens: Vec<_> = (0..3).map(|_| book.open(&name(), "s")).collect();
        pens[0].done(Some(said("x")));
        pens[2].done(Some(said("y")));
        let listed = book.list(10, |turn| turn.state == TurnState::Done);
        let ids: Vec<_> = listed.iter().map(|turn| turn.id.clone()).collect();
        assert_eq!(ids, [2, 0].map(|at: usize| pens[at].watch().borrow().id.clone()));
        assert!(listed.iter().all(|turn| turn.reply.is_none() && turn.reply_source.is_some()));
        assert_eq!(book.list(1, |_| true).len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_where_a_limit_begins_and_goes_on_under_one_that_is_known() {
        let book = TurnBook::default();
        let pen = book.open(&name(), "s");
        let waiting = tokio::spawn(wait_for(pen.watch(), Duration::from_secs(5)));
        tokio::task::yield_now().await;
        pen.enter(TurnState::Working);
        pen.held(SystemTime::now(), true);
        let (turn, reached) = waiting.await.unwrap();
        assert_eq!((turn.state, turn.held_until.is_some(), reached), (TurnState::Queued, true, true));
        assert!(!wait_for(pen.watch(), Duration::from_secs(5)).await.1);
        pen.enter(TurnState::Delivering);
        assert_eq!(pen.watch().borrow().held_until, None);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_with_the_turn_its_question_or_the_patience() {
        let book = TurnBook::default();
        let pen = book.open(&name(), "s");
        let (turn, reached) = wait_for(pen.watch(), Duration::from_secs(5)).await;
        assert_eq!((turn.state, reached), (TurnState::Queued, false));
        pen.asks(None);
        assert!(wait_for(pen.watch(), Duration::from_secs(5)).await.1);
        pen.done(Some(said("x")));
        assert_eq!(wait_for(pen.watch(), Duration::ZERO).await.0.reply.as_deref(), Some("x"));
    }
}
