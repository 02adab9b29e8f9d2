//! `just bench`: what the bridge costs, beside baselines that are measured in the same run.
//!
//! The real daemon, the real tmux, and the demo agent, which writes down when it was ready, had a prompt and
//! was idle. This file is the list of what is measured; docs/performance.md says how to read it.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark fails by panicking, starts tmux, sleeps, and counts what fits into a float"
)]

#[path = "../harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests need more of it")]
mod harness;

mod awake;
mod connection;
mod control;
mod cost;
mod crowd;
mod flood;
mod forks;
mod hello;
mod lag;
mod memory;
mod plan;
mod reads;
mod spinners;
mod stage;
mod table;
mod times;
mod typing;

use plan::{Asked, Plan};
use table::Table;

/// What is measured on one stage: the names by which it is picked, and what it is.
struct Scene {
    rows: &'static [(&'static str, &'static str)],
    play: fn(&Plan, &mut Table),
}

static SCENES: &[Scene] = &[
    Scene {
        rows: &[
            ("health", "GET /health at 1, 10, 100, 300 sessions"),
            ("sessions", "GET /sessions at 1, 10, 100, 300 sessions"),
            ("silent", "what 10, 100, 300 silent sessions cost"),
            ("adopt", "a new daemon takes 300 sessions over"),
        ],
        play: crowd::play,
    },
    Scene {
        rows: &[
            ("screen", "GET /sessions/{name}/screen and /capture, 50 and 500 lines"),
            ("clients", "50 clients at once"),
        ],
        play: reads::play,
    },
    Scene { rows: &[("forks", "tmux processes started for a request")], play: forks::play },
    Scene { rows: &[("send", "POST /send -> the agent has the prompt")], play: typing::send },
    Scene { rows: &[("run", "POST /run: agent ready -> it has the prompt")], play: typing::run },
    Scene { rows: &[("idle-lag", "agent idle -> a waiting client has the answer")], play: lag::play },
    Scene { rows: &[("spinners", "agents that all repaint 8 times a second")], play: spinners::play },
    Scene { rows: &[("flood", "a pane that prints 30 MB beside nine agents")], play: flood::play },
    Scene { rows: &[("memory", "RSS with 10 sessions after load")], play: memory::play },
];

fn main() {
    let known: Vec<_> = SCENES.iter().flat_map(|scene| scene.rows).copied().collect();
    match plan::asked(std::env::args().skip(1), &known) {
        Asked::Awake => awake::serve(),
        Asked::Hello(file) => hello::serve(&file),
        Asked::Usage(text) => println!("{text}"),
        Asked::Measure(plan) => measure(&plan),
    }
}

fn measure(plan: &Plan) {
    stage::end_on_interrupt();
    let mut table = Table::new();
    for scene in SCENES.iter().filter(|scene| scene.rows.iter().any(|(name, _)| plan.wants(name))) {
        (scene.play)(plan, &mut table);
    }
    table.end();
}
