//! Bytes from the terminal become key presses, typed text and pastes.

/// A bracketed paste ends with this.
const PASTE_END: &[u8] = b"\x1b[201~";

/// What a person, or a program in a person's place, did at the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// Bytes of text that were typed; a character may be split over two of these.
    Typed(Vec<u8>),
    /// The bytes of one bracketed paste, exactly as they came.
    Pasted(Vec<u8>),
    Key(Key),
}

/// The keys that mean something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Enter,
    /// A line feed: a new line in the draft.
    Newline,
    Escape,
    Backspace,
    Up,
    Down,
    CtrlC,
    CtrlD,
    CtrlU,
}

impl Key {
    /// The word for it in the log.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Enter => "enter",
            Self::Newline => "newline",
            Self::Escape => "escape",
            Self::Backspace => "backspace",
            Self::Up => "up",
            Self::Down => "down",
            Self::CtrlC => "ctrl-c",
            Self::CtrlD => "ctrl-d",
            Self::CtrlU => "ctrl-u",
        }
    }
}

/// Takes bytes as they are read, in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// The begin of an escape sequence whose rest has not come yet.
    sequence: Vec<u8>,
    /// The bytes of a paste that has not ended yet.
    paste: Option<Vec<u8>>,
}

impl Parser {
    /// What these bytes mean, after all that came before.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Input> {
        let mut inputs = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match (&mut self.paste, self.sequence.is_empty()) {
                (Some(_), _) => self.read_paste(rest, &mut inputs),
                (None, false) => self.read_sequence(rest, &mut inputs),
                (None, true) => self.read_plain(rest, &mut inputs),
            };
        }
        inputs
    }

    /// True while an ESC may be a key of its own or the begin of a sequence: time decides.
    pub(super) fn is_undecided(&self) -> bool {
        self.sequence == [0x1b]
    }

    /// No more bytes came in time: the ESC was the key.
    pub(super) fn decide(&mut self) -> Option<Input> {
        self.is_undecided().then(|| {
            self.sequence.clear();
            Input::Key(Key::Escape)
        })
    }

    fn read_plain<'a>(&mut self, bytes: &'a [u8], inputs: &mut Vec<Input>) -> &'a [u8] {
        let typed = bytes.iter().position(|b| is_control(*b)).unwrap_or(bytes.len());
        if typed > 0 {
            inputs.push(Input::Typed(bytes[..typed].to_vec()));
            return &bytes[typed..];
        }
        match bytes[0] {
            0x1b => self.sequence.push(0x1b),
            control => inputs.extend(key_of(control).map(Input::Key)),
        }
        &bytes[1..]
    }

    fn read_sequence<'a>(&mut self, bytes: &'a [u8], inputs: &mut Vec<Input>) -> &'a [u8] {
        let next = bytes[0];
        if self.sequence.len() == 1 && !matches!(next, b'[' | b'O') {
            self.sequence.clear();
            inputs.push(Input::Key(Key::Escape));
            return bytes;
        }
        self.sequence.push(next);
        if self.sequence.len() > 2 && (0x40..=0x7e).contains(&next) {
            match self.sequence.as_slice() {
                b"\x1b[A" | b"\x1bOA" => inputs.push(Input::Key(Key::Up)),
                b"\x1b[B" | b"\x1bOB" => inputs.push(Input::Key(Key::Down)),
                b"\x1b[200~" => self.paste = Some(Vec::new()),
                _ => {}
            }
            self.sequence.clear();
        }
        &bytes[1..]
    }

    fn read_paste<'a>(&mut self, bytes: &'a [u8], inputs: &mut Vec<Input>) -> &'a [u8] {
        let Some(paste) = &mut self.paste else { return bytes };
        // The end itself may be split over two reads, so the search begins a little before the new bytes.
        let before = paste.len();
        paste.extend_from_slice(bytes);
        let from = before.saturating_sub(PASTE_END.len() - 1);
        let Some(end) = find(&paste[from..], PASTE_END).map(|at| from + at) else { return &[] };
        let used = end + PASTE_END.len() - before;
        paste.truncate(end);
        inputs.extend(self.paste.take().map(Input::Pasted));
        &bytes[used..]
    }
}

fn is_control(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f
}

fn key_of(control: u8) -> Option<Key> {
    match control {
        b'\r' => Some(Key::Enter),
        b'\n' => Some(Key::Newline),
        0x03 => Some(Key::CtrlC),
        0x04 => Some(Key::CtrlD),
        0x15 => Some(Key::CtrlU),
        0x08 | 0x7f => Some(Key::Backspace),
        _ => None,
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Input {
        Input::Typed(text.as_bytes().to_vec())
    }

    fn pasted(text: &str) -> Input {
        Input::Pasted(text.as_bytes().to_vec())
    }

    #[test]
    fn keys_text_and_pastes_are_told_apart() {
        let bytes = b"hi\r\x1b[A\x1bOB\x1b[200~a\r\nb\x1b[3~\x1b[201~\n\x7f\x1b[3~\x03";
        let keys = |keys: &[Key]| keys.iter().map(|key| Input::Key(*key)).collect::<Vec<_>>();
        let mut wanted = vec![typed("hi")];
        wanted.extend(keys(&[Key::Enter, Key::Up, Key::Down]));
        wanted.push(pasted("a\r\nb\x1b[3~"));
        wanted.extend(keys(&[Key::Newline, Key::Backspace, Key::CtrlC]));
        assert_eq!(Parser::default().feed(bytes), wanted);
    }

    #[test]
    fn any_split_of_the_bytes_means_the_same() {
        let bytes = "ä🦀\x1b[200~one\x1b[20\ntwo 漢\x1b[201~\r".as_bytes();
        for split in 0..bytes.len() {
            let mut parser = Parser::default();
            let mut inputs = parser.feed(&bytes[..split]);
            inputs.extend(parser.feed(&bytes[split..]));
            let text: Vec<u8> = inputs
                .iter()
                .flat_map(|input| match input {
                    Input::Typed(bytes) => bytes.clone(),
                    _ => Vec::new(),
                })
                .collect();
            assert_eq!(text, "ä🦀".as_bytes(), "split at {split}");
            assert_eq!(inputs[inputs.len() - 2..], [pasted("one\x1b[20\ntwo 漢"), Input::Key(Key::Enter)]);
        }
    }

    #[test]
    fn a_lone_escape_waits_for_its_time() {
        let mut parser = Parser::default();
        assert_eq!(parser.feed(b"\x1b"), []);
        assert!(parser.is_undecided());
        assert_eq!(parser.decide(), Some(Input::Key(Key::Escape)));
        assert_eq!(parser.decide(), None);
    }

    #[test]
    fn an_escape_before_a_paste_is_a_key() {
        let inputs = Parser::default().feed(b"\x1b\x1b[200~x\x1b[201~");
        assert_eq!(inputs, [Input::Key(Key::Escape), pasted("x")]);
    }
}
