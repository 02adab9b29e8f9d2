//! The server byte by byte: framing, refusals, limits, shutdown.

use super::*;
use crate::limits::{BODY_DEADLINE, MAX_AT_WORK};

#[tokio::test]
async fn answers_have_the_inherited_headers_and_no_access_control() {
    let server = Running::start().await;
    let answer = server.exchange(format!("GET /sessions HTTP/1.1\r\n{HEAD}\r\n")).await;
    let lower = answer.to_lowercase();
    for line in [
        "http/1.1 200 ok\r\n",
        "content-type: application/json; charset=utf-8\r\n",
        "content-length: 27\r\n",
        "cache-control: no-store\r\n",
        "x-content-type-options: nosniff\r\n",
    ] {
        assert!(lower.contains(line), "{line:?} in {answer}");
    }
    assert!(!lower.contains("access-control"));
    assert!(answer.ends_with("\r\n\r\n{\"sessions\":[],\"active\":\"\"}"), "{answer}");
}

#[tokio::test]
async fn a_head_request_gets_the_headers_of_its_get() {
    let server = Running::start().await;
    let answer = server.exchange(format!("HEAD /sessions HTTP/1.1\r\n{HEAD}\r\n")).await;
    assert!(
        answer.to_lowercase().contains("content-length: 27\r\n") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn refusals_are_the_inherited_ones() {
    let server = Running::start().await;
    let answer =
        server.exchange("POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}").await;
    assert!(
        answer.starts_with("HTTP/1.1 403 ") && answer.ends_with("\r\n\r\n{\"error\":\"forbidden\"}"),
        "{answer}"
    );
    assert!(answer.to_lowercase().contains("www-authenticate: bearer\r\n"), "{answer}");
    for (request, end) in [
        (format!("GET /nope HTTP/1.1\r\n{HEAD}\r\n"), r#"404 Not Found|{"error":"not found"}"#),
        (format!("GET /idle HTTP/1.1\r\n{HEAD}\r\n"), r#"404 Not Found|"error":"no active session","code""#),
        (
            format!("GET /capture?lines=x HTTP/1.1\r\n{HEAD}\r\n"),
            r#"400 Bad Request|"error":"lines must be an integer""#,
        ),
        (format!("GET /turns/t-1?wait=1 HTTP/1.1\r\n{HEAD}\r\n"), r#"404 Not Found|turn 't-1' not found"#),
        (post("/run", ""), r#"400 Bad Request|"error":"text is required""#),
        (post("/run", "{\"text\":1}"), r#"400 Bad Request|"error":"text must be a string""#),
        (post("/run", "{\"text\":\"x\",\"wait\":-1}"), r#"400 Bad Request|"error":"wait must be a number"#),
        (post("/run", "{\"text\":\"x\",\"workdir\":\"/no/such\"}"), r#"400 Bad Request|does not exist"#),
        (post("/send", "{\"text\":\"x\"}"), r#"404 Not Found|"error":"no active session""#),
        (
            post("/send", "{\"text\":\"x\",\"target\":1}"),
            r#"400 Bad Request|"error":"target must be a string""#,
        ),
        (
            post("/key", "{\"key\":\"f13\"}"),
            r#"400 Bad Request|"error":"Unsupported key 'f13'. Supported keys: "#,
        ),
        (post("/kill", "{\"session\":\" x \"}"), r#"404 Not Found|"error":"session 'x' not found""#),
        (post("/cleanup", "{\"unknown\":1}"), r#"200 OK|{"ok":true,"action":"cleanup","killed":[]}"#),
        (post("/cleanup", "nope"), r#"400 Bad Request|"error":"invalid JSON body""#),
        (post("/cleanup", "[]"), r#"400 Bad Request|"error":"JSON body must be an object""#),
    ] {
        let (status, body) = end.split_once('|').unwrap();
        let answer = server.exchange(&request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}\r\n")) && answer.contains(body),
            "{request}\n{answer}"
        );
    }
}

#[tokio::test]
async fn what_is_no_proper_request_is_refused() {
    let server = Running::start().await;
    let many: String = (0..65).map(|i| format!("x-{i}: 1\r\n")).collect();
    for (request, status) in [
        ("GET /health HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("GET /health HTTP/1.0\r\n\r\n".into(), "400"),
        (format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{HEAD}\r\n"), "400"),
        (format!("GET http://evil.com/health HTTP/1.1\r\n{HEAD}\r\n"), "400"),
        (format!("GET foo HTTP/1.1\r\n{HEAD}\r\n"), "400"),
        (format!("CONNECT x:1 HTTP/1.1\r\n{HEAD}\r\n"), "405"),
        (format!("OPTIONS * HTTP/1.1\r\n{HEAD}\r\n"), "405"),
        (format!("GET /h\u{e9}alth HTTP/1.1\r\n{HEAD}\r\n"), "404"),
        (format!("GET /health HTTP/1.1\n{}\n", HEAD.replace("\r\n", "\n")), "200"),
        (format!("\r\n\r\nGET /health HTTP/1.1\r\n{HEAD}\r\n"), "200"),
        (format!("GET /health HTTP/1.1\r\n{HEAD}{many}\r\n"), "431"),
        (format!("GET /health HTTP/1.1\r\n{HEAD}x: {}\r\n\r\n", "x".repeat(20_000)), "431"),
        (format!("POST /cleanup HTTP/1.1\r\n{HEAD}Content-Length: +5\r\n\r\n"), "400"),
        (format!("POST /cleanup HTTP/1.1\r\n{HEAD}Content-Length: 70000\r\n\r\n"), "413"),
        (format!("POST /cleanup HTTP/1.1\r\n{HEAD}Content-Length: 18446744073709551613\r\n\r\n"), "413"),
        (format!("POST /cleanup HTTP/1.1\r\n{HEAD}Content-Length: 50\r\n\r\n{{\"a\":"), "400"),
        (format!("POST /cleanup HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n-5\r\n"), "400"),
        (format!("POST /cleanup HTTP/1.1\r\n{HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "501"),
        (format!("POST /cleanup HTTP/1.0\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400"),
    ] {
        assert_eq!(server.status(&request).await, status, "{:.200}", request);
    }
}

#[tokio::test]
async fn chunks_beyond_the_cap_are_refused_at_the_cap() {
    let server = Running::start().await;
    let chunks = "1\r\nx\r\n".repeat(70_000);
    let request =
        format!("POST /cleanup HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
    assert_eq!(server.status(request).await, "413");
}

#[tokio::test]
async fn a_client_still_sending_a_refused_body_reads_the_refusal() {
    let server = Running::start().await;
    let (mut from, mut to) = server.connect().await.into_split();
    let writer = tokio::spawn(async move {
        let head = format!("POST /run HTTP/1.1\r\n{HEAD}Content-Length: 20000000\r\n\r\n");
        // Cut off at some point: how far it gets is not ours to say.
        let _ = to.write_all(head.as_bytes()).await;
        let _ = to.write_all(&vec![b'x'; 20_000_000]).await;
    });
    let mut start = [0; 12];
    timeout(PATIENCE, from.read_exact(&mut start)).await.unwrap().unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
    drop(from);
    timeout(PATIENCE, writer).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_refused_expectation_never_gets_100_continue() {
    let server = Running::start().await;
    let expect = "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    let refused = server.exchange(format!("POST /cleanup HTTP/1.1\r\nHost: localhost\r\n{expect}")).await;
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    let mut socket = server.connect().await;
    socket.write_all(format!("POST /cleanup HTTP/1.1\r\n{HEAD}{expect}").as_bytes()).await.unwrap();
    read_until(&mut socket, "HTTP/1.1 100 Continue\r\n\r\n").await;
    socket.write_all(b"{}").await.unwrap();
    read_until(&mut socket, "\"killed\":[]}").await;
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_a_row_and_judged_each_by_itself() {
    let server = Running::start().await;
    let second = "GET /sessions HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answer = server.exchange(format!("{}{second}", post("/cleanup", "{}"))).await;
    let statuses: Vec<_> = answer.matches("HTTP/1.1 ").collect();
    assert_eq!(statuses.len(), 2, "{answer}");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn reads_are_answered_while_there_is_no_place_for_more_work() {
    let server = Running::start().await;
    let mut working = Vec::new();
    for _ in 0..MAX_AT_WORK {
        let mut socket = server.connect().await;
        // Its body never comes.
        let head = format!("POST /cleanup HTTP/1.1\r\n{HEAD}Content-Length: 2\r\n\r\n");
        socket.write_all(head.as_bytes()).await.unwrap();
        working.push(socket);
    }
    let read = timeout(BODY_DEADLINE / 2, server.get("/sessions")).await;
    assert_eq!(read.expect("it waits for no place").0, 200);
}

#[tokio::test]
async fn a_panic_is_answered_with_500_and_the_connection_lives_on() {
    let server = Running::on(Arc::new(Mute)).await;
    let mut socket = server.connect().await;
    socket.write_all(post("/run", "{\"text\":\"x\",\"name\":\"defect\"}").as_bytes()).await.unwrap();
    let answer = read_until(&mut socket, "\"internal\"}").await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    socket.write_all(format!("GET /livez HTTP/1.1\r\n{HEAD}\r\n").as_bytes()).await.unwrap();
    read_until(&mut socket, "{\"ok\":true}").await;
}

#[tokio::test]
async fn silent_connections_are_closed_after_the_head_deadline() {
    let server = Running::start().await;
    let mut silent = server.connect().await;
    let mut slow = server.connect().await;
    slow.write_all(b"GET /livez HTTP/1.1\r\nHost: loc").await.unwrap();
    let started = std::time::Instant::now();
    let (silent, slow) = tokio::join!(rest(&mut silent), rest(&mut slow));
    assert!(started.elapsed() >= HEAD_DEADLINE - Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!((silent.as_str(), slow.as_str()), ("", ""));
}

#[tokio::test]
async fn shutdown_closes_idle_connections_and_ends_the_server() {
    let server = Running::start().await;
    let mut idle = server.connect().await;
    idle.write_all(format!("GET /livez HTTP/1.1\r\n{HEAD}\r\n").as_bytes()).await.unwrap();
    read_until(&mut idle, "{\"ok\":true}").await;
    drop(server.stop);
    timeout(DRAIN / 2, server.task).await.expect("nothing is left to wait for").unwrap();
    assert_eq!(rest(&mut idle).await, "");
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_second_signal_ends_what_would_take_long() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::new(registry(Arc::new(FakeTerminal::default())), Access::default());
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /livez HTTP/1.1\r\nHost: loc").await.unwrap();
    let soon = || sleep(Duration::from_millis(200));
    let started = std::time::Instant::now();
    server.serve(listener, soon(), async { soon().await }).await;
    assert!(started.elapsed() < DRAIN / 2, "{:?}", started.elapsed());
}
