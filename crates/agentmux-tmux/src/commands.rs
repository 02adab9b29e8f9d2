//! Sequences of tmux commands, and their two renderings: one argv, or lines of control mode.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::quote::{tmux_argv, tmux_quote};

/// The most that travels within a line of control mode; more goes to the standard input of a process, for
/// the server parses a quoted mebibyte in a third of a second and reads it from a pipe in a thirtieth.
pub(crate) const LONGEST_INLINE: usize = 4096;

/// Commands that the server runs in order, without a break, until one fails.
#[derive(Debug, Default, Clone)]
pub(crate) struct Commands {
    list: Vec<Command>,
    receipt: Option<String>,
}

#[derive(Debug, Clone)]
enum Command {
    Plain(Vec<OsString>),
    /// Fills the buffer of this name with the input of the call.
    Load(String),
}

/// Lines of control mode for one sequence, each with its line feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lines {
    pub(crate) text: String,
    /// Whether exactly one block answers. A sequence has one for each command up to the first that fails,
    /// and `if-shell` one more for each command in it: how many come is not known before.
    pub(crate) single: bool,
}

impl Commands {
    /// Adds one command.
    pub(crate) fn then<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        let arguments = arguments.into_iter().map(|argument| argument.as_ref().to_owned());
        self.list.push(Command::Plain(arguments.collect()));
        self
    }

    /// Adds the command that fills a buffer with the input of the call.
    pub(crate) fn then_load(mut self, buffer: &str) -> Self {
        self.list.push(Command::Load(buffer.to_owned()));
        self
    }

    /// Says that the sequence must not run twice, and leaves this text in [`RECEIPT`](crate::args::RECEIPT)
    /// of a pane when it has run. What leaves none may run again when nobody knows whether it ran.
    pub(crate) fn with_receipt(mut self, receipt: &str) -> Self {
        self.receipt = Some(receipt.to_owned());
        self
    }

    /// What the sequence leaves behind when it has run.
    pub(crate) fn receipt(&self) -> Option<&str> {
        self.receipt.as_deref()
    }

    /// The arguments of the tmux program, which reads the input from its standard input: never from its
    /// arguments, which every user of the machine can see.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let mut all: Vec<OsString> = Vec::new();
        for command in &self.list {
            if !all.is_empty() {
                all.push(";".into());
            }
            match command {
                Command::Plain(arguments) => all.extend(arguments.iter().map(|a| tmux_argv(a))),
                Command::Load(buffer) => all.extend(["load-buffer", "-b", buffer, "-"].map(OsString::from)),
            }
        }
        all
    }

    /// Lines of control mode; `None` where the input must go to a process: `load-buffer -` reads nothing
    /// there, and says that all went well.
    pub(crate) fn lines(&self, input: &[u8]) -> Option<Lines> {
        if input.len() > LONGEST_INLINE || self.list.is_empty() {
            return None;
        }
        let rendered: Option<Vec<String>> = self.list.iter().map(|command| command.line(input)).collect();
        let single = matches!(&self.list[..], [command] if !command.is_nested());
        // Never an empty line: it would detach the client.
        Some(Lines { text: rendered?.join(" ; ") + "\n", single })
    }
}

impl Command {
    fn line(&self, input: &[u8]) -> Option<String> {
        match self {
            Self::Plain(arguments) => {
                let quoted: Option<Vec<_>> = arguments.iter().map(|a| tmux_quote(a.as_bytes())).collect();
                Some(quoted?.join(" "))
            }
            // Quoting does not hide a leading `-`.
            Self::Load(buffer) => Some(format!("set-buffer -b {buffer} -- {}", tmux_quote(input)?)),
        }
    }

    fn is_nested(&self) -> bool {
        matches!(self, Self::Plain(arguments) if arguments.first().is_some_and(|name| name == "if-shell"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paste() -> Commands {
        Commands::default().then(["has-session", "-t", "%5"]).then_load("b1").then(["x", "a;", ";"])
    }

    #[test]
    fn a_sequence_is_one_argv() {
        let expected =
            ["has-session", "-t", "%5", ";", "load-buffer", "-b", "b1", "-", ";", "x", "a\\;", "\\;"];
        assert_eq!(paste().arguments(), expected);
    }

    #[test]
    fn a_sequence_is_one_line() {
        let line = paste().lines(b"-R\n\"").unwrap();
        let expected = r#""has-session" "-t" "%5" ; set-buffer -b b1 -- "-R\012\042" ; "x" "a;" ";""#;
        assert_eq!(line, Lines { text: format!("{expected}\n"), single: false });
    }

    #[test]
    fn only_a_command_alone_is_answered_by_exactly_one_block() {
        let command = |name: &str| Commands::default().then([name]);
        let single = |commands: Commands| commands.lines(b"").unwrap().single;
        assert!(single(command("list-panes")));
        assert!(!single(command("if-shell")));
        assert!(!single(command("a").then(["b"])));
    }

    #[test]
    fn what_does_not_fit_in_a_line_has_none() {
        assert_eq!(paste().lines(&[b'x'; LONGEST_INLINE + 1]), None);
        assert_eq!(paste().lines(b"a\0"), None);
        assert_eq!(Commands::default().lines(b""), None);
    }
}
