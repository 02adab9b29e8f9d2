//! Whether the prompt that an agent says it received is the one that was typed.

use crate::profile::Profile;

/// How a received prompt compares with the one that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receipt {
    /// The same text; blanks at its ends do not count.
    Exact,
    /// The same prompt, with a text that the agent has changed or added to, or files that it has taken out.
    Transformed,
    /// Another prompt.
    Other,
}

/// Of a shorter prompt, one that has more in its midst may as well be another.
const TELLING: usize = 16;

/// Compares what was sent with what the agent has.
pub(crate) fn compare(profile: &Profile, sent: &str, received: &str) -> Receipt {
    if sent.trim() == received.trim() {
        return Receipt::Exact;
    }
    let wrapping = profile.signals.iter().flat_map(|signals| &signals.wrapping);
    let bare = wrapping.fold(received.to_owned(), |text, wrap| wrap.replace_all(&text, "").into_owned());
    let attachments = profile.attachments.as_ref();
    let texts = attachments.and_then(|attachments| attachments.text_of(sent, &bare));
    let is_same_text = |(sent, received): (String, String)| is_same_all(&letters(&sent), &letters(&received));
    let is_ours = may_be_the_same(&letters(sent), &letters(&bare)) || texts.is_some_and(is_same_text);
    if is_ours { Receipt::Transformed } else { Receipt::Other }
}

fn may_be_the_same(sent: &[Letter], received: &[Letter]) -> bool {
    let (head, tail) = (same(sent.iter(), received.iter()), same(sent.iter().rev(), received.iter().rev()));
    let is_whole = !sent.is_empty() && head.max(tail) == sent.len();
    // Somebody typed into the midst of it while it was being typed.
    let has_more_within = sent.len() >= TELLING && received.len() > sent.len() && head + tail >= sent.len();
    is_whole || has_more_within
}

/// A visible character, and whether marks were put on it: agents compose what was typed as two characters.
#[derive(Debug, Clone, Copy)]
struct Letter {
    base: char,
    marked: bool,
}

fn letters(text: &str) -> Vec<Letter> {
    let mut letters: Vec<Letter> = Vec::new();
    for c in text.chars().filter(|c| !c.is_whitespace() && !is_invisible(*c)) {
        match letters.last_mut() {
            Some(last) if is_mark(c) => last.marked = true,
            _ => letters.push(Letter { base: c, marked: false }),
        }
    }
    letters
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fe0f}')
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}' | '\u{3099}' | '\u{309a}')
}

/// How many letters are the same before the first that differ.
fn same<'a>(one: impl Iterator<Item = &'a Letter>, other: impl Iterator<Item = &'a Letter>) -> usize {
    one.zip(other).take_while(|(a, b)| is_same(**a, **b)).count()
}

fn is_same_all(one: &[Letter], other: &[Letter]) -> bool {
    one.len() == other.len() && same(one.iter(), other.iter()) == one.len()
}

/// A letter with a mark is the same as one composed letter, whichever that is: close enough to tell prompts apart.
fn is_same(a: Letter, b: Letter) -> bool {
    let composed = |plain: Letter, marked: Letter| marked.marked && !plain.marked && !plain.base.is_ascii();
    a.base == b.base || composed(a, b) || composed(b, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_exact_transformed_or_another_prompt_s() {
        use Receipt::{Exact, Other, Transformed};
        let profile = crate::profile::Definitions::builtin().profile("claude").unwrap();
        for (sent, received, expected) in [
            ("PONG 1", "PONG 1", Exact),
            ("  PONG 1\n", "PONG 1", Exact),
            ("a\tb", "a    b", Transformed),
            ("a\nb", "<pasted_content id=\"x1\">\na\nb\n</pasted_content id=\"x1\">", Transformed),
            ("cafe\u{301} ok", "caf\u{e9} ok", Transformed),
            ("a\u{200b}b", "ab", Transformed),
            ("PONG 1", "PONG 1 and what a person typed", Transformed),
            ("PONG 1", "<time>\n\nPONG 1", Transformed),
            ("a prompt of two lines,\nPONG 1", "a prompt of two linTHEIRSes,\nPONG 1", Transformed),
            ("a prompt of two lines,\nPONG 1", "a prompt of twTHEIRSes,\nPONG 1", Other),
            ("PONG 1", "PO and NG 1", Other),
            ("PONG 1", "PONG 2", Other),
            ("PONG 1", "PON", Other),
            ("PONG 1", "", Other),
            ("PONG 1", "<task-notification>done</task-notification>", Other),
            ("---", "---", Exact),
            ("???", "!!!", Other),
            ("/w/a.png\nPONG 1", "[Image #1]PONG 1", Transformed),
            ("see\n/w/a.png\n/w/b.png\ncafe\u{301}", "[Image #1] [Image #2]see\ncaf\u{e9}", Transformed),
            ("/w/a.png", "[Image #1]", Transformed),
            ("/w/a.png\nPONG 1", "[Image #1]PONG 2", Other),
            ("/w/a.png\nPONG 1", "[Image #1]PONG 1 and what a person typed", Other),
            ("/w/a.png\nPONG 1", "[Image #1] [Image #2]PONG 1", Other),
            ("/w/a.png\n/w/b.png\nPONG 1", "[Image #1]PONG 1", Other),
            ("/w/a.png\nPONG 1", "PONG 1", Other),
            ("/w/a.png", "[Image #1]what is it", Other),
            ("what is it", "[Image #1]", Other),
        ] {
            assert_eq!(compare(&profile, sent, received), expected, "{sent:?} {received:?}");
        }
    }
}
