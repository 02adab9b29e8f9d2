//! The command line.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

mod look;
mod profile;

pub(crate) use look::{Agents, Answer, Events, Named, Show, Turns, Wait};
pub(crate) use profile::{Profile, ProfileSave, ProfileTest};

/// What stands below the help and on each manual page: a heading, and lines as they are.
pub(crate) const NOTES: [(&str, &str); 2] = [
    (
        "Exit status",
        "  0  done     3  busy, or at a limit         124  timed out
  1  error    4  the agent asks something    130  interrupted
  2  usage    5  the agent failed",
    ),
    (
        "Environment",
        "  AGENTMUX_STATE_DIR            the daemon's state folder, ~/.agentmux by default
  AGENTMUX_HOST, AGENTMUX_PORT  a daemon that is not the state folder's
  AGENTMUX_TOKEN                a token that is not the state folder's",
    ),
];

fn after_help() -> String {
    NOTES.map(|(heading, lines)| format!("{heading}:\n{lines}")).join("\n\n")
}

/// Drive AI agents that run in tmux: start one with a prompt, wait for it, get its reply.
#[derive(Debug, Parser)]
#[command(name = "agentmux", version, after_help = after_help())]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Start the daemon in the foreground; this is what happens without a verb, too
    Serve {
        /// Arguments for agentmuxd
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Start an agent in a new session and give it a prompt
    Run(Run),
    /// Give the active session, or another one, a prompt
    Send(Send),
    /// Say whether the active session is ready: exit status 0 if so, 3 if not, 5 where it has exited
    Idle(Json),
    /// Wait until a turn ends, and print its reply; or until a session is in some state
    Wait(Wait),
    /// Show a session: its state, and why we believe that
    Show(Show),
    /// Print what happens, as it happens, until the daemon stops
    Events(Events),
    /// List the turns, newest first
    Turns(Turns),
    /// Take a turn out of its queue, or interrupt it
    Cancel {
        /// The turn's id
        turn: String,
        /// Print the daemon's JSON document
        #[arg(long)]
        json: bool,
    },
    /// Answer what an agent asks
    Answer(Answer),
    /// Interrupt what an agent does
    Interrupt(Named),
    /// List the agents that a session can be started with
    Agents(Agents),
    /// Look whether everything is there that agents need: exit status 1 if not
    Doctor(Json),
    /// Show the daemon and its sessions
    Status(Json),
    /// List the sessions
    Ls(Json),
    /// Print what the active session shows
    Capture(Capture),
    /// Press a key in the active session
    Key(Key),
    /// End a session
    Kill(Kill),
    /// End all idle and exited sessions but the active one
    Cleanup(Json),
    /// Replace the active session by a fresh one
    Restart(Json),
    /// Look at a session, and take it over, in this terminal
    Attach {
        /// The session's name; the active one if absent
        name: Option<String>,
    },
    /// Look at the profiles of agents, check them, and test them over saved screens
    #[command(subcommand)]
    Profile(Profile),
    /// Print what makes a shell complete agentmux's verbs and options
    ///
    /// Put it where the shell looks for such files:
    /// bash: ~/.local/share/bash-completion/completions/agentmux;
    /// zsh: _agentmux, in a folder of $fpath;
    /// fish: ~/.config/fish/completions/agentmux.fish
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the manual pages, one for each verb, into a folder; for packages
    #[command(hide = true)]
    Man {
        /// The folder, made where it is not there
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// Options of a verb that has no other.
#[derive(Debug, clap::Args)]
pub(crate) struct Json {
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where a prompt comes from; without any of these, from stdin.
#[derive(Debug, clap::Args)]
pub(crate) struct PromptSource {
    /// The prompt; read from stdin if neither this nor --file is given
    pub(crate) text: Option<String>,
    /// Read the prompt from this file
    #[arg(long, short, conflicts_with = "text", value_name = "FILE")]
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

#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) prompt: PromptSource,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    /// The agent: claude, codex, ...; the daemon's default if absent
    #[arg(long, short)]
    pub(crate) agent: Option<String>,
    /// Start this command line instead of the agent's usual one
    #[arg(long, short)]
    pub(crate) command: Option<String>,
    /// Where the agent works; the daemon's default if absent
    #[arg(long, short, value_name = "DIR")]
    pub(crate) workdir: Option<String>,
    /// Add a variable to the agent's environment; may be repeated
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) env: Vec<(String, String)>,
    /// The new session's name
    #[arg(long, short)]
    pub(crate) name: Option<String>,
    /// What to do where the active session is busy
    #[arg(long, value_parser = ["reject", "queue", "start"])]
    pub(crate) if_busy: Option<String>,
    /// What to do with the new session's questions for permission; the daemon's setting if absent
    #[arg(long, value_parser = ["ask", "deny", "approve"])]
    pub(crate) policy: Option<String>,
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
    /// The session, by its name; the active one if absent
    #[arg(long, short)]
    pub(crate) session: Option<String>,
    /// What to do where the session is busy
    #[arg(long, value_parser = ["queue", "reject"])]
    pub(crate) if_busy: Option<String>,
    /// What to do with questions for permission in this turn; as the session does if absent
    #[arg(long, value_parser = ["ask", "deny", "approve"])]
    pub(crate) policy: Option<String>,
    /// Have it arrive as text, not as a command of the agent's own; refused where that cannot be
    #[arg(long)]
    pub(crate) as_text: bool,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Capture {
    /// How many lines, 10 to 500
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) lines: u64,
    /// A pane's address, as `agentmux ls` shows it; the active session if absent
    #[arg(long)]
    pub(crate) target: Option<String>,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Key {
    /// The key: enter, esc, tab, space, backspace, delete, up, down, left, right
    pub(crate) name: String,
    /// How often, 1 to 50
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) repeat: u64,
    /// A pane's address, as `agentmux ls` shows it; the active session if absent
    #[arg(long)]
    pub(crate) target: Option<String>,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Kill {
    /// The session's name
    pub(crate) name: String,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

impl Verb {
    /// Whether stdout gets a JSON document: if asked for, and from most verbs where no person reads it.
    pub(crate) fn prints_json(&self) -> bool {
        let unread = |json: bool| json || !std::io::stdout().is_terminal();
        match self {
            Self::Serve { .. } | Self::Attach { .. } | Self::Completions { .. } | Self::Man { .. } => false,
            Self::Run(Run { json, .. }) | Self::Kill(Kill { json, .. }) => *json,
            Self::Doctor(Json { json })
            | Self::Ls(Json { json })
            | Self::Idle(Json { json })
            | Self::Restart(Json { json }) => *json,
            Self::Profile(profile) => profile.prints_json(),
            Self::Send(send) if send.waiting.wait.is_some() => send.json,
            Self::Wait(wait) if wait.turn.is_some() => wait.json,
            Self::Status(Json { json }) | Self::Cleanup(Json { json }) => unread(*json),
            Self::Send(Send { json, .. }) | Self::Key(Key { json, .. }) => unread(*json),
            Self::Answer(Answer { json, .. }) => unread(*json),
            Self::Capture(Capture { json, .. }) | Self::Wait(Wait { json, .. }) => unread(*json),
            Self::Show(Show { json, .. }) | Self::Events(Events { json, .. }) => unread(*json),
            Self::Turns(Turns { json, .. }) | Self::Cancel { json, .. } => unread(*json),
            Self::Interrupt(Named { json, .. }) | Self::Agents(Agents { json, .. }) => unread(*json),
        }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if seconds.is_finite() && seconds >= 0.0 {
        Ok(seconds)
    } else {
        Err("not a number of seconds".to_owned())
    }
}

fn waiting_time(text: &str) -> Result<f64, String> {
    if text == "inf" { Ok(f64::INFINITY) } else { seconds(text) }
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("not of the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parsed(line: &str) -> Result<Verb, clap::Error> {
        Args::try_parse_from(line.split(' ')).map(|args| args.verb.unwrap())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_waiting_time_is_optional_and_never_taken_from_the_prompt() {
        for (line, text, wait) in [
            ("agentmux run x", "x", None),
            ("agentmux run --wait x", "x", Some(f64::INFINITY)),
            ("agentmux run --wait=2.5 x", "x", Some(2.5)),
            ("agentmux run x --wait", "x", Some(f64::INFINITY)),
            ("agentmux run --wait -- --wait", "--wait", Some(f64::INFINITY)),
        ] {
            let Verb::Run(run) = parsed(line).unwrap() else { panic!("{line}") };
            assert_eq!((run.prompt.text.as_deref(), run.waiting.wait), (Some(text), wait), "{line}");
        }
    }

    #[test]
    fn wrong_values_are_usage_errors() {
        for line in [
            "agentmux run --wait=-1 x",
            "agentmux run --timeout nan x",
            "agentmux run --env X x",
            "agentmux run --if-busy sometimes x",
            "agentmux run --file f x",
            "agentmux capture --lines many",
            "agentmux nonsense",
            "agentmux wait",
            "agentmux wait t-1 --session a --until idle",
            "agentmux wait --session a",
            "agentmux wait --until idle",
            "agentmux wait --session a --until idle,soon",
            "agentmux turns --state over",
            "agentmux answer a",
            "agentmux answer a --approve --deny",
            "agentmux answer a --choice 1 --text x",
            "agentmux run x --policy never",
        ] {
            assert_eq!(parsed(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn a_session_is_waited_for_in_any_of_some_states() {
        let line = "agentmux wait --session a --until idle,needs_input --timeout 2";
        let Verb::Wait(wait) = parsed(line).unwrap() else { panic!() };
        assert_eq!((wait.until.join(" "), wait.seconds), ("idle needs_input".to_owned(), Some(2.0)));
    }

    #[test]
    fn variables_are_split_at_the_first_sign() {
        assert_eq!(variable("A=b=c"), Ok(("A".to_owned(), "b=c".to_owned())));
    }
}
