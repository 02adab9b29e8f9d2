//! What a pane shows at one moment: rows of text with their attributes, and the pane's metadata.

mod style;

use self::style::Style;

/// One consistent reading of a pane.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Screen {
    /// Rows, oldest first: those that scrolled out (as many as were asked for), then those on the screen.
    pub rows: Vec<Row>,
    /// How many of `rows` scrolled out: the first row on the screen is `rows[scrolled_out]`.
    pub scrolled_out: usize,
    /// How many rows have scrolled out and are kept, whether they were asked for or not.
    pub history: usize,
    /// How many are kept at most; a terminal that is full drops a tenth of that at once.
    pub history_limit: usize,
    /// How many columns it has; 0 where that is not known.
    pub columns: usize,
    /// The cursor's row on the screen, 0 at the top.
    pub cursor_row: usize,
    /// The cursor's column, 0 at the left.
    pub cursor_column: usize,
    /// Whether the program hides the cursor.
    pub cursor_hidden: bool,
    /// Whether the program draws on the alternate screen, which has no history.
    pub alternate: bool,
    /// The title that the program set; empty where it set none.
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

/// A row of a screen: its text, and how its characters are shown.
///
/// Rows are equal where they say the same: in the same characters, the same of them faint or inverse. Agents paint work
/// and rest in changing colours; that is no news.
#[derive(Debug, Clone, Default)]
pub struct Row {
    text: String,
    /// Where another style begins; empty where all is plain.
    spans: Vec<Span>,
}

/// Characters in one style, up to the next span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    /// The first character, counted from 0.
    from: usize,
    style: Style,
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

    /// How many rows the screen itself has.
    pub fn height(&self) -> usize {
        self.rows.len().saturating_sub(self.scrolled_out)
    }

    /// The same reading without the rows that scrolled out.
    #[must_use]
    pub fn without_history(&self) -> Self {
        let rows = self.rows[self.scrolled_out.min(self.rows.len())..].to_vec();
        Self { rows, scrolled_out: 0, title: self.title.clone(), target: self.target.clone(), ..*self }
    }

    /// The same reading with at most so many of the rows that scrolled out.
    #[must_use]
    pub fn with_history(mut self, rows: usize) -> Self {
        let surplus = self.scrolled_out.saturating_sub(rows);
        self.rows.drain(..surplus);
        self.scrolled_out -= surplus;
        self
    }

    /// The row of the cursor, where the capture has it.
    pub fn cursor(&self) -> Option<&Row> {
        self.rows.get(self.scrolled_out + self.cursor_row)
    }

    /// What may be the cursor's line, with how many rows each takes: its row; then that with the rows above, one by one,
    /// as far as they are full and may wrap into it.
    pub(crate) fn cursor_lines(&self) -> impl Iterator<Item = (usize, String)> {
        let end = (self.scrolled_out + self.cursor_row + 1).min(self.rows.len());
        let rows = &self.rows[self.scrolled_out.min(end)..end];
        // A blank in the last column is cut off; a wide character that finds one column left begins the next row.
        let is_full = |row: &&Row| self.columns > 0 && row.columns() + 1 >= self.columns;
        let wrapped = rows.iter().rev().skip(1).take_while(is_full).count();
        let most = if rows.len() > self.cursor_row { wrapped + 1 } else { 0 };
        (1..=most).map(move |height| (height, self.joined(&rows[rows.len() - height..])))
    }

    /// Rows of one line, each of which wraps into the next, with the blanks that were cut off at their ends.
    fn joined(&self, rows: &[Row]) -> String {
        let mut line = String::new();
        for (at, row) in rows.iter().enumerate() {
            line.push_str(row.text());
            let fits = |next: &Row| {
                next.text.chars().next().is_some_and(|c| row.columns() + width(c) <= self.columns)
            };
            if rows.get(at + 1).is_some_and(fits) {
                line.push(' ');
            }
        }
        line
    }

    /// The last `lines` rows of all that was read as text, blank ones at the end left out, joined by line feeds.
    pub fn text(&self, lines: usize) -> String {
        let end = self.rows.iter().rposition(|row| !row.is_blank()).map_or(0, |last| last + 1);
        let rows: Vec<_> = self.rows[end.saturating_sub(lines)..end].iter().map(Row::text).collect();
        rows.join("\n")
    }

    /// All rows as text, each with a line feed.
    pub fn lines(&self) -> String {
        self.rows.iter().flat_map(|row| [row.text(), "\n"]).collect()
    }

    /// The same rows with their attributes and colours as SGR escape sequences; no other sequence is ever among them.
    pub fn ansi(&self, lines: usize) -> String {
        let end = self.rows.iter().rposition(|row| !row.is_blank()).map_or(0, |last| last + 1);
        let rows: Vec<_> = self.rows[end.saturating_sub(lines)..end].iter().map(Row::ansi).collect();
        rows.join("\n")
    }
}

impl Row {
    /// A row without attributes; control characters in it are dropped, tabs become a blank.
    pub fn plain(text: &str) -> Self {
        Self { text: text.chars().filter_map(printable).collect(), spans: Vec::new() }
    }

    /// The text, blanks at the end left out.
    pub fn text(&self) -> &str {
        self.text.trim_end()
    }

    /// How many columns the text takes.
    pub fn columns(&self) -> usize {
        self.text().chars().map(width).sum()
    }

    /// The column of the character at `start` (counted in bytes of [`Row::text`]), 0 at the left.
    pub(crate) fn column_of(&self, start: usize) -> usize {
        self.text.get(..start).unwrap_or(&self.text).chars().map(width).sum()
    }

    /// True where nothing is to be seen.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// The text with SGR escape sequences; plain before its first and after its last character.
    pub fn ansi(&self) -> String {
        let mut spans = self.spans.iter().peekable();
        if spans.peek().is_none() {
            return self.text().to_owned();
        }
        let mut text = String::new();
        for (at, c) in self.text.chars().enumerate() {
            if let Some(span) = spans.next_if(|span| span.from <= at) {
                span.style.write(&mut text);
            }
            text.push(c);
        }
        text.push_str("\u{1b}[0m");
        text
    }

    /// True where the characters from `start` (counted in bytes of [`Row::text`]) are only a suggestion: at least one
    /// is faint, and all that are not blank are faint or under an inverse cursor.
    pub fn is_suggestion(&self, start: usize) -> bool {
        let skip = self.text.get(..start).map_or(0, |before| before.chars().count());
        let shown = || {
            let characters = self.text.chars().zip(self.styles()).skip(skip);
            characters.filter(|(c, _)| !c.is_whitespace()).map(|(_, style)| style)
        };
        shown().any(Style::is_faint) && shown().all(|style| style.is_faint() || style.is_inverse())
    }

    /// True where the character at `start` (counted in bytes of [`Row::text`]) stands out: it is inverse, or on another
    /// background than most of the row.
    pub fn is_highlighted(&self, start: usize) -> bool {
        let at = self.text.get(..start).map_or(0, |before| before.chars().count());
        let styles: Vec<_> = self.styles().take(self.text.chars().count()).collect();
        let like = |style: Style| styles.iter().filter(|other| other.has_background_of(style)).count();
        styles.get(at).is_some_and(|style| style.is_inverse() || like(*style) * 2 < styles.len())
    }

    /// The style of each character.
    fn styles(&self) -> impl Iterator<Item = Style> {
        let (mut spans, mut style) = (self.spans.iter().peekable(), Style::default());
        (0..self.text.len()).map(move |at| {
            if let Some(span) = spans.next_if(|span| span.from <= at) {
                style = span.style;
            }
            style
        })
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        let says = |style: Style| (style.is_faint(), style.is_inverse());
        self.text == other.text
            && (self.spans == other.spans || self.styles().map(says).eq(other.styles().map(says)))
    }
}

impl Eq for Row {}

/// How many columns a character takes: two for those of East Asia and emoji, none for those that combine.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f | 0x200b..=0x200d | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// The last `lines` lines of a text, blank ones at the end left out, and how many there are: what
/// [`Screen::text`] makes of rows, straight from what a terminal printed.
pub fn last_lines(text: &str, lines: usize) -> (String, usize) {
    let mut last: Vec<&str> =
        text.rsplit('\n').skip_while(|line| line.trim().is_empty()).take(lines).map(str::trim_end).collect();
    last.reverse();
    let mut kept = String::with_capacity(last.iter().map(|line| line.len() + 1).sum());
    for (at, line) in last.iter().enumerate() {
        if at > 0 {
            kept.push('\n');
        }
        // Bytes that may begin a control character are rare.
        if line.bytes().all(|byte| (b' '..0x7f).contains(&byte) || (byte >= 0x80 && byte != 0xc2)) {
            kept.push_str(line);
        } else {
            kept.extend(line.chars().filter_map(printable));
        }
    }
    (kept, last.len())
}

/// Tabs show as a blank; other control characters never reach a reader.
fn printable(c: char) -> Option<char> {
    match c {
        '\t' => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    }
}

/// Splits text with escape sequences into rows. Attributes last over a line's end, as they do in a capture.
fn parse_ansi(text: &str) -> Vec<Row> {
    let mut style = Style::default();
    text.strip_suffix('\n').unwrap_or(text).split('\n').map(|line| parse_row(line, &mut style)).collect()
}

fn parse_row(line: &str, style: &mut Style) -> Row {
    let mut row = Row::default();
    let mut chars = line.chars();
    let (mut count, mut shown) = (0, Style::default());
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            if let Some(parameters) = escape_sequence(&mut chars) {
                style.apply(&parameters);
            }
        } else if let Some(c) = printable(c) {
            if *style != shown {
                row.spans.push(Span { from: count, style: *style });
                shown = *style;
            }
            row.text.push(c);
            count += 1;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read() {
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
    fn colours_are_kept_for_whoever_asks_and_are_no_news() {
        let green = Screen::from_ansi("a\u{1b}[32mb\nc\u{1b}[0m d\n\u{1b}]0;x\u{7}\u{1b}[2Jplain\n\n");
        assert_eq!(green.ansi(500), "a\u{1b}[0;32mb\u{1b}[0m\n\u{1b}[0;32mc\u{1b}[0m d\u{1b}[0m\nplain");
        assert_eq!(green.ansi(1), "plain");
        assert_eq!(green.rows[..2], Screen::from_ansi("ab\nc d").rows);
        assert_ne!(green.rows[0], Screen::from_ansi("a\u{1b}[2mb").rows[0]);
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
        assert_eq!(screen.lines(), "a\nb\nc\n\n\n");
    }

    #[test]
    fn the_last_lines_of_a_text_are_those_of_its_screen() {
        let table = [
            ("a\nb\nc\n\n\n", 2, "b\nc", 2),
            ("a\nb\nc\n\n\n", 500, "a\nb\nc", 3),
            ("\n a  \n\n\u{3000}b é\u{a0}\n\n", 9, "\n a\n\n\u{3000}b é", 4),
            ("x\ty\u{7}\u{85}\u{1b}z\n", 9, "x yz", 1),
            ("\n\n", 9, "", 0),
            ("", 9, "", 0),
            ("a\n", 0, "", 0),
        ];
        for (text, lines, expected, count) in table {
            assert_eq!(last_lines(text, lines), (expected.to_owned(), count), "{text:?}");
            let rows: Vec<_> = text.strip_suffix('\n').unwrap_or(text).split('\n').map(Row::plain).collect();
            let screen = Screen { rows, ..Screen::default() };
            assert_eq!(screen.text(lines), expected, "{text:?}");
        }
    }
}
