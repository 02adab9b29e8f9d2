//! A text in pieces: some agents change a long paste, and leave several short ones as they are.

use std::collections::VecDeque;

use crate::profile::Chunks;

/// The pieces of a text, one after the other; together they are the text.
pub(super) fn pieces(text: &str, chunks: Option<Chunks>) -> VecDeque<String> {
    let Some(chunks) = chunks else { return [text.to_owned()].into() };
    let mut pieces = VecDeque::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, further) = rest.split_at(end_of_first(rest, chunks));
        pieces.push_back(piece.to_owned());
        rest = further;
    }
    pieces
}

/// Where the first piece ends: as late as may be; rather between two words than in one, if that is not far.
fn end_of_first(text: &str, chunks: Chunks) -> usize {
    let mut feeds = text.match_indices('\n').map(|(at, _)| at);
    let by_lines = feeds.nth(chunks.lines - 1).unwrap_or(text.len());
    let by_chars = text.char_indices().nth(chunks.chars).map_or(text.len(), |(at, _)| at);
    // A piece of one line may be at its line feed already: that begins the next piece, and must not be all of nothing.
    let end = by_lines.min(by_chars).max(text.chars().next().map_or(0, char::len_utf8));
    if end == text.len() || text[end..].starts_with('\n') {
        return end;
    }
    let word = text[..end].rfind(' ').filter(|at| *at > end / 2);
    word.unwrap_or_else(|| before_marks(text, end))
}

/// A character is not parted from the marks that combine with it.
fn before_marks(text: &str, end: usize) -> usize {
    let combines = |c: char| matches!(u32::from(c), 0x300..=0x36f | 0x200b..=0x200d | 0xfe00..=0xfe0f | 0x1f3fb..=0x1f3ff);
    let is_joined = |at: usize| text[at..].starts_with(combines) || text[..at].ends_with('\u{200d}');
    let boundaries = text[..end].char_indices().map(|(at, _)| at).skip(1);
    boundaries.chain([end]).filter(|at| !is_joined(*at)).last().unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn cut(text: &str, lines: usize, chars: usize) -> Vec<String> {
        let chunks = Chunks { lines, chars, pause: Duration::ZERO };
        let pieces: Vec<_> = pieces(text, Some(chunks)).into();
        assert_eq!(pieces.concat(), text);
        assert!(pieces.iter().all(|piece| !piece.is_empty()), "{pieces:?}");
        pieces
    }

    #[test]
    fn a_short_text_is_one_piece() {
        assert_eq!(cut("a b\nc", 3, 400), ["a b\nc"]);
        assert_eq!(pieces("x\n".repeat(50).as_str(), None).len(), 1);
    }

    #[test]
    fn pieces_keep_to_lines_and_characters() {
        assert_eq!(cut("a\nb\nc\nd\ne\nf\n", 3, 400), ["a\nb\nc", "\nd\ne", "\nf\n"]);
        assert_eq!(cut("a\n\n\n\nb", 1, 400), ["a", "\n", "\n", "\n", "\n", "b"]);
        assert_eq!(cut("aaaa bbbb cccc", 3, 7), ["aaaa", " bbbb", " cccc"]);
        assert_eq!(cut("äöüäöüä", 3, 3), ["äöü", "äöü", "ä"]);
        for piece in cut(&"word ".repeat(1000), 3, 400) {
            assert!(piece.chars().count() <= 400);
        }
    }

    #[test]
    fn marks_stay_with_their_character() {
        assert_eq!(cut("abe\u{301}d", 3, 3), ["ab", "e\u{301}d"]);
        assert_eq!(cut("x👩\u{200d}💻y", 3, 3), ["x", "👩\u{200d}💻", "y"]);
    }
}
