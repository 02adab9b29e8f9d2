//! Patterns that can match nothing of what they are held against, such as `$^a`.

use std::collections::BTreeSet;

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// What a pattern is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// A row of the screen: blanks at its end are cut.
    Row,
    /// The title.
    Title,
}

/// A way in which a part of a pattern can match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Way {
    /// The last character that it takes; `None` where it takes none.
    last: Option<Kind>,
    /// Only at the text's start, or at its end.
    at_start: bool,
    at_end: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Blank,
    Other,
}

/// True where no text without control characters matches.
pub(super) fn matches_nothing(pattern: &str, text: Text) -> bool {
    let Ok(hir) = regex_syntax::parse(pattern) else { return false };
    ways(&hir, text).is_empty()
}

/// True where each text matches, as far as that is plain: nothing has to be there.
pub(super) fn matches_all(pattern: &str) -> bool {
    let hir = regex_syntax::parse(pattern);
    hir.is_ok_and(|hir| hir.properties().minimum_len() == Some(0) && hir.properties().look_set().is_empty())
}

fn ways(hir: &Hir, text: Text) -> BTreeSet<Way> {
    let nothing = Way::default();
    match hir.kind() {
        HirKind::Empty => [nothing].into(),
        HirKind::Literal(literal) => {
            let literal = String::from_utf8_lossy(&literal.0);
            match literal.chars().last() {
                _ if literal.chars().any(char::is_control) => BTreeSet::new(),
                last => [Way { last: last.map(kind), ..nothing }].into(),
            }
        }
        HirKind::Class(class) => {
            best_kind(class).map(|kind| Way { last: Some(kind), ..nothing }).into_iter().collect()
        }
        HirKind::Look(Look::Start | Look::StartLF | Look::StartCRLF) => {
            [Way { at_start: true, ..nothing }].into()
        }
        HirKind::Look(Look::End | Look::EndLF | Look::EndCRLF) => [Way { at_end: true, ..nothing }].into(),
        // The edges of words: taken to be possible.
        HirKind::Look(_) => [nothing].into(),
        HirKind::Capture(capture) => ways(&capture.sub, text),
        HirKind::Alternation(parts) => parts.iter().flat_map(|part| ways(part, text)).collect(),
        HirKind::Concat(parts) => {
            parts.iter().fold([nothing].into(), |before, part| joined(&before, &ways(part, text), text))
        }
        HirKind::Repetition(repetition) => {
            let part = ways(&repetition.sub, text);
            // Three of them can end in all ways that more can.
            let least = repetition.min.min(3);
            let most = repetition.max.unwrap_or(3).clamp(least, 3);
            let times = |count| (0..count).fold([nothing].into(), |before, _| joined(&before, &part, text));
            (least..=most).flat_map(times).collect()
        }
    }
}

/// The ways of two parts, one after the other.
fn joined(before: &BTreeSet<Way>, after: &BTreeSet<Way>, text: Text) -> BTreeSet<Way> {
    let pairs = before.iter().flat_map(|first| after.iter().map(move |second| (first, second)));
    let is_possible = |(first, second): &(&Way, &Way)| {
        let starts_late = second.at_start && first.last.is_some();
        let goes_on_after_end = first.at_end && second.last.is_some();
        !starts_late && !goes_on_after_end
    };
    let join = |(first, second): (&Way, &Way)| Way {
        last: second.last.or(first.last),
        at_start: first.at_start || second.at_start,
        at_end: first.at_end || second.at_end,
    };
    let ends_blank = |way: &Way| text == Text::Row && way.at_end && way.last == Some(Kind::Blank);
    pairs.filter(is_possible).map(join).filter(|way| !ends_blank(way)).collect()
}

fn kind(c: char) -> Kind {
    if c.is_whitespace() { Kind::Blank } else { Kind::Other }
}

/// The kind of a character of the class that can stand in most places: a blank cannot at the end of a row.
fn best_kind(class: &Class) -> Option<Kind> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => class.iter().map(|range| (range.start().into(), range.end().into())).collect(),
    };
    let shown = ranges.into_iter().flat_map(|(from, to)| from..=to).filter(|c| !c.is_control()).map(kind);
    // Blanks are few: this ends soon.
    let mut best = None;
    for kind in shown {
        best = Some(kind);
        if kind == Kind::Other {
            break;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_nothing_matches_are_found() {
        for pattern in
            ["$^a", r"a\nb", r"\t", "a^b", "a$b", "[a&&b]", "^❯ $", r"x\s+$", "(?:$a|b^)", "(a$){2}"]
        {
            assert!(matches_nothing(pattern, Text::Row), "{pattern}");
        }
    }

    #[test]
    fn patterns_that_ask_for_nothing_are_found() {
        for (pattern, all) in
            [("", true), (".*", true), ("x?", true), ("^", false), ("x", false), (r"\b", false)]
        {
            assert_eq!(matches_all(pattern), all, "{pattern}");
        }
    }

    #[test]
    fn patterns_that_something_matches_are_left_alone() {
        for pattern in [
            "",
            "^$",
            "^a$",
            "a|$^b",
            r"[\n ]x",
            r"\s*$",
            "(?:^|x)a",
            "(?:a|$)b?",
            "(^a)?b",
            r"\bx",
            "❯ ?$",
            "(?i)esc to (?:cancel|exit)",
            r"^\s*[❯›]\s",
            "^(?:[❯>][\\s\\x{a0}]?(?P<text>.*)|!.*)$",
        ] {
            assert!(!matches_nothing(pattern, Text::Row), "{pattern}");
        }
        assert!(!matches_nothing("^❯ $", Text::Title));
    }
}
