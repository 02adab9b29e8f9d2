//! What a person sees while waiting: a line on stderr with what goes on and for how long. In the end it is gone.

use std::cell::RefCell;
use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

use rustix::process::getpgrp;
use rustix::termios::{tcgetpgrp, tcgetwinsize};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::output;

/// What is over sooner needs no line.
const DELAY: Duration = Duration::from_millis(300);
const FRAME: Duration = Duration::from_millis(125);
const FRAMES: [char; 4] = ['|', '/', '-', '\\'];

/// The words of the line; where stderr is no terminal, nobody sees them.
#[derive(Debug)]
pub(crate) struct Progress {
    began: Instant,
    words: RefCell<String>,
    is_shown: bool,
}

impl Progress {
    pub(crate) fn new(words: impl Into<String>) -> Self {
        let can_move = std::env::var_os("TERM").is_some_and(|term| term != "dumb");
        let is_shown = can_move && stderr().is_terminal();
        Self { began: Instant::now(), words: RefCell::new(words.into()), is_shown }
    }

    pub(crate) fn is_shown(&self) -> bool {
        self.is_shown
    }

    pub(crate) fn say(&self, words: impl Into<String>) {
        self.words.replace(words.into());
    }

    /// Shows the line while `work` goes on; wherever that ends, or is dropped, the line is gone.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        if !self.is_shown {
            return work.await;
        }
        let mut work = std::pin::pin!(work);
        let mut frames = interval_at(Instant::now().max(self.began + DELAY), FRAME);
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut line = Line { is_drawn: false };
        for frame in FRAMES.into_iter().cycle() {
            tokio::select! {
                biased;
                done = &mut work => return done,
                _ = frames.tick() => line.draw(|columns| self.text(frame, columns)),
            }
        }
        unreachable!("frames come again and again")
    }

    fn text(&self, frame: char, columns: usize) -> String {
        fitting(frame, &self.words.borrow(), &clock(self.began.elapsed()), columns)
    }
}

/// In so many columns; words give way to the time, which is what moves.
fn fitting(frame: char, words: &str, time: &str, columns: usize) -> String {
    let room = columns.saturating_sub("| ".len() + "  ".len() + time.len());
    output::cut(&format!("{frame} {}  {time}", output::cut(words, room)), columns)
}

/// Minutes and seconds, with hours where there are some.
fn clock(length: Duration) -> String {
    let seconds = length.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        hours => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// The last line of the terminal.
struct Line {
    is_drawn: bool,
}

impl Line {
    fn draw(&mut self, text: impl FnOnce(usize) -> String) {
        // One in the background would write into what somebody else does there.
        if !tcgetpgrp(stderr()).is_ok_and(|group| group == getpgrp()) {
            return;
        }
        let columns = tcgetwinsize(stderr()).map_or(80, |size| usize::from(size.ws_col));
        // One column less: in the last one, terminals differ.
        let text = text(columns.saturating_sub(1));
        self.is_drawn |= stderr().write_all(format!("\r{text}\x1b[K").as_bytes()).is_ok();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.is_drawn {
            // With the terminal gone there is nothing to clean.
            let _ = stderr().write_all(b"\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_little_room_the_time_is_still_told() {
        for (columns, wanted) in
            [(30, "| a: working  0:07"), (15, "| a: wor…  0:07"), (9, "| …  0:07"), (1, "…")]
        {
            assert_eq!(fitting('|', "a: working", "0:07", columns), wanted);
        }
    }

    #[test]
    fn the_time_that_has_passed_is_that_of_a_clock() {
        for (seconds, wanted) in [(0, "0:00"), (75, "1:15"), (3600, "1:00:00"), (86_399, "23:59:59")] {
            assert_eq!(clock(Duration::from_secs(seconds)), wanted);
        }
    }
}
