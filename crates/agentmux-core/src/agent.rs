//! What this machine has of an agent: the file of its program, its version, a login.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::command::find_program;
use crate::environment::Environment;
use crate::profile::{LoginMarks, Origin, Profile, Profiles};
use crate::program::Question;
use crate::registry::Settings;
use crate::state::Source;

/// How long a program may take to tell its version.
const VERSION_PATIENCE: Duration = Duration::from_secs(10);
/// How many are asked at a time: some of them keep a processor busy for a second.
const ASKED_AT_ONCE: usize = 3;
/// The longest version that is told, in characters.
const LONGEST: usize = 120;

/// An agent that sessions can be started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentView {
    /// Its profile's name.
    pub name: String,
    /// Where its profile comes from.
    pub origin: Origin,
    /// The program and its arguments that are started where a request does not say.
    pub command: Vec<String>,
    /// The file of that program; `None` where the agents' PATH does not have it.
    pub program: Option<PathBuf>,
    /// The first line of what the program said to `--version`, where it was asked.
    pub version: Option<String>,
    /// The version that the profile was checked with.
    pub checked: Option<String>,
    /// What its state is read from, most trusted first: words of [`Source`].
    pub signals: Vec<Source>,
    /// Why it was not found, or did not tell its version.
    pub problem: Option<String>,
    /// Whether it can reach its model, by what lies around.
    pub login: Login,
}

/// Whether something was found that logs an agent in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// The file, or the name of the variable.
    Found(String),
    /// None of what the profile knows is there; it may keep its login elsewhere.
    NotFound,
    /// The profile does not say what to look for.
    Unknown,
}

/// Finds each agent's program.
pub fn find(profiles: &Profiles, settings: &Settings, environment: &Environment) -> Vec<AgentView> {
    let named = profiles.names().into_iter().filter_map(|name| profiles.get(&name));
    named.map(|profile| view(&profile, settings, environment)).collect()
}

fn view(profile: &Profile, settings: &Settings, environment: &Environment) -> AgentView {
    let command = settings.command_of(profile);
    let path = profile.env.get("PATH").map(OsStr::new).or_else(|| environment.path());
    let program = command.first().map_or("", String::as_str);
    let found = find_program(program, path, settings.workdir.as_path());
    AgentView {
        name: profile.name.to_string(),
        origin: profile.origin.clone(),
        problem: found.as_ref().err().map(ToString::to_string),
        program: found.ok(),
        version: None,
        checked: profile.checked.clone(),
        signals: signals(profile),
        login: login(&profile.login, &variables(profile, environment)),
        command,
    }
}

/// What its profile reads its state from.
fn signals(profile: &Profile) -> Vec<Source> {
    let signals = profile.signals.as_ref();
    let used = [
        (Source::Hook, signals.is_some_and(|signals| !signals.events.is_empty())),
        (Source::Osc, signals.is_some_and(|signals| signals.announces)),
        (Source::Title, profile.rules.iter().any(|rule| rule.title.is_some())),
        (Source::Screen, true),
    ];
    used.into_iter().filter(|(_, used)| *used).map(|(source, _)| source).collect()
}

/// The environment of an agent where no request adds to it.
fn variables(profile: &Profile, environment: &Environment) -> BTreeMap<OsString, OsString> {
    let mut variables = environment.variables.clone();
    variables.extend(profile.env.iter().map(|(name, value)| (name.into(), value.into())));
    variables
}

/// Asks each program that was found for its version.
pub async fn ask_versions(
    agents: &mut [AgentView],
    profiles: &Profiles,
    settings: &Settings,
    environment: &Environment,
) {
    let (places, mut asked) = (Arc::new(Semaphore::new(ASKED_AT_ONCE)), JoinSet::new());
    for (at, agent) in agents.iter().enumerate() {
        let Some((program, profile)) = agent.program.clone().zip(profiles.get(&agent.name)) else { continue };
        let env = variables(&profile, environment);
        let (places, workdir) = (places.clone(), settings.workdir.as_path().to_owned());
        asked.spawn(async move {
            let _place = places.acquire().await.expect("the semaphore is never closed");
            (at, ask_version(&program, &env, &workdir).await)
        });
    }
    while let Some(Ok((at, answer))) = asked.join_next().await {
        match answer {
            Ok(version) => agents[at].version = Some(version),
            Err(problem) => agents[at].problem = Some(format!("--version: {problem}")),
        }
    }
}

async fn ask_version(
    program: &Path,
    env: &BTreeMap<OsString, OsString>,
    workdir: &Path,
) -> Result<String, String> {
    let args = ["--version".into()];
    let question =
        Question { program, args: &args, env, workdir, patience: VERSION_PATIENCE, new_group: true };
    let answer = question.ask(|_| false).await.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&answer.stdout);
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    match (answer.status, first) {
        (Some(status), Some(line)) if status.success() => Ok(line.chars().take(LONGEST).collect()),
        (Some(status), None) if status.success() => Err("printed nothing".to_owned()),
        (Some(status), _) => Err(format!("ended with {status}")),
        (None, _) => Err("did not end".to_owned()),
    }
}

/// How a program's version stands to the one that its profile was checked with, as far as that goes; `None` where either
/// has no number.
pub fn compare_versions(version: &str, checked: &str) -> Option<Ordering> {
    let mut words =
        version.split(|c: char| !c.is_ascii_digit() && c != '.').filter(|word| word.contains('.'));
    let (mut version, checked) = (words.find_map(numbers)?, numbers(checked)?);
    version.truncate(checked.len());
    Some(version.cmp(&checked))
}

/// Numbers that are joined by dots.
fn numbers(text: &str) -> Option<Vec<u64>> {
    text.trim_matches('.').split('.').map(|part| part.parse().ok()).collect()
}

fn login(marks: &LoginMarks, env: &BTreeMap<OsString, OsString>) -> Login {
    if marks.files.is_empty() && marks.env.is_empty() {
        return Login::Unknown;
    }
    let value = |name: &str| env.get(OsStr::new(name)).filter(|value| !value.is_empty());
    if let Some(name) = marks.env.iter().find(|name| value(name).is_some()) {
        return Login::Found(format!("variable {name}"));
    }
    let there = |file: &&String| expand(file, value).is_some_and(|path| path.is_file());
    let file = marks.files.iter().find(there);
    file.map_or(Login::NotFound, |file| Login::Found(format!("file {file}")))
}

/// A path that begins with `~` or `$NAME`; `None` where that is not set.
pub(crate) fn expand<'a>(file: &str, value: impl Fn(&str) -> Option<&'a OsString>) -> Option<PathBuf> {
    let (first, rest) = file.split_once('/')?;
    let folder = match first {
        "~" => value("HOME")?,
        first => value(first.strip_prefix('$')?)?,
    };
    Some(Path::new(folder).join(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_s_state_is_read_from_what_its_profile_uses() {
        use Source::{Hook, Osc, Screen, Title};
        let profiles = Profiles::builtin();
        for (name, sources) in [
            ("claude", &[Hook, Title, Screen][..]),
            ("codex", &[Hook, Osc, Title, Screen]),
            ("aider", &[Screen]),
            ("bash", &[Screen]),
        ] {
            assert_eq!(signals(&profiles.get(name).unwrap()), sources, "{name}");
        }
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (version, checked, order) in [
            ("2.1.330 (Claude Code)", "2.1.330", Some(Ordering::Equal)),
            ("codex-cli 0.170.0", "0.169.0", Some(Ordering::Greater)),
            ("v1.9.10", "1.10.0", Some(Ordering::Less)),
            ("2 fine versions: 1.2.", "1.2", Some(Ordering::Equal)),
            ("GNU bash, version 5.2.15(1)-release", "5.2", Some(Ordering::Equal)),
            ("v23.1.0", "22", Some(Ordering::Greater)),
            ("unknown", "1.0", None),
        ] {
            assert_eq!(compare_versions(version, checked), order, "{version}");
        }
    }

    #[test]
    fn a_login_is_a_variable_or_a_file() {
        let marks = |files: &[&str], env: &[&str]| LoginMarks {
            files: files.iter().map(|file| (*file).to_owned()).collect(),
            env: env.iter().map(|name| (*name).to_owned()).collect(),
        };
        let env: BTreeMap<OsString, OsString> =
            [("HOME", "/etc"), ("KEY", "secret"), ("EMPTY", ""), ("ETC", "/etc")]
                .map(|(name, value)| (name.into(), value.into()))
                .into();
        for (marks, found) in [
            (marks(&[], &[]), Login::Unknown),
            (marks(&["~/none"], &["EMPTY"]), Login::NotFound),
            (marks(&["$UNSET/passwd"], &[]), Login::NotFound),
            (marks(&["~/none", "~/passwd"], &["EMPTY", "KEY"]), Login::Found("variable KEY".into())),
            (marks(&["~/none", "~/passwd"], &[]), Login::Found("file ~/passwd".into())),
            (marks(&["$ETC/passwd"], &[]), Login::Found("file $ETC/passwd".into())),
        ] {
            assert_eq!(login(&marks, &env), found);
        }
    }
}
