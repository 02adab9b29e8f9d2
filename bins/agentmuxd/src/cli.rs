//! The command line of `agentmuxd`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::doctor;

/// What `--help` and usage errors show.
pub(crate) const USAGE: &str = "\
usage: agentmuxd [serve]             run the daemon
       agentmuxd --check-config [--json]
                                     read the configuration and say what is wrong with it (exit status 1), else what
                                     holds and where it was set; nothing is started or changed
       agentmuxd doctor              look at what a daemon would find; `agentmux doctor` shows it to people
       agentmuxd demo-agent [...]    a small agent that needs no account (see demo-agent --help)
       agentmuxd --version | --help

Settings come from AGENTMUX_* variables and ~/.config/agentmux/config.toml (or the older config.json);
docs/configuration.md lists them.
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Serve,
    /// Read the configuration, and say what it is, as JSON or for people.
    CheckConfig {
        json: bool,
    },
    /// Look at what a daemon would find; at the agents too, or not.
    Doctor {
        agents: bool,
    },
    Version,
    Help,
    /// Become the program that a launch file describes.
    Launch(PathBuf),
    /// Print the environment between two of these marks.
    PrintEnv(OsString),
    /// Become a program, under this name, in a session of its own.
    NewSession {
        program: OsString,
        name: OsString,
        args: Vec<OsString>,
    },
    /// Be the demo agent, with these arguments.
    DemoAgent(Vec<OsString>),
}

/// Reads the arguments after the program's name; an error is a sentence.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut args = args.into_iter();
    let first = args.next();
    let rest: Vec<OsString> = args.collect();
    let alone = |command| match rest.first() {
        None => Ok(command),
        Some(extra) => Err(format!("unexpected argument {extra:?}")),
    };
    match first.as_deref().map(OsStr::to_string_lossy).as_deref() {
        None | Some("serve") => alone(Command::Serve),
        Some("--check-config") => match rest.as_slice() {
            [only] if only == "--json" => Ok(Command::CheckConfig { json: true }),
            _ => alone(Command::CheckConfig { json: false }),
        },
        Some("--version" | "-V") => alone(Command::Version),
        Some("--help" | "-h" | "help") => alone(Command::Help),
        Some("doctor") => doctor::wants_agents(&rest).map(|agents| Command::Doctor { agents }),
        Some("demo-agent") => Ok(Command::DemoAgent(rest)),
        Some("launch") => match rest.as_slice() {
            [file] => Ok(Command::Launch(file.into())),
            _ => Err("launch needs one launch file".to_owned()),
        },
        Some("print-env") => match rest.as_slice() {
            [mark] => Ok(Command::PrintEnv(mark.clone())),
            _ => Err("print-env needs one mark".to_owned()),
        },
        Some("new-session") => match rest.as_slice() {
            [program, name, args @ ..] => {
                Ok(Command::NewSession { program: program.clone(), name: name.clone(), args: args.to_vec() })
            }
            _ => Err("new-session needs a program and its name".to_owned()),
        },
        Some(other) => Err(format!("unknown argument {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Command, String> {
        parse(args.iter().map(OsString::from))
    }

    #[test]
    fn no_argument_means_serve() {
        assert_eq!(parsed(&[]), Ok(Command::Serve));
        assert_eq!(parsed(&["serve"]), Ok(Command::Serve));
    }

    #[test]
    fn the_demo_agent_gets_its_own_arguments() {
        assert_eq!(parsed(&["demo-agent", "--help"]), Ok(Command::DemoAgent(vec!["--help".into()])));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (args, why) in
            [(&["--prot"][..], "--prot"), (&["serve", "now"], "now"), (&["launch"], "launch file")]
        {
            assert!(parsed(args).unwrap_err().contains(why), "{args:?}");
        }
    }
}
