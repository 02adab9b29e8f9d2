//! Clients and servers that end or hang in the middle of work, and panes that flood.

use std::sync::Arc;
use std::time::{Duration, Instant};

use agentmux_core::contract::{Stage, within};
use agentmux_core::input::Key;
use agentmux_core::terminal::{Activity, PaneId, TerminalError};
use agentmux_tmux::Transport;

use crate::{Home, clients, run, sh, signal};

const PATIENCE: Duration = Duration::from_secs(20);

async fn stage_with_home() -> (Stage, Arc<Home>) {
    crate::stage_with_home(Transport::Auto).await
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = within(PATIENCE, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_some(), "{what}");
}

/// The processes of the clients that have attached.
fn attached(home: &Home) -> Vec<String> {
    home.ask(&["list-clients", "-F", "#{client_pid}"]).lines().map(String::from).collect()
}

async fn receiver(stage: &Stage) -> (PaneId, Activity) {
    let pane = stage.spawn("one", &stage.receiver).await.id;
    let activity = stage.terminal.activity(&pane);
    stage.screen(&pane, |screen| screen.text(1) == "ready").await;
    (pane, activity)
}

#[tokio::test]
async fn every_paste_arrives_once_though_the_clients_are_killed_meanwhile() {
    let (stage, home) = stage_with_home().await;
    let (pane, _activity) = receiver(&stage).await;
    let is_done = std::cell::Cell::new(false);
    let kill = async {
        for n in 0..8 {
            // Not one that is attaching: that would end the server.
            until("both clients are attached", async || attached(&home).len() == 2).await;
            run("kill", &["-KILL", &attached(&home)[n % 2]]);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        is_done.set(true);
    };
    let mut expected = String::new();
    let paste = async {
        for n in 0.. {
            let text = format!("{n:06}\n");
            stage.terminal.paste(&pane, &text).await.unwrap();
            expected.push_str(&text);
            if is_done.get() {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(kill, paste);
    stage.receives(&pane, expected.as_bytes()).await;
    assert_eq!(home.ask(&["list-buffers"]), "");
}

#[tokio::test]
async fn panes_are_still_told_of_when_the_watcher_was_killed() {
    let (stage, home) = stage_with_home().await;
    let pane = stage.spawn("one", &stage.echo).await.id;
    let mut activity = stage.terminal.activity(&pane);
    for text in ["first", "second", "third"] {
        // One that was just killed may still be listed.
        let mut watcher = None;
        until("the watcher is attached", async || {
            let clients = home.ask(&["list-clients", "-F", "#{client_flags} #{client_pid}"]);
            let row = clients.lines().find(|row| row.contains("pause-after")).map(str::to_owned);
            watcher = row.filter(|_| attached(&home).len() == 2);
            watcher.is_some()
        })
        .await;
        let watcher = watcher.unwrap();
        run("kill", &["-KILL", watcher.split(' ').next_back().unwrap()]);
        stage.terminal.paste(&pane, &format!("{text}\n")).await.unwrap();
        let told = within(PATIENCE, async {
            while !stage.terminal.read(&pane, 0).await.unwrap().text(1).contains(text) {
                activity.changed().await;
            }
        });
        told.await.unwrap();
    }
}

#[tokio::test]
async fn what_failed_on_a_stopped_server_does_not_happen_later() {
    let (stage, home) = stage_with_home().await;
    let (pane, _activity) = receiver(&stage).await;
    let server = home.server();
    until("the clients are attached", async || attached(&home).len() == 2).await;
    signal("STOP", &server);
    let start = Instant::now();
    let (pasted, pressed, read) = tokio::join!(
        stage.terminal.paste(&pane, "lost"),
        stage.terminal.keys(&pane, &[Key::Enter]),
        stage.terminal.read(&pane, 0),
    );
    let took = start.elapsed();
    signal("CONT", &server);
    for error in [pasted.err(), pressed.err(), read.err()] {
        assert!(matches!(error, Some(TerminalError::Unavailable(_))), "{error:?}");
    }
    assert!((4500..6000).contains(&took.as_millis()), "{took:?}");
    stage.terminal.paste(&pane, "later").await.unwrap();
    stage.receives(&pane, b"later").await;
    until("the clients are attached again", async || attached(&home).len() == 2).await;
    stage.terminal.keys(&pane, &[Key::Enter]).await.unwrap();
    stage.receives(&pane, b"later\r").await;
}

#[tokio::test]
async fn losing_the_server_is_told_to_all_within_a_second() {
    let (stage, home) = stage_with_home().await;
    let mut watched = Vec::new();
    for n in 0..5 {
        let pane = stage.spawn(&format!("p{n}"), &stage.echo).await.id;
        let activity = stage.terminal.activity(&pane);
        watched.push((pane, activity));
    }
    until("the clients are attached", async || attached(&home).len() == 2).await;
    signal("KILL", &home.server());
    let start = Instant::now();
    for (pane, activity) in &mut watched {
        let told = within(PATIENCE, async {
            while stage.terminal.read(pane, 0).await != Err(TerminalError::Gone) {
                activity.changed().await;
            }
        });
        told.await.unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    let pane = stage.spawn("again", &stage.echo).await.id;
    stage.terminal.paste(&pane, "back").await.unwrap();
    stage.screen(&pane, |screen| screen.text(1) == "back").await;
}

#[tokio::test]
async fn a_flood_in_one_pane_holds_up_nobody_and_takes_no_memory() {
    let (stage, home) = stage_with_home().await;
    let flood =
        "read x; yes 'all work and no play makes a dull boy' | head -c 30000000; echo; echo over; exec cat";
    let flooding = stage.spawn("flood", &sh(flood)).await.id;
    let mut activity = stage.terminal.activity(&flooding);
    let quiet = stage.spawn("quiet", &stage.echo).await.id;
    let _quiet = stage.terminal.activity(&quiet);
    let pids = [clients(&home), vec![home.server()]].concat();
    let before = memory(&pids);
    stage.terminal.paste(&flooding, "go\n").await.unwrap();

    let (mut slowest, mut largest, mut rounds) = (Duration::ZERO, 0, 0);
    let watched = within(Duration::from_secs(120), async {
        while stage.terminal.read(&flooding, 0).await.unwrap().text(1) != "over" {
            activity.changed().await;
            let start = Instant::now();
            stage.terminal.paste(&quiet, "x").await.unwrap();
            stage.terminal.read(&quiet, 0).await.unwrap();
            slowest = slowest.max(start.elapsed());
            largest = largest.max(memory(&pids));
            rounds += 1;
        }
    });
    watched.await.expect("the flood is told to its end");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    // Without pause-after the whole backlog is kept: 41 MB as %output. With it, what comes in a second.
    let grown = largest.saturating_sub(before);
    assert!(grown < 30_000, "the server and its clients grew by {grown} kB in {rounds} rounds");
}

/// What these processes hold, in kB; 0 where the system does not tell it in a file.
fn memory(pids: &[String]) -> u64 {
    let held = |pid: &String| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let row = status.lines().find_map(|row| row.strip_prefix("VmRSS:"))?;
        row.trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    pids.iter().filter_map(held).sum()
}
