//! Questions before the first prompt, answered by the text of the right option.
//!
//! Some come over an input box that was ready already, so they are answered until the first Enter of a prompt.
//! The selection is moved one step at a time and read again, and Enter is pressed only when the right row is seen to
//! be selected: agents preselect what they like, and an Enter too early may mean "No, exit".
//!
//! A key has shown its effect when the selection has moved or the dialog is another one. What else changes on the screen
//! is no sign of that: an agent that starts goes on painting above its question, and a key pressed anew while the first one
//! is still on its way goes one option too far. Seen in Copilot CLI 1.0.102 on a busy machine: the Enter behind it chose
//! "No", which ends it with status 1.

use std::time::Duration;

use tokio::time::Instant;

use super::Session;
use super::hand::Hand;
use crate::input::Key;
use crate::profile::{Consent, Dialog, Layout, Profile};
use crate::question::toward;
use crate::screen::Row;
use crate::state::State;

/// How long the same step must be read before it is made: a pane is often read in mid-repaint.
const SETTLED: Duration = Duration::from_millis(100);

/// What may be answered at a start, and how far that is.
#[derive(Debug)]
pub(crate) struct Answering {
    /// Whether the question of trust is answered with yes.
    accept_trust: bool,
    /// The command that was started: what it asked for counts as consent.
    argv: Vec<String>,
    hand: Hand<Step>,
    /// What the last reading asked for, and since when.
    seen: Option<(Step, Instant)>,
}

impl Answering {
    pub(crate) fn new(accept_trust: bool, argv: Vec<String>) -> Self {
        Self { accept_trust, argv, hand: Hand::default(), seen: None }
    }

    /// Notes what a reading asks for; since when it is the same.
    fn note(&mut self, step: &Step, now: Instant) -> Instant {
        match &self.seen {
            Some((seen, since)) if seen == step => *since,
            _ => self.seen.insert((step.clone(), now)).1,
        }
    }
}

/// A key for a dialog, and where it is pressed: another one of these is the effect of the last key, and nothing else is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    dialog: String,
    key: Key,
    /// So many rows from the right option.
    away: usize,
}

/// The next step in a dialog on these rows; `None` where it is not to be answered.
fn next_step(profile: &Profile, allowed: &Answering, rows: &[Row]) -> Option<Step> {
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
    let step = |key, away| Some(Step { dialog: dialog.name.clone(), key, away });
    let Some(option) = &dialog.option else { return step(Key::Enter, 0) };
    let wanted = rows.iter().rposition(|row| option.is_match(row.text()))?;
    let selected = rows.iter().rposition(|row| profile.selected.is_match(row.text()))?;
    step(toward(selected, wanted, Layout::Down), selected.abs_diff(wanted))
}

impl Session {
    /// What is pressed next for a question of the start; `None` where nothing will be.
    fn dialog_step(&self) -> Option<Step> {
        let answering = self.answering.as_ref().filter(|answering| !answering.hand.is_tired())?;
        next_step(&self.parts.profile, answering, self.screen.visible())
    }

    /// True where the screen asks something at the start that will be answered without anybody's help.
    pub(super) fn answers_dialog(&self) -> bool {
        self.dialog_step().is_some()
    }

    /// Presses the next key of an answer, where the last one has shown its effect.
    pub(super) async fn step_dialog(&mut self) {
        if !self.believed || self.reading.state != State::NeedsInput {
            return;
        }
        let (Some(step), Some(answering)) = (self.dialog_step(), &mut self.answering) else { return };
        let now = Instant::now();
        let is_settled = now >= answering.note(&step, now) + SETTLED;
        if is_settled && answering.hand.may_press(step.key, &step, self.quiet_since, now) {
            self.press_on(step).await;
        }
        self.look_again(Instant::now() + Duration::from_millis(50));
    }

    /// Presses the key, if a fresh reading still asks for it.
    async fn press_on(&mut self, step: Step) {
        let is_fresh = self.look().await;
        if !is_fresh || self.reading.state != State::NeedsInput || self.dialog_step().as_ref() != Some(&step)
        {
            return;
        }
        let Some(answering) = &mut self.answering else { return };
        let (name, key) = (&self.parts.name, step.key);
        log::debug!("session {name}: dialog {}: {key:?}, {} rows away", step.dialog, step.away);
        answering.hand.note(step, Instant::now());
        if let Err(error) = self.parts.terminal.keys(&self.parts.pane, &[key]).await {
            log::warn!("session {name}: could not answer its dialog: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;
    use crate::screen::Screen;

    fn step(agent: &str, accept_trust: bool, argv: &[&str], screen: &str) -> Option<Step> {
        let argv = argv.iter().map(|word| (*word).to_owned()).collect();
        let answering = Answering::new(accept_trust, argv);
        next_step(&Profiles::builtin().get(agent).unwrap(), &answering, Screen::from_ansi(screen).visible())
    }

    fn key(agent: &str, accept_trust: bool, argv: &[&str], screen: &str) -> Option<Key> {
        step(agent, accept_trust, argv, screen).map(|step| step.key)
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
    fn only_the_selection_or_another_dialog_is_the_effect_of_a_key() {
        let (first, moved) =
            (step("claude", true, &[], TRUST), TRUST.replace("❯ No", "  No").replace("  Yes", "❯ Yes"));
        let notice = format!(" 3 extensions loaded\n\n{TRUST}");
        assert_eq!(step("claude", true, &[], &notice), first);
        assert_ne!(step("claude", true, &[], &moved), first);
        let notes = " Security notes:\n\n Press Enter to continue";
        assert_ne!(step("claude", true, &[], notes), step("claude", true, &[], " Let's get started."));
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_is_settled_once_the_same_is_read_for_a_while() {
        let (mut answering, start) = (Answering::new(true, Vec::new()), Instant::now());
        let (half, whole) = (
            step("claude", true, &[], " trust this folder\n ❯ No, exit\n\n Yes, I trust").unwrap(),
            step("claude", true, &[], TRUST).unwrap(),
        );
        assert_eq!(answering.note(&half, start), start);
        let later = start + SETTLED;
        assert_eq!(answering.note(&whole, later), later, "it was read in mid-repaint");
        assert_eq!(answering.note(&whole, later + SETTLED), later);
    }

    #[test]
    fn copilot_is_not_told_to_remember_the_folder() {
        let copilot = "│ Confirm folder trust  │\n│ ❯ 1. Yes              │\n│   2. Yes, and remember │\n│   3. No (Esc)         │";
        assert_eq!(key("copilot", true, &[], copilot), Some(Key::Enter));
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
