//! The endpoints by resource, down to the in-memory terminal, whose `echo` answers each prompt with itself.

use super::*;

#[tokio::test]
async fn a_session_is_started_at_once_and_known_by_name_and_id() {
    let server = Running::start().await;
    let body = json!({"name": "one", "size": {"columns": 80, "rows": 24}, "env": {"A": "b"}, "workdir": "/"});
    let answer = server.exchange(post("/sessions", &body.to_string())).await;
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert!(answer.to_lowercase().contains("\r\nlocation: /sessions/one\r\n"), "{answer}");
    let session = parsed(&answer).1;
    assert_eq!((&session["name"], &session["state"]), (&json!("one"), &json!("starting")));

    let ready = server.get("/sessions/one/wait?until=idle,busy&wait=20").await.1;
    assert_eq!(
        (&ready["state"], &ready["id"], &ready["active"]),
        (&json!("idle"), &session["id"], &json!(true))
    );
    assert_eq!(ready["evidence"]["source"], "screen");
    let id = ready["id"].as_str().unwrap();
    assert_eq!(server.get(&format!("/sessions/{id}")).await, server.get("/sessions/one").await);
    let fields: Vec<_> = ready.as_object().unwrap().keys().map(String::as_str).collect();
    for field in
        ["since", "started_at", "agent", "workdir", "context", "exit", "lost", "turns", "contradictions"]
    {
        assert!(fields.contains(&field), "{field} in {fields:?}");
    }
    let (_, inherited) = server.get("/sessions").await;
    let fields: Vec<_> = inherited["sessions"][0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["created_at", "name", "status", "target"], "the inherited document stays as it is");

    assert_eq!(server.post("/sessions", json!({"name": "one"})).await.1["code"], "name_taken");
    assert_eq!(server.delete(&format!("/sessions/{id}")).await, (200, json!({"name": "one", "id": id})));
    assert_eq!(server.get("/sessions/one").await.1["code"], "session_not_found");
}

#[tokio::test]
async fn waiting_for_a_start_ends_with_it_or_with_the_patience() {
    let server = Running::start().await;
    let (status, session) = server.post("/sessions", json!({"name": "one", "wait": 20})).await;
    assert_eq!((status, &session["state"], session.get("waited_out")), (201, &json!("idle"), None));
    let (status, failure) = server.post("/sessions", json!({"command": ["false"], "wait": 20})).await;
    assert_eq!((status, &failure["code"]), (503, &json!("not_ready")), "{failure}");
    assert!(failure["screen"].as_str().unwrap().contains("cannot run"), "{failure}");

    let server = Running::on(Arc::new(Mute)).await;
    let (status, session) = server.post("/sessions", json!({"name": "one", "wait": 0.01})).await;
    assert_eq!((status, &session["waited_out"], &session["state"]), (201, &json!(true), &json!("starting")));
}

#[tokio::test]
async fn turns_are_submitted_waited_for_and_listed_without_their_replies() {
    let server = Running::start().await;
    server.post("/sessions", json!({"name": "one", "wait": 20})).await;
    let (status, turn) = server.post("/sessions/one/turns", json!({"text": "first", "wait": 20})).await;
    assert_eq!((status, &turn["state"], &turn["reply"]), (200, &json!("done"), &json!("first")));

    let answer = server.exchange(post("/sessions/one/turns", r#"{"text":"second","raw":true}"#)).await;
    let (status, turn) = parsed(&answer);
    let path = format!("/turns/{}", turn["id"].as_str().unwrap());
    assert_eq!(status, 202);
    assert!(answer.to_lowercase().contains(&format!("\r\nlocation: {path}\r\n")), "{answer}");
    let (status, turn) = server.get(&format!("{path}?wait=20")).await;
    assert_eq!((status, &turn["state"], &turn["reply"]), (200, &json!("done"), &json!("second")));
    // What has ended stays as it is.
    assert_eq!(server.post(&format!("{path}/cancel"), json!({})).await, (200, turn.clone()));

    let ids = |list: &Value| -> Vec<Value> {
        list["turns"].as_array().unwrap().iter().map(|turn| turn["id"].clone()).collect()
    };
    let (_, list) = server.get("/sessions/one/turns").await;
    assert_eq!((ids(&list).len(), &list["turns"][0]["id"]), (2, &turn["id"]), "newest first: {list}");
    assert!(list["turns"][0]["reply"].is_null() && list["turns"][0]["reply_source"] == "screen");
    assert_eq!(ids(&server.get("/turns?state=done&session=one&limit=1").await.1), [turn["id"].clone()]);
    for nothing in ["/turns?state=queued", "/turns?session=two", "/sessions/one/turns?state=failed"] {
        assert_eq!(server.get(nothing).await, (200, json!({"turns": []})), "{nothing}");
    }
}

#[tokio::test]
async fn a_queued_turn_is_taken_out_and_its_waiters_are_answered() {
    let server = Running::on(Arc::new(Mute)).await;
    server.post("/sessions", json!({"name": "one"})).await;
    let (status, turn) = server.post("/sessions/one/turns", json!({"text": "x", "wait": 0})).await;
    assert_eq!((status, &turn["state"], &turn["waited_out"]), (202, &json!("queued"), &json!(true)));
    let path = format!("/turns/{}", turn["id"].as_str().unwrap());
    let (waiting, cancel) = (format!("{path}?wait=20"), format!("{path}/cancel"));
    let (waited, cancelled) = tokio::join!(server.get(&waiting), server.post(&cancel, json!({})));
    assert_eq!((cancelled.0, &cancelled.1["state"]), (200, &json!("cancelled")));
    assert_eq!(waited, cancelled);
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_said_so() {
    let server = Running::start().await;
    server.post("/sessions", json!({"name": "one", "wait": 20})).await;
    let delete = |path: &str| format!("DELETE {path} HTTP/1.1\r\n{HEAD}\r\n");
    for (request, status, part) in [
        (get("/sessions/two"), "404", r#""error":"session 'two' not found","code":"session_not_found""#),
        (get("/sessions/a.b"), "404", r#"{"error":"not found"}"#),
        (get("/sessions/two/screen"), "404", "session_not_found"),
        (get("/sessions/two/explain"), "404", "session_not_found"),
        (get("/sessions/two/turns"), "404", "session_not_found"),
        (get("/sessions/two/wait?until=idle"), "404", "session_not_found"),
        (post("/sessions/two/turns", r#"{"text":"x"}"#), "404", "session_not_found"),
        (post("/sessions/two/keys", r#"{"key":"up"}"#), "404", "session_not_found"),
        (post("/sessions/two/interrupt", ""), "404", "session_not_found"),
        (delete("/sessions/two"), "404", "session_not_found"),
        (post("/turns/t-1/cancel", ""), "404", "turn_not_found"),
        (delete("/sessions"), "405", "this path takes GET, HEAD, POST"),
        (post("/sessions/one", "{}"), "405", "this path takes GET, HEAD, DELETE"),
        (get("/sessions/one/interrupt"), "405", "this path takes POST"),
        (
            post("/sessions", r#"{"text":"x"}"#),
            "400",
            "unknown field \\\"text\\\"; known here: agent, command,",
        ),
        (post("/sessions", r#"{"size":{"columns":1,"rows":1}}"#), "400", "20 to 500 columns"),
        (post("/sessions", r#"{"name":"a.b"}"#), "400", "session name"),
        (post("/sessions", r#"{"agent":"none"}"#), "400", "known agents: aider"),
        (
            post("/sessions/one/turns", r#"{"text":"x","session":"one"}"#),
            "400",
            "unknown field \\\"session\\\"",
        ),
        (post("/sessions/one/turns?wait=1", r#"{"text":"x"}"#), "400", "known here: none"),
        (post("/sessions/one/turns", r#"{"text":"x","if_busy":"start"}"#), "400", "one of queue, reject"),
        (post("/sessions/one/turns", r#"{"text":"x","raw":1}"#), "400", "raw must be true or false"),
        (post("/sessions/one/turns", r#"{"text":"x","wait":3601}"#), "400", "from 0 to 3600"),
        (post("/sessions/one/keys", r#"{"key":"f13"}"#), "400", "Unsupported key 'f13'"),
        (post("/sessions/one/keys", r#"{"key":"up","target":"x"}"#), "400", "unknown field \\\"target\\\""),
        (get("/sessions/one?x=1"), "400", "unknown query parameter \\\"x\\\"; known here: none"),
        (get("/turns/t-1?wiat=1"), "400", "known here: wait"),
        (get("/turns?state=happy"), "400", "state must be one of queued, delivering,"),
        (get("/turns?limit=0"), "400", "limit must be >= 1"),
        (get("/sessions/one/screen?format=html"), "400", "format must be one of text, ansi"),
        (get("/sessions/one/screen?lines=x"), "400", "lines must be an integer"),
        (get("/sessions/one/wait"), "400", "until is required: one or more of starting, idle,"),
        (get("/sessions/one/wait?until=idle,x"), "400", "until must be one of starting, idle,"),
        (get("/sessions/one/wait?until=idle&wait=x"), "400", "wait must be a number of seconds"),
        (get("/events?session=a.b"), "400", "session name"),
        (get("/agents?versions=maybe"), "400", "versions must be one of false, true"),
        (get("/events?last_event_id=x"), "400", "Last-Event-ID must be the id of an event"),
    ] {
        let answer = server.exchange(&request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(part),
            "{part}:\n{request}\n{answer}"
        );
    }
}

#[tokio::test]
async fn agents_are_listed_with_their_programs_and_a_ready_daemon_says_so() {
    let server = Running::start().await;
    assert_eq!(server.get("/readyz").await, (200, json!({"ok": true})));
    let (_, agents) = server.get("/agents").await;
    assert_eq!(agents["default"], "repl");
    let agent =
        |name| agents["agents"].as_array().unwrap().iter().find(|agent| agent["name"] == name).unwrap();
    assert_eq!(agent("repl")["command"], json!(["echo"]), "as configured");
    assert!(agent("repl")["program"].as_str().unwrap().ends_with("/echo"), "{agents}");
    assert!(agent("claude")["command"][0] == "claude" && agent("claude").get("program").is_some());
    assert_eq!(agent("demo")["program"], Value::Null);
    assert!(agent("demo")["problem"].as_str().unwrap().contains("not found in PATH"), "{agents}");
    assert_eq!(agents["environment"]["path"], json!(["/usr/bin", "/bin"]));
    assert_eq!(agents["environment"]["problem"], Value::Null);
    assert_eq!(agent("repl").get("version"), None, "nobody asked");
    assert_eq!(server.post("/agents/refresh", json!({})).await, (200, agents.clone()));
    let (status, asked) = server.get("/agents?versions=true").await;
    let echo = asked["agents"].as_array().unwrap().iter().find(|agent| agent["name"] == "repl").unwrap();
    assert_eq!(status, 200);
    assert!(!echo["version"].as_str().unwrap().is_empty(), "{asked}");
}
