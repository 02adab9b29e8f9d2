//! Server-sent events, taken from their stream as it comes.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body;
use serde::Deserialize;

use crate::client::Client;
use crate::ending::Failed;

/// The daemon sends something every 15 seconds.
const SILENCE: Duration = Duration::from_secs(60);

/// A stream of the daemon's events.
#[derive(Debug)]
pub(crate) struct Stream<'a> {
    client: &'a Client,
    body: body::Incoming,
    incoming: Incoming,
}

impl<'a> Stream<'a> {
    pub(crate) async fn open(client: &'a Client, path: &str) -> Result<Self, Failed> {
        let body = client.stream(path).await?;
        Ok(Self { client, body, incoming: Incoming::default() })
    }

    /// The next event, however long that takes.
    pub(crate) async fn next(&mut self) -> Result<Event, Failed> {
        loop {
            if let Some(event) = self.incoming.next() {
                return Ok(event);
            }
            let frame = tokio::time::timeout(SILENCE, self.body.frame()).await;
            let frame = frame.map_err(|_| self.client.silent(SILENCE))?;
            let frame = frame.ok_or_else(|| self.client.broken(&"the stream ended"))?;
            let frame = frame.map_err(|error| self.client.broken(&error))?;
            if !frame.into_data().is_ok_and(|data| self.incoming.push(&data)) {
                return Err(self.client.broken(&"this is no stream of events"));
            }
        }
    }
}

/// An event with its data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: String,
    /// The id where the stream stands after it.
    pub(crate) id: Option<u64>,
}

impl Event {
    /// Its data; `None` where this client does not know such data.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(&self.data).ok()
    }
}

/// The part of a stream that has come and is not read yet.
#[derive(Debug, Default)]
struct Incoming {
    bytes: Vec<u8>,
    id: Option<u64>,
}

impl Incoming {
    /// How much is kept of a stream in which no event ends: more than the daemon's longest event.
    const LONGEST: usize = 1 << 20;

    /// Takes what has come; false where it cannot be a stream of events.
    fn push(&mut self, bytes: &[u8]) -> bool {
        self.bytes.extend_from_slice(bytes);
        self.bytes.len() <= Self::LONGEST
    }

    /// The next event that has come whole. Ids and comments alone are none.
    fn next(&mut self) -> Option<Event> {
        loop {
            let end = self.bytes.windows(2).position(|two| two == b"\n\n")?;
            let block: Vec<u8> = self.bytes.drain(..end + 2).collect();
            if let Some(event) = self.read(&String::from_utf8_lossy(&block)) {
                return Some(event);
            }
        }
    }

    fn read(&mut self, block: &str) -> Option<Event> {
        let (mut name, mut data) = ("message", Vec::new());
        for (field, value) in block.lines().filter_map(|line| line.split_once(':')) {
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => name = value,
                "data" => data.push(value),
                "id" => self.id = value.parse().ok(),
                _ => {}
            }
        }
        let event = || Event { name: name.to_owned(), data: data.join("\n"), id: self.id };
        (!data.is_empty()).then(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str, id: Option<u64>) -> Event {
        Event { name: name.to_owned(), data: data.to_owned(), id }
    }

    #[test]
    fn events_are_read_however_they_are_cut() {
        let text = "retry: 1000\nid: 3\n\nevent: gone\ndata: {\"name\":\"ä\"}\nid: 4\n\n:\nid: 5\n\n\
                    event: bye\ndata: {}\n\nevent: cut off\ndata: x\n";
        for size in 1..text.len() {
            let mut incoming = Incoming::default();
            let mut events = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                assert!(incoming.push(piece));
                events.extend(std::iter::from_fn(|| incoming.next()));
            }
            let wanted = [event("gone", "{\"name\":\"ä\"}", Some(4)), event("bye", "{}", Some(5))];
            assert_eq!(events, wanted, "{size}");
        }
    }

    #[test]
    fn what_never_ends_is_no_event() {
        let mut incoming = Incoming::default();
        assert!(incoming.push(&[b'x'; 1 << 20]) && !incoming.push(b"x"));
    }
}
