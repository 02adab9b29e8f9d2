//! Prompts on their way to the agent: from the call, or from the moment that the agent was ready, until it
//! has one.

use std::io::Write;
use std::process::Stdio;

use serde_json::json;

use crate::control::Control;
use crate::harness::{AgentLog, Tmux};
use crate::plan::Plan;
use crate::stage::Stage;
use crate::table::{Most, Row, Table};
use crate::times::{Times, now};

pub(crate) fn send(plan: &Plan, table: &mut Table) {
    let sends = plan.pick(50, 10);
    let stage = Stage::new();
    let (control, process) = by_tmux_alone(&stage, sends);
    table.group("the call -> prompt in the agent; baseline: tmux alone, typed by one control line");
    let beside = |what: &str, times: &Times| Row::times(what, times).beside(control.p50());
    table.row(&Row::times("tmux alone, one control line", &control));
    table.row(&beside("tmux alone, one process", &process));
    table.row(&beside("/send", &by_send(&stage, sends)));
    table.row(&beside("/send by subprocess", &by_send(&Stage::over("subprocess"), sends)));
}

pub(crate) fn run(plan: &Plan, table: &mut Table) {
    table.group("/run: agent ready -> prompt in the agent; baseline: over the subprocess transport");
    let (auto, subprocess) = (Stage::new(), Stage::over("subprocess"));
    for delay in ["0", "0.5", "3"] {
        let runs = plan.pick(12, 3);
        let of = |stage| -> Times { (0..runs).map(|round| ready_to_prompt(stage, delay, round)).collect() };
        let (auto, subprocess) = (of(&auto), of(&subprocess));
        let row = Row::times(format!("agent ready after {delay} s"), &auto).beside(subprocess.p50());
        table.row(&row.at_most(Most::Value(100.0)));
    }
}

/// The same agent and the same text without agentmux: by a control client, and by a process for each prompt.
fn by_tmux_alone(stage: &Stage, sends: usize) -> (Times, Times) {
    let (tmux, log) = (stage.terminal(), stage.log_in("alone.log"));
    let command = stage.setup().demo_logging_to("alone.log", "");
    tmux.run(&["new-session", "-d", "-s", "alone", "-x", "120", "-y", "40", &format!("exec {command}")]);
    log.until("ready", 1);
    let mut control = Control::attach(&tmux);
    let mut line = |text: &str| {
        control.ask(&format!("send-keys -l -t =alone: -- '{text}' ; send-keys -t =alone: Enter"));
    };
    let by_line = (0..sends).map(|round| timed(&log, round, &mut line)).collect();
    let mut process = |text: &str| paste(&tmux, text);
    let by_process = (sends..2 * sends).map(|round| timed(&log, round, &mut process)).collect();
    (by_line, by_process)
}

fn paste(tmux: &Tmux, text: &str) {
    let load = ["load-buffer", "-b", "x", "-", ";"];
    let paste = ["paste-buffer", "-p", "-r", "-d", "-b", "x", "-t", "=alone:", ";"];
    let enter = ["send-keys", "-t", "=alone:", "Enter"];
    let args = [&load[..], &paste, &enter].concat();
    let mut process = tmux.command(&args).stdin(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(process.wait().unwrap().success());
}

fn by_send(stage: &Stage, sends: usize) -> Times {
    let log = stage.demo("sends", "");
    let one = |round| {
        let time = timed(&log, round + 1, &mut |text| {
            stage.post("/send", json!({"text": text, "session": "sends"})).ok();
        });
        // One at a time: what waits behind another turn is not typed at once.
        stage.until_idle();
        time
    };
    (0..sends).map(one).collect()
}

/// Milliseconds from before the call until the agent has its prompt, by its own log.
fn timed(log: &AgentLog, before: usize, act: &mut dyn FnMut(&str)) -> f64 {
    let began = now();
    act("PONG");
    log.until("prompt", before + 1);
    let had = log.all("prompt")[before]["t"].as_f64().unwrap();
    log.until("idle", before + 1);
    (had - began) * 1000.0
}

fn ready_to_prompt(stage: &Stage, delay: &str, round: usize) -> f64 {
    let name = format!("run-{}-{round}", delay.replace('.', "-"));
    let log = stage.demo(&name, &format!("--start-delay {delay}"));
    stage.post("/kill", json!({"session": name})).ok();
    let at = |kind: &str| log.all(kind)[0]["t"].as_f64().unwrap();
    (at("prompt") - at("ready")) * 1000.0
}
