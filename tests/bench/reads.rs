//! Reading: a screen, and many clients at once.

use crate::awake::Awake;
use crate::connection::{Connection, at_once};
use crate::control::Control;
use crate::hello::Hello;
use crate::plan::Plan;
use crate::stage::Stage;
use crate::table::{Most, Row, Table};
use crate::times::{Times, in_turns};

/// The height of a session's terminal.
const ROWS: usize = 40;
const CLIENTS: usize = 50;

pub(crate) fn play(plan: &Plan, table: &mut Table) {
    for (transport, how) in [("auto", ""), ("subprocess", " by subprocess")] {
        let stage = Stage::over(transport);
        stage.demo("long", "");
        stage.send("LONG 600");
        if plan.wants("screen") {
            table.group("baseline: raw control round trip + bare hyper with the same bytes");
            for (path, lines) in screens() {
                let [ours, raw, hello] = beside_both(&stage, &path, lines, plan);
                let row = Row::times(format!("{path}{how}"), &ours).beside(raw.p50() + hello.p50());
                table.row(&if how.is_empty() { row.at_most(Most::Ratio(2.0)) } else { row });
                table.row(&Row::times(format!("  raw control round trip, {lines} lines"), &raw));
            }
        }
        if plan.wants("clients") {
            clients(&stage, how, plan, table);
        }
    }
}

fn screens() -> [(String, usize); 4] {
    let screen = |lines| (format!("/sessions/long/screen?lines={lines}"), lines);
    let capture = |lines| (format!("/capture?lines={lines}"), lines);
    [screen(50), screen(500), capture(50), capture(500)]
}

/// The daemon's times, and those of bare hyper with the same answer.
pub(crate) fn beside_hello(stage: &Stage, path: &str, plan: &Plan) -> [Times; 2] {
    let _awake = Awake::keep();
    anew(plan, || {
        let (mut ours, hello) = both(stage, path);
        let mut theirs = hello.connection(path, &stage.authorization());
        in_turns(500, [&mut || ours.ask(), &mut || theirs.ask()])
    })
}

/// The daemon's times, and what must be spent: those of tmux and of HTTP by themselves.
fn beside_both(stage: &Stage, path: &str, lines: usize, plan: &Plan) -> [Times; 3] {
    let _awake = Awake::keep();
    let capture = capture(stage, lines);
    anew(plan, || {
        let (mut ours, hello) = both(stage, path);
        let mut theirs = hello.connection(path, &stage.authorization());
        let mut control = Control::attach(&stage.tmux());
        in_turns(200, [&mut || ours.ask(), &mut || control.ask(&capture), &mut || theirs.ask()])
    })
}

/// Measures on new connections and with new servers each time: much depends on which core they come to lie.
fn anew<const N: usize>(plan: &Plan, measure: impl Fn() -> [Times; N]) -> [Times; N] {
    let rounds: Vec<_> = (0..plan.pick(10, 3)).map(|_| measure()).collect();
    std::array::from_fn(|kind| Times::of_all(rounds.iter().map(|round| round[kind].clone())))
}

fn both(stage: &Stage, path: &str) -> (Connection, Hello) {
    let mut ours = open(stage, path);
    let hello = Hello::answering(ours.answer());
    (ours, hello)
}

fn open(stage: &Stage, path: &str) -> Connection {
    Connection::open(&stage.url(), path, &stage.authorization())
}

/// The tmux command that prints so many lines of the session `long`.
fn capture(stage: &Stage, lines: usize) -> String {
    let pane = stage.tmux().run(&["display-message", "-p", "-t", "=long:", "#{pane_id}"]);
    format!("capture-pane -p -t {pane} -S -{}", lines - ROWS)
}

fn clients(stage: &Stage, how: &str, plan: &Plan, table: &mut Table) {
    let _awake = Awake::keep();
    let mut control = Control::attach(&stage.tmux());
    let each = plan.pick(200, 40);
    let beside = |path: &str| {
        let (_, hello) = both(stage, path);
        let ours = at_once(CLIENTS, each, || open(stage, path));
        (ours, at_once(CLIENTS, each, || hello.connection(path, &stage.authorization())))
    };
    table.group(
        "50 clients at once; baseline: the same with bare hyper, and as many control commands in one go",
    );
    let (ours, hello) = beside("/sessions");
    table.row(&Row::times(format!("/sessions{how}"), &ours).beside(hello.p50()));
    let path = "/sessions/long/screen?lines=50";
    let (ours, hello) = beside(path);
    let capture = capture(stage, 50);
    let raw: Times = (0..each).map(|_| control.ask_at_once(&capture, CLIENTS)).collect();
    table.row(&Row::times(format!("{path}{how}"), &ours).beside(hello.p50() + raw.p50()));
}
