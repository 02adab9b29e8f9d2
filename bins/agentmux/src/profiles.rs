//! `profile test`: the profiles over saved screens, without a daemon.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use agentmux_core::profile::{Profile, Profiles};
use agentmux_core::reading::read;
use agentmux_core::screen::Screen;
use serde::{Deserialize, Serialize};

use crate::args::ProfileTest;
use crate::ending::{Ending, Failed, Status};
use crate::output;

/// One line of the result.
#[derive(Debug, Serialize)]
struct Verdict {
    file: String,
    agent: String,
    /// What the file's name says; null where it says nothing.
    expected: Option<String>,
    state: &'static str,
    rule: String,
}

/// Reads each screen and compares.
pub(crate) fn test(asked: &ProfileTest) -> Result<Ending, Failed> {
    let profiles = Profiles::builtin();
    let screens = asked.files.iter().filter_map(|file| Saved::named(file)).collect::<BTreeSet<_>>();
    let labelled = screens.iter().filter(|saved| saved.label.as_deref() != Some("exited"));
    let verdicts: Vec<_> =
        labelled.map(|saved| saved.judge(&profiles, asked.agent.as_deref())).collect::<Result<_, _>>()?;
    if asked.json {
        output::document(&verdicts)?;
    } else {
        output::text(&report(&verdicts))?;
    }
    let wrong = verdicts.iter().filter(|verdict| !verdict.is_right()).count();
    match wrong {
        0 => Ok(Ending::DONE),
        1 => Ok(Ending::because(Status::Error, "1 screen was not read as it is labelled")),
        _ => {
            Ok(Ending::because(Status::Error, format!("{wrong} screens were not read as they are labelled")))
        }
    }
}

/// A saved screen: `AGENT[-MODE]/LABEL--WHAT.WxH.txt`, with the same in `.ansi` and its metadata in `.json`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Saved {
    /// Without its ending: the three files are one screen.
    stem: PathBuf,
    given: PathBuf,
    agent: Option<String>,
    label: Option<String>,
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

impl Saved {
    /// The screen of a file; `None` for metadata, which belongs to a screen.
    fn named(file: &Path) -> Option<Self> {
        if file.extension().is_some_and(|ending| ending == "json") {
            return None;
        }
        let folder = file.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        let agent = folder.map(|name| name.split('-').next().unwrap_or(name).to_owned());
        let name = file.file_name().and_then(|name| name.to_str());
        let label = name.and_then(|name| name.split_once("--")).map(|(label, _)| label.to_owned());
        Some(Self { stem: file.with_extension(""), given: file.to_owned(), agent, label })
    }

    fn judge(&self, profiles: &Profiles, agent: Option<&str>) -> Result<Verdict, Failed> {
        let file = self.given.display().to_string();
        let agent = agent.or(self.agent.as_deref()).unwrap_or_default();
        let profile = profiles.get(agent).ok_or_else(|| {
            let known = profiles.names().join(", ");
            Failed::new(format!(
                "{file}: there is no profile '{agent}' (there are {known}); --agent names one"
            ))
        })?;
        self.read(&profile, file)
    }

    fn read(&self, profile: &Profile, file: String) -> Result<Verdict, Failed> {
        let reading = read(profile, &self.screen()?);
        let (agent, expected) = (profile.name.to_string(), self.label.clone());
        Ok(Verdict { file, agent, expected, state: reading.state.word(), rule: reading.rule })
    }

    fn screen(&self) -> Result<Screen, Failed> {
        let ansi = self.beside("ansi");
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
        let file = self.beside("json");
        if !file.is_file() {
            return Ok(Metadata::default());
        }
        let metadata = serde_json::from_str(&text_of(&file)?);
        metadata.map_err(|error| Failed::new(format!("{}: {error}", file.display())))
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.stem.clone().into_os_string();
        name.push(format!(".{ending}"));
        name.into()
    }
}

fn text_of(file: &Path) -> Result<String, Failed> {
    std::fs::read_to_string(file)
        .map_err(|error| Failed::new(format!("could not read {}: {error}", file.display())))
}

impl Verdict {
    /// `error` is how an idle screen is labelled after a turn that failed; that an agent starts is known by
    /// its age, not by its screen.
    fn is_right(&self) -> bool {
        match self.expected.as_deref() {
            None => true,
            Some("error") => matches!(self.state, "idle" | "error"),
            Some("starting") => matches!(self.state, "starting" | "unknown"),
            Some(expected) => expected == self.state,
        }
    }
}

/// A line for each file, and the confusion table.
fn report(verdicts: &[Verdict]) -> String {
    let line = |verdict: &Verdict| {
        let sign = if verdict.is_right() { "ok" } else { "WRONG" };
        let expected = verdict.expected.as_deref().unwrap_or("-");
        [sign, &verdict.file, expected, verdict.state, &verdict.rule].map(str::to_owned).to_vec()
    };
    let heading = ["", "FILE", "EXPECTED", "READ", "RULE"].map(str::to_owned).to_vec();
    let lines: Vec<_> = std::iter::once(heading).chain(verdicts.iter().map(line)).collect();
    let right = verdicts.iter().filter(|verdict| verdict.is_right()).count();
    let sum = format!("{right} of {} read as labelled", verdicts.len());
    format!("{}\n\n{}\n\n{sum}", output::table(&lines), output::table(&confusion(verdicts)))
}

/// How often each label was read as each state.
fn confusion(verdicts: &[Verdict]) -> Vec<Vec<String>> {
    let states: BTreeSet<_> = verdicts.iter().map(|verdict| verdict.state).collect();
    let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for verdict in verdicts {
        let label = verdict.expected.as_deref().unwrap_or("-");
        *counts.entry(label).or_default().entry(verdict.state).or_default() += 1;
    }
    let heading =
        std::iter::once("expected \\ read").chain(states.iter().copied()).map(str::to_owned).collect();
    let row = |(label, counts): (&&str, &BTreeMap<&str, usize>)| {
        let cell = |state: &&str| counts.get(state).map_or_else(|| ".".to_owned(), usize::to_string);
        std::iter::once((*label).to_owned()).chain(states.iter().map(cell)).collect()
    };
    std::iter::once(heading).chain(counts.iter().map(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(expected: Option<&str>, state: &'static str) -> Verdict {
        let expected = expected.map(str::to_owned);
        Verdict { file: "f".to_owned(), agent: "claude".to_owned(), expected, state, rule: "r".to_owned() }
    }

    #[test]
    fn agent_and_label_are_read_from_the_path() {
        let saved = Saved::named(Path::new("x/claude-notmux/busy--tool.120x40.txt")).unwrap();
        assert_eq!((saved.agent.as_deref(), saved.label.as_deref()), (Some("claude"), Some("busy")));
        assert_eq!(saved.beside("ansi"), Path::new("x/claude-notmux/busy--tool.120x40.ansi"));
        assert_eq!(Saved::named(Path::new("screen.txt")).unwrap().label, None);
        assert_eq!(Saved::named(Path::new("x/busy--tool.120x40.json")), None);
    }

    #[test]
    fn labels_that_a_screen_cannot_show_are_read_as_what_it_shows() {
        for (expected, state, right) in [
            (Some("busy"), "busy", true),
            (Some("busy"), "idle", false),
            (Some("error"), "idle", true),
            (Some("starting"), "unknown", true),
            (Some("starting"), "idle", false),
            (None, "unknown", true),
        ] {
            assert_eq!(verdict(expected, state).is_right(), right, "{expected:?} {state}");
        }
    }

    #[test]
    fn the_table_counts_what_was_read_as_what() {
        let verdicts =
            [verdict(Some("busy"), "busy"), verdict(Some("busy"), "idle"), verdict(Some("idle"), "idle")];
        let table = output::table(&confusion(&verdicts));
        assert_eq!(table, "expected \\ read  busy  idle\nbusy             1     1\nidle             .     1");
    }

    #[test]
    fn a_screen_without_metadata_has_its_cursor_behind_the_text() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("idle--x.80x24.txt");
        std::fs::write(&file, "hello\n>>>\n\n").unwrap();
        let screen = Saved::named(&file).unwrap().screen().unwrap();
        assert_eq!((screen.cursor_column, screen.cursor_row), (3, 1));
    }
}
