//! What went wrong: in answers, and in turns.

use serde::{Deserialize, Serialize};

/// Why a turn failed; also the least that every error answer has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A sentence.
    pub error: String,
    /// A stable word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// The document of every answer that is not a success.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Only where the session is busy: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<bool>,
    /// Only where the session is busy: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<bool>,
    /// A sentence.
    pub error: String,
    /// A stable word; absent in the answers to an unknown path and to a bad token, which stay as they were
    /// inherited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The session that is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// What that session does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The last screen of a session that did not get ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<String>,
}
