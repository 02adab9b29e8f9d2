//! The documents about questions of agents, and answers to them.

use serde::{Deserialize, Serialize};

use crate::SessionDetail;

/// What an agent asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its id: another question has another one, even where it says the same.
    pub id: String,
    /// `permission`, `question`, `trust`, `login` or `choice`.
    pub kind: String,
    /// What is asked; of a permission, also for what.
    pub text: String,
    /// The options, in their order.
    pub options: Vec<Choice>,
    /// True where options are ticked one by one, and then submitted.
    pub multiple: bool,
    /// How it can be answered: some of `choice`, `text`, `approve` and `deny`.
    pub takes: Vec<String>,
}

/// An option of a question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Its number.
    pub number: u32,
    /// What it says.
    pub label: String,
    /// What that means, where the agent says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is the one that the agent has selected now.
    pub selected: bool,
    /// Whether it is ticked, where options are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticked: Option<bool>,
}

/// `POST /sessions/{name}/answer`: one of the first four.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerRequest {
    /// An option's number or label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<NumberOrLabel>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// True: yes, for this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approve: Option<bool>,
    /// True: no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deny: Option<bool>,
    /// The id of the question that is meant; any, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
}

/// Which option is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NumberOrLabel {
    /// The one of this number.
    Number(u32),
    /// The one that says this.
    Label(String),
}

/// The answer of `POST /sessions/{name}/answer`: the question is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The id of the question that was answered.
    pub question: String,
    /// The label of the option that was chosen, where one was.
    pub option: Option<String>,
    /// The session, as it is now; it may ask the next question.
    pub session: SessionDetail,
}
