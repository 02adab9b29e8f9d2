//! The Responses API of OpenAI, for Codex.

use std::io;

use serde_json::{Value, json};

use super::ask::{Ask, Said, functions};
use super::http::{Events, Refusal};
use super::script::{Content, Piece, Reply};
use super::tools::Call;
use super::{Dialect, Limit};

pub(crate) const DIALECT: Dialect = Dialect { read, stream, whole: None, failure: super::failure, limit };

/// As a plan's limit is told.
fn limit(limit: Limit) -> Refusal {
    let error = json!({
        "type": "usage_limit_reached", "message": "The usage limit has been reached", "plan_type": "plus",
        "resets_at": limit.ends, "resets_in_seconds": limit.left,
    });
    Refusal { status: 429, headers: Vec::new(), document: json!({"error": error}) }
}

fn read(body: &Value) -> Ask {
    let mut ask = Ask {
        tools: functions(body["tools"].as_array().into_iter().flatten()),
        schema: body.pointer("/text/format/schema").cloned(),
        ..Ask::default()
    };
    // Its conversations always come with tools.
    ask.is_aside = ask.tools.is_empty();
    for item in body["input"].as_array().into_iter().flatten() {
        match item["type"].as_str().unwrap_or("message") {
            "message" if item["role"] == "user" => ask.add_content(&item["content"], "input_text"),
            kind if kind.ends_with("_output") => ask.said.push(Said::ToolResult),
            _ => {}
        }
    }
    ask
}

fn stream(reply: &Reply, events: &mut Events<'_>) -> io::Result<()> {
    let number = events.number;
    events.send("response.created", json!({"response": response(number, "in_progress", &[])}))?;
    let output = match &reply.content {
        Content::Call(call) => use_tool(call, events)?,
        Content::Speech { .. } | Content::Failure(_) => Speech::new(events).say(reply)?,
    };
    events.end_is_near();
    events.send("response.completed", json!({"response": response(number, "completed", &output)}))
}

fn response(number: usize, status: &str, output: &[Value]) -> Value {
    json!({
        "id": format!("resp_{number}"), "object": "response", "created_at": 0, "status": status,
        "model": "stand-in", "output": output,
        "usage": {
            "input_tokens": 21000, "input_tokens_details": {"cached_tokens": 20000},
            "output_tokens": 50, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 21050,
        },
    })
}

fn use_tool(call: &Call, events: &mut Events<'_>) -> io::Result<Vec<Value>> {
    let number = events.number;
    let item = json!({
        "type": "function_call", "id": format!("fc_{number}"), "call_id": format!("call_{number}"),
        "name": call.name, "arguments": call.arguments.to_string(), "status": "completed",
    });
    events.send("response.output_item.added", json!({"output_index": 0, "item": item}))?;
    events.send("response.output_item.done", json!({"output_index": 0, "item": item}))?;
    Ok(vec![item])
}

/// Thoughts and text while they are streamed, and the items that they make up.
struct Speech<'a, 'b> {
    events: &'a mut Events<'b>,
    thoughts: String,
    text: String,
    output: Vec<Value>,
}

impl<'a, 'b> Speech<'a, 'b> {
    fn new(events: &'a mut Events<'b>) -> Self {
        Self { events, thoughts: String::new(), text: String::new(), output: Vec::new() }
    }

    fn say(mut self, reply: &Reply) -> io::Result<Vec<Value>> {
        for piece in reply.pieces() {
            match piece {
                Piece::Thought(thought) => self.think(&thought)?,
                Piece::Word(word) => self.speak(&word)?,
            }
        }
        let item = self.message(&[output_text(&self.text)], "completed");
        self.done(item)?;
        Ok(self.output)
    }

    fn think(&mut self, thought: &str) -> io::Result<()> {
        let id = self.id("rs");
        if self.thoughts.is_empty() {
            self.added(json!({"type": "reasoning", "id": id, "summary": []}))?;
            let part = json!({"type": "summary_text", "text": ""});
            let place = json!({"item_id": id, "output_index": 0, "summary_index": 0, "part": part});
            self.events.send("response.reasoning_summary_part.added", place)?;
        }
        self.thoughts += thought;
        let place = json!({"item_id": id, "output_index": 0, "summary_index": 0, "delta": thought});
        self.events.send("response.reasoning_summary_text.delta", place)
    }

    fn speak(&mut self, word: &str) -> io::Result<()> {
        if self.text.is_empty() {
            self.end_thoughts()?;
            self.added(self.message(&[], "in_progress"))?;
            let part = json!({"part": output_text("")});
            self.events.send("response.content_part.added", self.in_text(part))?;
        }
        self.text += word;
        self.events.send("response.output_text.delta", self.in_text(json!({"delta": word})))
    }

    fn end_thoughts(&mut self) -> io::Result<()> {
        if self.thoughts.is_empty() {
            return Ok(());
        }
        let summary = json!([{"type": "summary_text", "text": self.thoughts}]);
        let id = self.id("rs");
        self.done(
            json!({"type": "reasoning", "id": id, "encrypted_content": "c3RhbmRpbg==", "summary": summary}),
        )
    }

    fn added(&mut self, item: Value) -> io::Result<()> {
        self.events
            .send("response.output_item.added", json!({"output_index": self.output.len(), "item": item}))
    }

    fn done(&mut self, item: Value) -> io::Result<()> {
        let place = json!({"output_index": self.output.len(), "item": item});
        self.output.push(item);
        self.events.send("response.output_item.done", place)
    }

    /// Says of an event's data that it belongs to the text.
    fn in_text(&self, mut data: Value) -> Value {
        data["item_id"] = self.id("msg").into();
        data["output_index"] = self.output.len().into();
        data["content_index"] = 0.into();
        data
    }

    fn message(&self, content: &[Value], status: &str) -> Value {
        let id = self.id("msg");
        json!({"type": "message", "id": id, "role": "assistant", "status": status, "content": content})
    }

    fn id(&self, kind: &str) -> String {
        format!("{kind}_{}", self.events.number)
    }
}

fn output_text(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": []})
}
