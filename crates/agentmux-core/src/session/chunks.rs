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

/// How many letters and digits before a piece are to be seen before it.
const JOINT: usize = 16;

/// How the last piece of what was typed shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// At the end, right behind the one before.
    Whole,
    /// Something stands between the two, or behind: somebody else typed.
    Parted,
    /// Not (yet), or as something else: Claude Code shows `[Image #1]` for an image's path.
    Unseen,
}

/// How the last piece (so many bytes) of what was typed shows: letters and digits are compared, as far back as shows.
pub(super) fn joint(shown: &str, typed: &str, piece: usize) -> Joint {
    let (before, piece) = typed.split_at(typed.len() - piece);
    let from = before.char_indices().rev().filter(|(_, c)| c.is_alphanumeric()).nth(JOINT - 1);
    let before = &before[from.map_or(0, |(at, _)| at)..];
    let is_intricate = before.contains(is_intricate) || piece.contains(is_intricate);
    let letters = if is_intricate { plain_letters } else { all_letters };
    let (before, piece, shown) = (letters(before), letters(piece), letters(shown));
    let end = format!("{before}{piece}");
    if shown.ends_with(&end) || (!shown.is_empty() && end.ends_with(&shown)) {
        return Joint::Whole;
    }
    match shown.rsplit_once(&piece) {
        Some((above, behind)) if !before.is_empty() && (!behind.is_empty() || above.contains(&before)) => {
            Joint::Parted
        }
        _ => Joint::Unseen,
    }
}

fn all_letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Those that every agent shows as they are.
fn plain_letters(text: &str) -> String {
    let next = text.chars().skip(1).map(Some).chain([None]);
    let letters = text.chars().zip(next).filter(|(c, _)| c.is_ascii_alphabetic());
    letters.filter(|(_, next)| !next.is_some_and(is_intricate)).map(|(c, _)| c).collect()
}

/// Marks, what is composed with another or shown as another, and the scripts whose letters are ordered or joined.
fn is_intricate(c: char) -> bool {
    matches!(u32::from(c),
        0x300..=0x36f | 0x483..=0x489 | 0x590..=0x1fff | 0x20d0..=0x20ff | 0x2126..=0x212b | 0x3099..=0x309a
        | 0xa800..=0xabff | 0xf900..=0xfdff | 0xfe70..=0xfefe | 0x10000..=0x1efff | 0x20000..)
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
    fn a_piece_is_whole_where_nothing_stands_before_or_behind_it() {
        use Joint::{Parted, Unseen, Whole};
        let typed = "the first piece,\nand a second one\nand a third";
        for (shown, expected) in [
            (typed, Whole),
            ("❯ a second\n  one and a\n  third", Whole),
            ("a third", Whole),
            ("the first piece,\nand a second oneTHEIRS\nand a third", Parted),
            ("the first piece,\nand a second one\nand a thirdTHEIRS", Parted),
            ("the first piece,\nand a third\nand a second one", Parted),
            ("the first piece,\nand a second one", Unseen),
            ("the first piece,\nand a second oneTHEIRS", Unseen),
            ("[Image #1]the first piece,\nand a second one", Unseen),
            ("", Unseen),
        ] {
            assert_eq!(joint(shown, typed, "\nand a third".len()), expected, "{shown:?}");
        }
        assert_eq!(joint("one", "one\n\n\n\n\n\n", 3), Whole);
        assert_eq!(joint("one\n\ntheirs", "one\n\n\n\n\n\n", 3), Parted);
    }

    #[test]
    fn a_piece_is_whole_however_an_agent_shows_its_letters() {
        use Joint::{Parted, Whole};
        for (shown, typed, expected) in [
            ("café au lait, café", "cafe\u{301} au lait,| cafe\u{301}", Whole),
            ("café au lait, mine café", "cafe\u{301} au lait,| cafe\u{301}", Parted),
            ("ab    c", "a\u{200b}b\t|c", Whole),
            ("םולש to you", "שלום| to you", Whole),
            ("漢字とか 我 かな", "漢字とか| かな", Parted),
        ] {
            let piece = typed.len() - typed.find('|').unwrap();
            assert_eq!(joint(shown, typed, piece), expected, "{shown:?}");
        }
    }

    #[test]
    fn marks_stay_with_their_character() {
        assert_eq!(cut("abe\u{301}d", 3, 3), ["ab", "e\u{301}d"]);
        assert_eq!(cut("x👩\u{200d}💻y", 3, 3), ["x", "👩\u{200d}💻", "y"]);
    }
}
