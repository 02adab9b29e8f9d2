//! What agents tell of themselves.

use super::{Call, Outcome};
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(crate) async fn hear(call: Call) -> Result<Outcome, Refusal> {
    let event = call.query.get("event");
    let answer = call.registry.hook(&call.key, event, &call.fields.into_document()).await?;
    Ok(Outcome::Reply(Reply::ok(&answer)))
}
