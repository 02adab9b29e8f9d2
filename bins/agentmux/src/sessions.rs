//! The verbs about sessions: `status`, `ls`, `idle`, `capture`, `key`, `kill`, `cleanup`, `restart`;
//! and `agents`.

use agentmux_api::{
    Agent, Agents, Capture, Cleanup, Health, Idle, Key, KeyRequest, Keys, KeysRequest, Kill, KillRequest,
    Restart, Screen, Session, SessionDetail, Sessions,
};
use agentmux_core::input;

use crate::client::{Client, NO_FIELDS, START, escaped};
use crate::ending::{Ending, Failed, Status};
use crate::output::{Text, told};
use crate::progress::Progress;
use crate::{args, output, times};

pub(crate) async fn status(client: &Client, json: bool) -> Result<Ending, Failed> {
    let health: Health = client.get("/health", 0.0).await?;
    let known = if json { Vec::new() } else { known(client, &health.sessions).await };
    told(json, &health, || {
        let daemon = format!("agentmuxd at http://{}, agent {}\n", client.daemon().authority(), health.agent);
        let active = health.active_session.as_deref().unwrap_or_default();
        Text::from(daemon).and(listed(&known, active))
    })
}

pub(crate) async fn list(client: &Client, json: bool) -> Result<Ending, Failed> {
    let sessions: Sessions = client.get("/sessions", 0.0).await?;
    let known = if json { Vec::new() } else { known(client, &sessions.sessions).await };
    told(json, &sessions, || listed(&known, &sessions.active))
}

/// A session of the list, with what is known of it unless it has gone meanwhile.
type Known<'a> = (&'a Session, Option<SessionDetail>);

async fn known<'a>(client: &Client, sessions: &'a [Session]) -> Vec<Known<'a>> {
    let mut known = Vec::with_capacity(sessions.len());
    for session in sessions {
        let detail = client.get(&format!("/sessions/{}", escaped(&session.name)), 0.0).await;
        known.push((session, detail.ok()));
    }
    known
}

pub(crate) async fn idle(client: &Client, asked: args::Idle) -> Result<Ending, Failed> {
    let idle: Idle = match asked.session {
        None => client.get("/idle", 0.0).await?,
        Some(name) => idleness(client.get(&format!("/sessions/{}", escaped(&name)), 0.0).await?),
    };
    let word = match idle.idle {
        true => "idle",
        false => idle.state.as_deref().unwrap_or("not idle"),
    };
    told(asked.json, &idle, || format!("{} is {word}", idle.session))?;
    Ok(Ending::silent(match (idle.idle, idle.state.as_deref()) {
        (true, _) => Status::Done,
        (false, Some("exited")) => Status::AgentFailed,
        (false, _) => Status::Busy,
    }))
}

/// What `/idle` says of the active session.
fn idleness(session: SessionDetail) -> Idle {
    Idle {
        idle: session.state == "idle",
        ctx_percent: session.context,
        session: session.name,
        state: Some(session.state).filter(|state| state == "exited"),
    }
}

pub(crate) async fn capture(client: &Client, asked: args::Capture, json: bool) -> Result<Ending, Failed> {
    if asked.session.is_some() || asked.ansi {
        return screen(client, asked, json).await;
    }
    let target = asked.target.as_deref().map(|target| format!("&target={}", escaped(target)));
    let lines = asked.lines.unwrap_or(60);
    let path = format!("/capture?lines={lines}{}", target.unwrap_or_default());
    let capture: Capture = client.get(&path, 0.0).await?;
    told(json, &capture, || capture.content.as_str())
}

/// A session's screen, or more of it, or with its colours: what the inherited `/capture` does not give.
async fn screen(client: &Client, asked: args::Capture, json: bool) -> Result<Ending, Failed> {
    let session = named(client, asked.session).await?;
    let format = if asked.ansi { "ansi" } else { "text" };
    let lines = asked.lines.map(|lines| format!("&lines={lines}")).unwrap_or_default();
    let path = format!("/sessions/{}/screen?format={format}{lines}", escaped(&session));
    let screen: Screen = client.get(&path, 0.0).await?;
    match (json, asked.ansi) {
        (true, _) => output::document(&screen)?,
        (false, true) => output::screen(&screen.content)?,
        (false, false) => output::text(screen.content)?,
    }
    Ok(Ending::DONE)
}

pub(crate) async fn key(client: &Client, asked: args::Key, json: bool) -> Result<Ending, Failed> {
    let is_inherited = asked.target.is_some() || input::Key::parse(&asked.name).is_ok();
    if asked.session.is_none() && is_inherited {
        let request = KeyRequest { key: asked.name, repeat: Some(asked.repeat), target: asked.target };
        let key: Key = client.post("/key", &request, 0.0).await?;
        return told(json, &key, || format!("pressed {} in {}", key.key, key.target));
    }
    let session = named(client, asked.session).await?;
    let request = KeysRequest { key: asked.name, repeat: Some(asked.repeat) };
    let keys: Keys = client.post(&format!("/sessions/{}/keys", escaped(&session)), &request, 0.0).await?;
    told(json, &keys, || format!("pressed {} in {}", keys.key, keys.session))
}

pub(crate) async fn kill(client: &Client, asked: args::Kill, json: bool) -> Result<Ending, Failed> {
    let kill: Kill = client.post("/kill", &KillRequest { session: asked.name }, 0.0).await?;
    told(json, &kill, || format!("ended {}", kill.session))
}

pub(crate) async fn cleanup(client: &Client, json: bool) -> Result<Ending, Failed> {
    let cleanup: Cleanup = client.post("/cleanup", &NO_FIELDS, 0.0).await?;
    told(json, &cleanup, || match cleanup.killed.as_slice() {
        [] => "nothing to end".to_owned(),
        killed => format!("ended {}", killed.join(", ")),
    })
}

pub(crate) async fn restart(client: &Client, json: bool) -> Result<Ending, Failed> {
    let progress = Progress::new("starting a fresh session");
    let restart: Restart = progress.during(client.post("/restart", &NO_FIELDS, START)).await?;
    told(json, &restart, || format!("{} is ready", restart.session))
}

pub(crate) async fn agents(client: &Client, asked: &args::Agents, json: bool) -> Result<Ending, Failed> {
    let agents: Agents = match asked.refresh {
        true => client.post("/agents/refresh", &NO_FIELDS, 0.0).await?,
        false => client.get("/agents", 0.0).await?,
    };
    told(json, &agents, || {
        let row = |agent: &Agent| {
            let mark = if agent.name == agents.default { "*" } else { "" };
            let program = agent.program.as_deref().unwrap_or("not found");
            [mark, &agent.name, &agent.origin, program, &agent.command.join(" ")].map(Text::from)
        };
        let table = output::table(["", "AGENT", "FROM", "PROGRAM", "COMMAND"], agents.agents.iter().map(row));
        table.and(format!("\n\nin the PATH of {}", agents.environment.origin))
    })
}

/// The session that is meant: the active one where none is named.
pub(crate) async fn named(client: &Client, name: Option<String>) -> Result<String, Failed> {
    let Some(name) = name else {
        let sessions: Sessions = client.get("/sessions", 0.0).await?;
        return Some(sessions.active)
            .filter(|active| !active.is_empty())
            .ok_or_else(|| Failed::new("no active session"));
    };
    Ok(name)
}

/// The sessions as a table, the active one marked.
fn listed(sessions: &[Known], active: &str) -> Text {
    if sessions.is_empty() {
        return "no sessions".into();
    }
    let row = |(session, detail): &Known| {
        let mark = if session.name == active { "*" } else { "" };
        let Some(detail) = detail else {
            return [mark, &session.name, "gone", "", "", "", ""].map(Text::from);
        };
        let state = if detail.lost { "gone".into() } else { Text::state(&detail.state) };
        let length = times::since(&detail.since).map(times::span).unwrap_or_default();
        let context = detail.context.map(|percent| format!("{percent} %")).unwrap_or_default();
        let [mark, name] = [mark, &session.name].map(Text::from);
        let [agent, workdir] = [&detail.agent, &detail.workdir].map(|text| Text::from(text.as_str()));
        [mark, name, state, length.into(), context.into(), agent, workdir]
    };
    output::table(["", "NAME", "STATE", "FOR", "CONTEXT", "AGENT", "WORKDIR"], sessions.iter().map(row))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session(name: &str) -> Session {
        serde_json::from_value(json!({
            "name": name, "status": "completed", "created_at": "2026-11-24 09:00:00", "target": format!("{name}:0.0")
        }))
        .unwrap()
    }

    fn detail(state: &str) -> SessionDetail {
        serde_json::from_value(json!({
            "name": "b", "id": "s-1", "state": state, "since": "once",
            "evidence": {"source": "screen", "rule": "box", "matched": ">"}, "policy": "ask", "agent": "demo",
            "workdir": "/x", "target": "b:0.0", "active": true, "context": 42, "exit": null, "lost": false,
            "turns": 0, "contradictions": 0, "started_at": "once"
        }))
        .unwrap()
    }

    #[test]
    fn the_active_session_is_marked_and_each_told_with_its_state() {
        let wanted = [
            "   NAME  STATE  FOR  CONTEXT  AGENT  WORKDIR",
            "   a     gone",
            "*  b     idle        42 %     demo   /x",
        ];
        let (a, b) = (session("a"), session("b"));
        assert_eq!(listed(&[(&a, None), (&b, Some(detail("idle")))], "b").to_string(), wanted.join("\n"));
    }

    #[test]
    fn no_sessions_are_said_to_be_none() {
        assert_eq!(listed(&[], "").to_string(), "no sessions");
    }

    #[test]
    fn any_session_is_said_to_be_idle_in_the_words_for_the_active_one() {
        let said = |state: &str| serde_json::to_value(idleness(detail(state))).unwrap();
        assert_eq!(said("idle"), json!({"idle": true, "ctx_percent": 42, "session": "b"}));
        assert_eq!(said("busy"), json!({"idle": false, "ctx_percent": 42, "session": "b"}));
        assert_eq!(
            said("exited"),
            json!({"idle": false, "ctx_percent": 42, "session": "b", "state": "exited"})
        );
    }
}
