//! Saved screens: `AGENT[-MODE]/LABEL--WHAT.WxH.txt`, the same with its colours in `.ansi`, its metadata in `.json`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use agentmux_api::Pane;
use agentmux_core::profile::Profiles;
use agentmux_core::screen::{Row, Screen};
use serde::Deserialize;
use serde_json::json;

use crate::ending::Failed;

const ENDINGS: [&str; 3] = ["txt", "ansi", "json"];

/// A saved screen. Its three files are one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Saved {
    /// Without its ending.
    stem: PathBuf,
    /// The file of it that was named.
    pub(super) given: PathBuf,
    /// The folder's name.
    folder: Option<String>,
    /// What the file's name says that it shows.
    pub(super) label: Option<String>,
}

/// The metadata of a saved screen.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    title: String,
    host: String,
    /// Column and row.
    cursor: Option<(usize, usize)>,
    cursor_visible: Option<bool>,
    alternate_on: bool,
    cols: usize,
}

/// The screens that are meant by files, by their names without ending, and by folders; each once.
pub(super) fn all(named: &[PathBuf]) -> Result<Vec<Saved>, Failed> {
    let mut screens: Vec<Saved> = Vec::new();
    for path in named {
        let found = if path.is_dir() { within(path)? } else { Saved::named(path).into_iter().collect() };
        screens.extend(found);
    }
    let mut seen = std::collections::HashSet::new();
    screens.retain(|screen| seen.insert(screen.stem.clone()));
    Ok(screens)
}

/// The labelled screens in a folder and those below it, sorted.
fn within(folder: &Path) -> Result<Vec<Saved>, Failed> {
    let refuse = |error| Failed::new(format!("could not read {}: {error}", folder.display()));
    let entries = folder.read_dir().map_err(refuse)?;
    let mut paths: Vec<_> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(refuse)?;
    // The text comes after the colours: it is what one would name.
    paths.sort_by_key(|path| (path.with_extension(""), path.extension() != Some("txt".as_ref())));
    let mut screens = Vec::new();
    for path in paths {
        let is_labelled = path.file_name().is_some_and(|name| name.to_string_lossy().contains("--"));
        if path.is_dir() {
            screens.extend(within(&path)?);
        } else if is_labelled && has_ending(&path) {
            screens.extend(Saved::named(&path));
        }
    }
    Ok(screens)
}

fn has_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}

impl Saved {
    /// The screen that a path means; `None` for metadata without a screen.
    fn named(path: &Path) -> Option<Self> {
        let stem = if has_ending(path) { path.with_extension("") } else { path.to_owned() };
        let screen =
            ["txt", "ansi"].map(|ending| beside(&stem, ending)).into_iter().find(|file| file.is_file());
        let is_metadata = path.extension().is_some_and(|ending| ending == "json");
        let given = match screen {
            // A name without ending, and metadata, mean the screen.
            Some(screen) if is_metadata || !path.is_file() => screen,
            None if is_metadata => return None,
            _ => path.to_owned(),
        };
        // A file that is not there is complained of when it is read.
        let absolute = given.canonicalize().unwrap_or_else(|_| given.clone());
        let folder = absolute.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        let name = path.file_name().and_then(|name| name.to_str());
        let label = name.and_then(|name| name.split_once("--")).map(|(label, _)| label.to_owned());
        Some(Self { stem, given, folder: folder.map(str::to_owned), label })
    }

    /// The agent that its folder names: a profile of the whole name, else of what stands before the first `-`.
    pub(super) fn agent(&self, profiles: &Profiles) -> Option<&str> {
        let folder = self.folder.as_deref()?;
        if profiles.contains(folder) { Some(folder) } else { folder.split('-').next() }
    }

    /// What the pane showed.
    pub(super) fn screen(&self) -> Result<Screen, Failed> {
        let ansi = beside(&self.stem, "ansi");
        let file = if ansi.is_file() { ansi } else { self.given.clone() };
        let mut screen = Screen::from_ansi(&text_of(&file)?);
        let metadata = self.metadata()?;
        // Where nothing tells, the cursor is taken to stand behind the last text.
        let last = screen.visible().len().saturating_sub(1);
        let column = screen.rows.get(last).map_or(0, |row| row.text().chars().count());
        (screen.cursor_column, screen.cursor_row) = metadata.cursor.unwrap_or((column, last));
        screen.cursor_hidden = metadata.cursor_visible == Some(false);
        screen.alternate = metadata.alternate_on;
        screen.columns = metadata.cols;
        // The title of a new pane is the host's name: the agent has set none.
        if metadata.title != metadata.host {
            screen.title = metadata.title;
        }
        Ok(screen)
    }

    fn metadata(&self) -> Result<Metadata, Failed> {
        let file = beside(&self.stem, "json");
        if !file.is_file() {
            return Ok(Metadata::default());
        }
        let metadata = serde_json::from_str(&text_of(&file)?);
        metadata.map_err(|error| Failed::new(format!("{}: {error}", file.display())))
    }
}

fn beside(stem: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(stem);
    name.push(format!(".{ending}"));
    name.into()
}

fn text_of(file: &Path) -> Result<String, Failed> {
    // What a terminal never shows is no reason to give up on the rest.
    let bytes = std::fs::read(file);
    bytes
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .map_err(|error| Failed::new(format!("could not read {}: {error}", file.display())))
}

/// Writes the three files of a screen, and returns the one with its text.
pub(super) fn write(
    folder: &Path,
    agent: &str,
    (label, what): (&str, &str),
    ansi: &str,
    pane: &Pane,
) -> Result<PathBuf, Failed> {
    let folder = folder.join(agent);
    let stem = folder.join(format!("{label}--{what}.{}x{}", pane.columns, pane.rows));
    if let Some(there) = ENDINGS.map(|ending| beside(&stem, ending)).into_iter().find(|file| file.exists()) {
        return Err(Failed::new(format!("{} is there already: give it another label", there.display())));
    }
    let metadata = json!({
        "agent": agent, "label": label, "what": what, "cols": pane.columns, "rows": pane.rows, "title": pane.title,
        "cursor": pane.cursor, "cursor_visible": pane.cursor_visible, "alternate_on": pane.alternate,
    });
    let screen = Screen::from_ansi(ansi);
    let text: Vec<_> = screen.rows.iter().map(Row::text).collect();
    let blank = "\n".repeat(pane.rows.saturating_sub(text.len()));
    let unwritable =
        |error: std::io::Error| Failed::new(format!("could not write {}: {error}", stem.display()));
    std::fs::create_dir_all(&folder).map_err(unwritable)?;
    let files = [
        ("json", format!("{metadata:#}\n")),
        ("ansi", format!("{ansi}\n{blank}")),
        ("txt", format!("{}\n{blank}", text.join("\n"))),
    ];
    for (ending, content) in files {
        std::fs::write(beside(&stem, ending), content).map_err(unwritable)?;
    }
    Ok(beside(&stem, "txt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let file = dir.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "hello\n>>>\n\n").unwrap();
        }
        dir
    }

    #[test]
    fn agent_and_label_are_read_from_the_path() {
        let dir = folder(&[
            "claude-notmux/busy--tool.120x40.txt",
            "claude-notmux/screen.txt",
            "my-own/idle--x.txt",
        ]);
        let mut profiles = agentmux_core::profile::Definitions::builtin();
        let read = |name: &str| Saved::named(&dir.path().join(name)).unwrap();
        let saved = read("claude-notmux/busy--tool.120x40.txt");
        let builtin = profiles.read().unwrap();
        assert_eq!((saved.agent(&builtin), saved.label.as_deref()), (Some("claude"), Some("busy")));
        assert_eq!(read("claude-notmux/screen.txt").label, None);
        assert_eq!(read("my-own/idle--x.txt").agent(&builtin), Some("my"));
        let own = serde_json::json!({"extends": "claude"});
        profiles.add_entry("my-own", &own, Path::new("config.json")).unwrap();
        assert_eq!(read("my-own/idle--x.txt").agent(&profiles.read().unwrap()), Some("my-own"));
    }

    #[test]
    fn the_three_files_of_a_screen_are_one_however_it_is_named() {
        let dir = folder(&[
            "a/idle--x.80x24.txt",
            "a/idle--x.80x24.ansi",
            "a/idle--x.80x24.json",
            "a/b/busy--y.txt",
            "README.md",
        ]);
        let given = |names: &[&str]| {
            let named: Vec<_> = names.iter().map(|name| dir.path().join(name)).collect();
            let relative = |saved: Saved| saved.given.strip_prefix(dir.path()).unwrap().display().to_string();
            all(&named).unwrap().into_iter().map(relative).collect::<Vec<_>>()
        };
        for (names, wanted) in [
            (&["a/idle--x.80x24"][..], &["a/idle--x.80x24.txt"][..]),
            (
                &["a/idle--x.80x24.ansi", "a/idle--x.80x24.json", "a/idle--x.80x24.txt"],
                &["a/idle--x.80x24.ansi"],
            ),
            (&["a/idle--x.80x24.json"], &["a/idle--x.80x24.txt"]),
            (&["."], &["a/b/busy--y.txt", "a/idle--x.80x24.txt"]),
            (&["a", "a/idle--x.80x24.txt"], &["a/b/busy--y.txt", "a/idle--x.80x24.txt"]),
        ] {
            assert_eq!(given(names), wanted, "{names:?}");
        }
        assert!(all(&[dir.path().join("a/nothing")]).unwrap()[0].screen().is_err());
    }

    #[test]
    fn a_screen_without_metadata_has_its_cursor_behind_the_text() {
        let dir = folder(&["a/idle--x.80x24.txt"]);
        let screen = all(&[dir.path().to_owned()]).unwrap()[0].screen().unwrap();
        assert_eq!((screen.cursor_column, screen.cursor_row), (3, 1));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let pane = Pane {
            columns: 20,
            rows: 4,
            title: "t".to_owned(),
            cursor: (1, 3),
            cursor_visible: false,
            alternate: true,
        };
        let save = || write(dir.path(), "claude", ("busy", "x"), "a\u{1b}[2mb\u{1b}[0m", &pane);
        let file = save().unwrap();
        assert!(file.ends_with("claude/busy--x.20x4.txt"), "{}", file.display());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "ab\n\n\n\n");
        let screen = all(&[file]).unwrap()[0].screen().unwrap();
        assert_eq!((screen.rows.len(), screen.rows[0].is_suggestion(1), &*screen.title), (4, true, "t"));
        assert_eq!((screen.cursor_column, screen.cursor_row, screen.columns), (1, 3, 20));
        assert!(screen.cursor_hidden && screen.alternate);
        assert!(save().is_err(), "nothing is overwritten");
    }
}
