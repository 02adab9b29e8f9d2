//! Whole requests down to the in-memory terminal, whose `echo` answers each prompt with itself.

use super::*;
use crate::limits::HALF_CLOSED;

#[tokio::test]
async fn one_request_is_a_whole_job() {
    let server = Running::start().await;
    let (status, run) = server.post("/run", json!({"text": " hello ", "name": "one", "wait": 20})).await;
    assert_eq!((status, &run["ok"], &run["action"]), (200, &json!(true), &json!("run")), "{run}");
    assert_eq!((&run["session"], &run["target"]), (&json!("one"), &json!("one:0.0")));
    assert_eq!((&run["turn"]["state"], &run["turn"]["delivery"]), (&json!("done"), &json!("confirmed")));
    assert!(run["turn"]["reply"].as_str().unwrap().contains("hello"), "{run}");
    assert!(run.get("waited_out").is_none());

    let (status, turn) = server.get(&format!("/turns/{}?wait=1", run["turn"]["id"].as_str().unwrap())).await;
    assert_eq!((status, &turn), (200, &run["turn"]));
}

#[tokio::test]
async fn a_session_is_sent_to_looked_at_and_ended() {
    let server = Running::start().await;
    assert_eq!(
        server.get("/idle").await,
        (404, json!({"error": "no active session", "code": "no_active_session"}))
    );
    for name in ["one", "two"] {
        assert_eq!(server.post("/run", json!({"text": "first", "name": name, "wait": 20})).await.0, 200);
    }
    let (status, sent) = server.post("/send", json!({"text": "second", "session": "one", "wait": 20})).await;
    assert_eq!((status, &sent["action"], &sent["target"]), (200, &json!("send"), &json!("one:0.0")));
    assert_eq!(sent["turn"]["reply"], "second");

    let (_, capture) = server.get("/capture?lines=1&target=one:0.0").await;
    assert_eq!((&capture["target"], &capture["lines"]), (&json!("one:0.0"), &json!(10)));
    assert!(capture["content"].as_str().unwrap().contains("> second\nsecond"), "{capture}");
    assert_eq!(server.get("/capture?target=x:0.0").await.1["error"], "target is not managed by agentmux");

    let health = server.get_until("/health", |health| health["sessions"][1]["idle"] == true).await;
    assert_eq!((&health["active_session"], &health["total_sessions"]), (&json!("two"), &json!(2)));
    assert_eq!(
        (&health["sessions"][0]["status"], &health["sessions"][1]["status"]),
        (&json!("completed"), &json!("active"))
    );
    assert_eq!(server.get("/idle").await.1, json!({"idle": true, "ctx_percent": null, "session": "two"}));

    let (_, key) = server.post("/key", json!({"key": " Up ", "repeat": 2})).await;
    assert_eq!(key, json!({"ok": true, "action": "key", "target": "two:0.0", "key": "Up"}));
    assert_eq!(server.post("/cleanup", json!({})).await.1["killed"], json!(["one"]));
    let (_, restart) = server.post("/restart", json!({})).await;
    assert_eq!((&restart["ok"], &restart["ready"]), (&json!(true), &json!(true)), "{restart}");
    let (status, kill) = server.post("/kill", json!({"session": restart["session"]})).await;
    assert_eq!((status, &kill["action"], &kill["session"]), (200, &json!("kill"), &restart["session"]));
    assert_eq!(server.get("/sessions").await.1, json!({"sessions": [], "active": ""}));
}

#[tokio::test]
async fn a_session_that_does_not_get_ready_is_reported_with_its_screen() {
    let server = Running::start().await;
    let (status, answer) = server.post("/run", json!({"text": "x", "command": ["false"]})).await;
    assert_eq!((status, &answer["code"]), (503, &json!("not_ready")));
    assert!(answer["error"].as_str().unwrap().contains("exited with status 127"), "{answer}");
    assert!(answer["screen"].as_str().unwrap().contains("cannot run"), "{answer}");
    assert_eq!(server.get("/sessions").await.1["sessions"], json!([]));
}

#[tokio::test]
async fn a_client_that_hangs_up_stops_nothing() {
    let server = Running::start().await;
    let mut socket = server.connect().await;
    socket.write_all(post("/run", r#"{"text":"hello","name":"one"}"#).as_bytes()).await.unwrap();
    drop(socket);
    server
        .get_until("/capture?target=one:0.0", |capture| {
            capture["content"].as_str().is_some_and(|content| content.contains("> hello\nhello"))
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up_while_it_waits_keeps_no_connection() {
    let registry = registry(Arc::new(FakeTerminal::default()));
    let (session, _) = registry.open(Default::default()).await.unwrap();
    let service = Arc::new(Service::new(registry, &access()));
    let (closing, is_closing) = watch::channel(false);
    let (ours, mut client) = tokio::io::duplex(1024);
    let connection = tokio::spawn(converse(ours, true, service, is_closing));
    let wait = format!("/sessions/{}/wait?until=limited&wait=3600", session.name);
    client.write_all(format!("{}{}", get("/livez"), get(&wait)).as_bytes()).await.unwrap();
    read_until(&mut client, "{\"ok\":true}").await;

    drop(client);
    timeout(HALF_CLOSED * 2, connection).await.expect("the connection ends").unwrap();
    drop(closing);
}

#[tokio::test]
async fn at_shutdown_waits_end_with_the_turn_as_it_is() {
    let server = Running::on(Arc::new(Mute)).await;
    let mut starting = server.connect().await;
    starting.write_all(post("/run", r#"{"text":"x","name":"one"}"#).as_bytes()).await.unwrap();
    server.get_until("/sessions", |document| document["sessions"][0]["status"] == "creating").await;
    let mut waiting = server.connect().await;
    let send = post("/send", r#"{"text":"y","session":"one","wait":3600}"#);
    waiting.write_all(format!("{}{send}", get("/livez")).as_bytes()).await.unwrap();
    // The server has both requests in hand by then.
    read_until(&mut waiting, "{\"ok\":true}").await;

    drop(server.stop);
    let (status, answer) = parsed(&rest(&mut waiting).await);
    assert_eq!((status, &answer["waited_out"]), (200, &json!(true)), "{answer}");
    assert_eq!(answer["turn"]["state"], "queued");
    timeout(DRAIN, server.task).await.expect("nothing is left to wait for").unwrap();
    assert_eq!(parsed(&rest(&mut starting).await).0, 503, "the start was seen to its end");
}
