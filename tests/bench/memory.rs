//! What a daemon holds when ten sessions have worked for it and fifty clients have asked it.

use serde_json::json;

use crate::connection::{Connection, at_once};
use crate::cost;
use crate::plan::Plan;
use crate::stage::{Stage, settle};
use crate::table::{Most, Row, Table};

const SESSIONS: usize = 10;
const CLIENTS: usize = 50;

pub(crate) fn play(plan: &Plan, table: &mut Table) {
    let stage = Stage::new();
    let names: Vec<_> = (0..SESSIONS).map(|number| format!("work{number}")).collect();
    stage.start_all(&names, |name| {
        let command = stage.setup().demo("");
        json!({"text": "PONG", "name": name, "command": command, "if_busy": "start", "wait": 60})
    });
    let Some(before) = cost::of(&[stage.pid()]) else { return };
    for _ in 0..plan.pick(10, 3) {
        std::thread::scope(|scope| {
            for name in &names {
                let body = json!({"text": "LONG 500", "session": name, "wait": 60});
                scope.spawn(|| stage.post("/send", body).ok());
            }
        });
    }
    for path in ["/sessions", "/capture?lines=500"] {
        at_once(CLIENTS, plan.pick(200, 40), || Connection::open(&stage.url(), path, &stage.authorization()));
    }
    settle(3);
    let after = cost::of(&[stage.pid()]).unwrap();
    table.group("10 sessions; load: turns with long replies, and 50 clients; baseline: before the load");
    let megabytes = |kb: u64| kb as f64 / 1024.0;
    let row = Row::figure("RSS after load", megabytes(after.resident_kb), "MB");
    table.row(&row.beside(megabytes(before.resident_kb)).at_most(Most::Value(12.0)));
    let row = Row::figure("open files after load", after.files as f64, "");
    table.row(&row.beside(before.files as f64));
}
