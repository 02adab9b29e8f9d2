//! Handlers: each translates a request into one operation of the core, and what came of it into an answer.

pub(crate) mod control;
pub(crate) mod look;
pub(crate) mod prompt;
pub(crate) mod turn;

use std::time::Duration;

use agentmux_core::registry::Registry;
use agentmux_core::turn::{Turn, TurnId};

use crate::body::{Fields, Query};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// What a handler works on.
pub(crate) struct Call {
    pub(crate) registry: Registry,
    pub(crate) query: Query,
    pub(crate) fields: Fields,
    /// What stands for `{id}` in the path.
    pub(crate) id: String,
}

/// What came of the work.
pub(crate) enum Outcome {
    /// The answer.
    Reply(Reply),
    /// The work is done, and the client waits for a turn.
    Wait(Wait),
}

/// A wait for a turn. It changes nothing, so it belongs to its client: it ends when that hangs up, and no
/// limit of work counts it.
pub(crate) struct Wait {
    turn: TurnId,
    patience: Duration,
    answer: Answer,
}

/// Makes the answer from the turn at the end of the wait.
type Answer = Box<dyn FnOnce(&Turn, Waited) -> Reply + Send>;

/// How a wait ended: `Some(true)` on the wire where it ended before the turn did.
pub(crate) type Waited = Option<bool>;

impl Outcome {
    /// Answers with a turn: now, or when it needs no more waiting.
    fn about(
        turn: &Turn,
        wait: Option<Duration>,
        answer: impl FnOnce(&Turn, Waited) -> Reply + Send + 'static,
    ) -> Self {
        match wait {
            None => Self::Reply(answer(turn, None)),
            Some(patience) => Self::Wait(Wait { turn: turn.id.clone(), patience, answer: Box::new(answer) }),
        }
    }
}

impl Wait {
    /// Waits, and answers with the turn as it is then.
    pub(crate) async fn end(self, registry: &Registry) -> Result<Reply, Refusal> {
        let (turn, settled) = registry.wait_turn(self.turn.as_str(), self.patience).await?;
        Ok((self.answer)(&turn, (!settled).then_some(true)))
    }
}
