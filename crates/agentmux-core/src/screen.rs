//! What a pane shows at one moment: rows of text with the attributes that matter, and the pane's metadata.

/// One consistent reading of a pane.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Screen {
    /// Rows, oldest first: those that scrolled out (as many as were asked for), then those on the screen.
    pub rows: Vec<Row>,
    /// How many of `rows` scrolled out: the first row on the screen is `rows[scrolled_out]`.
    pub scrolled_out: usize,
    /// The cursor's row on the screen, 0 at the top.
    pub cursor_row: usize,
    /// The cursor's column, 0 at the left.
    pub cursor_column: usize,
    /// The title that the program set.
    pub title: String,
    /// How the program ended; `None` while it runs.
    pub exit: Option<Exit>,
    /// How many people look at it.
    pub attached: usize,
    /// The pane's readable address now: `SESSION:WINDOW.PANE`.
    pub target: String,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this exit status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// The terminal cannot say how.
    Unknown,
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status) => write!(f, "exited with status {status}"),
            Self::Signal(signal) => write!(f, "was ended by signal {signal}"),
            Self::Unknown => write!(f, "exited"),
        }
    }
}

/// A row of a screen: its text, and which of its characters are faint or inverse.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    text: String,
    /// One entry a character of `text`; empty where all are plain.
    looks: Vec<Look>,
}

/// How a character is shown, as far as agents say something by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Look {
    faint: bool,
    inverse: bool,
}

impl Screen {
    /// A screen from rows of text with SGR escape sequences, as `tmux capture-pane -e` prints them.
    ///
    /// Metadata is empty: fill in what is known.
    pub fn from_ansi(text: &str) -> Self {
        Self { rows: parse_ansi(text), ..Self::default() }
    }

    /// The rows on the screen, blank ones at the end left out.
    pub fn visible(&self) -> &[Row] {
        let rows = &self.rows[self.scrolled_out.min(self.rows.len())..];
        let end = rows.iter().rposition(|row| !row.is_blank()).map_or(0, |last| last + 1);
        &rows[..end]
    }

    /// The same reading without the rows that scrolled out.
    #[must_use]
    pub fn without_history(&self) -> Self {
        let rows = self.rows[self.scrolled_out.min(self.rows.len())..].to_vec();
        Self { rows, scrolled_out: 0, title: self.title.clone(), target: self.target.clone(), ..*self }
    }

    /// The row of the cursor, where the capture has it.
    pub fn cursor(&self) -> Option<&Row> {
        self.rows.get(self.scrolled_out + self.cursor_row)
    }

    /// The last `lines` rows of all that was read as text, blank ones at the end left out, joined by line feeds.
    pub fn text(&self, lines: usize) -> String {
        let end = self.rows.iter().rposition(|row| !row.is_blank()).map_or(0, |last| last + 1);
        let rows: Vec<_> = self.rows[end.saturating_sub(lines)..end].iter().map(Row::text).collect();
        rows.join("\n")
    }
}

impl Row {
    /// A row without attributes; control characters in it are dropped, tabs become a blank.
    pub fn plain(text: &str) -> Self {
        Self { text: text.chars().filter_map(printable).collect(), looks: Vec::new() }
    }

    /// The text, blanks at the end left out.
    pub fn text(&self) -> &str {
        self.text.trim_end()
    }

    /// True where nothing is to be seen.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// True where the characters from `start` (counted in bytes of [`Row::text`]) are only a suggestion: at least one
    /// is faint, and all that are not blank are faint or under an inverse cursor.
    pub fn is_suggestion(&self, start: usize) -> bool {
        let skip = self.text.get(..start).map_or(0, |before| before.chars().count());
        let shown = || {
            let plain = std::iter::repeat(Look::default());
            let looks = self.looks.iter().copied().chain(plain);
            self.text.chars().zip(looks).skip(skip).filter(|(c, _)| !c.is_whitespace()).map(|(_, look)| look)
        };
        shown().any(|look| look.faint) && shown().all(|look| look.faint || look.inverse)
    }
}

/// Tabs show as a blank; other control characters never reach a reader.
fn printable(c: char) -> Option<char> {
    match c {
        '\t' => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    }
}

/// Splits text with escape sequences into rows. Colours are dropped; faint and inverse are kept, and last over a line's
/// end as they do in a capture.
fn parse_ansi(text: &str) -> Vec<Row> {
    let mut look = Look::default();
    text.strip_suffix('\n').unwrap_or(text).split('\n').map(|line| parse_row(line, &mut look)).collect()
}

fn parse_row(line: &str, look: &mut Look) -> Row {
    let mut row = Row::default();
    let mut chars = line.chars();
    let mut styled = false;
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            if let Some(parameters) = escape_sequence(&mut chars) {
                apply_sgr(&parameters, look);
            }
        } else if let Some(c) = printable(c) {
            styled |= *look != Look::default();
            row.text.push(c);
            row.looks.push(*look);
        }
    }
    if !styled {
        row.looks.clear();
    }
    row
}

/// Consumes one escape sequence after its ESC; returns the parameters where it sets attributes (SGR).
fn escape_sequence(chars: &mut std::str::Chars<'_>) -> Option<String> {
    match chars.next()? {
        '[' => {
            let mut parameters = String::new();
            for c in chars {
                if ('\u{40}'..='\u{7e}').contains(&c) {
                    return (c == 'm').then_some(parameters);
                }
                parameters.push(c);
            }
            None
        }
        // A string (OSC: hyperlinks from tmux 3.4 on) lasts to BEL or ESC \.
        ']' => {
            while let Some(c) = chars.next() {
                if c == '\u{7}' || (c == '\u{1b}' && chars.next() == Some('\\')) {
                    break;
                }
            }
            None
        }
        _ => None,
    }
}

fn apply_sgr(parameters: &str, look: &mut Look) {
    let mut codes =
        parameters.split(';').map(|code| code.split(':').next().unwrap_or("").parse().unwrap_or(0));
    while let Some(code) = codes.next() {
        match code {
            0 => *look = Look::default(),
            2 => look.faint = true,
            22 => look.faint = false,
            7 => look.inverse = true,
            27 => look.inverse = false,
            // An extended colour's own parameters are not attributes: 38;5;N or 38;2;R;G;B.
            38 | 48 | 58 => match codes.next() {
                Some(5) => drop(codes.next()),
                Some(2) => drop(codes.nth(2)),
                _ => {}
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_and_colours_dropped() {
        let screen = Screen::from_ansi(
            "\u{1b}[38;5;2m❯\u{1b}[39m \u{1b}[7mT\u{1b}[0;2mry it\u{1b}[0m\nplain\u{1b}[K\n",
        );
        assert_eq!(screen.rows.len(), 2);
        assert_eq!(screen.rows[0].text(), "❯ Try it");
        assert!(screen.rows[0].is_suggestion("❯ ".len()));
        assert!(!screen.rows[0].is_suggestion(0));
        assert!(!screen.rows[1].is_suggestion(0));
    }

    #[test]
    fn a_colour_number_two_is_not_faint() {
        let screen = Screen::from_ansi("\u{1b}[38;5;2mgreen\u{1b}[48;2;2;2;2m on grey");
        assert!(!screen.rows[0].is_suggestion(0));
        assert_eq!(screen.rows[0].text(), "green on grey");
    }

    #[test]
    fn a_typed_letter_under_the_cursor_is_no_suggestion() {
        assert!(!Screen::from_ansi("\u{1b}[7ma\u{1b}[0m").rows[0].is_suggestion(0));
    }

    #[test]
    fn hyperlinks_leave_their_text() {
        assert_eq!(
            Screen::from_ansi("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\!").rows[0].text(),
            "link!"
        );
    }

    #[test]
    fn text_is_the_last_lines_without_the_blank_end() {
        let screen = Screen::from_ansi("a\nb\nc\n\n\n");
        assert_eq!(screen.text(2), "b\nc");
        assert_eq!(screen.text(500), "a\nb\nc");
    }
}
