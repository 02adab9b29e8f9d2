//! What agents tell of themselves.

use agentmux_core::signals::Verdict;

use super::{Call, Outcome};
use crate::held::HeldAnswer;
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(crate) async fn hear(call: Call) -> Result<Outcome, Refusal> {
    let event = call.query.get("event");
    let verdict = call.registry.hook(&call.key, event, &call.fields.into_document()).await?;
    Ok(match verdict {
        Verdict::Given(answer) => Outcome::Reply(Reply::ok(&answer)),
        Verdict::Open(decision) => Outcome::Held(HeldAnswer::new(call.registry, decision)),
    })
}
