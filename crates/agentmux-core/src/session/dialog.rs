//! Questions before the first prompt, answered by the text of the right option.
//!
//! Some come over an input box that was ready already, so they are answered until the first Enter of a prompt.
//! The selection is moved one step at a time and read again, and Enter is pressed only when the right row is seen to
//! be selected: agents preselect what they like, and an Enter too early may mean "No, exit".

use std::time::Duration;

use tokio::time::Instant;

use super::Session;
use crate::input::Key;
use crate::profile::{Consent, Dialog, Profile};
use crate::screen::Row;
use crate::state::State;

/// How many keys a start may press in all.
const MOST_KEYS: u32 = 30;

/// How long a key may take to show before it counts as lost and is pressed again. Long: a key that is late, not lost,
/// moves the selection twice, and in a list of two that is back to where it was.
const KEY_SHOWS: Duration = Duration::from_secs(4);

/// How long the right row must have been selected before Enter, where a key was pressed again: the late one may still
/// come.
const SURE: Duration = Duration::from_secs(2);

/// What may be answered, and how far that is.
#[derive(Debug)]
pub(crate) struct Answering {
    /// Whether the question of trust is answered with yes.
    accept_trust: bool,
    /// The command that was started: what it asked for counts as consent.
    argv: Vec<String>,
    keys: u32,
    /// A key did not show in time and was pressed again.
    repeated: bool,
    /// The rows at the last key: the next waits until they have changed, or for a while.
    seen: Vec<Row>,
    pressed: Option<Instant>,
}

impl Answering {
    pub(crate) fn new(accept_trust: bool, argv: Vec<String>) -> Self {
        Self { accept_trust, argv, keys: 0, repeated: false, seen: Vec::new(), pressed: None }
    }
}

/// The next key for a dialog on these rows; `None` where it is not to be answered.
fn next_key(profile: &Profile, allowed: &Answering, rows: &[Row]) -> Option<Key> {
    let shows = |dialog: &&Dialog| rows.iter().any(|row| dialog.matches.is_match(row.text()));
    let dialog = profile.dialogs.iter().find(shows)?;
    let consents = match &dialog.consent {
        Consent::Free => true,
        Consent::Trust => allowed.accept_trust,
        Consent::Argument(pattern) => allowed.argv.iter().any(|argument| pattern.is_match(argument)),
    };
    if !consents {
        return None;
    }
    let Some(option) = &dialog.option else { return Some(Key::Enter) };
    let wanted = rows.iter().rposition(|row| option.is_match(row.text()))?;
    let selected = rows.iter().rposition(|row| profile.selected.is_match(row.text()))?;
    Some(match selected.cmp(&wanted) {
        std::cmp::Ordering::Less => Key::Down,
        std::cmp::Ordering::Greater => Key::Up,
        std::cmp::Ordering::Equal => Key::Enter,
    })
}

impl Session {
    /// True where the screen asks something that will be answered without anybody's help.
    pub(super) fn answers_by_itself(&self) -> bool {
        let rows = self.screen.visible();
        let will = |answering: &Answering| {
            answering.keys < MOST_KEYS && next_key(&self.parts.profile, answering, rows).is_some()
        };
        self.answering.as_ref().is_some_and(will)
    }

    /// Presses the next key of an answer, where the last one has shown its effect.
    pub(super) async fn step_dialog(&mut self) {
        if !self.believed || self.reading.state != State::NeedsInput || !self.answers_by_itself() {
            return;
        }
        let now = Instant::now();
        let rows = self.screen.visible();
        let Some(answering) = &mut self.answering else { return };
        let unchanged = rows == answering.seen.as_slice();
        let waits = |pressed: Instant| unchanged && now < pressed + KEY_SHOWS;
        let Some(key) = next_key(&self.parts.profile, answering, rows) else { return };
        let unsure = key == Key::Enter && answering.repeated && now < self.quiet_since + SURE;
        if unsure || answering.pressed.is_some_and(waits) {
            self.look_again(now + Duration::from_millis(50));
            return;
        }
        answering.repeated |= unchanged;
        answering.keys += 1;
        answering.seen = rows.to_vec();
        answering.pressed = Some(now);
        if let Err(error) = self.parts.terminal.keys(&self.parts.pane, &[key]).await {
            log::warn!("session {}: could not answer its dialog: {error}", self.parts.name);
        }
        self.look_again(Instant::now() + Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;
    use crate::screen::Screen;

    fn key(agent: &str, accept_trust: bool, argv: &[&str], screen: &str) -> Option<Key> {
        let argv = argv.iter().map(|word| (*word).to_owned()).collect();
        let answering = Answering::new(accept_trust, argv);
        next_key(&Profiles::builtin().get(agent).unwrap(), &answering, Screen::from_ansi(screen).visible())
    }

    const TRUST: &str = " Quick safety check: Is this a project you trust?\n\n ❯ No, exit\n   Yes, I trust this folder\n\n Enter to confirm · Esc to cancel";

    #[test]
    fn enter_comes_only_with_the_right_row_selected() {
        assert_eq!(key("claude", true, &[], TRUST), Some(Key::Down));
        let moved = TRUST.replace("❯ No", "  No").replace("  Yes", "❯ Yes");
        assert_eq!(key("claude", true, &[], &moved), Some(Key::Enter));
        let codex = "  Trust this folder? Codex can\n\n› 1. Trust and continue\n  2. Back\n\n  enter continue · esc back";
        assert_eq!(key("codex", true, &[], codex), Some(Key::Enter));
        assert_eq!(
            key("codex", true, &[], &codex.replace("› 1", "  1").replace("  2", "› 2")),
            Some(Key::Up)
        );
    }

    #[test]
    fn without_consent_or_recognition_no_key_is_pressed() {
        assert_eq!(key("claude", false, &[], TRUST), None);
        let bypass = " WARNING\n\n ❯ No, exit\n   Yes, I accept\n\n Enter to confirm";
        assert_eq!(key("claude", true, &["claude"], bypass), None);
        assert_eq!(
            key("claude", true, &["claude", "--dangerously-skip-permissions"], bypass),
            Some(Key::Down)
        );
        assert_eq!(key("claude", true, &[], " Delete all files?\n ❯ Yes\n   No\n Enter to confirm"), None);
    }
}
