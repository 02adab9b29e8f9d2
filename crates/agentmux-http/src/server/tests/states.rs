//! What a session does, shown on its screen: looked at, waited for, explained, interrupted.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use agentmux_core::terminal::PaneId;

use super::*;

const EDGE: &str = "────────────────";

/// A server with the session `one`, an agent of the profile `demo` whose screen is what the test shows.
struct Stage {
    server: Running,
    terminal: Arc<FakeTerminal>,
    pane: PaneId,
}

impl Stage {
    async fn new() -> Self {
        let terminal = Arc::new(FakeTerminal::default());
        let server = Running::on(terminal.clone()).await;
        // A program of that name must be there to be started.
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("receive");
        std::fs::write(&program, "").unwrap();
        std::fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let stage = Self { server, terminal, pane: PaneId::new("fake-1") };
        let env = json!({"PATH": folder.path()});
        let body = json!({"name": "one", "agent": "demo", "command": ["receive"], "env": env});
        assert_eq!(stage.server.post("/sessions", body).await.0, 201);
        stage
    }

    fn show(&self, rows: &[&str]) {
        rows.iter().for_each(|row| self.terminal.show(&self.pane, row));
    }

    async fn idle(&self) {
        self.show(&[EDGE, "❯", EDGE, "  ready"]);
        self.until("idle").await;
    }

    async fn busy(&self) {
        self.show(&["❯ work", "✻ Working… (2s · esc to interrupt)", EDGE, "❯", EDGE, "  working"]);
        self.until("busy").await;
    }

    async fn until(&self, state: &str) -> Value {
        let (status, session) = self.server.get(&format!("/sessions/one/wait?until={state}&wait=20")).await;
        assert_eq!((status, session["state"].as_str(), session.get("waited_out")), (200, Some(state), None));
        session
    }
}

#[tokio::test]
async fn waits_for_a_state_end_with_it_or_say_that_they_did_not() {
    let stage = Stage::new().await;
    let (waited, ()) = tokio::join!(stage.until("idle"), stage.idle());
    assert_eq!(waited["evidence"]["rule"], "empty box");
    let (status, session) = stage.server.get("/sessions/one/wait?until=busy,exited&wait=0.05").await;
    assert_eq!((status, &session["waited_out"], &session["state"]), (200, &json!(true), &json!("idle")));
    let (waited, (status, _)) = tokio::join!(
        stage.server.get("/sessions/one/wait?until=busy&wait=20"),
        stage.server.delete("/sessions/one")
    );
    assert_eq!((waited.0, status), (404, 200), "{}", waited.1);
}

#[tokio::test]
async fn at_shutdown_a_wait_for_a_state_ends_with_the_session_as_it_is() {
    let stage = Stage::new().await;
    stage.idle().await;
    let mut waiting = stage.server.connect().await;
    let requests = format!("{}{}", get("/livez"), get("/sessions/one/wait?until=busy&wait=3600"));
    waiting.write_all(requests.as_bytes()).await.unwrap();
    // The server has both requests in hand by then.
    read_until(&mut waiting, "{\"ok\":true}").await;
    drop(stage.server.stop);
    let (status, session) = parsed(&rest(&mut waiting).await);
    assert_eq!((status, &session["waited_out"], &session["state"]), (200, &json!(true), &json!("idle")));
    timeout(DRAIN / 2, stage.server.task).await.expect("nothing is left to wait for").unwrap();
}

#[tokio::test]
async fn a_busy_agent_is_interrupted_and_an_idle_one_is_not() {
    let stage = Stage::new().await;
    stage.idle().await;
    let interrupt = || stage.server.post("/sessions/one/interrupt", json!({}));
    assert_eq!(interrupt().await, (200, json!({"session": "one", "interrupted": false})));
    stage.busy().await;
    assert_eq!(interrupt().await, (200, json!({"session": "one", "interrupted": true})));
    assert_eq!(stage.terminal.received(&stage.pane), b"\x1b");

    let (status, keys) = stage.server.post("/sessions/one/keys", json!({"key": " Up ", "repeat": 2})).await;
    assert_eq!((status, keys), (200, json!({"session": "one", "key": "Up", "repeat": 2})));
    assert_eq!(stage.terminal.received(&stage.pane), b"\x1b\x1b[A\x1b[A");

    let refused = stage.server.post("/sessions/one/turns", json!({"text": "x", "if_busy": "reject"})).await;
    assert_eq!((refused.0, &refused.1["code"], &refused.1["state"]), (409, &json!("busy"), &json!("busy")));
}

#[tokio::test]
async fn an_ended_agent_says_how_it_ended() {
    let stage = Stage::new().await;
    stage.idle().await;
    stage.terminal.end(&stage.pane, agentmux_core::screen::Exit::Status(3));
    let session = stage.until("exited").await;
    assert_eq!(
        (&session["exit"], &session["evidence"]["source"]),
        (&json!({"status": 3}), &json!("process"))
    );
    for (path, body) in
        [("keys", json!({"key": "up"})), ("interrupt", json!({})), ("turns", json!({"text": "x"}))]
    {
        let (status, refusal) = stage.server.post(&format!("/sessions/one/{path}"), body).await;
        assert_eq!((status, &refusal["code"]), (409, &json!("agent_exited")), "{path}");
    }
}

#[tokio::test]
async fn the_screen_is_shown_and_its_reading_explained() {
    let stage = Stage::new().await;
    stage.idle().await;
    stage.busy().await;
    let (_, screen) = stage.server.get("/sessions/one/screen?lines=2").await;
    assert_eq!((&screen["session"], &screen["format"]), (&json!("one"), &json!("text")));
    assert_eq!(
        (&screen["state"], &screen["content"]),
        (&json!("busy"), &json!(format!("{EDGE}\n  working")))
    );
    let (_, screen) = stage.server.get("/sessions/one/screen").await;
    assert!(screen["content"].as_str().unwrap().starts_with("ready\n"), "all that it shows: {screen}");
    let (_, screen) = stage.server.get("/sessions/one/screen?lines=1&format=ansi").await;
    assert_eq!((&screen["format"], &screen["content"]), (&json!("ansi"), &json!("  working")));

    let (_, explanation) = stage.server.get("/sessions/one/explain").await;
    assert_eq!(explanation["session"]["state"], "busy");
    let first = explanation["rules"].as_array().unwrap().iter().find(|rule| rule["holds"] == true).unwrap();
    assert_eq!(explanation["session"]["evidence"]["rule"], first["rule"], "the first that holds decides");
    assert!(first["matched"].as_str().unwrap().starts_with("✻ Working…"), "{first}");
}
