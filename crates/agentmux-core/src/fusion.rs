//! The agent's own word on its state (a hook, OSC 7501) beside what its screen says.
//!
//! The agent is trusted more, and it is earlier: it says that it works before it paints. But its word may be old, or
//! the last one that it could say: it may have been lost while a connection was down, and some ends come without a
//! hook. So its word counts against the screen for a while only; if the contradiction lasts, the screen decides.

use std::time::Duration;

use tokio::time::Instant;

use crate::profile::signals::Meaning;
use crate::reading::Reading;
use crate::signals::Signal;
use crate::state::{Source, State};
use crate::terminal::Announced;

/// How long a word counts against a screen that says otherwise.
pub(crate) const COUNTS: Duration = Duration::from_secs(3);

/// How long a box under which an agent starts must stand still to be one that waits for a prompt.
pub(crate) const STARTED: Duration = Duration::from_secs(3);

/// What is to be believed of a screen by how long it has been like that: with an empty box on it, a start that shows nothing
/// new is over. What tells the two apart, such as a banner, can be switched off by the user.
pub(crate) fn started(reading: Reading, quiet_since: Instant, now: Instant) -> Reading {
    let is_over = reading.state == State::Starting
        && reading.input.as_deref() == Some("")
        && now >= quiet_since + STARTED;
    if is_over { Reading { state: State::Idle, ..reading } } else { reading }
}

/// What an agent said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    said: Said,
    /// How: [`Source::Hook`] or [`Source::Osc`].
    source: Source,
    /// Its words.
    pub(crate) matched: String,
    pub(crate) at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Works,
    Rests,
    Asks,
}

impl Word {
    /// What an announcement says; `None` where that is nothing of its state.
    pub(crate) fn announced(announced: &Announced) -> Option<Self> {
        let said = match announced.state.as_str() {
            "working" => Said::Works,
            "blocked" => Said::Asks,
            "idle" | "done" | "error" => Said::Rests,
            _ => return None,
        };
        let matched = match &announced.kind {
            Some(kind) => format!("state={}:kind={kind}", announced.state),
            None => format!("state={}", announced.state),
        };
        Some(Self { said, source: Source::Osc, matched, at: announced.at })
    }

    /// What a hook says; `None` where that is nothing of its state.
    pub(crate) fn of(signal: &Signal) -> Option<Self> {
        let said = match signal.means {
            Meaning::Submitted | Meaning::Working => Said::Works,
            Meaning::Asks => Said::Asks,
            Meaning::Done | Meaning::Failed | Meaning::Interrupted => Said::Rests,
            Meaning::Ready | Meaning::Ended | Meaning::Notes | Meaning::Ignored => return None,
        };
        Some(Self { said, source: Source::Hook, matched: signal.event.clone(), at: signal.at })
    }
}

/// What is to be believed of a screen and the agent's last word; the second value is true where they contradict each
/// other. `quiet_since`: the screen has been as it is since then.
pub(crate) fn fuse(
    reading: Reading,
    word: Option<&Word>,
    quiet_since: Instant,
    now: Instant,
) -> (Reading, bool) {
    let Some(word) = word else { return (reading, false) };
    let state = match word.said {
        Said::Asks => return fuse_question(reading, word, now),
        Said::Works => State::Busy,
        // It can rest only where there is a box to type into.
        Said::Rests => match &reading.input {
            Some(text) if text.is_empty() => State::Idle,
            Some(_) => State::Draft,
            None => return (reading, false),
        },
    };
    if state == reading.state {
        return (by_word(reading, word, state), false);
    }
    // A question on the screen is seen by whoever must answer it; an ended program says nothing.
    let screen_decides = matches!(reading.state, State::NeedsInput | State::Exited);
    let counts = match (word.source, word.said) {
        // Another hook may have sent it back to work (Claude Code's `Stop` hooks can), and the screen follows a hook
        // by 70 ms. So work on the screen is believed while the screen moves.
        (Source::Hook, Said::Rests) => now >= word.at.max(quiet_since) + COUNTS,
        _ => now < word.at + COUNTS,
    };
    if screen_decides || !counts {
        return (reading, true);
    }
    (by_word(reading, word, state), true)
}

/// The agent asks something. It says so before the question is on the screen and takes keys (Codex 0.169.0: up to a
/// second before), so until it shows the agent is at work; one that no rule knows is believed after a while.
fn fuse_question(reading: Reading, word: &Word, now: Instant) -> (Reading, bool) {
    let late = now >= word.at + COUNTS;
    match reading.state {
        State::NeedsInput | State::Exited => (reading, false),
        State::Idle | State::Draft if late => (reading, true),
        // Answered by a person: only the screen tells of that where there is no hook for it.
        State::Busy if late && word.source == Source::Hook => (reading, true),
        _ if late => (by_word(reading, word, State::NeedsInput), true),
        _ => (by_word(reading, word, State::Busy), true),
    }
}

fn by_word(reading: Reading, word: &Word, state: State) -> Reading {
    let rule = if word.source == Source::Osc { "announced" } else { "hook" };
    Reading { state, source: word.source, rule: rule.into(), matched: word.matched.clone(), ..reading }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A screen, what stands in its box, a word and its age in milliseconds; what is believed. The screen has not
    /// changed for a minute.
    fn fused(screen: State, input: Option<&str>, word: (Source, &str), age: u64) -> (State, Source, bool) {
        let now = Instant::now() + Duration::from_secs(60);
        fused_at(screen, input, word, age, now - Duration::from_secs(60), now)
    }

    fn fused_at(
        screen: State,
        input: Option<&str>,
        (source, word): (Source, &str),
        age: u64,
        quiet_since: Instant,
        now: Instant,
    ) -> (State, Source, bool) {
        let reading = reading(screen, input);
        let at = now - Duration::from_millis(age);
        let announced = Announced { state: word.into(), kind: None, worked: 1, at };
        let word = Word::announced(&announced).map(|word| Word { source, ..word });
        let (reading, contradiction) = fuse(reading, word.as_ref(), quiet_since, now);
        (reading.state, reading.source, contradiction)
    }

    fn reading(state: State, input: Option<&str>) -> Reading {
        let (rule, source, matched) = ("r".to_owned(), Source::Screen, String::new());
        Reading { state, rule, source, matched, input: input.map(str::to_owned), context: None }
    }

    #[test]
    fn a_start_with_an_empty_box_that_stands_still_is_over() {
        use State::*;
        let began = Instant::now();
        for (state, input, seconds, expected) in [
            (Starting, Some(""), 2, Starting),
            (Starting, Some(""), 3, Idle),
            (Starting, Some("x"), 9, Starting),
            (Starting, None, 9, Starting),
            (Unknown, Some(""), 9, Unknown),
        ] {
            let now = began + Duration::from_secs(seconds);
            assert_eq!(
                started(reading(state, input), began, now).state,
                expected,
                "{state} {input:?} {seconds}"
            );
        }
    }

    #[test]
    fn the_agent_s_announcement_counts_before_the_screen_for_a_while() {
        use {Source::Osc, Source::Screen, State::*};
        for (screen, input, word, age, expected) in [
            (Idle, Some(""), "working", 50, (Busy, Osc, true)),
            (Idle, Some(""), "working", 5000, (Idle, Screen, true)),
            (Busy, Some(""), "working", 50, (Busy, Osc, false)),
            (Busy, Some(""), "done", 50, (Idle, Osc, true)),
            (Busy, Some(""), "done", 5000, (Busy, Screen, true)),
            (Busy, Some("x"), "idle", 50, (Draft, Osc, true)),
            // No box: whatever it says, it cannot be typed into.
            (Busy, None, "idle", 50, (Busy, Screen, false)),
            (Idle, Some(""), "error", 9000, (Idle, Osc, false)),
            (NeedsInput, None, "working", 50, (NeedsInput, Screen, true)),
            (Busy, None, "blocked", 50, (Busy, Osc, true)),
            (NeedsInput, None, "blocked", 50, (NeedsInput, Screen, false)),
            (Unknown, None, "blocked", 5000, (NeedsInput, Osc, true)),
            (Idle, Some(""), "blocked", 5000, (Idle, Screen, true)),
            (Exited, None, "working", 50, (Exited, Screen, true)),
            (Idle, Some(""), "clear", 50, (Idle, Screen, false)),
        ] {
            assert_eq!(fused(screen, input, (Osc, word), age), expected, "{screen} {input:?} {word} {age}");
        }
    }

    #[test]
    fn a_hook_s_word_counts_as_long_as_nothing_shows_that_it_is_old() {
        use {Source::Hook, Source::Screen, State::*};
        for (screen, input, word, age, expected) in [
            // It said that it took a prompt, and the screen has not followed yet; or it was interrupted since.
            (Idle, Some(""), "working", 50, (Busy, Hook, true)),
            (Idle, Some(""), "working", 5000, (Idle, Screen, true)),
            // It said that it has finished: believed with the screen, at once; or where that has come to rest.
            (Idle, Some(""), "done", 50, (Idle, Hook, false)),
            (Idle, Some(""), "done", 60_000, (Idle, Hook, false)),
            (Busy, Some(""), "done", 50, (Busy, Screen, true)),
            (Busy, Some(""), "done", 5000, (Idle, Hook, true)),
            (NeedsInput, None, "done", 5000, (NeedsInput, Screen, false)),
            // It asks: not yet shown, shown, shown in a way that no rule knows, answered meanwhile.
            (Idle, Some(""), "blocked", 50, (Busy, Hook, true)),
            (NeedsInput, None, "blocked", 50, (NeedsInput, Screen, false)),
            (Unknown, None, "blocked", 5000, (NeedsInput, Hook, true)),
            (Busy, Some(""), "blocked", 5000, (Busy, Screen, true)),
        ] {
            assert_eq!(fused(screen, input, (Hook, word), age), expected, "{screen} {input:?} {word} {age}");
        }
    }

    #[test]
    fn a_screen_that_moves_after_the_end_is_one_at_work() {
        let now = Instant::now() + Duration::from_secs(60);
        let moved = now - Duration::from_millis(900);
        let seen = fused_at(State::Busy, Some(""), (Source::Hook, "done"), 20_000, moved, now);
        assert_eq!(seen, (State::Busy, Source::Screen, true));
    }
}
