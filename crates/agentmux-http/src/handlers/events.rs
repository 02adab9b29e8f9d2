//! Events: what happens, as it happens.

use agentmux_core::input::{Invalid, SessionName};

use super::{Call, Outcome};
use crate::refusal::Refusal;
use crate::stream::Feed;

/// The session need not be there (any more, or yet): its name may be all that a client knows.
pub(crate) async fn follow(call: Call) -> Result<Outcome, Refusal> {
    let session = call.query.get("session").filter(|name| !name.is_empty());
    let session = session.map(|name| SessionName::parse(name).map(|_| name.to_owned())).transpose()?;
    // A browser that reconnects asks for the same URL, and says in the header how far it came.
    let last = call.last_event_id.as_deref().or_else(|| call.query.get("last_event_id"));
    let last = last.map(str::trim).filter(|last| !last.is_empty()).map(number).transpose()?;
    Ok(Outcome::Stream(Feed::new(call.registry, session, last)))
}

/// The number of an event. One that is too large was never given: there is a gap before all that is kept.
fn number(text: &str) -> Result<u64, Invalid> {
    match text.bytes().all(|c| c.is_ascii_digit()) {
        true => Ok(text.parse().unwrap_or(u64::MAX)),
        false => Err(Invalid::new("Last-Event-ID must be the id of an event")),
    }
}
