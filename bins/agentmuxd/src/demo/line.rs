//! The demo agent as a plain line-mode program, like a shell or an interpreter: the terminal stays cooked.

use std::io::{self, Write};
use std::time::Duration;

use super::log::{Event, Log};
use super::script::{Plan, Then};

/// Reads lines and answers them until input ends; returns the exit status.
pub(super) fn run(log: &mut Log) -> io::Result<u8> {
    log.write(&Event::Start)?;
    log.write(&Event::Ready)?;
    loop {
        print("demo> ")?;
        let Some(line) = read_line()? else { return end(log, 0) };
        if line.trim().is_empty() {
            continue;
        }
        if line.trim() == "exit" {
            return end(log, 0);
        }
        log.write(&Event::Prompt(line.clone().into_bytes()))?;
        log.write(&Event::Busy)?;
        if let Some(status) = answer(&line, log)? {
            return end(log, status);
        }
        log.write(&Event::Idle)?;
    }
}

/// Answers a line; returns the status where that ends the program.
fn answer(line: &str, log: &mut Log) -> io::Result<Option<u8>> {
    let plan = Plan::of(line);
    wait(plan.busy);
    let reply = match plan.then {
        Then::Exit(status) => return Ok(Some(status)),
        Then::Reply(text) if text.ends_with("-DONE") => text,
        _ => format!("you said: {line}"),
    };
    print(&format!("{reply}\n"))?;
    log.write(&Event::Reply(reply))?;
    Ok(None)
}

fn end(log: &mut Log, status: u8) -> io::Result<u8> {
    log.write(&Event::Exit(status))?;
    Ok(status)
}

fn wait(time: Duration) {
    let time = rustix::event::Timespec::try_from(time).ok();
    // Cut short by a signal it is only shorter.
    let _ = rustix::event::poll(&mut [], time.as_ref());
}

fn read_line() -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    io::BufRead::read_until(&mut io::stdin().lock(), b'\n', &mut bytes)?;
    let line = String::from_utf8_lossy(&bytes);
    Ok((!bytes.is_empty()).then(|| line.strip_suffix('\n').unwrap_or(&line).to_owned()))
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
