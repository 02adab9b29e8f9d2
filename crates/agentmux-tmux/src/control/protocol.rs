//! What tmux writes in control mode, cut into events: blocks that answer commands, and lines between them.
//!
//! ```text
//! stream = { notification LF | block }
//! block  = "%begin " G LF { body-line LF } ("%end " | "%error ") G LF        G = time SP number SP flags
//! ```
//!
//! A block is closed by the whole `G` of its beginning and nothing less, for a body is raw: a pane's text may
//! hold a line like `%end 1 2 1`. Flags 1 are commands that this client sent; 0 its own attaching and what
//! hooks run, which answers nothing. Bytes are never taken for UTF-8: `%output` may split a character.

/// One thing that tmux said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// A line outside of blocks, without its line feed.
    Line(&'a [u8]),
    /// The answer to one command.
    Block(Block),
}

/// The answer to one command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Whether this client sent the command.
    pub(crate) ours: bool,
    /// Whether the command failed; the body says why.
    pub(crate) error: bool,
    /// The lines, each with its line feed.
    pub(crate) body: Vec<u8>,
}

/// More than a reader will hold.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("tmux wrote more than {0} bytes in one line or answer")]
pub(crate) struct TooLong(usize);

/// Cuts the stream as it comes.
#[derive(Debug)]
pub(crate) struct Parser {
    /// The beginning of a line that has not ended yet.
    partial: Vec<u8>,
    open: Option<Open>,
    limit: usize,
}

#[derive(Debug)]
struct Open {
    guard: Vec<u8>,
    body: Vec<u8>,
}

impl Parser {
    /// A parser that holds at most `limit` bytes of one line, and of one block.
    pub(crate) fn new(limit: usize) -> Self {
        Self { partial: Vec::new(), open: None, limit }
    }

    /// Takes what was read and hands on what is complete.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut on: impl FnMut(Event<'_>)) -> Result<(), TooLong> {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            if self.partial.is_empty() {
                self.line(line, &mut on)?;
            } else {
                let mut whole = std::mem::take(&mut self.partial);
                whole.extend_from_slice(line);
                self.line(&whole, &mut on)?;
            }
            rest = after;
        }
        self.partial.extend_from_slice(rest);
        if self.partial.len() > self.limit { Err(TooLong(self.limit)) } else { Ok(()) }
    }

    fn line(&mut self, line: &[u8], on: &mut impl FnMut(Event<'_>)) -> Result<(), TooLong> {
        let Some(open) = &mut self.open else {
            match line.strip_prefix(b"%begin ") {
                Some(guard) => self.open = Some(Open { guard: guard.to_owned(), body: Vec::new() }),
                None => on(Event::Line(line)),
            }
            return Ok(());
        };
        if let Some(error) = open.closed_by(line) {
            let Some(Open { guard, body }) = self.open.take() else { return Ok(()) };
            let ours = guard.ends_with(b" 1");
            on(Event::Block(Block { ours, error, body }));
            return Ok(());
        }
        // A notification here would be taken for the answer's text. 3.3a and 3.7c do that for the `%pause`
        // that `refresh-client -A %1:pause` causes, which is never sent.
        open.body.extend_from_slice(line);
        open.body.push(b'\n');
        if open.body.len() > self.limit { Err(TooLong(self.limit)) } else { Ok(()) }
    }
}

impl Open {
    /// Whether the line ends the block, and if so whether with an error.
    fn closed_by(&self, line: &[u8]) -> Option<bool> {
        if line.strip_prefix(b"%end ") == Some(&self.guard) {
            Some(false)
        } else if line.strip_prefix(b"%error ") == Some(&self.guard) {
            Some(true)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events as text, when the stream comes in pieces of this size.
    fn events(stream: &[u8], piece: usize) -> Vec<String> {
        let mut parser = Parser::new(1000);
        let mut events = Vec::new();
        for bytes in stream.chunks(piece) {
            let told = parser.feed(bytes, |event| {
                events.push(match event {
                    Event::Line(line) => format!("line {}", line.escape_ascii()),
                    Event::Block(block) => {
                        format!("{} {} {}", block.ours, block.error, block.body.escape_ascii())
                    }
                });
            });
            told.unwrap();
        }
        events
    }

    #[test]
    fn blocks_and_lines_are_the_same_in_pieces_of_any_size() {
        let stream = b"%begin 1 9 0\n%end 1 9 0\n%sessions-changed\n%output %1 a\xff\\033\n\
            %begin 2 10 1\n%end 1 2 1\n%error 2 10 0\n\xff\n\n%output %1 x\n%end 2 10 1\n\
            %begin 2 11 1\nno such thing\n%error 2 11 1\n%exit\n";
        let expected = [
            "false false ",
            "line %sessions-changed",
            "line %output %1 a\\xff\\\\033",
            "true false %end 1 2 1\\n%error 2 10 0\\n\\xff\\n\\n%output %1 x\\n",
            "true true no such thing\\n",
            "line %exit",
        ];
        for piece in [1, 2, 3, 7, 64, 1000] {
            assert_eq!(events(stream, piece), expected, "{piece}");
        }
    }

    #[test]
    fn nothing_is_held_without_bound() {
        let mut parser = Parser::new(10);
        assert_eq!(parser.feed(b"12345678901", |_| ()), Err(TooLong(10)));
        let mut parser = Parser::new(10);
        assert_eq!(parser.feed(b"%begin 1 1 1\n123456\n123456\n", |_| ()), Err(TooLong(10)));
    }
}
