//! `just soak`: agents that take turns for minutes, and then nothing may be lost, doubled or leaked.
//!
//! Many demo agents get prompts through the API, each from a client of its own. At the end every agent's own
//! log must hold exactly the prompts that were accepted, in order; and the daemon's memory, its open files,
//! the tmux server's buffers and clients must be what they were.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "it fails by panicking, starts tmux, sleeps, and counts what fits into a float"
)]

#[path = "harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests need more of it")]
mod harness;

#[path = "bench/cost.rs"]
#[expect(dead_code, reason = "the benchmark needs more of it")]
mod cost;
#[path = "bench/stage.rs"]
#[expect(dead_code, reason = "the benchmark needs more of it")]
mod stage;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use harness::{AgentLog, Client};
use stage::Stage;

const MINUTES: f64 = 10.0;
const AGENTS: usize = 100;
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
/// How much larger the daemon may be at the end than after the first third: its ring of turns is full then.
const GROWTH_KB: f64 = 4096.0;
/// Open files come and go with connections; more than this is a leak.
const SPARE_FILES: usize = 4;

/// What is looked at while the agents work.
#[derive(Debug, Clone, Copy)]
struct Sample {
    resident_kb: f64,
    files: usize,
    buffers: usize,
    clients: usize,
}

fn main() {
    // Cargo adds `--bench` to what it calls a benchmark.
    let mut numbers = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let minutes = numbers.next().map_or(MINUTES, |minutes| minutes.parse().expect("a number of minutes"));
    let agents = numbers.next().map_or(AGENTS, |count| count.parse().expect("a number of agents"));
    let time = Duration::from_secs_f64(minutes * 60.0);

    stage::end_on_interrupt();
    let stage = Stage::new();
    let names: Vec<_> = (0..agents).map(|number| format!("soak{number}")).collect();
    stage.start_all(&names, |name| {
        let command = stage.setup().demo_logging_to(&format!("{name}.log"), "");
        json!({"text": "PONG", "name": name, "command": command, "if_busy": "start", "wait": 60})
    });
    println!("{agents} agents take turns for {} s", time.as_secs());
    let before = at_rest(&stage);
    let (turns, samples) = work(&stage, &names, time);
    let after = at_rest(&stage);

    summary(&turns, before, after, &samples);
    let mut faults: Vec<String> = Vec::new();
    for (name, sent) in names.iter().zip(&turns) {
        faults.extend(compare(name, sent, &stage.log_in(&format!("{name}.log"))));
    }
    faults.extend(leaks(before, after, &samples));
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    println!("no turn lost, doubled or without its reply; nothing leaked");
}

/// Lets all agents work; the prompts that each was sent, and what was seen meanwhile.
fn work(stage: &Stage, names: &[String], time: Duration) -> (Vec<Vec<String>>, Vec<Sample>) {
    let deadline = Instant::now() + time;
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sampler = scope.spawn(|| watch(stage, &over));
        let clients: Vec<_> = (0..names.len())
            .map(|number| {
                let (client, name) = (stage.client(), &names[number]);
                scope.spawn(move || take_turns(&client, name, number, deadline))
            })
            .collect();
        let turns = clients.into_iter().map(|client| client.join().unwrap()).collect();
        over.store(true, Ordering::Relaxed);
        (turns, sampler.join().unwrap())
    })
}

/// One client: a turn after the other, each with the reply that belongs to it.
fn take_turns(client: &Client, name: &str, number: usize, deadline: Instant) -> Vec<String> {
    let mut sent = Vec::new();
    while Instant::now() < deadline {
        let (words, wanted) = task(number + sent.len());
        let text = format!("{name} turn {}: {words}", sent.len());
        let answer = client.post("/send", json!({"text": text, "session": name, "wait": 120})).ok();
        let turn = &answer["turn"];
        assert_eq!(
            (turn["state"].as_str(), turn["delivery"].as_str()),
            (Some("done"), Some("confirmed")),
            "{turn}"
        );
        let reply = turn["reply"].as_str().unwrap();
        assert!(reply.ends_with(wanted), "{text:?} was answered with {reply:?}");
        sent.push(text);
    }
    sent
}

/// Work of all kinds: what to say, and how the reply ends.
fn task(number: usize) -> (&'static str, &'static str) {
    const TASKS: [(&str, &str); 8] = [
        ("PONG", "PONG"),
        ("THINK 3", "THINK-DONE"),
        ("LONG 120", "LONG-DONE"),
        ("SLOW 2", "SLOW-DONE"),
        ("MD", "MD-DONE"),
        ("THINK 0.7", "THINK-DONE"),
        ("say\nit in\nthree lines\nLONG 20", "LONG-DONE"),
        ("THINK 6", "THINK-DONE"),
    ];
    // 5 and 8 have no common factor: each agent comes to do everything, and not all the same at once.
    TASKS[number * 5 % TASKS.len()]
}

/// Samples, until it is over.
fn watch(stage: &Stage, over: &AtomicBool) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut next = Instant::now() + SAMPLE_EVERY;
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(100));
        if Instant::now() >= next {
            samples.push(sample(stage));
            next += SAMPLE_EVERY;
        }
    }
    samples
}

/// What there is when nobody asks anything.
fn at_rest(stage: &Stage) -> Sample {
    stage::settle(5);
    sample(stage)
}

fn sample(stage: &Stage) -> Sample {
    let cost = cost::of(&[stage.pid()]).unwrap_or_default();
    let count = |what: &str| stage.tmux().run(&[what]).lines().count();
    Sample {
        resident_kb: cost.resident_kb as f64,
        files: cost.files,
        buffers: count("list-buffers"),
        clients: count("list-clients"),
    }
}

/// What an agent got beside what it was sent, the first prompt aside.
fn compare(name: &str, sent: &[String], log: &AgentLog) -> Option<String> {
    let (got, lost) = (log.prompts(), log.all("lost"));
    let got = got.get(1..).unwrap_or_default();
    if got == sent && lost.is_empty() {
        return None;
    }
    let first = got.iter().zip(sent).position(|(got, sent)| got != sent).unwrap_or(got.len().min(sent.len()));
    let (had, wanted) = (got.get(first), sent.get(first));
    Some(format!(
        "{name}: {} prompts of {}, first unlike {had:?} for {wanted:?}; lost {lost:?}",
        got.len(),
        sent.len()
    ))
}

fn leaks(before: Sample, after: Sample, samples: &[Sample]) -> Vec<String> {
    let warm = samples.get(samples.len() / 3).copied().unwrap_or(after);
    let grown = after.resident_kb - warm.resident_kb;
    let mut faults = Vec::new();
    let mut fault = |is: bool, text: String| faults.extend(is.then_some(text));
    fault(grown > GROWTH_KB, format!("the daemon grew by {grown} kB after its first third"));
    let files = (before.files, after.files);
    fault(files.1 > files.0 + SPARE_FILES, format!("open files: {} before, {} after", files.0, files.1));
    fault(after.buffers > 0, format!("{} tmux buffers are left", after.buffers));
    let clients = (before.clients, after.clients);
    fault(clients.1 > clients.0, format!("tmux clients: {} before, {} after", clients.0, clients.1));
    faults
}

fn summary(turns: &[Vec<String>], before: Sample, after: Sample, samples: &[Sample]) {
    let total: usize = turns.iter().map(Vec::len).sum();
    println!("{total} turns");
    println!("{:<12} {:>10} {:>8} {:>8} {:>8}", "", "RSS MB", "files", "buffers", "clients");
    let third = samples.get(samples.len() / 3).copied();
    let last = samples.last().copied();
    let rows = [("before", Some(before)), ("first third", third), ("last", last), ("after", Some(after))];
    for (when, sample) in rows.into_iter().filter_map(|(when, sample)| Some((when, sample?))) {
        let Sample { resident_kb, files, buffers, clients } = sample;
        println!("{when:<12} {:>10.1} {files:>8} {buffers:>8} {clients:>8}", resident_kb / 1024.0);
    }
}
