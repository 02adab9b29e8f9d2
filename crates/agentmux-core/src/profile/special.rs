//! Prompts that an agent treats specially, and how they are delivered as text all the same.

use serde::Deserialize;

use super::fault::Fault;
use super::pattern::Pattern;
use super::raw::pattern;
use crate::input::Prompt;

/// A kind of prompt that the agent takes for something else than text.
#[derive(Debug)]
pub struct Special {
    /// What the agent would do with it, which is its name, too: "runs a shell command", "ends the program".
    pub name: String,
    /// Which prompts these are.
    pub matches: Pattern,
    /// How they are typed so that they are text; `None` where no way is known.
    pub delivery: Option<Delivery>,
}

/// What is typed around a prompt, and what the agent itself takes away again, or not: both are blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Before it.
    pub before: String,
    /// Behind it.
    pub behind: String,
}

/// What is to be done with a prompt that must arrive as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wording {
    /// The text to type.
    Typed(Prompt),
    /// It cannot be delivered as text; what the agent would do with it.
    Refused(String),
}

/// How a prompt is worded so that the agent takes it for text.
pub(super) fn word(specials: &[Special], prompt: &Prompt) -> Wording {
    let mut text = prompt.as_str().to_owned();
    for special in specials.iter().filter(|special| special.matches.is_match(prompt.as_str())) {
        match &special.delivery {
            None => return Wording::Refused(special.name.clone()),
            Some(delivery) => text = format!("{}{text}{}", delivery.before, delivery.behind),
        }
    }
    Wording::Typed(prompt.worded(text))
}

/// The form that serde reads.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpecialTable {
    name: String,
    #[serde(rename = "match")]
    matches: String,
    #[serde(default)]
    before: String,
    #[serde(default)]
    behind: String,
}

impl SpecialTable {
    pub(super) fn check(self) -> Result<Special, Fault> {
        let matches = pattern("match", &self.matches)?;
        if !(self.before.trim().is_empty() && self.behind.trim().is_empty()) {
            return Err(Fault::at(
                "before",
                "'before' and 'behind' may hold blanks only: a prompt is not changed",
            ));
        }
        let around = Delivery { before: self.before, behind: self.behind };
        let delivery = (around.before.len() + around.behind.len() > 0).then_some(around);
        Ok(Special { name: self.name, matches, delivery })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    fn worded(profiles: &Profiles, agent: &str, text: &str) -> String {
        let profile = profiles.get(agent).unwrap();
        match word(&profile.specials, &Prompt::parse(text).unwrap()) {
            Wording::Typed(prompt) => prompt.as_str().to_owned(),
            Wording::Refused(what) => format!("refused: {what}"),
        }
    }

    #[test]
    fn special_prompts_are_typed_as_the_agent_takes_them_for_text() {
        let profiles = Profiles::builtin();
        for (agent, text, expected) in [
            ("claude", "!echo hi", " !echo hi"),
            ("claude", "/unknown x", " /unknown x"),
            ("claude", "/help", " /help"),
            ("claude", "/etc/hosts is a file", "/etc/hosts is a file"),
            ("claude", "ends with \\", "ends with \\ "),
            ("claude", "/x\\", " /x\\ "),
            ("claude", "?", "?"),
            ("claude", "exit the loop", "exit the loop"),
            ("claude", "exit", "refused: ends the program"),
            ("claude", " quit ", "refused: ends the program"),
            ("codex", "!echo hi", " !echo hi"),
            ("codex", "/model", " /model"),
            ("codex", "exit", "exit"),
            ("codex", "ends with \\", "ends with \\"),
            ("qwen", "/w/a.png\n'/w/c d.PNG'", "refused: is taken for images that wait for a text"),
            ("qwen", "/w/a.png\nwhat is it", "/w/a.png\nwhat is it"),
        ] {
            assert_eq!(worded(&profiles, agent, text), expected, "{agent}: {text:?}");
        }
    }

    #[test]
    fn what_would_change_a_prompt_is_refused() {
        let table = |around: &str| {
            toml::from_str::<SpecialTable>(&format!("name = 'x'\nmatch = '^!'\n{around}")).unwrap().check()
        };
        assert!(table("before = ' '").is_ok());
        assert!(table("before = 'x'").is_err());
    }
}
