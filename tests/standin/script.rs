//! What the model answers: the last keyword in the prompt decides. Case counts.
//!
//! | keyword | reply |
//! |---|---|
//! | `PONG [n]` | `PONG` or `PONG-n`; so is a prompt without a keyword answered |
//! | `SLOW s` | ten words a second for `s` seconds, then `SLOW-DONE` |
//! | `THINK s` | reasoning for `s` seconds, then `THINK-DONE` |
//! | `HANG s` | not a byte for `s` seconds, then `HANG-DONE` |
//! | `LONG n` | `line 1` to `line n` at once, then `LONG-DONE` |
//! | `MD` | [`MARKDOWN`]: rows that look like prompts, dialogs and status lines of the agents |
//! | `RECALL` | the last prompt of this conversation that was another: the proof that there was one |
//! | `TOOL command` | a call of the shell tool with the rest of the line, then `TOOL-DONE` |
//! | `ASK` | a call of the tool that asks the user: Which colour? Then `TOOL-DONE` |
//! | `LIMIT s` | the usage limit is reached, for all prompts, until the first full minute that is `s` seconds away; then `LIMIT-DONE` |
//! | `ERRxxx` | this HTTP status, each time |
//! | `ERRxxx n` | this HTTP status the first `n` times that the prompt arrives, then `RECOVERED` |
//!
//! Where the agent offers no shell tool, the command is a block of code to run; where it cannot ask its user,
//! the question is a text.

use std::time::Duration;

use super::ask::Ask;
use super::schema::smallest;
use super::tools::{self, Call};

/// A reply that looks like everything that it is not.
pub(crate) const MARKDOWN: &str = "\
# A trap

Some **bold** text, `code` and a list:

- one
- two

```bash
$ echo hello
❯ npm test
› codex
user@host:~$ ls
```

Text of the reply, not the agent's own:

❯\u{20}

›\u{20}

✻ Thinking… (12s · esc to interrupt)
◦ Working (3s • esc to interrupt)
? for shortcuts
ctx:42%

Do you want to proceed?
❯ 1. Yes
  2. No

Press enter to confirm or esc to cancel

MD-DONE";

/// An answer of the model.
#[derive(Debug)]
pub(crate) struct Reply {
    /// How long nothing is sent at all.
    pub(crate) silence: Duration,
    /// What comes then.
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    /// Reasoning for that many tenths of a second, then text.
    Speech { thoughts: usize, text: String, pace: Duration },
    /// A call of a tool.
    Call(Call),
    /// An HTTP status.
    Failure(u16),
}

/// A small part of a streamed reply.
#[derive(Debug)]
pub(crate) enum Piece {
    Thought(String),
    Word(String),
}

const TICK: Duration = Duration::from_millis(100);

/// Chooses the reply; `times` is how often this prompt has arrived.
pub(crate) fn reply_to(ask: &Ask, times: usize) -> Reply {
    if let Some(schema) = &ask.schema {
        Reply::text(smallest(schema).to_string())
    } else if ask.is_side() {
        Reply::text(r#"{"title": "Stand-in title"}"#)
    } else if ask.is_after_tool() {
        Reply::text("TOOL-DONE")
    } else {
        match last_keyword(ask.text()) {
            Some(("RECALL", _)) => {
                let others =
                    ask.texts().filter(|text| last_keyword(text).is_none_or(|(word, _)| word != "RECALL"));
                Reply::text(others.last().unwrap_or_default())
            }
            Some(("TOOL", command)) => run(ask, command.trim()),
            Some(("ASK", _)) => {
                tools::question(&ask.tools).map_or_else(|| Reply::text("Red or blue?"), Reply::call)
            }
            Some((keyword, rest)) => scripted(keyword, rest, times),
            None => Reply::text("PONG"),
        }
    }
}

fn run(ask: &Ask, command: &str) -> Reply {
    let in_text = || Reply::text(format!("Run this:\n\n```bash\n{command}\n```\n\nTOOL-DONE"));
    tools::shell(&ask.tools, command).map_or_else(in_text, Reply::call)
}

fn scripted(keyword: &str, rest: &str, times: usize) -> Reply {
    let argument = rest.split_whitespace().next().unwrap_or_default();
    let number: usize = argument.parse().unwrap_or(0);
    match keyword {
        "SLOW" => Reply::speech(0, format!("{}\n\nSLOW-DONE", words(number * 10)), TICK),
        "THINK" => Reply::speech(number * 10, "THINK-DONE", Duration::ZERO),
        "HANG" => Reply { silence: Duration::from_secs(number as u64), ..Reply::text("HANG-DONE") },
        "LONG" => Reply::text((1..=number).map(|i| format!("line {i}\n")).collect::<String>() + "LONG-DONE"),
        "MD" => Reply::text(MARKDOWN),
        "PONG" if !argument.is_empty() && argument.bytes().all(|byte| byte.is_ascii_digit()) => {
            Reply::text(format!("PONG-{argument}"))
        }
        "PONG" => Reply::text("PONG"),
        "LIMIT" => Reply::text("LIMIT-DONE"),
        _ if number > 0 && times > number => Reply::text("RECOVERED"),
        _ => Reply::of(Content::Failure(status(keyword).unwrap_or(500))),
    }
}

/// How far away the end of a usage limit is at least, where the prompt is the one that meets it.
pub(crate) fn limit(text: &str) -> Option<Duration> {
    let (_, rest) = last_keyword(text).filter(|(keyword, _)| *keyword == "LIMIT")?;
    rest.split_whitespace().next()?.parse().ok().map(Duration::from_secs)
}

/// Words in lines of twelve.
fn words(count: usize) -> String {
    let ends = |i: usize| if i % 12 == 11 { "\n" } else { " " };
    (0..count).map(|i| format!("word{i}{}", ends(i))).collect::<String>().trim_end().to_owned()
}

/// The last keyword and what follows on its line. After `TOOL` the line is its command, keywords or not.
fn last_keyword(text: &str) -> Option<(&str, &str)> {
    const KEYWORDS: [&str; 10] =
        ["PONG", "SLOW", "THINK", "HANG", "LONG", "MD", "RECALL", "TOOL", "ASK", "LIMIT"];
    let mut last = None;
    for line in text.lines() {
        let mut rest = line;
        while let Some(word) = rest.split_whitespace().next() {
            let start = rest.len() - rest.trim_start().len();
            rest = &rest[start + word.len()..];
            let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
            if KEYWORDS.contains(&word) || status(word).is_some() {
                last = Some((word, rest));
            }
            if word == "TOOL" {
                break;
            }
        }
    }
    last
}

/// The HTTP status in a word like `ERR400`.
fn status(word: &str) -> Option<u16> {
    word.strip_prefix("ERR")?.parse().ok().filter(|status| (400..600).contains(status))
}

impl Reply {
    fn of(content: Content) -> Self {
        Self { silence: Duration::ZERO, content }
    }

    fn speech(thoughts: usize, text: impl Into<String>, pace: Duration) -> Self {
        Self::of(Content::Speech { thoughts, text: text.into(), pace })
    }

    fn text(text: impl Into<String>) -> Self {
        Self::speech(0, text, Duration::ZERO)
    }

    fn call(call: Call) -> Self {
        Self::of(Content::Call(call))
    }

    pub(crate) fn is_call(&self) -> bool {
        matches!(self.content, Content::Call(_))
    }

    /// The speech without the thoughts, in its own time.
    pub(crate) fn words(&self) -> String {
        let word = |piece| if let Piece::Word(word) = piece { word } else { String::new() };
        self.pieces().map(word).collect()
    }

    /// The speech, piece by piece in its own time: taking the next piece takes as long as the model thinks
    /// about it.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece> {
        let (thoughts, text, pace) = match &self.content {
            Content::Speech { thoughts, text, pace } => (*thoughts, text.as_str(), *pace),
            Content::Call(_) | Content::Failure(_) => (0, "", Duration::ZERO),
        };
        let thoughts = (0..thoughts).map(|i| (TICK, Piece::Thought(format!("thought {i} "))));
        let words = text.split_inclusive(' ').map(move |word| (pace, Piece::Word(word.to_owned())));
        thoughts.chain(words).map(|(pause, piece)| {
            std::thread::sleep(pause);
            piece
        })
    }
}

#[test]
fn the_last_keyword_counts_and_a_command_takes_its_line() {
    for (text, keyword, rest) in [
        ("PONG 7", "PONG", " 7"),
        ("SLOW 3, no: `PONG`.", "PONG", ""),
        ("first\nMD\nlast", "MD", ""),
        ("TOOL echo PONG; true", "TOOL", " echo PONG; true"),
        ("ERR400", "ERR400", ""),
    ] {
        assert_eq!(last_keyword(text), Some((keyword, rest)), "{text}");
    }
    assert_eq!(last_keyword("pong SLOWER ERR99"), None);
}
