//! One pane that prints 30 MB beside nine agents at work: what they notice of it, and what the daemon holds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::cost;
use crate::harness::AgentLog;
use crate::lag::lag;
use crate::plan::Plan;
use crate::stage::Stage;
use crate::table::{Most, Row, Table};
use crate::times::Times;

const NEIGHBOURS: usize = 9;
const FLOOD_BYTES: usize = 30_000_000;
/// How long the flood may take.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn play(plan: &Plan, table: &mut Table) {
    let stage = Stage::new();
    let neighbours: Vec<_> = (0..NEIGHBOURS).map(|number| format!("beside{number}")).collect();
    let logs: Vec<_> = neighbours.iter().map(|name| stage.demo(name, "")).collect();
    let neighbours: Vec<_> = neighbours.into_iter().zip(logs).collect();
    start_flooder(&stage);

    let rounds = plan.pick(10, 3);
    let quiet = lags(&stage, &neighbours, 0, rounds, &AtomicBool::new(true));
    cost::forget_peak(stage.pid());
    let before = cost::of(&[stage.pid()]);
    let over = AtomicBool::new(false);
    let (time, beside) = std::thread::scope(|scope| {
        let flood = scope.spawn(|| flood(&stage, &over));
        let beside = lags(&stage, &neighbours, rounds, 2, &over);
        (flood.join().unwrap(), beside)
    });

    table.group("nine agents at work, and a pane that prints 30 MB; baseline: the nine alone");
    table.row(&Row::times("idle lag of the nine, alone", &quiet).at_most(Most::Value(120.0)));
    table.row(&Row::times("idle lag of the nine, beside the flood", &beside).beside(quiet.p50()));
    table.row(&Row::figure("the flood's own time", time.as_secs_f64(), "s"));
    if let Some((before, peak)) = before.zip(cost::peak_kb(stage.pid())) {
        let grown = peak.saturating_sub(before.resident_kb) as f64 / 1024.0;
        let row = Row::figure("RSS of the daemon, at its peak", peak as f64 / 1024.0, "MB");
        table.row(&row.beside(before.resident_kb as f64 / 1024.0));
        table.row(&Row::figure("RSS of the daemon, growth", grown, "MB"));
    }
}

fn start_flooder(stage: &Stage) {
    let done = stage.file("flooded");
    let line = "the quick brown fox jumps over the lazy dog, again and again";
    let flood = format!("yes '{line}' | head -c {FLOOD_BYTES}; echo > {}", done.display());
    let script = format!("while printf '> '; read -r line; do test \"$line\" = x || {{ {flood}; }}; done");
    let body =
        json!({"text": "x", "agent": "repl", "command": ["sh", "-c", script], "name": "flood", "wait": 60});
    stage.post("/run", body).ok();
}

/// Sets the flood off; how long it took to be printed.
fn flood(stage: &Stage, over: &AtomicBool) -> Duration {
    let began = Instant::now();
    stage.post("/send", json!({"text": "flood", "session": "flood"})).ok();
    while !stage.file("flooded").exists() {
        assert!(began.elapsed() < PATIENCE, "the flood does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
    over.store(true, Ordering::Relaxed);
    began.elapsed()
}

/// The idle lags of all, each at least `least` times from its round `from` on, until it is `over`.
fn lags(
    stage: &Stage,
    neighbours: &[(String, AgentLog)],
    from: usize,
    least: usize,
    over: &AtomicBool,
) -> Times {
    let one = |(name, log): &(String, AgentLog)| -> Vec<f64> {
        let rounds = (from..).take_while(|round| *round < from + least || !over.load(Ordering::Relaxed));
        rounds.map(|round| lag(stage, name, log, round)).collect()
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = neighbours.iter().map(|neighbour| scope.spawn(|| one(neighbour))).collect();
        all.into_iter().flat_map(|lags| lags.join().unwrap()).collect()
    })
}
