//! The documents about agents, and about the daemon itself.

use serde::{Deserialize, Serialize};

/// `GET /agents`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agents {
    /// Every agent that a session can be started with, in alphabetical order.
    pub agents: Vec<Agent>,
    /// The one that is started where a request names none.
    pub default: String,
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
