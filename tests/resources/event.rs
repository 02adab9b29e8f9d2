//! Events: what happens, in order, once, and for everybody.

use std::io::Read;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Daemon, Event, eventually};

/// The states that these events tell of one kind of thing, a repeated one once.
fn states(events: &[Event], name: &str) -> Vec<String> {
    let told = events.iter().filter(|event| event.name == name);
    let mut states: Vec<_> = told.map(|event| event.data["state"].as_str().unwrap().to_owned()).collect();
    states.dedup();
    states
}

#[test]
fn a_run_is_told_from_its_start_to_its_end() {
    let daemon = Daemon::start();
    let stream = daemon.events();
    daemon.post("/sessions", json!({"name": "a", "wait": 60})).with(201);
    daemon.post("/sessions/a/turns", json!({"text": "THINK 0.5", "wait": 60})).with(200);
    daemon.delete("/sessions/a").ok();
    let events = stream.until("end", |event| event.name == "gone");
    assert_eq!(states(&events, "session"), ["starting", "idle", "busy", "idle"], "{events:#?}");
    let turn = states(&events, "turn");
    assert_eq!(turn[turn.len() - 2..], ["working", "done"], "{events:#?}");
    assert!(events.iter().all(|event| event.data.get("reply").is_none_or(Value::is_null)), "{events:#?}");
    let ids: Vec<_> = std::iter::once(stream.began).chain(events.iter().map(|event| event.id)).collect();
    assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
}

#[test]
fn a_client_that_comes_back_misses_nothing() {
    let mut daemon = Daemon::start();
    let stream = daemon.events();
    daemon.session("a");
    let missed = stream.until("first turn", |event| event.says("turn", "done"));
    let last = missed[1].id;
    daemon.send("PONG");
    let missed = [missed, stream.until("second turn", |event| event.says("turn", "done"))].concat();
    drop(stream);
    let header = format!("Last-Event-ID: {last}");
    for (path, headers) in [
        ("/events", &[header.as_str()][..]),
        (&format!("/events?last_event_id={last}"), &[]),
        // The header comes first.
        ("/events?last_event_id=1", &[header.as_str()]),
    ] {
        let again = daemon.events_of(path, headers);
        let mut events = again.until("first turn", |event| event.says("turn", "done"));
        events.extend(again.until("second turn", |event| event.says("turn", "done")));
        assert_eq!(events, missed[2..], "{path} {headers:?}");
    }
    daemon.ask("GET", "/events", &["Last-Event-ID: soon"], b"").refused_as(400, "invalid");

    daemon.kill();
    daemon.start_again();
    let again = daemon.events_of("/events", &[&header]);
    let lagged = again.next().unwrap();
    assert_eq!(lagged.name, "lagged", "what the old daemon knew is gone: {lagged:?}");
    assert!(lagged.data["first"].as_u64().unwrap() > missed.last().unwrap().id, "{lagged:?}");
}

#[test]
fn a_client_can_follow_one_session() {
    let daemon = Daemon::start();
    let by_name = daemon.events_of("/events?session=b", &[]);
    daemon.session("a");
    daemon.session("b");
    let id = daemon.get("/sessions/b").ok()["id"].as_str().unwrap().to_owned();
    let by_id = daemon.events_of(&format!("/events?session={id}"), &[]);
    daemon.post("/send", json!({"text": "PONG", "session": "a", "wait": 60})).ok();
    for name in ["a", "b"] {
        daemon.delete(&format!("/sessions/{name}")).ok();
    }
    for stream in [by_name, by_id] {
        let events = stream.until("end of b", |event| event.name == "gone");
        let about = |event: &Event| {
            let named = event.data.get("session").or_else(|| event.data.get("name"));
            named.unwrap().as_str().unwrap().to_owned()
        };
        assert!(events.iter().all(|event| about(event) == "b"), "{events:#?}");
    }
}

#[test]
fn streams_end_with_the_daemon() {
    let mut daemon = Daemon::start();
    daemon.session("a");
    let (all, one) = (daemon.events(), daemon.events_of("/events?session=a", &[]));
    let unread = daemon.unread("/events", &[]);
    daemon.post("/sessions/a/turns", json!({"text": "THINK 60"})).with(202);
    let began = Instant::now();
    assert_eq!(daemon.stop("TERM").code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    for stream in [all, one] {
        let events = stream.until("farewell", |event| event.name == "bye");
        assert_eq!(events.last().unwrap().data, json!({}));
        assert_eq!(stream.next(), None);
    }
    drop(unread);
}

#[test]
fn who_does_not_read_delays_nobody() {
    let daemon = Daemon::start();
    daemon.session("a");
    let unread: Vec<_> = (0..10).map(|_| daemon.unread("/events", &[])).collect();
    let stream = daemon.events();
    for round in 0..20 {
        let began = Instant::now();
        daemon.get("/health").ok();
        assert!(began.elapsed() < Duration::from_secs(1), "{round}: {:?}", began.elapsed());
        assert_eq!(daemon.send("PONG")["turn"]["reply"], "PONG");
        stream.until("end of the turn", |event| event.says("turn", "done"));
    }
    drop(unread);
}

#[test]
fn there_is_place_for_so_many_streams() {
    let daemon = Daemon::start();
    let mut streams: Vec<_> = (0..32).map(|_| daemon.events()).collect();
    let refusal = daemon.get("/events");
    refusal.refused_as(503, "too_many_streams");
    assert!(refusal.header("retry-after").is_some());
    daemon.get("/health").ok();
    streams.pop();
    eventually("there is place again", || {
        let mut status = [0; 12];
        daemon.unread("/events", &[]).read_exact(&mut status).unwrap();
        (&status == b"HTTP/1.1 200").then_some(())
    });
}
