//! An answer's way to a question: the selection is moved, read again, Enter pressed on the right option, and the
//! question seen to go away.
//!
//! ```text
//! given ── question known, answer fits ──► selecting ──► (text typed, shown) ──► entered ──► gone: answered
//!   │                                  └─► hook given the decision ──► gone: answered; still there: by keys
//!   └─ nothing asked, another question,        │ another question                   └─ still there: not answered
//!      or one that is not recognised           └─► refused, no key more
//! ```
//!
//! The last key is pressed once. Should it be lost, the answer has failed and nothing is changed: pressed again, it
//! could answer the next question, which may look the same.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Session;
use super::delivery::ends_as;
use super::hand::Hand;
use crate::error::Error;
use crate::input::Key;
use crate::profile::Layout;
use crate::question::{Answer, Asked, Plan, Policy, Question, Unfit, toward};
use crate::state::State;
use crate::turn::TurnState;

/// How long a question must have been on the screen. Claude Code 2.1.330 ignores keys for up to 100 ms after it has
/// painted one.
const TAKES_KEYS: Duration = Duration::from_millis(300);

/// How long an option must have been selected before Enter. What Qwen Code 0.24.4 and Gemini CLI 0.61.0 do after they have
/// painted a moved selection forgets an Enter that came before it, as on a busy machine.
const TAKES_ENTER: Duration = Duration::from_millis(300);

/// How long a question that the agent announces, but no form of its profile knows, may take to be painted.
const PAINTED: Duration = Duration::from_millis(1500);

/// How long typed text may take to show, and an answered question to go away.
const SHOWS: Duration = Duration::from_secs(5);

/// How long a question may take to go away when the agent's hook was given the decision; then keys are pressed.
const TAKES_DECISIONS: Duration = Duration::from_secs(3);

/// How long an answer may take in all.
const PATIENCE: Duration = Duration::from_secs(25);

/// How often a policy tries to answer the same question. It may have become another one, which says the same.
const TRIES: usize = 3;

/// A pause between two readings.
const AGAIN: Duration = Duration::from_millis(50);

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The question.
    pub asked: Arc<Asked>,
    /// The option that was chosen, where it was one.
    pub option: Option<String>,
}

/// Whoever gave an answer.
pub(super) enum Giver {
    /// Somebody, who waits for what comes of it.
    Caller(oneshot::Sender<Result<Answered, Error>>),
    /// The session's, or the turn's, policy.
    Policy,
}

/// An answer on its way.
pub(super) struct Given {
    answer: Answer,
    /// The id of the question that is meant.
    expected: Option<String>,
    giver: Giver,
    since: Instant,
    hand: Hand<Question>,
    aim: Option<Aim>,
}

/// What an answer is meant for, and how far it is.
struct Aim {
    asked: Arc<Asked>,
    plan: Plan,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Selecting,
    /// Enter was pressed on the option that takes text, which showed this then.
    Opening(Instant),
    /// The text was typed.
    Typed(Instant),
    /// The last key was pressed.
    Entered(Instant),
    /// A hook was given the decision, when the agent had asked so often; whether it may have asked the same twice.
    Decided {
        at: Instant,
        asks: u64,
        rivalled: bool,
    },
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Move {
    Wait,
    /// The selection is moved.
    Step(Key),
    /// Enter opens the option's field.
    Open,
    /// The text is typed.
    Type,
    /// The agent's hook is given the decision.
    Decide,
    /// These keys give the answer.
    Enter(Vec<Key>),
    /// The question is gone, or ticked as it was asked for.
    Done,
}

impl Given {
    pub(super) fn new(answer: Answer, expected: Option<String>, giver: Giver) -> Self {
        Self { answer, expected, giver, since: Instant::now(), hand: Hand::default(), aim: None }
    }

    pub(super) fn is_by_policy(&self) -> bool {
        matches!(self.giver, Giver::Policy)
    }

    /// Tells whoever waits.
    pub(super) fn end(self, result: Result<Answered, Error>) {
        if let Giver::Caller(caller) = self.giver {
            // It may have gone.
            drop(caller.send(result));
        }
    }

    fn answered(&self, aim: &Aim) -> Answered {
        let option = match &aim.plan {
            Plan::Choose(at) => Some(*at),
            _ => None,
        };
        let label =
            option.and_then(|at| aim.asked.question.options.get(at)).map(|option| option.label.clone());
        Answered { asked: aim.asked.clone(), option: label }
    }
}

impl Session {
    /// Takes an answer, unless another one is on its way.
    pub(super) fn take_answer(&mut self, given: Given) {
        if self.given.is_some() {
            given.end(Err(Error::Answering { session: self.parts.name.clone() }));
            return;
        }
        self.given = Some(given);
        self.look_again(Instant::now());
    }

    /// What is to be done with questions for permission now.
    pub(super) fn policy(&self) -> Policy {
        self.current.as_ref().and_then(|current| current.policy).unwrap_or(self.parts.policy)
    }

    /// The answer that the policy has to the question that is asked, unless it was tried in vain.
    fn policy_answer(&self) -> Option<Answer> {
        let is_vain = |asked: &Asked| self.in_vain.iter().filter(|id| **id == asked.id).count() >= TRIES;
        let asked = self.asking.known().filter(|asked| !is_vain(asked))?;
        self.policy().answer(&asked.question)
    }

    /// True where the policy answers, or is about to, what the screen asks.
    pub(super) fn policy_answers(&self) -> bool {
        self.given.as_ref().is_some_and(Given::is_by_policy)
            || (self.given.is_none() && self.policy_answer().is_some())
    }

    /// Brings an answer one step further.
    pub(super) async fn step_answer(&mut self) {
        let asks = self.believed && self.reading.state == State::NeedsInput;
        if self.given.is_none()
            && asks
            && let Some(answer) = self.policy_answer()
        {
            self.given = Some(Given::new(answer, None, Giver::Policy));
        }
        let Some(mut given) = self.given.take() else { return };
        let next = match self.next_move(&mut given) {
            Ok(next @ (Move::Wait | Move::Done)) => Ok(next),
            Ok(next) => self.carry_out(next, &mut given).await,
            Err(error) => Err(error),
        };
        match next {
            Ok(Move::Done) => self.answered(given),
            Ok(_) => {
                self.look_again(Instant::now() + AGAIN);
                self.given = Some(given);
            }
            Err(error) => self.not_answered(given, error),
        }
    }

    /// Judges what comes next, from the last reading.
    fn next_move(&self, given: &mut Given) -> Result<Move, Error> {
        let now = Instant::now();
        let name = || self.parts.name.clone();
        if now >= given.since + PATIENCE || given.hand.is_tired() {
            return Err(Error::NotAnswered { session: name() });
        }
        if !self.believed {
            return Ok(Move::Wait);
        }
        let asks = self.reading.state == State::NeedsInput;
        let known = self.asking.known().filter(|_| asks);
        if let Some(Aim { asked, plan, phase: Phase::Entered(at) }) = &given.aim {
            return match known.is_some_and(|known| is_there_still(plan, asked, known)) {
                false => Ok(Move::Done),
                true if now < *at + SHOWS => Ok(Move::Wait),
                true => Err(Error::NotAnswered { session: name() }),
            };
        }
        if let Some(Aim { asked, phase, .. }) = &mut given.aim
            && let Phase::Decided { at, asks, rivalled } = *phase
        {
            // One more question is another one, though it may say the same.
            let is_there = known.is_some_and(|known| known.id == asked.id) && self.ears.asks == asks;
            match () {
                () if !is_there => return Ok(Move::Done),
                () if now < at + TAKES_DECISIONS => return Ok(Move::Wait),
                () if rivalled => return Err(Error::NotAnswered { session: name() }),
                () => *phase = Phase::Selecting,
            }
        }
        if !asks {
            return Err(match given.aim {
                Some(_) => Error::QuestionChanged { session: name() },
                None => Error::NoQuestion { session: name() },
            });
        }
        let Some((asked, since)) = self.asking.shown().filter(|_| !self.unrecognised) else {
            return match now < given.since + PAINTED {
                true => Ok(Move::Wait),
                false => {
                    Err(Error::QuestionUnknown { session: name(), screen: self.screen.text(usize::MAX) })
                }
            };
        };
        let expected = given.aim.as_ref().map(|aim| &aim.asked.id).or(given.expected.as_ref());
        if expected.is_some_and(|expected| *expected != asked.id) {
            return Err(Error::QuestionChanged { session: name() });
        }
        let by_hook = self.decides_by_hook(&asked.question, &given.answer);
        if !by_hook && now < since + TAKES_KEYS {
            return Ok(Move::Wait);
        }
        let aim = match &mut given.aim {
            Some(aim) => aim,
            None => given.aim.insert(self.aim(asked, &given.answer)?),
        };
        if by_hook && aim.phase == Phase::Selecting {
            return Ok(Move::Decide);
        }
        let next = self.next_key(aim, &asked.question, now)?;
        let enters = matches!(next, Move::Enter(_) | Move::Open);
        let too_soon = self.asking.selected_since().is_some_and(|since| now < since + TAKES_ENTER);
        Ok(if enters && too_soon { Move::Wait } else { next })
    }

    /// What the answer means for the question.
    fn aim(&self, asked: &Arc<Asked>, answer: &Answer) -> Result<Aim, Error> {
        let form = self.parts.profile.questions.iter().find(|form| form.name == asked.question.form);
        let form = form.expect("a question is read by one of the profile's own forms");
        if let Answer::Text(text) = answer {
            self.parts.profile.accepts(text)?;
        }
        let plan = asked.question.plan(form, answer).map_err(|unfit| match unfit {
            Unfit::Invalid(invalid) => Error::Invalid(invalid),
            Unfit::NotTaken(message) => Error::NotAnswerable { session: self.parts.name.clone(), message },
        })?;
        Ok(Aim { asked: asked.clone(), plan, phase: Phase::Selecting })
    }

    /// The next key for a question that is on the screen.
    fn next_key(&self, aim: &Aim, question: &Question, now: Instant) -> Result<Move, Error> {
        let selecting = |wanted: usize, there: Move| {
            let Some(selected) = question.selected() else { return Move::Wait };
            match toward(selected, wanted, self.layout(question)) {
                Key::Enter => there,
                key => Move::Step(key),
            }
        };
        let late = |since: Instant| match now < since + SHOWS {
            true => Ok(Move::Wait),
            false => Err(Error::NotAnswered { session: self.parts.name.clone() }),
        };
        match (&aim.plan, aim.phase) {
            (_, Phase::Decided { .. }) => Ok(Move::Wait),
            (Plan::Press(keys), _) => Ok(Move::Enter(keys.clone())),
            (Plan::Choose(wanted), _) => Ok(selecting(*wanted, Move::Enter(vec![Key::Enter]))),
            (Plan::Type { option: None, .. }, Phase::Selecting) => Ok(Move::Type),
            (Plan::Type { option: Some(wanted), enter, .. }, Phase::Selecting) => {
                Ok(selecting(*wanted, if *enter { Move::Open } else { Move::Type }))
            }
            (Plan::Type { option, .. }, Phase::Opening(since)) => {
                let says = |question: &Question| option.and_then(|at| question.options.get(at).cloned());
                if says(question) == says(&aim.asked.question) { late(since) } else { Ok(Move::Type) }
            }
            (Plan::Type { option, text, .. }, Phase::Typed(since) | Phase::Entered(since)) => {
                match self.shows_answer(question, *option, text.as_str()) {
                    true => Ok(Move::Enter(vec![Key::Enter])),
                    false => late(since),
                }
            }
        }
    }

    fn layout(&self, question: &Question) -> Layout {
        let form = self.parts.profile.questions.iter().find(|form| form.name == question.form);
        form.map_or(Layout::Down, |form| form.layout)
    }

    /// Whether the typed text's end is seen where it belongs.
    fn shows_answer(&self, question: &Question, option: Option<usize>, text: &str) -> bool {
        let shown = match option {
            Some(at) => question.options.get(at).map_or_else(String::new, |option| {
                format!("{}{}", option.label, option.description.as_deref().unwrap_or_default())
            }),
            None => self.screen.cursor().map_or_else(String::new, |row| row.text().to_owned()),
        };
        ends_as(&shown, text, 20)
    }

    /// Does it, if a fresh reading still asks for it.
    async fn carry_out(&mut self, next: Move, given: &mut Given) -> Result<Move, Error> {
        let key = if let Move::Step(key) = &next { *key } else { Key::Enter };
        let Some(sight) = self.asking.known().map(|asked| asked.question.clone()) else {
            return Ok(Move::Wait);
        };
        if next != Move::Decide && !given.hand.may_press(key, &sight, self.quiet_since, Instant::now()) {
            return Ok(Move::Wait);
        }
        if !self.look().await || self.next_move(given)? != next {
            return Ok(Move::Wait);
        }
        if next == Move::Decide {
            let (decided, asks, at) = (self.decide(&given.answer), self.ears.asks, Instant::now());
            if let (Some(aim), Some(rivalled)) = (&mut given.aim, decided) {
                aim.phase = Phase::Decided { at, asks, rivalled };
            }
            return Ok(Move::Wait);
        }
        let Some(aim) = &mut given.aim else { return Ok(Move::Wait) };
        let (terminal, pane) = (&self.parts.terminal, &self.parts.pane);
        let done = match (&next, &aim.plan) {
            (Move::Type, Plan::Type { text, .. }) => terminal.paste(pane, text.as_str()).await,
            (Move::Enter(keys), _) => terminal.keys(pane, keys).await,
            _ => terminal.keys(pane, &[key]).await,
        };
        done.map_err(|error| self.terminal_error(error))?;
        let now = Instant::now();
        given.hand.note(sight, now);
        aim.phase = match next {
            Move::Open => Phase::Opening(now),
            Move::Type => Phase::Typed(now),
            Move::Enter(_) => Phase::Entered(now),
            _ => aim.phase,
        };
        Ok(Move::Wait)
    }

    /// The question is answered: the turn goes on, or waits for the answer to the next one.
    fn answered(&mut self, mut given: Given) {
        let Some(aim) = given.aim.take() else { return };
        let question = &aim.asked.question;
        if given.is_by_policy() {
            let (name, policy, id) = (&self.parts.name, self.policy().word(), &aim.asked.id);
            log::info!("session {name}: the permission {id} was answered by the policy {policy}");
        }
        let asks = self.reading.state == State::NeedsInput;
        if !question.multiple && asks && self.asking.known().is_some_and(|known| known.id == aim.asked.id) {
            self.asking.is_another();
        }
        if let Some(current) =
            self.current.as_ref().filter(|current| current.pen.state() == TurnState::NeedsInput)
        {
            match asks {
                true => current.pen.asks(self.asking.known().cloned()),
                false => current.answered(),
            }
        }
        self.publish();
        let answered = given.answered(&aim);
        given.end(Ok(answered));
        self.look_again(Instant::now());
    }

    fn not_answered(&mut self, given: Given, error: Error) {
        if given.is_by_policy() {
            log::warn!("session {}: the policy's answer failed: {error}", self.parts.name);
            let id = self.asking.known().map(|asked| asked.id.clone());
            // Those of earlier questions are of no more use.
            self.in_vain.retain(|earlier| Some(earlier) == id.as_ref());
            self.in_vain.extend(id);
        }
        given.end(Err(error));
        self.look_again(Instant::now());
    }
}

/// Whether an answer has left the question as it was: the chosen option selected, its tick as before.
fn is_there_still(plan: &Plan, asked: &Asked, now: &Asked) -> bool {
    if now.id != asked.id {
        return false;
    }
    let ticked = |asked: &Asked, at: usize| asked.question.options.get(at).and_then(|option| option.ticked);
    match plan {
        // A selection that was not moved is that of another question, which says the same.
        Plan::Choose(at) => {
            ticked(asked, *at) == ticked(now, *at) && now.question.selected().is_none_or(|now| now == *at)
        }
        _ => true,
    }
}
