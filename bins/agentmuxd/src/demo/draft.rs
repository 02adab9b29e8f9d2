//! The text in the input box that was not submitted yet.

/// A pasted text of more lines than this shows as a marker.
const MOST_LINES: usize = 3;
/// A pasted text of more characters than this shows as a marker.
const MOST_CHARS: usize = 800;

/// Keeps the bytes as they came, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pieces: Vec<Piece>,
    /// How many large pastes there are; they are numbered.
    pastes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Plain(Vec<u8>),
    /// A large paste: its bytes, and the marker that is shown instead of them.
    Large(Vec<u8>, String),
}

impl Draft {
    pub(super) fn push_typed(&mut self, bytes: &[u8]) {
        match self.pieces.last_mut() {
            Some(Piece::Plain(text)) => text.extend_from_slice(bytes),
            _ if bytes.is_empty() => {}
            _ => self.pieces.push(Piece::Plain(bytes.to_vec())),
        }
    }

    pub(super) fn push_pasted(&mut self, bytes: Vec<u8>) {
        let newlines = bytes.iter().filter(|b| **b == b'\n').count();
        // A character is at most 4 bytes, so that the count is needed for short pastes only.
        let is_long =
            bytes.len() > 4 * MOST_CHARS || String::from_utf8_lossy(&bytes).chars().count() > MOST_CHARS;
        if newlines < MOST_LINES && !is_long {
            return self.push_typed(&bytes);
        }
        self.pastes += 1;
        let marker = format!("[Pasted text #{} +{newlines} lines]", self.pastes);
        self.pieces.push(Piece::Large(bytes, marker));
    }

    /// Removes the last character, or the last large paste.
    pub(super) fn backspace(&mut self) {
        if let Some(Piece::Plain(text)) = self.pieces.last_mut() {
            let is_continuation = |byte: Option<u8>| byte.is_some_and(|b| b & 0b1100_0000 == 0b1000_0000);
            while is_continuation(text.pop()) {}
            if !text.is_empty() {
                return;
            }
        }
        self.pieces.pop();
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// True where submitting it would submit nothing.
    pub(super) fn is_blank(&self) -> bool {
        self.pieces.iter().all(|piece| piece.bytes().iter().all(u8::is_ascii_whitespace))
    }

    /// The text as the box shows it.
    pub(super) fn shown(&self) -> String {
        let shown = |piece: &Piece| match piece {
            Piece::Plain(text) => String::from_utf8_lossy(text).into_owned(),
            Piece::Large(_, marker) => marker.clone(),
        };
        self.pieces.iter().map(shown).collect()
    }

    /// The bytes that are submitted; the draft is empty then.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let bytes = self.pieces.iter().flat_map(Piece::bytes).copied().collect();
        self.clear();
        bytes
    }
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) | Self::Large(bytes, _) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_paste_shows_as_a_marker_and_is_submitted_whole() {
        let mut draft = Draft::default();
        draft.push_typed(b"see ");
        draft.push_pasted(b"1\n2\n3\n4".to_vec());
        draft.push_pasted("x".repeat(801).into_bytes());
        draft.push_pasted(b"a\nb\nc".to_vec());
        assert_eq!(draft.shown(), "see [Pasted text #1 +3 lines][Pasted text #2 +0 lines]a\nb\nc");
        let bytes = draft.take();
        assert!(bytes.starts_with(b"see 1\n2\n3\n4xx") && bytes.ends_with(b"xa\nb\nc"));
        assert!(draft.is_empty());
    }

    #[test]
    fn backspace_removes_a_character_or_a_large_paste() {
        let mut draft = Draft::default();
        draft.push_typed("aä🦀".as_bytes());
        draft.backspace();
        assert_eq!(draft.shown(), "aä");
        draft.push_pasted(b"1\n2\n3\n4".to_vec());
        draft.backspace();
        draft.backspace();
        draft.backspace();
        draft.backspace();
        assert!(draft.is_empty());
    }

    #[test]
    fn no_text_is_no_draft() {
        let mut draft = Draft::default();
        draft.push_typed(b"");
        assert!(draft.is_empty());
    }

    #[test]
    fn blanks_are_nothing_to_submit() {
        let mut draft = Draft::default();
        draft.push_typed(b" \n\t");
        assert!(draft.is_blank() && !draft.is_empty());
    }
}
