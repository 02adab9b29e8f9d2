//! Questions before the first prompt, answered by the text of the right option.
//!
//! Some come over an input box that was ready already, so they are answered until the first Enter of a prompt.
//! The selection is moved one step at a time and read again, and Enter is pressed only when the right row is seen to
//! be selected: agents preselect what they like, and an Enter too early may mean "No, exit".

use std::time::Duration;

use tokio::time::Instant;

use super::Session;
use super::hand::Hand;
use crate::input::Key;
use crate::profile::{Consent, Dialog, Layout, Profile};
use crate::question::toward;
use crate::screen::Row;
use crate::state::State;

/// What may be answered at a start, and how far that is.
#[derive(Debug)]
pub(crate) struct Answering {
    /// Whether the question of trust is answered with yes.
    accept_trust: bool,
    /// The command that was started: what it asked for counts as consent.
    argv: Vec<String>,
    hand: Hand<Vec<Row>>,
}

impl Answering {
    pub(crate) fn new(accept_trust: bool, argv: Vec<String>) -> Self {
        Self { accept_trust, argv, hand: Hand::default() }
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
    Some(toward(selected, wanted, Layout::Down))
}

impl Session {
    /// The key that a question of the start gets next; `None` where none will be pressed.
    fn dialog_key(&self) -> Option<Key> {
        let answering = self.answering.as_ref().filter(|answering| !answering.hand.is_tired())?;
        next_key(&self.parts.profile, answering, self.screen.visible())
    }

    /// True where the screen asks something at the start that will be answered without anybody's help.
    pub(super) fn answers_dialog(&self) -> bool {
        self.dialog_key().is_some()
    }

    /// Presses the next key of an answer, where the last one has shown its effect.
    pub(super) async fn step_dialog(&mut self) {
        if !self.believed || self.reading.state != State::NeedsInput {
            return;
        }
        let (Some(key), Some(answering)) = (self.dialog_key(), &self.answering) else { return };
        let rows = self.screen.visible().to_vec();
        if answering.hand.may_press(key, &rows, self.quiet_since, Instant::now()) {
            self.press_on(key, rows).await;
        }
        self.look_again(Instant::now() + Duration::from_millis(50));
    }

    /// Presses the key, if a fresh reading still shows what it is meant for.
    async fn press_on(&mut self, key: Key, rows: Vec<Row>) {
        self.look().await;
        if self.screen.visible() != rows || self.reading.state != State::NeedsInput {
            return;
        }
        let Some(answering) = &mut self.answering else { return };
        answering.hand.note(rows, Instant::now());
        if let Err(error) = self.parts.terminal.keys(&self.parts.pane, &[key]).await {
            log::warn!("session {}: could not answer its dialog: {error}", self.parts.name);
        }
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
