//! How many tmux processes a request costs, in a daemon that has been running for a while.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::connection::Connection;
use crate::plan::Plan;
use crate::stage::{Stage, settle};
use crate::table::{Most, Row, Table};

pub(crate) fn play(plan: &Plan, table: &mut Table) {
    for (transport, how) in [("auto", ""), ("subprocess", " by subprocess")] {
        let stage = Stage::over(transport);
        stage.demo("forks", "");
        settle(2);
        table.group("tmux processes started for a request");
        let (reads, turns) = (plan.pick(1000, 200), plan.pick(20, 5));
        let paths = ["/health", "/sessions", "/idle", "/capture", "/sessions/forks/screen"];
        for path in paths {
            let mut connection = Connection::open(&stage.url(), path, &stage.authorization());
            let forks = forks(&stage, reads, || {
                connection.ask();
            });
            table.row(&row(format!("{path}{how}"), forks, how));
        }
        let turn = || drop(stage.post("/send", json!({"text": "PONG", "session": "forks", "wait": 60})).ok());
        table.row(&row(format!("/send, waited to its end{how}"), forks(&stage, turns, turn), how));
    }
}

fn row(what: String, forks: f64, how: &str) -> Row {
    let row = Row::figure(what, forks, "");
    if how.is_empty() { row.at_most(Most::Value(0.0)) } else { row }
}

/// Processes for one `request`, without those that are started in the same time anyway.
fn forks(stage: &Stage, count: usize, mut request: impl FnMut()) -> f64 {
    let quiet = starts_in(stage, |_| settle(2)) / 2.0;
    let mut time = Duration::ZERO;
    let busy = starts_in(stage, |began| {
        (0..count).for_each(|_| request());
        time = began.elapsed();
    });
    (busy - quiet * time.as_secs_f64()).max(0.0) / count as f64
}

fn starts_in(stage: &Stage, act: impl FnOnce(Instant)) -> f64 {
    let before = stage.tmux_starts();
    act(Instant::now());
    (stage.tmux_starts() - before) as f64
}
