//! Text as a terminal shows it: widths, wrapping, clipping.

/// What a terminal shows of a text: tabs are blanks, other control characters nothing.
fn printable(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().flat_map(|c| {
        let (c, times) = match c {
            '\t' => (' ', 4),
            c if c.is_control() => (' ', 0),
            c => (c, 1),
        };
        std::iter::repeat_n(c, times)
    })
}

/// Columns of a character. Rough: the scripts and symbols that are wide, and the marks that have no width.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f | 0x200b..=0x200f | 0xfe00..=0xfe0f | 0xe0100..=0xe01ef => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f => 2,
        0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1f64f | 0x1f680..=0x1f6ff | 0x1f900..=0x1f9ff => 2,
        0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Columns of a text.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// The begin of a text that fits.
pub(super) fn clip(text: &str, most: usize) -> String {
    let mut used = 0;
    let fits = |c: &char| {
        used += width(*c);
        used <= most
    };
    printable(text).take_while(fits).collect()
}

/// Breaks one line into rows of at most `most` columns, at blanks where it can; the blank at a break is left
/// out.
pub(super) fn wrap(line: &str, most: usize) -> Vec<String> {
    let most = most.max(2);
    let (mut rows, mut row, mut used) = (Vec::new(), String::new(), 0);
    for c in printable(line) {
        if used + width(c) > most {
            let rest = match row.rfind(' ').filter(|_| c != ' ') {
                Some(blank) if !row[..blank].trim().is_empty() => row.split_off(blank)[1..].to_owned(),
                _ => String::new(),
            };
            used = columns(&rest);
            rows.push(std::mem::replace(&mut row, rest));
            if c == ' ' {
                continue;
            }
        }
        used += width(c);
        row.push(c);
    }
    rows.push(row);
    rows
}

/// Wraps a text of several lines: the first row begins with `mark`, all others with two blanks.
pub(super) fn block(mark: &str, text: &str, most: usize) -> Vec<String> {
    let rows = text.split(['\n', '\r']).flat_map(|line| wrap(line, most.saturating_sub(2)));
    rows.enumerate().map(|(at, row)| format!("{}{row}", if at == 0 { mark } else { "  " })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks_or_where_they_must() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("abcd efgh", 4), ["abcd", "efgh"]);
        assert_eq!(wrap("漢字漢字x", 4), ["漢字", "漢字", "x"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn no_row_is_wider_than_asked_for() {
        let text = "  some  words 漢字 and a_rather_long_word_that_fits_nowhere\tx 🦀🦀🦀 end ";
        for most in 2..40 {
            assert!(wrap(text, most).iter().all(|row| columns(row) <= most), "{most}");
            assert!(columns(&clip(text, most)) <= most);
        }
    }

    #[test]
    fn further_lines_of_a_block_are_indented() {
        assert_eq!(block("● ", "one\n\ntwo", 20), ["● one", "  ", "  two"]);
    }
}
