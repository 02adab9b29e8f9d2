//! What stdout and stderr get.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::io::{ErrorKind, IsTerminal, Write};

use serde::Serialize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::ending::{Ending, Failed};

/// A text for people, with its colours. What an agent wrote cannot steer the terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text(Vec<(Tone, String)>);

/// What a colour is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Heading,
    Good,
    Busy,
    Asks,
    Bad,
}

impl Tone {
    /// For the state of a session or of a turn.
    pub(crate) fn of_state(state: &str) -> Self {
        match state {
            "idle" | "done" => Self::Good,
            "starting" | "busy" | "queued" | "delivering" | "working" => Self::Busy,
            "needs_input" | "limited" | "draft" => Self::Asks,
            "exited" | "failed" | "unconfirmed" => Self::Bad,
            _ => Self::Plain,
        }
    }

    fn escape_sequence(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Heading => Some("\x1b[1m"),
            Self::Good => Some("\x1b[32m"),
            Self::Busy => Some("\x1b[36m"),
            Self::Asks => Some("\x1b[33m"),
            Self::Bad => Some("\x1b[31m"),
        }
    }
}

impl Text {
    pub(crate) fn toned(tone: Tone, text: impl Into<String>) -> Self {
        Self(vec![(tone, text.into())])
    }

    /// The state, in its colour.
    pub(crate) fn state(state: &str) -> Self {
        Self::toned(Tone::of_state(state), state)
    }

    #[must_use]
    pub(crate) fn and(mut self, more: impl Into<Self>) -> Self {
        self.0.extend(more.into().0);
        self
    }

    fn columns(&self) -> usize {
        self.0.iter().map(|(_, text)| harmless(text).width()).sum()
    }

    /// As a terminal gets it.
    fn on_terminal(&self, colours: bool) -> String {
        let span = |(tone, text): &(Tone, String)| match tone.escape_sequence().filter(|_| colours) {
            Some(begin) => format!("{begin}{}\x1b[0m", harmless(text)),
            None => harmless(text).into_owned(),
        };
        self.0.iter().map(span).collect()
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::toned(Tone::Plain, text)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::toned(Tone::Plain, text)
    }
}

/// As a pipe or a file gets it: just the text.
impl Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(_, text)| f.write_str(text))
    }
}

/// Prints the document, or what it means.
pub(crate) fn told<T: Into<Text>>(
    json: bool,
    document: &impl Serialize,
    text: impl FnOnce() -> T,
) -> Result<Ending, Failed> {
    if json {
        self::document(document)?
    } else {
        self::text(text())?
    }
    Ok(Ending::DONE)
}

/// A JSON document, as it was inherited: indented by two, nothing escaped that need not be.
pub(crate) fn document(document: &impl Serialize) -> Result<(), Failed> {
    let text = serde_json::to_string_pretty(document).map_err(|error| Failed::new(error.to_string()))?;
    print(&text)
}

/// A text, and a line feed where it has none.
pub(crate) fn text(text: impl Into<Text>) -> Result<(), Failed> {
    line(text).map(|_| ())
}

/// One line of many; false where its reader has gone.
pub(crate) fn line(line: impl Into<Text>) -> Result<bool, Failed> {
    let line = line.into();
    match std::io::stdout().is_terminal() {
        true => print_on(&line.on_terminal(colours())),
        false => print_on(&line.to_string()),
    }
}

/// A screen with its colours, and nothing else that steers a terminal.
pub(crate) fn screen(content: &str) -> Result<(), Failed> {
    match std::io::stdout().is_terminal() {
        true if colours() => print(&format!("{}\x1b[0m", only_colours(content).trim_end_matches('\n'))),
        true => print(&without_colours(content)),
        false => print(content),
    }
}

/// A line on stderr.
pub(crate) fn complain(text: &str) {
    // With stderr gone there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{}", harmless(text));
}

/// A reader that has gone has seen enough: no error.
fn print(text: &str) -> Result<(), Failed> {
    print_on(text).map(|_| ())
}

/// False where nobody reads any more.
fn print_on(text: &str) -> Result<bool, Failed> {
    let mut stdout = std::io::stdout().lock();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    match write!(stdout, "{text}{end}").and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failed::new(format!("could not print: {error}"))),
    }
}

/// Whether a terminal is to get colours: see <https://no-color.org>.
fn colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

fn is_harmful(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

fn harmless(text: &str) -> Cow<'_, str> {
    if text.contains(is_harmful) { text.replace(is_harmful, "").into() } else { text.into() }
}

/// The length of the SGR sequence with which the text begins.
fn colour_sequence(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\x1b[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
    parameters[end..].starts_with('m').then_some("\x1b[".len() + end + 1)
}

fn only_colours(text: &str) -> String {
    filtered(text, true)
}

fn without_colours(text: &str) -> String {
    filtered(text, false)
}

fn filtered(mut text: &str, keep: bool) -> String {
    let mut kept = String::with_capacity(text.len());
    while let Some(at) = text.find(is_harmful) {
        kept.push_str(&text[..at]);
        text = &text[at..];
        let colour = colour_sequence(text);
        if let Some(length) = colour.filter(|_| keep) {
            kept.push_str(&text[..length]);
        }
        text = &text[colour.unwrap_or_else(|| text.chars().next().map_or(0, char::len_utf8))..];
    }
    kept + text
}

/// Text of an agent's as part of a line: its line feeds and runs of blanks are a blank each.
pub(crate) fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text, harmless, cut to so many columns of a terminal.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    let text = harmless(text);
    if text.width() <= columns {
        return text.into_owned();
    }
    let mut left = columns.saturating_sub(1);
    let fits = |c: &char| {
        let width = c.width().unwrap_or(0);
        let fits = width <= left;
        left = left.saturating_sub(width);
        fits
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// A heading, and rows, in aligned columns, two blanks apart.
pub(crate) fn table<const N: usize>(heading: [&str; N], rows: impl IntoIterator<Item = [Text; N]>) -> Text {
    let heading = heading.map(|title| Text::toned(Tone::Heading, title));
    aligned(std::iter::once(heading).chain(rows))
}

/// Rows in aligned columns, two blanks apart.
pub(crate) fn aligned<R: IntoIterator<Item = Text>>(rows: impl IntoIterator<Item = R>) -> Text {
    let rows: Vec<Vec<Text>> = rows.into_iter().map(|row| row.into_iter().collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column| rows.iter().filter_map(|row| row.get(column)).map(Text::columns).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = Text::default();
    for (index, row) in rows.into_iter().enumerate() {
        if index > 0 {
            text = text.and("\n");
        }
        let last = row.iter().rposition(|cell| cell.columns() > 0).unwrap_or(0);
        for (column, cell) in row.into_iter().enumerate().take(last + 1) {
            let padding = if column < last { widths[column] - cell.columns() + 2 } else { 0 };
            text = text.and(cell).and(" ".repeat(padding));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_lose_their_power() {
        assert_eq!(harmless("a\u{1b}[31mb\u{9b}c\td\n"), "a[31mbc\td\n");
    }

    #[test]
    fn of_escape_sequences_a_screen_keeps_its_colours_alone() {
        let screen = "a\x1b[1;38:2::1:2:3mb\x1b[0m\x1b]0;title\x07\x1b[2Jc\x1b[m\n\x1b[";
        assert_eq!(only_colours(screen), "a\x1b[1;38:2::1:2:3mb\x1b[0m]0;title[2Jc\x1b[m\n[");
        assert_eq!(without_colours(screen), "ab]0;title[2Jc\n[");
    }

    #[test]
    fn columns_are_aligned_as_a_terminal_shows_them() {
        let rows = [["漢字", "bb"], ["ccc", ""], ["é", "d"]].map(|row| row.map(Text::from));
        let wanted = ["A     B", "漢字  bb", "ccc", "é     d"];
        assert_eq!(table(["A", "B"], rows).to_string(), wanted.join("\n"));
    }

    #[test]
    fn colours_are_for_terminals_and_nothing_else_is_coloured() {
        let text = Text::from("state ").and(Text::state("idle")).and("\x1b[2J");
        assert_eq!(text.on_terminal(true), "state \x1b[32midle\x1b[0m[2J");
        assert_eq!(text.on_terminal(false), "state idle[2J");
        assert_eq!(text.to_string(), "state idle\x1b[2J");
    }

    #[test]
    fn lines_are_cut_to_columns_not_to_characters() {
        for (text, columns, wanted) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("漢字漢字", 6, "漢字…"),
            ("漢字", 4, "漢字"),
            ("ab", 0, "…"),
        ] {
            assert_eq!(cut(text, columns), wanted);
        }
    }
}
