//! The label that a pane carries, as one line of JSON in a pane's user option.

use agentmux_core::input::{SessionName, ShortName};
use agentmux_core::question::Policy;
use agentmux_core::terminal::Label;
use serde::{Deserialize, Serialize};

/// A pane's option, not a session's: a pane that a person adds to the session by a split is not ours.
pub(crate) const LABEL_OPTION: &str = "@agentmux_label";

/// Small enough for one call of tmux (16 KB), with the rest of it.
const LONGEST: usize = 8 * 1024;

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    owner: String,
    id: String,
    name: String,
    agent: String,
    created: i64,
    workdir: String,
    /// Absent where an earlier version stored the label.
    #[serde(default)]
    policy: String,
}

/// The label as an option's value: JSON escapes control characters, so rows of a listing stay rows.
///
/// `None` where it is too long.
pub(crate) fn encode(label: &Label, owner: &str) -> Option<String> {
    let stored = Stored {
        owner: owner.to_owned(),
        id: label.id.clone(),
        name: label.name.to_string(),
        agent: label.agent.to_string(),
        created: label.created,
        workdir: label.workdir.clone(),
        policy: label.policy.word().to_owned(),
    };
    let text = serde_json::to_string(&stored).expect("strings and a number are always JSON");
    (text.len() <= LONGEST).then_some(text)
}

/// The label in an option's value; `None` where there is none, or another owner's.
pub(crate) fn decode(text: &str, owner: &str) -> Option<Label> {
    let stored: Stored = serde_json::from_str(text).ok()?;
    if stored.owner != owner {
        return None;
    }
    Some(Label {
        id: stored.id,
        name: SessionName::parse(&stored.name).ok()?,
        agent: ShortName::parse("agent", &stored.agent).ok()?,
        created: stored.created,
        workdir: stored.workdir,
        // What is not known is asked about.
        policy: Policy::parse(&stored.policy).unwrap_or_default(),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use agentmux_core::terminal::{Launch, Size};

    use super::*;

    pub(crate) fn launch() -> Launch {
        Launch {
            name: SessionName::parse("one").unwrap(),
            window: ShortName::parse("window", "agent").unwrap(),
            argv: vec!["prog".into(), "-x".into()],
            workdir: "/tmp".into(),
            env: [("A".into(), "1".into())].into(),
            size: Size::default(),
            label: Label {
                id: "id-1".into(),
                name: SessionName::parse("one").unwrap(),
                agent: ShortName::parse("agent", "claude").unwrap(),
                created: 1_800_000_000,
                workdir: "/tmp/#(touch x);\t\"é".into(),
                policy: Policy::Deny,
            },
        }
    }

    #[test]
    fn a_label_survives_whatever_its_folder_is_called() {
        let label = launch().label;
        let text = encode(&label, "me").unwrap();
        assert!(!text.contains(char::is_control), "{text}");
        assert_eq!(decode(&text, "me"), Some(label));
    }

    #[test]
    fn a_policy_that_is_not_known_is_to_ask() {
        let text = encode(&launch().label, "me").unwrap();
        for stored in [text.replace("deny", "sometimes"), text.replace(r#","policy":"deny""#, "")] {
            assert_ne!(stored, text);
            assert_eq!(decode(&stored, "me").unwrap().policy, Policy::Ask);
        }
    }

    #[test]
    fn what_another_owner_or_nobody_stored_is_no_label() {
        let text = encode(&launch().label, "me").unwrap();
        for (text, owner) in [(text.as_str(), "you"), ("", "me"), ("{}", "me"), ("x", "me")] {
            assert_eq!(decode(text, owner), None);
        }
    }

    #[test]
    fn a_label_that_tmux_cannot_take_is_refused() {
        let label = Label { workdir: "x".repeat(9000), ..launch().label };
        assert_eq!(encode(&label, "me"), None);
    }
}
