//! The arguments of the verbs that start agents and give them prompts.

use std::path::PathBuf;

use agentmux_api::Size;
use clap::ValueHint;

use super::{key, seconds};

/// Where a prompt comes from; without any of these, from stdin.
#[derive(Debug, clap::Args)]
pub(crate) struct PromptSource {
    /// The prompt; read from stdin if neither this nor --file is given
    pub(crate) text: Option<String>,
    /// Read the prompt from this file
    #[arg(long, short, conflicts_with = "text", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Waiting {
    /// Wait for the turn's end, at most so many seconds if given, and print the reply and nothing else
    #[arg(
        long,
        value_name = "SECS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "inf",
        value_parser = waiting_time
    )]
    pub(crate) wait: Option<f64>,
    /// Interrupt the turn after so many seconds
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub(crate) timeout: Option<f64>,
}

/// How an agent is started.
#[derive(Debug, clap::Args)]
pub(crate) struct Launch {
    /// The agent: claude, codex, ...; the daemon's default if absent
    #[arg(long, short)]
    pub(crate) agent: Option<String>,
    /// Start this command line instead of the agent's usual one
    #[arg(long, short, value_hint = ValueHint::CommandString)]
    pub(crate) command: Option<String>,
    /// Where the agent works; the daemon's default if absent
    #[arg(long, short, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) workdir: Option<String>,
    /// Add a variable to the agent's environment; may be repeated
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) env: Vec<(String, String)>,
    /// The new session's name
    #[arg(long, short)]
    pub(crate) name: Option<String>,
    /// The size of the agent's terminal, such as 120x40
    #[arg(long, value_name = "COLUMNSxROWS", value_parser = size)]
    pub(crate) size: Option<Size>,
    /// What to do with the session's questions for permission; the daemon's setting if absent
    #[arg(long, value_name = "WHAT", value_parser = ["ask", "deny", "approve"])]
    pub(crate) policy: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) prompt: PromptSource,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    #[command(flatten)]
    pub(crate) launch: Launch,
    /// What to do where the active session is busy: refuse (the default), wait there, or start a new one all the same
    #[arg(long, value_name = "WHAT", value_parser = ["reject", "queue", "start"])]
    pub(crate) if_busy: Option<String>,
    /// Have it arrive as text, not as a command of the agent's own; refused where that cannot be
    #[arg(long)]
    pub(crate) as_text: bool,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Send {
    #[command(flatten)]
    pub(crate) prompt: PromptSource,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    /// The session's name; the active one if absent
    #[arg(long, short, value_name = "NAME", value_parser = key)]
    pub(crate) session: Option<String>,
    /// What to do where the session is busy: wait in its queue (the default), or refuse
    #[arg(long, value_name = "WHAT", value_parser = ["queue", "reject"])]
    pub(crate) if_busy: Option<String>,
    /// What to do with questions for permission in this turn; as the session does if absent
    #[arg(long, value_name = "WHAT", value_parser = ["ask", "deny", "approve"])]
    pub(crate) policy: Option<String>,
    /// Have it arrive as text, not as a command of the agent's own; refused where that cannot be
    #[arg(long)]
    pub(crate) as_text: bool,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Start {
    #[command(flatten)]
    pub(crate) launch: Launch,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

fn waiting_time(text: &str) -> Result<f64, String> {
    if text == "inf" { Ok(f64::INFINITY) } else { seconds(text) }
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("not of the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn size(text: &str) -> Result<Size, String> {
    let numbers =
        text.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    let (columns, rows) = numbers.ok_or("not of the form COLUMNSxROWS")?;
    Ok(Size { columns, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_split_at_the_first_sign() {
        assert_eq!(variable("A=b=c"), Ok(("A".to_owned(), "b=c".to_owned())));
    }

    #[test]
    fn a_size_is_two_numbers() {
        assert_eq!(size("120x40"), Ok(Size { columns: 120, rows: 40 }));
        for text in ["120", "x40", "120x", "120x40x1", "-1x4", "70000x40", ""] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
