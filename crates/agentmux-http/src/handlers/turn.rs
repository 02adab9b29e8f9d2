//! Turns: submitted, listed, looked at, cancelled.

use agentmux_api as api;
use agentmux_core::input::{Invalid, Prompt};
use agentmux_core::question::POLICIES;
use agentmux_core::registry::{IfBusy, Sent};
use agentmux_core::turn::{TURN_STATES, TurnState};
use hyper::StatusCode;
use hyper::header::LOCATION;

use super::{Call, Outcome};
use crate::body::Fields;
use crate::limits::{DEFAULT_TURNS, LISTED_TURNS};
use crate::refusal::Refusal;
use crate::reply::{Reply, location};
use crate::view;

/// What `if_busy` may say where a session is named.
pub(super) const IF_BUSY: [(&str, IfBusy); 2] = [("queue", IfBusy::Queue), ("reject", IfBusy::Reject)];

/// The text of a request: typed as it is where that is asked for by `raw`, else it must arrive as text.
pub(super) fn prompt(fields: &Fields, raw: bool) -> Result<Prompt, Invalid> {
    let prompt = Prompt::parse(fields.required_text("text")?)?;
    Ok(if fields.flag("raw")?.unwrap_or(raw) { prompt } else { prompt.literally() })
}

pub(crate) async fn submit(call: Call) -> Result<Outcome, Refusal> {
    let fields = &call.fields;
    let prompt = prompt(fields, false)?;
    let if_busy = fields.choice("if_busy", &IF_BUSY)?.unwrap_or(IfBusy::Queue);
    let (wait, timeout) = (fields.seconds("wait")?, fields.seconds("timeout")?);
    let policy = fields.choice("policy", &POLICIES)?;

    let sent = call.registry.send(prompt, Some(&call.key), None, if_busy, timeout, policy).await?;
    let Sent::Turn(accepted) = sent else {
        // Only an address can mean a pane that is not ours, and none was given.
        return Err(Refusal::internal());
    };
    Ok(Outcome::about(&call.registry, &accepted.turn, wait, move |turn, waited_out| {
        let ended = wait.is_some() && turn.state.is_final();
        let status = if ended { StatusCode::OK } else { StatusCode::ACCEPTED };
        Reply::new(status, &api::Turn { waited_out, ..view::turn(turn) })
            .with(LOCATION, location("/turns/", turn.id.as_str()))
    }))
}

pub(crate) async fn of_session(call: Call) -> Result<Outcome, Refusal> {
    // By its id: an earlier session of the same name is another one.
    let session = call.registry.session(&call.key)?.id;
    turns(&call, Some(&session))
}

pub(crate) async fn list(call: Call) -> Result<Outcome, Refusal> {
    turns(&call, call.query.get("session").filter(|name| !name.is_empty()))
}

fn turns(call: &Call, session: Option<&str>) -> Result<Outcome, Refusal> {
    let words = TURN_STATES.map(|state: TurnState| (state.word(), state));
    let state = call.query.choice("state", &words)?;
    let limit = call.query.count("limit", LISTED_TURNS)?.unwrap_or(DEFAULT_TURNS);
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let turns = call.registry.turns(session, state, most).iter().map(view::turn).collect();
    Ok(Outcome::Reply(Reply::ok(&api::Turns { turns })))
}

pub(crate) async fn show(call: Call) -> Result<Outcome, Refusal> {
    let wait = call.query.seconds("wait")?;
    let turn = call.registry.turn(&call.key)?;
    Ok(Outcome::about(&call.registry, &turn, wait, |turn, waited_out| {
        Reply::ok(&api::Turn { waited_out, ..view::turn(turn) })
    }))
}

pub(crate) async fn cancel(call: Call) -> Result<Outcome, Refusal> {
    let turn = call.registry.cancel(&call.key).await?;
    Ok(Outcome::Reply(Reply::ok(&view::turn(&turn))))
}
