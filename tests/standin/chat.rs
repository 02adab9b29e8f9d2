//! The Chat Completions API of OpenAI, for OpenCode, Qwen Code, Copilot CLI and Aider.

use std::io;

use serde_json::{Value, json};

use super::ask::{Ask, Said, functions, joined};
use super::http::{Events, Refusal};
use super::script::{Content, Piece, Reply};
use super::tools::Call;
use super::{Dialect, Limit};

pub(crate) const DIALECT: Dialect =
    Dialect { read, stream, whole: Some(whole), failure: super::failure, limit };

/// As OpenAI tells that nothing is left; it does not say until when.
fn limit(_: Limit) -> Refusal {
    let message = "You exceeded your current quota, please check your plan and billing details.";
    let error = json!({"message": message, "type": "insufficient_quota", "param": null, "code": "insufficient_quota"});
    Refusal { status: 429, headers: Vec::new(), document: json!({"error": error}) }
}

fn read(body: &Value) -> Ask {
    let mut ask = Ask {
        tools: functions(body["tools"].as_array().into_iter().flatten().map(|tool| &tool["function"])),
        schema: body.pointer("/response_format/json_schema/schema").cloned(),
        is_whole: body["stream"] != true,
        ..Ask::default()
    };
    let mut system = String::new();
    for message in body["messages"].as_array().into_iter().flatten() {
        match message["role"].as_str() {
            Some("user") => ask.add_content(&message["content"], "text"),
            Some("tool") => ask.said.push(Said::ToolResult),
            Some("system" | "developer") => system += &joined(&message["content"]),
            _ => {}
        }
    }
    // Aider offers no tools at all.
    ask.is_aside = ask.tools.is_empty() && !system.starts_with("Act as an expert software developer");
    ask
}

fn stream(reply: &Reply, events: &mut Events<'_>) -> io::Result<()> {
    let number = events.number;
    let chunk = |events: &mut Events<'_>, delta: Value, finish: Option<&str>| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        events.data(&document(number, "chat.completion.chunk", &json!([choice])))
    };
    chunk(events, json!({"role": "assistant", "content": ""}), None)?;
    if let Content::Call(call) = &reply.content {
        let mut tool_call = tool_call(number, call);
        tool_call["index"] = 0.into();
        chunk(events, json!({"tool_calls": [tool_call]}), None)?;
    }
    for piece in reply.pieces() {
        let delta = match piece {
            Piece::Thought(thought) => json!({"reasoning_content": thought}),
            Piece::Word(word) => json!({"content": word}),
        };
        chunk(events, delta, None)?;
    }
    events.end_is_near();
    chunk(events, json!({}), Some(finish(reply)))?;
    let mut last = document(number, "chat.completion.chunk", &json!([]));
    last["usage"] = usage();
    events.data(&last)?;
    events.line("[DONE]")
}

fn whole(reply: &Reply, number: usize) -> Value {
    let message = match &reply.content {
        Content::Call(call) => {
            json!({"role": "assistant", "content": null, "tool_calls": [tool_call(number, call)]})
        }
        Content::Speech { .. } | Content::Failure(_) => {
            json!({"role": "assistant", "content": reply.words()})
        }
    };
    let choice = json!({"index": 0, "message": message, "finish_reason": finish(reply)});
    let mut document = document(number, "chat.completion", &json!([choice]));
    document["usage"] = usage();
    document
}

fn document(number: usize, object: &str, choices: &Value) -> Value {
    let id = format!("chatcmpl-{number}");
    json!({"id": id, "object": object, "created": 0, "model": "stand-in", "choices": choices})
}

fn usage() -> Value {
    json!({"prompt_tokens": 1234, "completion_tokens": 56, "total_tokens": 1290})
}

fn finish(reply: &Reply) -> &'static str {
    if reply.is_call() { "tool_calls" } else { "stop" }
}

fn tool_call(number: usize, call: &Call) -> Value {
    let function = json!({"name": call.name, "arguments": call.arguments.to_string()});
    json!({"id": format!("call_{number}"), "type": "function", "function": function})
}
