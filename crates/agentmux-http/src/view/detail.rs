//! Sessions, rules and events in the words of the endpoints by resource.

use agentmux_api as api;
use agentmux_core::events::Event;
use agentmux_core::question::{Asked, Choice};
use agentmux_core::reading::RuleOutcome;
use agentmux_core::registry::SessionView;
use agentmux_core::screen::{Exit, Screen};
use agentmux_core::signals::{Heard, SignalsView};
use agentmux_core::state::Evidence;
use serde::Serialize;

use super::{turn, utc_time};

/// A session.
pub(crate) fn session(session: &SessionView) -> api::SessionDetail {
    api::SessionDetail {
        name: session.name.to_string(),
        id: session.id.clone(),
        state: session.state.word().to_owned(),
        since: utc_time(session.evidence.since),
        evidence: evidence(&session.evidence),
        question: session.question.as_deref().map(question),
        policy: session.policy.word().to_owned(),
        agent: session.agent.clone(),
        workdir: session.workdir.clone(),
        target: session.target.clone(),
        active: session.active,
        context: session.context,
        exit: session.exit.map(exit),
        resets_at: session.resets_at.map(utc_time),
        lost: session.lost,
        turns: session.turns,
        contradictions: session.contradictions,
        started_at: utc_time(session.created_at),
        waited_out: None,
    }
}

/// What a screen's text does not say.
pub(crate) fn pane(screen: &Screen) -> api::Pane {
    api::Pane {
        columns: screen.columns,
        rows: screen.rows.len().saturating_sub(screen.scrolled_out),
        title: screen.title.clone(),
        cursor: (screen.cursor_column, screen.cursor_row),
        cursor_visible: !screen.cursor_hidden,
        alternate: screen.alternate,
    }
}

fn evidence(evidence: &Evidence) -> api::Evidence {
    api::Evidence {
        source: evidence.source.word().to_owned(),
        rule: evidence.rule.clone(),
        matched: evidence.matched.clone(),
    }
}

/// A question.
pub(crate) fn question(asked: &Asked) -> api::Question {
    let Asked { id, question } = asked;
    let option = |option: &Choice| api::Choice {
        number: option.number,
        label: option.label.clone(),
        description: option.description.clone(),
        selected: option.selected,
        ticked: option.ticked,
    };
    api::Question {
        id: id.clone(),
        kind: question.kind.word().to_owned(),
        text: question.text.clone(),
        options: question.options.iter().map(option).collect(),
        multiple: question.multiple,
        takes: question.takes.words().into_iter().map(str::to_owned).collect(),
    }
}

fn exit(exit: Exit) -> api::Exit {
    match exit {
        Exit::Status(status) => api::Exit { status: Some(status), signal: None },
        Exit::Signal(signal) => api::Exit { status: None, signal: Some(signal) },
        Exit::Unknown => api::Exit::default(),
    }
}

/// A session with what each rule says of its screen, and what its agent tells.
pub(crate) fn explanation(
    view: &SessionView,
    rules: Vec<RuleOutcome>,
    told: SignalsView,
) -> api::Explanation {
    let outcome = |rule: RuleOutcome| api::RuleOutcome {
        rule: rule.rule,
        state: rule.state.word().to_owned(),
        holds: rule.holds,
        matched: rule.matched,
    };
    api::Explanation {
        session: session(view),
        rules: rules.into_iter().map(outcome).collect(),
        signals: signals(told),
    }
}

fn signals(view: SignalsView) -> api::Signals {
    let event = |(event, means, heard): (String, &str, Option<Heard>)| api::SignalEvent {
        event,
        means: means.to_owned(),
        count: heard.map_or(0, |heard| heard.count),
        last_at: heard.map(|heard| utc_time(heard.last)),
    };
    api::Signals {
        health: view.health.word().to_owned(),
        why: view.why,
        events: view.events.into_iter().map(event).collect(),
    }
}

/// An event's name and its data.
pub(crate) fn event(event: &Event) -> (&'static str, String) {
    match event {
        Event::Session { name, id, state, evidence: why, question: asked, exit: end, resets_at } => {
            let document = api::SessionEvent {
                name: name.to_string(),
                id: id.clone(),
                state: state.word().to_owned(),
                since: utc_time(why.since),
                evidence: evidence(why),
                question: asked.as_deref().map(question),
                exit: end.map(exit),
                resets_at: resets_at.map(utc_time),
            };
            ("session", json(&document))
        }
        Event::Gone { name, id } => ("gone", json(&api::Gone { name: name.to_string(), id: id.clone() })),
        Event::Turn(changed) => ("turn", json(&turn(changed))),
    }
}

/// A document on one line.
pub(crate) fn json(document: &impl Serialize) -> String {
    serde_json::to_string(document).expect("wire types have text keys and no failing serializer")
}
