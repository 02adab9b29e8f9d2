//! The Messages API of Anthropic, for Claude Code.

use std::io;

use serde_json::{Value, json};

use super::ask::{Ask, functions};
use super::http::{Events, Refusal};
use super::script::{Content, Piece, Reply};
use super::tools::Call;
use super::{Dialect, Limit};

pub(crate) const DIALECT: Dialect = Dialect { read, stream, whole: None, failure: super::failure, limit };

/// As a subscription's limit of five hours is told.
fn limit(limit: Limit) -> Refusal {
    let message = "This request would exceed your account's rate limit. Please try again later.";
    Refusal {
        status: 429,
        headers: vec![
            ("anthropic-ratelimit-unified-status", "rejected".into()),
            ("anthropic-ratelimit-unified-representative-claim", "five_hour".into()),
            ("anthropic-ratelimit-unified-reset", limit.ends.to_string()),
            ("retry-after", limit.left.to_string()),
            ("x-should-retry", "false".into()),
        ],
        document: json!({"type": "error", "error": {"type": "rate_limit_error", "message": message}}),
    }
}

fn read(body: &Value) -> Ask {
    let mut ask = Ask {
        tools: functions(body["tools"].as_array().into_iter().flatten()),
        schema: body.pointer("/output_config/format/schema").cloned(),
        ..Ask::default()
    };
    // Its conversations always come with tools.
    ask.is_aside = ask.tools.is_empty();
    let messages = body["messages"].as_array().into_iter().flatten();
    for message in messages.filter(|message| message["role"] == "user") {
        ask.add_content(&own(&message["content"]), "text");
    }
    ask
}

/// What the user wrote: behind images Claude Code says where they are from.
fn own(content: &Value) -> Value {
    let is_own = |part: &&Value| !part["text"].as_str().unwrap_or_default().starts_with("[Image: source: ");
    match content {
        Value::Array(parts) => parts.iter().filter(is_own).cloned().collect(),
        text => text.clone(),
    }
}

fn stream(reply: &Reply, events: &mut Events<'_>) -> io::Result<()> {
    events.send("message_start", json!({"message": head(events.number)}))?;
    let stop_reason = match &reply.content {
        Content::Call(call) => {
            use_tool(call, events)?;
            "tool_use"
        }
        Content::Speech { .. } | Content::Failure(_) => {
            speak(reply, events)?;
            "end_turn"
        }
    };
    let delta = json!({"stop_reason": stop_reason, "stop_sequence": null});
    events.send("message_delta", json!({"delta": delta, "usage": {"output_tokens": 50}}))?;
    events.end_is_near();
    events.send("message_stop", json!({}))
}

fn head(number: usize) -> Value {
    json!({
        "id": format!("msg_{number}"), "type": "message", "role": "assistant", "model": "stand-in",
        "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": 1000, "output_tokens": 1, "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 20000},
    })
}

fn use_tool(call: &Call, events: &mut Events<'_>) -> io::Result<()> {
    let id = format!("toolu_{}", events.number);
    let block = json!({"type": "tool_use", "id": id, "name": call.name, "input": {}});
    events.send("content_block_start", json!({"index": 0, "content_block": block}))?;
    delta(events, 0, json!({"type": "input_json_delta", "partial_json": call.arguments.to_string()}))?;
    events.send("content_block_stop", json!({"index": 0}))
}

fn delta(events: &mut Events<'_>, index: usize, delta: Value) -> io::Result<()> {
    events.send("content_block_delta", json!({"index": index, "delta": delta}))
}

/// Thoughts are block 0 where there are any; the text is the last block.
fn speak(reply: &Reply, events: &mut Events<'_>) -> io::Result<()> {
    let thinks = matches!(reply.content, Content::Speech { thoughts: 1.., .. });
    let text_block = usize::from(thinks);
    let mut has_text = false;
    if thinks {
        let block = json!({"type": "thinking", "thinking": "", "signature": ""});
        events.send("content_block_start", json!({"index": 0, "content_block": block}))?;
    }
    for piece in reply.pieces() {
        match piece {
            Piece::Thought(thought) => {
                delta(events, 0, json!({"type": "thinking_delta", "thinking": thought}))?
            }
            Piece::Word(word) => {
                if !has_text {
                    has_text = true;
                    begin_text(events, thinks, text_block)?;
                }
                delta(events, text_block, json!({"type": "text_delta", "text": word}))?;
            }
        }
    }
    events.send("content_block_stop", json!({"index": text_block}))
}

fn begin_text(events: &mut Events<'_>, after_thoughts: bool, index: usize) -> io::Result<()> {
    if after_thoughts {
        delta(events, 0, json!({"type": "signature_delta", "signature": "c3RhbmRpbg=="}))?;
        events.send("content_block_stop", json!({"index": 0}))?;
    }
    events.send("content_block_start", json!({"index": index, "content_block": {"type": "text", "text": ""}}))
}
