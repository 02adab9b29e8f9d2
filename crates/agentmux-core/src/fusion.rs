//! The agent's own word on its state (OSC 7501) beside what its screen says.
//!
//! The agent is trusted more, and it is earlier: it says `working` before it paints. But its word may be old: output may
//! have been lost while the terminal's connection was down. So its word counts against the screen for a while only; if
//! the contradiction lasts, the screen decides.

use std::time::Duration;

use tokio::time::Instant;

use crate::reading::Reading;
use crate::state::{Source, State};
use crate::terminal::Announced;

/// How long an announcement counts against a screen that says otherwise.
pub(crate) const COUNTS: Duration = Duration::from_secs(3);

/// What is to be believed of a screen and an announcement; the second value is true where they contradict each other.
pub(crate) fn fuse(reading: Reading, announced: Option<&Announced>, now: Instant) -> (Reading, bool) {
    let Some(announced) = announced else { return (reading, false) };
    if announced.state == "blocked" {
        return fuse_blocked(reading, announced, now);
    }
    let Some(state) = meaning(announced, &reading) else { return (reading, false) };
    if state == reading.state {
        return (by_announcement(reading, announced, state), false);
    }
    // A question on the screen is seen by whoever must answer it; an ended program announces nothing.
    let screen_decides = matches!(reading.state, State::NeedsInput | State::Exited);
    if screen_decides || now >= announced.at + COUNTS {
        return (reading, true);
    }
    (by_announcement(reading, announced, state), true)
}

/// The agent asks something. It says so before the question is on the screen and takes keys (Codex 0.169.0: up to a
/// second before), so until it shows the agent is at work; one that no rule knows is believed after a while.
fn fuse_blocked(reading: Reading, announced: &Announced, now: Instant) -> (Reading, bool) {
    let late = now >= announced.at + COUNTS;
    match reading.state {
        State::NeedsInput | State::Exited => (reading, false),
        State::Idle | State::Draft if late => (reading, true),
        _ if late => (by_announcement(reading, announced, State::NeedsInput), true),
        _ => (by_announcement(reading, announced, State::Busy), true),
    }
}

/// The state that an announcement means; `None` where it says nothing of a state, or the screen does not show a box yet
/// that could be idle.
fn meaning(announced: &Announced, reading: &Reading) -> Option<State> {
    match announced.state.as_str() {
        "working" => Some(State::Busy),
        "idle" | "done" | "error" => {
            reading.input.as_ref().map(|text| if text.is_empty() { State::Idle } else { State::Draft })
        }
        _ => None,
    }
}

fn by_announcement(reading: Reading, announced: &Announced, state: State) -> Reading {
    let matched = match &announced.kind {
        Some(kind) => format!("state={}:kind={kind}", announced.state),
        None => format!("state={}", announced.state),
    };
    Reading { state, source: Source::Osc, rule: "announced".into(), matched, ..reading }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fused(screen: State, input: Option<&str>, announced: &str, age: u64) -> (State, Source, bool) {
        let reading = Reading {
            state: screen,
            rule: "r".into(),
            source: Source::Screen,
            matched: String::new(),
            input: input.map(str::to_owned),
            context: None,
        };
        let now = Instant::now() + Duration::from_secs(60);
        let at = now - Duration::from_millis(age);
        let announced = Announced { state: announced.into(), kind: None, worked: 1, at };
        let (reading, contradiction) = fuse(reading, Some(&announced), now);
        (reading.state, reading.source, contradiction)
    }

    #[test]
    fn the_agent_s_word_counts_before_the_screen_for_a_while() {
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
            assert_eq!(fused(screen, input, word, age), expected, "{screen} {input:?} {word} {age}");
        }
    }
}
