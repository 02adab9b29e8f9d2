//! As much HTTP/1.1 as the agents' clients need: one request a connection, answered whole or as server-sent
//! events.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// A request, read to its end.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
}

/// A stream of events that has begun.
pub(crate) struct Events<'a> {
    to: &'a mut TcpStream,
    /// No other stream of this model has it: agents mix up calls whose ids are equal.
    pub(crate) number: usize,
    about_to_end: &'a mut dyn FnMut(),
}

impl Request {
    pub(crate) fn read(from: &mut TcpStream) -> io::Result<Self> {
        let mut from = BufReader::new(from);
        let first = line(&mut from)?;
        let mut words = first.split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (mut length, mut chunked) = (0, false);
        loop {
            let header = line(&mut from)?.to_ascii_lowercase();
            match header.split_once(':') {
                Some(("content-length", value)) => length = value.trim().parse().map_err(io::Error::other)?,
                Some(("transfer-encoding", value)) => chunked = value.contains("chunked"),
                // Some clients do not send the body before they are told to.
                Some(("expect", _)) => from.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?,
                Some(_) => {}
                None => break,
            }
        }
        let mut body = Vec::new();
        if chunked {
            read_chunks(&mut from, &mut body)?;
        } else {
            from.take(length).read_to_end(&mut body)?;
        }
        Ok(Self { method, path, body })
    }
}

/// A refusal, as the real service words it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) document: Value,
}

/// Answers with one JSON document.
pub(crate) fn json(to: &mut TcpStream, status: u16, document: &Value) -> io::Result<()> {
    answer(to, status, "", document)
}

pub(crate) fn refuse(to: &mut TcpStream, refusal: &Refusal) -> io::Result<()> {
    let headers = refusal.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    answer(to, refusal.status, &headers.collect::<String>(), &refusal.document)
}

fn answer(to: &mut TcpStream, status: u16, headers: &str, document: &Value) -> io::Result<()> {
    let body = document.to_string();
    let length = body.len();
    write!(
        to,
        "HTTP/1.1 {status} Scripted\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n{headers}\r\n{body}"
    )
}

impl<'a> Events<'a> {
    /// Begins a stream, which lasts until the connection is closed. `about_to_end` is called once, by
    /// [`Events::end_is_near`].
    pub(crate) fn start(
        to: &'a mut TcpStream,
        number: usize,
        about_to_end: &'a mut dyn FnMut(),
    ) -> io::Result<Self> {
        to.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\
              Connection: close\r\n\r\n",
        )?;
        Ok(Self { to, number, about_to_end })
    }

    /// Sends an event; its name is also the `type` in its data, in all APIs that name events.
    pub(crate) fn send(&mut self, name: &str, mut data: Value) -> io::Result<()> {
        data["type"] = name.into();
        self.to.write_all(format!("event: {name}\ndata: {data}\n\n").as_bytes())
    }

    /// Sends data without a name, for the APIs that do not name their events.
    pub(crate) fn data(&mut self, data: &Value) -> io::Result<()> {
        self.line(&data.to_string())
    }

    /// Sends data that is no JSON.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        self.to.write_all(format!("data: {line}\n\n").as_bytes())
    }

    /// To be called before the event is sent by which the client knows that the reply is complete.
    pub(crate) fn end_is_near(&mut self) {
        (self.about_to_end)();
    }
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

fn read_chunks(from: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let size = line(from)?;
        let size = size.split(';').next().unwrap_or_default();
        let size = u64::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        from.take(size).read_to_end(body)?;
        line(from)?;
        if size == 0 {
            return Ok(());
        }
    }
}
