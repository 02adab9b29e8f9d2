//! The daemon's stream of events, read as it comes.

use std::io::{BufRead, BufReader};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Client, PATIENCE};

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: Value,
    /// Where the stream stands after it.
    pub(crate) id: u64,
}

/// A stream of events that is read all the time; closed when this is dropped.
#[derive(Debug)]
pub(crate) struct Events {
    connection: TcpStream,
    /// Where the stream began.
    pub(crate) began: u64,
    events: Receiver<Event>,
}

impl Client {
    /// `GET /events`, from now on.
    #[track_caller]
    pub(crate) fn events(&self) -> Events {
        self.events_of("/events", &[])
    }

    /// The stream at this path, asked for with these extra header lines; it has begun.
    #[track_caller]
    pub(crate) fn events_of(&self, path: &str, headers: &[&str]) -> Events {
        let connection = self.unread(path, headers);
        let lines = BufReader::new(connection.try_clone().unwrap()).split(b'\n');
        let (to, events) = mpsc::channel();
        let lines = lines.map_while(Result::ok).map(|line| String::from_utf8(line).unwrap());
        std::thread::spawn(move || read(lines, |event| to.send(event).is_ok()));
        let opening = events.recv_timeout(PATIENCE).expect("a stream of events");
        assert_eq!(opening.name, "", "{opening:?}");
        Events { connection, began: opening.id, events }
    }
}

/// Reads events out of lines. Those of the chunked encoding, unlike the events' own, end in a carriage return.
fn read(lines: impl Iterator<Item = String>, mut tell: impl FnMut(Event) -> bool) {
    let lines = lines.skip_while(|line| line != "\r").filter(|line| !line.ends_with('\r'));
    let mut event = Event { name: String::new(), data: Value::Null, id: 0 };
    let mut is_open = false;
    for line in lines {
        match line.split_once(": ") {
            Some(("event", name)) => event.name = name.to_owned(),
            Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
            Some(("id", id)) => event.id = id.parse().unwrap(),
            // The first block has only the id; a later one without data is a heartbeat.
            None if line.is_empty() && (!is_open || !event.name.is_empty()) => {
                is_open = true;
                let empty = Event { name: String::new(), data: Value::Null, id: event.id };
                if !tell(std::mem::replace(&mut event, empty)) {
                    return;
                }
            }
            _ => {}
        }
    }
}

impl Events {
    /// The next event; `None` at the end of the stream.
    #[track_caller]
    pub(crate) fn next(&self) -> Option<Event> {
        match self.events.recv_timeout(PATIENCE) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no event within {PATIENCE:?}"),
        }
    }

    /// All events up to the first one that is wanted, that one included.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            let event = self.events.recv_timeout(left);
            events.push(event.unwrap_or_else(|e| panic!("{e}: no {what} in {events:#?}")));
            if events.last().is_some_and(&wanted) {
                return events;
            }
        }
    }
}

impl Event {
    /// Whether it says that something of this name is in that state.
    pub(crate) fn says(&self, name: &str, state: &str) -> bool {
        self.name == name && self.data["state"] == state
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // It may be closed already.
        let _ = self.connection.shutdown(Shutdown::Both);
    }
}
