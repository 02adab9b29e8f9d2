//! The verb `events`: what happens, a line each.

use std::time::Duration;

use agentmux_api::{Gone, Lagged, SessionEvent, Turn};
use http_body_util::BodyExt;
use serde::Deserialize;

use crate::args;
use crate::client::{Client, escaped};
use crate::ending::{Ending, Failed};
use crate::output::{line, on_one_line};
use crate::sse::{Event, Incoming};

/// The daemon sends something every 15 seconds.
const SILENCE: Duration = Duration::from_secs(60);

/// Prints events until the daemon says that it stops, or nobody reads them any more.
pub(crate) async fn follow(client: &Client, asked: &args::Events, json: bool) -> Result<Ending, Failed> {
    let mut stream = client.stream(&path(asked)).await?;
    let mut incoming = Incoming::default();
    loop {
        while let Some(event) = incoming.next() {
            let text = if json { as_json(&event) } else { as_text(&event) };
            if !line(&text)? || event.name == "bye" {
                return Ok(Ending::DONE);
            }
        }
        let frame = tokio::time::timeout(SILENCE, stream.frame()).await;
        let frame = frame.map_err(|_| client.silent(SILENCE))?;
        let frame =
            frame.ok_or_else(|| client.broken(&"the stream ended"))?.map_err(|e| client.broken(&e))?;
        if !frame.into_data().is_ok_and(|data| incoming.push(&data)) {
            return Err(client.broken(&"this is no stream of events"));
        }
    }
}

fn path(asked: &args::Events) -> String {
    let session = asked.session.as_deref().map(|name| format!("session={}", escaped(name)));
    let last = asked.last.map(|id| format!("last_event_id={id}"));
    let query: Vec<_> = session.into_iter().chain(last).collect();
    if query.is_empty() { "/events".to_owned() } else { format!("/events?{}", query.join("&")) }
}

/// The data is JSON already, on one line; it stays as the daemon wrote it.
fn as_json(Event { name, data, id }: &Event) -> String {
    let id = id.map_or("null".to_owned(), |id| id.to_string());
    format!(r#"{{"id":{id},"event":"{name}","data":{data}}}"#)
}

fn as_text(event: &Event) -> String {
    let id = event.id.map_or("-".to_owned(), |id| id.to_string());
    format!("{id}  {}", meaning(event).unwrap_or_else(|| format!("{} {}", event.name, event.data)))
}

/// What it says to a person; `None` where this client does not know such events.
fn meaning(event: &Event) -> Option<String> {
    match event.name.as_str() {
        "session" => read(event).map(|session: SessionEvent| {
            let evidence = &session.evidence;
            let why = format!("{} {} {}", evidence.source, evidence.rule, evidence.matched);
            format!("session {} is {} ({})", session.name, session.state, on_one_line(&why))
        }),
        "gone" => read(event).map(|gone: Gone| format!("session {} is gone", gone.name)),
        "turn" => read(event).map(|turn: Turn| {
            let why = turn.error.map(|problem| format!(": {}", problem.error)).unwrap_or_default();
            format!("turn {} in {} is {}{why}", turn.id, turn.session, turn.state)
        }),
        "lagged" => read(event).map(|lagged: Lagged| format!("events before {} are missing", lagged.first)),
        "bye" => Some("the daemon stops".to_owned()),
        _ => None,
    }
}

fn read<'a, T: Deserialize<'a>>(event: &'a Event) -> Option<T> {
    serde_json::from_str(&event.data).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str) -> Event {
        Event { name: name.to_owned(), data: data.to_owned(), id: Some(7) }
    }

    #[test]
    fn each_event_is_a_line() {
        let session = r#"{"name":"a","id":"s-1","state":"busy","since":"2026-11-24T09:00:00Z","exit":null,
            "evidence":{"source":"screen","rule":"spinner","matched":"two\nlines"}}"#;
        for (name, data, wanted) in [
            ("session", session, "7  session a is busy (screen spinner two lines)"),
            ("gone", r#"{"name":"a","id":"s-1"}"#, "7  session a is gone"),
            ("lagged", r#"{"first":9}"#, "7  events before 9 are missing"),
            ("bye", "{}", "7  the daemon stops"),
            ("new kind", r#"{"x":1}"#, r#"7  new kind {"x":1}"#),
        ] {
            assert_eq!(as_text(&event(name, data)), wanted);
        }
    }

    #[test]
    fn as_json_the_data_stays_as_it_is() {
        assert_eq!(
            as_json(&event("gone", r#"{"name":"a"}"#)),
            r#"{"id":7,"event":"gone","data":{"name":"a"}}"#
        );
    }

    #[test]
    fn what_is_asked_for_is_in_the_path() {
        let asked = |session: Option<&str>, last| args::Events {
            session: session.map(str::to_owned),
            last,
            json: false,
        };
        assert_eq!(path(&asked(None, None)), "/events");
        assert_eq!(path(&asked(Some("a b"), Some(3))), "/events?session=a%20b&last_event_id=3");
    }
}
