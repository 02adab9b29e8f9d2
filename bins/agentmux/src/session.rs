//! The verbs about one session, by its name: `show`, `wait --session`, `interrupt`.

use std::time::Instant;

use agentmux_api::{Explanation, Interrupt, RuleOutcome, SessionDetail};

use crate::client::{Client, NO_FIELDS, escaped};
use crate::ending::{Ending, Failed, Status};
use crate::output::{on_one_line, table, told};
use crate::patience::{self, Patience};
use crate::{args, question, sessions};

pub(crate) async fn show(client: &Client, asked: args::Show, json: bool) -> Result<Ending, Failed> {
    let path = path(&sessions::named(client, asked.name).await?);
    if !asked.explain {
        let session: SessionDetail = client.get(&path, 0.0).await?;
        return told(json, &session, || described(&session));
    }
    let explanation: Explanation = client.get(&format!("{path}/explain"), 0.0).await?;
    told(json, &explanation, || {
        format!("{}\n\n{}", described(&explanation.session), explained(&explanation.rules))
    })
}

/// Waits until the session is in one of the states, in shares.
pub(crate) async fn wait(client: &Client, asked: &args::Wait, json: bool) -> Result<Ending, Failed> {
    let patience = Patience::new(asked.seconds.unwrap_or(f64::INFINITY));
    let until = asked.until.join(",");
    let mut key = asked.session.clone().unwrap_or_default();
    let session = loop {
        let (asked_at, wait) = (Instant::now(), patience.next());
        let path = format!("{}/wait?until={until}&wait={wait}", path(&key));
        let session: SessionDetail = client.get(&path, wait).await?;
        if session.waited_out.is_none() || patience.is_over() {
            break session;
        }
        patience::unhurried(asked_at, wait).await;
        // From now on it is this session, not a later one of its name.
        key = session.id;
    };
    told(json, &session, || format!("{} is {}", session.name, session.state))?;
    Ok(match session.waited_out {
        None => Ending::DONE,
        Some(_) => Ending::because(
            Status::TimedOut,
            format!("session {} is {}, not {}", session.name, session.state, asked.until.join(" or ")),
        ),
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
fn described(session: &SessionDetail) -> String {
    let evidence = &session.evidence;
    let mut lines = vec![
        ("state", session.state.clone()),
        ("since", session.since.clone()),
        ("because", format!("{} {}: {}", evidence.source, evidence.rule, on_one_line(&evidence.matched))),
        ("agent", format!("{} in {}", session.agent, session.workdir)),
        ("target", session.target.clone()),
        ("policy", session.policy.clone()),
        ("turns", session.turns.to_string()),
        ("started", session.started_at.clone()),
    ];
    lines.extend(session.context.map(|percent| ("context", format!("{percent} %"))));
    lines.extend(session.exit.map(|exit| ("exit", ended(exit))));
    if session.contradictions > 0 {
        lines.push(("contradictions", session.contradictions.to_string()));
    }
    let mark = match (session.lost, session.active) {
        (true, _) => " (gone from tmux)",
        (false, true) => " (active)",
        (false, false) => "",
    };
    let rows: Vec<_> = lines.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    let asks = session
        .question
        .as_ref()
        .map(|asked| format!("\n\n{}", question::told_with_hint(&session.name, asked)));
    format!("{} {}{mark}\n{}{}", session.name, session.id, table(&rows), asks.unwrap_or_default())
}

fn ended(exit: agentmux_api::Exit) -> String {
    match (exit.status, exit.signal) {
        (Some(status), _) => format!("status {status}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "nobody knows how".to_owned(),
    }
}

/// The rules as a table; the first that holds is marked.
fn explained(rules: &[RuleOutcome]) -> String {
    let heading = ["", "RULE", "STATE", "HOLDS", "MATCHED"].map(str::to_owned).to_vec();
    let decides = rules.iter().position(|rule| rule.holds);
    let row = |(index, rule): (usize, &RuleOutcome)| {
        let mark = if Some(index) == decides { "*" } else { "" };
        let holds = if rule.holds { "yes" } else { "no" };
        let cells = [mark, &rule.rule, &rule.state, holds, &on_one_line(&rule.matched)];
        cells.map(str::to_owned).to_vec()
    };
    let rows: Vec<_> = std::iter::once(heading).chain(rules.iter().enumerate().map(row)).collect();
    table(&rows)
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
            since: "2026-11-24T09:00:00Z".to_owned(),
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
            started_at: "2026-11-24T08:00:00Z".to_owned(),
            waited_out: None,
        }
    }

    #[test]
    fn a_session_is_described_with_its_evidence() {
        let wanted = [
            "a s-1 (active)",
            "state    exited",
            "since    2026-11-24T09:00:00Z",
            "because  process ended: status 3",
            "agent    demo in /x",
            "target   a:0.0",
            "policy   ask",
            "turns    0",
            "started  2026-11-24T08:00:00Z",
            "context  42 %",
            "exit     status 3",
        ];
        assert_eq!(described(&session()), wanted.join("\n"));
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
        assert_eq!(explained(&rules), wanted.join("\n"));
    }
}
