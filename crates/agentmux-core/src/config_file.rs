//! The configuration file: `config.toml`, or the older `config.json`. Both hold the same keys; what they mean is the
//! reader's business.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The folder of the usual files, in the home folder.
const FOLDER: &str = ".config/agentmux";

/// Why a configuration file cannot be used: a sentence that names it and, where that is known, line and column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigFileError(String);

/// The form of a configuration file, by its name's ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// What is not TOML.
    Json,
    /// `.toml`.
    Toml,
}

/// Where something stands in a file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Place {
    fn of(text: &str, span: &Range<usize>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value of the file, and where it and its key stand; of JSON that is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The value, whatever the format.
    pub value: Value,
    /// Where the key stands.
    pub key_at: Option<Place>,
    /// Where the value stands.
    pub value_at: Option<Place>,
}

/// A configuration file, read.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigFile {
    /// The file.
    pub path: PathBuf,
    /// Its form.
    pub format: Format,
    entries: BTreeMap<String, Entry>,
    /// Where the entries of tables stand, by both keys.
    inner: BTreeMap<(String, String), Place>,
}

impl ConfigFile {
    /// The one that there is of the usual two, `config.toml` and `config.json` in `~/.config/agentmux`.
    ///
    /// # Errors
    /// Both are there; or as for [`read`](Self::read).
    pub fn usual(home: &Path) -> Result<Option<Self>, ConfigFileError> {
        let [toml, json] = ["config.toml", "config.json"].map(|name| home.join(FOLDER).join(name));
        match (Self::read(&toml)?, Self::read(&json)?) {
            (Some(_), Some(_)) => Err(ConfigFileError(format!(
                "there are two configuration files, {} and {}; keep one of them",
                toml.display(),
                json.display()
            ))),
            (toml, json) => Ok(toml.or(json)),
        }
    }

    /// Reads a file; `None` where it is not there.
    ///
    /// # Errors
    /// It cannot be read, or is not what its name says.
    pub fn read(path: &Path) -> Result<Option<Self>, ConfigFileError> {
        let refuse = |why: String| ConfigFileError(format!("configuration file {} {why}", path.display()));
        match std::fs::read(path) {
            Ok(bytes) => {
                let text = String::from_utf8(bytes).map_err(|_| refuse("is not UTF-8 text".to_owned()))?;
                Self::parse(path, text.trim_start_matches('\u{feff}')).map(Some)
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(refuse(format!("cannot be read: {error}"))),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ConfigFileError> {
        let is_toml = path.extension().is_some_and(|ending| ending == "toml");
        let format = if is_toml { Format::Toml } else { Format::Json };
        let mut file =
            Self { path: path.to_owned(), format, entries: BTreeMap::new(), inner: BTreeMap::new() };
        match format {
            Format::Json => file.add_json(text)?,
            Format::Toml => file.add_toml(text)?,
        }
        Ok(file)
    }

    fn add_json(&mut self, text: &str) -> Result<(), ConfigFileError> {
        let refuse =
            |why: String| ConfigFileError(format!("configuration file {} {why}", self.path.display()));
        let keys = match serde_json::from_str(text) {
            Ok(Value::Object(keys)) => keys,
            Ok(_) => return Err(refuse("must be a JSON object".to_owned())),
            Err(error) => return Err(refuse(format!("is not valid JSON: {error}"))),
        };
        let entry = |(key, value)| (key, Entry { value, key_at: None, value_at: None });
        self.entries = keys.into_iter().map(entry).collect();
        Ok(())
    }

    fn add_toml(&mut self, text: &str) -> Result<(), ConfigFileError> {
        let refuse = |span: Option<Range<usize>>, why: &str| {
            let place = span.map(|span| format!(":{}", Place::of(text, &span))).unwrap_or_default();
            let why = why.lines().collect::<Vec<_>>().join("; ");
            ConfigFileError(format!("configuration file {}{place} {why}", self.path.display()))
        };
        let table = DeTable::parse(text)
            .map_err(|error| refuse(error.span(), &format!("is not valid TOML: {}", error.message())))?;
        for (key, value) in table.get_ref() {
            let name = key.get_ref().to_string();
            let json = json(value);
            let json = json.map_err(|(span, why)| refuse(Some(span), &format!("{name:?} holds {why}")))?;
            let (key_at, value_at) = (Place::of(text, &key.span()), Place::of(text, &value.span()));
            for inner in value.get_ref().as_table().into_iter().flat_map(|table| table.keys()) {
                let place = Place::of(text, &inner.span());
                self.inner.insert((name.clone(), inner.get_ref().to_string()), place);
            }
            self.entries.insert(name, Entry { value: json, key_at: Some(key_at), value_at: Some(value_at) });
        }
        Ok(())
    }

    /// The keys with their entries, in alphabetical order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(key, entry)| (key.as_str(), entry))
    }

    /// The entry of a key; a null of JSON is as if it were not there.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| !entry.value.is_null())
    }

    /// The line of a key in the table of another key.
    pub fn line_of(&self, key: &str, inner: &str) -> Option<usize> {
        self.inner.get(&(key.to_owned(), inner.to_owned())).map(|place| place.line)
    }
}

/// The value as JSON has it; or what it cannot have, and where that stands.
fn json(value: &Spanned<DeValue<'_>>) -> Result<Value, (Range<usize>, &'static str)> {
    let refuse = |why| (value.span(), why);
    Ok(match value.get_ref() {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Boolean(is) => Value::from(*is),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            Value::from(parsed.map_err(|_| refuse("a number that is too large"))?)
        }
        DeValue::Float(number) => {
            let parsed: Option<f64> = number.as_str().parse().ok();
            let finite = parsed.and_then(serde_json::Number::from_f64);
            Value::Number(finite.ok_or_else(|| refuse("a number that no setting can be"))?)
        }
        DeValue::Datetime(_) => return Err(refuse("a date, which no setting can be")),
        DeValue::Array(items) => items.iter().map(json).collect::<Result<Vec<_>, _>>()?.into(),
        DeValue::Table(table) => {
            let entry =
                |(key, value): (&Spanned<_>, _)| Ok((ToString::to_string(key.get_ref()), json(value)?));
            Value::Object(table.iter().map(entry).collect::<Result<_, _>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, text: &str) -> Result<ConfigFile, String> {
        ConfigFile::parse(Path::new(name), text).map_err(|error| error.to_string())
    }

    #[test]
    fn both_formats_say_the_same() {
        let toml = parse("c.toml", "port = 0x10\nagent = 'glm'\nstartup_delay = 1_0.5\nallow_host = ['a']\nallow_remote = true\n[agents.glm]\nextends = 'claude'\n").unwrap();
        let json = parse("c.json", r#"{"port": 16, "agent": "glm", "startup_delay": 10.5, "allow_host": ["a"], "allow_remote": true, "agents": {"glm": {"extends": "claude"}}}"#).unwrap();
        let values = |file: &ConfigFile| {
            let entries = file.entries().map(|(key, entry)| (key.to_owned(), entry.value.clone()));
            entries.collect::<Vec<_>>()
        };
        assert_eq!(values(&toml), values(&json));
        assert_eq!((toml.format, json.format), (Format::Toml, Format::Json));
    }

    #[test]
    fn keys_and_values_know_their_places() {
        let file = parse("c.toml", "# a\n\n  'port' =  \"ä\" \nx = { a = 1 }\n\n[agents.glm]\n").unwrap();
        let port = file.get("port").unwrap();
        assert_eq!(port.key_at, Some(Place { line: 3, column: 3 }));
        assert_eq!(port.value_at, Some(Place { line: 3, column: 13 }));
        assert_eq!((file.line_of("agents", "glm"), file.line_of("x", "a")), (Some(6), Some(4)));
    }

    #[test]
    fn what_is_wrong_is_told_with_file_line_and_column() {
        for (name, text, wanted) in [
            (
                "c.toml",
                "port = 1\nport = 2\n",
                "configuration file c.toml:2:1 is not valid TOML: duplicate key",
            ),
            ("c.toml", "port = 1\nhost = my\n", "configuration file c.toml:2:8 is not valid TOML: "),
            (
                "c.toml",
                "port = 99999999999999999999",
                "configuration file c.toml:1:8 \"port\" holds a number that is too large",
            ),
            ("c.toml", "x = [1,\n  nan]", "configuration file c.toml:2:3 \"x\" holds a number that no"),
            ("c.toml", "[a.b]\nx = 1979-05-27", "configuration file c.toml:2:5 \"a\" holds a date"),
            (
                "c.json",
                "{\"port\": 1,}",
                "configuration file c.json is not valid JSON: trailing comma at line 1",
            ),
            ("c.json", "[]", "configuration file c.json must be a JSON object"),
            ("c", "", "configuration file c is not valid JSON: "),
        ] {
            let error = parse(name, text).unwrap_err();
            assert!(error.starts_with(wanted), "{error}\nnot: {wanted}");
        }
    }

    #[test]
    fn two_usual_files_are_one_too_many() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(FOLDER);
        assert_eq!(ConfigFile::usual(home.path()), Ok(None));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), "port = 1").unwrap();
        assert_eq!(ConfigFile::usual(home.path()).unwrap().unwrap().format, Format::Toml);
        std::fs::write(folder.join("config.json"), "{}").unwrap();
        let error = ConfigFile::usual(home.path()).unwrap_err().to_string();
        assert!(error.contains("config.toml and ") && error.contains("config.json; keep one"), "{error}");
    }
}
