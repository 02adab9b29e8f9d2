//! Turns by their ids.

use super::{Call, Outcome};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::view;

pub(crate) async fn turn(call: Call) -> Result<Outcome, Refusal> {
    let wait = call.query.seconds("wait")?;
    let turn = call.registry.turn(&call.id)?;
    Ok(Outcome::about(&turn, wait, |turn, waited_out| {
        Reply::ok(&agentmux_api::Turn { waited_out, ..view::turn(turn) })
    }))
}
