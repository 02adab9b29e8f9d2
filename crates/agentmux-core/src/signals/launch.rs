//! The start of an agent that is to tell what it does: arguments, variables, and files in a folder of the session's
//! own, which goes when the session goes.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::records::{Kept, Records};
use super::template::Values;
use super::{Link, Secret};
use crate::agent::expand;
use crate::profile::Profile;
use crate::profile::signals::{Place, Signals, Unless, Whereabouts};

/// The file by which the relay, and a later daemon, know whose folder it is.
const KEY: &str = "hook.json";

/// How agents reach the daemon.
#[derive(Debug, Clone)]
pub struct Relay {
    /// The program that hands payloads on: `PROGRAM hook FOLDER`.
    pub program: PathBuf,
    /// Where the sessions' own folders are.
    pub sessions: PathBuf,
    /// The file that says where the daemon listens.
    pub daemon: PathBuf,
}

/// What the relay finds in the session's folder.
#[derive(Debug, Serialize, Deserialize)]
struct Key {
    session: String,
    secret: String,
    daemon: PathBuf,
    /// Where the agent keeps its records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept: Option<Kept>,
}

/// What is added to the start of an agent.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) link: Arc<Link>,
    pub(crate) argv: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
}

/// Prepares the start of a session's agent. One that cannot be made to tell is started all the same.
pub(crate) fn prepare(
    relay: Option<&Relay>,
    profile: &Arc<Profile>,
    argv: &[String],
    session: &str,
    workdir: &Path,
    env: &BTreeMap<OsString, OsString>,
) -> Prepared {
    let silent = |why: String| Prepared {
        link: Link::new(profile.clone(), Err(why)),
        argv: argv.to_vec(),
        env: BTreeMap::new(),
    };
    let Some(signals) = &profile.signals else {
        return silent(format!("no signals are known of agent '{}'", profile.name));
    };
    let Some(relay) = relay else { return silent("signals are not set up here".to_owned()) };
    if let Some(unless) = signals.unless.iter().find(|unless| is_there(unless, env, workdir)) {
        return silent(format!("{} has a setting of the user's own that ours would replace", unless.place));
    }
    let at = match place(&profile.command, signals, argv) {
        Ok(at) => at,
        Err(why) => return silent(why),
    };
    let values = Values {
        dir: relay.sessions.join(session).to_string_lossy().into_owned(),
        program: relay.program.to_string_lossy().into_owned(),
        session: session.to_owned(),
        uuid: uuid::Uuid::now_v7().to_string(),
        workdir: workdir.to_string_lossy().into_owned(),
    };
    let kept = match signals.transcript.as_ref().map(|transcript| &transcript.whereabouts) {
        Some(Whereabouts::Kept(files)) => Kept::of(files, env, workdir),
        Some(Whereabouts::Told | Whereabouts::Own(_)) | None => None,
    };
    let heard = match write(relay, signals, session, &values, kept) {
        Ok(heard) => heard,
        Err(error) => {
            log::warn!("session {session}: its hooks could not be set up: {error}");
            remove(relay, session);
            return silent(format!("its hooks could not be set up: {error}"));
        }
    };
    let mut argv = argv.to_vec();
    argv.splice(at..at, signals.args.iter().map(|arg| arg.fill(&values)));
    let env = signals.env.iter().map(|(name, value)| (name.clone(), value.fill(&values)));
    Prepared { link: Link::new(profile.clone(), Ok(heard)), argv, env: env.collect() }
}

fn is_there(unless: &Unless, env: &BTreeMap<OsString, OsString>, workdir: &Path) -> bool {
    let value = |name: &str| env.get(OsStr::new(name)).filter(|value| !value.is_empty());
    let text = |path: PathBuf| fs::read_to_string(path).ok();
    let texts: Vec<String> = match &unless.place {
        Place::Env(name) => value(name).map(|text| text.to_string_lossy().into_owned()).into_iter().collect(),
        Place::File(file) => match (file.strip_prefix("./"), file.strip_prefix('$')) {
            (Some(name), _) => workdir.ancestors().filter_map(|folder| text(folder.join(name))).collect(),
            (_, Some(name)) if !name.contains('/') => {
                value(name).map(PathBuf::from).and_then(text).into_iter().collect()
            }
            _ if file.starts_with('/') => text(PathBuf::from(file)).into_iter().collect(),
            _ => expand(file, value).and_then(text).into_iter().collect(),
        },
    };
    texts.iter().any(|text| unless.matches.is_match(text))
}

/// Where the arguments go: right behind the words that start the agent, before options, commands and prompts of the
/// user's own.
///
/// # Errors
/// Why the agent of this command cannot be made to tell.
fn place(command: &[String], signals: &Signals, argv: &[String]) -> Result<usize, String> {
    let words: Vec<&str> =
        command.iter().map(String::as_str).take_while(|word| !word.starts_with('-')).collect();
    let begin = after_env(argv);
    let started = argv.get(begin).map_or("", String::as_str);
    if matches!(
        (name_of(started), argv.get(begin + 1).map(String::as_str)),
        ("sh" | "bash" | "zsh", Some("-c"))
    ) {
        return Err("the command is a line for a shell, and what that starts is not known".to_owned());
    }
    let same = argv.len() >= begin + words.len()
        && argv[begin..].iter().zip(&words).enumerate().all(|(at, (given, known))| match at {
            0 => name_of(given) == name_of(known),
            _ => given == known,
        });
    if !same {
        return Err(format!("the command starts '{}', not {}", name_of(started), words.join(" ")));
    }
    let at = begin + words.len();
    let theirs =
        argv[at..].iter().find(|arg| signals.conflicts.iter().any(|conflict| conflict.is_match(arg)));
    match theirs {
        Some(arg) => Err(format!("the command has its own {}", arg.split('=').next().unwrap_or(arg))),
        None => Ok(at),
    }
}

/// The first word after `env NAME=value ...`.
fn after_env(argv: &[String]) -> usize {
    match argv.first().map(|program| name_of(program)) {
        Some("env") => 1 + argv[1..].iter().take_while(|word| is_assignment(word)).count(),
        _ => 0,
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.starts_with('-'))
}

fn name_of(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

fn write(
    relay: &Relay,
    signals: &Signals,
    session: &str,
    values: &Values,
    kept: Option<Kept>,
) -> io::Result<(Secret, Records)> {
    let dir = relay.sessions.join(session);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&relay.sessions)?;
    fs::DirBuilder::new().mode(0o700).create(&dir)?;
    let secret = random()?;
    let daemon = relay.daemon.clone();
    let key = Key { session: session.to_owned(), secret: secret.clone(), daemon, kept: kept.clone() };
    write_file(&dir.join(KEY), &serde_json::to_vec(&key)?)?;
    for file in &signals.files {
        write_file(&dir.join(&file.name), file.content.fill(values).as_bytes())?;
    }
    Ok((Secret::new(secret), Records::new(dir, kept)))
}

pub(super) fn write_file(path: &Path, content: &[u8]) -> io::Result<()> {
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(content)
}

fn random() -> io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Finds the link of a session whose agent an earlier daemon started.
pub(crate) fn find(relay: Option<&Relay>, profile: &Arc<Profile>, session: &str) -> Arc<Link> {
    let Some(relay) = relay.filter(|_| profile.signals.is_some()) else {
        return Link::adopted(
            profile.clone(),
            Err(format!("no signals are known of agent '{}'", profile.name)),
        );
    };
    let dir = relay.sessions.join(session);
    let key = fs::read(dir.join(KEY));
    let key = key.ok().and_then(|text| serde_json::from_slice::<Key>(&text).ok());
    let key = key.filter(|key| key.session == session && key.secret.len() >= 32);
    let heard = match key {
        Some(key) => Ok((Secret::new(key.secret), Records::new(dir, key.kept))),
        None => Err("its agent was started without signals".to_owned()),
    };
    Link::adopted(profile.clone(), heard)
}

/// Removes a session's folder; there may be none.
pub(crate) fn remove(relay: &Relay, session: &str) {
    if let Err(error) = fs::remove_dir_all(relay.sessions.join(session))
        && error.kind() != io::ErrorKind::NotFound
    {
        log::warn!("session {session}: its folder could not be removed: {error}");
    }
}

/// Removes the folders of sessions that are gone.
pub(crate) fn sweep(relay: &Relay, alive: &HashSet<String>) {
    let entries = fs::read_dir(&relay.sessions).into_iter().flatten().flatten();
    for name in entries.filter_map(|entry| entry.file_name().into_string().ok()) {
        if !alive.contains(&name) {
            remove(relay, &name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Definitions;

    fn placed(profile: &Profile, argv: &[&str]) -> Result<usize, String> {
        let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
        place(&profile.command, profile.signals.as_ref().unwrap(), &argv)
    }

    #[test]
    fn a_user_s_own_command_is_recognised_by_its_program() {
        let claude = Definitions::builtin().profile("claude").unwrap();
        for (argv, at) in [
            (&["claude"][..], 1),
            (&["/opt/my tools/claude", "--model", "x"], 1),
            (&["env", "A=b", "C=", "claude", "--continue"], 4),
            (&["/usr/bin/env", "claude", "a prompt"], 2),
        ] {
            assert_eq!(placed(&claude, argv), Ok(at), "{argv:?}");
        }
        for (argv, why) in [
            (&["/bin/sh", "-c", "claude | tee x"][..], "a line for a shell"),
            (&["my-claude"], "starts 'my-claude', not claude"),
            (&["env", "-i", "claude"], "starts '-i'"),
            (&["env"], "starts ''"),
            (&["claude", "--settings", "mine.json"], "its own --settings"),
            (&["claude", "--settings=mine.json"], "its own --settings"),
        ] {
            let refused = placed(&claude, argv).unwrap_err();
            assert!(refused.contains(why), "{argv:?}: {refused}");
        }
    }

    #[test]
    fn a_setting_of_the_user_s_own_is_not_replaced() {
        let home = tempfile::tempdir().unwrap();
        let profile = Arc::new(Definitions::builtin().profile("codex").unwrap());
        let relay = Relay {
            program: "/bin/agentmuxd".into(),
            sessions: home.path().join("sessions"),
            daemon: home.path().join("daemon.json"),
        };
        let env = BTreeMap::from([("HOME".into(), home.path().as_os_str().to_owned())]);
        let argv = ["codex".to_owned(), "hi".to_owned()];
        let start = |session| prepare(Some(&relay), &profile, &argv, session, Path::new("/"), &env);
        let told = start("s-1");
        assert!(told.link.secret.is_ok() && told.argv[1] == "-c" && told.argv[3] == "hi", "{told:?}");
        let folder = home.path().join(".codex");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("config.toml"), "model = 'x'\nnotify = ['say']\n").unwrap();
        let kept = start("s-2");
        assert_eq!(kept.argv, argv);
        assert!(kept.link.secret.as_ref().is_err_and(|why| why.contains("~/.codex/config.toml")), "{kept:?}");
        let aider = Arc::new(Definitions::builtin().profile("aider").unwrap());
        let (work, argv) = (home.path().join("project/src"), ["aider".to_owned()]);
        fs::create_dir_all(&work).unwrap();
        let start = |session| prepare(Some(&relay), &aider, &argv, session, &work, &env);
        assert_eq!(start("s-4").argv[1], "--llm-history-file");
        fs::write(home.path().join("project/.aider.conf.yml"), "# x\nllm-history-file: mine.log\n").unwrap();
        let kept = start("s-5");
        assert!(kept.link.secret.as_ref().is_err_and(|why| why.starts_with("./.aider.conf.yml")), "{kept:?}");
        let profile = Arc::new(Definitions::builtin().profile("opencode").unwrap());
        let env = BTreeMap::from([("OPENCODE_CONFIG_CONTENT".into(), "{}".into())]);
        let kept = prepare(Some(&relay), &profile, &["opencode".to_owned()], "s-3", Path::new("/"), &env);
        assert!(kept.env.is_empty(), "{kept:?}");
        let why = kept.link.secret.as_ref().unwrap_err();
        assert!(why.starts_with("OPENCODE_CONFIG_CONTENT has a setting"), "{why}");
    }
}
