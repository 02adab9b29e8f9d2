//! The command line.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

mod look;
mod profile;
mod prompt;

pub(crate) use look::{Agents, Answer, Capture, Events, Idle, Key, Named, Show, Turns, Wait};
pub(crate) use profile::{Profile, ProfileSave, ProfileTest};
pub(crate) use prompt::{PromptSource, Run, Send, Start};

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
#[command(name = "agentmux", version, after_help = after_help(), max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Start the daemon in the foreground; this is what happens without a verb, too
    Serve {
        /// Arguments for agentmuxd; `agentmuxd --help` tells them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Start an agent in a new session and give it a prompt
    Run(Run),
    /// Give the active session, or another one, a prompt
    Send(Send),
    /// Start an agent in a new session, without a prompt, and print the session's name when it is ready
    Start(Start),
    /// Say whether a session is ready for a prompt: exit status 0 if so, 3 if not, 5 where its agent has exited
    Idle(Idle),
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
        #[arg(value_parser = key)]
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
    /// Print what a session shows
    Capture(Capture),
    /// Press a key in a session
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
        #[arg(value_parser = key)]
        name: Option<String>,
    },
    /// Look at the profiles of agents, check them, and test them over saved screens
    #[command(subcommand)]
    Profile(Profile),
    /// Print the token that the daemon is asked with
    ///
    /// It is that of AGENTMUX_TOKEN, else the one which the daemon made for itself when it was first started. To have another one made,
    /// stop the daemon, remove that file, and start it again.
    Token(Json),
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

#[derive(Debug, clap::Args)]
pub(crate) struct Kill {
    /// The session's name
    pub(crate) name: String,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

impl Verb {
    /// Whether stdout gets a JSON document: where it is asked for, and, as it was inherited, from five verbs wherever no
    /// person reads it.
    pub(crate) fn prints_json(&self) -> bool {
        let unread = |json: bool| json || !std::io::stdout().is_terminal();
        match self {
            Self::Send(send) if send.waiting.wait.is_some() => send.json,
            Self::Status(Json { json }) | Self::Cleanup(Json { json }) => unread(*json),
            Self::Send(Send { json, .. }) | Self::Key(Key { json, .. }) => unread(*json),
            Self::Capture(Capture { json, .. }) => unread(*json),
            Self::Serve { .. } | Self::Attach { .. } | Self::Completions { .. } | Self::Man { .. } => false,
            Self::Doctor(Json { json }) | Self::Ls(Json { json }) => *json,
            Self::Restart(Json { json }) | Self::Token(Json { json }) => *json,
            Self::Run(Run { json, .. }) | Self::Start(Start { json, .. }) => *json,
            Self::Kill(Kill { json, .. }) | Self::Idle(Idle { json, .. }) => *json,
            Self::Answer(Answer { json, .. }) | Self::Wait(Wait { json, .. }) => *json,
            Self::Show(Show { json, .. }) | Self::Events(Events { json, .. }) => *json,
            Self::Turns(Turns { json, .. }) | Self::Cancel { json, .. } => *json,
            Self::Interrupt(Named { json, .. }) | Self::Agents(Agents { json, .. }) => *json,
            Self::Profile(profile) => profile.prints_json(),
        }
    }
}

/// What can be a session's name, or an id. An empty one, such as out of a script, would mean the active session to the daemon,
/// and in a path nothing at all.
fn key(text: &str) -> Result<String, String> {
    match text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) && !text.is_empty() {
        true => Ok(text.to_owned()),
        false => Err("no name and no id".to_owned()),
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
            "agentmux start --size big",
            "agentmux capture --session a --target a:0.0",
            "agentmux key x --session a --target a:0.0",
            "agentmux completions tcsh",
            "agentmux show ",
            "agentmux show a/b",
            "agentmux wait ",
            "agentmux attach ..",
            "agentmux idle --session ",
            "agentmux send x --session ",
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
}
