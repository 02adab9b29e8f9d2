//! Where settings come from: environment over file over default. Each value is read by what it must be; an
//! error names the setting, where it was set, and what is allowed.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agentmux_core::profile::ProfileError;
use serde_json::Value;

use super::setting::{AGENTS, Setting};

/// A setting that cannot be used: a sentence that names it, its source, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ConfigError(String);

impl ConfigError {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// There is no folder to find anything in.
    pub(crate) fn no_home() -> Self {
        Self::new("HOME (environment variable) must be the absolute path of your home folder")
    }
}

impl From<ProfileError> for ConfigError {
    fn from(error: ProfileError) -> Self {
        Self::new(error.to_string())
    }
}

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Variable(&'static str),
    File(PathBuf, &'static str),
    Default(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "{name} (environment variable)"),
            Self::File(path, key) => write!(f, "{key:?} in {}", path.display()),
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

/// The keys of a configuration file.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) keys: serde_json::Map<String, Value>,
}

/// All sources together.
pub(super) struct Sources<'a> {
    pub(super) env: &'a dyn Fn(&str) -> Option<OsString>,
    pub(super) file: Option<File>,
    pub(super) home: &'a Path,
}

impl Sources<'_> {
    /// The variable as text; an empty one is kept.
    pub(super) fn variable(&self, setting: Setting) -> Result<Option<Given<String>>, ConfigError> {
        let source = Source::Variable(setting.variable);
        match (self.env)(setting.variable).map(OsString::into_string) {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(Given { value, source })),
            Some(Err(_)) => Err(source.refuse("is not valid UTF-8")),
        }
    }

    /// The key's value in the file; null is as if it were not there.
    fn in_file(&self, setting: Setting) -> Option<Given<&Value>> {
        let (file, key) = (self.file.as_ref()?, setting.key?);
        let value = file.keys.get(key).filter(|value| !value.is_null())?;
        Some(Given { value, source: Source::File(file.path.clone(), key) })
    }

    /// The entries of agents, and the file that they are in.
    pub(super) fn agents(&self) -> Option<(&Path, &Value)> {
        let file = self.file.as_ref()?;
        file.keys.get(AGENTS).filter(|agents| !agents.is_null()).map(|agents| (&*file.path, agents))
    }

    /// A value, by how it is read from a variable and from the file; an empty variable counts as not set.
    fn value<T>(
        &self,
        setting: Setting,
        allowed: &str,
        from_text: impl Fn(&str) -> Option<T>,
        from_json: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<Given<T>>, ConfigError> {
        let refuse =
            |source: &Source, shown: String| source.refuse(format!("must be {allowed}, not {shown}"));
        if let Some(given) = self.variable(setting)?.filter(|given| !given.value.trim().is_empty()) {
            let value = from_text(given.value.trim())
                .ok_or_else(|| refuse(&given.source, format!("{:?}", given.value)));
            return Ok(Some(Given { value: value?, source: given.source }));
        }
        let Some(given) = self.in_file(setting) else { return Ok(None) };
        let value = from_json(given.value).ok_or_else(|| refuse(&given.source, given.value.to_string()))?;
        Ok(Some(Given { value, source: given.source }))
    }

    /// A text that is not blank.
    pub(super) fn text(&self, setting: Setting) -> Result<Option<Given<String>>, ConfigError> {
        let trimmed = |text: &str| Some(text.trim().to_owned());
        let given = self.value(setting, "a text", trimmed, |json| json.as_str().and_then(trimmed))?;
        Ok(given.filter(|given| !given.value.is_empty()))
    }

    /// A text that must not show in an error.
    pub(super) fn secret(&self, setting: Setting) -> Result<Option<Given<String>>, ConfigError> {
        if let Some(given) = self.variable(setting)? {
            return Ok(Some(given));
        }
        let Some(given) = self.in_file(setting) else { return Ok(None) };
        match given.value.as_str() {
            Some("") => Ok(None),
            Some(text) => Ok(Some(Given { value: text.to_owned(), source: given.source })),
            None => Err(given.source.refuse("must be a text")),
        }
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &self,
        setting: Setting,
        least: u64,
        most: u64,
        default: u64,
    ) -> Result<u64, ConfigError> {
        let allowed = format!("a whole number from {least} to {most}");
        let within = |number: &u64| (least..=most).contains(number);
        let given = self.value(
            setting,
            &allowed,
            |text| text.parse().ok().filter(within),
            |json| json.as_u64().filter(within),
        )?;
        Ok(given.map_or(default, |given| given.value))
    }

    /// A number of seconds within bounds, fractions allowed.
    pub(super) fn seconds(
        &self,
        setting: Setting,
        least: f64,
        most: f64,
    ) -> Result<Option<Duration>, ConfigError> {
        let allowed = format!("a number of seconds from {least} to {most}");
        let within = |number: &f64| (least..=most).contains(number);
        let given = self.value(
            setting,
            &allowed,
            |text| text.parse().ok().filter(within),
            |json| json.as_f64().filter(within),
        )?;
        Ok(given.map(|given| Duration::from_secs_f64(given.value)))
    }

    /// Yes or no; no where it is not set.
    pub(super) fn flag(&self, setting: Setting) -> Result<bool, ConfigError> {
        let given = self.value(setting, "true or false", yes_or_no, Value::as_bool)?;
        Ok(given.is_some_and(|given| given.value))
    }

    /// Texts: separated by commas in a variable, an array in the file.
    pub(super) fn list(&self, setting: Setting) -> Result<Option<Given<Vec<String>>>, ConfigError> {
        let split = |text: &str| {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Some(parts.map(str::to_owned).collect())
        };
        let array = |json: &Value| match json {
            Value::String(text) => split(text),
            _ => json.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        };
        self.value(setting, "a list of texts", split, array)
    }

    /// An absolute path; `~` is the home folder.
    pub(super) fn path(&self, setting: Setting) -> Result<Option<Given<PathBuf>>, ConfigError> {
        let home = self.home;
        let absolute = |text: &str| {
            let path = match text.strip_prefix('~') {
                Some("") => home.to_owned(),
                Some(rest) => home.join(rest.strip_prefix('/')?),
                None => PathBuf::from(text),
            };
            (path.is_absolute() && !text.contains('\0')).then_some(path)
        };
        self.value(setting, "an absolute path (or begin with ~/)", absolute, |json| absolute(json.as_str()?))
    }
}

/// The inherited words for yes, and those for no.
fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}
