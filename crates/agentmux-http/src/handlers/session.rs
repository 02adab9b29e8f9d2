//! Sessions by name or id: started, looked at, waited for, ended.

use std::time::Duration;

use agentmux_api as api;
use agentmux_core::input::Invalid;
use agentmux_core::registry::{Opening, Registry, SessionView};
use agentmux_core::state::STATES;
use hyper::StatusCode;
use hyper::header::LOCATION;
use tokio::time::timeout;

use super::prompt::start_spec;
use super::{Call, Outcome, Waited, waited};
use crate::limits::{DEFAULT_WAIT, SCREEN_LINES};
use crate::refusal::Refusal;
use crate::reply::{Reply, location};
use crate::view::detail;

pub(crate) async fn start(call: Call) -> Result<Outcome, Refusal> {
    let fields = &call.fields;
    let spec = start_spec(fields, call.registry.settings())?;
    let wait = fields.seconds("wait")?;

    let (session, opening) = call.registry.open(spec).await?;
    let Some(patience) = wait else {
        return Ok(Outcome::Reply(created(&session, None)));
    };
    let registry = call.registry;
    Ok(Outcome::Wait(Box::pin(async move {
        let ready = until_ready(&registry, opening, patience).await?;
        Ok(created(&registry.session(&session.id)?, waited(ready)))
    })))
}

fn created(session: &SessionView, waited_out: Waited) -> Reply {
    let document = api::SessionDetail { waited_out, ..detail::session(session) };
    Reply::new(StatusCode::CREATED, &document).with(LOCATION, location("/sessions/", session.name.as_str()))
}

/// Waits until a session is ready; false where the patience ended first, or the daemon is about to stop.
async fn until_ready(registry: &Registry, opening: Opening, patience: Duration) -> Result<bool, Refusal> {
    tokio::select! {
        ended = timeout(patience, opening.ready()) => match ended {
            Ok(ready) => ready.map(|()| true).map_err(Refusal::from),
            Err(_) => Ok(false),
        },
        () = registry.draining() => Ok(false),
    }
}

pub(crate) async fn show(call: Call) -> Result<Outcome, Refusal> {
    let session = call.registry.session(&call.key)?;
    Ok(Outcome::Reply(Reply::ok(&detail::session(&session))))
}

pub(crate) async fn delete(call: Call) -> Result<Outcome, Refusal> {
    let id = call.registry.session(&call.key)?.id;
    let name = call.registry.kill(&id).await?.to_string();
    Ok(Outcome::Reply(Reply::ok(&api::Gone { name, id })))
}

pub(crate) async fn screen(call: Call) -> Result<Outcome, Refusal> {
    let lines = call.query.count("lines", SCREEN_LINES)?;
    let lines = lines.map(|lines| usize::try_from(lines).unwrap_or(usize::MAX));
    let ansi = call.query.choice("format", &[("text", false), ("ansi", true)])?.unwrap_or(false);
    // Without a number: what the screen shows, and nothing that scrolled out.
    let (session, content, pane) = if ansi {
        let (session, screen) = call.registry.screen(&call.key, lines.unwrap_or(0)).await?;
        (session, screen.ansi(lines.unwrap_or(usize::MAX)), Some(detail::pane(&screen)))
    } else {
        let (session, text) = call.registry.text(&call.key, lines).await?;
        (session, text, None)
    };
    Ok(Outcome::Reply(Reply::ok(&api::Screen {
        session: session.name.to_string(),
        session_id: session.id,
        state: session.state.word().to_owned(),
        format: if ansi { "ansi" } else { "text" }.to_owned(),
        content,
        pane,
    })))
}

pub(crate) async fn wait(call: Call) -> Result<Outcome, Refusal> {
    let words = STATES.map(|state| (state.word(), state));
    let until = call.query.choices("until", &words)?;
    if until.is_empty() {
        let words = words.map(|(word, _)| word).join(", ");
        return Err(Invalid::new(format!("until is required: one or more of {words}")).into());
    }
    let patience = call.query.seconds("wait")?.unwrap_or(DEFAULT_WAIT);
    Ok(Outcome::Wait(Box::pin(async move {
        let (session, reached) = call.registry.wait_session(&call.key, &until, patience).await?;
        let document = api::SessionDetail { waited_out: waited(reached), ..detail::session(&session) };
        Ok(Reply::ok(&document))
    })))
}

pub(crate) async fn explain(call: Call) -> Result<Outcome, Refusal> {
    let (session, rules) = call.registry.explain(&call.key).await?;
    let signals = call.registry.signals(&session.id)?;
    Ok(Outcome::Reply(Reply::ok(&detail::explanation(&session, rules, signals))))
}
