//! The documents about agents, and about the daemon itself.

use serde::{Deserialize, Serialize};

/// `GET /agents`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agents {
    /// Every agent that a session can be started with, in alphabetical order.
    pub agents: Vec<Agent>,
    /// The one that is started where a request names none.
    pub default: String,
    /// Where their programs are looked for.
    pub environment: AgentEnvironment,
}

/// The environment that agents get; its values are never told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentEnvironment {
    /// Where it came from.
    pub origin: String,
    /// What went wrong in finding it out.
    pub problem: Option<String>,
    /// The folders of its PATH.
    pub path: Vec<String>,
}

/// An agent that a session can be started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Its profile's name.
    pub name: String,
    /// `built in`, or the file that its profile is from.
    pub origin: String,
    /// The program and its arguments that are started for it.
    pub command: Vec<String>,
    /// The file of that program, as the agents' PATH finds it; null where it does not.
    pub program: Option<String>,
    /// The first line of what the program says to `--version`; only where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The version that its profile was checked with, where that says one.
    pub checked: Option<String>,
    /// What its state is read from, most trusted first: `hook`, `osc`, `title`, `screen`.
    pub signals: Vec<String>,
    /// Why it was not found, or did not tell its version.
    pub problem: Option<String>,
    /// Whether something was found that logs it in.
    pub login: Login,
}

/// Whether an agent is logged in, by what lies around.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Null where nobody knows what to look for. An agent may keep its login elsewhere, in a keychain.
    pub found: Option<bool>,
    /// The file, or the name of the variable.
    pub by: Option<String>,
}

/// `GET /livez`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Livez {
    /// Always true.
    pub ok: bool,
}

/// `GET /readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readyz {
    /// Always true.
    pub ok: bool,
}
