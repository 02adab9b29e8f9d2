//! What tmux is known to do to panes, and does not do to ours.

use std::time::{Duration, Instant};

use agentmux_core::contract::within;
use agentmux_core::input::{Key, MAX_PROMPT};
use agentmux_core::screen::Exit;
use agentmux_core::terminal::{Launch, TerminalError};

use super::stage_with_home;
use crate::{is_alive, sh};

/// Waits until `holds`.
async fn until(holds: impl Fn() -> bool) {
    let waited = within(Duration::from_secs(10), async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(waited.await.is_some(), "did not come true");
}

#[tokio::test]
async fn a_mebibyte_arrives_byte_for_byte() {
    let (stage, _home) = stage_with_home().await;
    let pane = stage.spawn("one", &stage.receiver).await.id;
    stage.screen(&pane, |screen| screen.text(1) == "ready").await;
    let text: String = (0..MAX_PROMPT / 8).map(|n| format!("{n:07}\n")).collect();
    stage.terminal.paste(&pane, &text).await.unwrap();
    stage.receives(&pane, text.as_bytes()).await;
}

#[tokio::test]
async fn twenty_pastes_at_once_reach_their_own_panes() {
    let (stage, _home) = stage_with_home().await;
    let (terminal, panes) = (&stage.terminal, {
        let mut panes = Vec::new();
        for n in 0..20 {
            panes.push(stage.spawn(&format!("p{n}"), &stage.echo).await.id);
        }
        panes
    });
    let mut pastes = tokio::task::JoinSet::new();
    for (n, pane) in panes.iter().cloned().enumerate() {
        let terminal = terminal.clone();
        pastes.spawn(async move { terminal.paste(&pane, &format!("for {n}\n")).await });
    }
    assert!(pastes.join_all().await.into_iter().all(|pasted| pasted == Ok(())));
    for (n, pane) in panes.iter().enumerate() {
        let screen = stage.screen(pane, |screen| screen.text(9).matches("for").count() == 2).await;
        assert_eq!(screen.text(9), format!("for {n}\nfor {n}"));
    }
}

#[tokio::test]
async fn a_scrolled_pane_gets_its_prompt_and_its_keys() {
    let (stage, home) = stage_with_home().await;
    let pane = stage.spawn("one", &stage.receiver).await.id;
    stage.screen(&pane, |screen| screen.text(1) == "ready").await;
    let in_mode = || home.ask(&["display-message", "-p", "-t", pane.as_str(), "#{pane_in_mode}"]);

    home.ask(&["copy-mode", "-t", pane.as_str()]);
    stage.terminal.paste(&pane, "q1").await.unwrap();
    stage.receives(&pane, b"q1").await;
    assert_eq!(in_mode(), "1");
    stage.terminal.keys(&pane, &[Key::Up, Key::Enter]).await.unwrap();
    stage.receives(&pane, b"q1\x1b[A\r").await;
    assert_eq!(in_mode(), "0");

    home.ask(&["choose-tree", "-t", pane.as_str()]);
    stage.terminal.keys(&pane, &[Key::Ctrl('u')]).await.unwrap();
    stage.receives(&pane, b"q1\x1b[A\r\x15").await;
}

#[tokio::test]
async fn a_paste_is_bracketed_where_the_program_asked() {
    let (mut stage, home) = stage_with_home().await;
    let got = home.path().join("got");
    stage.receiver = sh(&format!("stty raw -echo; printf '\\033[?2004hready'; exec cat > {}", got.display()));
    let pane = stage.spawn("one", &stage.receiver).await.id;
    stage.screen(&pane, |screen| screen.text(1) == "ready").await;
    stage.terminal.paste(&pane, "a\nb").await.unwrap();
    stage.receives(&pane, b"\x1b[200~a\nb\x1b[201~").await;
    assert_eq!(home.ask(&["list-buffers"]), "");
}

#[tokio::test]
async fn a_paste_that_did_not_happen_leaves_no_buffer() {
    let (stage, home) = stage_with_home().await;
    let ended = stage.spawn("one", &stage.exit_3).await.id;
    stage.end(&ended).await;
    let gone = stage.spawn("two", &stage.echo).await.id;
    stage.terminal.kill(&gone).await.unwrap();
    for pane in [&ended, &gone] {
        assert!(stage.terminal.paste(pane, &"secret".repeat(50_000)).await.is_err());
    }
    assert_eq!(home.ask(&["list-buffers"]), "");
}

#[tokio::test]
async fn killing_ends_a_program_that_ignores_hangup_and_term_and_its_children() {
    let (stage, home) = stage_with_home().await;
    let script =
        "trap '' HUP TERM; (while :; do sleep 1; done) & echo $! > child; echo on; while :; do sleep 1; done";
    let pane = stage.spawn("one", &sh(script)).await.id;
    stage.screen(&pane, |screen| screen.text(1) == "on").await;
    let pid = home.ask(&["display-message", "-p", "-t", pane.as_str(), "#{pane_pid}"]);
    let child = std::fs::read_to_string(home.path().join("child")).unwrap().trim().to_owned();

    let start = Instant::now();
    stage.terminal.kill(&pane).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    until(|| !is_alive(&pid)).await;
    until(|| is_reaped_or_zombie(&child)).await;
    assert_eq!(stage.terminal.panes().await, Ok(vec![]));
}

/// An orphan is reaped by the machine's first process, where that does so.
fn is_reaped_or_zombie(pid: &str) -> bool {
    let state = crate::run("ps", &["-o", "stat=", "-p", pid]).stdout;
    state.is_empty() || state.starts_with(b"Z")
}

#[tokio::test]
async fn killing_an_ended_program_ends_what_it_left_behind() {
    let (stage, home) = stage_with_home().await;
    // Without the terminal open, or the pane would not be dead.
    let script = "trap '' HUP; (exec sleep 1000) </dev/null >/dev/null 2>&1 & echo $! > child; exit 0";
    let pane = stage.spawn("one", &sh(script)).await.id;
    stage.end(&pane).await;
    let child = std::fs::read_to_string(home.path().join("child")).unwrap().trim().to_owned();
    assert!(is_alive(&child));
    stage.terminal.kill(&pane).await.unwrap();
    until(|| is_reaped_or_zombie(&child)).await;
}

#[tokio::test]
async fn a_linked_window_is_listed_once_and_killed_everywhere() {
    let (stage, home) = stage_with_home().await;
    let pane = stage.spawn("one", &stage.echo).await.id;
    stage.spawn("two", &stage.echo).await;
    home.ask(&["link-window", "-d", "-s", "one:0", "-t", "two:7"]);
    assert_eq!(stage.terminal.panes().await.unwrap().len(), 2);
    stage.terminal.kill(&pane).await.unwrap();
    assert_eq!(stage.terminal.panes().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_pane_that_a_person_adds_is_not_ours() {
    let (stage, home) = stage_with_home().await;
    let pane = stage.spawn("one", &stage.echo).await;
    home.ask(&["split-window", "-t", pane.id.as_str(), "--", "cat"]);
    let panes = stage.terminal.panes().await.unwrap();
    assert_eq!(panes.iter().filter(|pane| pane.label.is_some()).count(), 1);
    let theirs = &panes.iter().find(|other| other.label.is_none()).unwrap().id;
    stage.terminal.paste(theirs, "hello").await.unwrap();
    stage.terminal.keys(theirs, &[Key::Enter]).await.unwrap();
    stage.screen(theirs, |screen| screen.text(9) == "hello\nhello").await;
    stage.terminal.kill(&pane.id).await.unwrap();
    assert_eq!(stage.terminal.panes().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_last_screen_of_an_ended_program_is_kept_whole() {
    let (stage, _home) = stage_with_home().await;
    let script =
        "i=0; while [ $i -lt 29 ]; do echo line $i; i=$((i+1)); done; printf last; sleep 0.1; kill -9 $$";
    let pane = stage.spawn("one", &sh(script)).await.id;
    let screen = stage.end(&pane).await;
    assert_eq!(screen.exit, Some(Exit::Signal(9)));
    assert_eq!(screen.rows.first().map(|row| row.text()), Some("line 0"));
    assert_eq!(screen.text(1), "last");
}

#[tokio::test]
async fn a_screen_is_read_with_title_cursor_and_history() {
    let (stage, _home) = stage_with_home().await;
    let script = "seq 50; printf '\\033]2;a\\ttitle é漢\\007> x'; exec cat";
    let pane = stage.spawn("one", &sh(script)).await.id;
    stage.screen(&pane, |screen| screen.text(1) == "> x").await;
    let screen = stage.terminal.read(&pane, 5).await.unwrap();
    assert_eq!((screen.scrolled_out, screen.rows.len()), (5, 35));
    assert_eq!(screen.rows[5].text(), "22");
    assert_eq!((screen.cursor_row, screen.cursor_column), (29, 3));
    assert!(screen.title.ends_with("title é漢"), "{:?}", screen.title);
    assert_eq!((screen.attached, screen.target.as_str()), (0, "one:0.0"));
}

#[tokio::test]
async fn a_program_without_term_gets_that_of_the_pane_and_a_missing_one_says_so() {
    let (stage, home) = stage_with_home().await;
    let bare = |name: &str, argv: &[std::ffi::OsString]| {
        let mut launch: Launch = stage.launch(name, argv);
        launch.env.clear();
        launch
    };
    let pane = stage.terminal.spawn(bare("one", &stage.env)).await.unwrap().id;
    stage.screen(&pane, |screen| screen.text(9) == "TERM=screen-256color").await;

    let pane = stage.terminal.spawn(bare("two", &["/no/such".into()])).await.unwrap().id;
    let screen = stage.end(&pane).await;
    assert_eq!(screen.exit, Some(Exit::Status(127)));
    assert!(screen.text(1).contains("cannot run /no/such"), "{}", screen.text(9));
    assert_eq!(std::fs::read_dir(home.path().join("launch")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_name_that_is_taken_leaves_no_launch_file() {
    let (stage, home) = stage_with_home().await;
    let files = || std::fs::read_dir(home.path().join("launch")).unwrap().count();
    stage.spawn("one", &stage.echo).await;
    until(|| files() == 0).await;
    let again = stage.terminal.spawn(stage.launch("one", &stage.echo)).await;
    assert_eq!((again, files()), (Err(TerminalError::NameTaken), 0));
}

#[tokio::test]
async fn a_quiet_pane_is_not_reported_and_many_are_watched_by_one_task() {
    let (stage, _home) = stage_with_home().await;
    let mut watched = Vec::new();
    for n in 0..45 {
        let pane = stage.spawn(&format!("p{n}"), &stage.echo).await.id;
        let mut activity = stage.terminal.activity(&pane);
        activity.changed().await;
        watched.push((pane, activity));
    }
    let (gone, rest) = watched.split_first_mut().unwrap();
    stage.terminal.kill(&gone.0).await.unwrap();
    let patience = Duration::from_secs(10);
    within(patience, gone.1.changed()).await.unwrap();
    for (pane, activity) in rest {
        stage.terminal.paste(pane, "x").await.unwrap();
        let shown = within(patience, async {
            while stage.terminal.read(pane, 0).await.unwrap().text(1) != "x" {
                activity.changed().await;
            }
        });
        shown.await.unwrap();
    }
}
