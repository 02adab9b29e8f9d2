//! The real terminal: raw mode while the program runs, waiting for input with a time-out.

use std::io::{self, PipeReader, Write};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Woken {
    /// There is something to read.
    Input,
    /// The time is over.
    Time,
    /// The program was asked to end.
    Signal,
}

/// Raw mode of the terminal on stdin; dropping it brings back what was.
#[derive(Debug)]
pub(super) struct Terminal {
    before: Termios,
    ending: PipeReader,
}

impl Terminal {
    pub(super) fn open() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let ending = ending()?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Self { before, ending })
    }

    /// Columns and rows; the usual ones where the terminal does not say.
    pub(super) fn size(&self) -> (usize, usize) {
        match tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
            _ => (80, 24),
        }
    }

    pub(super) fn wait(&self, patience: Option<Duration>) -> io::Result<Woken> {
        let stdin = io::stdin();
        let mut fds = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&self.ending, PollFlags::IN)];
        let patience = patience.and_then(|time| Timespec::try_from(time).ok());
        match poll(&mut fds, patience.as_ref()) {
            Ok(0) | Err(rustix::io::Errno::INTR) => Ok(Woken::Time),
            Ok(_) if !fds[1].revents().is_empty() => Ok(Woken::Signal),
            Ok(_) => Ok(Woken::Input),
            Err(e) => Err(e.into()),
        }
    }

    /// Reads what is there, past the buffer of std; nothing at the end of input.
    pub(super) fn read<'a>(&self, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let count = rustix::io::read(io::stdin(), &mut *buffer)?;
        Ok(&buffer[..count])
    }

    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone.
        let _ = self.write("\x1b[?2004l");
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// A pipe that closes when the program is asked to end: `poll` can wait for it together with the input.
fn ending() -> io::Result<PipeReader> {
    let (reader, writer) = io::pipe()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    thread::spawn(move || {
        let _until_the_signal = writer;
        let _ = runtime.block_on(async {
            let (mut term, mut hup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
            tokio::select! { _ = term.recv() => {}, _ = hup.recv() => {} }
            io::Result::Ok(())
        });
    });
    Ok(reader)
}
