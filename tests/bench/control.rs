//! The baseline of tmux: commands in control mode, without anything around them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Instant;

use crate::harness::Tmux;

/// A control client that hears no output of panes.
pub(crate) struct Control {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Control {
    /// Attaches one to that server, in a session of its own.
    pub(crate) fn attach(tmux: &Tmux) -> Self {
        let flags = "no-output,ignore-size";
        let args = ["-C", "new-session", "-A", "-D", "-f", flags, "-s", "bench-control", "exec cat"];
        let mut command = tmux.command(&args);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let to = process.stdin.take().unwrap();
        let from = BufReader::new(process.stdout.take().unwrap());
        let mut control = Self { process, to, from };
        control.ask("display-message -p ready");
        control
    }

    /// Milliseconds until one command is answered.
    pub(crate) fn ask(&mut self, command: &str) -> f64 {
        self.ask_at_once(command, 1)
    }

    /// Milliseconds until so many of the same command, sent in one go, are all answered.
    pub(crate) fn ask_at_once(&mut self, command: &str, count: usize) -> f64 {
        let began = Instant::now();
        self.to.write_all(format!("{command}\n").repeat(count).as_bytes()).unwrap();
        (0..count).for_each(|_| self.skip_answer());
        began.elapsed().as_secs_f64() * 1000.0
    }

    /// Reads past the end of the next answer; the triple at its end is that of its beginning.
    fn skip_answer(&mut self) {
        let (mut line, mut end) = (Vec::new(), None);
        loop {
            line.clear();
            assert!(self.from.read_until(b'\n', &mut line).unwrap() > 0, "tmux hung up");
            if end.is_none() && line.starts_with(b"%begin ") && line.ends_with(b" 1\n") {
                end = Some([b"%end ", &line[b"%begin ".len()..]].concat());
            } else if end.as_ref() == Some(&line) {
                return;
            }
            assert!(!line.starts_with(b"%error "), "{}", String::from_utf8_lossy(&line));
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
