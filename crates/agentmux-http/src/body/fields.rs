//! The fields of a JSON object, one typed getter a kind; null is the same as absent.

use std::collections::BTreeMap;
use std::time::Duration;

use agentmux_core::command::{self, check_variable};
use agentmux_core::input::{self, Invalid};
use agentmux_core::terminal::Size;
use serde_json::{Map, Value};

use super::{choose, count, must_be, only};
use crate::limits::MAX_SECONDS;

/// The fields of a body.
#[derive(Debug, Default)]
pub(crate) struct Fields(Map<String, Value>);

/// A value that may be either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberOrText<'a> {
    Number(u32),
    Text(&'a str),
}

impl Fields {
    pub(crate) fn new(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// The whole object.
    pub(crate) fn into_document(self) -> Value {
        Value::Object(self.0)
    }

    /// Refuses fields that are not among the known ones.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Invalid> {
        only("field", self.0.keys().map(String::as_str), known)
    }

    fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    /// A text, as it is.
    pub(crate) fn text(&self, field: &str) -> Result<Option<&str>, Invalid> {
        let text = self.get(field).map(|value| value.as_str().ok_or_else(|| must_be(field, "a string")));
        text.transpose()
    }

    /// A text that must be there and not be blank, as it is.
    pub(crate) fn required_text(&self, field: &str) -> Result<&str, Invalid> {
        match self.text(field)? {
            Some(text) if !text.trim().is_empty() => Ok(text),
            _ => Err(Invalid::new(format!("{field} is required"))),
        }
    }

    /// A name: a text without the blanks around it; `None` where nothing is left.
    pub(crate) fn name(&self, field: &str) -> Result<Option<&str>, Invalid> {
        Ok(self.text(field)?.map(str::trim).filter(|name| !name.is_empty()))
    }

    /// A whole number from 1, as a number or, as the original took it, in a text; what is larger than `most` counts
    /// as `most`.
    pub(crate) fn count(&self, field: &str, most: u64) -> Result<Option<u64>, Invalid> {
        let text = match self.get(field) {
            None => return Ok(None),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return Err(must_be(field, "an integer")),
        };
        count(field, &text, (1, most)).map(Some)
    }

    /// A whole number from 1, or a text that is not blank.
    pub(crate) fn number_or_text(&self, field: &str) -> Result<Option<NumberOrText<'_>>, Invalid> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        if let Some(text) = value.as_str().filter(|text| !text.trim().is_empty()) {
            return Ok(Some(NumberOrText::Text(text)));
        }
        let number =
            value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
        let number = number.ok_or_else(|| must_be(field, "a number from 1 or a text"))?;
        Ok(Some(NumberOrText::Number(number)))
    }

    /// A number of seconds, 0 to 3600.
    pub(crate) fn seconds(&self, field: &str) -> Result<Option<Duration>, Invalid> {
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        self.get(field).map(|value| input::seconds(field, number(value), MAX_SECONDS)).transpose()
    }

    /// One of these words; what it stands for.
    pub(crate) fn choice<T: Copy>(&self, field: &str, choices: &[(&str, T)]) -> Result<Option<T>, Invalid> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        choose(field, value.as_str().unwrap_or_default(), choices).map(Some)
    }

    /// True or false.
    pub(crate) fn flag(&self, field: &str) -> Result<Option<bool>, Invalid> {
        let flag = |value: &Value| value.as_bool().ok_or_else(|| must_be(field, "true or false"));
        self.get(field).map(flag).transpose()
    }

    /// The size of a terminal: an object with `columns` and `rows`.
    pub(crate) fn size(&self, field: &str) -> Result<Option<Size>, Invalid> {
        let refuse = || must_be(field, "an object with the numbers columns and rows");
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        let object = value.as_object().filter(|object| object.len() == 2).ok_or_else(refuse)?;
        let number = |name: &str| {
            let number = object.get(name).and_then(Value::as_u64).ok_or_else(refuse)?;
            Ok(u16::try_from(number).unwrap_or(u16::MAX))
        };
        Size::new(number("columns")?, number("rows")?).map(Some)
    }

    /// A command: a line that is split as a shell would, or an argument vector.
    pub(crate) fn command(&self, field: &str) -> Result<Option<Vec<String>>, Invalid> {
        let refuse = || must_be(field, "a string or an array of strings");
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(line)) => command::parse_line(line).map(Some),
            Some(Value::Array(words)) => {
                let words = words.iter().map(|word| word.as_str().map(str::to_owned));
                command::check_argv(words.collect::<Option<_>>().ok_or_else(refuse)?).map(Some)
            }
            Some(_) => Err(refuse()),
        }
    }

    /// Variables for the agent's environment; ours and tmux's own are not for callers to set.
    pub(crate) fn environment(&self, field: &str) -> Result<BTreeMap<String, String>, Invalid> {
        let refuse = || must_be(field, "an object of strings");
        match self.get(field) {
            None => Ok(BTreeMap::new()),
            Some(Value::Object(variables)) => variables
                .iter()
                .map(|(name, value)| {
                    let value = value.as_str().ok_or_else(refuse)?;
                    let refuse = |invalid: Invalid| Invalid::new(format!("{field}: {invalid}"));
                    check_variable(name, value).map_err(refuse)?;
                    Ok((name.clone(), value.to_owned()))
                })
                .collect(),
            Some(_) => Err(refuse()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &str) -> Fields {
        Fields::new(serde_json::from_str(body).unwrap())
    }

    #[track_caller]
    fn refused<T: std::fmt::Debug>(read: Result<T, Invalid>) -> String {
        read.unwrap_err().message
    }

    #[test]
    fn texts_are_required_and_strings_in_the_inherited_words() {
        for body in ["{}", r#"{"text":""}"#, r#"{"text":" \n"}"#, r#"{"text":null}"#] {
            assert_eq!(refused(fields(body).required_text("text")), "text is required", "{body}");
        }
        for body in [r#"{"text":1}"#, r#"{"text":["x"]}"#, r#"{"text":false}"#] {
            assert_eq!(refused(fields(body).required_text("text")), "text must be a string", "{body}");
        }
        assert_eq!(fields(r#"{"text":" x \n"}"#).required_text("text"), Ok(" x \n"));
        assert_eq!(fields(r#"{"target":" a:0.0 "}"#).name("target"), Ok(Some("a:0.0")));
        assert_eq!(fields(r#"{"target":" "}"#).name("target"), Ok(None));
    }

    #[test]
    fn counts_are_whole_numbers_from_one_and_capped() {
        let count = |value: &str| fields(&format!("{{\"repeat\":{value}}}")).count("repeat", 50);
        for (value, counted) in [
            ("1", 1),
            ("50", 50),
            ("51", 50),
            ("1000000000", 50),
            ("18446744073709551615", 50),
            ("\"5\"", 5),
            ("\" 51 \"", 50),
        ] {
            assert_eq!(count(value), Ok(Some(counted)), "{value}");
        }
        assert_eq!(count("null"), Ok(None));
        for value in ["0", "-1", "\"0\""] {
            assert_eq!(refused(count(value)), "repeat must be >= 1", "{value}");
        }
        for value in ["true", "1.5", "\"1.5\"", "\"\"", "[]"] {
            assert_eq!(refused(count(value)), "repeat must be an integer", "{value}");
        }
    }

    #[test]
    fn seconds_are_numbers_in_their_range() {
        let seconds = |value: &str| fields(&format!("{{\"wait\":{value}}}")).seconds("wait");
        assert_eq!(seconds("0.5"), Ok(Some(Duration::from_millis(500))));
        assert_eq!(seconds("3600"), Ok(Some(Duration::from_secs(3600))));
        for value in ["-1", "3601", "\"5\"", "true", "[]", "1e300"] {
            assert_eq!(refused(seconds(value)), "wait must be a number of seconds from 0 to 3600", "{value}");
        }
    }

    #[test]
    fn choices_and_commands_name_what_is_allowed() {
        let choices = [("reject", 1), ("queue", 2)];
        assert_eq!(fields(r#"{"if_busy":"queue"}"#).choice("if_busy", &choices), Ok(Some(2)));
        for body in [r#"{"if_busy":"Queue"}"#, r#"{"if_busy":1}"#] {
            assert_eq!(
                refused(fields(body).choice("if_busy", &choices)),
                "if_busy must be one of reject, queue"
            );
        }
        let argv = |body| fields(body).command("command");
        assert_eq!(argv(r#"{"command":["a b",""]}"#), Ok(Some(vec!["a b".to_owned(), String::new()])));
        assert_eq!(argv(r#"{"command":"a 'b c'"}"#), Ok(Some(vec!["a".to_owned(), "b c".to_owned()])));
        for body in [r#"{"command":1}"#, r#"{"command":["a",1]}"#, r#"{"command":{}}"#] {
            assert_eq!(refused(argv(body)), "command must be a string or an array of strings");
        }
        assert!(argv(r#"{"command":[]}"#).is_err());
    }

    #[test]
    fn sizes_and_flags_are_what_they_say() {
        let size = |value: &str| fields(&format!("{{\"size\":{value}}}")).size("size");
        assert_eq!(size(r#"{"columns":80,"rows":24}"#), Ok(Some(Size { columns: 80, rows: 24 })));
        assert_eq!(size("null"), Ok(None));
        for value in [r#"{"columns":80}"#, r#"{"columns":80,"rows":24,"x":1}"#, "[80,24]", "\"80x24\""] {
            assert!(refused(size(value)).contains("an object with the numbers columns and rows"), "{value}");
        }
        for value in [r#"{"columns":1,"rows":24}"#, r#"{"columns":80,"rows":1000000}"#] {
            assert!(refused(size(value)).starts_with("size must have 20 to 500"), "{value}");
        }
        let flag = |value: &str| fields(&format!("{{\"raw\":{value}}}")).flag("raw");
        assert_eq!((flag("true"), flag("null")), (Ok(Some(true)), Ok(None)));
        assert_eq!(refused(flag("\"yes\"")), "raw must be true or false");
    }

    #[test]
    fn unknown_fields_are_named_even_where_they_are_null() {
        assert_eq!(fields(r#"{"text":1}"#).only(&["text", "wait"]), Ok(()));
        assert_eq!(
            refused(fields(r#"{"text":1,"promt":null}"#).only(&["text", "wait"])),
            "unknown field \"promt\"; known here: text, wait"
        );
    }

    #[test]
    fn variables_that_are_ours_or_cannot_be_set_are_refused() {
        let environment = |body: &str| fields(&format!("{{\"env\":{body}}}")).environment("env");
        assert_eq!(environment(r#"{"A":"=\n"}"#).unwrap()["A"], "=\n");
        for body in [
            r#"{"":"x"}"#,
            r#"{"A=B":"x"}"#,
            r#"{"A\u0000":"x"}"#,
            r#"{"AGENTMUX_TOKEN":"x"}"#,
            r#"{"TMUX":"x"}"#,
            r#"{"TMUX_PANE":"x"}"#,
            r#"{"A":"\u0000"}"#,
        ] {
            assert!(refused(environment(body)).starts_with("env: the variable"), "{body}");
        }
        for body in [r#"{"A":1}"#, "[]", "\"A=B\""] {
            assert_eq!(refused(environment(body)), "env must be an object of strings", "{body}");
        }
    }
}
