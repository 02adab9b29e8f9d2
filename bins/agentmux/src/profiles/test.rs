//! `profile test`: the profiles over saved screens.

use std::collections::{BTreeMap, BTreeSet};

use agentmux_core::profile::{Profile, Profiles};
use agentmux_core::reading::read;
use agentmux_core::state::State;
use serde::Serialize;

use super::saved::{self, Saved};
use crate::args::ProfileTest;
use crate::ending::{Ending, Failed, Status};
use crate::output::{self, Text, Tone};

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
    let mut definitions = super::definitions()?;
    let under_work = asked.profile.as_ref().map(|file| definitions.add_file(file));
    let under_work = under_work.transpose().map_err(super::wrong)?;
    let profiles = definitions.read().map_err(super::wrong)?;
    let agent = under_work.map(|name| name.to_string()).or_else(|| asked.agent.clone());
    let screens = saved::all(&asked.files)?;
    if screens.is_empty() {
        return Err(Failed::new("there is no saved screen"));
    }
    let labelled = screens.iter().filter(|saved| saved.label.as_deref() != Some("exited"));
    let verdicts: Vec<_> =
        labelled.map(|saved| judge(saved, &profiles, agent.as_deref())).collect::<Result<_, _>>()?;
    match (asked.json, asked.markdown) {
        (true, _) => output::document(&verdicts)?,
        (false, true) => output::text(markdown(&verdicts))?,
        (false, false) => output::text(report(&verdicts))?,
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

fn judge(saved: &Saved, profiles: &Profiles, agent: Option<&str>) -> Result<Verdict, Failed> {
    let file = saved.given.display().to_string();
    let agent = agent.or_else(|| saved.agent(profiles)).unwrap_or_default();
    let profile = profiles.get(agent).ok_or_else(|| {
        let known = profiles.names().join(", ");
        Failed::new(format!("{file}: there is no profile '{agent}' (there are {known}); --agent names one"))
    })?;
    verdict(saved, &profile, file)
}

fn verdict(saved: &Saved, profile: &Profile, file: String) -> Result<Verdict, Failed> {
    let reading = read(profile, &saved.screen()?);
    let (agent, expected) = (profile.name.to_string(), saved.label.clone());
    // As the daemon reads a session that has not been ready yet; how old it is, no screen tells.
    let state = if reading.state == State::Unknown { State::Starting } else { reading.state };
    Ok(Verdict { file, agent, expected, state: state.word(), rule: reading.rule })
}

impl Verdict {
    /// `error` is how an idle screen is labelled after a turn that failed.
    fn is_right(&self) -> bool {
        match self.expected.as_deref() {
            None => true,
            Some("error") => matches!(self.state, "idle" | "error"),
            Some("unknown") => self.state == "starting",
            Some(expected) => expected == self.state,
        }
    }
}

/// A line for each file, and the confusion table.
fn report(verdicts: &[Verdict]) -> Text {
    let row = |verdict: &Verdict| {
        let sign = match verdict.is_right() {
            true => Text::toned(Tone::Good, "ok"),
            false => Text::toned(Tone::Bad, "WRONG"),
        };
        let expected = verdict.expected.as_deref().unwrap_or("-");
        let [file, expected, state, rule] =
            [&verdict.file, expected, verdict.state, &verdict.rule].map(Text::from);
        [sign, file, expected, state, rule]
    };
    let all: Vec<_> = verdicts.iter().collect();
    let table = output::table(["", "FILE", "EXPECTED", "READ", "RULE"], verdicts.iter().map(row));
    table.and("\n\n").and(counted(&all)).and(format!("\n\n{}", sum(&all)))
}

fn counted(verdicts: &[&Verdict]) -> Text {
    output::aligned(confusion(verdicts).into_iter().map(|row| row.into_iter().map(Text::from)))
}

fn sum(verdicts: &[&Verdict]) -> String {
    let right = verdicts.iter().filter(|verdict| verdict.is_right()).count();
    format!("{right} of {} read as labelled", verdicts.len())
}

/// For each agent a confusion table in Markdown, for the documentation.
fn markdown(verdicts: &[Verdict]) -> String {
    let mut agents: BTreeMap<&str, Vec<&Verdict>> = BTreeMap::new();
    verdicts.iter().for_each(|verdict| agents.entry(&verdict.agent).or_default().push(verdict));
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let section = |(agent, verdicts): (&&str, &Vec<&Verdict>)| {
        let mut rows = confusion(verdicts).into_iter();
        let heading = rows.next().unwrap_or_default();
        let rule = vec!["---".to_owned(); heading.len()];
        let table: Vec<_> = [heading, rule].into_iter().chain(rows).map(|row| line(&row)).collect();
        format!("**{agent}**: {}\n\n{}", sum(verdicts), table.join("\n"))
    };
    let sections: Vec<_> = agents.iter().map(section).collect();
    format!("{}\n\nAll: {}", sections.join("\n\n"), sum(&verdicts.iter().collect::<Vec<_>>()))
}

/// How often each label was read as each state.
fn confusion(verdicts: &[&Verdict]) -> Vec<Vec<String>> {
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
    fn labels_that_a_screen_cannot_show_are_read_as_what_it_shows() {
        for (expected, state, right) in [
            (Some("busy"), "busy", true),
            (Some("busy"), "idle", false),
            (Some("error"), "idle", true),
            (Some("unknown"), "starting", true),
            (Some("starting"), "idle", false),
            (None, "starting", true),
        ] {
            assert_eq!(verdict(expected, state).is_right(), right, "{expected:?} {state}");
        }
    }

    #[test]
    fn the_table_counts_what_was_read_as_what() {
        let verdicts =
            [verdict(Some("busy"), "busy"), verdict(Some("busy"), "idle"), verdict(Some("idle"), "idle")];
        let table = counted(&verdicts.iter().collect::<Vec<_>>()).to_string();
        assert_eq!(table, "expected \\ read  busy  idle\nbusy             1     1\nidle             .     1");
        let wanted = "**claude**: 2 of 3 read as labelled\n\n| expected \\ read | busy | idle |\n| --- | --- | --- |\n\
                      | busy | 1 | 1 |\n| idle | . | 1 |\n\nAll: 2 of 3 read as labelled";
        assert_eq!(markdown(&verdicts), wanted);
    }
}
