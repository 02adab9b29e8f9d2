//! Looking: how the daemon is, what sessions and agents there are, what the active one does and shows.

use std::sync::Arc;

use agentmux_api as api;
use agentmux_core::agent::AgentView;
use agentmux_core::environment::Environment;
use agentmux_core::error::Error;
use agentmux_core::registry::Registry;

use super::{Call, Outcome};
use crate::limits::{CAPTURE_LINES, DEFAULT_LINES};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::view;

pub(crate) async fn livez(_: Call) -> Result<Outcome, Refusal> {
    Ok(Outcome::Reply(Reply::ok(&api::Livez { ok: true })))
}

pub(crate) async fn readyz(call: Call) -> Result<Outcome, Refusal> {
    call.registry.check_ready().await?;
    Ok(Outcome::Reply(Reply::ok(&api::Readyz { ok: true })))
}

pub(crate) async fn agents(call: Call) -> Result<Outcome, Refusal> {
    let registry = call.registry;
    if call.query.choice("versions", &[("false", false), ("true", true)])? != Some(true) {
        return Ok(Outcome::Reply(agents_of(&registry, registry.agents().await)));
    }
    // Programs are started, and ended when the client hangs up.
    Ok(Outcome::Wait(Box::pin(async move {
        let found = registry.agents_with_versions().await;
        Ok(agents_of(&registry, found))
    })))
}

pub(crate) async fn refresh_agents(call: Call) -> Result<Outcome, Refusal> {
    call.registry.refresh_environment().await;
    Ok(Outcome::Reply(agents_of(&call.registry, call.registry.agents().await)))
}

fn agents_of(registry: &Registry, (found, environment): (Vec<AgentView>, Arc<Environment>)) -> Reply {
    Reply::ok(&view::agent::agents(found, registry.settings().agent.as_str(), &environment))
}

pub(crate) async fn health(call: Call) -> Result<Outcome, Refusal> {
    let registry = &call.registry;
    Ok(Outcome::Reply(call.kept.health.get(registry.version(), || health_of(registry))))
}

fn health_of(registry: &Registry) -> Reply {
    let sessions = registry.sessions();
    let active = sessions.iter().find(|session| session.active);
    Reply::ok(&api::Health {
        ok: true,
        agent: registry.settings().agent.to_string(),
        active_session: active.map(|session| session.name.to_string()),
        total_sessions: sessions.len(),
        sessions: sessions.iter().map(view::session_with_health).collect(),
    })
}

pub(crate) async fn sessions(call: Call) -> Result<Outcome, Refusal> {
    let registry = &call.registry;
    Ok(Outcome::Reply(call.kept.sessions.get(registry.version(), || list_of(registry))))
}

fn list_of(registry: &Registry) -> Reply {
    let sessions = registry.sessions();
    let active = sessions.iter().find(|session| session.active).map(|session| session.name.to_string());
    Reply::ok(&api::Sessions {
        sessions: sessions.iter().map(view::session).collect(),
        active: active.unwrap_or_default(),
    })
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
