//! An in-memory terminal with a few built-in programs: for the tests of whoever embeds the core.
//!
//! The program's name picks what runs: `echo` shows each submitted line back behind the prompt `> ` (a
//! submitted `exit 3` ends it, `count 3` has it print three rows), `swallow` has the same prompt and shows nothing
//! of what was submitted, `exit 3` ends at once, `env` and `pwd`
//! print what they were given, `receive` keeps what is typed for [`FakeTerminal::received`]. Everything
//! happens at once, within the call that causes it; [`kill`](Terminal::kill) alone returns a moment later.
//!
//! ```
//! use agentmux_core::fake::FakeTerminal;
//! use agentmux_core::input::Key;
//! use agentmux_core::terminal::Terminal;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let terminal = FakeTerminal::default();
//! let pane = terminal.spawn(FakeTerminal::launch("one", &["echo"])).await?;
//! terminal.paste(&pane.id, "hello").await?;
//! terminal.keys(&pane.id, &[Key::Enter]).await?;
//! assert_eq!(terminal.read(&pane.id, 0).await?.text(10), "> hello\nhello\n>");
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::input::{Key, SessionName, ShortName};
use crate::question::Policy;
use crate::screen::{Exit, Row, Screen};
use crate::terminal::{Activity, Answer, Label, Launch, Pane, PaneId, Pulse, Size, Terminal, TerminalError};

/// How many rows that scrolled out are kept.
const HISTORY_LIMIT: usize = 5000;

/// A terminal that starts no process.
#[derive(Debug, Default)]
pub struct FakeTerminal(Mutex<Panes>);

#[derive(Debug, Default)]
struct Panes {
    made: usize,
    alive: BTreeMap<PaneId, FakePane>,
}

#[derive(Debug)]
struct FakePane {
    pane: Pane,
    program: Program,
    size: Size,
    /// All rows, those that scrolled out too.
    rows: Vec<String>,
    /// What stands in the input box.
    input: String,
    received: Vec<u8>,
    exit: Option<Exit>,
    changes: watch::Sender<Pulse>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Echo,
    Swallow,
    Receive,
    /// Does nothing (any more).
    Done,
}

impl FakeTerminal {
    /// A launch of one of the built-in programs, everything else plain.
    ///
    /// # Panics
    /// Where `name` is no session's name.
    pub fn launch(name: &str, argv: &[&str]) -> Launch {
        let name = SessionName::parse(name).expect("the caller gives a valid name");
        let agent = ShortName::parse("agent", "fake").expect("a valid name");
        let label = Label {
            id: format!("id-{name}"),
            name,
            agent,
            created: 0,
            workdir: "/".into(),
            policy: Policy::Ask,
        };
        Launch {
            name: label.name.clone(),
            window: label.agent.clone(),
            argv: argv.iter().map(Into::into).collect(),
            workdir: "/".into(),
            env: BTreeMap::new(),
            size: Size::default(),
            label,
        }
    }

    /// Shows one more row on the pane, as if its program had printed it.
    pub fn show(&self, pane: &PaneId, row: &str) {
        let _ = self.with(pane, |pane| pane.print([row.to_owned()]));
    }

    /// Forgets the rows that scrolled out, as programs do that lay their conversation out anew.
    pub fn clear_history(&self, pane: &PaneId) {
        let _ = self.with(pane, |pane| drop(pane.rows.drain(..pane.history())));
    }

    /// Ends the program of the pane.
    pub fn end(&self, pane: &PaneId, exit: Exit) {
        let _ = self.with(pane, |pane| pane.end(exit));
    }

    /// All bytes that the program of the pane was given, pasted or by keys.
    pub fn received(&self, pane: &PaneId) -> Vec<u8> {
        self.lock().alive.get(pane).map(|pane| pane.received.clone()).unwrap_or_default()
    }

    /// Changes a pane and tells those who watch it.
    fn with<T>(&self, id: &PaneId, change: impl FnOnce(&mut FakePane) -> T) -> Result<T, TerminalError> {
        let mut panes = self.lock();
        let pane = panes.alive.get_mut(id).ok_or(TerminalError::Gone)?;
        let result = change(pane);
        pane.changes.send_modify(|pulse| pulse.changes += 1);
        Ok(result)
    }

    fn lock(&self) -> MutexGuard<'_, Panes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Terminal for FakeTerminal {
    fn spawn(&self, launch: Launch) -> Answer<'_, Pane> {
        Box::pin(async move {
            let mut panes = self.lock();
            let target = format!("{}:0.0", launch.name);
            if panes.alive.values().any(|pane| pane.pane.target == target) {
                return Err(TerminalError::NameTaken);
            }
            panes.made += 1;
            let pane = Pane {
                id: PaneId::new(format!("fake-{}", panes.made)),
                target,
                label: Some(launch.label.clone()),
            };
            panes.alive.insert(pane.id.clone(), FakePane::start(pane.clone(), &launch));
            Ok(pane)
        })
    }

    fn panes(&self) -> Answer<'_, Vec<Pane>> {
        Box::pin(async { Ok(self.lock().alive.values().map(|pane| pane.pane.clone()).collect()) })
    }

    fn read<'a>(&'a self, pane: &'a PaneId, history: u32) -> Answer<'a, Screen> {
        Box::pin(async move {
            self.lock().alive.get(pane).map(|pane| pane.screen(history)).ok_or(TerminalError::Gone)
        })
    }

    fn paste<'a>(&'a self, pane: &'a PaneId, text: &'a str) -> Answer<'a, ()> {
        Box::pin(async move { self.with(pane, |pane| pane.paste(text))? })
    }

    fn keys<'a>(&'a self, pane: &'a PaneId, keys: &'a [Key]) -> Answer<'a, ()> {
        Box::pin(async move { self.with(pane, |pane| keys.iter().try_for_each(|key| pane.press(*key)))? })
    }

    fn kill<'a>(&'a self, pane: &'a PaneId) -> Answer<'a, ()> {
        Box::pin(async move {
            if let Some(pane) = self.lock().alive.remove(pane) {
                pane.changes.send_modify(|pulse| pulse.changes += 1);
            }
            // As of a real one, others may see that the pane is gone before this returns.
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(())
        })
    }

    fn activity(&self, pane: &PaneId) -> Activity {
        let panes = self.lock();
        let changes = panes.alive.get(pane).map(|pane| pane.changes.subscribe());
        Activity::new(changes.unwrap_or_else(|| watch::channel(Pulse::default()).1))
    }
}

impl FakePane {
    fn start(pane: Pane, launch: &Launch) -> Self {
        let argv: Vec<_> = launch.argv.iter().map(|argument| argument.to_string_lossy()).collect();
        let argv: Vec<&str> = argv.iter().map(AsRef::as_ref).collect();
        let mut started = Self {
            pane,
            program: Program::Done,
            size: launch.size,
            rows: Vec::new(),
            input: String::new(),
            received: Vec::new(),
            exit: None,
            changes: watch::channel(Pulse::default()).0,
        };
        match argv[..] {
            ["echo"] => started.program = Program::Echo,
            ["swallow"] => started.program = Program::Swallow,
            ["receive"] => {
                started.program = Program::Receive;
                started.rows.push("ready".into());
            }
            ["exit", status] => started.end(Exit::Status(status.parse().unwrap_or(2))),
            ["env"] => {
                let rows = launch.env.iter();
                started.rows.extend(
                    rows.map(|(name, value)| {
                        format!("{}={}", name.to_string_lossy(), value.to_string_lossy())
                    }),
                );
                started.end(Exit::Status(0));
            }
            ["pwd"] => {
                started.rows.push(launch.workdir.display().to_string());
                started.end(Exit::Status(0));
            }
            _ => {
                started.rows.push(format!("cannot run {argv:?}"));
                started.end(Exit::Status(127));
            }
        }
        started
    }

    fn end(&mut self, exit: Exit) {
        self.program = Program::Done;
        self.exit = Some(exit);
    }

    fn paste(&mut self, text: &str) -> Result<(), TerminalError> {
        self.receive(text.as_bytes())?;
        self.input.push_str(text);
        Ok(())
    }

    fn press(&mut self, key: Key) -> Result<(), TerminalError> {
        self.receive(&bytes(key))?;
        match key {
            Key::Enter => self.submit(),
            Key::Backspace => drop(self.input.pop()),
            Key::Space => self.input.push(' '),
            Key::Tab => self.input.push('\t'),
            Key::Char(c) => self.input.push(c),
            Key::Ctrl('c') | Key::Ctrl('u') => self.input.clear(),
            Key::Ctrl('d') if self.input.is_empty() && self.program == Program::Echo => {
                self.end(Exit::Status(0))
            }
            _ => {}
        }
        Ok(())
    }

    fn receive(&mut self, bytes: &[u8]) -> Result<(), TerminalError> {
        if self.exit.is_some() {
            return Err(TerminalError::Exited);
        }
        self.received.extend_from_slice(bytes);
        Ok(())
    }

    fn has_box(&self) -> bool {
        matches!(self.program, Program::Echo | Program::Swallow)
    }

    fn submit(&mut self) {
        if !self.has_box() {
            return;
        }
        let text = std::mem::take(&mut self.input);
        if self.program == Program::Swallow {
            return;
        }
        self.print(boxed(&text));
        if let Some(status) = text.strip_prefix("exit ").and_then(|status| status.parse().ok()) {
            self.end(Exit::Status(status));
        } else if let Some(rows) = text.strip_prefix("count ").and_then(|rows| rows.parse::<usize>().ok()) {
            self.print((1..=rows).map(|row| row.to_string()));
        } else {
            self.print(text.lines().map(str::to_owned));
        }
    }

    /// Adds rows; where the history is full, drops a tenth of it.
    fn print(&mut self, rows: impl IntoIterator<Item = String>) {
        for row in rows {
            if self.history() >= HISTORY_LIMIT {
                self.rows.drain(..HISTORY_LIMIT / 10);
            }
            self.rows.push(row);
        }
    }

    /// How many rows have scrolled out.
    fn history(&self) -> usize {
        let input = if self.has_box() { boxed(&self.input).count() } else { 0 };
        (self.rows.len() + input).saturating_sub(self.size.rows.into())
    }

    fn screen(&self, history: u32) -> Screen {
        let mut rows: Vec<Row> = self.rows.iter().map(|row| Row::plain(row)).collect();
        if self.has_box() {
            rows.extend(boxed(&self.input).map(|row| Row::plain(&row)));
        }
        let height = usize::from(self.size.rows);
        let written = rows.len();
        let scrolled_out = self.history().min(history as usize);
        let first = self.history() - scrolled_out;
        rows.drain(..first);
        rows.resize(scrolled_out + height, Row::default());
        let cursor_row = written.saturating_sub(1).min(height - 1);
        let cursor_column = rows.get(scrolled_out + cursor_row).map_or(0, |row| row.text().chars().count());
        Screen {
            rows,
            scrolled_out,
            history: self.history(),
            history_limit: HISTORY_LIMIT,
            columns: self.size.columns.into(),
            cursor_row,
            cursor_column,
            exit: self.exit,
            target: self.pane.target.clone(),
            ..Screen::default()
        }
    }
}

/// Text as it stands in the input box.
fn boxed(text: &str) -> impl Iterator<Item = String> {
    let mut prompt = "> ";
    text.split('\n').map(move |line| format!("{}{line}", std::mem::replace(&mut prompt, "  ")))
}

/// What a terminal sends for a key; function keys and the like are not in use here.
fn bytes(key: Key) -> Vec<u8> {
    match key {
        Key::Backspace => vec![0x7f],
        Key::Delete => b"\x1b[3~".to_vec(),
        Key::Down => b"\x1b[B".to_vec(),
        Key::Enter => b"\r".to_vec(),
        Key::Escape => vec![0x1b],
        Key::Left => b"\x1b[D".to_vec(),
        Key::Right => b"\x1b[C".to_vec(),
        Key::Space => b" ".to_vec(),
        Key::Tab => b"\t".to_vec(),
        Key::Up => b"\x1b[A".to_vec(),
        Key::Ctrl(letter) => vec![u8::try_from(letter).map_or(0, |letter| letter & 0x1f)],
        Key::Char(c) => c.to_string().into_bytes(),
        Key::End | Key::Home | Key::PageDown | Key::PageUp | Key::F(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::contract::Stage;

    fn stage() -> Stage {
        let terminal = Arc::new(FakeTerminal::default());
        let received = {
            let terminal = terminal.clone();
            Box::new(move |pane: &PaneId| terminal.received(pane))
        };
        Stage {
            terminal,
            echo: vec!["echo".into()],
            exit_3: vec!["exit".into(), "3".into()],
            env: vec!["env".into()],
            pwd: vec!["pwd".into()],
            workdir: "/some/where".into(),
            receiver: vec!["receive".into()],
            received,
            keep: Box::new(()),
        }
    }

    crate::terminal_contract!(stage());

    #[tokio::test]
    async fn rows_that_scrolled_out_are_read_as_history() {
        let terminal = FakeTerminal::default();
        let launch =
            Launch { size: Size { columns: 80, rows: 3 }, ..FakeTerminal::launch("one", &["receive"]) };
        let pane = terminal.spawn(launch).await.unwrap().id;
        (1..=5).for_each(|n| terminal.show(&pane, &n.to_string()));
        for (history, text, scrolled_out) in [(0, "3\n4\n5", 0), (2, "1\n2\n3\n4\n5", 2)] {
            let screen = terminal.read(&pane, history).await.unwrap();
            assert_eq!((screen.text(100).as_str(), screen.scrolled_out), (text, scrolled_out));
            assert_eq!(screen.history, 3);
        }
    }

    #[tokio::test]
    async fn a_submitted_exit_ends_the_echo() {
        let terminal = FakeTerminal::default();
        let pane = terminal.spawn(FakeTerminal::launch("one", &["echo"])).await.unwrap().id;
        terminal.paste(&pane, "exit 4").await.unwrap();
        terminal.keys(&pane, &[Key::Enter]).await.unwrap();
        assert_eq!(terminal.read(&pane, 0).await.unwrap().exit, Some(Exit::Status(4)));
    }
}
