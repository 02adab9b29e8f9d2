//! The verbs about sessions: `status`, `ls`, `idle`, `capture`, `key`, `kill`, `cleanup`, `restart`;
//! and `agents`.

use agentmux_api::{
    Agent, Agents, Capture, Cleanup, Health, Idle, Key, KeyRequest, Kill, KillRequest, Restart, Session,
    Sessions,
};

use crate::client::{Client, NO_FIELDS, escaped};
use crate::ending::{Ending, Failed, Status};
use crate::output::told;
use crate::{args, output};

pub(crate) async fn status(client: &Client, json: bool) -> Result<Ending, Failed> {
    let health: Health = client.get("/health", 0.0).await?;
    told(json, &health, || {
        let daemon = format!("agentmuxd at http://{}, agent {}", client.daemon().authority(), health.agent);
        let active = health.active_session.as_deref().unwrap_or_default();
        format!("{daemon}\n{}", listed(&health.sessions, active))
    })
}

pub(crate) async fn list(client: &Client, json: bool) -> Result<Ending, Failed> {
    let sessions: Sessions = client.get("/sessions", 0.0).await?;
    told(json, &sessions, || listed(&sessions.sessions, &sessions.active))
}

pub(crate) async fn idle(client: &Client, json: bool) -> Result<Ending, Failed> {
    let idle: Idle = client.get("/idle", 0.0).await?;
    let word = match idle.idle {
        true => "idle",
        false => idle.state.as_deref().unwrap_or("not idle"),
    };
    told(json, &idle, || format!("{} is {word}", idle.session))?;
    Ok(Ending::silent(match (idle.idle, idle.state.as_deref()) {
        (true, _) => Status::Done,
        (false, Some("exited")) => Status::AgentFailed,
        (false, _) => Status::Busy,
    }))
}

pub(crate) async fn capture(client: &Client, asked: &args::Capture, json: bool) -> Result<Ending, Failed> {
    let target = asked.target.as_deref().map(|target| format!("&target={}", escaped(target)));
    let path = format!("/capture?lines={}{}", asked.lines, target.unwrap_or_default());
    let capture: Capture = client.get(&path, 0.0).await?;
    told(json, &capture, || capture.content.clone())
}

pub(crate) async fn key(client: &Client, asked: args::Key, json: bool) -> Result<Ending, Failed> {
    let request = KeyRequest { key: asked.name, repeat: Some(asked.repeat), target: asked.target };
    let key: Key = client.post("/key", &request, 0.0).await?;
    told(json, &key, || format!("pressed {} in {}", key.key, key.target))
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
    let restart: Restart = client.post("/restart", &NO_FIELDS, 0.0).await?;
    told(json, &restart, || format!("{} is ready", restart.session))
}

pub(crate) async fn agents(client: &Client, asked: &args::Agents, json: bool) -> Result<Ending, Failed> {
    let agents: Agents = match asked.refresh {
        true => client.post("/agents/refresh", &NO_FIELDS, 0.0).await?,
        false => client.get("/agents", 0.0).await?,
    };
    told(json, &agents, || {
        let heading = ["", "AGENT", "FROM", "COMMAND", "PROGRAM"].map(str::to_owned).to_vec();
        let row = |agent: &Agent| {
            let mark = if agent.name == agents.default { "*" } else { "" };
            let program = agent.program.as_deref().unwrap_or("not found");
            let cells = [mark, &agent.name, &agent.origin, &agent.command.join(" "), program];
            cells.map(str::to_owned).to_vec()
        };
        let rows: Vec<_> = std::iter::once(heading).chain(agents.agents.iter().map(row)).collect();
        format!("{}\n\nin the PATH of {}", output::table(&rows), agents.environment.origin)
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
fn listed(sessions: &[Session], active: &str) -> String {
    if sessions.is_empty() {
        return "no sessions".to_owned();
    }
    let heading = ["", "NAME", "STATUS", "CREATED", "TARGET"].map(str::to_owned).to_vec();
    let row = |session: &Session| {
        let mark = if session.name == active { "*" } else { "" };
        vec![
            mark.to_owned(),
            session.name.clone(),
            condition(session),
            session.created_at.clone(),
            session.target.clone(),
        ]
    };
    let rows: Vec<_> = std::iter::once(heading).chain(sessions.iter().map(row)).collect();
    output::table(&rows)
}

/// Its status, and what else is known.
fn condition(session: &Session) -> String {
    let mut words = vec![session.status.clone()];
    if session.tmux_exists == Some(false) {
        words.push("gone".to_owned());
    }
    if let Some(Some(idle)) = session.idle {
        words.push(if idle { "idle" } else { "not idle" }.to_owned());
    }
    if let Some(Some(percent)) = session.ctx_percent {
        words.push(format!("context {percent} %"));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(name: &str) -> Session {
        Session {
            name: name.to_owned(),
            status: "completed".to_owned(),
            created_at: "2026-11-24 09:00:00".to_owned(),
            target: format!("{name}:0.0"),
            tmux_exists: None,
            idle: None,
            ctx_percent: None,
        }
    }

    #[test]
    fn the_active_session_is_marked_and_told_more_of() {
        let active = Session {
            status: "active".to_owned(),
            idle: Some(Some(true)),
            ctx_percent: Some(Some(42)),
            ..session("b")
        };
        let wanted = [
            "   NAME  STATUS                      CREATED              TARGET",
            "   a     completed                   2026-11-24 09:00:00  a:0.0",
            "*  b     active, idle, context 42 %  2026-11-24 09:00:00  b:0.0",
        ];
        assert_eq!(listed(&[session("a"), active], "b"), wanted.join("\n"));
    }

    #[test]
    fn no_sessions_are_said_to_be_none() {
        assert_eq!(listed(&[], ""), "no sessions");
    }
}
