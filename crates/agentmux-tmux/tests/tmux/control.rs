//! What is promised where control clients are attached: pushed changes, the hidden session, what panes print.

use std::sync::Arc;
use std::time::{Duration, Instant};

use agentmux_core::contract::{Stage, within};
use agentmux_core::screen::Exit;
use agentmux_core::terminal::{Activity, PaneId, TerminalError};
use agentmux_tmux::Transport;

use crate::{Home, clients, is_alive, run, sh};

const PATIENCE: Duration = Duration::from_secs(10);

async fn stage_with_home() -> (Stage, Arc<Home>) {
    crate::stage_with_home(Transport::Control).await
}

/// Waits until `holds`, looking only when the signal fires; how long that took.
async fn told(activity: &mut Activity, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let start = Instant::now();
    let told = within(PATIENCE, async {
        while !holds().await {
            activity.changed().await;
        }
    });
    told.await.expect("it is told");
    start.elapsed()
}

/// A pane that is watched, when the watcher has it.
async fn watched(stage: &Stage, name: &str, script: &str) -> (PaneId, Activity) {
    let pane = stage.spawn(name, &sh(script)).await.id;
    let mut activity = stage.terminal.activity(&pane);
    within(PATIENCE, activity.changed()).await.expect("it fires soon");
    (pane, activity)
}

#[tokio::test]
async fn no_process_is_started_for_a_call() {
    let (stage, _home) = stage_with_home().await;
    let pane = stage.spawn("one", &stage.echo).await.id;
    let start = Instant::now();
    for _ in 0..200 {
        stage.terminal.read(&pane, 0).await.unwrap();
    }
    // 200 processes take half a second on a fast machine that does nothing else.
    assert!(start.elapsed() < Duration::from_millis(400), "{:?}", start.elapsed());
}

#[tokio::test]
async fn text_that_looks_like_protocol_is_text() {
    let (stage, _home) = stage_with_home().await;
    let text = "%begin 1 2 1\n%end 1 2 1\n%error 1 2 1\n%exit\n%output %0 x\n%pause %0";
    let (pane, _activity) = watched(&stage, "one", &format!("echo '{text}'; exec cat")).await;
    let screen = stage.screen(&pane, |screen| screen.text(9).ends_with("%pause %0")).await;
    assert_eq!(screen.text(9), text);
    assert_eq!(stage.terminal.panes().await.unwrap().len(), 1);
}

#[tokio::test]
async fn bytes_that_are_no_text_disturb_nothing() {
    let (stage, _home) = stage_with_home().await;
    let script =
        "read x; printf '\\377\\376\\303\\200\\033\\\\\\n\\303'; sleep 0.1; printf '\\251 end'; exec cat";
    let (pane, mut activity) = watched(&stage, "one", script).await;
    stage.terminal.paste(&pane, "go\n").await.unwrap();
    told(&mut activity, async || stage.terminal.read(&pane, 0).await.unwrap().text(1) == "é end").await;
}

#[tokio::test]
async fn what_a_program_announces_is_handed_on() {
    let (stage, _home) = stage_with_home().await;
    let script = "read x; printf '\\033]7501;state=working:app=demo\\007'; sleep 0.2; \
        printf '\\033]7501;state=blocked:ki'; sleep 0.2; printf 'nd=permission:app=demo\\033\\\\'; exec cat";
    let (pane, mut activity) = watched(&stage, "one", script).await;
    assert_eq!(activity.announced(), None);
    stage.terminal.paste(&pane, "go\n").await.unwrap();
    let mut states = Vec::new();
    let mut seen = activity.clone();
    told(&mut activity, async || {
        if let Some(announced) = seen.announced() {
            states.push(announced);
        }
        states.last().is_some_and(|announced| announced.kind.as_deref() == Some("permission"))
    })
    .await;
    within(Duration::from_millis(1), seen.changed()).await.expect("it is still to be seen");
    assert_eq!((states[0].state.as_str(), states[0].worked), ("working", 1));
    assert_eq!((states.last().unwrap().state.as_str(), states.last().unwrap().worked), ("blocked", 1));
}

#[tokio::test]
async fn an_end_is_told_within_seconds() {
    let (stage, _home) = stage_with_home().await;
    let (pane, mut activity) = watched(&stage, "one", "read x; exec >/dev/null 2>&1; exit 3").await;
    stage.terminal.paste(&pane, "go\n").await.unwrap();
    let took = told(&mut activity, async || {
        stage.terminal.read(&pane, 0).await.unwrap().exit == Some(Exit::Status(3))
    });
    let took = took.await;
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn a_linked_pane_looks_as_if_it_were_not() {
    let (stage, home) = stage_with_home().await;
    let (pane, _activity) = watched(&stage, "one", "exec cat").await;
    let places = home.ask(&["list-panes", "-a", "-f", "#{==:#{pane_id},%1}", "-F", "#{session_name}"]);
    assert_eq!(places, "_agentmux\none", "{pane}");
    let screen = stage.terminal.read(&pane, 0).await.unwrap();
    assert_eq!((screen.target.as_str(), screen.attached, screen.rows.len()), ("one:0.0", 0, 30));
    let panes = stage.terminal.panes().await.unwrap();
    assert_eq!(panes.iter().map(|pane| pane.target.as_str()).collect::<Vec<_>>(), ["one:0.0"]);
    let size = ["display-message", "-p", "-t", pane.as_str(), "#{window_width}x#{window_height}"];
    assert_eq!(home.ask(&size), "100x30");
    // What a person gets who attaches without saying to what.
    let best = ["list-sessions", "-f", "#{session_attached}", "-F", "#{session_name} #{session_attached}"];
    assert_eq!(home.ask(&best), "_agentmux 2");
}

#[tokio::test]
async fn a_pane_that_a_person_moves_is_still_ours() {
    let (stage, home) = stage_with_home().await;
    let (pane, mut activity) = watched(&stage, "one", "exec cat").await;
    stage.spawn("two", &stage.echo).await;
    home.ask(&["move-window", "-d", "-s", "one:0", "-t", "two:7"]);
    stage.terminal.paste(&pane, "moved").await.unwrap();
    told(&mut activity, async || stage.terminal.read(&pane, 0).await.unwrap().text(1) == "moved").await;
    assert_eq!(stage.terminal.read(&pane, 0).await.unwrap().target, "two:7.0");
    home.ask(&["rename-session", "-t", "=two", "three"]);
    assert_eq!(stage.terminal.read(&pane, 0).await.unwrap().target, "three:7.0");
}

#[tokio::test]
async fn killing_an_agent_s_session_ends_the_agent() {
    let (stage, home) = stage_with_home().await;
    let (pane, mut activity) = watched(&stage, "one", "trap '' HUP TERM; while :; do sleep 1; done").await;
    let (other, _other) = watched(&stage, "two", "exec cat").await;
    let pid = home.ask(&["display-message", "-p", "-t", pane.as_str(), "#{pane_pid}"]);
    home.ask(&["kill-session", "-t", "=one"]);
    let took = told(&mut activity, async || stage.terminal.read(&pane, 0).await == Err(TerminalError::Gone));
    assert!(took.await < Duration::from_secs(1));
    let panes = stage.terminal.panes().await.unwrap();
    assert_eq!(panes.into_iter().map(|pane| pane.id).collect::<Vec<_>>(), [other]);
    let ended = within(PATIENCE, async {
        while is_alive(&pid) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    ended.await.expect("the agent is ended");
}

#[test]
fn silent_panes_wake_nobody() {
    // Each child that ends wakes all runtimes of a process: this has to be measured in one of its own.
    let tests = std::env::current_exe().unwrap();
    let alone = ["--exact", "control::silent_panes_wake_nobody_in_a_process_of_its_own", "--ignored"];
    let output = run(tests.to_str().unwrap(), &alone);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
#[ignore = "run by silent_panes_wake_nobody"]
async fn silent_panes_wake_nobody_in_a_process_of_its_own() {
    let (stage, _home) = stage_with_home().await;
    let mut watches = Vec::new();
    for n in 0..10 {
        watches.push(watched(&stage, &format!("p{n}"), "exec cat").await);
    }
    // Until what the spawns set off has settled.
    for (_, activity) in &mut watches {
        while within(Duration::from_millis(1500), activity.changed()).await.is_some() {}
    }
    let Some(before) = switches() else { return };
    let woken = within(Duration::from_secs(3), async {
        watches[0].1.changed().await;
    });
    assert!(woken.await.is_none());
    let switches = switches().unwrap() - before;
    assert!(switches <= 12, "{switches} wake-ups in 3 s");
}

/// How often this thread, on which all of the test runs, went to sleep; only Linux tells.
fn switches() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/thread-self/status").ok()?;
    let row = status.lines().find_map(|row| row.strip_prefix("voluntary_ctxt_switches:"))?;
    row.trim().parse().ok()
}

#[tokio::test]
async fn dropping_it_ends_its_clients_and_nothing_else() {
    let (stage, home) = stage_with_home().await;
    let (pane, activity) = watched(&stage, "one", "exec cat").await;
    assert_eq!(clients(&home).len(), 2);
    drop((stage, activity));
    let gone = within(PATIENCE, async {
        while !clients(&home).is_empty() || !home.ask(&["list-clients"]).is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    gone.await.expect("nothing of ours stays");
    assert_eq!(std::fs::read_to_string(home.path().join("tmux-clients")).unwrap(), "");
    assert_eq!(home.connect().await.panes_now().await, [pane]);
}

#[tokio::test]
async fn a_server_of_the_user_gets_rid_of_the_hidden_session() {
    let mut home = Home::new(Transport::Auto);
    home.config.owned = false;
    home.ask(&["new-session", "-d", "-s", "theirs", "-n", "theirs", "--", "cat"]);
    let (mut stage, _own) = crate::stage_with_home(Transport::Subprocess).await;
    stage.terminal = Arc::new(home.connect().await);
    let (pane, mut activity) = watched(&stage, "one", "exec cat").await;
    let sessions = || home.ask(&["list-sessions", "-F", "#S"]);
    let hidden = within(PATIENCE, async {
        while sessions().lines().count() < 3 || clients(&home).len() < 2 {
            stage.terminal.read(&pane, 0).await.unwrap();
        }
    });
    hidden.await.expect("a hidden session");
    assert!(sessions().starts_with("_agentmux-"), "{}", sessions());
    stage.terminal.paste(&pane, "x").await.unwrap();
    told(&mut activity, async || stage.terminal.read(&pane, 0).await.unwrap().text(1) == "x").await;
    let server = home.server();
    drop((stage, activity));
    let gone = within(PATIENCE, async {
        while sessions() != "one\ntheirs" || !clients(&home).is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    gone.await.expect("only theirs and the agent's stay");
    assert_eq!(home.server(), server);
}

#[tokio::test]
async fn an_agent_whose_session_was_killed_meanwhile_is_ended_by_the_next_daemon() {
    let (stage, home) = stage_with_home().await;
    let (pane, activity) = watched(&stage, "one", "exec cat").await;
    let (other, _other) = watched(&stage, "two", "exec cat").await;
    drop((stage, activity));
    home.ask(&["kill-session", "-t", "=one"]);
    let listed = || home.ask(&["list-panes", "-a", "-F", "#{pane_id}"]);
    assert!(listed().contains(pane.as_str()));
    let tmux = home.connect().await;
    assert_eq!(tmux.panes_now().await, [other]);
    let ended = within(PATIENCE, async {
        while listed().contains(pane.as_str()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    ended.await.expect("it is ended");
}

#[tokio::test]
async fn clients_of_a_dead_daemon_are_ended() {
    let (stage, home) = stage_with_home().await;
    let pane = stage.spawn("one", &stage.echo).await.id;
    drop(stage);
    let gone = within(PATIENCE, async {
        while !clients(&home).is_empty() || !home.ask(&["list-clients"]).is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    gone.await.expect("no client of ours");
    let socket = home.config.socket.to_str().unwrap();
    let attach = "new-session -A -s _agentmux 'exec cat'";
    // Its parent ends at once, and it reads from nobody who would close its input.
    let script = format!(
        "mkfifo {socket}.in
         tmux -N -u -S {socket} -f /dev/null -C {attach} <>{socket}.in >/dev/null 2>&1 & echo $!"
    );
    let orphan = String::from_utf8(run("sh", &["-c", &script]).stdout).unwrap().trim().to_owned();
    let attached = within(PATIENCE, async {
        while home.ask(&["list-sessions", "-f", "#{session_attached}", "-F", "#S"]) != "_agentmux" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    attached.await.expect("it attaches");
    let tmux = home.connect().await;
    assert!(!clients(&home).contains(&orphan));
    assert_eq!(tmux.panes_now().await, [pane]);
}

trait PanesNow {
    async fn panes_now(&self) -> Vec<PaneId>;
}

impl PanesNow for agentmux_tmux::Tmux {
    async fn panes_now(&self) -> Vec<PaneId> {
        use agentmux_core::terminal::Terminal;
        self.panes().await.unwrap().into_iter().map(|pane| pane.id).collect()
    }
}
