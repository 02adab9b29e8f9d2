//! What an agent asks, as data: read off a screen by the forms in its profile, as a pure function.

mod options;

use crate::input::{Invalid, Key, Prompt};
use crate::profile::{FreeText, Layout, Profile, QuestionForm, Way};
use crate::screen::Screen;

use options::Listed;

/// The longest text of a question that is kept, in characters.
const LONGEST: usize = 8000;

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// Whether the agent may do something.
    Permission,
    /// The agent wants to know something.
    Question,
    /// Whether a folder, or a way of working, is trusted.
    Trust,
    /// Somebody must sign in.
    Login,
    /// A list or a page of the agent's own, that somebody opened.
    Choice,
}

impl QuestionKind {
    /// The word for it on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Permission => "permission",
            Self::Question => "question",
            Self::Trust => "trust",
            Self::Login => "login",
            Self::Choice => "choice",
        }
    }
}

/// What an agent asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What it is about.
    pub kind: QuestionKind,
    /// The form of the profile by which it was read.
    pub form: String,
    /// What is asked, a permission's command included.
    pub text: String,
    /// The options, in their order.
    pub options: Vec<Choice>,
    /// True where an option is ticked, and the question stays until it is submitted.
    pub multiple: bool,
    /// How it can be answered.
    pub takes: Takes,
    /// The option that text is typed into.
    pub(crate) text_option: Option<usize>,
}

/// One of the options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The number before it; without numbers, its place from 1.
    pub number: u32,
    /// What it says.
    pub label: String,
    /// What that means.
    pub description: Option<String>,
    /// Whether Enter would choose it now.
    pub selected: bool,
    /// Whether it is ticked, where options are.
    pub ticked: Option<bool>,
    /// The letter that is typed for it, where one is.
    pub(crate) key: Option<char>,
}

/// How a question can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four independent ways")]
pub struct Takes {
    /// By one of its options.
    pub choice: bool,
    /// By text.
    pub text: bool,
    /// By a yes, for this once.
    pub approve: bool,
    /// By a no.
    pub deny: bool,
}

/// A question that a session asks, with its id: another one is another question, though it may say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Unique for ever.
    pub id: String,
    /// What is asked.
    pub question: Question,
}

impl Asked {
    /// One that was not asked before.
    pub(crate) fn new(question: Question) -> Self {
        Self { id: format!("q-{}", uuid::Uuid::now_v7().simple()), question }
    }
}

/// An answer, as it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The option of this number.
    Number(u32),
    /// The option with this label, letter case ignored; its beginning is enough where no other has that, too.
    Label(String),
    /// This text.
    Text(Prompt),
    /// Yes, for this once.
    Approve,
    /// No.
    Deny,
}

/// What is to be done with questions for permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Whoever waits is told, and answers.
    #[default]
    Ask,
    /// They are answered with no.
    Deny,
    /// They are answered with yes, each for this once.
    Approve,
}

/// All policies, by their words.
pub const POLICIES: [(&str, Policy); 3] =
    [("ask", Policy::Ask), ("deny", Policy::Deny), ("approve", Policy::Approve)];

impl Policy {
    /// The word for it on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Deny => "deny",
            Self::Approve => "approve",
        }
    }

    /// The policy of that name.
    pub fn parse(word: &str) -> Option<Self> {
        POLICIES.iter().find(|(known, _)| *known == word).map(|(_, policy)| *policy)
    }

    /// What it answers by itself.
    pub(crate) fn answer(self, question: &Question) -> Option<Answer> {
        match self {
            _ if question.kind != QuestionKind::Permission => None,
            Self::Approve if question.takes.approve => Some(Answer::Approve),
            Self::Deny if question.takes.deny => Some(Answer::Deny),
            _ => None,
        }
    }
}

/// What an answer means for a question on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// The option is selected, and Enter pressed.
    Choose(usize),
    /// These keys.
    Press(Vec<Key>),
    /// The option, where there is one, is selected (and Enter pressed there first); the text is typed, then Enter.
    Type { option: Option<usize>, enter: bool, text: Prompt },
}

/// Why a question cannot be answered so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// There is no such option.
    Invalid(Invalid),
    /// It does not take answers of that kind; the sentence says which it takes.
    NotTaken(String),
}

/// Reads the question on a screen; `None` where no form of the profile is found.
///
/// ```
/// use agentmux_core::{profile::Profiles, question::{QuestionKind, find}, screen::Screen};
///
/// let demo = Profiles::builtin().get("demo").expect("it is built in");
/// let rows = "────────\nDo you want to proceed?\n\n❯ 1. Yes\n  2. No\n\nEsc to cancel";
/// let question = find(&demo, &Screen::from_ansi(rows)).expect("it is one of the demo agent's");
/// assert_eq!((question.kind, question.options[1].label.as_str()), (QuestionKind::Permission, "No"));
/// ```
pub fn find(profile: &Profile, screen: &Screen) -> Option<Question> {
    profile.questions.iter().find_map(|form| read(form, screen))
}

/// Reads a question of this form.
fn read(form: &QuestionForm, screen: &Screen) -> Option<Question> {
    let rows = screen.visible();
    let bare = |text: &str| match &form.frame {
        Some(frame) => frame.replace_all(text, "").trim_end().to_owned(),
        None => text.to_owned(),
    };
    let lines: Vec<String> = rows.iter().map(|row| bare(row.text())).collect();
    let matched = lines.iter().rposition(|line| form.matches.is_match(line))?;
    let mut listed = options::list(form, rows, &lines);
    let begins = |end: usize| {
        let begin = form.begin.as_ref()?;
        Some(lines[..end].iter().rposition(|line| begin.is_match(line)).unwrap_or(0))
    };
    // Options above the question are somebody else's.
    if listed.last.is_some_and(|last| begins(lines.len()).is_some_and(|begin| last < begin)) {
        listed = Listed::default();
    }
    let Listed { options, first, .. } = listed;
    let end = first.unwrap_or(lines.len());
    let begin = begins(end).unwrap_or_else(|| match first {
        Some(first) if matched < first => matched,
        Some(first) => paragraph(&lines, first),
        None => paragraph(&lines, matched + 1),
    });
    if matched < begin
        || (form.option.is_some() && form.kind == QuestionKind::Permission && options.is_empty())
    {
        return None;
    }
    let labelled = |pattern: &regex::Regex| options.iter().position(|option| pattern.is_match(&option.label));
    let can = |way: &Option<Way>| match way {
        Some(Way::Option(label)) => labelled(label).is_some(),
        Some(Way::Keys(_)) => true,
        None => false,
    };
    let text_option = match &form.text {
        Some(FreeText::Option { label, .. }) => labelled(label),
        _ => None,
    };
    let takes = Takes {
        choice: options.iter().any(|option| option.selected || option.key.is_some()),
        text: text_option.is_some() || matches!(form.text, Some(FreeText::Line)),
        approve: can(&form.approve),
        deny: can(&form.deny),
    };
    Some(Question {
        kind: form.kind,
        form: form.name.clone(),
        text: text(form, &lines[begin..end.max(begin)]),
        multiple: options.iter().any(|option| option.ticked.is_some()),
        options,
        takes,
        text_option,
    })
}

/// Where the last paragraph above a row begins.
fn paragraph(lines: &[String], end: usize) -> usize {
    let says = |at: &usize| !lines[*at].trim().is_empty();
    let last = (0..end).rev().find(says).unwrap_or(0);
    (0..=last).rev().take_while(says).last().unwrap_or(last)
}

/// The rows of a question as text, without those that say nothing.
fn text(form: &QuestionForm, lines: &[String]) -> String {
    let says = |line: &&String| !form.skip.as_ref().is_some_and(|skip| skip.is_match(line));
    let lines: Vec<&str> = lines.iter().filter(says).map(String::as_str).collect();
    let indent = |line: &&str| line.chars().take_while(|c| c.is_whitespace()).count();
    let common = lines.iter().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let mut text = String::new();
    for line in lines {
        let line: String = line.chars().skip(common).collect();
        // One blank row is a paragraph; more are only room.
        if !(line.is_empty() && (text.is_empty() || text.ends_with("\n\n"))) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    let end = text.trim_end();
    end.char_indices().nth(LONGEST).map_or(end, |(at, _)| &end[..at]).to_owned()
}

impl Question {
    /// Whether it is the same question, whatever is selected, ticked or half typed in it.
    pub(crate) fn is_same(&self, now: &Self) -> bool {
        let says = |at: usize, option: &Choice| (self.text_option != Some(at)).then(|| option.label.clone());
        let labels = |question: &Self| -> Vec<_> {
            question.options.iter().enumerate().map(|(at, option)| says(at, option)).collect()
        };
        (self.kind, &self.form, &self.text) == (now.kind, &now.form, &now.text) && labels(self) == labels(now)
    }

    /// The same question as it is now. What is typed into an option hides which one that is.
    pub(crate) fn seen_again(&self, now: Self) -> Self {
        Self { text_option: self.text_option, takes: self.takes, ..now }
    }

    pub(crate) fn selected(&self) -> Option<usize> {
        self.options.iter().position(|option| option.selected)
    }

    /// What an answer means for it.
    pub(crate) fn plan(&self, form: &QuestionForm, answer: &Answer) -> Result<Plan, Unfit> {
        let Takes { choice, text, approve, deny } = self.takes;
        match answer {
            Answer::Number(_) | Answer::Label(_) if !choice => Err(self.not_taken("an option")),
            Answer::Number(number) => self.chosen(self.numbered(*number).map_err(Unfit::Invalid)?),
            Answer::Label(label) => self.chosen(self.labelled(label).map_err(Unfit::Invalid)?),
            Answer::Text(given) if text => {
                let enter = matches!(form.text, Some(FreeText::Option { enter: true, .. }));
                Ok(Plan::Type { option: self.text_option, enter, text: given.clone() })
            }
            Answer::Approve if approve => self.decided(form.approve.as_ref()),
            Answer::Deny if deny => self.decided(form.deny.as_ref()),
            Answer::Text(_) => Err(self.not_taken("text")),
            Answer::Approve => Err(self.not_taken("approve")),
            Answer::Deny => Err(self.not_taken("deny")),
        }
    }

    fn chosen(&self, at: usize) -> Result<Plan, Unfit> {
        Ok(match self.options[at].key {
            Some(key) => Plan::Press(vec![Key::Char(key), Key::Enter]),
            None => Plan::Choose(at),
        })
    }

    fn decided(&self, way: Option<&Way>) -> Result<Plan, Unfit> {
        match way {
            Some(Way::Keys(keys)) => Ok(Plan::Press(keys.clone())),
            Some(Way::Option(label)) => {
                let at = self.options.iter().position(|option| label.is_match(&option.label));
                at.map_or_else(|| Err(self.not_taken("a decision")), |at| self.chosen(at))
            }
            None => Err(self.not_taken("a decision")),
        }
    }

    fn numbered(&self, number: u32) -> Result<usize, Invalid> {
        let at = self.options.iter().position(|option| option.number == number);
        at.ok_or_else(|| self.no_such(&number.to_string()))
    }

    fn labelled(&self, label: &str) -> Result<usize, Invalid> {
        let wanted = label.trim().to_lowercase();
        let labels: Vec<_> = self.options.iter().map(|option| option.label.to_lowercase()).collect();
        if let Some(at) = labels.iter().position(|label| *label == wanted) {
            return Ok(at);
        }
        let mut begun = (0..labels.len()).filter(|at| !wanted.is_empty() && labels[*at].starts_with(&wanted));
        match (begun.next(), begun.next()) {
            (Some(at), None) => Ok(at),
            _ => Err(self.no_such(&format!("{label:?}"))),
        }
    }

    fn no_such(&self, what: &str) -> Invalid {
        let known = self.options.iter().map(|option| format!("{} {:?}", option.number, option.label));
        Invalid::new(format!(
            "choice {what} is none, or not one, of the options: {}",
            known.collect::<Vec<_>>().join(", ")
        ))
    }

    fn not_taken(&self, what: &str) -> Unfit {
        let takes = self.takes.words();
        let takes = if takes.is_empty() { "keys only".to_owned() } else { takes.join(", ") };
        Unfit::NotTaken(format!(
            "this question ({}) cannot be answered by {what}; it takes {takes}",
            self.kind.word()
        ))
    }
}

impl Takes {
    /// The words on the wire: `choice`, `text`, `approve`, `deny`.
    pub fn words(self) -> Vec<&'static str> {
        let ways =
            [(self.choice, "choice"), (self.text, "text"), (self.approve, "approve"), (self.deny, "deny")];
        ways.into_iter().filter(|(taken, _)| *taken).map(|(_, word)| word).collect()
    }
}

/// The key that brings the selection one step nearer; Enter where it is there.
pub(crate) fn toward(selected: usize, wanted: usize, layout: Layout) -> Key {
    let (back, on) = if layout == Layout::Across { (Key::Left, Key::Right) } else { (Key::Up, Key::Down) };
    match selected.cmp(&wanted) {
        std::cmp::Ordering::Less => on,
        std::cmp::Ordering::Greater => back,
        std::cmp::Ordering::Equal => Key::Enter,
    }
}
