//! What tmux prints, as values.

use std::hash::{DefaultHasher, Hash, Hasher};

use agentmux_core::screen::{Exit, Screen};
use agentmux_core::terminal::PaneId;
use rustix::process::Pid;

use crate::target::Target;

/// A new pane: its id, its session's id and its readable address.
pub(crate) const ADDRESS: &str = "#{pane_id}\t#{session_id}\t#{session_name}:#{window_index}.#{pane_index}";

/// A row of the listing; the label comes last.
pub(crate) const PANE_ROW: &str = "#{pane_id}\t#{session_id}\t#{session_name}:#{window_index}.#{pane_index}\t\
     #{pane_dead}\t#{@agentmux_label}";

/// The process of a pane.
pub(crate) const PROCESS: &str = "#{pane_pid} #{pane_dead} #{pid}";

/// A pane's metadata; the title, which the program chose, comes last.
pub(crate) const META: &str = "#{pane_id}\t#{pid}\t#{pane_height}\t#{cursor_x}\t#{cursor_y}\t#{pane_dead}\t\
     #{pane_dead_status}\t#{pane_dead_signal}\t#{session_attached}\t#{history_size}\t#{history_limit}\t\
     #{pane_width}\t#{cursor_flag}\t#{alternate_on}\t\
     #{session_name}:#{window_index}.#{pane_index}\t#{host}\t#{pane_title}";

/// Where a pane is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) pane: PaneId,
    /// The id of its session.
    pub(crate) session: String,
    /// `SESSION:WINDOW.PANE`.
    pub(crate) readable: String,
}

/// A new pane's address; `None` where tmux printed none, whatever its exit status said.
pub(crate) fn address(stdout: &str) -> Option<Address> {
    let mut fields = stdout.lines().next()?.splitn(3, '\t');
    let (pane, session, readable) = (PaneId::new(fields.next()?), fields.next()?, fields.next()?);
    Target::parse(&pane)?;
    Some(Address { pane, session: session.to_owned(), readable: readable.to_owned() })
}

/// The process of a pane that was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    /// Whether it had ended before.
    pub(crate) dead: bool,
    /// The tmux server, its parent.
    pub(crate) server: Pid,
}

/// Reads [`PROCESS`]; `None` for what cannot be a program's process.
pub(crate) fn process(stdout: &str) -> Option<Process> {
    let mut fields = stdout.trim_end().split(' ');
    let (pid, dead, server) = (pid(fields.next()?)?, fields.next()?, pid(fields.next()?)?);
    Some(Process { pid, dead: dead == "1", server })
}

/// A process that may be signalled: never 1, nor what `kill` takes for a group or for everybody.
fn pid(text: &str) -> Option<Pid> {
    text.parse().ok().filter(|pid| *pid > 1).and_then(Pid::from_raw)
}

struct Meta {
    id: String,
    server: Option<Pid>,
    height: usize,
    cursor_column: usize,
    cursor_row: usize,
    cursor_hidden: bool,
    alternate: bool,
    exit: Option<Exit>,
    attached: usize,
    history: usize,
    history_limit: usize,
    columns: usize,
    target: String,
    title: String,
}

impl Meta {
    /// `None` for the empty fields that tmux prints for a pane it does not have.
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.splitn(17, '\t').collect();
        let &[
            id,
            server,
            height,
            column,
            row,
            dead,
            status,
            signal,
            attached,
            history,
            history_limit,
            columns,
            shown,
            alternate,
            target,
            host,
            title,
        ] = &fields[..]
        else {
            return None;
        };
        Some(Self {
            id: id.to_owned(),
            server: pid(server),
            height: height.parse().ok()?,
            cursor_column: column.parse().ok()?,
            cursor_row: row.parse().ok()?,
            cursor_hidden: shown == "0",
            alternate: alternate == "1",
            exit: (dead == "1").then(|| exit(status, signal)),
            attached: attached.parse().unwrap_or(0),
            history: history.parse().ok()?,
            history_limit: history_limit.parse().ok()?,
            columns: columns.parse().ok()?,
            target: target.to_owned(),
            // A pane begins with the host's name as its title: its program has set none.
            title: if title == host { String::new() } else { title.to_owned() },
        })
    }
}

fn exit(status: &str, signal: &str) -> Exit {
    match (signal_number(signal), status.parse()) {
        (Some(signal), _) => Exit::Signal(signal),
        (None, Ok(status)) => Exit::Status(status),
        // 3.2a does not tell signals; and a pane is dead for a moment before its process is reaped.
        (None, Err(_)) => Exit::Unknown,
    }
}

/// A number on Linux, a name (`KILL`) where the system has names for signals (macOS).
fn signal_number(signal: &str) -> Option<i32> {
    let name = signal.strip_prefix("SIG").unwrap_or(signal);
    match name {
        "HUP" => Some(1),
        "INT" => Some(2),
        "QUIT" => Some(3),
        "ILL" => Some(4),
        "TRAP" => Some(5),
        "ABRT" => Some(6),
        "FPE" => Some(8),
        "KILL" => Some(9),
        "SEGV" => Some(11),
        "PIPE" => Some(13),
        "ALRM" => Some(14),
        "TERM" => Some(15),
        number => number.parse().ok().filter(|number| *number > 0),
    }
}

/// The screen of one pane from its metadata and rows, and the server's process; `None` where tmux does not
/// have the pane.
pub(crate) fn screen(stdout: &str) -> Option<(Screen, Option<Pid>)> {
    let (meta, rows) = stdout.split_once('\n')?;
    let meta = Meta::parse(meta)?;
    let mut screen = Screen::from_ansi(rows);
    screen.scrolled_out = screen.rows.len().saturating_sub(meta.height);
    let screen = Screen {
        cursor_row: meta.cursor_row,
        cursor_column: meta.cursor_column,
        cursor_hidden: meta.cursor_hidden,
        alternate: meta.alternate,
        title: meta.title,
        exit: meta.exit,
        attached: meta.attached,
        history: meta.history,
        history_limit: meta.history_limit,
        columns: meta.columns,
        target: meta.target,
        ..screen
    };
    Some((screen, meta.server))
}

/// A pane's look, as far as it takes to notice a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Of metadata and rows.
    pub(crate) hash: u64,
    /// It has ended and will not change any more.
    pub(crate) ended: bool,
}

/// The looks of several panes, in the order in which they were asked for, up to one that tmux does not have.
pub(crate) fn looks(stdout: &str, panes: &[Target]) -> Vec<Look> {
    let mut lines = stdout.split('\n');
    let mut looks = Vec::new();
    for pane in panes {
        let Some(line) = lines.next() else { break };
        let Some(meta) = Meta::parse(line).filter(|meta| meta.id == pane.pane()) else { break };
        let mut hasher = DefaultHasher::new();
        line.hash(&mut hasher);
        // A capture always has as many rows as the pane is high.
        lines.by_ref().take(meta.height).for_each(|row| row.hash(&mut hasher));
        let ended = matches!(meta.exit, Some(Exit::Status(_) | Exit::Signal(_)));
        looks.push(Look { hash: hasher.finish(), ended });
    }
    looks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(id: &str) -> Target {
        Target::parse(&PaneId::new(id)).unwrap()
    }

    #[test]
    fn a_new_pane_is_believed_only_by_its_id() {
        let found = address("%3\t$1\ta:0.0\n").unwrap();
        assert_eq!((found.pane.as_str(), &*found.session, &*found.readable), ("%3", "$1", "a:0.0"));
        for stdout in ["", "\n", "3\t$1\ta:0.0\n", "%3\ta:0.0\n", "\t\t:.\n"] {
            assert_eq!(address(stdout), None, "{stdout:?}");
        }
    }

    #[test]
    fn no_process_below_two_is_ever_signalled() {
        let [pid, server] = [42, 7].map(|n| Pid::from_raw(n).unwrap());
        assert_eq!(process("42 0 7\n"), Some(Process { pid, dead: false, server }));
        assert_eq!(process("42 1 7\n"), Some(Process { pid, dead: true, server }));
        for stdout in ["1 0 7\n", "0 0 7\n", "-1 0 7\n", "42 0 1\n", "42 0\n", "  \n", ""] {
            assert_eq!(process(stdout), None, "{stdout:?}");
        }
    }

    #[test]
    fn a_screen_has_its_metadata_and_knows_what_scrolled_out() {
        let (screen, server) =
            screen("%1\t7\t2\t4\t1\t0\t\t\t1\t9\t50\t80\t0\t1\ta:0.0\thost\ttit\tle\nold\nx\ny z\n").unwrap();
        assert_eq!((screen.scrolled_out, screen.rows.len()), (1, 3));
        assert_eq!((screen.history, screen.history_limit, screen.columns, screen.height()), (9, 50, 80, 2));
        assert_eq!(server, Pid::from_raw(7));
        assert_eq!((screen.cursor_row, screen.cursor_column, screen.attached), (1, 4, 1));
        assert_eq!((screen.cursor_hidden, screen.alternate), (true, true));
        assert_eq!((screen.title.as_str(), screen.target.as_str(), screen.exit), ("tit\tle", "a:0.0", None));
        assert_eq!(screen.cursor().unwrap().text(), "y z");
    }

    #[test]
    fn ends_are_told_as_well_as_tmux_knows_them() {
        let table = [
            ("3", "", Exit::Status(3)),
            ("", "9", Exit::Signal(9)),
            ("0", "0", Exit::Status(0)),
            ("", "KILL", Exit::Signal(9)),
            ("", "", Exit::Unknown),
        ];
        for (status, signal, expected) in table {
            assert_eq!(exit(status, signal), expected, "{status} {signal}");
        }
    }

    #[test]
    fn an_unknown_pane_has_no_screen() {
        assert_eq!(screen("\t7\t\t\t\t\t\t\t\t\t\t\t\t\t:.\thost\t\n"), None);
        assert_eq!(screen(""), None);
    }

    #[test]
    fn looks_end_at_the_first_pane_that_is_gone() {
        let one = "%1\t7\t2\t0\t0\t0\t\t\t0\t0\t50\t80\t1\t0\ta:0.0\thost\t\nx\n%2\n";
        let two = "%2\t7\t1\t0\t0\t1\t0\t\t0\t0\t50\t80\t1\t0\tb:0.0\thost\thost\nend\n";
        let panes = ["%1", "%2", "%3"].map(target);
        let all = looks(&format!("{one}{two}\t7\t\t\t\t\t\t\t\t\t\t\t\t\t:.\thost\t\n"), &panes);
        assert_eq!(all.iter().map(|look| look.ended).collect::<Vec<_>>(), [false, true]);
        assert_ne!(looks(&one.replace('x', "X"), &panes)[0].hash, all[0].hash);
        assert_eq!(looks(one, &panes)[0], all[0]);
    }
}
