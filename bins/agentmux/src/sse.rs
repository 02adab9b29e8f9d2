//! Server-sent events, taken from their stream as it comes.

/// An event with its data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: String,
    /// The id where the stream stands after it.
    pub(crate) id: Option<u64>,
}

/// The part of a stream that has come and is not read yet.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    id: Option<u64>,
}

impl Incoming {
    /// How much is kept of a stream in which no event ends: more than the daemon's longest event.
    const LONGEST: usize = 1 << 20;

    /// Takes what has come; false where it cannot be a stream of events.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        self.bytes.extend_from_slice(bytes);
        self.bytes.len() <= Self::LONGEST
    }

    /// The next event that has come whole. Ids and comments alone are none.
    pub(crate) fn next(&mut self) -> Option<Event> {
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
