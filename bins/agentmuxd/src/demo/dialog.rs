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

/// The question that is asked in a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// May it go on? Yes or no.
    Permission,
    /// May it run this command? Yes, yes for ever, or no.
    Command(String),
    /// Two questions for permission, one after the other, that look the same.
    Twice,
    /// One that becomes another question with the first key.
    Shifting,
    /// Which colour? With free text as the last option.
    Colour,
    /// Something that no profile knows.
    Strange,
}

/// A question, its options, and which one is selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dialog {
    pub(super) text: Vec<String>,
    options: Vec<Choice>,
    selected: usize,
    pub(super) footer: &'static str,
    /// What every answer begins with.
    prefix: &'static str,
    /// What was typed into the last option; `None` where none takes text.
    typed: Option<Vec<u8>>,
    /// What comes in its place with the first key.
    shifts_to: Option<Box<Dialog>>,
    /// What is asked after it.
    pub(super) next: Option<Box<Dialog>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    label: &'static str,
    description: &'static str,
    /// The answer that it gives.
    word: &'static str,
}

/// An answer: whether it means yes, and in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) yes: bool,
    pub(super) said: String,
}

const YES: Choice = choice("Yes", "YES");
const NO: Choice = choice("No", "NO");

const fn choice(label: &'static str, word: &'static str) -> Choice {
    Choice { label, description: "", word }
}

impl Dialog {
    pub(super) fn opening(kind: Opening) -> Self {
        let (yes, no) = (choice("Yes, I trust this folder", "YES"), choice("No, exit", "NO"));
        match kind {
            Opening::Trust => Self::new(&trust_text(), vec![yes, no]),
            Opening::TrustNoFirst => Self::new(&trust_text(), vec![no, yes]),
            Opening::Bypass => Self::new(BYPASS_TEXT, vec![no, choice("Yes, I accept", "YES")]),
            Opening::Login => {
                Self { footer: "Waiting for the sign-in…", ..Self::new(LOGIN_TEXT, Vec::new()) }
            }
        }
    }

    pub(super) fn asked(kind: Asked) -> Self {
        let in_turn = |text: &str, options| Self {
            footer: "Esc to cancel",
            prefix: "ASKED-",
            ..Self::new(text, options)
        };
        let permission = || in_turn("Do you want to proceed?", vec![YES, NO]);
        match kind {
            Asked::Permission => permission(),
            Asked::Command(command) => {
                let always = choice("Yes, and don't ask again for this command", "ALWAYS");
                let text = format!("Run a command\n\n  {command}\n\nDo you want to proceed?");
                in_turn(&text, vec![YES, always, NO])
            }
            Asked::Twice => Self { next: Some(Box::new(permission())), ..permission() },
            Asked::Shifting => {
                let other = in_turn("Do you want to delete everything?", vec![NO, YES]);
                Self { shifts_to: Some(Box::new(other)), ..permission() }
            }
            Asked::Colour => {
                let red = Choice { description: "warm", ..choice("Red", "RED") };
                let blue = Choice { description: "cold", ..choice("Blue", "BLUE") };
                let own = choice("Type something", "");
                let question = in_turn("Which colour do you prefer?", vec![red, blue, own]);
                Self { typed: Some(Vec::new()), footer: "Enter to select · Esc to cancel", ..question }
            }
            Asked::Strange => in_turn("Hm?", Vec::new()),
        }
    }

    fn new(text: &str, options: Vec<Choice>) -> Self {
        Self {
            text: text.lines().map(str::to_owned).collect(),
            options,
            selected: 0,
            footer: "Enter to confirm · Esc to cancel",
            prefix: "",
            typed: None,
            shifts_to: None,
            next: None,
        }
    }

    /// The options as rows, and the index of the selected one.
    pub(super) fn rows(&self) -> (Vec<String>, usize) {
        let mut rows = Vec::new();
        let mut cursor = 0;
        for (at, choice) in self.options.iter().enumerate() {
            let is_selected = at == self.selected;
            if is_selected {
                cursor = rows.len();
            }
            let typed = self.typed.as_ref().filter(|typed| at + 1 == self.options.len() && !typed.is_empty());
            let label = typed.map_or_else(|| choice.label.into(), |typed| String::from_utf8_lossy(typed));
            rows.push(format!("{} {}. {label}", if is_selected { '❯' } else { ' ' }, at + 1));
            if !choice.description.is_empty() {
                rows.push(format!("     {}", choice.description));
            }
        }
        (rows, cursor)
    }

    /// What a key does: `Some` where it answers the question. Text is taken by the option for it only.
    pub(super) fn input(&mut self, input: &Input) -> Option<Given> {
        if let (Some(other), Input::Key(_)) = (self.shifts_to.take(), input) {
            *self = *other;
            return None;
        }
        let last = self.options.len().checked_sub(1)?;
        match input {
            Input::Key(Key::Up) => self.selected = self.selected.saturating_sub(1),
            Input::Key(Key::Down) => self.selected = last.min(self.selected + 1),
            Input::Key(Key::Enter) => return self.chosen(),
            Input::Key(Key::Escape | Key::CtrlC) => {
                return Some(Given { yes: false, said: format!("{}NO", self.prefix) });
            }
            Input::Typed(bytes) | Input::Pasted(bytes) if self.selected == last => {
                self.typed.as_mut()?.extend_from_slice(bytes);
            }
            _ => {}
        }
        None
    }

    /// The answer that a decision without keys is.
    pub(super) fn decided(&self, yes: bool) -> String {
        format!("{}{}-BY-HOOK", self.prefix, if yes { YES.word } else { NO.word })
    }

    /// The index of the selected option.
    pub(super) fn selected(&self) -> usize {
        self.selected
    }

    /// Whether it takes text now.
    pub(super) fn takes_text(&self) -> bool {
        self.typed.is_some() && self.selected + 1 == self.options.len()
    }

    fn chosen(&self) -> Option<Given> {
        let choice = &self.options[self.selected];
        let said = match &self.typed {
            Some(typed) if self.takes_text() => String::from_utf8_lossy(typed).into_owned(),
            _ => choice.word.to_owned(),
        };
        let yes = choice.word != "NO";
        (!said.is_empty()).then(|| Given { yes, said: format!("{}{said}", self.prefix) })
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
        keys.iter().find_map(|key| dialog.input(&Input::Key(*key))).map(|given| given.yes)
    }

    fn permission() -> Dialog {
        Dialog::asked(Asked::Permission)
    }

    #[test]
    fn enter_chooses_the_selected_option() {
        assert_eq!(answer(Dialog::opening(Opening::Trust), &[Key::Enter]), Some(true));
        assert_eq!(answer(Dialog::opening(Opening::TrustNoFirst), &[Key::Enter]), Some(false));
        assert_eq!(
            answer(Dialog::opening(Opening::TrustNoFirst), &[Key::Down, Key::Down, Key::Enter]),
            Some(true)
        );
        assert_eq!(answer(permission(), &[Key::Down, Key::Up, Key::Enter]), Some(true));
        assert_eq!(answer(permission(), &[Key::Escape]), Some(false));
        assert_eq!(answer(Dialog::asked(Asked::Shifting), &[Key::Enter, Key::Enter]), Some(false));
    }

    #[test]
    fn nothing_answers_the_sign_in() {
        assert_eq!(answer(Dialog::opening(Opening::Login), &[Key::Down, Key::Enter, Key::Escape]), None);
    }

    #[test]
    fn text_is_typed_into_the_last_option_of_a_choice() {
        let mut dialog = Dialog::asked(Asked::Colour);
        assert_eq!(dialog.input(&Input::Typed(b"x".to_vec())), None);
        for key in [Key::Down, Key::Down, Key::Enter] {
            assert_eq!(dialog.input(&Input::Key(key)), None, "nothing was typed yet");
        }
        dialog.input(&Input::Pasted("grün".into()));
        assert_eq!(dialog.rows().0.last().unwrap(), "❯ 3. grün");
        assert_eq!(dialog.input(&Input::Key(Key::Enter)).unwrap().said, "ASKED-grün");
    }

    #[test]
    fn the_selected_row_is_marked() {
        assert_eq!(permission().rows(), (vec!["❯ 1. Yes".to_owned(), "  2. No".to_owned()], 0));
    }
}
