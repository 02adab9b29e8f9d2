//! What a screen means to a profile: a pure function, explained by the rule that decided.

mod input_box;

use std::borrow::Cow;

use self::input_box::FoundBox;
pub(crate) use self::input_box::find_box;
use crate::profile::{BoxState, CursorIs, Profile, Region, Rule};
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

/// The rows below the input box: none where there is no box.
pub(crate) fn rows_below<'a>(profile: &Profile, screen: &'a Screen) -> &'a [Row] {
    find_box(profile, screen).map_or(&[], |found| &screen.visible()[found.last + 1..])
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
    if rule.alternate.is_some_and(|wanted| wanted != screen.alternate)
        || !rule.cursor.iter().all(|wanted| cursor_is(*wanted, screen, rows, found))
    {
        return None;
    }
    let region = rows_of(rule, screen, rows, found)?;
    if let Some(pattern) = &rule.matches {
        let row = region.iter().rev().find(|row| pattern.is_match(row))?;
        evidence = (Source::Screen, row.trim().to_owned());
    }
    if let Some(pattern) = &rule.not
        && region.iter().any(|row| pattern.is_match(row))
    {
        return None;
    }
    Some(evidence)
}

/// The rows that a rule looks at; `None` where its region is not on this screen.
fn rows_of<'a>(
    rule: &Rule,
    screen: &'a Screen,
    rows: &'a [Row],
    found: Option<&FoundBox>,
) -> Option<Vec<Cow<'a, str>>> {
    let mut region = region(rule.region, screen, rows, found)?;
    if let Some(from) = &rule.from {
        let first = region.iter().rposition(|row| from.is_match(row))?;
        region.drain(..first);
    }
    if rule.joined {
        let words: Vec<_> = region.iter().map(|row| row.trim()).filter(|row| !row.is_empty()).collect();
        region = vec![Cow::Owned(words.join(" "))];
    }
    Some(region)
}

fn cursor_is(wanted: CursorIs, screen: &Screen, rows: &[Row], found: Option<&FoundBox>) -> bool {
    match wanted {
        CursorIs::InBox => found.is_some_and(|found| (found.first..=found.last).contains(&screen.cursor_row)),
        CursorIs::OnLastRow => screen.cursor_row + 1 >= rows.len(),
        CursorIs::BehindText => screen.cursor().is_some_and(|row| {
            let end = row.columns();
            // A blank behind a question belongs to it.
            end > 0 && (end..=end + 1).contains(&screen.cursor_column)
        }),
        CursorIs::Visible => !screen.cursor_hidden,
        CursorIs::Hidden => screen.cursor_hidden,
    }
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
) -> Option<Vec<Cow<'a, str>>> {
    let text = |row: &'a Row| Cow::Borrowed(row.text());
    let last = |rows: &'a [Row], count: usize| {
        let mut last: Vec<_> =
            rows.iter().rev().filter(|row| !row.is_blank()).take(count).map(text).collect();
        last.reverse();
        last
    };
    Some(match region {
        Region::Screen => rows.iter().map(text).collect(),
        Region::Last(count) => last(rows, count),
        Region::AboveBox(count) => {
            let found = found?;
            let above = rows[..found.first].iter().rev().map(|row| found.cut(row));
            let mut above: Vec<_> =
                above.filter(|row| !row.trim().is_empty()).take(count).map(Cow::Borrowed).collect();
            above.reverse();
            above
        }
        Region::BelowBox => {
            let found = found?;
            rows[found.last + 1..].iter().map(|row| Cow::Borrowed(found.cut(row))).collect()
        }
        Region::Cursor => screen.cursor().into_iter().map(text).collect(),
    })
}

/// What stands behind the prompt on the cursor's line; `None` where there is no prompt.
fn typed_at_prompt(profile: &Profile, screen: &Screen) -> Option<String> {
    let prompt = profile.prompt.as_ref()?;
    let (_, line) = screen.cursor_lines().find(|(_, line)| prompt.is_match(line))?;
    let captures = prompt.captures(&line)?;
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
    fn the_words_of_a_placeholder_are_a_draft_where_the_cursor_stands_behind_them() {
        let codex = |column: usize| {
            let text = "› Ask Codex to do anything\n\n  gpt-5 default · ~/project";
            let title = "project".to_owned();
            let screen = Screen { cursor_column: column, title, ..Screen::from_ansi(text) };
            read(&Profiles::builtin().get("codex").unwrap(), &screen).state
        };
        assert_eq!(codex(2), State::Idle);
        assert_eq!(codex("› Ask Codex to do anything".chars().count()), State::Draft);
    }

    #[test]
    fn a_line_may_wrap_behind_a_blank_or_before_a_wide_letter() {
        let typed = |rows: &str| {
            let mut screen = Screen { columns: 10, cursor_row: 1, ..Screen::from_ansi(rows) };
            screen.cursor_column = screen.rows[1].columns();
            read(&Profiles::builtin().get("repl").unwrap(), &screen).input
        };
        assert_eq!(typed("$ 12345678\n90").as_deref(), Some("1234567890"));
        assert_eq!(typed("$ 1234567\n89").as_deref(), Some("1234567 89"));
        assert_eq!(typed("$ 1234567\n修").as_deref(), Some("1234567修"));
        assert_eq!(typed("$ 123456\n78"), None);
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
