//! Agents that all work and repaint their spinner: what following them costs above what tmux needs by itself.

use std::time::Duration;

use serde_json::json;

use crate::cost::{self, Spent};
use crate::plan::Plan;
use crate::stage::{Stage, settle};
use crate::table::{Most, Row, Table};

/// The demo agent's spinner turns 8.3 times a second: so many are 1000 frames a second, as 100 at 10 Hz are.
const SPINNERS: usize = 120;

pub(crate) fn play(plan: &Plan, table: &mut Table) {
    let count = plan.pick(SPINNERS, 24);
    let mut stage = Stage::new();
    let names: Vec<_> = (0..count).map(|number| format!("spin{number}")).collect();
    stage.start_all(&names, |name| {
        let command = stage.setup().demo("");
        json!({"text": "THINK 3600", "name": name, "command": command, "if_busy": "start"})
    });
    let Some((ours, server)) = following(&stage, plan) else { return };
    stage.stop();
    settle(plan.pick(3, 1));
    let alone = cost::during(time(plan), &[stage.tmux().server_pid().unwrap()]).unwrap().cpu_percent;
    stage.start_again_over("subprocess");
    let (ours_by_process, server_by_process) = following(&stage, plan).unwrap();

    table.group(&format!(
        "{count} spinners at 8.3 Hz; baseline: CPU of the same tmux server without a daemon"
    ));
    let above = |ours: Spent, server: Spent| ours.cpu_percent + server.cpu_percent - alone;
    let cpu = |what: &str, percent: f64| Row::figure(what, percent, "%");
    table.row(&cpu("CPU, daemon and its clients", ours.cpu_percent).beside(alone));
    table.row(&cpu("CPU, tmux server", server.cpu_percent).beside(alone));
    let most = Most::Value(30.0);
    table.row(&cpu("CPU, all above tmux alone", above(ours, server)).beside(alone).at_most(most));
    let by_process = above(ours_by_process, server_by_process);
    table.row(&cpu("CPU, all above tmux alone, by subprocess", by_process).beside(alone));
    table.row(&Row::figure("wake-ups, daemon and its clients", ours.wakeups_a_second, "/s"));
}

/// What the daemon with its clients uses, and what the tmux server does meanwhile.
fn following(stage: &Stage, plan: &Plan) -> Option<(Spent, Spent)> {
    settle(plan.pick(5, 2));
    let (daemon, server) = (stage.daemon_pids(), stage.tmux().server_pid()?);
    std::thread::scope(|scope| {
        let server = scope.spawn(|| cost::during(time(plan), &[server]));
        let daemon = cost::during(time(plan), &daemon);
        daemon.zip(server.join().unwrap())
    })
}

fn time(plan: &Plan) -> Duration {
    Duration::from_secs(plan.pick(20, 5))
}
