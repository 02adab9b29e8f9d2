//! What a screen means to a profile: a pure function, explained by the rule that decided.

use crate::profile::{BoxState, InputBox, Profile, Region, Rule};
use crate::screen::{Row, Screen};
use crate::state::{Source, State};

/// What a screen means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The state that it shows; [`State::Unknown`] where no rule holds.
    pub state: State,
    /// The rule that decided.
    pub rule: String,
    /// Where that rule looked.
    pub source: Source,
    /// The text that matched, at most 200 characters.
    pub matched: String,
    /// The text in the input box; `None` where the box is not on the screen.
    pub input: Option<String>,
    /// Percent of the context used.
    pub context: Option<u8>,
}

/// The input box as it is on a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundBox {
    /// Its first and last row, among the visible ones (edges included).
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// What was typed; empty where only a placeholder or a suggestion shows.
    pub(crate) text: String,
}

/// Reads a screen.
///
/// ```
/// use agentmux_core::{profile::Profiles, reading::read, screen::Screen, state::State};
///
/// let repl = Profiles::builtin().get("repl").expect("it is built in");
/// let mut screen = Screen::from_ansi("hello\n>>> ");
/// screen.cursor_row = 1;
/// assert_eq!(read(&repl, &screen).state, State::Idle);
/// ```
pub fn read(profile: &Profile, screen: &Screen) -> Reading {
    let rows = screen.visible();
    let found = find_box(profile, screen);
    let context = context(profile, rows, found.as_ref());
    let input = found.as_ref().map(|found| found.text.clone());
    let reading = |state, rule: &str, source, matched: &str| Reading {
        state,
        rule: rule.to_owned(),
        source,
        matched: matched.chars().take(200).collect(),
        input: input.clone(),
        context,
    };
    if let Some(exit) = screen.exit {
        return reading(State::Exited, "exited", Source::Process, &exit.to_string());
    }
    for rule in &profile.rules {
        if let Some((source, matched)) = holds(rule, screen, rows, found.as_ref()) {
            return reading(rule.state, &rule.name, source, &matched);
        }
    }
    match typed_at_prompt(profile, screen) {
        Some(text) => {
            let state = if text.is_empty() { State::Idle } else { State::Draft };
            let row = screen.cursor().map_or("", Row::text);
            Reading { input: Some(text), ..reading(state, "prompt", Source::Screen, row) }
        }
        None => reading(State::Unknown, "no rule", Source::Screen, ""),
    }
}

/// What one rule says of a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOutcome {
    /// The rule.
    pub rule: String,
    /// What it would mean.
    pub state: State,
    /// Whether all of its conditions hold.
    pub holds: bool,
    /// The text that matched, at most 200 characters.
    pub matched: String,
}

/// What each rule of the profile says of a screen, in order: the first that holds decides.
pub fn explain(profile: &Profile, screen: &Screen) -> Vec<RuleOutcome> {
    let rows = screen.visible();
    let found = find_box(profile, screen);
    let outcome = |rule: &Rule| {
        let held = holds(rule, screen, rows, found.as_ref());
        RuleOutcome {
            rule: rule.name.clone(),
            state: rule.state,
            holds: held.is_some(),
            matched: held.map_or_else(String::new, |(_, text)| text.chars().take(200).collect()),
        }
    };
    profile.rules.iter().map(outcome).collect()
}

/// Where the rows of the conversation end: the input box, or the prompt, begins there.
pub(crate) fn input_begins(profile: &Profile, screen: &Screen) -> Option<usize> {
    let visible = find_box(profile, screen).map(|found| found.first);
    let prompt = || typed_at_prompt(profile, screen).map(|_| screen.cursor_row);
    visible.or_else(prompt).map(|row| screen.scrolled_out + row)
}

/// Whether a rule holds; if so, by which source and which text.
fn holds(rule: &Rule, screen: &Screen, rows: &[Row], found: Option<&FoundBox>) -> Option<(Source, String)> {
    let mut evidence = (Source::Screen, String::new());
    if let Some(wanted) = rule.input
        && !box_is(wanted, found)
    {
        return None;
    }
    if let Some(title) = &rule.title {
        evidence = (Source::Title, title.find(&screen.title).map(|_| screen.title.clone())?);
    }
    let region = region(rule.region, screen, rows, found)?;
    if let Some(pattern) = &rule.matches {
        let row = region.iter().rev().find(|row| pattern.is_match(row.text()))?;
        evidence = (Source::Screen, row.text().trim().to_owned());
    }
    if let Some(pattern) = &rule.not
        && region.iter().any(|row| pattern.is_match(row.text()))
    {
        return None;
    }
    Some(evidence)
}

fn box_is(wanted: BoxState, found: Option<&FoundBox>) -> bool {
    match (wanted, found) {
        (BoxState::Absent, found) => found.is_none(),
        (BoxState::Present, found) => found.is_some(),
        (BoxState::Empty, found) => found.is_some_and(|found| found.text.is_empty()),
        (BoxState::Text, found) => found.is_some_and(|found| !found.text.is_empty()),
    }
}

/// The rows of a region; `None` where it is not on this screen.
fn region<'a>(
    region: Region,
    screen: &'a Screen,
    rows: &'a [Row],
    found: Option<&FoundBox>,
) -> Option<Vec<&'a Row>> {
    let last = |rows: &'a [Row], count: usize| {
        let mut last: Vec<_> = rows.iter().rev().filter(|row| !row.is_blank()).take(count).collect();
        last.reverse();
        last
    };
    Some(match region {
        Region::Screen => rows.iter().collect(),
        Region::Last(count) => last(rows, count),
        Region::AboveBox(count) => last(&rows[..found?.first], count),
        Region::BelowBox => rows[found?.last + 1..].iter().collect(),
        Region::Cursor => screen.cursor().into_iter().collect(),
    })
}

/// Finds the input box on a screen.
pub(crate) fn find_box(profile: &Profile, screen: &Screen) -> Option<FoundBox> {
    let rows = screen.visible();
    match &profile.input {
        InputBox::None => None,
        InputBox::Between { rule, text, not, placeholder } => {
            let last = rows.iter().rposition(|row| rule.is_match(row.text()))?;
            let first = rows[..last].iter().rposition(|row| rule.is_match(row.text()))?;
            let inside = &rows[first + 1..last];
            let typed = typed(inside, text, not.as_ref(), placeholder.as_ref())?;
            Some(FoundBox { first, last, text: typed })
        }
        InputBox::Row { text, not, below, placeholder } => {
            let first = rows.iter().rposition(|row| text.is_match(row.text()))?;
            let status = |row: &Row| below.as_ref().is_some_and(|below| below.is_match(row.text()));
            if below.is_some() && !rows[first + 1..].iter().any(status) {
                return None;
            }
            let height =
                rows[first..].iter().take_while(|row| !row.is_blank() && !status(row)).count().max(1);
            let typed = typed(&rows[first..first + height], text, not.as_ref(), placeholder.as_ref())?;
            Some(FoundBox { first, last: first + height - 1, text: typed })
        }
    }
}

/// The text that was typed into the rows of a box: empty where they show a placeholder or a suggestion; `None` where
/// they are no box.
fn typed(
    rows: &[Row],
    text: &regex::Regex,
    not: Option<&regex::Regex>,
    placeholder: Option<&regex::Regex>,
) -> Option<String> {
    let (head, further) = rows.split_first()?;
    if not.is_some_and(|not| not.is_match(head.text())) {
        return None;
    }
    let captures = text.captures(head.text())?;
    let typed = captures.name("text").unwrap_or_else(|| captures.get(0).expect("group 0 always takes part"));
    let mut lines = vec![typed.as_str().trim()];
    lines.extend(further.iter().map(|row| row.text().trim()));
    let shown = lines.join("\n").trim_end().to_owned();
    let hint = head.is_suggestion(typed.start()) || placeholder.is_some_and(|hint| hint.is_match(&shown));
    Some(if hint { String::new() } else { shown })
}

/// What stands behind the prompt on the cursor's row; `None` where there is no prompt.
fn typed_at_prompt(profile: &Profile, screen: &Screen) -> Option<String> {
    let captures = profile.prompt.as_ref()?.captures(screen.cursor()?.text())?;
    Some(captures.name("text").map_or("", |text| text.as_str()).trim().to_owned())
}

/// Percent of the context, as the status rows below the box tell it; without a box, as one of the last five rows does.
fn context(profile: &Profile, rows: &[Row], found: Option<&FoundBox>) -> Option<u8> {
    let pattern = profile.context.as_ref()?;
    let from = found.map_or(rows.len().saturating_sub(5), |found| found.last + 1);
    let row = rows[from..].iter().rev().find_map(|row| pattern.captures(row.text()))?;
    row.get(1)?.as_str().parse().ok().filter(|percent| *percent <= 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    fn demo(screen: &str) -> Reading {
        read(&Profiles::builtin().get("demo").unwrap(), &Screen::from_ansi(screen))
    }

    #[test]
    fn the_context_is_what_the_status_row_says_not_what_a_reply_does() {
        let screen =
            |reply: &str, status: &str| format!("● {reply}\n\n────────────\n❯\n────────────\n  {status}");
        assert_eq!(demo(&screen("ctx:42%", "ready")).context, None);
        assert_eq!(demo(&screen("ctx:42%", "ready · ctx:7%")).context, Some(7));
        assert_eq!(demo(&screen("x", "ctx:700%")).context, None);
    }

    #[test]
    fn a_reading_names_its_rule_and_the_text() {
        let reading =
            demo("❯ hi\n\n✻ Working… (2s · esc to interrupt)\n\n────────────\n❯\n────────────\n  working");
        assert_eq!((reading.state, reading.rule.as_str()), (State::Busy, "spinner above the box"));
        assert!(reading.matched.starts_with("✻ Working…"), "{reading:?}");
    }

    #[test]
    fn a_line_of_output_is_no_prompt_and_typed_text_is_no_idle() {
        let repl = |screen: &str, row: usize| {
            let screen = Screen { cursor_row: row, ..Screen::from_ansi(screen) };
            read(&Profiles::builtin().get("repl").unwrap(), &screen).state
        };
        assert_eq!(repl(">>> \nworking", 1), State::Unknown);
        assert_eq!(repl("out\n>>> ", 1), State::Idle);
        assert_eq!(repl("out\nuser@host:~/x$ ", 1), State::Idle);
        assert_eq!(repl("out\n>>> 1 + 1", 1), State::Draft);
    }
}
