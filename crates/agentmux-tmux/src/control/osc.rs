//! Finds OSC 7501 in what a program writes: `ESC ] 7501 ; state=WORD:kind=KIND:app=APP`, closed by BEL or
//! `ESC \`.
//!
//! ```text
//!            ESC           ]           BEL, ESC \
//! Ground ---------> Escape ---> Osc -----------------> Ground, and an announcement if the text is one
//!    ^                |          | ESC and another byte, CAN, SUB
//!    +---- other -----+----------+
//! ```
//!
//! Of an OSC that is longer than any announcement (a link, a picture) no more is kept.

/// The longest announcement, in bytes.
const LONGEST: usize = 256;

/// Follows the output of one pane, however it is cut.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    state: State,
    text: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    Escape,
    Osc,
    /// Within an OSC, after an escape.
    OscEscape,
}

/// A state that a program announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) state: String,
    pub(crate) kind: Option<String>,
}

impl Scanner {
    /// Takes what was written; hands on each announcement that is complete.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut on: impl FnMut(Word)) {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            if self.state == State::Ground {
                let Some(escape) = rest.iter().position(|byte| *byte == 0x1b) else { return };
                self.state = State::Escape;
                rest = &rest[escape + 1..];
                continue;
            }
            if let Some(word) = self.step(byte) {
                on(word);
            }
            rest = after;
        }
    }

    fn step(&mut self, byte: u8) -> Option<Word> {
        let (state, is_end) = match (self.state, byte) {
            (State::Osc, 0x07) => (State::Ground, true),
            // `ESC \`, or an escape that begins something else: it ends the sequence too.
            (State::OscEscape, b'\\') => (State::Ground, true),
            (State::Escape | State::OscEscape, b']') => (State::Osc, false),
            (State::Escape | State::OscEscape, 0x1b) => (State::Escape, false),
            (State::Escape | State::OscEscape, _) => (State::Ground, false),
            (State::Osc, 0x1b) => (State::OscEscape, false),
            // CAN and SUB cancel a sequence.
            (State::Osc, 0x18 | 0x1a) => (State::Ground, false),
            (State::Osc | State::Ground, _) => (self.state, false),
        };
        let collects = self.state == State::Osc && state == State::Osc;
        self.state = state;
        if is_end {
            return parse(&std::mem::take(&mut self.text));
        }
        if !collects && state != State::OscEscape {
            self.text.clear();
        } else if collects && self.text.len() <= LONGEST {
            self.text.push(byte);
        }
        None
    }
}

/// `None` for all that is no announcement: other sequences, the question `7501;?`, nonsense.
fn parse(text: &[u8]) -> Option<Word> {
    if text.len() > LONGEST {
        return None;
    }
    let fields = std::str::from_utf8(text).ok()?.strip_prefix("7501;")?;
    let value = |key: &str| fields.split(':').find_map(|field| field.strip_prefix(key)?.strip_prefix('='));
    let is_word = |word: &&str| {
        (1..=32).contains(&word.len())
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let state = value("state").filter(is_word)?.to_owned();
    Some(Word { state, kind: value("kind").filter(is_word).map(String::from) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(output: &[u8], piece: usize) -> Vec<String> {
        let mut scanner = Scanner::default();
        let mut words = Vec::new();
        for bytes in output.chunks(piece) {
            scanner.feed(bytes, |word| {
                words.push(format!("{}/{}", word.state, word.kind.unwrap_or_default()));
            });
        }
        assert!(scanner.text.capacity() <= 4 * LONGEST);
        words
    }

    #[test]
    fn announcements_are_found_however_they_are_cut_and_closed() {
        let output = b"a\xff\x1b[31m\x1b]7501;state=working:app=codex\x1b\\b\x1b]0;title\x07\
            \x1b]7501;state=blocked:kind=permission:app=codex\x07\x1b\x1b]7501;state=idle\x1b\\";
        for piece in [1, 2, 3, 5, 16, 1000] {
            assert_eq!(words(output, piece), ["working/", "blocked/permission", "idle/"], "{piece}");
        }
    }

    #[test]
    fn what_is_no_announcement_announces_nothing() {
        let long = [b"\x1b]7501;state=idle:x=".as_slice(), &[b'x'; 9000], b"\x07"].concat();
        let table: [&[u8]; 10] = [
            &long,
            b"\x1b]7501;?\x07",
            b"\x1b]7501;state=\x07",
            b"\x1b]7501;state=\xff\x07",
            b"\x1b]7501;state=a b\x07",
            b"\x1b]17501;state=idle\x07",
            b"]7501;state=idle\x07",
            b"\x1b]7501;state=idle\x18\x07",
            b"\x1b]7501;state=idle\x1b[m\x07",
            b"\x1b]7501;state=idle",
        ];
        for output in table {
            assert_eq!(words(output, 4), [""; 0], "{}", output.escape_ascii());
        }
        let after = [&long, b"\x1b]7501;state=done\x07".as_slice()].concat();
        assert_eq!(words(&after, 11), ["done/"]);
    }
}
