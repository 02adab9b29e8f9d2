//! Streams of events: replay, gaps, filter, limits, and their ends.

use tokio::time::Instant;

use super::*;
use crate::limits::{HEARTBEAT, MAX_STREAMS, WRITE_STALL};

fn follow(query: &str, header: &str) -> String {
    format!("GET /events{query} HTTP/1.1\r\n{HEAD}{header}\r\n")
}

impl Running {
    /// A stream that has begun, and what it began with.
    async fn follow(&self, query: &str, header: &str) -> (TcpStream, String) {
        self.follow_until(query, header, "\nid: ").await
    }

    /// A stream, and what came on it up to some text.
    async fn follow_until(&self, query: &str, header: &str, text: &str) -> (TcpStream, String) {
        let mut socket = self.connect().await;
        socket.write_all(follow(query, header).as_bytes()).await.unwrap();
        let told = read_until(&mut socket, text).await;
        (socket, told)
    }

    async fn start_and_end(&self, name: &str) {
        assert_eq!(self.post("/sessions", json!({"name": name, "wait": 20})).await.0, 201);
        assert_eq!(self.delete(&format!("/sessions/{name}")).await.0, 200);
    }
}

/// The number in an `id:` line, the last of several.
fn last_id(text: &str) -> u64 {
    text.lines().filter_map(|line| line.strip_prefix("id: ")).next_back().unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn who_follows_is_told_what_happens() {
    let server = Running::start().await;
    let (mut stream, begun) = server.follow("", "").await;
    assert!(begun.contains("content-type: text/event-stream\r\n"), "{begun}");
    assert!(begun.contains("retry: 1000\nid: "), "{begun}");
    server.post("/run", json!({"text": "hello", "name": "one", "wait": 20})).await;
    server.delete("/sessions/one").await;
    let told = read_until(&mut stream, "event: gone\n").await;
    for part in [
        "event: session\ndata: {\"name\":\"one\",\"id\":\"s-",
        "\"state\":\"starting\"",
        "\"state\":\"idle\"",
        "event: turn\ndata: {\"id\":\"t-",
        "\"state\":\"done\"",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(!told.contains("hello"), "replies are left out: {told}");
}

#[tokio::test]
async fn who_comes_back_gets_what_was_missed() {
    let server = Running::start().await;
    let (mut stream, begun) = server.follow("", "").await;
    let start = last_id(&begun);
    server.start_and_end("one").await;
    let seen = read_until(&mut stream, "\n\n").await;
    drop(stream);
    for (query, header) in [
        (String::new(), format!("Last-Event-ID: {start}\r\n")),
        (format!("?last_event_id={start}"), String::new()),
        // What a browser says when it comes back is newer than its URL.
        ("?last_event_id=1".into(), format!("Last-Event-ID: {start}\r\n")),
    ] {
        let (_, told) = server.follow_until(&query, &header, "event: gone\n").await;
        let first = told.split("\n\n").nth(1).unwrap();
        assert!(first.contains("event: session") && first.contains("\"starting\""), "{told}");
        assert!(seen.contains("\"starting\"") && last_id(first) == start + 1, "{told}");
        assert!(!told.contains("lagged"), "{told}");
    }
}

#[tokio::test]
async fn a_gap_is_said_to_be_one() {
    let server = Running::start().await;
    server.start_and_end("one").await;
    for id in ["0", "1", "18446744073709551615", "99999999999999999999999999"] {
        let header = format!("Last-Event-ID: {id}\r\n");
        let (_, told) = server.follow_until("", &header, "\"starting\"").await;
        let first: u64 =
            told.split("event: lagged\ndata: {\"first\":").nth(1).expect(&told)[..16].parse().unwrap();
        assert!(told.contains(&format!("\"first\":{first}}}\nid: {}\n", first - 1)), "{told}");
    }
}

#[tokio::test]
async fn who_follows_one_session_hears_of_no_other() {
    let server = Running::start().await;
    let (mut stream, _) = server.follow("?session=two", "").await;
    server.start_and_end("one").await;
    server.start_and_end("two").await;
    let told = read_until(&mut stream, "event: gone\n").await;
    assert!(told.contains("\"name\":\"two\"") && !told.contains("\"name\":\"one\""), "{told}");
}

#[tokio::test]
async fn shutdown_ends_streams_at_once_with_a_word() {
    let server = Running::start().await;
    let (mut stream, _) = server.follow("", "").await;
    let started = Instant::now();
    drop(server.stop);
    assert!(rest(&mut stream).await.contains("event: bye\ndata: {}\n\n"));
    timeout(DRAIN, server.task).await.expect("it ends").unwrap();
    assert!(started.elapsed() < DRAIN / 2, "{:?}", started.elapsed());
}

#[tokio::test]
async fn one_stream_too_many_is_refused_until_another_hangs_up() {
    let server = Running::start().await;
    let mut streams = Vec::new();
    for _ in 0..MAX_STREAMS {
        streams.push(server.follow("", "").await.0);
    }
    let refusal = server.exchange(follow("", "")).await;
    assert!(refusal.starts_with("HTTP/1.1 503 ") && refusal.contains("too_many_streams"), "{refusal}");
    assert!(refusal.to_lowercase().contains("retry-after: 5\r\n"), "{refusal}");
    assert_eq!(server.get("/health").await.0, 200, "other requests are answered");
    drop(streams.pop());
    let freed = async {
        while !server.exchange(follow("", "")).await.starts_with("HTTP/1.1 200 ") {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(HEARTBEAT / 3, freed).await.expect("the place is free at once");
}

#[tokio::test]
async fn a_head_request_for_a_stream_gets_its_head_and_no_stream() {
    let server = Running::start().await;
    let mut socket = server.connect().await;
    let request = follow("", "").replacen("GET", "HEAD", 1);
    socket.write_all(request.as_bytes()).await.unwrap();
    let answer = rest(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"), "{answer}");
}

/// A stream over a connection in memory that has little room; its client has read how it begins.
struct Stalled {
    registry: Registry,
    closing: watch::Sender<bool>,
    client: tokio::io::DuplexStream,
    connection: JoinHandle<()>,
}

impl Stalled {
    async fn new() -> Self {
        let registry = registry(Arc::new(FakeTerminal::default()));
        let service = Arc::new(Service::new(registry.clone(), &access()));
        let (closing, is_closing) = watch::channel(false);
        let (ours, mut client) = tokio::io::duplex(1024);
        let connection = tokio::spawn(converse(ours, true, service, is_closing));
        client.write_all(follow("", "").as_bytes()).await.unwrap();
        read_until(&mut client, "retry: 1000\n").await;
        Self { registry, closing, client, connection }
    }

    /// More than the log keeps and the connection buffers.
    async fn much_happens(&self) {
        for _ in 0..100 {
            let mut kills = tokio::task::JoinSet::new();
            for _ in 0..10 {
                let opening = self.registry.open(agentmux_core::registry::StartSpec::default());
                let (session, _) = opening.await.unwrap();
                let registry = self.registry.clone();
                kills.spawn(async move { registry.kill(&session.id).await.unwrap() });
            }
            // At once: killing takes a moment, and the reader is not to stall for long.
            kills.join_all().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stalls_is_cut_off_and_had_little_kept_for_it() {
    let mut stalled = Stalled::new().await;
    let started = Instant::now();
    stalled.much_happens().await;
    timeout(WRITE_STALL * 2, stalled.connection).await.expect("it is cut off").unwrap();
    assert!(started.elapsed() >= WRITE_STALL, "{:?}", started.elapsed());
    assert!(rest(&mut stalled.client).await.len() <= 1024);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_reads_on_in_time_is_told_that_it_missed_something() {
    let mut stalled = Stalled::new().await;
    stalled.much_happens().await;
    let told = read_until(&mut stalled.client, "event: lagged\n").await;
    assert!(told.len() < 256 * 1024, "{} bytes were kept", told.len());
    read_until(&mut stalled.client, "event: gone\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stalls_does_not_hold_up_the_end() {
    let stalled = Stalled::new().await;
    stalled.much_happens().await;
    let started = Instant::now();
    stalled.registry.drain();
    stalled.closing.send_replace(true);
    stalled.connection.await.unwrap();
    assert!(started.elapsed() <= FAREWELL * 2, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_shows_that_it_is_alive() {
    let mut silent = Stalled::new().await;
    let started = Instant::now();
    read_until(&mut silent.client, "\n:\nid: ").await;
    assert!((HEARTBEAT..HEARTBEAT * 2).contains(&started.elapsed()), "{:?}", started.elapsed());
}
