//! Prompts: to a new session (`/run`), or to one that there is (`/send`).

use agentmux_api as api;
use agentmux_core::input::{Invalid, SessionName, Workdir};
use agentmux_core::question::POLICIES;
use agentmux_core::registry::{IfBusy, Sent, Settings, StartSpec};

use super::turn::{IF_BUSY, prompt};
use super::{Call, Outcome};
use crate::body::Fields;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::view;

pub(crate) async fn run(call: Call) -> Result<Outcome, Refusal> {
    const IF_ACTIVE_IS_BUSY: [(&str, IfBusy); 3] =
        [("reject", IfBusy::Reject), ("queue", IfBusy::Queue), ("start", IfBusy::Start)];
    let fields = &call.fields;
    let prompt = prompt(fields, true)?;
    let spec = start_spec(fields, call.registry.settings())?;
    let if_busy = fields.choice("if_busy", &IF_ACTIVE_IS_BUSY)?.unwrap_or(IfBusy::Reject);
    let (wait, timeout) = (fields.seconds("wait")?, fields.seconds("timeout")?);

    let accepted = call.registry.run(prompt, spec, if_busy, timeout).await?;
    let session = accepted.session;
    Ok(Outcome::about(&call.registry, &accepted.turn, wait, move |turn, waited_out| {
        Reply::ok(&api::Run {
            ok: true,
            action: "run".into(),
            session: session.name.to_string(),
            target: session.target,
            turn: view::turn(turn),
            waited_out,
        })
    }))
}

pub(super) fn start_spec(fields: &Fields, settings: &Settings) -> Result<StartSpec, Invalid> {
    let workdir = fields.text("workdir")?.map(|path| Workdir::parse(path, &settings.home)).transpose()?;
    let name = fields.text("name")?.map(|name| SessionName::parse(name.trim())).transpose()?;
    Ok(StartSpec {
        agent: fields.text("agent")?.map(|agent| agent.trim().to_owned()),
        command: fields.command("command")?,
        workdir,
        env: fields.environment("env")?,
        name,
        size: fields.size("size")?,
        policy: fields.choice("policy", &POLICIES)?,
    })
}

pub(crate) async fn send(call: Call) -> Result<Outcome, Refusal> {
    let fields = &call.fields;
    let prompt = prompt(fields, true)?;
    let (target, session) = (fields.name("target")?, fields.text("session")?.map(str::trim));
    // A variable of a script that is not set must not send the prompt to another session.
    if session == Some("") {
        return Err(Refusal::invalid("session must be a name or an id; leave it out for the active session"));
    }
    if target.is_some() && session.is_some() {
        return Err(Refusal::invalid("session and target exclude each other: give one of them"));
    }
    let if_busy = fields.choice("if_busy", &IF_BUSY)?.unwrap_or(IfBusy::Queue);
    let (wait, timeout) = (fields.seconds("wait")?, fields.seconds("timeout")?);
    let policy = fields.choice("policy", &POLICIES)?;

    let answer = |target, turn, waited_out| {
        Reply::ok(&api::Send { ok: true, action: "send".into(), target, turn, waited_out })
    };
    match call.registry.send(prompt, session, target, if_busy, timeout, policy).await? {
        Sent::External(target) => Ok(Outcome::Reply(answer(target, None, None))),
        Sent::Turn(accepted) => {
            let target = accepted.session.target;
            Ok(Outcome::about(&call.registry, &accepted.turn, wait, move |turn, waited_out| {
                answer(target, Some(view::turn(turn)), waited_out)
            }))
        }
    }
}
