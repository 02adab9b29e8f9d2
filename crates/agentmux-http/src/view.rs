//! Core values in the words of the wire.

pub(crate) mod agent;
pub(crate) mod detail;

use std::time::SystemTime;

use agentmux_api as api;
use agentmux_core::registry::SessionView;
use agentmux_core::state::State;
use agentmux_core::turn::{Failure, Turn};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A session in the inherited form.
pub(crate) fn session(session: &SessionView) -> api::Session {
    api::Session {
        name: session.name.to_string(),
        status: status(session).to_owned(),
        created_at: local_time(session.created_at, TimeZone::system()),
        target: session.target.clone(),
        tmux_exists: session.lost.then_some(false),
        idle: None,
        ctx_percent: None,
    }
}

/// The same, with what `/health` adds for the active session: null where there is nothing to read.
pub(crate) fn session_with_health(view: &SessionView) -> api::Session {
    let known = |value: Option<_>| view.active.then_some(value);
    api::Session {
        idle: known((!view.lost).then_some(view.state == State::Idle)),
        ctx_percent: view.active.then_some(view.context.filter(|_| !view.lost)),
        ..session(view)
    }
}

/// The active session for `/idle`; an ended agent is never idle, and is said to have ended.
pub(crate) fn idle(session: &SessionView) -> api::Idle {
    let exited = session.state == State::Exited || session.lost;
    api::Idle {
        idle: session.state == State::Idle && !exited,
        ctx_percent: session.context.filter(|_| !session.lost),
        session: session.name.to_string(),
        state: exited.then(|| State::Exited.word().to_owned()),
    }
}

/// The inherited word for what a session does.
fn status(session: &SessionView) -> &'static str {
    match session.state {
        State::Starting => "creating",
        State::Exited => "error",
        State::Idle | State::Draft | State::Busy | State::NeedsInput | State::Limited | State::Unknown => {
            if session.active {
                "active"
            } else {
                "completed"
            }
        }
    }
}

/// A turn.
pub(crate) fn turn(turn: &Turn) -> api::Turn {
    let usage = turn.usage;
    api::Turn {
        id: turn.id.to_string(),
        session: turn.session.to_string(),
        session_id: turn.session_id.clone(),
        state: turn.state.word().to_owned(),
        question: turn.question.as_deref().map(detail::question),
        delivery: turn
            .confirmed
            .map(|confirmed| if confirmed { "confirmed" } else { "unconfirmed" }.to_owned()),
        receipt: turn.receipt.map(|source| source.word().to_owned()),
        transformed: turn.transformed.then_some(true),
        reply: turn.reply.clone(),
        reply_source: turn.reply_source.map(str::to_owned),
        context: usage.context,
        tokens: (usage.input.is_some() || usage.output.is_some())
            .then_some(api::Tokens { input: usage.input, output: usage.output }),
        cost: usage.cost,
        error: turn.failure.as_ref().map(problem),
        accepted_at: utc_time(turn.accepted_at),
        submitted_at: turn.submitted_at.map(utc_time),
        confirmed_at: turn.confirmed_at.map(utc_time),
        finished_at: turn.finished_at.map(utc_time),
        held_until: turn.held_until.map(utc_time),
        waited_out: None,
    }
}

fn problem(failure: &Failure) -> api::Problem {
    api::Problem { error: failure.message.clone(), code: Some(failure.code.to_owned()) }
}

/// `YYYY-MM-DD HH:MM:SS`, as clocks on the wall show it there.
fn local_time(time: SystemTime, zone: TimeZone) -> String {
    timestamp(time).to_zoned_datetime(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// RFC 3339 with milliseconds, in UTC.
fn utc_time(time: SystemTime) -> String {
    format!("{:.3}", timestamp(time))
}

/// A clock that is set beyond the year 9999 shows 1970.
fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use agentmux_core::input::SessionName;
    use agentmux_core::state::{Evidence, Source};

    fn at(seconds: f64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds)
    }

    fn view(state: State, active: bool) -> SessionView {
        let since = SystemTime::UNIX_EPOCH;
        SessionView {
            name: SessionName::parse("a").unwrap(),
            id: "s-1".into(),
            agent: "claude".into(),
            state,
            evidence: Evidence { source: Source::Screen, rule: String::new(), matched: String::new(), since },
            question: None,
            policy: agentmux_core::question::Policy::Ask,
            created_at: at(0.0),
            target: "a:0.0".into(),
            workdir: "/".into(),
            active,
            context: Some(42),
            lost: false,
            exit: None,
            resets_at: None,
            turns: 0,
            contradictions: 0,
        }
    }

    #[test]
    fn states_have_their_inherited_words() {
        for (state, active, word) in [
            (State::Starting, true, "creating"),
            (State::Exited, true, "error"),
            (State::Busy, true, "active"),
            (State::NeedsInput, true, "active"),
            (State::Idle, false, "completed"),
            (State::Unknown, false, "completed"),
        ] {
            assert_eq!(session(&view(state, active)).status, word);
        }
    }

    #[test]
    fn only_the_active_session_has_health_and_a_lost_one_has_nulls() {
        let document = |view: &SessionView| serde_json::to_value(session_with_health(view)).unwrap();
        let active = document(&view(State::Idle, true));
        assert_eq!((&active["idle"], &active["ctx_percent"]), (&true.into(), &42.into()));
        assert!(active.get("tmux_exists").is_none());
        let other = document(&view(State::Idle, false));
        assert!(other.get("idle").is_none() && other.get("ctx_percent").is_none());
        let lost = document(&SessionView { lost: true, ..view(State::Exited, true) });
        assert!(lost["idle"].is_null() && lost["ctx_percent"].is_null() && lost["tmux_exists"] == false);
        assert!(lost.as_object().unwrap().contains_key("idle"));
    }

    #[test]
    fn only_an_idle_agent_is_idle_and_an_ended_one_says_so() {
        for state in
            [State::Starting, State::Draft, State::Busy, State::NeedsInput, State::Limited, State::Unknown]
        {
            let document = idle(&view(state, true));
            assert_eq!((document.idle, document.state), (false, None), "{state}");
        }
        assert!(idle(&view(State::Idle, true)).idle);
        let exited = idle(&view(State::Exited, true));
        assert_eq!((exited.idle, exited.state.as_deref()), (false, Some("exited")));
    }

    #[test]
    fn times_are_local_where_inherited_and_utc_where_new() {
        let east = TimeZone::fixed(jiff::tz::offset(9));
        assert_eq!(local_time(at(0.0), east), "1970-01-01 09:00:00");
        assert_eq!(utc_time(at(1_795_510_800.25)), "2026-11-24T09:00:00.250Z");
    }
}
