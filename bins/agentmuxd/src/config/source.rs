//! Where settings come from: environment over file over default. Each value is read by what it must be; what is wrong
//! is collected, with the setting, where it was set, and what is allowed.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agentmux_core::config_file::{ConfigFile, Entry, Format, Place};
use serde_json::Value;

use super::setting::{Default, Kind, Setting};

/// Settings that cannot be used: for each a sentence that names it, its source, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) struct ConfigError(Vec<String>);

impl ConfigError {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(vec![sentence.into()])
    }

    /// There is no folder to find anything in.
    pub(crate) fn no_home() -> Self {
        Self::new("HOME (environment variable) must be the absolute path of your home folder")
    }

    pub(crate) fn sentences(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [only] => f.write_str(only),
            several => {
                write!(f, "{} things are wrong with the configuration:", several.len())?;
                several.iter().try_for_each(|sentence| write!(f, "\n  {sentence}"))
            }
        }
    }
}

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Variable(&'static str),
    File { key: &'static str, path: PathBuf, place: Option<Place> },
    Default(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "{name} (environment variable)"),
            Self::File { key, path, place: None } => write!(f, "{key:?} in {}", path.display()),
            Self::File { key, path, place: Some(place) } => {
                write!(f, "{key:?} in {}:{place}", path.display())
            }
            Self::Default(name) => write!(f, "{name} (default)"),
        }
    }
}

impl Source {
    /// A refusal of the value that was set there.
    pub(crate) fn refuse(&self, why: impl fmt::Display) -> ConfigError {
        ConfigError::new(format!("{self} {why}"))
    }
}

/// A value and where it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

/// All sources together. Who reads a setting that is wrong gets its default: so all that is wrong is found.
pub(super) struct Sources<'a> {
    pub(super) env: &'a dyn Fn(&str) -> Option<OsString>,
    pub(super) file: Option<ConfigFile>,
    pub(super) home: &'a Path,
    faults: RefCell<Vec<String>>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(env: &'a dyn Fn(&str) -> Option<OsString>, home: &'a Path) -> Self {
        Self { env, file: None, home, faults: RefCell::default() }
    }

    /// Remembers what is wrong, once.
    pub(super) fn fault(&self, sentence: String) {
        let mut faults = self.faults.borrow_mut();
        if !faults.contains(&sentence) {
            faults.push(sentence);
        }
    }

    /// Remembers that the value that was set there is wrong.
    pub(super) fn refuse(&self, source: &Source, why: impl fmt::Display) {
        self.fault(format!("{source} {why}"));
    }

    /// What has been found to be wrong so far.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let faults = self.faults.borrow();
        if faults.is_empty() { Ok(()) } else { Err(ConfigError(faults.clone())) }
    }

    /// The variable as text; an empty one is kept.
    pub(super) fn variable(&self, setting: &Setting) -> Option<Given<String>> {
        let source = Source::Variable(setting.variable?);
        match (self.env)(setting.variable?)?.into_string() {
            Ok(value) => Some(Given { value, source }),
            Err(_) => {
                self.refuse(&source, "is not valid UTF-8");
                None
            }
        }
    }

    /// The key's entry in the file.
    pub(super) fn entry(&self, setting: &Setting) -> Option<Given<&Entry>> {
        let (file, key) = (self.file.as_ref()?, setting.key?);
        let value = file.get(key)?;
        Some(Given { value, source: Source::File { key, path: file.path.clone(), place: value.value_at } })
    }

    /// Where the value that counts is from.
    pub(super) fn origin(&self, setting: &Setting) -> Source {
        let counts = |given: &Given<String>| !is_blank(&given.value) || setting.kind == Kind::Secret;
        if let Some(given) = self.variable(setting).filter(counts) {
            return given.source;
        }
        let in_file = self.entry(setting).filter(|given| !given.value.value.as_str().is_some_and(is_blank));
        in_file.map_or(Source::Default(setting.name()), |given| given.source)
    }

    /// A value, by how it is read from a text and from the file. A blank text counts as not set.
    fn value<T>(
        &self,
        setting: &Setting,
        from_text: impl Fn(&str) -> Option<T>,
        from_file: impl Fn(&Value) -> Option<T>,
    ) -> Option<Given<T>> {
        let allowed = setting.kind.allowed();
        let or_refuse = |value: Option<T>, source: Source, shown: String| match value {
            Some(value) => Some(Given { value, source }),
            None => {
                self.refuse(&source, format!("must be {allowed}, not {shown}"));
                self.default(setting, &from_text)
            }
        };
        if let Some(given) = self.variable(setting).filter(|given| !is_blank(&given.value)) {
            return or_refuse(from_text(given.value.trim()), given.source, format!("{:?}", given.value));
        }
        let Some(given) = self.entry(setting) else { return self.default(setting, &from_text) };
        let is_json = self.file.as_ref().is_some_and(|file| file.format == Format::Json);
        let value = match &given.value.value {
            Value::String(text) if is_blank(text) => return self.default(setting, &from_text),
            // The original took numbers, and yes and no, in quotes, too.
            Value::String(text) if is_json => from_text(text.trim()),
            value => from_file(value),
        };
        or_refuse(value, given.source, given.value.value.to_string())
    }

    fn default<T>(&self, setting: &Setting, from_text: impl Fn(&str) -> Option<T>) -> Option<Given<T>> {
        let Default::Value(text) = setting.default else { return None };
        let value = from_text(text).expect("a test reads each default");
        Some(Given { value, source: Source::Default(setting.name()) })
    }

    /// A text that is not blank.
    pub(super) fn text(&self, setting: &Setting) -> Option<Given<String>> {
        let trimmed = |text: &str| Some(text.trim().to_owned());
        self.value(setting, trimmed, |value| value.as_str().and_then(trimmed))
    }

    /// A text through a constructor of the core; `None` where that refuses it.
    pub(super) fn parsed<T, E: fmt::Display>(
        &self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let given = self.text(setting)?;
        parse(&given.value)
            .map_err(|error| self.refuse(&given.source, format!("cannot be used: {error}")))
            .ok()
    }

    /// A text that must not show in an error; a variable may be set and empty.
    pub(super) fn secret(&self, setting: &Setting) -> Option<Given<String>> {
        if let Some(given) = self.variable(setting) {
            return Some(given);
        }
        let given = self.entry(setting)?;
        match given.value.value.as_str() {
            Some(text) if is_blank(text) => None,
            Some(text) => Some(Given { value: text.to_owned(), source: given.source }),
            None => {
                self.refuse(&given.source, "must be a text");
                None
            }
        }
    }

    /// A whole number that has a default.
    pub(super) fn number(&self, setting: &Setting) -> u64 {
        let Kind::Number(least, most) = setting.kind else { unreachable!("{} is no number", setting.name()) };
        let within = |number: &u64| (least..=most).contains(number);
        let given = self.value(
            setting,
            |text| text.parse().ok().filter(within),
            |value| value.as_u64().filter(within),
        );
        given.expect("it has a default").value
    }

    /// A number of seconds.
    pub(super) fn seconds(&self, setting: &Setting) -> Option<Duration> {
        let Kind::Seconds(least, most) = setting.kind else { unreachable!("{} is no time", setting.name()) };
        let within = |number: &f64| (f64::from(least)..=f64::from(most)).contains(number);
        let given = self.value(
            setting,
            |text| text.parse().ok().filter(within),
            |value| value.as_f64().filter(within),
        );
        given.map(|given| Duration::from_secs_f64(given.value))
    }

    /// Yes or no.
    pub(super) fn flag(&self, setting: &Setting) -> bool {
        self.value(setting, yes_or_no, Value::as_bool).expect("it has a default").value
    }

    /// One of the setting's words.
    pub(super) fn word(&self, setting: &Setting) -> &'static str {
        let Kind::Word(words) = setting.kind else { unreachable!("{} is no choice", setting.name()) };
        let known = |text: &str| words.iter().copied().find(|word| *word == text);
        let given = self.value(setting, known, |value| value.as_str().map(str::trim).and_then(known));
        given.expect("it has a default").value
    }

    /// Texts.
    pub(super) fn list(&self, setting: &Setting) -> Option<Given<Vec<String>>> {
        let split = |text: &str| {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Some(parts.map(str::to_owned).collect())
        };
        let array = |value: &Value| match value {
            Value::String(text) => split(text),
            _ => value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        };
        self.value(setting, split, array)
    }

    /// An absolute path; `~` is the home folder.
    pub(super) fn path(&self, setting: &Setting) -> Option<Given<PathBuf>> {
        let home = self.home;
        let absolute = |text: &str| {
            let path = match text.strip_prefix('~') {
                Some("") => home.to_owned(),
                Some(rest) => home.join(rest.strip_prefix('/')?),
                None => PathBuf::from(text),
            };
            (path.is_absolute() && !text.contains('\0')).then_some(path)
        };
        self.value(setting, absolute, |value| absolute(value.as_str()?))
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// The inherited words for yes, and those for no.
fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}
