//! What every [`Terminal`] promises, as checks that each implementation runs in its tests.
//!
//! [`terminal_contract!`](crate::terminal_contract) makes one test of each check:
//!
//! ```ignore
//! agentmux_core::terminal_contract!(stage().await);
//! ```

use std::any::Any;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::input::{Key, SessionName, ShortName};
use crate::question::Policy;
use crate::screen::{Exit, Screen};
use crate::terminal::{Activity, Label, Launch, Pane, PaneId, Size, Terminal, TerminalError};

/// How long anything may take before a check fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tells what the receiver in a pane got so far.
pub type Received = Box<dyn Fn(&PaneId) -> Vec<u8> + Send + Sync>;

/// A terminal under test, and the programs that it can run.
#[expect(missing_debug_implementations, reason = "holds closures; lives for one test")]
pub struct Stage {
    /// The terminal, without a pane.
    pub terminal: Arc<dyn Terminal>,
    /// Shows each line that is submitted back.
    pub echo: Vec<OsString>,
    /// Ends at once with status 3.
    pub exit_3: Vec<OsString>,
    /// Prints its environment, a variable a row. It may end then, if the terminal shows the last words of a
    /// program.
    pub env: Vec<OsString>,
    /// Prints its working directory; it may end then.
    pub pwd: Vec<OsString>,
    /// A directory to start in, without links in its path.
    pub workdir: PathBuf,
    /// Takes what is typed as it comes; shows `ready` first. Started once a stage.
    pub receiver: Vec<OsString>,
    /// What the receiver got so far.
    pub received: Received,
    /// Dropped with the stage.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// One test of each check, on a stage of its own.
#[macro_export]
macro_rules! terminal_contract {
    ($stage:expr) => {
        $crate::terminal_contract!(
            @ $stage,
            what_is_submitted_is_shown,
            rows_that_scroll_out_are_counted,
            a_program_gets_exactly_the_environment_given,
            a_program_starts_in_its_folder,
            an_ended_program_stays_readable_with_its_status,
            pasted_text_arrives_byte_for_byte,
            nothing_is_typed_into_an_ended_program,
            a_name_is_taken_until_its_pane_is_killed,
            killing_removes_that_pane_only,
            a_pane_that_is_gone_says_so,
            panes_keep_their_label,
            output_and_ends_are_reported_as_activity,
        );
    };
    (@ $stage:expr, $($check:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $check() {
            let stage = $stage;
            $crate::contract::$check(&stage).await;
        }
    )*};
}

impl Stage {
    /// A launch of one of the stage's programs.
    pub fn launch(&self, name: &str, argv: &[OsString]) -> Launch {
        let name = SessionName::parse(name).expect("a valid name");
        let agent = ShortName::parse("agent", "contract").expect("a valid name");
        let workdir = self.workdir.clone();
        let label = Label {
            id: format!("id of {name}"),
            name,
            agent,
            created: 1_795_500_000,
            workdir: workdir.display().to_string(),
            policy: Policy::Approve,
        };
        Launch {
            name: label.name.clone(),
            window: label.agent.clone(),
            argv: argv.to_owned(),
            workdir,
            env: [("PATH", "/usr/bin:/bin"), ("TERM", "screen")].map(|(k, v)| (k.into(), v.into())).into(),
            size: Size { columns: 100, rows: 30 },
            label,
        }
    }

    /// Starts one of the stage's programs.
    pub async fn spawn(&self, name: &str, argv: &[OsString]) -> Pane {
        self.terminal.spawn(self.launch(name, argv)).await.expect("the program starts")
    }

    /// The first screen of the pane for which `is_it` holds.
    pub async fn screen(&self, pane: &PaneId, is_it: impl Fn(&Screen) -> bool) -> Screen {
        let mut last = None;
        let found = within(PATIENCE, async {
            loop {
                let screen = self.terminal.read(pane, 0).await.expect("the pane can be read");
                if is_it(&screen) {
                    return screen;
                }
                last = Some(screen);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        found.unwrap_or_else(|| {
            let (exit, text) = last.map(|screen| (screen.exit, screen.text(100))).unwrap_or_default();
            panic!("the expected screen did not come; the last one ({exit:?}):\n{text}")
        })
    }

    /// The screen of the pane when its program has ended.
    pub async fn end(&self, pane: &PaneId) -> Screen {
        self.screen(pane, |screen| screen.exit.is_some_and(|exit| exit != Exit::Unknown)).await
    }

    /// Waits until the receiver has got exactly these bytes.
    pub async fn receives(&self, pane: &PaneId, expected: &[u8]) {
        let arrived = within(PATIENCE, async {
            while (self.received)(pane).len() < expected.len() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let arrived = arrived.await.is_some();
        let received = (self.received)(pane);
        assert!(arrived, "{} of {} bytes arrived", received.len(), expected.len());
        if received != expected {
            let at = received.iter().zip(expected).position(|(a, b)| a != b).unwrap_or(expected.len());
            panic!("{} bytes arrived, different from byte {at} of {} on", received.len(), expected.len());
        }
    }
}

/// The result, where it comes in time.
pub async fn within<T>(patience: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(patience, work).await.ok()
}

/// A pane shows what its program prints; pasted text and keys reach the program.
pub async fn what_is_submitted_is_shown(stage: &Stage) {
    let pane = stage.spawn("one", &stage.echo).await.id;
    stage.terminal.paste(&pane, "hello").await.expect("pasted");
    stage.terminal.keys(&pane, &[Key::Enter]).await.expect("pressed");
    let shown = |screen: &Screen| screen.rows.iter().filter(|row| row.text().ends_with("hello")).count();
    let screen = stage.screen(&pane, |screen| shown(screen) >= 2).await;
    assert_eq!(screen.exit, None);
    assert_eq!(screen.scrolled_out, 0);
    assert!(screen.target.starts_with("one:"), "{}", screen.target);
    let text = stage.terminal.text(&pane, 5).await.expect("read");
    assert_eq!(text, screen.lines());
}

/// A screen knows how many rows are kept above it, whether they were asked for or not.
pub async fn rows_that_scroll_out_are_counted(stage: &Stage) {
    let pane = stage.spawn("one", &stage.echo).await.id;
    let before = stage.terminal.read(&pane, 0).await.expect("read");
    assert_eq!((before.columns, before.height(), before.history), (100, 30, 0));
    assert!(before.history_limit > 100, "{}", before.history_limit);
    for n in 0..25 {
        stage.terminal.paste(&pane, &format!("row {n}")).await.expect("pasted");
        stage.terminal.keys(&pane, &[Key::Enter]).await.expect("pressed");
        // As it was typed, and as the program says it.
        let row = format!("row {n}");
        let shown = |screen: &Screen| screen.rows.iter().filter(|shown| shown.text().ends_with(&row)).count();
        stage.screen(&pane, |screen| shown(screen) >= 2).await;
    }
    let screen = stage.screen(&pane, |screen| screen.history >= 20).await;
    assert_eq!((screen.scrolled_out, screen.height()), (0, 30));
    let read = stage.terminal.read(&pane, 5).await.expect("read");
    assert_eq!((read.scrolled_out, read.height(), read.history), (5, 30, screen.history));
}

/// Nothing of the daemon's environment reaches a program.
pub async fn a_program_gets_exactly_the_environment_given(stage: &Stage) {
    let mut launch = stage.launch("one", &stage.env);
    launch.env.insert("ODD".into(), "#{pid} $(id) \"é漢\" 'x'; \\ ".into());
    let given: BTreeSet<String> = launch
        .env
        .iter()
        .map(|(name, value)| format!("{}={}", name.to_string_lossy(), value.to_string_lossy()))
        .map(|row| row.trim_end().to_owned())
        .collect();
    let pane = stage.terminal.spawn(launch).await.expect("the program starts").id;
    let rows = |screen: &Screen| -> BTreeSet<_> {
        screen.visible().iter().map(|row| row.text().to_owned()).collect()
    };
    stage.screen(&pane, |screen| rows(screen) == given).await;
}

/// The working directory is the one asked for.
pub async fn a_program_starts_in_its_folder(stage: &Stage) {
    let pane = stage.spawn("one", &stage.pwd).await.id;
    let workdir = stage.workdir.display().to_string();
    stage.screen(&pane, |screen| screen.text(100) == workdir).await;
}

/// An end is known at once, with its status; the pane stays.
pub async fn an_ended_program_stays_readable_with_its_status(stage: &Stage) {
    let pane = stage.spawn("one", &stage.exit_3).await.id;
    assert_eq!(stage.end(&pane).await.exit, Some(Exit::Status(3)));
    assert_eq!(stage.terminal.panes().await.expect("listed").len(), 1);
}

/// What is special to shells, tmux and terminals is not special in a prompt.
pub async fn pasted_text_arrives_byte_for_byte(stage: &Stage) {
    let pane = stage.spawn("one", &stage.receiver).await.id;
    stage.screen(&pane, |screen| screen.text(1) == "ready").await;
    let long: String = (0..100 * 1024 / 8).map(|n| format!("{n:07}\n")).collect();
    let texts = [
        "-R",
        "--",
        "x;",
        ";",
        "#{pid} #(touch x) #[fg=red]",
        "$(x) `x` $HOME ${X} ~root",
        "'single' \"double\" \\ \\n",
        "a\tb",
        "漢字 ひらがな",
        "🦀 👩‍👩‍👧 é",
        "one\ntwo\nthree",
        "Enter",
        " ",
        &long,
    ];
    let mut expected = Vec::new();
    for text in texts {
        stage.terminal.paste(&pane, text).await.expect("pasted");
        expected.extend_from_slice(text.as_bytes());
        stage.receives(&pane, &expected).await;
    }
}

/// A prompt never reaches what a dead agent leaves behind, and the terminal survives the attempt.
pub async fn nothing_is_typed_into_an_ended_program(stage: &Stage) {
    let other = stage.spawn("other", &stage.echo).await.id;
    let pane = stage.spawn("one", &stage.exit_3).await.id;
    stage.end(&pane).await;
    assert_eq!(stage.terminal.paste(&pane, "x").await, Err(TerminalError::Exited));
    assert_eq!(stage.terminal.keys(&pane, &[Key::Enter]).await, Err(TerminalError::Exited));
    assert_eq!(stage.terminal.paste(&other, "x").await, Ok(()));
    assert_eq!(stage.terminal.panes().await.expect("listed").len(), 2);
}

/// Two sessions of one name cannot be.
pub async fn a_name_is_taken_until_its_pane_is_killed(stage: &Stage) {
    let pane = stage.spawn("one", &stage.echo).await.id;
    let again = stage.terminal.spawn(stage.launch("one", &stage.echo)).await;
    assert_eq!(again.err(), Some(TerminalError::NameTaken));
    stage.terminal.kill(&pane).await.expect("killed");
    stage.spawn("one", &stage.echo).await;
}

/// Not the pane whose name its name begins; twice is harmless.
pub async fn killing_removes_that_pane_only(stage: &Stage) {
    let long = stage.spawn("agent-10", &stage.echo).await.id;
    let short = stage.spawn("agent-1", &stage.echo).await.id;
    let ended = stage.spawn("agent", &stage.exit_3).await.id;
    stage.end(&ended).await;
    for pane in [&short, &short, &ended, &ended] {
        stage.terminal.kill(pane).await.expect("killed");
    }
    let left: Vec<_> =
        stage.terminal.panes().await.expect("listed").into_iter().map(|pane| pane.id).collect();
    assert_eq!(left, [long]);
}

/// Each operation tells a pane that is gone from one whose program has ended.
pub async fn a_pane_that_is_gone_says_so(stage: &Stage) {
    let pane = stage.spawn("one", &stage.echo).await.id;
    stage.spawn("two", &stage.echo).await;
    stage.terminal.kill(&pane).await.expect("killed");
    assert_eq!(stage.terminal.read(&pane, 5).await.err(), Some(TerminalError::Gone));
    assert_eq!(stage.terminal.text(&pane, 5).await.err(), Some(TerminalError::Gone));
    assert_eq!(stage.terminal.paste(&pane, "x").await, Err(TerminalError::Gone));
    assert_eq!(stage.terminal.keys(&pane, &[Key::Enter]).await, Err(TerminalError::Gone));
    assert_eq!(stage.terminal.kill(&pane).await, Ok(()));
    let nonsense = PaneId::new("=two:; kill-server");
    assert_eq!(stage.terminal.read(&nonsense, 0).await.err(), Some(TerminalError::Gone));
    assert_eq!(stage.terminal.kill(&nonsense).await, Ok(()));
    assert_eq!(stage.terminal.panes().await.expect("listed").len(), 1);
}

/// A listing gives back what was stored with the pane.
pub async fn panes_keep_their_label(stage: &Stage) {
    assert_eq!(stage.terminal.panes().await, Ok(Vec::new()));
    let mut launch = stage.launch("one", &stage.echo);
    launch.label.workdir = "/a b/#(touch x)/#{pid}/é漢;".into();
    let label = launch.label.clone();
    let pane = stage.terminal.spawn(launch).await.expect("the program starts");
    assert!(pane.target.starts_with("one:"), "{}", pane.target);
    assert_eq!(pane.label, Some(label));
    assert_eq!(stage.terminal.panes().await, Ok(vec![pane]));
}

/// Whoever waits for a change wakes on output, on an end and on removal.
pub async fn output_and_ends_are_reported_as_activity(stage: &Stage) {
    let pane = stage.spawn("one", &stage.echo).await.id;
    let mut activity = stage.terminal.activity(&pane);
    stage.terminal.paste(&pane, "hello").await.expect("pasted");
    wait_for(&mut activity, "output", || async {
        stage.terminal.read(&pane, 0).await.is_ok_and(|screen| screen.text(1).ends_with("hello"))
    })
    .await;
    stage.terminal.kill(&pane).await.expect("killed");
    wait_for(&mut activity, "removal", || async {
        stage.terminal.read(&pane, 0).await == Err(TerminalError::Gone)
    })
    .await;

    let pane = stage.spawn("two", &stage.echo).await.id;
    let mut activity = stage.terminal.activity(&pane);
    stage.terminal.keys(&pane, &[Key::Ctrl('d')]).await.expect("pressed");
    wait_for(&mut activity, "an end", || async {
        // Not always status 0: a program that closes its terminal before it ends may be hung up by tmux.
        stage
            .terminal
            .read(&pane, 0)
            .await
            .is_ok_and(|screen| screen.exit.is_some_and(|exit| exit != Exit::Unknown))
    })
    .await;
}

/// Looks only when the signal fires.
async fn wait_for<F: Future<Output = bool>>(activity: &mut Activity, what: &str, holds: impl Fn() -> F) {
    let waited = within(PATIENCE, async {
        loop {
            activity.changed().await;
            if holds().await {
                return;
            }
        }
    });
    assert!(waited.await.is_some(), "{what} was not reported as activity");
}
