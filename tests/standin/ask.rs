//! What a model is asked, in the same form for every API.

use serde_json::Value;

use super::tools::Tool;

/// One request to a model.
#[derive(Debug, Default)]
pub(crate) struct Ask {
    /// The conversation so far, without what the model said.
    pub(crate) said: Vec<Said>,
    /// The tools that the client offers.
    pub(crate) tools: Vec<Tool>,
    /// The JSON schema that the answer must follow.
    pub(crate) schema: Option<Value>,
    /// Whether the agent asks for itself, by what else its API tells.
    pub(crate) is_aside: bool,
    /// Whether the answer must come in one piece.
    pub(crate) is_whole: bool,
}

/// Something that came from the client's side of the conversation.
#[derive(Debug)]
pub(crate) enum Said {
    /// A text of the user, as it is.
    Text(String),
    /// What a tool call of the model gave.
    ToolResult,
}

impl Ask {
    /// The last text of the user.
    pub(crate) fn text(&self) -> &str {
        self.texts().last().unwrap_or_default()
    }

    /// The texts of the user in this conversation.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.said.iter().filter_map(|said| match said {
            Said::Text(text) => Some(text.as_str()),
            Said::ToolResult => None,
        })
    }

    /// True where the agent asks for itself: a title, a summary.
    pub(crate) fn is_side(&self) -> bool {
        self.schema.is_some() || self.is_aside
    }

    /// True where a tool call has run and the model is to go on.
    pub(crate) fn is_after_tool(&self) -> bool {
        matches!(self.said.last(), Some(Said::ToolResult))
    }

    /// True where the user has just said something.
    pub(crate) fn is_prompt(&self) -> bool {
        !self.is_side() && !self.is_after_tool()
    }

    /// Adds a text of the user, unless it is context that agents put between: no user wrote that.
    pub(crate) fn add_text(&mut self, text: &str) {
        const CONTEXT: [&str; 6] = [
            "<system-reminder>",
            "<environment_context>",
            "<user_instructions>",
            "<turn_aborted>",
            "<permissions",
            "<session_context>",
        ];
        let begins_as_context = CONTEXT.iter().any(|tag| text.trim_start().starts_with(tag));
        if !begins_as_context && !text.trim().is_empty() {
            self.said.push(Said::Text(text.to_owned()));
        }
    }

    /// Adds what a `content` field holds: one text, or parts of which those of `kind` are texts.
    pub(crate) fn add_content(&mut self, content: &Value, kind: &str) {
        if let Some(text) = content.as_str() {
            self.add_text(text);
        }
        for part in content.as_array().into_iter().flatten() {
            match part["type"].as_str() {
                Some("tool_result") => self.said.push(Said::ToolResult),
                Some(known) if known == kind => self.add_text(part["text"].as_str().unwrap_or_default()),
                _ => {}
            }
        }
    }
}

/// The tools in the form that most APIs give to them: functions, whose names for a schema differ.
pub(crate) fn functions<'a>(listed: impl Iterator<Item = &'a Value>) -> Vec<Tool> {
    const SCHEMAS: [&str; 3] = ["input_schema", "parametersJsonSchema", "parameters"];
    let schema = |tool: &Value| SCHEMAS.iter().find_map(|name| tool.get(name)).cloned();
    let tool = |tool: &'a Value| Tool {
        name: tool["name"].as_str().unwrap_or_default().to_owned(),
        schema: schema(tool).unwrap_or_default(),
    };
    listed.map(tool).collect()
}

/// All text of a `content` field.
pub(crate) fn joined(content: &Value) -> String {
    let parts = content.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
    content.as_str().into_iter().chain(parts).collect()
}
