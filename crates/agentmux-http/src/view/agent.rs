//! Agents in the words of the wire.

use agentmux_api as api;
use agentmux_core::agent::{AgentView, Login};
use agentmux_core::environment::Environment;

/// The document of `GET /agents`, for whoever wants it without a server.
pub fn agents(found: Vec<AgentView>, default: &str, environment: &Environment) -> api::Agents {
    let folders = environment.path().map(std::env::split_paths).into_iter().flatten();
    api::Agents {
        agents: found.into_iter().map(agent).collect(),
        default: default.to_owned(),
        environment: api::AgentEnvironment {
            origin: environment.origin.clone(),
            problem: environment.problem.clone(),
            path: folders.map(|folder| folder.to_string_lossy().into_owned()).collect(),
        },
    }
}

fn agent(agent: AgentView) -> api::Agent {
    let (found, by) = match agent.login {
        Login::Found(by) => (Some(true), Some(by)),
        Login::NotFound => (Some(false), None),
        Login::Unknown => (None, None),
    };
    api::Agent {
        name: agent.name,
        origin: agent.origin.to_string(),
        command: agent.command,
        program: agent.program.map(|file| file.to_string_lossy().into_owned()),
        version: agent.version,
        checked: agent.checked,
        signals: agent.signals.into_iter().map(|source| source.word().to_owned()).collect(),
        problem: agent.problem,
        login: api::Login { found, by },
    }
}
