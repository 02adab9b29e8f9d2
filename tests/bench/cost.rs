//! What processes cost, by `/proc`: Linux only. Elsewhere there is nothing to read, and its rows are left
//! out.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// The unit of processor time in `/proc` is a hundredth of a second on every Linux that we run on.
const TICK_MS: f64 = 10.0;

/// What some processes have used, and hold, together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    cpu_ms: f64,
    /// How often a thread gave the processor up and was woken again.
    wakeups: u64,
    pub(crate) resident_kb: u64,
    pub(crate) files: usize,
}

/// What some processes used for a while.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    /// Of one core.
    pub(crate) cpu_percent: f64,
    pub(crate) wakeups_a_second: f64,
}

/// What they have used so far, those that have ended left out; `None` where this system does not tell.
pub(crate) fn of(pids: &[u32]) -> Option<Cost> {
    let living = pids.iter().filter_map(|pid| one(*pid));
    fs::exists("/proc/self/stat").unwrap_or(false).then(|| {
        living.fold(Cost::default(), |sum, one| Cost {
            cpu_ms: sum.cpu_ms + one.cpu_ms,
            wakeups: sum.wakeups + one.wakeups,
            resident_kb: sum.resident_kb + one.resident_kb,
            files: sum.files + one.files,
        })
    })
}

/// What they use in that time.
pub(crate) fn during(time: Duration, pids: &[u32]) -> Option<Spent> {
    let (before, began) = (of(pids)?, Instant::now());
    std::thread::sleep(time);
    let (after, seconds) = (of(pids)?, began.elapsed().as_secs_f64());
    Some(Spent {
        cpu_percent: (after.cpu_ms - before.cpu_ms) / seconds / 10.0,
        wakeups_a_second: after.wakeups.saturating_sub(before.wakeups) as f64 / seconds,
    })
}

/// The most memory that it has had since [`forget_peak`].
pub(crate) fn peak_kb(pid: u32) -> Option<u64> {
    field(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmHWM:")
}

pub(crate) fn forget_peak(pid: u32) {
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

/// The processes that it started itself and that have not ended.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let output = Command::new("ps").args(["-axo", "ppid=,pid=,stat="]).output().unwrap();
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let child = |row: &str| {
        let mut fields = row.split_whitespace();
        let is_its = fields.next()?.parse() == Ok(pid);
        let child = fields.next()?.parse().ok()?;
        (is_its && !fields.next()?.starts_with('Z')).then_some(child)
    };
    listed.lines().filter_map(child).collect()
}

fn one(pid: u32) -> Option<Cost> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may have anything in it. The 12th to 15th after it are user and system time, its
    // own and that of the processes that it started and that have ended.
    let times = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(4);
    let ticks: u64 = times.map(|ticks| ticks.parse::<u64>().unwrap_or(0)).sum();
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
    let status = |path: std::path::PathBuf| fs::read_to_string(path.join("status")).unwrap_or_default();
    let wakeups = threads.filter_map(|thread| field(&status(thread.path()), "voluntary_ctxt_switches:"));
    Some(Cost {
        cpu_ms: ticks as f64 * TICK_MS,
        wakeups: wakeups.sum(),
        resident_kb: field(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmRSS:")?,
        files: fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count(),
    })
}

fn field(status: &str, name: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}
