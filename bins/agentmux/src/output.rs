//! What stdout and stderr get.

use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write};

use serde::Serialize;

use crate::ending::{Ending, Failed};

/// Prints the document, or what it means.
pub(crate) fn told(
    json: bool,
    document: &impl Serialize,
    text: impl FnOnce() -> String,
) -> Result<Ending, Failed> {
    if json {
        self::document(document)?
    } else {
        self::text(&text())?
    }
    Ok(Ending::DONE)
}

/// A JSON document, as it was inherited: indented by two, nothing escaped that need not be.
pub(crate) fn document(document: &impl Serialize) -> Result<(), Failed> {
    let text = serde_json::to_string_pretty(document).map_err(|error| Failed::new(error.to_string()))?;
    print(&text)
}

/// A text, and a line feed where it has none. What an agent wrote cannot steer the terminal.
pub(crate) fn text(text: &str) -> Result<(), Failed> {
    if std::io::stdout().is_terminal() { print(&harmless(text)) } else { print(text) }
}

/// A line on stderr.
pub(crate) fn complain(text: &str) {
    // With stderr gone there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{}", harmless(text));
}

/// One line of many; false where its reader has gone.
pub(crate) fn line(line: &str) -> Result<bool, Failed> {
    if std::io::stdout().is_terminal() { print_on(&harmless(line)) } else { print_on(line) }
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

fn harmless(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(harmful) { text.replace(harmful, "").into() } else { text.into() }
}

/// Text of an agent's as part of a line: its line feeds and runs of blanks are a blank each.
pub(crate) fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Rows in aligned columns, two blanks apart.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_lose_their_power() {
        assert_eq!(harmless("a\u{1b}[31mb\u{9b}c\td\n"), "a[31mbc\td\n");
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [["a", "bb"], ["ccc", ""]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "a    bb\nccc");
    }
}
