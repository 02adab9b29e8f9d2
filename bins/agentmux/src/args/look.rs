//! The arguments of the verbs that look at sessions and turns, wait for them, and answer them.

use agentmux_core::state::STATES;
use agentmux_core::turn::TURN_STATES;
use clap::builder::PossibleValuesParser;

use super::{key, seconds};

#[derive(Debug, clap::Args)]
pub(crate) struct Wait {
    /// The turn's id
    #[arg(required_unless_present = "session", conflicts_with = "session", value_parser = key)]
    pub(crate) turn: Option<String>,
    /// Wait for this session, not for a turn
    #[arg(long, short, value_name = "NAME", requires = "until", value_parser = key)]
    pub(crate) session: Option<String>,
    /// The state that the session must reach, or several, joined by commas
    #[arg(
        long,
        value_name = "STATE",
        value_delimiter = ',',
        requires = "session",
        value_parser = PossibleValuesParser::new(STATES.map(|state| state.word()))
    )]
    pub(crate) until: Vec<String>,
    /// Wait at most so long
    #[arg(long = "for", visible_alias = "timeout", value_name = "SECS", value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Idle {
    /// The session's name; the active one if absent
    #[arg(long, short, value_name = "NAME", value_parser = key)]
    pub(crate) session: Option<String>,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Capture {
    /// How many lines, with those that scrolled out: 10 to 500, 60 if absent; of a session that is named 1 to 5000,
    /// and what is on its screen if absent
    #[arg(long, value_name = "N")]
    pub(crate) lines: Option<u64>,
    /// The session's name; the active one if absent
    #[arg(long, short, value_name = "NAME", conflicts_with = "target", value_parser = key)]
    pub(crate) session: Option<String>,
    /// With colours and attributes
    #[arg(long, conflicts_with = "target")]
    pub(crate) ansi: bool,
    /// A pane's address, as `agentmux show` tells it
    #[arg(long)]
    pub(crate) target: Option<String>,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Key {
    /// The key: enter, esc, tab, space, backspace, delete, up, down, left, right, home, end, pageup, pagedown, ctrl-a
    /// to ctrl-z, f1 to f12, or one character
    #[arg(value_name = "KEY")]
    pub(crate) name: String,
    /// How often, 1 to 50
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) repeat: u64,
    /// The session's name; the active one if absent
    #[arg(long, short, value_name = "NAME", conflicts_with = "target", value_parser = key)]
    pub(crate) session: Option<String>,
    /// A pane's address, as `agentmux show` tells it
    #[arg(long)]
    pub(crate) target: Option<String>,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The session's name; the active one if absent
    #[arg(value_parser = key)]
    pub(crate) name: Option<String>,
    /// Also hold every rule of its profile against its screen
    #[arg(long)]
    pub(crate) explain: bool,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("answer").required(true).args(["choice", "text", "approve", "deny"]))]
pub(crate) struct Answer {
    /// The session's name; the active one if absent
    #[arg(value_parser = key)]
    pub(crate) session: Option<String>,
    /// Choose the option of this number, or with this label
    #[arg(long, short, value_name = "N|LABEL")]
    pub(crate) choice: Option<String>,
    /// Answer by this text
    #[arg(long, short)]
    pub(crate) text: Option<String>,
    /// Say yes, for this once
    #[arg(long)]
    pub(crate) approve: bool,
    /// Say no
    #[arg(long)]
    pub(crate) deny: bool,
    /// Only if this question, by its id, is still asked
    #[arg(long, value_name = "ID")]
    pub(crate) question: Option<String>,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// A session, and no other choice.
#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    /// The session's name; the active one if absent
    #[arg(value_parser = key)]
    pub(crate) name: Option<String>,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Agents {
    /// Have the daemon ask the login shell for the agents' environment again
    #[arg(long)]
    pub(crate) refresh: bool,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Events {
    /// Only what is about this session
    #[arg(long, short, value_name = "NAME", value_parser = key)]
    pub(crate) session: Option<String>,
    /// Go on after the event of this id, instead of from now on
    #[arg(long, value_name = "ID")]
    pub(crate) last: Option<u64>,
    /// Print {id, event, data} for each, a line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Turns {
    /// Only those of this session
    #[arg(long, short, value_name = "NAME", value_parser = key)]
    pub(crate) session: Option<String>,
    /// Only those in this state
    #[arg(long, value_parser = PossibleValuesParser::new(TURN_STATES.map(|state| state.word())))]
    pub(crate) state: Option<String>,
    /// How many, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: u64,
    /// Print the daemon's JSON document
    #[arg(long)]
    pub(crate) json: bool,
}
