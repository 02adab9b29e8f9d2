//! Looking: what sessions there are, what they do, what they show.

use agentmux_api as api;
use agentmux_core::error::Error;

use super::{Call, Outcome};
use crate::limits::{CAPTURE_LINES, DEFAULT_LINES};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::view;

pub(crate) async fn livez(_: Call) -> Result<Outcome, Refusal> {
    Ok(Outcome::Reply(Reply::ok(&api::Livez { ok: true })))
}

pub(crate) async fn health(call: Call) -> Result<Outcome, Refusal> {
    let sessions = call.registry.sessions();
    let document = api::Health {
        ok: true,
        agent: call.registry.settings().agent.to_string(),
        active_session: sessions
            .iter()
            .find(|session| session.active)
            .map(|session| session.name.to_string()),
        total_sessions: sessions.len(),
        sessions: sessions.iter().map(view::session_with_health).collect(),
    };
    Ok(Outcome::Reply(Reply::ok(&document)))
}

pub(crate) async fn sessions(call: Call) -> Result<Outcome, Refusal> {
    let sessions = call.registry.sessions();
    let active = sessions.iter().find(|session| session.active).map(|session| session.name.to_string());
    let document = api::Sessions {
        sessions: sessions.iter().map(view::session).collect(),
        active: active.unwrap_or_default(),
    };
    Ok(Outcome::Reply(Reply::ok(&document)))
}

pub(crate) async fn idle(call: Call) -> Result<Outcome, Refusal> {
    let active = call.registry.active().ok_or(Error::NoActiveSession)?;
    Ok(Outcome::Reply(Reply::ok(&view::idle(&active))))
}

pub(crate) async fn capture(call: Call) -> Result<Outcome, Refusal> {
    let lines = call.query.count("lines", CAPTURE_LINES)?.unwrap_or(DEFAULT_LINES);
    let target = call.query.get("target").filter(|target| !target.is_empty());
    let rows = usize::try_from(lines).unwrap_or(usize::MAX);
    let (target, content) = call.registry.capture(rows, target).await?;
    Ok(Outcome::Reply(Reply::ok(&api::Capture { target, lines, content })))
}
