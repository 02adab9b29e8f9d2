//! How a verb ends: its exit status, and the sentence that says why.

use std::process::ExitCode;

use agentmux_api::Failure;

use crate::output;

/// The exit statuses; `agentmux --help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    Done = 0,
    Error = 1,
    Usage = 2,
    Busy = 3,
    NeedsInput = 4,
    AgentFailed = 5,
    TimedOut = 124,
    Interrupted = 130,
}

impl Status {
    /// The status for the stable word of a refusal or of a failed turn.
    pub(crate) fn of_code(code: Option<&str>) -> Self {
        match code {
            Some(
                "busy" | "session_limit" | "queue_full" | "overloaded" | "limited" | "human_draft" | "draft",
            ) => Self::Busy,
            Some("needs_input" | "login") => Self::NeedsInput,
            Some("agent_exited" | "agent_error" | "session_killed" | "not_ready") => Self::AgentFailed,
            Some("timeout") => Self::TimedOut,
            _ => Self::Error,
        }
    }
}

/// An end whose result has been printed already; the sentence, if any, is for stderr.
#[derive(Debug)]
pub(crate) struct Ending {
    status: Status,
    sentence: Option<String>,
}

impl Ending {
    pub(crate) const DONE: Self = Self::silent(Status::Done);

    pub(crate) const fn silent(status: Status) -> Self {
        Self { status, sentence: None }
    }

    pub(crate) fn because(status: Status, sentence: impl Into<String>) -> Self {
        Self { status, sentence: Some(sentence.into()) }
    }

    /// Says the sentence.
    pub(crate) fn exit(self) -> ExitCode {
        if let Some(sentence) = self.sentence {
            output::complain(&format!("agentmux: {sentence}"));
        }
        ExitCode::from(self.status as u8)
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> Status {
        self.status
    }
}

/// An end without a result: nothing has been printed.
#[derive(Debug)]
pub(crate) struct Failed {
    status: Status,
    sentence: String,
    /// What the daemon said, where it was the daemon that refused.
    failure: Option<Box<Failure>>,
}

impl Failed {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self { status: Status::Error, sentence: sentence.into(), failure: None }
    }

    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self { status: Status::Usage, ..Self::new(sentence) }
    }

    pub(crate) fn timed_out(sentence: impl Into<String>) -> Self {
        Self { status: Status::TimedOut, ..Self::new(sentence) }
    }

    /// The user does not want to wait any longer.
    pub(crate) fn interrupted(sentence: impl Into<String>) -> Self {
        Self { status: Status::Interrupted, ..Self::new(sentence) }
    }

    /// The daemon refused.
    pub(crate) fn refused(failure: Failure) -> Self {
        let status = Status::of_code(failure.code.as_deref());
        Self { status, sentence: told(&failure), failure: Some(Box::new(failure)) }
    }

    /// The same refusal, said better.
    pub(crate) fn saying(self, sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), ..self }
    }

    /// The same, with more to it, where it was not the daemon that refused.
    pub(crate) fn unless_refused(self, more: impl FnOnce() -> String) -> Self {
        match (&self.failure, self.status) {
            (None, Status::Error | Status::TimedOut) => {
                Self { sentence: format!("{}; {}", self.sentence, more()), ..self }
            }
            _ => self,
        }
    }

    /// Prints the document of the refusal where one is expected.
    pub(crate) fn report(self, json: bool) -> Ending {
        if json && self.status != Status::Interrupted {
            let own = || Box::new(Failure { error: self.sentence.clone(), ..Failure::default() });
            // A failure to print is less than the failure that is being reported.
            let _ = output::document(&self.failure.unwrap_or_else(own));
        }
        Ending::because(self.status, self.sentence)
    }

    pub(crate) fn sentence(&self) -> &str {
        &self.sentence
    }
}

/// The daemon's sentence, or what the command line has for it, with the last screen of an agent that did not get ready.
fn told(failure: &Failure) -> String {
    let state = failure.state.as_deref().unwrap_or("busy");
    let sentence = match (failure.code.as_deref(), &failure.session) {
        (Some("busy"), Some(session)) => {
            format!("session {session} is {state}; what is done then is told by --if-busy")
        }
        (Some("needs_input"), Some(session)) => format!(
            "session {session} asks something: `agentmux show {session}` tells what, `agentmux answer {session}` answers it"
        ),
        _ => failure.error.clone(),
    };
    match failure.screen.as_deref().map(str::trim_end) {
        Some(screen) if !screen.trim().is_empty() => format!("{sentence}; its last screen:\n{screen}"),
        _ => sentence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_refusal_has_its_status() {
        for (code, status) in [
            (Some("busy"), 3),
            (Some("session_limit"), 3),
            (Some("limited"), 3),
            (Some("login"), 4),
            (Some("needs_input"), 4),
            (Some("agent_exited"), 5),
            (Some("timeout"), 124),
            (Some("no_active_session"), 1),
            (None, 1),
        ] {
            assert_eq!(Status::of_code(code) as u8, status, "{code:?}");
        }
    }

    #[test]
    fn a_session_that_takes_no_prompt_is_told_of_in_the_words_of_the_command_line() {
        let refused = |code: &str, state: &str| {
            let [code, session, state] = [code, "a", state].map(|word| Some(word.to_owned()));
            let failure =
                Failure { error: "see GET /x".to_owned(), code, session, state, ..Failure::default() };
            Failed::refused(failure).sentence().to_owned()
        };
        assert!(refused("busy", "starting").starts_with("session a is starting; "));
        assert!(refused("needs_input", "needs_input").contains("`agentmux answer a`"));
        assert_eq!(refused("agent_exited", "exited"), "see GET /x");
    }

    #[test]
    fn the_last_screen_is_told() {
        let failure = |screen: &str| Failure {
            error: "not ready".to_owned(),
            screen: Some(screen.to_owned()),
            ..Failure::default()
        };
        assert_eq!(Failed::refused(failure("\n")).sentence(), "not ready");
        assert_eq!(Failed::refused(failure("a\nb\n")).sentence(), "not ready; its last screen:\na\nb");
    }
}
