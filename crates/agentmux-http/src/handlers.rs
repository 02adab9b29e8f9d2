//! Handlers: each translates a request into one operation of the core, and what came of it into an answer.

pub(crate) mod control;
pub(crate) mod events;
pub(crate) mod hook;
pub(crate) mod look;
pub(crate) mod prompt;
pub(crate) mod session;
pub(crate) mod turn;

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agentmux_core::registry::Registry;
use agentmux_core::turn::Turn;

use crate::body::{Fields, Query};
use crate::held::HeldAnswer;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::stream::Feed;

/// What a handler works on.
pub(crate) struct Call {
    pub(crate) registry: Registry,
    pub(crate) query: Query,
    pub(crate) fields: Fields,
    /// Documents that are asked for again and again.
    pub(crate) kept: Arc<Kept>,
    /// What stands for `{name}`, `{id}` or `{session}` in the path.
    pub(crate) key: String,
    /// The header `Last-Event-ID`.
    pub(crate) last_event_id: Option<String>,
}

/// Answers that are kept while nothing changes: schedulers ask for them all the time.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) health: KeptReply,
    pub(crate) sessions: KeptReply,
}

/// An answer, and the version of the sessions that it was made of.
#[derive(Default)]
pub(crate) struct KeptReply(Mutex<Option<(u64, Reply)>>);

impl KeptReply {
    /// The answer for this version: the kept one, or a new one. The version must have been read before what `make`
    /// reads.
    fn get(&self, version: u64, make: impl FnOnce() -> Reply) -> Reply {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((known, reply)) if *known == version => reply.clone(),
            _ => kept.insert((version, make())).1.clone(),
        }
    }
}

/// What came of the work.
pub(crate) enum Outcome {
    /// The answer.
    Reply(Reply),
    /// The work is done, and the client waits for something.
    Wait(Wait),
    /// The work is done; the answer begins at once, and ends with a decision that is to come.
    Held(HeldAnswer),
    /// The work is done, and the client follows what happens.
    Stream(Feed),
}

/// A wait, and the answer at its end. It changes nothing, so it belongs to its client: it ends when that hangs
/// up, and no limit of work counts it.
pub(crate) type Wait = Pin<Box<dyn Future<Output = Result<Reply, Refusal>> + Send>>;

/// How a wait ended: `Some(true)` on the wire where it ended before what was waited for.
pub(crate) type Waited = Option<bool>;

impl Outcome {
    /// Answers with a turn: now, or when it needs no more waiting.
    fn about(
        registry: &Registry,
        turn: &Turn,
        wait: Option<Duration>,
        answer: impl FnOnce(&Turn, Waited) -> Reply + Send + 'static,
    ) -> Self {
        let Some(patience) = wait else {
            return Self::Reply(answer(turn, None));
        };
        let (registry, id) = (registry.clone(), turn.id.clone());
        Self::Wait(Box::pin(async move {
            let (turn, settled) = registry.wait_turn(id.as_str(), patience).await?;
            Ok(answer(&turn, waited(settled)))
        }))
    }
}

fn waited(reached: bool) -> Waited {
    (!reached).then_some(true)
}
