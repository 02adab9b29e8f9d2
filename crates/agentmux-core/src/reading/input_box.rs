//! Finding the input box on a screen, and the text that was typed into it.

use std::ops::Range;

use crate::profile::{Edges, InputBox, Pattern, Profile};
use crate::screen::{Row, Screen};

/// The input box as it is on a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundBox {
    /// Its first and last row, among the visible ones (edges included).
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// What was typed; empty where only a placeholder or a suggestion shows.
    pub(crate) text: String,
    /// How many characters of a row are beside or below it; `None` where it is as wide as the screen.
    width: Option<usize>,
}

impl FoundBox {
    /// A row without what stands right of the box.
    pub(crate) fn cut<'a>(&self, row: &'a Row) -> &'a str {
        cut(row.text(), self.width)
    }
}

/// Finds the input box on a screen.
pub(crate) fn find_box(profile: &Profile, screen: &Screen) -> Option<FoundBox> {
    let input = profile.input.as_ref()?;
    match &input.edges {
        Edges::Between { top, bottom } => between(input, screen, top, bottom),
        Edges::Row { below } => at_row(input, screen, below.as_ref()),
        Edges::Above { bottom } => above(input, screen, bottom),
        Edges::Cursor => at_cursor(input, screen),
    }
}

fn between(input: &InputBox, screen: &Screen, top: &Pattern, bottom: &Pattern) -> Option<FoundBox> {
    let rows = screen.visible();
    let end = rows.iter().rposition(|row| bottom.is_match(row.text()))?;
    let first = rows[..end].iter().rposition(|row| top.is_match(row.text()))?;
    let inside = rows[first + 1..].iter().take_while(|row| !bottom.is_match(row.text())).count();
    let last = first + 1 + inside;
    let text = typed(input, screen, first + 1..last)?;
    Some(FoundBox { first, last, text, width: None })
}

fn at_row(input: &InputBox, screen: &Screen, below: Option<&Pattern>) -> Option<FoundBox> {
    let rows = screen.visible();
    let first = rows.iter().rposition(|row| input.text.is_match(row.text()))?;
    let status = |row: &Row| below.is_some_and(|below| below.is_match(row.text()));
    if below.is_some() && !rows[first + 1..].iter().any(status) {
        return None;
    }
    let height = rows[first..].iter().take_while(|row| !row.is_blank() && !status(row)).count().max(1);
    let text = typed(input, screen, first..first + height)?;
    Some(FoundBox { first, last: first + height - 1, text, width: None })
}

fn above(input: &InputBox, screen: &Screen, bottom: &Pattern) -> Option<FoundBox> {
    let rows = screen.visible();
    let last = rows.iter().rposition(|row| bottom.is_match(row.text()))?;
    let edge = rows[last].text();
    let width = bottom.find(edge).map(|found| edge[..found.end()].chars().count());
    let inside = |row: &&Row| input.text.is_match(cut(row.text(), width));
    let first = last - rows[..last].iter().rev().take_while(inside).count();
    let mut lines: Vec<&str> =
        rows[first..last].iter().map(|row| typed_in(input, cut(row.text(), width))).collect::<Option<_>>()?;
    // Its own last paragraph: the mode, the model.
    let text_ends = lines.iter().rposition(|line| line.is_empty())?;
    lines.truncate(text_ends);
    let shown = lines.join("\n").trim().to_owned();
    let text = without_hint(input, shown, || cursor_is_behind(input, screen, first..last));
    Some(FoundBox { first, last, text, width })
}

fn at_cursor(input: &InputBox, screen: &Screen) -> Option<FoundBox> {
    let is_box =
        |line: &str| input.text.is_match(line) && !input.not.as_ref().is_some_and(|not| not.is_match(line));
    let (height, line) = screen.cursor_lines().find(|(_, line)| is_box(line))?;
    let text = without_hint(input, typed_in(input, &line)?.to_owned(), || false);
    let last = screen.cursor_row;
    Some(FoundBox { first: last + 1 - height, last, text, width: None })
}

/// The text that was typed into the rows of a box: empty where they show a placeholder or a suggestion; `None` where
/// they are no box.
fn typed(input: &InputBox, screen: &Screen, rows: Range<usize>) -> Option<String> {
    let first = rows.start;
    let (head, further) = screen.visible()[rows].split_first()?;
    if input.not.as_ref().is_some_and(|not| not.is_match(head.text())) {
        return None;
    }
    let captures = input.text.captures(head.text())?;
    let typed = captures.name("text").unwrap_or_else(|| captures.get(0).expect("group 0 always takes part"));
    let mut lines = vec![typed.as_str().trim()];
    lines.extend(further.iter().map(|row| row.text().trim()));
    let shown = lines.join("\n").trim_end().to_owned();
    let hint = head.is_suggestion(typed.start());
    let is_behind = || cursor_is_behind(input, screen, first..first + 1);
    Some(if hint { String::new() } else { without_hint(input, shown, is_behind) })
}

/// What was typed into one row; `None` where the row is not of the box.
fn typed_in<'a>(input: &InputBox, row: &'a str) -> Option<&'a str> {
    let captures = input.text.captures(row)?;
    Some(captures.name("text").or_else(|| captures.get(0))?.as_str().trim())
}

/// Whether the cursor is on one of these rows, behind the first character of its text.
fn cursor_is_behind(input: &InputBox, screen: &Screen, rows: Range<usize>) -> bool {
    let row = screen.visible().get(screen.cursor_row).filter(|_| rows.contains(&screen.cursor_row));
    row.is_some_and(|row| {
        let text = input.text.captures(row.text()).and_then(|captures| captures.name("text"));
        text.is_some_and(|text| screen.cursor_column > row.column_of(text.start()))
    })
}

/// The same text, empty where it is a placeholder: one has the cursor before it, the same words typed have it behind.
fn without_hint(input: &InputBox, shown: String, cursor_is_behind: impl FnOnce() -> bool) -> String {
    let reads_so = input.placeholder.as_ref().is_some_and(|hint| hint.is_match(&shown));
    if reads_so && !cursor_is_behind() { String::new() } else { shown }
}

fn cut(text: &str, width: Option<usize>) -> &str {
    let end = width.and_then(|width| text.char_indices().nth(width)).map_or(text.len(), |(at, _)| at);
    text[..end].trim_end()
}
