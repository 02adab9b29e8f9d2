//! The verbs about profiles. All but `save` need no daemon: they read what is compiled in and the user's files.

mod saved;
mod test;

use std::env;
use std::path::{Path, PathBuf};

use agentmux_api::{Screen, SessionDetail};
use agentmux_core::config_file::ConfigFile;
use agentmux_core::profile::{Definitions, ProfileError};
use agentmux_core::state::STATES;
use serde::Serialize;

use crate::client::{Client, escaped};
use crate::ending::{Ending, Failed, Status};
use crate::output::{self, told};
use crate::{args, sessions};

pub(crate) use test::test;

fn wrong(error: ProfileError) -> Failed {
    Failed::new(error.to_string())
}

/// What the daemon of this user reads: what is compiled in, the user's files, the entries of the configuration file.
fn definitions() -> Result<Definitions, Failed> {
    let home = env::home_dir().filter(|home| home.is_absolute());
    let home = home.ok_or_else(|| Failed::new("HOME must be the absolute path of your home folder"))?;
    let mut definitions = Definitions::of_user(&home).map_err(wrong)?;
    let named = env::var_os("AGENTMUX_CONFIG_FILE").filter(|file| !file.is_empty()).map(PathBuf::from);
    let file = named.map_or_else(|| ConfigFile::usual(&home), |file| ConfigFile::read(&file));
    if let Some(file) = file.map_err(|error| Failed::new(error.to_string()))? {
        definitions.add_config(&file).map_err(wrong)?;
    }
    Ok(definitions)
}

/// A line of `profile list`.
#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    origin: String,
    command: Vec<String>,
}

pub(crate) fn list(json: bool) -> Result<Ending, Failed> {
    let profiles = definitions()?.read().map_err(wrong)?;
    let known = profiles.names().into_iter().filter_map(|name| profiles.get(&name));
    let listed = known.map(|profile| Listed {
        name: profile.name.to_string(),
        origin: profile.origin.to_string(),
        command: profile.command.clone(),
    });
    let listed: Vec<_> = listed.collect();
    told(json, &listed, || {
        let row = |listed: &Listed| {
            [&listed.name, &listed.origin, &listed.command.join(" ")].map(|it| it.as_str().into())
        };
        output::table(["AGENT", "FROM", "COMMAND"], listed.iter().map(row))
    })
}

/// Prints a profile's text; with what it extends, both as one.
pub(crate) fn show(name: &str) -> Result<Ending, Failed> {
    let definitions = definitions()?;
    definitions.profile(name).map_err(wrong)?;
    output::text(definitions.text(name).map_err(wrong)?)?;
    Ok(Ending::DONE)
}

/// Says of each file whether it is right; without files, of all that the daemon would read.
pub(crate) fn check(files: &[PathBuf]) -> Result<Ending, Failed> {
    let definitions = definitions()?;
    let wrong: Vec<_> = if files.is_empty() {
        let names: Vec<_> = definitions.names().map(str::to_owned).collect();
        names.iter().filter_map(|name| definitions.profile(name).err()).collect()
    } else {
        files.iter().filter_map(|file| check_file(definitions.clone(), file).err()).collect()
    };
    // A wrong file is as wrong in what extends it.
    let mut sentences: Vec<_> = wrong.iter().map(ToString::to_string).collect();
    sentences.dedup();
    if sentences.is_empty() {
        output::text("all are right")?;
        return Ok(Ending::DONE);
    }
    Ok(Ending::because(Status::Error, sentences.join("\nagentmux: ")))
}

fn check_file(mut definitions: Definitions, file: &Path) -> Result<(), ProfileError> {
    let name = definitions.add_file(file)?;
    definitions.profile(name.as_str()).map(|_| ())
}

/// Saves what a session shows as a case for `profile test`.
pub(crate) async fn save(client: &Client, asked: args::ProfileSave) -> Result<Ending, Failed> {
    let (label, what) = asked.label.split_once("--").unwrap_or((&asked.label, "saved"));
    let labels: Vec<_> = STATES.iter().map(|state| state.word()).chain(["error"]).collect();
    if !labels.contains(&label) {
        return Err(Failed::usage(format!("LABEL must begin with one of {}", labels.join(", "))));
    }
    if what.is_empty() || !what.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) {
        return Err(Failed::usage("what stands after -- in LABEL must be of A-Z a-z 0-9 _ -"));
    }
    let name = sessions::named(client, Some(asked.session)).await?;
    let path = format!("/sessions/{}", escaped(&name));
    let session: SessionDetail = client.get(&path, 0.0).await?;
    let screen: Screen = client.get(&format!("{path}/screen?format=ansi"), 0.0).await?;
    let pane = screen.pane.ok_or_else(|| Failed::new("this daemon is too old to tell the cursor"))?;
    let file = saved::write(&asked.folder, &session.agent, (label, what), &screen.content, &pane)?;
    output::text(file.display().to_string())?;
    Ok(Ending::DONE)
}
