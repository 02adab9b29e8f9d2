//! Control: keys, and the end of sessions.

use agentmux_api as api;
use agentmux_core::input::{Invalid, Key, Prompt};
use agentmux_core::question::Answer;

use super::{Call, Outcome};
use crate::body::{Fields, NumberOrText};
use crate::limits::MAX_REPEAT;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::view::detail;

pub(crate) async fn key(call: Call) -> Result<Outcome, Refusal> {
    let name = call.fields.required_text("key")?.trim();
    let repeat = repeat(&call)?;
    let target = call.fields.name("target")?;
    let key = Key::parse(name)?;
    let target = call.registry.press(key, repeat, target).await?;
    let document = api::Key { ok: true, action: "key".into(), target, key: name.to_owned() };
    Ok(Outcome::Reply(Reply::ok(&document)))
}

fn repeat(call: &Call) -> Result<u32, Invalid> {
    let repeat = call.fields.count("repeat", MAX_REPEAT)?.unwrap_or(1);
    Ok(u32::try_from(repeat).expect("capped at MAX_REPEAT"))
}

pub(crate) async fn keys(call: Call) -> Result<Outcome, Refusal> {
    let name = call.fields.required_text("key")?.trim();
    let repeat = repeat(&call)?;
    let key = Key::parse_any(name)?;
    let session = call.registry.session(&call.key)?;
    // By its id, which can mean no other pane.
    call.registry.press(key, repeat, Some(&session.id)).await?;
    let session = session.name.to_string();
    let document = api::Keys { session, key: name.to_owned(), repeat: repeat.into() };
    Ok(Outcome::Reply(Reply::ok(&document)))
}

pub(crate) async fn answer(call: Call) -> Result<Outcome, Refusal> {
    let answer = given(&call.fields)?;
    let question = call.fields.name("question")?.map(str::to_owned);
    let (session, answered) = call.registry.answer(&call.key, answer, question).await?;
    let document = api::Answered {
        question: answered.asked.id.clone(),
        option: answered.option,
        session: detail::session(&session),
    };
    Ok(Outcome::Reply(Reply::ok(&document)))
}

/// The one answer that a request gives.
fn given(fields: &Fields) -> Result<Answer, Invalid> {
    let decision = |field: &str| match fields.flag(field)? {
        Some(false) => Err(Invalid::new(format!("{field} must be true, or absent"))),
        given => Ok(given),
    };
    let choice = fields.number_or_text("choice")?.map(|choice| match choice {
        NumberOrText::Number(number) => Answer::Number(number),
        NumberOrText::Text(label) => Answer::Label(label.to_owned()),
    });
    let text = fields.text("text")?.map(Prompt::parse).transpose()?.map(Answer::Text);
    let approve = decision("approve")?.map(|_| Answer::Approve);
    let deny = decision("deny")?.map(|_| Answer::Deny);
    let mut given = [choice, text, approve, deny].into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(answer), None) => Ok(answer),
        _ => Err(Invalid::new("give exactly one of choice, text, approve and deny")),
    }
}

pub(crate) async fn interrupt(call: Call) -> Result<Outcome, Refusal> {
    let session = call.registry.session(&call.key)?;
    let interrupted = call.registry.interrupt(&session.id).await?;
    let document = api::Interrupt { session: session.name.to_string(), interrupted };
    Ok(Outcome::Reply(Reply::ok(&document)))
}

pub(crate) async fn restart(call: Call) -> Result<Outcome, Refusal> {
    let session = call.registry.restart().await?;
    let document = api::Restart {
        ok: true,
        action: "restart".into(),
        session: session.name.to_string(),
        target: session.target,
        ready: true,
    };
    Ok(Outcome::Reply(Reply::ok(&document)))
}

pub(crate) async fn cleanup(call: Call) -> Result<Outcome, Refusal> {
    let killed = call.registry.cleanup().await?.iter().map(ToString::to_string).collect();
    let document = api::Cleanup { ok: true, action: "cleanup".into(), killed };
    Ok(Outcome::Reply(Reply::ok(&document)))
}

pub(crate) async fn kill(call: Call) -> Result<Outcome, Refusal> {
    let session = call.fields.required_text("session")?.trim();
    let killed = call.registry.kill(session).await?;
    let document = api::Kill { ok: true, action: "kill".into(), session: killed.to_string() };
    Ok(Outcome::Reply(Reply::ok(&document)))
}
