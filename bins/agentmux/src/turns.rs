//! The verbs about turns: `run` and `send` give prompts, `wait` waits for replies; `turns`, `cancel`.

use std::time::Instant;

use agentmux_api::{CommandLine, Run, RunRequest, Send, SendRequest, Turn, Turns};

use crate::client::{Client, NO_FIELDS, START, escaped};
use crate::ending::{Ending, Failed, Status};
use crate::interruption::unless_interrupted;
use crate::output::{Text, Tone, told};
use crate::patience::{self, Patience};
use crate::progress::Progress;
use crate::{args, output, prompt, question, times, watch};

pub(crate) async fn run(client: &Client, asked: args::Run) -> Result<Ending, Failed> {
    let patience = asked.waiting.wait.map(Patience::new);
    let launch = asked.launch;
    let request = RunRequest {
        text: prompt::read(asked.prompt)?,
        agent: launch.agent,
        command: launch.command.map(CommandLine::Line),
        workdir: launch.workdir.map(absolute).transpose()?,
        env: (!launch.env.is_empty()).then(|| launch.env.into_iter().collect()),
        name: launch.name,
        size: launch.size,
        timeout: asked.waiting.timeout,
        if_busy: asked.if_busy,
        policy: launch.policy,
        raw: asked.as_text.then_some(false),
        ..RunRequest::default()
    };
    let progress = Progress::new("starting the agent");
    let mut answer: Run = give(client.post("/run", &request, START), &progress).await?;
    let Some(patience) = patience else {
        return accepted(asked.json, &answer, &answer.turn);
    };
    answer.turn = follow(client, answer.turn, &patience, &progress).await?;
    answer.waited_out = is_going(&answer.turn).then_some(true);
    result(asked.json, &answer, &answer.turn)
}

pub(crate) async fn send(client: &Client, asked: args::Send, json: bool) -> Result<Ending, Failed> {
    let patience = asked.waiting.wait.map(Patience::new);
    let request = SendRequest {
        text: prompt::read(asked.prompt)?,
        session: asked.session,
        timeout: asked.waiting.timeout,
        if_busy: asked.if_busy,
        policy: asked.policy,
        raw: asked.as_text.then_some(false),
        ..SendRequest::default()
    };
    let progress = Progress::new("sending the prompt");
    let mut answer: Send = give(client.post("/send", &request, 0.0), &progress).await?;
    let Some(turn) = answer.turn.take() else {
        return Err(Failed::new("the daemon has typed the prompt, but made no turn of it"));
    };
    let turn = match &patience {
        Some(patience) => follow(client, turn, patience, &progress).await?,
        None => turn,
    };
    answer.waited_out = (patience.is_some() && is_going(&turn)).then_some(true);
    answer.turn = Some(turn.clone());
    if patience.is_some() { result(json, &answer, &turn) } else { accepted(json, &answer, &turn) }
}

pub(crate) async fn wait(
    client: &Client,
    turn: &str,
    seconds: Option<f64>,
    json: bool,
) -> Result<Ending, Failed> {
    let patience = Patience::new(seconds.unwrap_or(f64::INFINITY));
    let turn = look(client, turn, 0.0).await?;
    let turn = follow(client, turn, &patience, &Progress::new("waiting")).await?;
    result(json, &turn, &turn)
}

pub(crate) async fn list(client: &Client, asked: &args::Turns, json: bool) -> Result<Ending, Failed> {
    let given = |name: &str, value: Option<&str>| {
        value.map(|value| format!("&{name}={}", escaped(value))).unwrap_or_default()
    };
    let (session, state) =
        (given("session", asked.session.as_deref()), given("state", asked.state.as_deref()));
    let turns: Turns = client.get(&format!("/turns?limit={}{session}{state}", asked.limit), 0.0).await?;
    told(json, &turns, || listed(&turns.turns))
}

pub(crate) async fn cancel(client: &Client, turn: &str, json: bool) -> Result<Ending, Failed> {
    let path = format!("/turns/{}/cancel", escaped(turn));
    let turn: Turn = client.post(&path, &NO_FIELDS, 0.0).await?;
    told(json, &turn, || match is_going(&turn) {
        true => format!("turn {} is {} still; its agent has been interrupted", turn.id, turn.state),
        false => format!("turn {} is {}", turn.id, turn.state),
    })
}

/// The turns as a table.
fn listed(turns: &[Turn]) -> Text {
    if turns.is_empty() {
        return "no turns".into();
    }
    let row = |turn: &Turn| {
        let mut state = Text::state(&turn.state);
        if let Some(problem) = &turn.error {
            let code = problem.code.as_deref().unwrap_or("?");
            state = state.and(": ").and(Text::toned(Tone::of_state(&turn.state), code));
        }
        if let Some(until) = &turn.held_until {
            state = state.and(format!(" until {}", times::near(until)));
        }
        let took = match &turn.finished_at {
            Some(finished) => times::between(&turn.accepted_at, finished),
            None => times::since(&turn.accepted_at),
        };
        let took = took.map(times::span).unwrap_or_default();
        let (id, session) = (turn.id.as_str(), turn.session.as_str());
        [id.into(), session.into(), state, times::local(&turn.accepted_at).into(), took.into()]
    };
    output::table(["TURN", "SESSION", "STATE", "ACCEPTED", "TOOK"], turns.iter().map(row))
}

/// The prompt is with the daemon: its turn's id is what one waits with.
fn accepted(json: bool, document: &impl serde::Serialize, turn: &Turn) -> Result<Ending, Failed> {
    if json {
        output::document(document)?
    } else {
        output::text(turn.id.as_str())?
    }
    Ok(Ending::DONE)
}

/// The turn has ended, or the waiting has.
fn result(json: bool, document: &impl serde::Serialize, turn: &Turn) -> Result<Ending, Failed> {
    if json {
        output::document(document)?;
    } else if turn.state == "done" {
        turn.reply.as_deref().map_or(Ok(()), output::text)?;
    }
    Ok(ending(turn))
}

fn ending(turn: &Turn) -> Ending {
    let Turn { id, session, state, .. } = turn;
    match state.as_str() {
        "done" if turn.reply.is_none() => Ending::because(
            Status::Done,
            format!(
                "the agent has finished, but what it said is not known: it did not tell, and its screen shows no \
                 beginning of it; `agentmux attach {session}` shows what there is"
            ),
        ),
        "done" => Ending::DONE,
        "needs_input" => Ending::because(
            Status::NeedsInput,
            match &turn.question {
                Some(asked) => {
                    format!("{}, then `agentmux wait {id}`", question::told_with_hint(session, asked))
                }
                None => format!(
                    "the agent asks something: answer by `agentmux attach {session}`, then `agentmux wait {id}`"
                ),
            },
        ),
        "cancelled" | "interrupted" => Ending::because(Status::Interrupted, format!("turn {id} was {state}")),
        "unconfirmed" => Ending::because(
            Status::AgentFailed,
            format!(
                "nothing shows that the agent took the prompt; `agentmux attach {session}` shows its screen"
            ),
        ),
        "failed" => failed(turn),
        _ if turn.held_until.is_some() => Ending::because(
            Status::Busy,
            format!(
                "the agent is at its usage limit: turn {id} goes on at {}; `agentmux wait {id}` waits on",
                turn.held_until.as_deref().map(times::near).unwrap_or_default()
            ),
        ),
        _ => Ending::because(
            Status::TimedOut,
            format!("turn {id} is {state} still; `agentmux wait {id}` waits on"),
        ),
    }
}

fn failed(turn: &Turn) -> Ending {
    let Some(problem) = &turn.error else {
        return Ending::because(Status::AgentFailed, format!("turn {} failed", turn.id));
    };
    let status = match Status::of_code(problem.code.as_deref()) {
        Status::Error => Status::AgentFailed,
        status => status,
    };
    Ending::because(status, format!("turn {} failed: {}", turn.id, problem.error))
}

/// Gives a prompt to the daemon, which goes on with it whatever becomes of this program.
async fn give<T>(answer: impl Future<Output = Result<T, Failed>>, progress: &Progress) -> Result<T, Failed> {
    let hint = || "interrupted; the daemon goes on with the prompt: see `agentmux turns`".to_owned();
    unless_interrupted(progress.during(answer), hint).await
}

/// Waits until the turn ends, asks something, or is held by a usage limit that may outlast the patience.
async fn follow(
    client: &Client,
    turn: Turn,
    patience: &Patience,
    progress: &Progress,
) -> Result<Turn, Failed> {
    let Turn { id, session, .. } = turn.clone();
    let waited = Box::pin(async {
        tokio::select! {
            turn = until_ended(client, turn.clone(), patience) => turn,
            never = watch::turn(client, &turn, progress) => match never {},
        }
    });
    let hint = || {
        format!(
            "interrupted; the turn goes on: `agentmux wait {id}` waits for it, `agentmux cancel {id}` ends it"
        )
    };
    let turn = unless_interrupted(progress.during(waited), hint).await;
    turn.map_err(|failed| failed.unless_refused(|| format!("session {session} keeps its agent")))
}

async fn until_ended(client: &Client, mut turn: Turn, patience: &Patience) -> Result<Turn, Failed> {
    let is_held = |turn: &Turn| turn.held_until.is_some() && !patience.is_endless();
    while is_going(&turn) && !is_held(&turn) && !patience.is_over() {
        let (asked_at, wait) = (Instant::now(), patience.next());
        turn = look(client, &turn.id, wait).await?;
        if is_going(&turn) {
            patience::unhurried(asked_at, wait).await;
        }
    }
    Ok(turn)
}

async fn look(client: &Client, turn: &str, wait: f64) -> Result<Turn, Failed> {
    client.get(&format!("/turns/{}?wait={wait}", escaped(turn)), wait).await
}

/// Whether waiting may still change it.
pub(crate) fn is_going(turn: &Turn) -> bool {
    matches!(turn.state.as_str(), "queued" | "delivering" | "working")
}

/// A folder as this shell means it; the daemon stands elsewhere. The daemon expands a `~` at the beginning.
pub(crate) fn absolute(folder: String) -> Result<String, Failed> {
    if folder.is_empty() || folder.starts_with('~') {
        return Ok(folder);
    }
    let path = std::path::absolute(&folder).map_err(|error| Failed::new(format!("{folder}: {error}")))?;
    path.into_os_string()
        .into_string()
        .map_err(|_| Failed::new(format!("{folder}: its path is not UTF-8 text")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agentmux_api::Problem;
    use agentmux_core::turn::TURN_STATES;

    fn turn(state: &str, code: Option<&str>) -> Turn {
        let problem = |code: &str| Problem { error: "a sentence".to_owned(), code: Some(code.to_owned()) };
        Turn {
            id: "t-1".to_owned(),
            session: "a".to_owned(),
            session_id: "s-1".to_owned(),
            state: state.to_owned(),
            question: None,
            delivery: None,
            receipt: None,
            transformed: None,
            reply: None,
            reply_source: None,
            context: None,
            tokens: None,
            cost: None,
            error: code.map(problem),
            accepted_at: "2026-11-24T09:00:00Z".to_owned(),
            submitted_at: None,
            confirmed_at: None,
            finished_at: None,
            held_until: None,
            waited_out: None,
        }
    }

    #[test]
    fn each_end_of_a_turn_has_its_status() {
        for (state, code, status) in [
            ("done", None, 0),
            ("needs_input", None, 4),
            ("failed", Some("agent_exited"), 5),
            ("failed", Some("timeout"), 124),
            ("failed", Some("tmux_unavailable"), 5),
            ("failed", None, 5),
            ("unconfirmed", None, 5),
            ("cancelled", None, 130),
            ("interrupted", None, 130),
            ("working", None, 124),
            ("queued", None, 124),
        ] {
            assert_eq!(ending(&turn(state, code)).status() as u8, status, "{state} {code:?}");
        }
    }

    #[test]
    fn what_has_ended_is_not_waited_for() {
        for state in TURN_STATES.into_iter().filter(|state| state.is_final()) {
            assert_ne!(ending(&turn(state.word(), None)).status(), Status::TimedOut, "{}", state.word());
        }
    }

    #[test]
    fn turns_are_listed_with_what_failed_and_how_long_they_took() {
        let failed =
            Turn { finished_at: Some("2026-11-24T09:01:05Z".to_owned()), ..turn("failed", Some("timeout")) };
        let done = Turn { finished_at: Some("2026-11-24T09:00:07Z".to_owned()), ..turn("done", None) };
        let accepted = times::local(&done.accepted_at);
        let wanted = [
            "TURN  SESSION  STATE            ACCEPTED             TOOK".to_owned(),
            format!("t-1   a        failed: timeout  {accepted}  1 min 5 s"),
            format!("t-1   a        done             {accepted}  7 s"),
        ];
        assert_eq!(listed(&[failed, done]).to_string(), wanted.join("\n"));
    }

    #[test]
    fn working_directories_are_those_of_this_shell() {
        assert_eq!(absolute("~/x".to_owned()).unwrap(), "~/x");
        assert_eq!(absolute("/x".to_owned()).unwrap(), "/x");
        assert!(absolute("x".to_owned()).unwrap().ends_with("/x"));
    }
}
