//! What the demo agent does with a prompt: keywords in it say so.

use std::time::Duration;

use super::dialog::Asked;

/// An ordinary answer takes this long, so that a person sees it work.
const ORDINARY: Duration = Duration::from_millis(150);
/// A reply says back at most so much of a prompt.
const SAID_CHARS: usize = 400;
const MOST_LINES: usize = 100_000;

/// A reply with everything in it that a reader of screens could take for something else.
const LOOK_ALIKES: &str = "\
Here is what other programs show:

❯
❯ type here
>
> quoted
────────────────────────
❯
────────────────────────
  ready

Do you want to proceed?
❯ 1. Yes
  2. No
Esc to cancel

✻ Working… (3s · esc to interrupt)
esc to interrupt
$
MD-DONE";

/// The work on one prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// How long it takes.
    pub(super) busy: Duration,
    /// False: nothing on the screen tells of it.
    pub(super) shows_work: bool,
    /// Words of the reply come one after the other meanwhile.
    pub(super) streams: bool,
    /// It shows as an attempt after an error.
    pub(super) retries: bool,
    /// This is said at once.
    pub(super) first: Option<&'static str>,
    /// Where it is interrupted the prompt is put back into the box.
    pub(super) returns: bool,
    /// What it ends with.
    pub(super) then: Then,
    /// What stands in the box afterwards, as if a person had typed it.
    pub(super) leaves: Option<String>,
}

/// How the work on a prompt ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Then {
    Reply(String),
    /// It is over, without a word.
    Nothing,
    /// The model failed, with these words.
    Fail(String),
    /// A usage limit for so long; how it is told.
    Limit(Duration, Option<String>),
    /// Nobody is logged in any more.
    LogOut,
    /// A question, whose answer is the reply.
    Ask(Asked),
    /// The program ends with this status.
    Exit(u8),
    /// The program is gone, as by a crash.
    Crash,
}

impl Plan {
    /// The plan for a prompt. Of several keywords the last one counts.
    pub(super) fn of(prompt: &str) -> Self {
        let words: Vec<&str> = prompt.split_whitespace().collect();
        let planned = (0..words.len()).rev().find_map(|at| Self::of_keyword(words[at], &words[at + 1..]));
        planned.unwrap_or_else(|| Self::reply(ORDINARY, said_back(prompt)))
    }

    fn of_keyword(keyword: &str, arguments: &[&str]) -> Option<Self> {
        let seconds = |at: usize| arguments.get(at).and_then(|text| super::options::seconds(text));
        let status = |at: usize| arguments.get(at).and_then(|text| text.parse().ok());
        let at_once = |then| Self { then, ..Self::reply(Duration::ZERO, "") };
        Some(match keyword {
            "PONG" => Self::reply(ORDINARY, "PONG"),
            "SLOW" => Self { streams: true, ..Self::reply(seconds(0)?, "SLOW-DONE") },
            "THINK" => Self::reply(seconds(0)?, "THINK-DONE"),
            "LONG" => Self::reply(ORDINARY, numbered_lines(arguments.first()?.parse().ok()?)),
            "MD" => Self::reply(ORDINARY, LOOK_ALIKES),
            "ASK" => Self::asks(Asked::Permission),
            "ASKTOOL" => Self::asks(Asked::Command(arguments.join(" "))),
            "ASKTWICE" => Self::asks(Asked::Twice),
            "ASKSHIFT" => Self::asks(Asked::Shifting),
            "ASKCOLOUR" => Self::asks(Asked::Colour),
            "ASKSTRANGE" => Self::asks(Asked::Strange),
            "ERROR" => Self { then: Then::Fail(arguments.join(" ")), ..Self::reply(ORDINARY, "") },
            "LIMIT" => {
                let how = arguments.get(1).map(|how| (*how).to_owned());
                Self { then: Then::Limit(seconds(0)?, how), ..Self::reply(ORDINARY, "") }
            }
            "LOGOUT" => Self { then: Then::LogOut, ..Self::reply(ORDINARY, "") },
            "RETRY" => Self { retries: true, ..Self::reply(seconds(0)?, "RETRY-DONE") },
            "RETURNS" => Self { returns: true, ..Self::reply(seconds(0)?, "RETURNS-DONE") },
            "BACKGROUND" => {
                Self { first: Some("BACKGROUND-STARTED"), ..Self::reply(seconds(0)?, "BACKGROUND-DONE") }
            }
            "DIE" => at_once(Then::Exit(status(0)?)),
            "DIEAFTER" => Self { busy: seconds(0)?, ..at_once(Then::Exit(status(1)?)) },
            "CRASH" => at_once(Then::Crash),
            "SILENT" => Self { shows_work: false, ..Self::reply(seconds(0)?, "SILENT-DONE") },
            "EMPTY" => Self { then: Then::Nothing, ..Self::reply(ORDINARY, "") },
            "DRAFT" => Self { leaves: Some(arguments.join(" ")), ..Self::reply(ORDINARY, "DRAFT-DONE") },
            _ => return None,
        })
    }

    fn asks(question: Asked) -> Self {
        Self { then: Then::Ask(question), ..Self::reply(ORDINARY, "") }
    }

    fn reply(busy: Duration, text: impl Into<String>) -> Self {
        Self {
            busy,
            shows_work: true,
            streams: false,
            retries: false,
            first: None,
            returns: false,
            then: Then::Reply(text.into()),
            leaves: None,
        }
    }
}

fn said_back(prompt: &str) -> String {
    if prompt.contains("PONG") {
        return "PONG".to_owned();
    }
    let line = prompt.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    match line.char_indices().nth(SAID_CHARS) {
        Some((end, _)) => format!("You said: {}…", &line[..end]),
        None => format!("You said: {line}"),
    }
}

fn numbered_lines(count: usize) -> String {
    let lines = (1..=count.min(MOST_LINES)).map(|number| format!("line {number}\n"));
    lines.chain(["LONG-DONE".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply_to(prompt: &str) -> String {
        match Plan::of(prompt).then {
            Then::Reply(text) => text,
            other => panic!("{prompt:?} ends with {other:?}"),
        }
    }

    #[test]
    fn the_last_keyword_counts() {
        assert_eq!(reply_to("PONG then THINK 1 please"), "THINK-DONE");
        assert_eq!(reply_to("THINK 1 then PONG"), "PONG");
        assert_eq!(Plan::of("PONG ASK").then, Then::Ask(Asked::Permission));
        assert_eq!(
            Plan::of("DIEAFTER 0.5 3"),
            Plan { busy: Duration::from_millis(500), ..Plan::of("DIE 3") }
        );
    }

    #[test]
    fn a_keyword_without_its_number_is_only_a_word() {
        assert_eq!(reply_to("SLOW down"), "You said: SLOW down");
        assert_eq!(reply_to("LONG"), "You said: LONG");
        assert_eq!(reply_to("THINK -1"), "You said: THINK -1");
    }

    #[test]
    fn other_prompts_are_said_back() {
        assert_eq!(reply_to("reply with exactly 'PONG', please"), "PONG");
        assert_eq!(reply_to("\nhello  world\nmore"), "You said: hello  world");
        assert_eq!(reply_to(&"ä".repeat(900)).chars().count(), "You said: ".len() + SAID_CHARS + 1);
    }

    #[test]
    fn a_draft_is_left_as_it_was_given() {
        let plan = Plan::of("DRAFT half a thought");
        assert_eq!(plan.leaves.as_deref(), Some("half a thought"));
    }

    #[test]
    fn long_replies_end_with_their_mark() {
        assert_eq!(reply_to("LONG 2"), "line 1\nline 2\nLONG-DONE");
    }
}
