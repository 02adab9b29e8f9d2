//! The registry over the in-memory terminal, with the clock paused: every wait is a decision, not time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agentmux_core::error::Error;
use agentmux_core::events::{Event, Next};
use agentmux_core::fake::FakeTerminal;
use agentmux_core::input::{Key, Prompt, SessionName};
use agentmux_core::profile::Profiles;
use agentmux_core::registry::{IfBusy, Registry, Sent, Settings, StartSpec};
use agentmux_core::screen::Exit;
use agentmux_core::state::State;
use agentmux_core::terminal::{PaneId, Terminal};
use agentmux_core::turn::{Turn, TurnState};

struct World {
    terminal: Arc<FakeTerminal>,
    registry: Registry,
}

fn world(program: &[&str], max_sessions: usize) -> World {
    let terminal = Arc::new(FakeTerminal::default());
    let env = [("PATH".into(), programs().into())].into();
    let settings = Settings {
        command: Some(program.iter().map(|word| (*word).to_owned()).collect()),
        max_sessions,
        accept_trust: true,
        ..Settings::new("repl", "/", env).unwrap()
    };
    let registry = Registry::new(terminal.clone(), Profiles::builtin(), settings);
    World { terminal, registry }
}

/// A folder with files of the programs' names: the registry looks that what it starts exists.
fn programs() -> &'static str {
    let folder = env!("CARGO_TARGET_TMPDIR");
    for name in ["echo", "swallow", "receive", "false"] {
        let file = Path::new(folder).join(name);
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

impl World {
    async fn run(&self, name: &str, text: &str) -> Result<Turn, Error> {
        let spec = StartSpec { name: Some(SessionName::parse(name).unwrap()), ..StartSpec::default() };
        self.registry.run(prompt(text), spec, IfBusy::Start, None).await.map(|accepted| accepted.turn)
    }

    async fn done(&self, turn: &Turn) -> Turn {
        let (turn, reached) =
            self.registry.wait_turn(turn.id.as_str(), Duration::from_secs(60)).await.unwrap();
        assert!(reached, "{turn:?}");
        turn
    }

    async fn pane(&self, session: &str) -> PaneId {
        let panes = self.terminal.panes().await.unwrap();
        panes.into_iter().find(|pane| pane.target == format!("{session}:0.0")).unwrap().id
    }

    async fn send(&self, session: &str, text: &str) -> Result<Turn, Error> {
        match self.registry.send(prompt(text), Some(session), None, IfBusy::Queue, None, None).await? {
            Sent::Turn(accepted) => Ok(accepted.turn),
            Sent::External(target) => panic!("{target}"),
        }
    }

    /// Waits for the session to be in that state.
    async fn until(&self, session: &str, state: State) {
        while self.registry.session(session).unwrap().state != state {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until what was typed into the pane is so.
    async fn until_received(&self, pane: &PaneId, wanted: impl Fn(&[u8]) -> bool) {
        while !wanted(&self.terminal.received(pane)) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn prompt(text: &str) -> Prompt {
    Prompt::parse(text).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_prompt_is_typed_once_and_its_reply_read() {
    let world = world(&["echo"], 10);
    let turn = world.run("a", "hello there").await.unwrap();
    let turn = world.done(&turn).await;
    assert_eq!((turn.state, turn.reply.as_deref()), (TurnState::Done, Some("hello there")));
    assert_eq!(world.terminal.received(&world.pane("a").await), b"hello there\r");
    assert_eq!(world.registry.active().unwrap().name.as_str(), "a");
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_scrolled_out_is_read_whole_and_alone() {
    let world = world(&["echo"], 10);
    world.done(&world.run("a", "count 7").await.unwrap()).await;
    for rows in [300, 7, 300, 1000] {
        let turn = world.done(&world.send("a", &format!("count {rows}")).await.unwrap()).await;
        let reply = turn.reply.unwrap_or_default();
        let counted = || (1..=rows).map(|row| row.to_string());
        assert!(reply.lines().eq(counted()), "count {rows}: {} rows", reply.lines().count());
    }
}

#[tokio::test(start_paused = true)]
async fn as_many_lines_are_read_as_are_asked_for_and_there() {
    let world = world(&["echo"], 10);
    world.done(&world.run("a", "count 300").await.unwrap()).await;
    let read = async |lines| world.registry.text("a", lines).await.unwrap().1;
    let last = |count: usize| {
        let rows = ["> count 300".to_owned()].into_iter().chain((1..=300).map(|row| row.to_string()));
        let rows: Vec<String> = rows.chain([">".to_owned()]).collect();
        rows[rows.len().saturating_sub(count)..].join("\n")
    };
    for lines in [1, 39, 40, 41, 100, 261, 262, 263, 301, 302, 303, 5000] {
        assert_eq!(read(Some(lines)).await, last(lines), "{lines}");
    }
    assert_eq!(read(None).await, last(40));
    // Before the session has seen it.
    world.terminal.clear_history(&world.pane("a").await);
    assert_eq!(read(Some(100)).await, last(40));
}

#[tokio::test(start_paused = true)]
async fn replies_are_found_while_a_full_history_drops_rows() {
    let world = world(&["echo"], 10);
    world.done(&world.run("a", "count 4900").await.unwrap()).await;
    for n in 0..12 {
        let turn = world.done(&world.send("a", "count 130").await.unwrap()).await;
        assert_eq!(turn.reply.unwrap_or_default().lines().count(), 130, "turn {n}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_history_that_is_cleared_in_a_turn_hides_no_reply() {
    let world = world(&["echo"], 10);
    world.done(&world.run("a", "count 300").await.unwrap()).await;
    for prompt in ["count 5", "count 5", "count 6"] {
        let turn = world.send("a", prompt).await.unwrap();
        let pane = world.pane("a").await;
        world.until_received(&pane, |typed| typed.ends_with(format!("{prompt}\r").as_bytes())).await;
        world.terminal.clear_history(&pane);
        let reply = world.done(&turn).await.reply.unwrap_or_default();
        assert!(reply.starts_with("1\n2\n3\n4\n5"), "{prompt}: {reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_prompts_at_once_are_two_turns_in_order() {
    let world = world(&["echo"], 10);
    world.done(&world.run("a", "zero").await.unwrap()).await;
    let (one, two) = tokio::join!(world.send("a", "one"), world.send("a", "two"));
    let (one, two) = (world.done(&one.unwrap()).await, world.done(&two.unwrap()).await);
    assert_eq!((one.reply.as_deref(), two.reply.as_deref()), (Some("one"), Some("two")));
    assert_eq!(world.terminal.received(&world.pane("a").await), b"zero\rone\rtwo\r");
}

#[tokio::test(start_paused = true)]
async fn an_ended_agent_gets_no_prompt() {
    let world = world(&["echo"], 10);
    world.done(&world.run("a", "hello").await.unwrap()).await;
    let pane = world.pane("a").await;
    world.terminal.end(&pane, Exit::Status(3));
    world.until("a", State::Exited).await;
    let error = world.send("a", "lost").await.unwrap_err();
    assert!(matches!(error, Error::AgentExited { exit: Some(Exit::Status(3)), .. }), "{error:?}");
    assert_eq!(world.terminal.received(&pane), b"hello\r");
}

#[tokio::test(start_paused = true)]
async fn a_person_s_draft_is_left_alone() {
    let world = world(&["echo"], 10);
    world.done(&world.run("a", "hello").await.unwrap()).await;
    world.terminal.paste(&world.pane("a").await, "half a thought").await.unwrap();
    world.until("a", State::Draft).await;
    assert!(matches!(world.send("a", "mine").await, Err(Error::HumanDraft { .. })));
    world.registry.press(Key::Ctrl('u'), 1, Some("a")).await.unwrap();
    world.until("a", State::Idle).await;
    assert_eq!(world.done(&world.send("a", "mine").await.unwrap()).await.reply.as_deref(), Some("mine"));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_get_ready_is_gone_and_reported() {
    let world = world(&["receive"], 10);
    let error = world.run("a", "hello").await.unwrap_err();
    let Error::NotReady { message, screen, exit: None } = error else { panic!("{error:?}") };
    assert_eq!((message.as_str(), screen.as_str()), ("new session did not become ready", "ready"));
    assert!(world.registry.sessions().is_empty() && world.terminal.panes().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_exits_at_once_is_reported_with_its_status() {
    let world = world(&["false"], 10);
    let before = tokio::time::Instant::now();
    let error = world.run("a", "hello").await.unwrap_err();
    assert!(matches!(&error, Error::NotReady { exit: Some(Exit::Status(127)), .. }), "{error:?}");
    assert!(error.to_string().contains("exited with status 127"), "{error}");
    assert!(before.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn at_the_limit_exited_and_idle_sessions_give_way_but_never_the_active_one() {
    let world = world(&["echo"], 3);
    for name in ["a", "b", "c"] {
        world.done(&world.run(name, "x").await.unwrap()).await;
    }
    world.terminal.end(&world.pane("b").await, Exit::Status(0));
    world.until("b", State::Exited).await;
    let names = || world.registry.sessions().iter().map(|s| s.name.to_string()).collect::<Vec<_>>();
    world.done(&world.run("d", "x").await.unwrap()).await;
    assert_eq!(names(), ["a", "c", "d"]);
    world.done(&world.run("e", "x").await.unwrap()).await;
    assert_eq!(names(), ["c", "d", "e"]);
}

#[tokio::test(start_paused = true)]
async fn killing_one_session_never_touches_one_whose_name_it_begins() {
    let world = world(&["echo"], 10);
    for name in ["a", "a1"] {
        world.done(&world.run(name, "x").await.unwrap()).await;
    }
    assert_eq!(world.registry.kill("a").await.unwrap().as_str(), "a");
    assert!(matches!(world.registry.kill("a").await, Err(Error::SessionNotFound(_))));
    assert_eq!(world.registry.active().unwrap().name.as_str(), "a1");
    assert_eq!(world.terminal.panes().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn killing_twice_at_once_is_harmless() {
    let world = world(&["echo"], 10);
    world.done(&world.run("a", "x").await.unwrap()).await;
    let (one, two) = tokio::join!(world.registry.kill("a"), world.registry.kill("a"));
    assert_eq!((one.unwrap().as_str(), two.unwrap().as_str()), ("a", "a"));
    assert!(world.registry.sessions().is_empty());
}

#[tokio::test(start_paused = true)]
async fn at_the_limit_an_ended_agent_can_be_restarted() {
    let world = world(&["echo"], 1);
    world.done(&world.run("a", "x").await.unwrap()).await;
    world.terminal.end(&world.pane("a").await, Exit::Status(1));
    world.until("a", State::Exited).await;
    let fresh = world.registry.restart().await.unwrap();
    assert_eq!(world.registry.sessions().iter().map(|s| &s.id).collect::<Vec<_>>(), [&fresh.id]);
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_last_turn_is_unconfirmed_gives_way() {
    let world = world(&["swallow"], 10);
    let turn = world.done(&world.run("a", "hello").await.unwrap()).await;
    assert_eq!(turn.state, TurnState::Unconfirmed);
    world.run("b", "hello").await.unwrap();
    world.until("a", State::Idle).await;
    assert_eq!(world.registry.session("a").unwrap().turns, 0);
    let killed = world.registry.cleanup().await.unwrap();
    assert_eq!(killed.iter().map(SessionName::as_str).collect::<Vec<_>>(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_typed_and_not_submitted_is_taken_back_at_the_end() {
    let world = world(&["receive"], 10);
    let spec = StartSpec { name: Some(SessionName::parse("a").unwrap()), ..StartSpec::default() };
    let _ = world.registry.open(spec).await.unwrap();
    let pane = world.pane("a").await;
    world.terminal.show(&pane, "> ");
    world.until("a", State::Idle).await;
    let registry = world.registry.clone();
    let sent = tokio::spawn(async move {
        registry.send(prompt("hello"), Some("a"), None, IfBusy::Queue, None, None).await
    });
    world.until_received(&pane, |typed| !typed.is_empty()).await;
    world.registry.stop().await;
    assert_eq!(world.terminal.received(&pane), b"hello\x15");
    sent.abort();
}

#[tokio::test(start_paused = true)]
async fn of_a_session_that_is_killed_its_turns_end_and_it_is_gone_and_no_more() {
    let world = world(&["echo"], 10);
    world.done(&world.run("a", "x").await.unwrap()).await;
    world.until("a", State::Idle).await;
    world.terminal.paste(&world.pane("a").await, "a draft").await.unwrap();
    world.until("a", State::Draft).await;
    let mut events = world.registry.events(None);
    world.registry.kill("a").await.unwrap();
    let Next::Event(next) = events.next().await else { panic!("nothing was missed") };
    assert!(matches!(&*next.event, Event::Gone { name, .. } if name.as_str() == "a"), "{next:?}");
    assert!(tokio::time::timeout(Duration::from_secs(60), events.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_later_registry_adopts_what_an_earlier_one_left() {
    let world = world(&["echo"], 10);
    world.done(&world.run("a", "x").await.unwrap()).await;
    let id = world.registry.session("a").unwrap().id;
    let settings = world.registry.settings().clone();
    world.registry.stop().await;
    let later = Registry::new(world.terminal.clone(), Profiles::builtin(), settings);
    assert_eq!(later.adopt().await.unwrap(), 1);
    assert_eq!(later.active().unwrap().id, id);
    let world = World { terminal: world.terminal, registry: later };
    world.until("a", State::Idle).await;
    assert_eq!(world.done(&world.send("a", "again").await.unwrap()).await.reply.as_deref(), Some("again"));
}

#[tokio::test(start_paused = true)]
async fn the_version_changes_with_what_there_is_to_see_and_only_then() {
    let world = world(&["echo"], 10);
    let mut seen = vec![world.registry.version()];
    let mut changed = || {
        let version = world.registry.version();
        assert_eq!(version, world.registry.version());
        assert!(!seen.contains(&version), "{version} came twice");
        seen.push(version);
    };
    world.done(&world.run("a", "x").await.unwrap()).await;
    world.until("a", State::Idle).await;
    changed();
    world.done(&world.run("b", "x").await.unwrap()).await;
    world.until("b", State::Idle).await;
    changed();
    world.terminal.end(&world.pane("a").await, Exit::Status(0));
    world.until("a", State::Exited).await;
    changed();
    world.registry.kill("b").await.unwrap();
    changed();
}
