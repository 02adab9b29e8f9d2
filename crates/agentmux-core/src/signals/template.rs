//! Text of a profile with placeholders in it, and places in JSON documents.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

/// What placeholders stand for, by their names.
const NAMES: [&str; 6] = ["dir", "program", "relay", "session", "uuid", "workdir"];

/// A text with placeholders: `{relay}` as it is, `{relay|json}` as it stands between the quotes of a JSON (or TOML)
/// string. Other braces are text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(String);

/// What placeholders stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    /// The session's own folder.
    pub(crate) dir: String,
    /// The relay's program.
    pub(crate) program: String,
    /// The session's id.
    pub(crate) session: String,
    /// A UUID of this session's own.
    pub(crate) uuid: String,
    /// Where the agent starts.
    pub(crate) workdir: String,
}

fn placeholders() -> &'static Regex {
    static PATTERN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\{([a-z]+)(\|json)?\}").expect("it is constant"));
    &PATTERN
}

impl Template {
    /// Checks a text.
    ///
    /// # Errors
    /// A placeholder that there is not.
    pub fn parse(text: &str) -> Result<Self, String> {
        let unknown = placeholders().captures_iter(text).find(|found| !NAMES.contains(&&found[1]));
        match unknown {
            None => Ok(Self(text.to_owned())),
            Some(found) => Err(format!("{} is no placeholder; there are {}", &found[0], NAMES.join(", "))),
        }
    }

    /// The text, with its placeholders replaced.
    pub(crate) fn fill(&self, values: &Values) -> String {
        let fill = |found: &Captures<'_>| {
            let value = values.get(&found[1]);
            match found.get(2) {
                None => value,
                Some(_) => {
                    let quoted = Value::from(value).to_string();
                    quoted[1..quoted.len() - 1].to_owned()
                }
            }
        };
        placeholders().replace_all(&self.0, fill).into_owned()
    }
}

impl Values {
    fn get(&self, name: &str) -> String {
        match name {
            "dir" => self.dir.clone(),
            "program" => self.program.clone(),
            "session" => self.session.clone(),
            "uuid" => self.uuid.clone(),
            "workdir" => self.workdir.clone(),
            _ => self.relay(),
        }
    }

    /// A shell's command line that passes its stdin on to us. It says nothing and never fails, or agents would show
    /// that: not even where the program is gone.
    fn relay(&self) -> String {
        let words = [self.program.as_str(), "hook", self.dir.as_str()];
        format!("{} 2>/dev/null || :", shell_words::join(words))
    }
}

/// A place in a JSON document: a JSON pointer, in which `*` stands for each element of an array, and `-` for the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// Reads a pointer, as in `/message/content/*/text`.
    ///
    /// # Errors
    /// It does not begin with a slash.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix('/') {
            Some(path) => {
                let part = |part: &str| part.replace("~1", "/").replace("~0", "~");
                Ok(Self(path.split('/').map(part).collect()))
            }
            None => Err(format!("{text:?} is no JSON pointer, as in /message/text")),
        }
    }

    /// The values there.
    pub(crate) fn find<'a>(&self, document: &'a Value) -> Vec<&'a Value> {
        let step = |found: Vec<&'a Value>, part: &String| -> Vec<&'a Value> {
            found.into_iter().flat_map(|value| children(value, part)).collect()
        };
        self.0.iter().fold(vec![document], step)
    }

    /// The first value there that is not null.
    pub(crate) fn first<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.find(document).into_iter().find(|value| !value.is_null())
    }

    /// The texts there, one behind the other; `None` where there is none.
    pub(crate) fn text(&self, document: &Value) -> Option<String> {
        let texts: Vec<&str> = self.find(document).into_iter().filter_map(Value::as_str).collect();
        (!texts.is_empty()).then(|| texts.concat())
    }

    /// The number there.
    pub(crate) fn number(&self, document: &Value) -> Option<f64> {
        self.first(document)?.as_f64().filter(|number| number.is_finite() && *number >= 0.0)
    }
}

fn children<'a>(value: &'a Value, part: &str) -> Vec<&'a Value> {
    match value {
        Value::Array(items) if part == "*" => items.iter().collect(),
        Value::Array(items) if part == "-" => items.last().into_iter().collect(),
        Value::Array(items) => part.parse().ok().and_then(|at: usize| items.get(at)).into_iter().collect(),
        Value::Object(members) => members.get(part).into_iter().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn placeholders_are_quoted_for_where_they_stand() {
        let values =
            Values { dir: "/a b/it's \"x\"".into(), program: "/opt/agentmuxd".into(), ..Values::default() };
        let fill = |text: &str| Template::parse(text).unwrap().fill(&values);
        assert_eq!(fill("--settings={dir}/s.json"), "--settings=/a b/it's \"x\"/s.json");
        let relay = r#"/opt/agentmuxd hook '/a b/it'\''s "x"' 2>/dev/null || :"#;
        assert_eq!(fill("{relay}"), relay);
        let document: Value = serde_json::from_str(&fill(r#"{"command": "{relay|json}"}"#)).unwrap();
        assert_eq!(document, json!({"command": relay}));
        let list: toml::Value =
            toml::from_str(&fill(r#"notify = ["{program|json}", "{dir|json}"]"#)).unwrap();
        assert_eq!(list["notify"][1].as_str(), Some("/a b/it's \"x\""));
        assert_eq!(fill("{ x } {} {\"a\":1}"), "{ x } {} {\"a\":1}");
    }

    #[test]
    fn pointers_reach_into_lists() {
        let document = json!({"m": [{"t": "a"}, {"u": 1}, {"t": "b"}], "a/b": {"~": "c"}, "n": null, "x": 3});
        let text = |pointer: &str| Pointer::parse(pointer).unwrap().text(&document);
        assert_eq!(text("/m/*/t").as_deref(), Some("ab"));
        assert_eq!(text("/m/-/t").as_deref(), Some("b"));
        assert_eq!(text("/m/0/t").as_deref(), Some("a"));
        assert_eq!(text("/a~1b/~0").as_deref(), Some("c"));
        for nothing in ["/m/7/t", "/n", "/x", "/x/y", "/m/t"] {
            assert_eq!(text(nothing), None, "{nothing}");
        }
        assert!(Pointer::parse("m/t").is_err());
    }
}
