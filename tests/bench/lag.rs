//! How long after an agent's own idle moment a waiting client has the answer.

use serde_json::json;

use crate::harness::{AgentLog, Client};
use crate::plan::Plan;
use crate::stage::Stage;
use crate::table::{Most, Row, Table};
use crate::times::{Times, now};

pub(crate) fn play(plan: &Plan, table: &mut Table) {
    table.group("agent idle -> a waiting client has the answer; baseline: over the subprocess transport");
    let rounds = plan.pick(100, 12);
    let (auto, subprocess) = (Stage::new(), Stage::over("subprocess"));
    for (what, options, most) in [("by its screen", "", 120.0), ("by its OSC 7501", "--osc", 30.0)] {
        let of = |stage: &Stage| -> Times {
            let name = if options.is_empty() { "screen" } else { "osc" };
            let log = stage.demo(name, options);
            (0..rounds).map(|round| lag(stage, name, &log, round)).collect()
        };
        let row = Row::times(format!("idle, read {what}"), &of(&auto)).beside(of(&subprocess).p50());
        table.row(&row.at_most(Most::Value(most)));
    }
}

/// The lag of one turn of a session that had one turn before its round 0, in milliseconds.
pub(crate) fn lag(client: &Client, session: &str, log: &AgentLog, round: usize) -> f64 {
    // Of different lengths, so that the end falls in step with nobody's clock.
    let seconds = 0.2 + 0.037 * (round % 13) as f64;
    let body = json!({"text": format!("THINK {seconds:.3}"), "session": session, "wait": 60});
    let answer = client.post("/send", body).ok();
    let answered = now();
    assert_eq!(answer["turn"]["state"], "done", "{answer}");
    log.until("idle", round + 2);
    (answered - log.all("idle")[round + 1]["t"].as_f64().unwrap()) * 1000.0
}
