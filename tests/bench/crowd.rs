//! Up to 300 silent sessions: what reads cost among them, what they cost by being there, and what taking
//! them over does.

use std::time::Duration;

use crate::cost::{self, Spent};
use crate::plan::Plan;
use crate::reads::beside_hello;
use crate::stage::{Stage, settle};
use crate::table::{Most, Row, Table};
use crate::times::Times;

/// Memory is compared between this size and the largest.
const FEW: usize = 10;
const ADOPTIONS: usize = 3;

pub(crate) fn play(plan: &Plan, table: &mut Table) {
    let mut stage = Stage::new();
    let mut memory = Vec::new();
    let sizes = plan.pick(&[1, 10, 100, 300][..], &[1, 10, 40]);
    for size in sizes {
        stage.grow_to(*size);
        table.group(&format!("{size} sessions; baseline: bare hyper with the same bytes"));
        for (row, path) in [("health", "/health"), ("sessions", "/sessions")] {
            if plan.wants(row) {
                let [ours, hello] = beside_hello(&stage, path, plan);
                let row = Row::times(format!("{path}, {size} sessions"), &ours).beside(hello.p50());
                table.row(&row.at_most(Most::Ratio(2.0)));
            }
        }
        if plan.wants("silent") && *size >= FEW {
            memory.extend(silent(&stage, *size, Some(Most::Value(1.0)), plan, table));
        }
    }
    if let [(few, small), .., (many, large)] = memory[..] {
        let slope = (large - small) / (many - few);
        let row = Row::figure(format!("RSS of a silent session, from {few} to {many}"), slope, "kB");
        table.row(&row.at_most(Most::Value(40.0)));
    }
    let most = *sizes.last().unwrap();
    if plan.wants("adopt") {
        adopt(&mut stage, most, table);
    }
    if plan.wants("silent") {
        stage.stop();
        stage.start_again_over("subprocess");
        table.group("the same sessions over the subprocess transport");
        silent(&stage, most, None, plan, table);
    }
}

/// What silence costs, with the most wake-ups that are wanted. Returns the number of sessions and the
/// daemon's memory in kB.
fn silent(
    stage: &Stage,
    size: usize,
    most: Option<Most>,
    plan: &Plan,
    table: &mut Table,
) -> Option<(f64, f64)> {
    settle(plan.pick(15, 3));
    let time = Duration::from_secs(plan.pick(40, 8));
    let server = stage.tmux().server_pid().expect("a tmux server");
    let (ours, tmux) = std::thread::scope(|scope| {
        let tmux = scope.spawn(|| cost::during(time, &[server]));
        (cost::during(time, &stage.daemon_pids()), tmux.join().unwrap())
    });
    let (ours, tmux) = (ours?, tmux?);
    let of = |who: &str| format!("{size} silent: {who}");
    let wakeups = |who: &str, spent: Spent| Row::figure(of(who), spent.wakeups_a_second, "/s");
    let row = wakeups("wake-ups, daemon and its clients", ours);
    table.row(&match most {
        Some(most) => row.at_most(most),
        None => row,
    });
    table.row(&wakeups("wake-ups, tmux server", tmux));
    table.row(&Row::figure(of("CPU, daemon and its clients"), ours.cpu_percent, "%"));
    table.row(&Row::figure(of("CPU, tmux server"), tmux.cpu_percent, "%"));
    let resident = cost::of(&[stage.pid()])?.resident_kb as f64;
    table.row(&Row::figure(of("RSS, daemon"), resident / 1024.0, "MB"));
    Some((size as f64, resident))
}

fn adopt(stage: &mut Stage, size: usize, table: &mut Table) {
    let mut over = |transport| -> Times {
        let one = |_| {
            stage.stop();
            let time = stage.start_again_over(transport);
            assert_eq!(stage.names().len(), size, "sessions taken over");
            time
        };
        (0..ADOPTIONS).map(one).collect()
    };
    let (subprocess, auto) = (over("subprocess"), over("auto"));
    table.group("start of a daemon until it listens; baseline: over the subprocess transport");
    table.row(&Row::times(format!("{size} sessions taken over"), &auto).beside(subprocess.p50()));
}
