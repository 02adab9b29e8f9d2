//! What agents tell of themselves by hooks: how they are made to, what was heard, and what it means.
//!
//! An agent is started with a few arguments, variables and files of its profile. On each event it then
//! runs a relay, which hands the event's payload to the daemon with a secret that only this session has. The payload
//! becomes a signal by the profile's table, and goes to the session's task.

pub(crate) mod launch;
mod link;
pub(crate) mod receipt;
mod records;
mod template;
pub(crate) mod transcript;

use std::path::PathBuf;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::profile::signals::{Condition, EventRule, Meaning, Signals, UsagePointers, Wanted};
use crate::reply::tail;

pub use launch::Relay;
pub use link::{Health, Heard, Secret, SignalsView};
pub(crate) use link::{Known, Link};
pub use template::{Pointer, Template};

/// What an agent told by one event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Signal {
    /// The event's name.
    pub(crate) event: String,
    pub(crate) means: Meaning,
    /// The agent's own id of the turn.
    pub(crate) turn: Option<String>,
    /// The prompt as it was received.
    pub(crate) prompt: Option<String>,
    /// The agent's final message.
    pub(crate) reply: Option<String>,
    /// A sentence for people.
    pub(crate) message: Option<String>,
    /// The agent's record of the conversation.
    pub(crate) transcript: Option<PathBuf>,
    /// The agent's own id of the conversation.
    pub(crate) conversation: Option<String>,
    pub(crate) usage: Usage,
    /// What it asks for, where the hook's answer decides that.
    pub(crate) permit: Option<Permit>,
    pub(crate) at: Instant,
}

/// What an agent asks for, and the answers of its hook that decide it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Permit {
    /// What it would do.
    pub(crate) command: Option<String>,
    pub(crate) allow: Option<Value>,
    pub(crate) deny: Option<Value>,
}

/// The answer of a hook.
#[derive(Debug)]
pub enum Verdict {
    /// It is at hand.
    Given(Value),
    /// It is held back, until somebody decides.
    Open(Decision),
}

/// A decision that is to come.
#[derive(Debug)]
pub struct Decision(pub(crate) oneshot::Receiver<Value>);

impl Decision {
    /// Waits for it; an empty object where nobody decides.
    pub async fn made(self) -> Value {
        self.0.await.unwrap_or_else(|_| none())
    }
}

/// The answer of a hook that decides nothing.
pub(crate) fn none() -> Value {
    Value::Object(serde_json::Map::new())
}

/// What a turn used, as far as the agent tells.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Tokens sent to the model.
    pub input: Option<u64>,
    /// Tokens that came back.
    pub output: Option<u64>,
    /// The price, in dollars.
    pub cost: Option<f64>,
    /// Percent of the context used.
    pub context: Option<u8>,
}

impl Usage {
    /// What is known from either; this one goes first.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            input: self.input.or(other.input),
            output: self.output.or(other.output),
            cost: self.cost.or(other.cost),
            context: self.context.or(other.context),
        }
    }
}

/// What a payload means; `None` where no event of the profile fits.
pub(crate) fn read(signals: &Signals, event: Option<&str>, payload: &Value, at: Instant) -> Option<Signal> {
    let named = event.map(str::to_owned).or_else(|| signals.event_key.text(payload))?;
    let fits = |rule: &&EventRule| rule.name == named && hold(&rule.when, payload);
    let rule = signals.events.iter().find(fits)?;
    let text = |pointer: &Option<Pointer>| pointer.as_ref()?.text(payload);
    Some(Signal {
        means: rule.means,
        turn: text(&rule.turn),
        prompt: text(&rule.prompt),
        reply: text(&rule.reply).map(tail),
        message: text(&rule.message).map(tail),
        transcript: text(&rule.transcript).map(PathBuf::from).filter(|path| path.is_absolute()),
        conversation: text(&rule.conversation),
        usage: usage(&rule.usage, payload),
        permit: permit(rule, payload),
        event: named,
        at,
    })
}

fn permit(rule: &EventRule, payload: &Value) -> Option<Permit> {
    let question = &rule.question;
    let (allow, deny) = (question.allow.clone(), question.deny.clone());
    let command = question.command.as_ref().and_then(|pointer| pointer.text(payload));
    (allow.is_some() || deny.is_some()).then_some(Permit { command, allow, deny })
}

/// Whether all conditions hold.
pub(crate) fn hold(conditions: &[Condition], document: &Value) -> bool {
    conditions.iter().all(|condition| {
        let found = condition.at.first(document);
        match &condition.wanted {
            Wanted::Empty => found.is_none_or(is_empty),
            Wanted::Filled => found.is_some_and(|value| !is_empty(value)),
            Wanted::Matching(pattern) => found.is_some_and(|value| match value {
                Value::String(text) => pattern.is_match(text),
                Value::Number(_) | Value::Bool(_) => pattern.is_match(&value.to_string()),
                _ => false,
            }),
        }
    })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// What a document tells of what was used.
pub(crate) fn usage(pointers: &UsagePointers, document: &Value) -> Usage {
    let number = |pointer: &Option<Pointer>| pointer.as_ref()?.number(document);
    let sum = |pointers: &[Pointer]| {
        let found: Vec<f64> = pointers.iter().filter_map(|pointer| pointer.number(document)).collect();
        (!found.is_empty()).then(|| whole(found.iter().sum()))
    };
    Usage {
        input: sum(&pointers.input),
        output: sum(&pointers.output),
        cost: number(&pointers.cost),
        context: percent(number(&pointers.context), number(&pointers.context_limit)),
    }
}

/// Percent of a context: of tokens and a limit, or of a part of one where the limit says that it is one.
fn percent(context: Option<f64>, limit: Option<f64>) -> Option<u8> {
    let percent = match (context?, limit) {
        (part, Some(limit)) if part <= 1.0 && limit > 1.0 => part * 100.0,
        (tokens, Some(limit)) if limit > 0.0 => tokens / limit * 100.0,
        (_, Some(_)) => return None,
        (percent, None) => percent,
    };
    u8::try_from(whole(percent)).ok().filter(|percent| *percent <= 100)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it saturates, and is not negative"
)]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Definitions, Profile};
    use serde_json::json;

    fn claude(payload: &Value) -> Option<Signal> {
        static CLAUDE: std::sync::LazyLock<Profile> =
            std::sync::LazyLock::new(|| Definitions::builtin().profile("claude").unwrap());
        read(CLAUDE.signals.as_ref().unwrap(), None, payload, Instant::now())
    }

    #[test]
    fn one_event_has_several_ends() {
        let profile = Definitions::builtin().profile("opencode").unwrap();
        for (error, means) in [
            (json!({"name": "MessageAbortedError", "message": "Aborted"}), Meaning::Interrupted),
            (json!({"name": "APIError", "message": "bad request"}), Meaning::Failed),
            (json!(null), Meaning::Done),
        ] {
            let payload = json!({
                "type": "session.idle", "turn": "msg_1", "reply": "# Hi\n", "error": error,
                "usage": {"input": 10, "output": 4, "cost": 0.5},
            });
            let signal = read(profile.signals.as_ref().unwrap(), None, &payload, Instant::now()).unwrap();
            assert_eq!((signal.means, signal.turn.as_deref()), (means, Some("msg_1")), "{error}");
            assert_eq!(signal.message.is_some(), means == Meaning::Failed, "{error}");
            let usage = Usage { input: Some(10), output: Some(4), cost: Some(0.5), context: None };
            assert_eq!(signal.usage, usage, "{error}");
        }
    }

    #[test]
    fn a_payload_becomes_what_the_profile_says_it_means() {
        for (payload, means) in [
            (json!({"hook_event_name": "SessionStart", "source": "startup"}), Some(Meaning::Ready)),
            (json!({"hook_event_name": "UserPromptSubmit", "prompt": "x"}), Some(Meaning::Submitted)),
            (json!({"hook_event_name": "PermissionRequest", "tool_name": "Bash"}), Some(Meaning::Asks)),
            (json!({"hook_event_name": "Stop", "background_tasks": []}), Some(Meaning::Done)),
            (json!({"hook_event_name": "Stop"}), Some(Meaning::Done)),
            (json!({"hook_event_name": "Stop", "background_tasks": [{"id": 1}]}), Some(Meaning::Working)),
            (json!({"hook_event_name": "StopFailure", "error": "server_error"}), Some(Meaning::Failed)),
            (json!({"hook_event_name": "SessionEnd"}), Some(Meaning::Ended)),
            (json!({"hook_event_name": "Invented"}), None),
            (json!({"hook_event_name": 7}), None),
            (json!({}), None),
            (json!([]), None),
        ] {
            assert_eq!(claude(&payload).map(|signal| signal.means), means, "{payload}");
        }
    }

    #[test]
    fn a_signal_has_the_texts_of_its_payload() {
        let signal = claude(&json!({
            "hook_event_name": "Stop", "prompt_id": "p1", "last_assistant_message": "# Hi\n",
            "transcript_path": "/t.jsonl",
        }));
        let signal = signal.unwrap();
        assert_eq!((signal.turn.as_deref(), signal.reply.as_deref()), (Some("p1"), Some("# Hi\n")));
        assert_eq!(signal.transcript, Some(PathBuf::from("/t.jsonl")));
        let odd =
            claude(&json!({"hook_event_name": "Stop", "last_assistant_message": 7, "transcript_path": "x"}));
        let odd = odd.unwrap();
        assert_eq!((odd.reply, odd.transcript), (None, None));
    }

    #[test]
    fn the_context_is_told_as_percent_part_or_tokens() {
        for (context, limit, expected) in [
            (Some(42.0), None, Some(42)),
            (Some(0.25), Some(200_000.0), Some(25)),
            (Some(50_000.0), Some(200_000.0), Some(25)),
            (Some(1.0), Some(0.0), None),
            (Some(700.0), None, None),
            (None, Some(1.0), None),
        ] {
            assert_eq!(percent(context, limit), expected, "{context:?} {limit:?}");
        }
    }
}
