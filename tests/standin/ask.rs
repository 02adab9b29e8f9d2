//! What a model is asked, in the same form for every API.

use serde_json::Value;

/// One request to a model.
#[derive(Debug, Default)]
pub(crate) struct Ask {
    /// The conversation so far, without what the model said.
    pub(crate) said: Vec<Said>,
    /// Whether the client offers tools.
    pub(crate) tools: bool,
    /// The JSON schema that the answer must follow.
    pub(crate) schema: Option<Value>,
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

    /// True where the agent asks for itself: a title, a summary. Its conversations always come with tools.
    pub(crate) fn is_side(&self) -> bool {
        self.schema.is_some() || !self.tools
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
        const CONTEXT: [&str; 5] = [
            "<system-reminder>",
            "<environment_context>",
            "<user_instructions>",
            "<turn_aborted>",
            "<permissions",
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
