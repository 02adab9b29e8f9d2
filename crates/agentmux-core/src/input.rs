//! Text from outside, parsed once: names, prompts, keys, working directories.
//!
//! Each type has one constructor; whoever holds a value may rely on it without checking again.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest prompt, in bytes of UTF-8.
pub const MAX_PROMPT: usize = 1024 * 1024;

/// Why a text from outside was refused: a sentence that says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// The sentence, without a trailing full stop.
    pub message: String,
    /// True where the text is well-formed but too large (HTTP 413).
    pub too_large: bool,
}

impl Invalid {
    /// A refusal with this sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), too_large: false }
    }
}

/// The name of a session: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`.
///
/// Narrow on purpose: tmux expands formats in names (a `#(command)` in one is run), turns `.` and `:` into `_`, and
/// takes a leading `$`, `%` or `@` for an id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionName(String);

impl SessionName {
    /// Checks a name.
    ///
    /// # Errors
    /// A sentence that says which names are allowed.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        is_name(text, 64).then(|| Self(text.to_owned())).ok_or_else(|| {
            Invalid::new(format!(
                "session name {text:?} is not allowed: use 1 to 64 of A-Z a-z 0-9 _ -, beginning with a letter or digit"
            ))
        })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A short word that names a session prefix, a tmux window or an agent: as a session name, at most 40 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShortName(String);

impl ShortName {
    /// Checks a name; `what` begins the error's sentence.
    ///
    /// # Errors
    /// A sentence that says which names are allowed.
    pub fn parse(what: &str, text: &str) -> Result<Self, Invalid> {
        is_name(text, 40).then(|| Self(text.to_owned())).ok_or_else(|| {
            Invalid::new(format!(
                "{what} {text:?} is not allowed: use 1 to 40 of A-Z a-z 0-9 _ -, beginning with a letter or digit"
            ))
        })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_name(text: &str, longest: usize) -> bool {
    text.len() <= longest
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// A prompt: 1 byte to [`MAX_PROMPT`] of UTF-8 with no control character but line feed and tab, and not blank.
///
/// CRLF has become LF; nothing else is changed. An escape sequence in a prompt could end a bracketed paste and submit
/// what follows as a second prompt, so control characters are refused, never stripped.
#[derive(Clone, PartialEq, Eq)]
pub struct Prompt {
    text: String,
    /// Whether it must arrive as text, whatever the agent would make of it.
    is_literal: bool,
}

impl Prompt {
    /// Checks a prompt.
    ///
    /// # Errors
    /// Blank, too long (then [`Invalid::too_large`]), or a control character, which is named by its code point.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.trim().is_empty() {
            return Err(Invalid::new("text is required"));
        }
        let text = text.replace("\r\n", "\n");
        if text.len() > MAX_PROMPT {
            let message = format!("text has {} bytes; at most {MAX_PROMPT} are allowed", text.len());
            return Err(Invalid { message, too_large: true });
        }
        match text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            Some(c) => Err(Invalid::new(format!(
                "text contains the control character U+{:04X}; only line feed and tab are allowed",
                u32::from(c)
            ))),
            None => Ok(Self { text, is_literal: false }),
        }
    }

    /// The same prompt, which must arrive as text: not as a command of the agent or the like.
    #[must_use]
    pub fn literally(self) -> Self {
        Self { is_literal: true, ..self }
    }

    /// Whether it must arrive as text.
    pub fn is_literal(&self) -> bool {
        self.is_literal
    }

    /// The same prompt in other blanks.
    pub(crate) fn worded(&self, text: String) -> Self {
        Self { text, is_literal: self.is_literal }
    }

    /// The text that is typed.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Prompts stay out of logs: only the length shows.
impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prompt({} bytes)", self.text.len())
    }
}

/// A key of the terminal that can be pressed by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Key {
    Backspace,
    Delete,
    Down,
    End,
    Enter,
    Escape,
    Home,
    Left,
    PageDown,
    PageUp,
    Right,
    Space,
    Tab,
    Up,
    /// With the control key: `a` to `z`.
    Ctrl(char),
    /// A function key: 1 to 12.
    F(u8),
    /// Any other character that is no control character.
    Char(char),
}

/// The names of keys that the inherited API takes, in the order in which its error lists them.
const INHERITED_KEYS: [(&str, Key); 11] = [
    ("backspace", Key::Backspace),
    ("delete", Key::Delete),
    ("down", Key::Down),
    ("enter", Key::Enter),
    ("esc", Key::Escape),
    ("escape", Key::Escape),
    ("left", Key::Left),
    ("right", Key::Right),
    ("space", Key::Space),
    ("tab", Key::Tab),
    ("up", Key::Up),
];

/// Further names.
const FURTHER_KEYS: [(&str, Key); 4] =
    [("end", Key::End), ("home", Key::Home), ("pagedown", Key::PageDown), ("pageup", Key::PageUp)];

impl Key {
    /// A key by its inherited name, letter case ignored.
    ///
    /// # Errors
    /// The inherited sentence, with the list of names.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        named(name, &INHERITED_KEYS).ok_or_else(|| {
            let names: Vec<_> = INHERITED_KEYS.iter().map(|(name, _)| *name).collect();
            Invalid::new(format!("Unsupported key '{name}'. Supported keys: {}", names.join(", ")))
        })
    }

    /// Any key: an inherited name, `home end pageup pagedown`, `ctrl-a` to `ctrl-z`, `f1` to `f12`, or one character.
    /// Letter case counts only for a single character.
    ///
    /// # Errors
    /// A sentence with what is allowed.
    pub fn parse_any(name: &str) -> Result<Self, Invalid> {
        let lower = name.to_ascii_lowercase();
        let ctrl = || one_char(lower.strip_prefix("ctrl-")?).filter(char::is_ascii_lowercase).map(Self::Ctrl);
        let function = || {
            let number = lower.strip_prefix('f').filter(|digits| !digits.starts_with(['0', '+']))?;
            number.parse().ok().filter(|number| (1..=12).contains(number)).map(Self::F)
        };
        let character = || one_char(name).filter(|c| !c.is_control()).map(Self::Char);
        let known = named(name, &INHERITED_KEYS).or_else(|| named(name, &FURTHER_KEYS));
        known.or_else(ctrl).or_else(function).or_else(character).ok_or_else(|| {
            let names: Vec<_> = INHERITED_KEYS.iter().chain(&FURTHER_KEYS).map(|(name, _)| *name).collect();
            let names = names.join(", ");
            Invalid::new(format!(
                "Unsupported key '{name}'. Supported keys: {names}, ctrl-a to ctrl-z, f1 to f12, or one character"
            ))
        })
    }
}

fn named(name: &str, keys: &[(&str, Key)]) -> Option<Key> {
    let wanted = name.to_ascii_lowercase();
    keys.iter().find(|(known, _)| *known == wanted).map(|(_, key)| *key)
}

fn one_char(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// A working directory that existed, as an absolute path, when it was parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workdir(PathBuf);

impl Workdir {
    /// Checks a directory; a leading `~` or `~/` is `home`; links are followed.
    ///
    /// # Errors
    /// Not absolute, control characters in it, missing, not a directory, or not to be entered.
    pub fn parse(text: &str, home: &Path) -> Result<Self, Invalid> {
        let refuse = |why: &str| Err(Invalid::new(format!("workdir {text:?} {why}")));
        if text.chars().any(char::is_control) {
            return refuse("contains a control character");
        }
        let path = match text.strip_prefix('~') {
            Some("") => home.to_path_buf(),
            Some(rest) if rest.starts_with('/') => home.join(&rest[1..]),
            _ => PathBuf::from(text),
        };
        if !path.is_absolute() {
            return refuse("must be an absolute path (or begin with ~/)");
        }
        match path.metadata() {
            Ok(meta) if !meta.is_dir() => refuse("is not a directory"),
            // Reading the folder's own entry "." needs the permission to enter it.
            Ok(_) if path.join(".").metadata().is_err() => refuse("cannot be entered: permission denied"),
            Ok(_) => Ok(Self(path)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => refuse("does not exist"),
            Err(e) => refuse(&format!("cannot be used: {e}")),
        }
    }

    /// The directory.
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

/// Checks a number of seconds from outside: 0 to `most`, fractions allowed.
///
/// # Errors
/// A sentence that names the field and the range.
pub fn seconds(field: &str, value: f64, most: u32) -> Result<Duration, Invalid> {
    if (0.0..=f64::from(most)).contains(&value) {
        Ok(Duration::from_secs_f64(value))
    } else {
        Err(Invalid::new(format!("{field} must be a number of seconds from 0 to {most}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_tmux_would_interpret_are_refused() {
        for name in [
            "",
            "a:b",
            "a.b",
            "x#(id)",
            "..",
            "-x",
            "=x",
            "$1",
            "%1",
            "@1",
            "a b",
            "é",
            "a\n",
            &"a".repeat(65),
        ] {
            assert!(SessionName::parse(name).is_err(), "{name:?}");
        }
        for name in ["a", "agentmux-20261124_090000-0a1b2c", "A_b-9", &"a".repeat(64)] {
            assert!(SessionName::parse(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn prompts_keep_every_byte_but_crlf() {
        for text in [
            "-R",
            "x;",
            ";",
            "#{pid} #(touch x) $(x) `x` \\",
            " leading",
            "trailing \n",
            "a\tb\nc",
            "漢字 🦀 👩‍👩‍👧",
        ] {
            assert_eq!(Prompt::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(Prompt::parse("a\r\nb").unwrap().as_str(), "a\nb");
    }

    #[test]
    fn control_characters_are_refused_by_name() {
        for (text, code) in [
            ("a\u{1b}[201~b", "U+001B"),
            ("\u{3}x", "U+0003"),
            ("a\rb", "U+000D"),
            ("a\u{7f}", "U+007F"),
            ("a\u{85}", "U+0085"),
            ("a\0", "U+0000"),
        ] {
            let error = Prompt::parse(text).unwrap_err();
            assert!(error.message.contains(code), "{error}");
        }
    }

    #[test]
    fn a_prompt_may_have_exactly_one_mebibyte() {
        assert!(Prompt::parse(&"x".repeat(MAX_PROMPT)).is_ok());
        assert!(Prompt::parse(&"x".repeat(MAX_PROMPT + 1)).unwrap_err().too_large);
    }

    #[test]
    fn an_unknown_key_is_answered_with_the_inherited_list() {
        assert_eq!(
            Key::parse("f13").unwrap_err().message,
            "Unsupported key 'f13'. Supported keys: backspace, delete, down, enter, esc, escape, left, right, space, tab, up"
        );
        assert_eq!(Key::parse("ESC"), Ok(Key::Escape));
    }

    #[test]
    fn any_key_has_a_name() {
        for (name, key) in [
            ("Enter", Key::Enter),
            ("home", Key::Home),
            ("Ctrl-X", Key::Ctrl('x')),
            ("f1", Key::F(1)),
            ("F12", Key::F(12)),
            ("f", Key::Char('f')),
            ("Y", Key::Char('Y')),
            (";", Key::Char(';')),
            ("é", Key::Char('é')),
        ] {
            assert_eq!(Key::parse_any(name), Ok(key), "{name}");
        }
        for name in ["", "f0", "f13", "f01", "ctrl-", "ctrl-1", "ctrl-xy", "ab", "\u{1b}"] {
            assert!(Key::parse_any(name).unwrap_err().message.contains("ctrl-a to ctrl-z"), "{name:?}");
        }
    }

    #[test]
    fn a_working_directory_must_be_there_and_be_entered() {
        let home = Path::new("/");
        assert_eq!(Workdir::parse("~", home).unwrap().as_path(), Path::new("/"));
        for (path, why) in [
            ("/no/such/dir", "does not exist"),
            ("relative", "absolute"),
            ("/etc/passwd", "not a directory"),
            ("/a\nb", "control"),
        ] {
            assert!(Workdir::parse(path, home).unwrap_err().message.contains(why), "{path}");
        }
    }
}
