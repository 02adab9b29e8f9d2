//! The arguments of the verbs about profiles.

use std::path::PathBuf;

use clap::Subcommand;

use super::key;

#[derive(Debug, Subcommand)]
pub(crate) enum Profile {
    /// Run the profiles over saved screens, AGENT[-MODE]/LABEL--WHAT.WxH.txt, and compare
    ///
    /// The .ansi (attributes) and .json (cursor, title) beside a file are used where they exist. Files
    /// labelled `exited` are skipped: a dead pane says so, not a screen. Exit status 1 where a screen is not
    /// read as it is labelled.
    Test(ProfileTest),
    /// Say what is wrong in profiles, with file and line
    Check {
        /// Profiles, NAME.toml; without any, all that the daemon would read
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// List the agents, and where their profiles come from
    List {
        /// Print [{name, origin, command}]
        #[arg(long)]
        json: bool,
    },
    /// Print a profile; one that extends another, both as one
    Show {
        /// The agent
        name: String,
    },
    /// Save what a session shows as a labelled screen for `profile test`
    Save(ProfileSave),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ProfileTest {
    /// Saved screens: files, their names without the ending, or folders
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The profile for all files, whatever their path says
    #[arg(long)]
    pub(crate) agent: Option<String>,
    /// The same, from a file that you work on
    #[arg(long, value_name = "FILE", conflicts_with = "agent")]
    pub(crate) profile: Option<PathBuf>,
    /// Print [{file, agent, expected, state, rule}]
    #[arg(long)]
    pub(crate) json: bool,
    /// Print a table for each agent in Markdown
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ProfileSave {
    /// The session, by its name
    #[arg(value_parser = key)]
    pub(crate) session: String,
    /// The folder; the screen is put into AGENT/ below it
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// What it shows: STATE--WHAT, such as busy--long-paste, or just STATE
    pub(crate) label: String,
}

impl Profile {
    pub(super) fn prints_json(&self) -> bool {
        match self {
            Self::Test(test) => test.json,
            Self::List { json } => *json,
            Self::Check { .. } | Self::Show { .. } | Self::Save(_) => false,
        }
    }
}
