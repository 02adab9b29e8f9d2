//! Each verb in each kind of trouble: one sentence, the right exit status. The verbs are those of `--help`.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;

use serde_json::Value;

use super::{agentmux, ended, prints, program};
use crate::harness::{Daemon, PATIENCE, Setup};

/// Verbs that ask the daemon, as a user would call them; what comes of it where there is no session at all.
const ASKING: [(&str, i32, &str); 25] = [
    ("run --command false x", 5, "did not become ready"),
    ("send x", 1, "no active session"),
    ("start --command false", 5, "did not become ready"),
    ("idle", 1, "no active session"),
    ("idle --session a", 1, "session 'a' not found"),
    ("wait t-1", 1, "turn 't-1' not found"),
    ("wait --session a --until idle", 1, "session 'a' not found"),
    ("show", 1, "no active session"),
    ("show a --explain", 1, "session 'a' not found"),
    ("turns", 0, ""),
    ("cancel t-1", 1, "turn 't-1' not found"),
    ("answer a --approve", 1, "session 'a' not found"),
    ("interrupt", 1, "no active session"),
    ("agents", 0, ""),
    ("status", 0, ""),
    ("ls", 0, ""),
    ("capture", 1, "no active session"),
    ("capture --session a", 1, "session 'a' not found"),
    ("key enter", 1, "no active session"),
    ("key f1 --session a", 1, "session 'a' not found"),
    ("kill a", 1, "session 'a' not found"),
    ("cleanup", 0, ""),
    ("attach", 1, "no active session"),
    ("profile save a screens idle", 1, "session 'a' not found"),
    ("restart", 0, ""),
];

/// The one verb that asks the daemon, and ends only with it.
const FOLLOWING: &str = "events";

/// Verbs that need no daemon.
const ALONE: [&str; 9] = [
    "serve",
    "doctor",
    "profile test",
    "profile check",
    "profile list",
    "profile show",
    "token",
    "completions",
    "man",
];

fn asking() -> impl Iterator<Item = &'static str> {
    ASKING.into_iter().map(|(line, ..)| line).chain([FOLLOWING])
}

/// The verbs that the client's help lists, below the given one.
fn listed(setup: &Setup, verb: &str) -> Vec<String> {
    let help = help(setup, verb);
    let Some((_, list)) = help.split_once("Commands:\n") else { return vec![verb.to_owned()] };
    let verbs = list.lines().map_while(|line| line.strip_prefix("  ")?.split(' ').next());
    let below = |name: &str| match name {
        "" | "help" => Vec::new(),
        name => listed(setup, format!("{verb} {name}").trim()),
    };
    verbs.flat_map(below).collect()
}

fn help(setup: &Setup, verb: &str) -> String {
    ended(0, &at_port(setup, 1, format!("{verb} --help").trim()).output().unwrap())
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// One sentence, no result, and nothing of the program's innards.
#[track_caller]
fn complains(line: &str, output: &Output, status: i32, part: &str) {
    let (said, printed) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert_eq!(output.status.code(), Some(status), "{line}: {said}");
    assert!(said.starts_with("agentmux: ") && said.lines().count() == 1, "{line}: {said}");
    assert!(said.contains(part), "{line}: {said}");
    let document = serde_json::from_str::<Value>(&printed).ok();
    assert!(printed.is_empty() || document.is_some_and(|it| it["error"].is_string()), "{line}: {printed}");
}

/// Answers everybody with this, on the port that it returns.
fn stranger(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
        }
    });
    port
}

/// The client where nothing is known but a port.
fn at_port(setup: &Setup, port: u16, line: &str) -> Command {
    let mut command = Command::new(program());
    command.env_clear().env("HOME", setup.file("")).env("RUST_BACKTRACE", "1").current_dir(setup.file(""));
    command.env("AGENTMUX_PORT", port.to_string()).args(words(line)).stdin(Stdio::null());
    command
}

#[test]
fn each_verb_is_in_the_tables_of_these_tests() {
    let verbs = listed(&Setup::new(), "");
    assert!(verbs.contains(&"profile save".to_owned()) && verbs.len() > 25, "{verbs:?}");
    let known: Vec<_> = asking().chain(ALONE).map(|line| format!("{line} ")).collect();
    let page = include_str!("../../docs/client.md");
    for verb in verbs {
        let row = format!("\n| `agentmux {}", verb.split(' ').next().unwrap());
        let is_told = [' ', '`'].iter().any(|end| page.contains(&format!("{row}{end}")));
        assert!(is_told, "docs/client.md does not tell of {verb}");
        assert!(
            known.iter().any(|line| line.starts_with(&format!("{verb} "))),
            "nothing is claimed of {verb}"
        );
    }
}

#[test]
fn where_nobody_listens_each_verb_says_so() {
    let setup = Setup::new();
    for line in asking() {
        let output = at_port(&setup, 1, line).output().unwrap();
        complains(
            line,
            &output,
            1,
            "no daemon at http://127.0.0.1:1: nothing listens there; `agentmux serve`",
        );
    }
}

#[test]
fn where_another_program_listens_each_verb_says_so() {
    let setup = Setup::new();
    for (answer, part) in [
        (
            &b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"[..],
            "is not an agentmuxd that this client knows",
        ),
        (
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}",
            "is not an agentmuxd that this client knows",
        ),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>", "it says 502 Bad Gateway"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "is not an agentmuxd that this client knows"),
        (b"", "broke off: "),
    ] {
        let port = stranger(answer);
        for line in asking() {
            let output = at_port(&setup, port, line).output().unwrap();
            complains(line, &output, 1, part);
        }
    }
}

#[test]
fn with_a_wrong_token_each_verb_says_so() {
    let daemon = Daemon::start();
    for line in asking() {
        let output = agentmux(&daemon, &words(line)).env("AGENTMUX_TOKEN", "wrong").output().unwrap();
        complains(line, &output, 1, "does not accept the token");
    }
}

#[test]
fn without_a_session_each_verb_says_so() {
    let daemon = Daemon::start();
    for (line, status, part) in ASKING {
        let output = agentmux(&daemon, &words(line)).current_dir(daemon.file("")).output().unwrap();
        match status {
            0 => assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{line}: {output:?}"),
            status => complains(line, &output, status, part),
        }
    }
}

#[test]
fn each_verb_refuses_what_it_does_not_know_and_has_a_help() {
    let setup = Setup::new();
    for line in asking().chain(ALONE).filter(|line| *line != "serve") {
        let unknown = at_port(&setup, 1, &format!("{line} --no-such-option")).output().unwrap();
        let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
        assert_eq!(ended(2, &unknown), "", "{line}");
        assert!(said.starts_with("error: ") && said.contains("--help"), "{line}: {said}");
        let no_text =
            at_port(&setup, 1, line).arg("--session").arg(OsStr::from_bytes(b"\xff")).output().unwrap();
        assert_eq!(no_text.status.code(), Some(2), "{line}: {no_text:?}");
        assert!(help(&setup, line).contains("Usage: agentmux "), "{line}");
    }
}

#[test]
fn a_reader_that_has_gone_changes_no_status() {
    let daemon = Daemon::start();
    daemon.session("a");
    for (line, status) in [
        ("status", 0),
        ("ls", 0),
        ("agents --json", 0),
        ("idle", 0),
        ("show --explain", 0),
        ("capture", 0),
        ("turns", 0),
        ("send --wait PONG", 0),
        ("send --wait --json ASK", 4),
        ("token", 0),
        ("profile list", 0),
        ("profile show claude", 0),
        ("completions bash", 0),
        ("wait t-1", 1),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = agentmux(&daemon, &words(line)).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{line}: {said}");
        assert!(!said.contains("print") && !said.contains("panick"), "{line}: {said}");
    }
}

/// Hands connections on to the daemon, and tells what each request begins with.
fn proxy(daemon: &Daemon) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, to) = (listener.local_addr().unwrap().port(), daemon.greeting["port"].as_u64().unwrap());
    let (tell, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(("127.0.0.1", to as u16)).unwrap());
            let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let tell = tell.clone();
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut answers, &mut back);
                let _ = back.shutdown(Shutdown::Both);
            });
            std::thread::spawn(move || hand_on(client, server, &tell));
        }
    });
    (port, requests)
}

fn hand_on(mut client: TcpStream, mut server: TcpStream, tell: &mpsc::Sender<String>) {
    let mut request = [0; 4096];
    while let Ok(length @ 1..) = client.read(&mut request) {
        if server.write_all(&request[..length]).is_err() {
            return;
        }
        let _ =
            tell.send(String::from_utf8_lossy(&request[..length]).lines().next().unwrap_or("").to_owned());
    }
}

#[test]
fn a_daemon_that_dies_ends_each_wait_with_a_sentence() {
    let mut daemon = Daemon::start();
    let id = prints(&daemon, 0, &["run", "THINK 60", "--name", "a"]).trim().to_owned();
    let (port, requests) = proxy(&daemon);
    let waiting = [
        "events --session nobody",
        &format!("wait {id}"),
        "wait --session a --until idle",
        "send --wait x",
        "run --wait THINK --if-busy start --name b",
    ]
    .map(|line| {
        let mut client = agentmux(&daemon, &words(line));
        client.env("AGENTMUX_PORT", port.to_string()).stdout(Stdio::piped()).stderr(Stdio::piped());
        (line.to_owned(), client.spawn().unwrap())
    });
    let mut waits = 0;
    while waits < waiting.len() {
        let request = requests.recv_timeout(PATIENCE).unwrap();
        waits += usize::from(request.contains("/events") || request.contains("wait=3"));
    }
    daemon.kill();
    for (line, client) in waiting {
        complains(&line, &client.wait_with_output().unwrap(), 1, "the connection to the daemon at http://");
    }
}

#[test]
fn prompts_that_are_none_are_refused_with_what_is_wrong() {
    let daemon = Daemon::start();
    daemon.session("a");
    let file = |name: &str, content: &[u8]| {
        std::fs::write(daemon.file(name), content).unwrap();
        format!("--file {name}")
    };
    let long = file("long", &[b'x'; 2 << 20]);
    let longer = file("longer", &[b'x'; 5 << 20]);
    let latin = file("latin", b"gr\xfcn");
    let (blank, escape) = (file("blank", b" \n\t\n"), file("escape", b"a\x1bb"));
    for (line, status, part) in [
        ("", 2, "the prompt is empty"),
        (blank.as_str(), 2, "the prompt is empty"),
        (&long, 1, "at most 1048576"),
        (&longer, 1, "longer than 1 MiB"),
        (&latin, 1, "the prompt from latin is not UTF-8 text"),
        (&escape, 1, "control character"),
        ("--file nowhere", 1, "could not read the prompt from nowhere: "),
        ("--file .", 1, "could not read the prompt from .: "),
    ] {
        for verb in ["run --if-busy start", "send"] {
            let args: Vec<_> =
                words(verb).into_iter().chain(line.split(' ').filter(|word| !word.is_empty())).collect();
            let output = agentmux(&daemon, &args).current_dir(daemon.file("")).output().unwrap();
            complains(&format!("{verb} {line}"), &output, status, part);
        }
    }
    assert_eq!(daemon.log().prompts(), ["PONG"]);
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_an_error() {
    let daemon = Daemon::start();
    for line in ["status", "ls", "token", "completions zsh", "profile list"] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = agentmux(&daemon, &words(line)).stdout(full).output().unwrap();
        complains(line, &output, 1, "could not print: ");
    }
}
