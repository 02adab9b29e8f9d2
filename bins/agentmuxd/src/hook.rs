//! `agentmuxd hook FOLDER [--event NAME] [PAYLOAD]`: the relay that agents run on each event of theirs.
//!
//! It hands the payload (the last argument, else stdin) to the daemon, and prints the answer. Whatever goes wrong, it
//! ends well and without a word: agents show their users each hook that fails. Agents wait for it, so there is no
//! runtime and no log, and the daemon has a few seconds.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use agentmux_api::local::DaemonFile;
use rustix::process::{Pid, test_kill_process};
use serde::Deserialize;

/// How long the daemon may take to take the connection, and each part of the payload.
const CONNECT: Duration = Duration::from_secs(1);
/// How long it may take until its answer begins.
const ANSWER: Duration = Duration::from_secs(3);
/// How long it may then hold the answer back: a person may be asked meanwhile.
const HELD: Duration = Duration::from_secs(600);
/// More of a payload is not taken by the daemon.
const MOST: u64 = 8 * 1024 * 1024;
/// The most of a line of an answer's head.
const MOST_LINE: u64 = 16 * 1024;
/// The most of an answer.
const MOST_ANSWER: u64 = 1024 * 1024;

/// The session's own file.
#[derive(Deserialize)]
struct Key {
    session: String,
    secret: String,
    daemon: PathBuf,
}

/// What the command line says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    folder: PathBuf,
    event: Option<String>,
    payload: Option<String>,
}

/// Hands a payload on.
pub(crate) fn relay(args: impl Iterator<Item = OsString>) {
    let asked = parse(args);
    // The agent may wait until all of its payload is read.
    let payload = asked.payload.clone().map_or_else(from_stdin, |payload| Some(payload.into_bytes()));
    if let Some(payload) = payload
        && let Some(answer) = ask(&asked, &payload)
        && answer != b"{}"
    {
        // Nobody is left to be told that stdout is closed.
        let _ = io::stdout().write_all(&answer);
    }
}

fn parse(args: impl Iterator<Item = OsString>) -> Asked {
    let mut args = args.map(|arg| arg.to_string_lossy().into_owned());
    let mut asked = Asked { folder: args.next().unwrap_or_default().into(), ..Asked::default() };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--event" => asked.event = args.next(),
            _ => asked.payload = Some(arg),
        }
    }
    asked
}

fn from_stdin() -> Option<Vec<u8>> {
    let mut payload = Vec::new();
    io::stdin().lock().take(MOST + 1).read_to_end(&mut payload).ok()?;
    if payload.len() as u64 > MOST {
        // A closed pipe would be shown as the hook's failure.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        return None;
    }
    Some(payload)
}

/// The daemon's answer; `None` where there is none that counts.
fn ask(asked: &Asked, payload: &[u8]) -> Option<Vec<u8>> {
    let key: Key = read(&asked.folder.join("hook.json"))?;
    let daemon: DaemonFile = read(&key.daemon)?;
    // After a crash another program may listen there, which is not to hear what the agent says.
    test_kill_process(Pid::from_raw(i32::try_from(daemon.pid).ok()?)?).ok()?;
    let address: SocketAddr = daemon.url.strip_prefix("http://")?.parse().ok()?;
    let mut stream = TcpStream::connect_timeout(&address, CONNECT).ok()?;
    stream.set_nodelay(true).ok()?;
    stream.set_write_timeout(Some(CONNECT)).ok()?;
    stream.set_read_timeout(Some(ANSWER)).ok()?;
    let mut request = head(&key, asked.event.as_deref(), payload.len()).into_bytes();
    request.extend_from_slice(payload);
    stream.write_all(&request).ok()?;
    read_answer(stream)
}

fn read<T: serde::de::DeserializeOwned>(file: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// HTTP/1.0: the body ends with the connection, and needs neither a length beforehand nor chunks.
fn head(key: &Key, event: Option<&str>, length: usize) -> String {
    let plain =
        |name: &&str| name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'));
    let query = event.filter(plain).map_or_else(String::new, |event| format!("?event={event}"));
    format!(
        "POST /hooks/{}{query} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n",
        key.session, key.secret
    )
}

/// The body of a good answer. Its head comes at once; the body may be held back.
fn read_answer(stream: TcpStream) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.by_ref().take(MOST_LINE).read_line(&mut line).ok()?;
    if !(line.starts_with("HTTP/1.") && line.get(8..).is_some_and(|rest| rest.starts_with(" 200 "))) {
        return None;
    }
    while !line.trim_end().is_empty() {
        line.clear();
        reader.by_ref().take(MOST_LINE).read_line(&mut line).ok()?;
    }
    stream.set_read_timeout(Some(HELD)).ok()?;
    let mut body = Vec::new();
    reader.take(MOST_ANSWER).read_to_end(&mut body).ok()?;
    // One that was cut off is no document.
    serde_json::from_slice::<serde::de::IgnoredAny>(&body).ok()?;
    Some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_is_the_last_argument_or_stdin() {
        let parsed = |args: &[&str]| parse(args.iter().map(OsString::from));
        let asked = |event: Option<&str>, payload: Option<&str>| Asked {
            folder: "/d".into(),
            event: event.map(str::to_owned),
            payload: payload.map(str::to_owned),
        };
        assert_eq!(parsed(&["/d"]), asked(None, None));
        assert_eq!(parsed(&["/d", "{}"]), asked(None, Some("{}")));
        assert_eq!(parsed(&["/d", "--event", "stop", "{}"]), asked(Some("stop"), Some("{}")));
        assert_eq!(parsed(&[]), Asked::default());
    }

    #[test]
    fn an_event_s_name_cannot_break_the_request() {
        let key = Key { session: "s-1".into(), secret: "x".into(), daemon: PathBuf::new() };
        assert!(head(&key, Some("agentStop"), 2).starts_with("POST /hooks/s-1?event=agentStop HTTP/1.0\r\n"));
        assert!(head(&key, Some("a b\r\nX: y"), 2).starts_with("POST /hooks/s-1 HTTP/1.0\r\n"));
    }
}
