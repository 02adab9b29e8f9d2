//! Notifications of tmux, as far as the watcher acts on them.

use std::borrow::Cow;

/// What a line outside of blocks says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Notice<'a> {
    /// A pane's program wrote this.
    Output {
        /// The pane's id.
        pane: &'a str,
        /// What it wrote, still escaped.
        escaped: &'a [u8],
    },
    /// We were too slow: tmux holds back what the pane writes from now on.
    Paused(&'a str),
    /// The pane's program has ended: our subscription says so.
    Died(&'a str),
    /// Sessions or windows came or went: panes may be gone.
    Changed,
    /// Nothing that concerns us.
    Other,
}

impl<'a> Notice<'a> {
    /// Reads a line.
    pub(crate) fn parse(line: &'a [u8]) -> Self {
        Self::read(line).unwrap_or(Self::Other)
    }

    fn read(line: &'a [u8]) -> Option<Self> {
        let (kind, rest) = split(line, b" ").unwrap_or((line, b""));
        Some(match kind {
            b"%output" => {
                let (pane, escaped) = split(rest, b" ")?;
                Self::Output { pane: text(pane)?, escaped }
            }
            // `%extended-output %N AGE ... : data`: fields to come stand before the colon.
            b"%extended-output" => {
                let (fields, escaped) = split(rest, b" : ")?;
                let (pane, _) = split(fields, b" ")?;
                Self::Output { pane: text(pane)?, escaped }
            }
            b"%pause" => Self::Paused(text(rest)?),
            // `%subscription-changed NAME $S @W INDEX %P ... : VALUE`
            b"%subscription-changed" => {
                let (fields, value) = split(rest, b" : ")?;
                let pane = text(fields)?.split(' ').nth(4)?;
                if value == b"1" { Self::Died(pane) } else { Self::Other }
            }
            b"%sessions-changed" | b"%window-close" | b"%unlinked-window-close" | b"%layout-change" => {
                Self::Changed
            }
            _ => Self::Other,
        })
    }
}

fn split<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(separator.len()).position(|window| window == separator)?;
    Some((&bytes[..at], &bytes[at + separator.len()..]))
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// The bytes that a program wrote: tmux escapes those below a space, and the backslash, as `\ooo`.
pub(crate) fn unescape(escaped: &[u8]) -> Cow<'_, [u8]> {
    if !escaped.contains(&b'\\') {
        return escaped.into();
    }
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((&byte, after)) = rest.split_first() {
        match (byte, octal(after)) {
            (b'\\', Some(value)) => {
                bytes.push(value);
                rest = &after[3..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    bytes.into()
}

fn octal(bytes: &[u8]) -> Option<u8> {
    let digits = bytes.get(..3)?;
    let value = digits.iter().try_fold(0u16, |value, byte| match byte {
        b'0'..=b'7' => Some(value * 8 + u16::from(byte - b'0')),
        _ => None,
    })?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_mean_what_the_watcher_acts_on() {
        let output = |pane, escaped| Notice::Output { pane, escaped };
        let table: [(&[u8], Notice<'_>); 12] = [
            (b"%output %5 a b\xff\\033[m", output("%5", b"a b\xff\\033[m")),
            (b"%output %5 ", output("%5", b"")),
            (b"%extended-output %5 12 : a : b", output("%5", b"a : b")),
            (b"%extended-output %5 12 new : x", output("%5", b"x")),
            (b"%pause %5", Notice::Paused("%5")),
            (b"%subscription-changed d $1 @2 3 %4 : 1", Notice::Died("%4")),
            (b"%subscription-changed d $1 @2 3 %4 : 0", Notice::Other),
            (b"%sessions-changed", Notice::Changed),
            (b"%unlinked-window-close @3", Notice::Changed),
            (b"%output %5", Notice::Other),
            (b"%output \xff x", Notice::Other),
            (b"/nonexist: No such file", Notice::Other),
        ];
        for (line, expected) in table {
            assert_eq!(Notice::parse(line), expected, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn output_is_what_the_program_wrote() {
        let table: [(&[u8], &[u8]); 5] = [
            (b"plain \xc3", b"plain \xc3"),
            (b"\\033]0;\\134\\007", b"\x1b]0;\\\x07"),
            (b"\\377", b"\xff"),
            (b"\\9 \\12", b"\\9 \\12"),
            (b"\\777", b"\\777"),
        ];
        for (escaped, bytes) in table {
            assert_eq!(&*unescape(escaped), bytes, "{}", escaped.escape_ascii());
        }
    }
}
