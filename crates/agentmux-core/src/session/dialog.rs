//! Questions at the start, answered by the text of the right option.
//!
//! The selection is moved one step at a time and read again, and Enter is pressed only when the right row is seen to
//! be selected: agents preselect what they like, and an Enter too early may mean "No, exit".

use std::time::Duration;

use tokio::time::Instant;

use super::Session;
use super::start::Start;
use crate::input::Key;
use crate::profile::{Consent, Dialog, Profile};
use crate::screen::Row;

/// How many keys a start may press in all.
const MOST_KEYS: u32 = 30;

/// How long a key may take to show.
const KEY_SHOWS: Duration = Duration::from_millis(700);

/// How far the answering is.
#[derive(Debug, Default)]
pub(super) struct Answering {
    keys: u32,
    /// The rows at the last key: the next waits until they have changed, or for a while.
    seen: Vec<Row>,
    pressed: Option<Instant>,
}

/// The next key for a dialog on these rows; `None` where it is not to be answered.
fn next_key(profile: &Profile, start: &Start, rows: &[Row]) -> Option<Key> {
    let shows = |dialog: &&Dialog| rows.iter().any(|row| dialog.matches.is_match(row.text()));
    let dialog = profile.dialogs.iter().find(shows)?;
    let allowed = match &dialog.consent {
        Consent::Free => true,
        Consent::Trust => start.accept_trust,
        Consent::Argument(pattern) => start.argv.iter().any(|argument| pattern.is_match(argument)),
    };
    if !allowed {
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
    /// Presses the next key of an answer, where the last one has shown its effect.
    pub(super) async fn step_dialog(&mut self) {
        let now = Instant::now();
        let rows = self.screen.visible();
        let Some(start) = &mut self.start else { return };
        let waits = |pressed: Instant| rows == start.answering.seen.as_slice() && now < pressed + KEY_SHOWS;
        if start.answering.pressed.is_some_and(waits) {
            self.look_again(now + Duration::from_millis(50));
            return;
        }
        let Some(key) = next_key(&self.parts.profile, start, rows) else { return };
        if start.answering.keys >= MOST_KEYS {
            return;
        }
        start.answering.keys += 1;
        start.answering.seen = rows.to_vec();
        start.answering.pressed = Some(now);
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
        let (start, _) = Start::new(Duration::ZERO, Duration::ZERO, accept_trust, argv);
        next_key(&Profiles::builtin().get(agent).unwrap(), &start, Screen::from_ansi(screen).visible())
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
