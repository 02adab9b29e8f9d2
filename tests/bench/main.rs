//! `just bench`: what the bridge costs, beside a baseline that is measured in the same run.
//!
//! The real daemon, the real tmux and the demo agent, which writes down when it was ready and when it had a prompt. The
//! baseline is tmux alone: the same paste and Enter to the same agent by one `tmux` command. Machines are shared and
//! noisy: read the ratios.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark fails by panicking, and starts tmux"
)]

#[path = "../harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests need more of it")]
mod harness;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use harness::{AgentLog, Daemon, Setup};
use serde_json::json;

const RUNS: usize = 8;
const SENDS: usize = 30;
const READS: u32 = 2000;

fn main() {
    let daemon = counting_tmux(Setup::new().env("AGENTMUX_MAX_SESSIONS", "40")).start();
    println!("{:<44} {:>9} {:>9} {:>9} {:>7}", "milliseconds", "p50", "p99", "baseline", "ratio");
    let raw = raw_tmux(&daemon);
    let baseline = quantile(&raw, 0.5);
    row("tmux alone: paste and Enter -> agent has it", &raw, baseline);
    row("/send -> agent has it", &sends(&daemon), baseline);
    row("/run: agent ready -> agent has it", &runs(&daemon), baseline);
    let ping = reads(&daemon, "/livez");
    let baseline = quantile(&ping, 0.5);
    row("/livez", &ping, baseline);
    for path in ["/health", "/sessions"] {
        let before = tmux_calls(&daemon);
        let began = Instant::now();
        row(path, &reads(&daemon, path), baseline);
        let (calls, time) = (tmux_calls(&daemon) - before, began.elapsed());
        let quiet = quiet_calls(&daemon, time);
        println!(
            "  tmux started {calls} times during {READS} requests; {quiet} times in the same time without any"
        );
    }
}

/// Puts a `tmux` in front of the real one that counts its starts.
fn counting_tmux(setup: Setup) -> Setup {
    let real = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("tmux"))
        .find(|file| file.is_file())
        .expect("tmux is installed");
    let count = setup.file("calls");
    let script = format!("#!/bin/sh\necho >> {}\nexec {} \"$@\"\n", count.display(), real.display());
    let setup = setup.write("bin/tmux", &script);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(setup.file("bin/tmux"), mode).unwrap();
    let path = format!("{}:/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin", setup.file("bin").display());
    setup.env("PATH", &path)
}

fn tmux_calls(daemon: &Daemon) -> usize {
    std::fs::read(daemon.file("calls")).map_or(0, |calls| calls.len())
}

fn quiet_calls(daemon: &Daemon, time: Duration) -> usize {
    let before = tmux_calls(daemon);
    std::thread::sleep(time);
    tmux_calls(daemon) - before
}

/// The same way of typing without agentmux.
fn raw_tmux(daemon: &Daemon) -> Vec<f64> {
    let (tmux, log) = (daemon.terminal(), daemon.log_in("raw.log"));
    let command = daemon.setup().demo_logging_to("raw.log", "");
    tmux.run(&["new-session", "-d", "-s", "raw", "-x", "120", "-y", "40", &format!("exec {command}")]);
    log.until("ready", 1);
    let type_it = |text: &str| {
        let args = [
            "load-buffer",
            "-b",
            "x",
            "-",
            ";",
            "paste-buffer",
            "-p",
            "-r",
            "-d",
            "-b",
            "x",
            "-t",
            "raw:",
            ";",
            "send-keys",
            "-t",
            "raw:",
            "Enter",
        ];
        let mut process = tmux.command(&args).stdin(Stdio::piped()).spawn().unwrap();
        process.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(process.wait().unwrap().success());
    };
    let times = (0..SENDS).map(|round| timed(&log, round, type_it)).collect();
    tmux.end();
    times
}

fn sends(daemon: &Daemon) -> Vec<f64> {
    let command = daemon.setup().demo_logging_to("send.log", "");
    let session = daemon.session_of("sends", &command);
    let log = daemon.log_in("send.log");
    let mut times = Vec::new();
    for round in 0..SENDS {
        times.push(timed(&log, round + 1, |text| {
            daemon.post("/send", json!({"text": text, "session": session})).ok();
        }));
        // One at a time: what waits behind another turn is not typed at once.
        daemon.until_idle();
    }
    times
}

/// Milliseconds from before the call until the agent has its prompt, by its own log.
fn timed(log: &AgentLog, before: usize, act: impl Fn(&str)) -> f64 {
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    act("PONG");
    log.until("prompt", before + 1);
    let had = log.all("prompt")[before]["t"].as_f64().unwrap();
    log.until("idle", before + 1);
    (had - began) * 1000.0
}

fn runs(daemon: &Daemon) -> Vec<f64> {
    let one = |round: usize| {
        let file = format!("run{round}.log");
        daemon
            .session_of(&format!("run{round}"), &daemon.setup().demo_logging_to(&file, "--start-delay 0.3"));
        let log = daemon.log_in(&file);
        let at = |kind: &str| log.all(kind)[0]["t"].as_f64().unwrap();
        (at("prompt") - at("ready")) * 1000.0
    };
    (0..RUNS).map(one).collect()
}

/// Milliseconds of each of many requests on one connection.
fn reads(daemon: &Daemon, path: &str) -> Vec<f64> {
    let address = daemon.url();
    let stream = TcpStream::connect(address.strip_prefix("http://").unwrap()).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{}\r\n\r\n", daemon.authorization());
    let mut one = || {
        let began = Instant::now();
        (&stream).write_all(request.as_bytes()).unwrap();
        skip_answer(&mut answers);
        began.elapsed().as_secs_f64() * 1000.0
    };
    (0..READS).map(|_| one()).collect()
}

fn skip_answer(from: &mut impl BufRead) {
    let mut length = 0;
    loop {
        let mut line = String::new();
        from.read_line(&mut line).unwrap();
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    from.read_exact(&mut vec![0; length]).unwrap();
}

fn row(what: &str, times: &[f64], baseline: f64) {
    let (p50, p99) = (quantile(times, 0.5), quantile(times, 0.99));
    println!("{what:<44} {p50:>9.3} {p99:>9.3} {baseline:>9.3} {:>7.2}", p50 / baseline);
}

fn quantile(times: &[f64], share: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "small counts"
    )]
    let at = ((sorted.len() - 1) as f64 * share).round() as usize;
    sorted[at]
}
