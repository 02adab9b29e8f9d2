//! The two ways in which an argument is written for tmux: in a line of control mode, and in an argv.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// An argument for a line of control mode: pure ASCII, without a line feed; `None` for what holds a NUL.
///
/// Double quotes and three octal digits, because `$` and `~` expand inside them, a line feed ends the
/// command, a raw 0xff reads as the end of input, and single quotes cannot carry `'`.
pub(crate) fn tmux_quote(bytes: &[u8]) -> Option<String> {
    let mut quoted = String::with_capacity(bytes.len() + 2);
    quoted.push('"');
    for &byte in bytes {
        match byte {
            0 => return None,
            b'"' | b'\\' | b'$' | b'~' | ..b' ' | 0x7f.. => {
                let digit = |shift: u8| char::from(b'0' + (byte >> shift & 7));
                quoted.extend(['\\', digit(6), digit(3), digit(0)]);
            }
            _ => quoted.push(char::from(byte)),
        }
    }
    quoted.push('"');
    Some(quoted)
}

/// An argument for the tmux program: a `;` at its end would be taken for the end of the command.
pub(crate) fn tmux_argv(argument: &OsStr) -> OsString {
    match argument.as_bytes().strip_suffix(b";") {
        Some(before) => OsString::from_vec([before, b"\\;"].concat()),
        None => argument.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;
    use std::process::Stdio;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_semicolon_at_the_end_of_an_argument_is_kept() {
        for (argument, escaped) in [("x;", "x\\;"), (";", "\\;"), ("a;b", "a;b"), ("", "")] {
            assert_eq!(tmux_argv(OsStr::new(argument)), OsStr::new(escaped));
        }
    }

    #[derive(serde::Deserialize)]
    struct Vector {
        bytes_hex: String,
        quoted: String,
    }

    impl Vector {
        fn bytes(&self) -> Vec<u8> {
            let byte = |at| u8::from_str_radix(&self.bytes_hex[at..at + 2], 16).unwrap();
            (0..self.bytes_hex.len()).step_by(2).map(byte).collect()
        }
    }

    fn vectors() -> Vec<Vector> {
        serde_json::from_str(include_str!("../tests/tmux-quote-vectors.json")).unwrap()
    }

    #[test]
    fn the_known_vectors_are_quoted_as_tmux_reads_them() {
        let vectors = vectors();
        assert_eq!(vectors.len(), 109);
        for vector in vectors {
            assert_eq!(tmux_quote(&vector.bytes()), Some(vector.quoted.clone()), "{}", vector.bytes_hex);
        }
    }

    /// Runs tmux on the socket `s` of this folder.
    fn tmux(dir: &Path, arguments: &[&str], stdin: &str) {
        #[expect(clippy::disallowed_methods, reason = "what tmux makes of it only tmux knows")]
        let mut tmux = std::process::Command::new("tmux");
        tmux.args(["-u", "-f", "/dev/null", "-S", "s"]).args(arguments).current_dir(dir);
        let mut tmux =
            tmux.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Closed then, which ends a control client when it has run all of it.
        tmux.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        tmux.wait().unwrap();
    }

    #[test]
    fn a_real_tmux_stores_the_bytes_that_were_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let all: Vec<Vec<u8>> =
            vectors().iter().map(Vector::bytes).filter(|bytes| !bytes.is_empty()).collect();
        let folder = dir.path().to_str().unwrap();
        let save = |(n, bytes): (usize, &Vec<u8>)| {
            let (quoted, file) = (tmux_quote(bytes).unwrap(), tmux_quote(format!("{folder}/{n}").as_bytes()));
            format!("set-buffer -b b{n} -- {quoted}\nsave-buffer -b b{n} {}\n", file.unwrap())
        };
        let lines: String = all.iter().enumerate().map(save).collect();
        tmux(dir.path(), &["new-session", "-d", "cat"], "");
        tmux(dir.path(), &["-C", "attach-session"], &lines);
        tmux(dir.path(), &["kill-server"], "");
        for (n, bytes) in all.iter().enumerate() {
            let saved = std::fs::read(dir.path().join(n.to_string())).unwrap_or_default();
            assert_eq!(saved.escape_ascii().to_string(), bytes.escape_ascii().to_string(), "{n}");
        }
    }

    #[test]
    fn what_holds_a_nul_cannot_be_quoted() {
        assert_eq!(tmux_quote(b"a\0b"), None);
    }

    /// What the parser of tmux makes of it.
    fn unquote(quoted: &str) -> Vec<u8> {
        let inner = quoted.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
        let mut bytes = inner.bytes();
        let mut out = Vec::new();
        while let Some(byte) = bytes.next() {
            assert!((b' '..0x7f).contains(&byte) && !b"\"$~".contains(&byte), "{quoted}");
            out.push(match byte {
                b'\\' => (0..3).fold(0, |value, _| value << 3 | (bytes.next().unwrap() - b'0')),
                plain => plain,
            });
        }
        out
    }

    proptest! {
        #[test]
        fn any_bytes_survive(bytes in prop::collection::vec(1..=255u8, 0..200)) {
            prop_assert_eq!(unquote(&tmux_quote(&bytes).unwrap()), bytes);
        }
    }
}
