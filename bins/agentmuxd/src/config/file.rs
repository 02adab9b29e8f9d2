//! The configuration file: the first that there is, read strictly.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::setting::{AGENTS, ALLOW_CWD_CONFIG, CONFIG_FILE, IN_FILE};
use super::source::{ConfigError, File, Sources};

/// Finds and reads the file; `None` where there is none.
pub(super) fn load(sources: &Sources<'_>) -> Result<Option<File>, ConfigError> {
    if let Some(named) = sources.path(CONFIG_FILE)? {
        let missing =
            || named.source.refuse(format!("names {}, which does not exist", named.value.display()));
        return read(&named.value)?.ok_or_else(missing).map(Some);
    }
    let usual = sources.home.join(".config/agentmux/config.json");
    if let Some(file) = read(&usual)? {
        return Ok(Some(file));
    }
    // Whoever can write into the current folder could set what is run: only where the user wants that.
    if sources.flag(ALLOW_CWD_CONFIG)? { read(Path::new("agentmux.json")) } else { Ok(None) }
}

fn read(path: &Path) -> Result<Option<File>, ConfigError> {
    match std::fs::read(path) {
        Ok(bytes) => parse(path.to_owned(), &bytes).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(ConfigError::new(format!("configuration file {} cannot be read: {error}", path.display())))
        }
    }
}

fn parse(path: PathBuf, bytes: &[u8]) -> Result<File, ConfigError> {
    let refuse = |why: String| ConfigError::new(format!("configuration file {} {why}", path.display()));
    let keys = match serde_json::from_slice(bytes) {
        Ok(Value::Object(keys)) => keys,
        Ok(_) => return Err(refuse("must be a JSON object".to_owned())),
        Err(error) => return Err(refuse(format!("is not valid JSON: {error}"))),
    };
    let known: Vec<_> = IN_FILE.iter().filter_map(|setting| setting.key).chain([AGENTS]).collect();
    if let Some(key) = keys.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(refuse(format!("has the unknown key {key:?}; known are {}", known.join(", "))));
    }
    Ok(File { path, keys })
}
