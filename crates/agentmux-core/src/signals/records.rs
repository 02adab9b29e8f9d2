//! Where an agent's record of a conversation is: in the session's own folder, or where the agent keeps it, found by the
//! agent's own id of the conversation.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::launch::write_file;
use crate::agent::expand;
use crate::profile::signals::{Transcript, Whereabouts};

/// The file of the session's folder that says where the record was found: a later daemon may hear nothing more of it.
const FOUND: &str = "record";

/// So many files and folders are looked at for one record at most: Codex makes a folder a day, and a file a conversation.
const MOST: usize = 50_000;

/// Where the records of a session's agent are.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    /// The session's own folder.
    folder: PathBuf,
    kept: Option<Kept>,
}

/// Where an agent keeps its records, whatever their conversation: a folder, and what is below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    folder: PathBuf,
    /// The names there, from above: `*` is any text, `{id}` the conversation's id.
    names: Vec<String>,
}

impl Records {
    pub(crate) fn new(folder: PathBuf, kept: Option<Kept>) -> Self {
        Self { folder, kept }
    }

    /// A file of the session's own folder.
    pub(crate) fn own(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Empties the files of the session's own folder. False where that failed: then they may tell of an older turn.
    pub(crate) fn empty(&self, transcript: &Transcript) -> bool {
        let own = match &transcript.whereabouts {
            Whereabouts::Own(name) => Some(name),
            Whereabouts::Told | Whereabouts::Kept(_) => None,
        };
        let names = own.into_iter().chain(transcript.usage.iter().filter_map(|usage| usage.file.as_ref()));
        names.map(|name| self.own(name)).all(|file| {
            let emptied = fs::OpenOptions::new().write(true).open(&file).and_then(|file| file.set_len(0));
            match emptied {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    log::warn!("{} cannot be emptied: {error}", file.display());
                    false
                }
                _ => true,
            }
        })
    }

    /// The record of a conversation, which is remembered; `None` where there is none.
    ///
    /// # Errors
    /// There are too many files to look at.
    pub(crate) fn find(&self, conversation: &str) -> io::Result<Option<PathBuf>> {
        let Some(kept) = &self.kept else { return Ok(None) };
        let found = kept.find(conversation)?;
        if let Some(path) = found.as_deref().and_then(Path::to_str)
            && let Err(error) = self.remember(path)
        {
            log::warn!("{} cannot be remembered: {error}", path);
        }
        Ok(found)
    }

    fn remember(&self, record: &str) -> io::Result<()> {
        let file = self.own(FOUND);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => write_file(&file, record.as_bytes()),
        }
    }

    /// The record that was found last, by an earlier daemon as well.
    pub(crate) fn recall(&self) -> Option<PathBuf> {
        self.kept.as_ref()?;
        fs::read_to_string(self.own(FOUND)).ok().map(PathBuf::from).filter(|file| file.is_absolute())
    }
}

impl Kept {
    /// The first of these files whose variable is set.
    pub(crate) fn of(files: &[String], env: &BTreeMap<OsString, OsString>, workdir: &Path) -> Option<Self> {
        let value = |name: &str| env.get(OsStr::new(name)).filter(|value| !value.is_empty());
        files.iter().find_map(|file| {
            let (first, names) = file.split_once('/')?;
            let folder = if first.is_empty() { "/".into() } else { expand(&format!("{first}/"), value)? };
            let names: Vec<&str> = names.split('/').collect();
            let plain = names.iter().take_while(|name| !name.contains('*') && !name.contains("{id}")).count();
            let folder = names[..plain].iter().fold(workdir.join(folder), |folder, name| folder.join(name));
            Some(Self { folder, names: names[plain..].iter().map(|name| (*name).to_owned()).collect() })
        })
    }

    /// Finds the record of a conversation, beginning with the names that are last: those with the newest dates. Links are
    /// not followed.
    fn find(&self, id: &str) -> io::Result<Option<PathBuf>> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if id.is_empty() || !id.chars().all(is_plain) {
            return Ok(None);
        }
        let names: Vec<Regex> = self.names.iter().map(|name| matching(name, id)).collect();
        let mut left = MOST;
        descend(&self.folder, &names, &mut left)
    }
}

fn matching(name: &str, id: &str) -> Regex {
    let parts: Vec<_> = name.split('*').map(|part| regex::escape(&part.replace("{id}", id))).collect();
    Regex::new(&format!("^{}$", parts.join(".*"))).expect("its parts are escaped")
}

/// Looks for a file below a folder; `left` is how much may still be looked at.
fn descend(folder: &Path, names: &[Regex], left: &mut usize) -> io::Result<Option<PathBuf>> {
    let Some((name, below)) = names.split_first() else { return Ok(None) };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        *left = left.checked_sub(1).ok_or_else(|| io::Error::other("too many files to look at"))?;
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|text| name.is_match(text)) {
            found.push(entry);
        }
    }
    found.sort_by_key(|entry| std::cmp::Reverse(entry.file_name()));
    for entry in found {
        let kind = entry.file_type()?;
        if below.is_empty() && kind.is_file() {
            return Ok(Some(entry.path()));
        }
        if kind.is_dir()
            && let Some(file) = descend(&entry.path(), below, left)?
        {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(home: &Path, variables: &[(&str, &str)]) -> Option<Kept> {
        let mut env = BTreeMap::from([("HOME".into(), home.as_os_str().to_owned())]);
        env.extend(variables.iter().map(|(name, value)| (name.into(), value.into())));
        let files = ["$AGENT_HOME/s/*/r-*-{id}.jsonl", "~/.agent/s/*/r-*-{id}.jsonl"].map(str::to_owned);
        Kept::of(&files, &env, Path::new("/project"))
    }

    #[test]
    fn a_record_is_found_by_its_conversation_alone() {
        let home = tempfile::tempdir().unwrap();
        let days = home.path().join(".agent/s");
        for file in
            ["01/r-1-aa.jsonl", "02/r-2-bb.jsonl", "02/r-2-aab.jsonl", "02/x-aa.jsonl", "03/r-3-cc.jsonl/x"]
        {
            let file = days.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        std::os::unix::fs::symlink(days.join("01"), days.join("09")).unwrap();
        std::os::unix::fs::symlink(days.join("01/r-1-aa.jsonl"), days.join("02/r-9-dd.jsonl")).unwrap();
        let kept = kept(home.path(), &[]).unwrap();
        for (id, found) in [
            ("aa", Some("01/r-1-aa.jsonl")),
            ("bb", Some("02/r-2-bb.jsonl")),
            // A folder, links, and ids that are none.
            ("cc", None),
            ("dd", None),
            ("zz", None),
            ("*", None),
            ("", None),
            ("../01/r-1-aa", None),
        ] {
            assert_eq!(kept.find(id).unwrap(), found.map(|file| days.join(file)), "{id}");
        }
    }

    #[test]
    fn the_agent_s_own_variable_says_where_its_records_are() {
        let home = Path::new("/home/u");
        let folder = |variables: &[(&str, &str)]| kept(home, variables).unwrap().folder;
        assert_eq!(folder(&[]), Path::new("/home/u/.agent/s"));
        assert_eq!(folder(&[("AGENT_HOME", "/data")]), Path::new("/data/s"));
        assert_eq!(folder(&[("AGENT_HOME", "")]), Path::new("/home/u/.agent/s"));
        assert_eq!(folder(&[("AGENT_HOME", "rel")]), Path::new("/project/rel/s"));
    }

    #[test]
    fn what_was_found_is_found_again_by_a_later_daemon() {
        let home = tempfile::tempdir().unwrap();
        let (own, day) = (home.path().join("own"), home.path().join(".agent/s/01"));
        fs::create_dir_all(&own).unwrap();
        fs::create_dir_all(&day).unwrap();
        for id in ["aa", "bb"] {
            fs::write(day.join(format!("r-1-{id}.jsonl")), "").unwrap();
        }
        let records = || Records::new(own.clone(), kept(home.path(), &[]));
        assert_eq!(records().recall(), None);
        for id in ["aa", "bb"] {
            let found = records().find(id).unwrap();
            assert_eq!(found, Some(day.join(format!("r-1-{id}.jsonl"))));
            assert_eq!(records().recall(), found);
        }
        assert_eq!(records().find("cc").unwrap(), None);
    }
}
