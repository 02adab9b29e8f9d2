//! One key after the other: the next one when the last has shown its effect.
//!
//! Agents lose keys, and show them late. A selection is moved one step at a time and read again.

use std::time::Duration;

use tokio::time::Instant;

use crate::input::Key;

/// How many keys one answer may take; the questions of a start have these in all.
const MOST_KEYS: u32 = 30;

/// How long a key may take to show before it counts as lost and is pressed again. Long: a key that is late, not lost,
/// moves the selection twice, and in a list of two that is back to where it was.
const KEY_SHOWS: Duration = Duration::from_secs(4);

/// How long the right row must have been selected before Enter, where a key was pressed again: the late one may still
/// come.
const SURE: Duration = Duration::from_secs(2);

/// What was pressed so far, and on what: `S` is what a key changes.
#[derive(Debug)]
pub(super) struct Hand<S> {
    keys: u32,
    /// A key did not show in time and was pressed again.
    repeated: bool,
    /// What was seen at the last key, and when that was.
    pressed: Option<(S, Instant)>,
}

impl<S> Default for Hand<S> {
    fn default() -> Self {
        Self { keys: 0, repeated: false, pressed: None }
    }
}

impl<S: PartialEq> Hand<S> {
    /// True where it has pressed so many keys that something must be wrong.
    pub(super) fn is_tired(&self) -> bool {
        self.keys >= MOST_KEYS
    }

    /// Whether this key may be pressed on what is seen, on a screen that has been as it is since `quiet_since`.
    pub(super) fn may_press(&self, key: Key, seen: &S, quiet_since: Instant, now: Instant) -> bool {
        let unsure = key == Key::Enter && self.repeated && now < quiet_since + SURE;
        let waits = |(before, pressed): &(S, Instant)| before == seen && now < *pressed + KEY_SHOWS;
        !unsure && !self.pressed.as_ref().is_some_and(waits)
    }

    /// Notes that a key is pressed on this.
    pub(super) fn note(&mut self, seen: S, now: Instant) {
        self.repeated |= self.pressed.as_ref().is_some_and(|(before, _)| *before == seen);
        self.keys += 1;
        self.pressed = Some((seen, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_next_key_waits_until_the_last_one_shows_or_is_lost() {
        let (mut hand, start) = (Hand::default(), Instant::now());
        assert!(hand.may_press(Key::Down, &0, start, start));
        hand.note(0, start);
        let soon = start + Duration::from_secs(1);
        assert!(!hand.may_press(Key::Down, &0, start, soon));
        assert!(hand.may_press(Key::Enter, &1, start, soon));
        let late = start + KEY_SHOWS;
        assert!(hand.may_press(Key::Down, &0, start, late));
        hand.note(0, late);
        let shown = late + Duration::from_millis(100);
        assert!(!hand.may_press(Key::Enter, &1, shown, shown), "the first key may still come");
        assert!(hand.may_press(Key::Enter, &1, shown, shown + SURE));
    }
}
