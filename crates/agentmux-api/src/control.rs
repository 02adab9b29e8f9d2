//! The documents of the endpoints that press keys and end sessions.

use serde::{Deserialize, Serialize};

/// `POST /key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRequest {
    /// The key's name.
    pub key: String,
    /// How often, 1 to 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<u64>,
    /// A pane's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// The answer of `POST /key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Always true.
    pub ok: bool,
    /// `key`.
    pub action: String,
    /// The pane that has the key.
    pub target: String,
    /// The key's name, as it was given.
    pub key: String,
}

/// The answer of `POST /restart`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    /// Always true.
    pub ok: bool,
    /// `restart`.
    pub action: String,
    /// The new session.
    pub session: String,
    /// Its pane.
    pub target: String,
    /// Always true: the answer comes when the new session is ready.
    pub ready: bool,
}

/// The answer of `POST /cleanup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleanup {
    /// Always true.
    pub ok: bool,
    /// `cleanup`.
    pub action: String,
    /// The names of the sessions that are gone now.
    pub killed: Vec<String>,
}

/// `POST /kill`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KillRequest {
    /// A session's name or id.
    pub session: String,
}

/// The answer of `POST /kill`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {
    /// Always true.
    pub ok: bool,
    /// `kill`.
    pub action: String,
    /// The name of the session that is gone now.
    pub session: String,
}
