//! Why a call of tmux failed, by what tmux said.

use agentmux_core::terminal::TerminalError;

/// Why a call failed, by what tmux said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No server listens on the socket.
    NoServer,
    /// The server is ending, or speaks another protocol: tmux says the same of both.
    Exiting(String),
    /// What was aimed at is not there.
    Gone,
    /// The pane is there, its program has ended.
    Exited,
    /// A session of that name is there already.
    NameTaken,
    /// No answer, or no tmux.
    Unavailable(String),
    /// Anything else.
    Refused(String),
}

/// What a failed call means, by the text on its stderr (the same on 3.2a to 3.7 unless said otherwise).
pub(crate) fn classify(operation: &str, stderr: &str) -> Failure {
    let says = |text: &str| stderr.contains(text);
    let no_socket = says("error connecting to") && (says("(No such file") || says("(Connection refused"));
    if says("no server running on") || no_socket {
        Failure::NoServer
    } else if says("can't find pane") || says("can't find window") || says("can't find session") {
        Failure::Gone
    } else if says("no current target") {
        // A pane's id on a server that has no session left.
        Failure::Gone
    } else if says("target pane has exited") {
        Failure::Exited
    } else if says("duplicate session:") {
        Failure::NameTaken
    } else if says("server exited unexpectedly") || says("lost server") || says("protocol version mismatch") {
        Failure::Exiting(format!(
            "tmux {operation}: {stderr} (the server is ending, or was started by another version of tmux)"
        ))
    } else if says("error connecting to") || says("error creating") {
        Failure::Unavailable(format!("tmux {operation}: {stderr}"))
    } else if stderr.is_empty() {
        Failure::Refused(format!("tmux {operation}: failed without a message"))
    } else {
        Failure::Refused(format!("tmux {operation}: {stderr}"))
    }
}

/// Seen from an operation on a pane: where no server runs, the pane is gone.
impl From<Failure> for TerminalError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoServer | Failure::Gone => Self::Gone,
            Failure::Exited => Self::Exited,
            Failure::NameTaken => Self::NameTaken,
            Failure::Exiting(message) | Failure::Unavailable(message) => Self::Unavailable(message),
            Failure::Refused(message) => Self::Refused(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_tmux_have_one_meaning_each() {
        let exiting = |text: &str| {
            let hint = "(the server is ending, or was started by another version of tmux)";
            Failure::Exiting(format!("tmux read: {text} {hint}"))
        };
        let table = [
            ("error connecting to /s (No such file or directory)", Failure::NoServer),
            ("error connecting to /s (Connection refused)", Failure::NoServer),
            ("no server running on /s", Failure::NoServer),
            (
                "error connecting to /s (Permission denied)",
                Failure::Unavailable("tmux read: error connecting to /s (Permission denied)".into()),
            ),
            ("error creating /s", Failure::Unavailable("tmux read: error creating /s".into())),
            ("can't find pane: %7", Failure::Gone),
            ("can't find session: $3", Failure::Gone),
            ("no current target", Failure::Gone),
            ("target pane has exited", Failure::Exited),
            ("duplicate session: a", Failure::NameTaken),
            ("server exited unexpectedly", exiting("server exited unexpectedly")),
            (
                "protocol version mismatch (client 8, server 7)",
                exiting("protocol version mismatch (client 8, server 7)"),
            ),
            ("command too long", Failure::Refused("tmux read: command too long".into())),
            ("", Failure::Refused("tmux read: failed without a message".into())),
        ];
        for (stderr, meaning) in table {
            assert_eq!(classify("read", stderr), meaning, "{stderr}");
        }
    }
}
