//! Questions that take the place of the input box: at start, and before a "dangerous" step.

use super::input::{Input, Key};

/// The question that is asked at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// Trust this folder? Yes is selected.
    Trust,
    /// The same, with No first and selected, as Claude Code has it.
    TrustNoFirst,
    /// Something that only a person can do.
    Login,
    /// The warning before a mode without permission prompts.
    Bypass,
}

/// A question, its options, and which one is selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dialog {
    pub(super) text: Vec<String>,
    /// Labels, and whether the option means yes.
    options: Vec<(&'static str, bool)>,
    selected: usize,
    pub(super) footer: &'static str,
}

impl Dialog {
    pub(super) fn opening(kind: Opening) -> Self {
        let (yes, no) = (("Yes, I trust this folder", true), ("No, exit", false));
        match kind {
            Opening::Trust => Self::new(&trust_text(), vec![yes, no]),
            Opening::TrustNoFirst => Self::new(&trust_text(), vec![no, yes]),
            Opening::Bypass => Self::new(BYPASS_TEXT, vec![no, ("Yes, I accept", true)]),
            Opening::Login => {
                Self { footer: "Waiting for the sign-in…", ..Self::new(LOGIN_TEXT, Vec::new()) }
            }
        }
    }

    pub(super) fn permission() -> Self {
        let options = vec![("Yes", true), ("No", false)];
        Self { footer: "Esc to cancel", ..Self::new("Do you want to proceed?", options) }
    }

    fn new(text: &str, options: Vec<(&'static str, bool)>) -> Self {
        let text = text.lines().map(str::to_owned).collect();
        Self { text, options, selected: 0, footer: "Enter to confirm · Esc to cancel" }
    }

    /// The options as rows, and the index of the selected one.
    pub(super) fn rows(&self) -> (Vec<String>, usize) {
        let row = |(at, (label, _)): (usize, &(&str, bool))| {
            let mark = if at == self.selected { '❯' } else { ' ' };
            format!("{mark} {}. {label}", at + 1)
        };
        (self.options.iter().enumerate().map(row).collect(), self.selected)
    }

    /// What a key does: `Some(yes or no)` where it answers the question. Text is not taken.
    pub(super) fn input(&mut self, input: &Input) -> Option<bool> {
        let last = self.options.len().checked_sub(1)?;
        match input {
            Input::Key(Key::Up) => self.selected = self.selected.saturating_sub(1),
            Input::Key(Key::Down) => self.selected = last.min(self.selected + 1),
            Input::Key(Key::Enter) => return Some(self.options[self.selected].1),
            Input::Key(Key::Escape | Key::CtrlC) => return Some(false),
            _ => {}
        }
        None
    }
}

fn trust_text() -> String {
    let folder =
        std::env::current_dir().map_or_else(|_| "?".to_owned(), |folder| folder.display().to_string());
    format!("Accessing workspace:\n\n{folder}\n\nDo you trust the files in this folder?")
}

const BYPASS_TEXT: &str = "\
WARNING: the demo agent would run in Bypass Permissions mode

In this mode it does not ask before it runs commands.";

const LOGIN_TEXT: &str = "\
Sign in to go on

Open this address in a browser: https://login.invalid/demo";

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(mut dialog: Dialog, keys: &[Key]) -> Option<bool> {
        keys.iter().find_map(|key| dialog.input(&Input::Key(*key)))
    }

    #[test]
    fn enter_chooses_the_selected_option() {
        assert_eq!(answer(Dialog::opening(Opening::Trust), &[Key::Enter]), Some(true));
        assert_eq!(answer(Dialog::opening(Opening::TrustNoFirst), &[Key::Enter]), Some(false));
        assert_eq!(
            answer(Dialog::opening(Opening::TrustNoFirst), &[Key::Down, Key::Down, Key::Enter]),
            Some(true)
        );
        assert_eq!(answer(Dialog::permission(), &[Key::Down, Key::Up, Key::Enter]), Some(true));
        assert_eq!(answer(Dialog::permission(), &[Key::Escape]), Some(false));
    }

    #[test]
    fn nothing_answers_the_sign_in() {
        assert_eq!(answer(Dialog::opening(Opening::Login), &[Key::Down, Key::Enter, Key::Escape]), None);
    }

    #[test]
    fn the_selected_row_is_marked() {
        assert_eq!(Dialog::permission().rows(), (vec!["❯ 1. Yes".to_owned(), "  2. No".to_owned()], 0));
    }
}
