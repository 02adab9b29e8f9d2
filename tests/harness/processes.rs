//! The processes of this machine, by `ps`.

use std::process::Command;

use super::eventually;

/// Process id and command line of each process that has not ended.
pub(crate) fn command_lines() -> Vec<(u32, String)> {
    let output = Command::new("ps").args(["-axww", "-o", "pid=,stat=,args="]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter_map(process).collect()
}

/// The processes whose command line has this text in it.
pub(crate) fn mentioning(text: &str) -> Vec<(u32, String)> {
    command_lines().into_iter().filter(|(_, line)| line.contains(text)).collect()
}

/// Whether that process has not ended; one that waits to be reaped has.
pub(crate) fn is_alive(pid: u32) -> bool {
    command_lines().iter().any(|(known, _)| *known == pid)
}

/// Ends a group of processes without warning, and waits until it is gone; harmless when it is.
pub(crate) fn end_group(leader: u32) {
    let group = format!("-{leader}");
    let _ = Command::new("kill").args(["-KILL", "--", &group]).output();
    eventually("the group of processes is gone", || {
        let output = Command::new("ps").args(["-axo", "pgid=,stat="]).output().unwrap();
        let listed = String::from_utf8_lossy(&output.stdout);
        let mut rows = listed.lines().map(|row| row.trim_start().split_once(' ').unwrap_or_default());
        let alive = rows.any(|(pgid, stat)| pgid == &group[1..] && !stat.trim_start().starts_with('Z'));
        (!alive).then_some(())
    });
}

/// The environment of a process, where this system shows it to its owner.
pub(crate) fn environment(pid: u32) -> Option<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    Some(String::from_utf8_lossy(&bytes).replace('\0', "\n"))
}

/// Sends a signal by its name, as `kill` knows it.
pub(crate) fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).output();
}

fn process(line: &str) -> Option<(u32, String)> {
    let (pid, rest) = line.trim_start().split_once(' ')?;
    let (stat, args) = rest.trim_start().split_once(' ')?;
    (!stat.starts_with('Z')).then(|| Some((pid.parse().ok()?, args.trim().to_owned())))?
}
