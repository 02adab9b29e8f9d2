//! The profiles that are known: those compiled in, the user's files, and the entries of a configuration file.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::document::{Layer, Layers, Lines};
use super::{Profile, ProfileError, lint, raw};
use crate::config_file::ConfigFile;
use crate::input::ShortName;

const BUILTIN: [(&str, &str); 13] = [
    ("aider", include_str!("../profiles/aider.toml")),
    ("bash", include_str!("../profiles/bash.toml")),
    ("claude", include_str!("../profiles/claude.toml")),
    ("codex", include_str!("../profiles/codex.toml")),
    ("copilot", include_str!("../profiles/copilot.toml")),
    ("demo", include_str!("../profiles/demo.toml")),
    ("gemini", include_str!("../profiles/gemini.toml")),
    ("node", include_str!("../profiles/node.toml")),
    ("opencode", include_str!("../profiles/opencode.toml")),
    ("python", include_str!("../profiles/python.toml")),
    ("qwen", include_str!("../profiles/qwen.toml")),
    ("repl", include_str!("../profiles/repl.toml")),
    ("sqlite3", include_str!("../profiles/sqlite3.toml")),
];

/// The key of the entries in a configuration file.
const AGENTS: &str = "agents";

/// The folder of the user's files, in the home folder.
const FOLDER: &str = ".config/agentmux/agents";

/// Where a profile comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is compiled in.
    BuiltIn,
    /// A file of the user's.
    File(PathBuf),
    /// An entry of `agents` in this configuration file.
    Entry(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::File(path) | Self::Entry(path) => write!(f, "{}", path.display()),
        }
    }
}

/// What is said of agents, before it is read: for each name what is compiled in, over that the user's file, over that
/// the entry of the configuration file. The topmost counts; it may extend the one below it, or one of another name.
#[derive(Debug, Clone)]
pub struct Definitions(BTreeMap<String, Vec<Definition>>);

#[derive(Debug, Clone)]
struct Definition {
    origin: Origin,
    text: String,
    lines: Lines,
}

/// An entry of `agents` in a configuration file.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    extends: Option<String>,
    command: Option<Vec<String>>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

impl Definitions {
    /// Those compiled in.
    pub fn builtin() -> Self {
        let define = |(name, text): (&str, &str)| {
            let definition =
                Definition { origin: Origin::BuiltIn, text: text.to_owned(), lines: Lines::Same };
            (name.to_owned(), vec![definition])
        };
        Self(BUILTIN.into_iter().map(define).collect())
    }

    /// Those compiled in, and over them the user's files in `~/.config/agentmux/agents`.
    ///
    /// # Errors
    /// As for [`add_folder`](Self::add_folder).
    pub fn of_user(home: &Path) -> Result<Self, ProfileError> {
        let mut definitions = Self::builtin();
        definitions.add_folder(&home.join(FOLDER))?;
        Ok(definitions)
    }

    /// Adds each `NAME.toml` in a folder. A folder that is not there holds none.
    ///
    /// # Errors
    /// The folder or a file cannot be read; a file is not called like an agent may be.
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), ProfileError> {
        let refuse =
            |error: std::io::Error| ProfileError::of_file(folder, format!("cannot be read: {error}"));
        let entries = match folder.read_dir() {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(refuse(error)),
        };
        let files = entries.map(|entry| entry.map(|entry| entry.path()));
        let mut files = files.collect::<Result<Vec<_>, _>>().map_err(refuse)?;
        let is_profile = |file: &PathBuf| {
            let is_hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            !is_hidden && file.extension().is_some_and(|ending| ending == "toml")
        };
        files.retain(is_profile);
        files.sort();
        files.iter().try_for_each(|file| self.add_file(file).map(|_| ()))
    }

    /// Adds a file, in place of an earlier one of its name, and returns the agent's name, which is the file's.
    ///
    /// # Errors
    /// It cannot be read, or is not called like an agent may be.
    pub fn add_file(&mut self, file: &Path) -> Result<ShortName, ProfileError> {
        let refuse = |reason: String| ProfileError::of_file(file, reason);
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let name = ShortName::parse("the file's name", stem).map_err(|invalid| refuse(invalid.message))?;
        if file.exists() && !file.is_file() {
            return Err(refuse("is not a file".to_owned()));
        }
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|error| refuse(format!("cannot be read: {error}")))?;
        let stack = self.0.entry(name.to_string()).or_default();
        let definition = Definition { origin: Origin::File(file.to_owned()), text, lines: Lines::Same };
        match stack.iter().position(|other| other.origin != Origin::BuiltIn) {
            Some(at) if matches!(stack[at].origin, Origin::File(_)) => stack[at] = definition,
            Some(at) => stack.insert(at, definition),
            None => stack.push(definition),
        }
        Ok(name)
    }

    /// Adds the entries of `agents` in a configuration file.
    ///
    /// # Errors
    /// As for [`add_entry`](Self::add_entry), or that they are no table.
    pub fn add_config(&mut self, file: &ConfigFile) -> Result<(), ProfileError> {
        let Some(agents) = file.get(AGENTS) else { return Ok(()) };
        let entries = agents.value.as_object().ok_or_else(|| ProfileError {
            file: file.path.display().to_string(),
            line: agents.value_at.map(|place| place.line),
            reason: "\"agents\" must be a table: a profile's keys for each agent's name".to_owned(),
        })?;
        entries.iter().try_for_each(|(name, entry)| {
            self.add_entry_of_line(name, entry, &file.path, file.line_of(AGENTS, name))
        })
    }

    /// Adds an entry of `agents` in a configuration file: `extends`, `command` and `env`. Without `extends` it is laid
    /// over the agent of its own name.
    ///
    /// # Errors
    /// Another key, a value of another type, a name that an agent cannot have, or no agent to extend.
    pub fn add_entry(
        &mut self,
        name: &str,
        value: &serde_json::Value,
        file: &Path,
    ) -> Result<(), ProfileError> {
        self.add_entry_of_line(name, value, file, None)
    }

    fn add_entry_of_line(
        &mut self,
        name: &str,
        value: &serde_json::Value,
        file: &Path,
        line: Option<usize>,
    ) -> Result<(), ProfileError> {
        let refuse = |reason: String| ProfileError { file: entry_of(name, file), line, reason };
        let name = ShortName::parse("the agent's name", name).map_err(|invalid| refuse(invalid.message))?;
        let mut entry = Entry::deserialize(value).map_err(|error| refuse(error.to_string()))?;
        if entry.extends.is_none() {
            if !self.contains(name.as_str()) {
                return Err(refuse("needs \"extends\", the name of an agent".to_owned()));
            }
            entry.extends = Some(name.to_string());
        }
        let text = toml::to_string(&entry).map_err(|error| refuse(error.to_string()))?;
        let definition = Definition { origin: Origin::Entry(file.to_owned()), text, lines: Lines::One(line) };
        self.0.entry(name.to_string()).or_default().push(definition);
        Ok(())
    }

    /// True where there is an agent of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Reads and checks all of them.
    ///
    /// # Errors
    /// What is wrong in the first that is.
    pub fn read(&self) -> Result<Profiles, ProfileError> {
        let read = |name: &str| self.profile(name).map(|profile| (name.to_owned(), Arc::new(profile)));
        self.names().map(read).collect::<Result<_, _>>().map(Profiles)
    }

    /// What is wrong in each that is.
    pub fn faults(&self) -> Vec<ProfileError> {
        self.names().filter_map(|name| self.profile(name).err()).collect()
    }

    /// Reads and checks one of them.
    ///
    /// # Errors
    /// What is wrong in it, or that there is none of that name.
    pub fn profile(&self, name: &str) -> Result<Profile, ProfileError> {
        let (layers, origin) = self.layers(name)?;
        let document = layers.merge(name)?;
        let raw: raw::Profile = document.read()?;
        let profile = raw.check(origin).map_err(|fault| document.refuse(&fault))?;
        lint::check(&document)?;
        Ok(profile)
    }

    /// The text of one of them: as it stands in its file or, where it extends another one, both as one.
    ///
    /// # Errors
    /// As for [`profile`](Self::profile).
    pub fn text(&self, name: &str) -> Result<String, ProfileError> {
        let (layers, _) = self.layers(name)?;
        if let Some(text) = layers.single() {
            return Ok(text.to_owned());
        }
        let whole = layers.merge(name)?.plain()?;
        Ok(toml::to_string(&whole).expect("a table that was read can be written"))
    }

    /// The texts that make up a profile, the topmost first.
    fn layers(&self, name: &str) -> Result<(Layers, Origin), ProfileError> {
        let mut chain: Vec<(String, usize)> = Vec::new();
        let mut layers = Vec::new();
        let mut next = self.top(name).map(|at| (name.to_owned(), at)).ok_or_else(|| ProfileError {
            file: name.to_owned(),
            line: None,
            reason: format!("there is no such agent; there are {}", self.known()),
        })?;
        loop {
            let (name, at) = next.clone();
            chain.push(next);
            let layer = self.0[&name][at].layer(&name);
            let alone = Layers::new(vec![layer.clone()]);
            layers.push(layer);
            let Some(extended) = alone.extends()? else { break };
            let level = if extended == name { at.checked_sub(1) } else { self.top(&extended) };
            let level = level.ok_or_else(|| {
                alone.refuse_key(
                    "extends",
                    &format!("there is no '{extended}' below it: there are {}", self.known()),
                )
            })?;
            next = (extended, level);
            if chain.contains(&next) {
                let names: Vec<_> = chain.iter().map(|(name, _)| name.as_str()).collect();
                let circle = format!("goes in a circle: {} and again {}", names.join(", "), next.0);
                return Err(alone.refuse_key("extends", &circle));
            }
        }
        let (name, at) = &chain[0];
        Ok((Layers::new(layers), self.0[name][*at].origin.clone()))
    }

    fn top(&self, name: &str) -> Option<usize> {
        self.0.get(name).map(|stack| stack.len() - 1)
    }

    fn known(&self) -> String {
        self.names().collect::<Vec<_>>().join(", ")
    }
}

impl Definition {
    fn layer(&self, name: &str) -> Layer {
        let file = match &self.origin {
            Origin::BuiltIn => format!("{name} (built in)"),
            Origin::File(path) => path.display().to_string(),
            Origin::Entry(path) => entry_of(name, path),
        };
        Layer { file, text: self.text.clone(), lines: self.lines }
    }
}

fn entry_of(name: &str, file: &Path) -> String {
    format!("{name} in {}", file.display())
}

/// The profiles that sessions can be started with, by name.
#[derive(Debug, Clone)]
pub struct Profiles(BTreeMap<String, Arc<Profile>>);

impl Profiles {
    /// Those compiled in.
    #[expect(clippy::missing_panics_doc, reason = "a test reads each of them")]
    pub fn builtin() -> Self {
        Definitions::builtin().read().expect("the profiles compiled in are tested")
    }

    /// A profile by its name.
    pub fn get(&self, name: &str) -> Option<Arc<Profile>> {
        self.0.get(name).cloned()
    }

    /// True where there is a profile of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The names, in alphabetical order.
    pub fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_profiles_are_right() {
        for (name, _) in BUILTIN {
            Definitions::builtin().profile(name).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
