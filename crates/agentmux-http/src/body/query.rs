//! The query of a URL: `name=value` pairs, percent-encoded; the first of a name counts, an empty value is as
//! absent.

use std::time::Duration;

use agentmux_core::input::{self, Invalid};

use super::{choose, count, only};
use crate::limits::MAX_SECONDS;

/// The parameters of a URL.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(value))
        };
        Self(text.split('&').map(pair).collect())
    }

    /// Refuses parameters that are not among the known ones.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Invalid> {
        let names = self.0.iter().map(|(name, _)| name.as_str()).filter(|name| !name.is_empty());
        only("query parameter", names, known)
    }

    /// A parameter without the blanks around it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let given = self.0.iter().filter(|(_, value)| !value.is_empty()).find(|(given, _)| given == name)?;
        Some(given.1.trim())
    }

    /// A whole number from 1, brought into a range.
    pub(crate) fn count(&self, name: &str, range: (u64, u64)) -> Result<Option<u64>, Invalid> {
        self.get(name).map(|text| count(name, text, range)).transpose()
    }

    /// One of these words; what it stands for.
    pub(crate) fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, Invalid> {
        self.get(name).filter(|word| !word.is_empty()).map(|word| choose(name, word, choices)).transpose()
    }

    /// Several of these words, joined by commas.
    pub(crate) fn choices<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Vec<T>, Invalid> {
        let words = self.get(name).into_iter().flat_map(|words| words.split(',')).map(str::trim);
        words.filter(|word| !word.is_empty()).map(|word| choose(name, word, choices)).collect()
    }

    /// A number of seconds, 0 to 3600.
    pub(crate) fn seconds(&self, name: &str) -> Result<Option<Duration>, Invalid> {
        let number = |text: &str| text.parse().unwrap_or(f64::NAN);
        self.get(name).map(|text| input::seconds(name, number(text), MAX_SECONDS)).transpose()
    }
}

/// Undoes percent-encoding, leniently: `%1` is a pane to some, and stays what it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = bytes.get(at + 1..at + 3).filter(|_| byte == b'%').and_then(hex);
        decoded.push(escaped.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let byte = value(*digits.first()?)? * 16 + value(*digits.get(1)?)?;
    u8::try_from(byte).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_what_is_no_escape_stays() {
        let query = Query::parse("target=a%3a0.0&pane=%1&x=%zz%e6%bc%a2+y&lines=&lines=5&flag");
        assert_eq!(query.get("target"), Some("a:0.0"));
        assert_eq!(query.get("pane"), Some("%1"));
        assert_eq!(query.get("x"), Some("%zz漢 y"));
        assert_eq!(query.get("lines"), Some("5"));
        assert_eq!(query.get("flag"), None);
        assert_eq!(Query::parse("").get(""), None);
    }

    #[test]
    fn lines_are_whole_numbers_from_one_and_clamped() {
        let lines = |text: &str| Query::parse(&format!("lines={text}")).count("lines", (10, 500));
        for (text, counted) in
            [("1", 10), ("60", 60), ("%2B70", 70), ("501", 500), ("1000000000000000000000000", 500)]
        {
            assert_eq!(lines(text), Ok(Some(counted)), "{text}");
        }
        assert_eq!(lines(""), Ok(None));
        for text in ["0", "-1", "000", "-0"] {
            assert_eq!(lines(text).unwrap_err().message, "lines must be >= 1", "{text}");
        }
        for text in ["x", "1.5", "true", "%225%22", "0x10", "-"] {
            assert_eq!(lines(text).unwrap_err().message, "lines must be an integer", "{text}");
        }
    }

    #[test]
    fn unknown_parameters_and_words_are_named_with_what_is_known() {
        let query = Query::parse("wait=1&&until=idle,%20busy,");
        assert_eq!(query.only(&["until", "wait"]), Ok(()));
        assert_eq!(
            query.only(&["until"]).unwrap_err().message,
            "unknown query parameter \"wait\"; known here: until"
        );
        assert!(query.only(&[]).unwrap_err().message.ends_with("known here: none"));
        let words = [("idle", 1), ("busy", 2)];
        assert_eq!(query.choices("until", &words), Ok(vec![1, 2]));
        assert_eq!(query.choices("x", &words), Ok(vec![]));
        assert_eq!(query.choice("until", &words).unwrap_err().message, "until must be one of idle, busy");
        assert_eq!(Query::parse("x=busy").choice("x", &words), Ok(Some(2)));
    }

    #[test]
    fn waits_are_seconds() {
        let wait = |text: &str| Query::parse(&format!("wait={text}")).seconds("wait");
        assert_eq!(wait("2.5"), Ok(Some(Duration::from_millis(2500))));
        for text in ["inf", "nan", "-1", "x", "3601"] {
            assert!(wait(text).is_err(), "{text}");
        }
    }
}
