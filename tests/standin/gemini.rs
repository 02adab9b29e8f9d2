//! The Gemini API of Google, for Gemini CLI.

use std::io;

use serde_json::{Value, json};

use super::ask::{Ask, Said, functions};
use super::http::{Events, Refusal};
use super::script::{Content, Piece, Reply};
use super::{Dialect, Limit};

pub(crate) const STREAMED: Dialect = Dialect { read, stream, whole: None, failure, limit };
pub(crate) const WHOLE: Dialect = Dialect { read: read_whole, stream, whole: Some(whole), failure, limit };

/// As the quota of a day is told.
fn limit(limit: Limit) -> Refusal {
    let kind = |name: &str| format!("type.googleapis.com/google.rpc.{name}");
    let message = format!(
        "You exceeded your current quota, please check your plan and billing details.\nPlease retry in {}s.",
        limit.left
    );
    let quota = json!({
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
        "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
    });
    let details = json!([
        {"@type": kind("QuotaFailure"), "violations": [quota]},
        {"@type": kind("RetryInfo"), "retryDelay": format!("{}s", limit.left)},
    ]);
    let error = json!({"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details});
    Refusal { status: 429, headers: Vec::new(), document: json!({"error": error}) }
}

fn read_whole(body: &Value) -> Ask {
    Ask { is_whole: true, ..read(body) }
}

fn read(body: &Value) -> Ask {
    let config = &body["generationConfig"];
    let wants_json = config["responseMimeType"] == "application/json";
    let schema = config.get("responseJsonSchema").or_else(|| config.get("responseSchema")).cloned();
    let groups = body["tools"].as_array().into_iter().flatten();
    let tools = groups.flat_map(|group| group["functionDeclarations"].as_array().into_iter().flatten());
    let mut ask = Ask {
        tools: functions(tools),
        schema: schema.or_else(|| wants_json.then(|| json!({}))),
        ..Ask::default()
    };
    ask.is_aside = ask.tools.is_empty();
    let contents = body["contents"].as_array().into_iter().flatten();
    for part in contents.filter(|content| content["role"] != "model").flat_map(parts) {
        if part.get("functionResponse").is_some() {
            ask.said.push(Said::ToolResult);
        } else if let Some(text) = part["text"].as_str() {
            ask.add_text(text);
        }
    }
    ask
}

fn parts(content: &Value) -> impl Iterator<Item = &Value> {
    content["parts"].as_array().into_iter().flatten()
}

fn stream(reply: &Reply, events: &mut Events<'_>) -> io::Result<()> {
    let number = events.number;
    for piece in reply.pieces() {
        let part = match piece {
            Piece::Thought(thought) => json!({"text": format!("**Thinking**\n{thought}"), "thought": true}),
            Piece::Word(word) => json!({"text": word}),
        };
        events.data(&candidate(number, &part, None))?;
    }
    let last = match &reply.content {
        Content::Call(call) => json!({"functionCall": {"name": call.name, "args": call.arguments}}),
        Content::Speech { .. } | Content::Failure(_) => json!({"text": ""}),
    };
    events.end_is_near();
    events.data(&candidate(number, &last, Some("STOP")))
}

fn whole(reply: &Reply, number: usize) -> Value {
    candidate(number, &json!({"text": reply.words()}), Some("STOP"))
}

fn candidate(number: usize, part: &Value, finish: Option<&str>) -> Value {
    let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": [part]}});
    if let Some(finish) = finish {
        candidate["finishReason"] = finish.into();
    }
    json!({
        "candidates": [candidate], "modelVersion": "stand-in", "responseId": format!("r{number}"),
        "usageMetadata": {"promptTokenCount": 1234, "candidatesTokenCount": 56, "totalTokenCount": 1290},
    })
}

fn failure(status: u16, message: &str) -> Value {
    let name = match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        429 => "RESOURCE_EXHAUSTED",
        503 | 529 => "UNAVAILABLE",
        _ => "INTERNAL",
    };
    let message = format!("stand-in {status}: {message}");
    json!({"error": {"code": status, "message": message, "status": name}})
}
