//! Versions of tmux, as `tmux -V` and `#{version}` tell them.

use std::fmt;

/// A version of tmux: `3.3a` is `(3, 3, Some('a'))`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u16,
    minor: u16,
    letter: Option<char>,
}

impl Version {
    /// The oldest that is accepted: what we rely on (`if-shell -F`, `copy-mode -q`, pane options) is in it.
    pub const OLDEST: Self = Self { major: 3, minor: 2, letter: Some('a') };

    /// Reads `3.3a`, `next-3.8`; `None` for a build without a number (`master`, `openbsd-7.6` counts apart).
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_prefix("next-").unwrap_or(text);
        let (major, rest) = number.split_once('.')?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let letter = rest[digits..].chars().next().filter(char::is_ascii_lowercase);
        Some(Self { major: major.parse().ok()?, minor: rest[..digits].parse().ok()?, letter })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}{}", self.major, self.minor, self.letter.map(String::from).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_tmux_released_them() {
        let order = ["1.8", "2.9a", "3.1c", "3.2", "3.2a", "3.2-rc", "3.3a", "3.5a", "next-3.8", "10.0"];
        let accepted: Vec<_> =
            order.into_iter().filter(|text| Version::parse(text).unwrap() >= Version::OLDEST).collect();
        assert_eq!(accepted, ["3.2a", "3.3a", "3.5a", "next-3.8", "10.0"]);
    }

    #[test]
    fn builds_without_a_number_have_no_version() {
        for text in ["master", "openbsd-7.6", "", "3", "x.y"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_version_reads_as_tmux_writes_it() {
        for text in ["3.3a", "3.4"] {
            assert_eq!(Version::parse(text).unwrap().to_string(), text);
        }
    }
}
