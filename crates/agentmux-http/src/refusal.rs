//! Every answer that is not a success, and the one table that gives core errors their status and code.

use std::time::{Duration, SystemTime};

use agentmux_api::Failure;
use agentmux_core::error::Error;
use agentmux_core::input::Invalid;
use agentmux_core::state::State;
use agentmux_core::terminal::TerminalError;
use hyper::StatusCode;
use hyper::header::{self, HeaderName, HeaderValue};

use crate::limits::MAX_STREAMS;
use crate::reply::Reply;

/// Why a request is not answered as it would like.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    failure: Box<Failure>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &str, error: impl Into<String>) -> Self {
        let failure = Failure { error: error.into(), code: Some(code.to_owned()), ..Failure::default() };
        Self { status, failure: Box::new(failure), headers: Vec::new() }
    }

    /// 400 with this sentence.
    pub(crate) fn invalid(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", error)
    }

    /// The inherited answer to a missing or wrong token, whatever was wrong about it.
    pub(crate) fn forbidden() -> Self {
        Self::inherited(StatusCode::FORBIDDEN, "forbidden")
            .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// The inherited answer to a path that is not in the table.
    pub(crate) fn no_such_path() -> Self {
        Self::inherited(StatusCode::NOT_FOUND, "not found")
    }

    fn inherited(status: StatusCode, error: &str) -> Self {
        let failure = Failure { error: error.to_owned(), ..Failure::default() };
        Self { status, failure: Box::new(failure), headers: Vec::new() }
    }

    pub(crate) fn method_not_allowed(allow: &str) -> Self {
        let error = format!("this path takes {allow}");
        let allow = HeaderValue::from_str(allow).expect("methods are plain words");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", error).with(header::ALLOW, allow)
    }

    pub(crate) fn overloaded() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "too many requests are at work; try later")
            .retry_after(1)
    }

    pub(crate) fn too_many_streams() -> Self {
        let error = format!("{MAX_STREAMS} streams of events are open already; try later");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_streams", error).retry_after(5)
    }

    /// Something that is planned, and would be wrong to ignore.
    pub(crate) fn unsupported(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unsupported", error)
    }

    /// The operation takes long; it is not stopped.
    pub(crate) fn unfinished(after: Duration) -> Self {
        let error = format!("not finished after {} s; it goes on without this request", after.as_secs());
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unfinished", error)
    }

    /// A defect of ours; the log has what happened.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "internal error; the daemon's log has more")
    }

    /// The same refusal with one more header.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same refusal, after which the connection is closed: what follows on it cannot be trusted.
    pub(crate) fn closing(self) -> Self {
        self.with(header::CONNECTION, HeaderValue::from_static("close"))
    }

    fn retry_after(self, seconds: u32) -> Self {
        self.with(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    fn about(mut self, session: impl ToString, state: State) -> Self {
        self.failure.session = Some(session.to_string());
        self.failure.state = Some(state.word().to_owned());
        self
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    #[cfg(test)]
    pub(crate) fn failure(&self) -> &Failure {
        &self.failure
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let reply = Self::new(refusal.status, &refusal.failure);
        refusal.headers.into_iter().fold(reply, |reply, (name, value)| reply.with(name, value))
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        match invalid.too_large {
            true => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", invalid.message),
            false => Self::invalid(invalid.message),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        const NOT_FOUND: StatusCode = StatusCode::NOT_FOUND;
        const CONFLICT: StatusCode = StatusCode::CONFLICT;
        const UNAVAILABLE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
        let sentence = error.to_string();
        match error {
            Error::Invalid(invalid) => invalid.into(),
            Error::NoActiveSession => Self::new(NOT_FOUND, "no_active_session", sentence),
            Error::SessionNotFound(_) => Self::new(NOT_FOUND, "session_not_found", sentence),
            Error::TurnNotFound(_) => Self::new(NOT_FOUND, "turn_not_found", sentence),
            Error::NotManaged => Self::new(StatusCode::BAD_REQUEST, "not_managed", sentence),
            Error::Busy { session, state } => {
                busy(Self::new(CONFLICT, "busy", sentence).about(session, state))
            }
            Error::NeedsInput { session } => {
                Self::new(CONFLICT, "needs_input", sentence).about(session, State::NeedsInput)
            }
            Error::NoQuestion { .. } => Self::new(CONFLICT, "no_question", sentence),
            Error::QuestionChanged { .. } => Self::new(CONFLICT, "question_changed", sentence),
            Error::QuestionUnknown { session, screen } => {
                let mut refusal = Self::new(CONFLICT, "question_unknown", sentence);
                refusal.failure.screen = Some(screen);
                refusal.about(session, State::NeedsInput)
            }
            Error::NotAnswerable { session, .. } => {
                Self::new(CONFLICT, "not_answerable", sentence).about(session, State::NeedsInput)
            }
            Error::NotAnswered { .. } => Self::new(CONFLICT, "not_answered", sentence),
            Error::Answering { .. } => Self::new(CONFLICT, "answering", sentence),
            Error::Limited { session, held_until } => limited(
                Self::new(StatusCode::TOO_MANY_REQUESTS, "limited", sentence).about(session, State::Limited),
                held_until,
            ),
            Error::Special { .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "special", sentence),
            Error::HumanDraft { session } => {
                Self::new(CONFLICT, "human_draft", sentence).about(session, State::Draft)
            }
            Error::AgentExited { session, .. } => {
                Self::new(CONFLICT, "agent_exited", sentence).about(session, State::Exited)
            }
            Error::SessionLimit(_) => Self::new(CONFLICT, "session_limit", sentence),
            Error::QueueFull { .. } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "queue_full", sentence).retry_after(5)
            }
            Error::NameTaken(_) => Self::new(CONFLICT, "name_taken", sentence),
            Error::NotReady { screen, .. } => not_ready(sentence, screen),
            Error::NotDelivered { code, message } => Self::new(undelivered(code), code, message),
            Error::Terminal(cause) => terminal(&cause, sentence),
            Error::ShuttingDown => Self::new(UNAVAILABLE, "draining", sentence),
        }
    }
}

/// The inherited answer of a busy session says so twice.
fn busy(mut refusal: Refusal) -> Refusal {
    refusal.failure.ok = Some(false);
    refusal.failure.busy = Some(true);
    refusal
}

/// Says when to come back: in a second at the earliest, in a day at the latest.
fn limited(refusal: Refusal, held_until: SystemTime) -> Refusal {
    let left = held_until.duration_since(SystemTime::now()).unwrap_or_default();
    refusal.retry_after(u32::try_from(left.as_secs() + 1).unwrap_or(u32::MAX).min(86_400))
}

fn not_ready(sentence: String, screen: String) -> Refusal {
    let mut refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", sentence);
    refusal.failure.screen = Some(screen);
    refusal
}

/// A turn that failed before its prompt was there: the session's condition (409), or ours and the terminal's
/// (503).
fn undelivered(code: &str) -> StatusCode {
    match code {
        "agent_exited" | "session_killed" => StatusCode::CONFLICT,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn terminal(error: &TerminalError, sentence: String) -> Refusal {
    let (status, code) = match error {
        TerminalError::Gone | TerminalError::Exited => (StatusCode::CONFLICT, "agent_exited"),
        TerminalError::NameTaken => (StatusCode::CONFLICT, "name_taken"),
        TerminalError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "tmux_unavailable"),
        TerminalError::Refused(_) => (StatusCode::SERVICE_UNAVAILABLE, "tmux_refused"),
    };
    Refusal::new(status, code, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use agentmux_core::input::SessionName;

    fn name() -> SessionName {
        SessionName::parse("a").unwrap()
    }

    fn document(refusal: &Refusal) -> String {
        serde_json::to_string(refusal.failure()).unwrap()
    }

    #[test]
    fn a_busy_session_gets_the_inherited_document_and_two_fields() {
        let refusal = Refusal::from(Error::Busy { session: name(), state: State::Busy });
        assert_eq!(refusal.status(), 409);
        assert_eq!(
            document(&refusal),
            concat!(
                r#"{"ok":false,"busy":true,"error":"Agent is busy, previous task still running","#,
                r#""code":"busy","session":"a","state":"busy"}"#
            )
        );
    }

    #[test]
    fn a_bad_token_and_an_unknown_path_get_exactly_the_inherited_documents() {
        assert_eq!(document(&Refusal::forbidden()), r#"{"error":"forbidden"}"#);
        assert_eq!(document(&Refusal::no_such_path()), r#"{"error":"not found"}"#);
    }

    #[test]
    fn each_core_error_has_its_status_and_code() {
        let invalid = |too_large| Error::Invalid(Invalid { message: "x".into(), too_large });
        let delivery = |code| Error::NotDelivered { code, message: "x".into() };
        let unavailable = Error::Terminal(TerminalError::Unavailable("no server".into()));
        for (error, status, code) in [
            (invalid(false), 400, "invalid"),
            (invalid(true), 413, "too_large"),
            (Error::NoActiveSession, 404, "no_active_session"),
            (Error::SessionNotFound("x".into()), 404, "session_not_found"),
            (Error::NotManaged, 400, "not_managed"),
            (Error::SessionLimit(10), 409, "session_limit"),
            (Error::QueueFull { session: name(), limit: 100 }, 429, "queue_full"),
            (Error::HumanDraft { session: name() }, 409, "human_draft"),
            (Error::NoQuestion { session: name() }, 409, "no_question"),
            (Error::QuestionChanged { session: name() }, 409, "question_changed"),
            (Error::QuestionUnknown { session: name(), screen: "x".into() }, 409, "question_unknown"),
            (Error::NotAnswerable { session: name(), message: "x".into() }, 409, "not_answerable"),
            (Error::NotAnswered { session: name() }, 409, "not_answered"),
            (Error::Answering { session: name() }, 409, "answering"),
            (Error::Limited { session: name(), held_until: SystemTime::now() }, 429, "limited"),
            (Error::Special { agent: "x".into(), what: "ends".into() }, 422, "special"),
            (delivery("agent_exited"), 409, "agent_exited"),
            (delivery("tmux_unavailable"), 503, "tmux_unavailable"),
            (unavailable, 503, "tmux_unavailable"),
            (Error::ShuttingDown, 503, "draining"),
        ] {
            let refusal = Refusal::from(error);
            assert_eq!((refusal.status().as_u16(), refusal.failure().code.as_deref()), (status, Some(code)));
        }
    }

    #[test]
    fn a_session_that_did_not_get_ready_shows_its_screen() {
        let message = "new session did not become ready".to_owned();
        let refusal = Refusal::from(Error::NotReady { message, screen: "no login".into(), exit: None });
        assert_eq!(refusal.status(), 503);
        assert_eq!(
            document(&refusal),
            r#"{"error":"new session did not become ready","code":"not_ready","screen":"no login"}"#
        );
    }
}
