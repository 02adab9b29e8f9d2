//! A hook whose answer is held back: the agent takes a decision from it while its question is on the screen.
//!
//! ```text
//! asks ── policy approves or denies ──► decided at once, no question is shown
//!   └── policy asks ──► held ── its question is shown ──► decided by an answer
//!                         │                                 └─ gone, or too long: let go
//!                         └─ its question is not shown: let go
//! ```
//!
//! To let go is to drop the sender: the hook is then answered with `{}`, and the question is one for keys.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Session;
use super::delivery::squash;
use crate::question::{Answer, Policy, Question, QuestionKind};
use crate::signals::{Permit, Signal};

/// How long a question may take to be shown. Claude Code 2.1.330 takes 0.3 s.
const PAINTED: Duration = Duration::from_secs(10);

/// How long a hook is held. The agent gives it up after ten minutes.
const LONGEST: Duration = Duration::from_secs(590);

/// So much of a command must be seen in the question: some agents cut long ones off.
const SEEN: usize = 80;

/// A hook that waits for a decision.
#[derive(Debug)]
pub(super) struct Held {
    permit: Permit,
    answer: oneshot::Sender<Value>,
    since: Instant,
    /// Its question has been on the screen.
    shown: bool,
    /// The agent has asked once more meanwhile.
    rivalled: bool,
}

impl Held {
    /// Whether this is the question that the hook is about. Agents ask for several commands at once, and show one
    /// question after the other: to allow another one than is shown would be the costly mistake.
    fn is_about(&self, question: &Question) -> bool {
        let command = self.permit.command.as_deref().map(squash).unwrap_or_default();
        let begin: String = command.chars().take(SEEN).collect();
        question.kind == QuestionKind::Permission
            && !begin.is_empty()
            && squash(&question.text).contains(&begin)
    }

    fn body(&self, answer: &Answer) -> Option<&Value> {
        match answer {
            Answer::Approve => self.permit.allow.as_ref(),
            Answer::Deny => self.permit.deny.as_ref(),
            _ => None,
        }
    }
}

impl Session {
    /// Decides by the policy what the agent asks by its hook, or holds the hook. True where it is decided.
    pub(super) fn take_hook(&mut self, signal: &Signal, answer: Option<oneshot::Sender<Value>>) -> bool {
        let (Some(permit), Some(answer)) = (&signal.permit, answer) else { return false };
        let policy = self.policy();
        let body = match policy {
            Policy::Ask => None,
            Policy::Approve => permit.allow.clone(),
            Policy::Deny => permit.deny.clone(),
        };
        if let Some(body) = body {
            log::info!(
                "session {}: a permission was answered by the policy {}",
                self.parts.name,
                policy.word()
            );
            return answer.send(body).is_ok();
        }
        match &mut self.held {
            Some(held) if !held.answer.is_closed() => held.rivalled = true,
            _ => {
                let (permit, since) = (permit.clone(), Instant::now());
                self.held = Some(Held { permit, answer, since, shown: false, rivalled: false });
            }
        }
        false
    }

    /// Lets a hook go whose question is no more.
    pub(super) fn step_held(&mut self) {
        let Some(held) = &mut self.held else { return };
        let is_shown = self.asking.known().is_some_and(|asked| held.is_about(&asked.question));
        held.shown |= is_shown;
        let until = held.since + if held.shown { LONGEST } else { PAINTED };
        let is_over = held.shown && !is_shown;
        if is_over || held.answer.is_closed() || until <= Instant::now() {
            self.held = None;
        } else {
            self.wake(until);
        }
    }

    /// Whether this answer to the question can be given to a hook.
    pub(super) fn decides_by_hook(&self, question: &Question, answer: &Answer) -> bool {
        self.held.as_ref().is_some_and(|held| {
            held.is_about(question) && held.body(answer).is_some() && !held.answer.is_closed()
        })
    }

    /// Gives the answer to the hook: true where it took it, and whether the agent may have asked the same twice.
    pub(super) fn decide(&mut self, answer: &Answer) -> Option<bool> {
        let held = self.held.take()?;
        let body = held.body(answer)?.clone();
        held.answer.send(body).ok()?;
        log::debug!("session {}: its hook was given the decision", self.parts.name);
        Some(held.rivalled)
    }
}
