//! The verbs about one session: `start`, and by its name `show`, `wait --session`, `interrupt`.

use std::time::Instant;

use agentmux_api::{
    CommandLine, Explanation, Interrupt, RuleOutcome, SessionDetail, SignalEvent, Signals, StartRequest,
};

use crate::client::{Client, NO_FIELDS, START, escaped};
use crate::ending::{Ending, Failed, Status};
use crate::output::{Text, Tone, aligned, on_one_line, table, told};
use crate::patience::{self, Patience};
use crate::progress::Progress;
use crate::{args, question, sessions, times, turns, watch};

pub(crate) async fn show(client: &Client, asked: args::Show, json: bool) -> Result<Ending, Failed> {
    let path = path(&sessions::named(client, asked.name).await?);
    if !asked.explain {
        let session: SessionDetail = client.get(&path, 0.0).await?;
        return told(json, &session, || described(&session));
    }
    let explanation: Explanation = client.get(&format!("{path}/explain"), 0.0).await?;
    told(json, &explanation, || {
        let session = described(&explanation.session).and("\n\n").and(explained(&explanation.rules));
        session.and("\n\n").and(signalled(&explanation.signals))
    })
}

/// Waits until the session is in one of the states.
pub(crate) async fn wait(client: &Client, asked: &args::Wait, json: bool) -> Result<Ending, Failed> {
    let key = asked.session.clone().unwrap_or_default();
    let progress = Progress::new(format!("{key}: waiting"));
    let waited = async {
        tokio::select! {
            session = until_reached(client, asked, key.clone()) => session,
            never = watch::session(client, &key, &progress) => match never {},
        }
    };
    let session = progress.during(waited).await?;
    told(json, &session, || is(&session))?;
    Ok(match session.waited_out {
        None => Ending::DONE,
        Some(_) => Ending::because(
            Status::TimedOut,
            format!("session {} is {}, not {}", session.name, session.state, asked.until.join(" or ")),
        ),
    })
}

/// Waits in shares.
async fn until_reached(
    client: &Client,
    asked: &args::Wait,
    mut key: String,
) -> Result<SessionDetail, Failed> {
    let patience = Patience::new(asked.seconds.unwrap_or(f64::INFINITY));
    let until = asked.until.join(",");
    loop {
        let (asked_at, wait) = (Instant::now(), patience.next());
        let path = format!("{}/wait?until={until}&wait={wait}", path(&key));
        let session: SessionDetail = client.get(&path, wait).await?;
        if session.waited_out.is_none() || patience.is_over() {
            return Ok(session);
        }
        patience::unhurried(asked_at, wait).await;
        // From now on it is this session, not a later one of its name.
        key = session.id;
    }
}

fn is(session: &SessionDetail) -> Text {
    Text::from(format!("{} is ", session.name)).and(Text::state(&session.state))
}

/// Starts a session without a prompt, and waits until it is ready.
pub(crate) async fn start(client: &Client, asked: args::Start) -> Result<Ending, Failed> {
    let launch = asked.launch;
    let request = StartRequest {
        agent: launch.agent,
        command: launch.command.map(CommandLine::Line),
        workdir: launch.workdir.map(turns::absolute).transpose()?,
        env: (!launch.env.is_empty()).then(|| launch.env.into_iter().collect()),
        name: launch.name,
        size: launch.size,
        policy: launch.policy,
        wait: Some(START),
    };
    let progress = Progress::new("starting the agent");
    let session: SessionDetail = progress.during(client.post("/sessions", &request, START)).await?;
    told(asked.json, &session, || session.name.clone())?;
    Ok(match session.waited_out {
        None => Ending::DONE,
        Some(_) => {
            Ending::because(Status::TimedOut, format!("session {} is {} still", session.name, session.state))
        }
    })
}

pub(crate) async fn interrupt(client: &Client, name: Option<String>, json: bool) -> Result<Ending, Failed> {
    let path = path(&sessions::named(client, name).await?);
    let interrupt: Interrupt = client.post(&format!("{path}/interrupt"), &NO_FIELDS, 0.0).await?;
    told(json, &interrupt, || match interrupt.interrupted {
        true => format!("interrupted {}", interrupt.session),
        false => format!("{} does nothing that could be interrupted", interrupt.session),
    })
}

fn path(key: &str) -> String {
    format!("/sessions/{}", escaped(key))
}

/// What is known of a session, a line for each subject.
fn described(session: &SessionDetail) -> Text {
    let evidence = &session.evidence;
    let matched = Some(on_one_line(&evidence.matched)).filter(|text| !text.is_empty());
    let matched = matched.map(|text| format!(": {text}")).unwrap_or_default();
    let rule = Some(&evidence.rule).filter(|rule| **rule != evidence.source);
    let rule = rule.map(|rule| format!(" {rule}")).unwrap_or_default();
    let because = format!("{}{rule}{matched}", evidence.source);
    let ago = |time: &str| match times::since(time) {
        Some(passed) => format!("{} ({} ago)", times::local(time), times::span(passed)),
        None => times::local(time),
    };
    let mut lines: Vec<(&str, Text)> = vec![
        ("state", Text::state(&session.state)),
        ("since", ago(&session.since).into()),
        ("because", because.into()),
        ("agent", format!("{} in {}", session.agent, session.workdir).into()),
        ("target", session.target.as_str().into()),
        ("policy", session.policy.as_str().into()),
        ("turns", format!("{} waiting or going on", session.turns).into()),
        ("started", ago(&session.started_at).into()),
    ];
    lines.extend(session.resets_at.as_ref().map(|time| ("resets at", times::local(time).into())));
    lines.extend(session.context.map(|percent| ("context", format!("{percent} %").into())));
    lines.extend(session.exit.map(|exit| ("exit", ended(exit).into())));
    if session.contradictions > 0 {
        lines.push(("contradictions", session.contradictions.to_string().into()));
    }
    let mark = match (session.lost, session.active) {
        (true, _) => " (gone from tmux)",
        (false, true) => " (active)",
        (false, false) => "",
    };
    let rows = lines.into_iter().map(|(name, value)| [name.into(), value]);
    let heading = Text::toned(Tone::Heading, session.name.as_str()).and(format!(" {}{mark}\n", session.id));
    let described = heading.and(aligned(rows));
    match &session.question {
        Some(asked) => described.and(format!("\n\n{}", question::told_with_hint(&session.name, asked))),
        None => described,
    }
}

fn ended(exit: agentmux_api::Exit) -> String {
    match (exit.status, exit.signal) {
        (Some(status), _) => format!("status {status}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "nobody knows how".to_owned(),
    }
}

/// The rules as a table; the first that holds is marked.
fn explained(rules: &[RuleOutcome]) -> Text {
    let decides = rules.iter().position(|rule| rule.holds);
    let row = |(index, rule): (usize, &RuleOutcome)| {
        let mark = if Some(index) == decides { "*" } else { "" };
        let holds = if rule.holds { "yes" } else { "no" };
        [mark, &rule.rule, &rule.state, holds, &on_one_line(&rule.matched)].map(Text::from)
    };
    table(["", "RULE", "STATE", "HOLDS", "MATCHED"], rules.iter().enumerate().map(row))
}

/// What its agent tells of itself, and how often it did.
fn signalled(signals: &Signals) -> Text {
    let health = Text::from(format!("signals: {}, {}", signals.health, on_one_line(&signals.why)));
    if signals.events.is_empty() {
        return health;
    }
    let row = |event: &SignalEvent| {
        let last = event.last_at.as_deref().map(times::local).unwrap_or_default();
        [&event.event, &event.means, &event.count.to_string(), &last].map(|cell| cell.as_str().into())
    };
    health.and("\n").and(table(["EVENT", "MEANS", "COUNT", "LAST"], signals.events.iter().map(row)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agentmux_api::{Evidence, Exit};

    fn session() -> SessionDetail {
        SessionDetail {
            name: "a".to_owned(),
            id: "s-1".to_owned(),
            state: "exited".to_owned(),
            since: "once".to_owned(),
            evidence: Evidence {
                source: "process".to_owned(),
                rule: "ended".to_owned(),
                matched: "status 3".to_owned(),
            },
            question: None,
            policy: "ask".to_owned(),
            agent: "demo".to_owned(),
            workdir: "/x".to_owned(),
            target: "a:0.0".to_owned(),
            active: true,
            context: Some(42),
            exit: Some(Exit { status: Some(3), signal: None }),
            resets_at: None,
            lost: false,
            turns: 0,
            contradictions: 0,
            started_at: "before".to_owned(),
            waited_out: None,
        }
    }

    #[test]
    fn a_session_is_described_with_its_evidence() {
        let wanted = [
            "a s-1 (active)",
            "state    exited",
            "since    once",
            "because  process ended: status 3",
            "agent    demo in /x",
            "target   a:0.0",
            "policy   ask",
            "turns    0 waiting or going on",
            "started  before",
            "context  42 %",
            "exit     status 3",
        ];
        assert_eq!(described(&session()).to_string(), wanted.join("\n"));
    }

    #[test]
    fn what_the_agent_tells_of_itself_is_told_with_how_often() {
        let event =
            SignalEvent { event: "Stop".to_owned(), means: "done".to_owned(), count: 2, last_at: None };
        let signals = Signals { health: "live".to_owned(), why: "it tells".to_owned(), events: vec![event] };
        let wanted = ["signals: live, it tells", "EVENT  MEANS  COUNT  LAST", "Stop   done   2"];
        assert_eq!(signalled(&signals).to_string(), wanted.join("\n"));
    }

    #[test]
    fn the_rule_that_decides_is_marked() {
        let rule = |rule: &str, holds, matched: &str| RuleOutcome {
            rule: rule.to_owned(),
            state: "busy".to_owned(),
            holds,
            matched: matched.to_owned(),
        };
        let rules = [rule("a", false, ""), rule("b", true, "x\n y"), rule("c", true, "")];
        let wanted = [
            "   RULE  STATE  HOLDS  MATCHED",
            "   a     busy   no",
            "*  b     busy   yes    x y",
            "   c     busy   yes",
        ];
        assert_eq!(explained(&rules).to_string(), wanted.join("\n"));
    }
}
