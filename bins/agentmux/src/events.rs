//! The verb `events`: what happens, a line each.

use agentmux_api::{Gone, Lagged, SessionEvent, Turn};

use crate::args;
use crate::client::{Client, escaped};
use crate::ending::{Ending, Failed};
use crate::output::{Text, line, on_one_line};
use crate::sse::{Event, Stream};

/// Prints events until the daemon says that it stops, or nobody reads them any more.
pub(crate) async fn follow(client: &Client, asked: &args::Events, json: bool) -> Result<Ending, Failed> {
    let mut stream = Stream::open(client, &path(asked)).await?;
    loop {
        let event = stream.next().await?;
        let text = if json { as_json(&event).into() } else { as_text(&event) };
        if !line(text)? || event.name == "bye" {
            return Ok(Ending::DONE);
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

fn as_text(event: &Event) -> Text {
    let id = event.id.map_or("-".to_owned(), |id| id.to_string());
    let unknown = || format!("{} {}", event.name, event.data).into();
    Text::from(format!("{id}  ")).and(meaning(event).unwrap_or_else(unknown))
}

/// What it says to a person; `None` where this client does not know such events.
fn meaning(event: &Event) -> Option<Text> {
    match event.name.as_str() {
        "session" => event.read().map(|session: SessionEvent| {
            let evidence = &session.evidence;
            let why = format!("{} {} {}", evidence.source, evidence.rule, evidence.matched);
            is(format!("session {}", session.name), &session.state).and(format!(" ({})", on_one_line(&why)))
        }),
        "gone" => event.read().map(|gone: Gone| format!("session {} is gone", gone.name).into()),
        "turn" => event.read().map(|turn: Turn| {
            let why = turn.error.map(|problem| format!(": {}", problem.error)).unwrap_or_default();
            is(format!("turn {} in {}", turn.id, turn.session), &turn.state).and(why)
        }),
        "lagged" => {
            event.read().map(|lagged: Lagged| format!("events before {} are missing", lagged.first).into())
        }
        "bye" => Some("the daemon stops".into()),
        _ => None,
    }
}

fn is(what: String, state: &str) -> Text {
    Text::from(what).and(" is ").and(Text::state(state))
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
            assert_eq!(as_text(&event(name, data)).to_string(), wanted);
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
