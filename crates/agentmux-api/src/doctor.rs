//! What `doctor` finds: not part of the HTTP API, but printed by both programs.

use serde::{Deserialize, Serialize};

use crate::Agents;

/// What `agentmuxd doctor` and `agentmux doctor --json` print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doctor {
    /// Whether no check failed.
    pub ok: bool,
    /// What was looked at, in order.
    pub checks: Vec<Check>,
    /// The agents, with their versions; null where they were not looked for.
    pub agents: Option<Agents>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What it is about; for an agent, its name.
    pub name: String,
    /// How it is.
    pub status: CheckStatus,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Good.
    Ok,
    /// It works, with something to know.
    Warn,
    /// It does not work.
    Fail,
    /// Not there, and not needed.
    Absent,
}

impl Check {
    /// A thing that is good.
    pub fn ok(name: &str, found: impl Into<String>) -> Self {
        Self { name: name.to_owned(), status: CheckStatus::Ok, found: found.into(), hint: None }
    }

    /// A thing that works, and what to do about it.
    pub fn warn(name: &str, found: impl Into<String>, hint: &str) -> Self {
        Self { status: CheckStatus::Warn, hint: Some(hint.to_owned()), ..Self::ok(name, found) }
    }

    /// A thing that does not work, and what to do about it.
    pub fn fail(name: &str, found: impl Into<String>, hint: &str) -> Self {
        Self { status: CheckStatus::Fail, hint: Some(hint.to_owned()), ..Self::ok(name, found) }
    }
}
