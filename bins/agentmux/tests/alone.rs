//! The client without a daemon: what it prints, where, and how it ends.

#![expect(clippy::disallowed_methods, reason = "these tests start the program")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The client in a home without a daemon; the port is one on which nothing listens.
fn agentmux(home: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agentmux"));
    command.env_clear().env("HOME", home.path()).env("AGENTMUX_PORT", "1").args(args).stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    agentmux(&tempfile::tempdir().unwrap(), args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn screens(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/screens").join(folder);
    let files = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    files.map(|file: PathBuf| file.into_os_string().into_string().unwrap()).collect()
}

#[test]
fn without_a_daemon_each_verb_says_so_in_one_line() {
    for args in
        [&["status"][..], &["run", "x"], &["send", "x"], &["wait", "t-1"], &["attach"], &["kill", "a"]]
    {
        let output = run(args);
        let sentence =
            "agentmux: no daemon at http://127.0.0.1:1: nothing listens there; `agentmux serve` starts one\n";
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(1), sentence), "{args:?}");
    }
}

#[test]
fn inherited_verbs_print_a_document_even_then() {
    for args in
        [&["status"][..], &["cleanup"], &["send", "x"], &["key", "enter"], &["capture"], &["ls", "--json"]]
    {
        let document: serde_json::Value = serde_json::from_str(&stdout(&run(args))).unwrap();
        assert!(document["error"].as_str().unwrap().starts_with("no daemon at"), "{args:?}");
    }
}

#[test]
fn usage_errors_end_with_two() {
    for args in [
        &["nonsense"][..],
        &["key"],
        &["run", "--wait=soon", "x"],
        &["profile", "test"],
        &["profile", "save", "a", "d", "happy"],
    ] {
        assert_eq!(run(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn verbs_options_and_values_are_completed_in_bash() {
    let home = tempfile::tempdir().unwrap();
    let script = home.path().join("agentmux.bash");
    std::fs::write(&script, run(&["completions", "bash"]).stdout).unwrap();
    for (line, last, wanted) in [
        ("agentmux ca", "ca", "cancel\ncapture\n"),
        ("agentmux run --work", "--work", "--workdir\n"),
        ("agentmux send --if-busy ", "", "queue\nreject\n"),
    ] {
        let complete = format!(
            ". '{}'; COMP_WORDS=({line} {}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _agentmux agentmux '{last}' \
             \"${{COMP_WORDS[COMP_CWORD-1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script.display(),
            if last.is_empty() { "''" } else { "" }
        );
        let output = Command::new("bash").args(["--norc", "-c", &complete]).output().unwrap();
        assert_eq!(stdout(&output), wanted, "{line}: {output:?}");
    }
}

#[test]
fn each_shell_gets_completions_of_its_own() {
    for (shell, its_own) in
        [("bash", "complete -F _agentmux"), ("zsh", "#compdef agentmux"), ("fish", "complete -c agentmux")]
    {
        let script = stdout(&run(&["completions", shell]));
        assert!(script.contains(its_own) && script.contains("workdir"), "{shell}: {script}");
        let hidden = ["__man", "manual pages"].iter().find(|part| script.contains(**part));
        assert_eq!(hidden, None, "{shell}: {script}");
    }
}

#[test]
fn manual_pages_are_written_into_a_folder_that_need_not_be_there() {
    let home = tempfile::tempdir().unwrap();
    let written = |folder: &str| {
        let output = agentmux(&home, &["man", folder]).current_dir(&home).output().unwrap();
        (output.status.code(), stdout(&output), stderr(&output))
    };
    assert_eq!(written("share/man1"), (Some(0), String::new(), String::new()));
    let page = std::fs::read_to_string(home.path().join("share/man1/agentmux-run.1")).unwrap();
    assert!(page.contains(".TH agentmux-run 1"), "{page}");
    std::fs::write(home.path().join("file"), "").unwrap();
    let (status, _, said) = written("file");
    assert!(status == Some(1) && said.starts_with("agentmux: could not write file: "), "{said}");
}

#[test]
fn a_prompt_that_cannot_be_read_is_an_error() {
    let output = run(&["run", "--file", "/nonexistent"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("agentmux: could not read the prompt from /nonexistent: "));
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let mut files = screens("claude");
    files.splice(0..0, ["profile".to_owned(), "test".to_owned(), "--json".to_owned()]);
    let args: Vec<_> = files.iter().map(String::as_str).collect();
    let mut client = agentmux(&tempfile::tempdir().unwrap(), &args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(client.stdout.take());
    let mut complaint = String::new();
    client.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    client.wait().unwrap();
    assert!(!complaint.contains("print") && !complaint.contains("panick"), "{complaint}");
}

#[test]
fn serve_needs_a_daemon_to_start() {
    let home = tempfile::tempdir().unwrap();
    let client = home.path().join("agentmux");
    std::fs::copy(env!("CARGO_BIN_EXE_agentmux"), &client).unwrap();
    let output = Command::new(client).env_clear().env("PATH", "/nonexistent").output().unwrap();
    let sentence = "agentmux: agentmuxd is not installed beside agentmux or in PATH\n";
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(1), sentence));
}

#[test]
fn serve_becomes_the_daemon_beside_it() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str| home.path().join(name);
    std::fs::copy(env!("CARGO_BIN_EXE_agentmux"), file("agentmux")).unwrap();
    std::os::unix::fs::symlink("/bin/echo", file("agentmuxd")).unwrap();
    for (args, printed) in [(&[][..], "\n"), (&["serve"], "\n"), (&["serve", "--x"], "--x\n")] {
        let output = Command::new(file("agentmux")).args(args).output().unwrap();
        assert_eq!(stdout(&output), printed, "{args:?}");
    }
}

/// What a daemon says when it is asked whether it is one.
const ALIVE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"ok\":true}";

/// Answers the requests on one connection with these, and returns all that was sent on it.
fn answering(answers: &'static [&'static str]) -> (u16, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut requests = Vec::new();
        for answer in answers {
            while !requests.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                requests.push(byte[0]);
            }
            requests.push(b'\n');
            stream.write_all(answer.as_bytes()).unwrap();
        }
        stream.read_to_end(&mut requests).unwrap();
        String::from_utf8(requests).unwrap()
    });
    (port, requests)
}

#[test]
fn what_is_no_daemon_of_ours_is_told_apart_and_gets_neither_token_nor_prompt() {
    let (port, requests) = answering(&["HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"]);
    let mut client = agentmux(&tempfile::tempdir().unwrap(), &["run", "my prompt"]);
    let output =
        client.env("AGENTMUX_PORT", port.to_string()).env("AGENTMUX_TOKEN", "secret").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("is not an agentmuxd that this client knows"), "{output:?}");
    let requests = requests.join().unwrap();
    assert!(requests.starts_with("GET /livez ") && !requests.contains("secret"), "{requests}");
    assert!(!requests.contains("my prompt"), "{requests}");
}

#[test]
fn whoever_says_nothing_is_not_waited_for() {
    // Connections are made, and nobody ever accepts them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, home) = (silent.local_addr().unwrap().port().to_string(), tempfile::tempdir().unwrap());
    let clients = [&["run", "x"][..], &["restart"], &["status"], &["events"], &["wait", "t-1"]].map(|args| {
        let mut client = agentmux(&home, args);
        client.env("AGENTMUX_PORT", &port).stdout(Stdio::piped()).stderr(Stdio::piped());
        (args, client.spawn().unwrap())
    });
    for (args, client) in clients {
        let output = client.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(stderr(&output).contains("has said nothing for 10 s: "), "{args:?}: {output:?}");
    }
}

#[test]
fn a_daemon_that_wants_a_token_which_is_not_there_is_told_apart() {
    let home = tempfile::tempdir().unwrap();
    let (port, requests) =
        answering(&[ALIVE, "HTTP/1.1 403 Forbidden\r\nContent-Length: 21\r\n\r\n{\"error\":\"forbidden\"}"]);
    std::fs::create_dir(home.path().join(".agentmux")).unwrap();
    let daemon = format!(
        r#"{{"pid":{},"url":"http://127.0.0.1:{port}","version":"0","tmux_socket":"/x"}}"#,
        std::process::id()
    );
    std::fs::write(home.path().join(".agentmux/daemon.json"), daemon).unwrap();
    let output = agentmux(&home, &["ls"]).env_remove("AGENTMUX_PORT").output().unwrap();
    assert!(stderr(&output).contains("wants a token: set AGENTMUX_TOKEN"), "{output:?}");
    let requests = requests.join().unwrap();
    assert!(requests.contains("GET /sessions "), "{requests}");
    assert!(!requests.to_lowercase().contains("authorization"), "{requests}");
}

#[test]
fn screens_are_read_and_compared() {
    let screen = screens("claude").into_iter().find(|file| file.ends_with("busy--think.120x40.txt")).unwrap();
    let output = run(&["profile", "test", "--json", &screen]);
    let verdicts: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!((&verdicts[0]["agent"], &verdicts[0]["expected"]), (&"claude".into(), &"busy".into()));
    assert_eq!((&verdicts[0]["file"], &verdicts[0]["state"]), (&screen.into(), &"busy".into()));
}

#[test]
fn a_screen_that_is_read_otherwise_is_counted() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("repl")).unwrap();
    std::fs::write(home.path().join("repl/busy--x.80x24.txt"), ">>> ").unwrap();
    std::fs::write(home.path().join("repl/exited--x.80x24.txt"), "gone").unwrap();
    let mut client =
        agentmux(&home, &["profile", "test", "repl/busy--x.80x24.txt", "repl/exited--x.80x24.txt"]);
    let output = client.current_dir(&home).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), "agentmux: 1 screen was not read as it is labelled\n");
    assert!(stdout(&output).contains("0 of 1 read as labelled"), "{}", stdout(&output));
}

/// A home with a profile of the user's.
fn home_with(profile: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/agentmux/agents");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("mine.toml"), profile).unwrap();
    home
}

/// What is printed, what is said of errors, and the status.
fn at_home(home: &TempDir, args: &[&str]) -> (String, String, i32) {
    let output = agentmux(home, args).current_dir(home).output().unwrap();
    (stdout(&output), stderr(&output), output.status.code().unwrap())
}

#[test]
fn profiles_of_the_users_are_listed_shown_and_used() {
    let home = home_with("extends = 'repl'\nprompt = '^mine: (?P<text>.*)$'\n");
    let config = r#"{"agents": {"entry": {"extends": "mine", "env": {"A": "b"}}}}"#;
    std::fs::write(home.path().join(".config/agentmux/config.json"), config).unwrap();
    let (listed, _, _) = at_home(&home, &["profile", "list"]);
    let row = |name: &str| listed.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(row("mine").contains("agents/mine.toml") && row("entry").contains("config.json"), "{listed}");
    assert!(row("claude").contains("built in"), "{listed}");
    let (shown, _, status) = at_home(&home, &["profile", "show", "entry"]);
    assert!(shown.contains("mine: ") && shown.contains("A = \"b\"") && status == 0, "{shown}");
    let (claude, _, _) = at_home(&home, &["profile", "show", "claude"]);
    assert!(claude.starts_with("# Claude Code"), "as it is written: {claude}");
    std::fs::create_dir(home.path().join("mine-x")).unwrap();
    std::fs::write(home.path().join("mine-x/draft--x.80x24.txt"), "hello\nmine: text").unwrap();
    let (read, _, status) = at_home(&home, &["profile", "test", "--json", "mine-x"]);
    let read: serde_json::Value = serde_json::from_str(&read).unwrap();
    assert_eq!((&read[0]["agent"], &read[0]["state"], status), (&"mine".into(), &"draft".into(), 0));
}

#[test]
fn entries_of_a_toml_file_are_agents_too() {
    let home = home_with("extends = 'repl'\n");
    let file = home.path().join(".config/agentmux/config.toml");
    std::fs::write(&file, "[agents.entry]\nextends = 'mine'\n").unwrap();
    let (listed, _, _) = at_home(&home, &["profile", "list"]);
    assert!(listed.lines().any(|line| line.starts_with("entry") && line.contains("config.toml")), "{listed}");
    std::fs::write(&file, "agents = 1\n").unwrap();
    let (_, said, status) = at_home(&home, &["profile", "list"]);
    assert!(said.contains("config.toml:1: \"agents\" must be a table") && status == 1, "{said}");
}

#[test]
fn a_wrong_profile_is_refused_with_its_line_by_each_verb() {
    let home = home_with("extends = 'repl'\n\nprompt = '('\n");
    let wanted = ".config/agentmux/agents/mine.toml:3: prompt: is no regular expression: unclosed group\n";
    for args in [
        &["profile", "check"][..],
        &["profile", "list"],
        &["profile", "show", "mine"],
        &["profile", "test", "x/claude/idle--x.txt"],
        &["profile", "check", ".config/agentmux/agents/mine.toml"],
    ] {
        let (printed, said, status) = at_home(&home, args);
        assert!(said.starts_with("agentmux: profile ") && said.ends_with(wanted), "{args:?}: {said}");
        assert_eq!((printed.as_str(), status), ("", 1), "{args:?}");
    }
}

#[test]
fn a_profile_under_work_is_checked_and_used_for_all_screens() {
    let home = home_with("extends = 'repl'\n");
    let write = |name: &str, text: &str| std::fs::write(home.path().join(name), text).unwrap();
    write("mine.toml", "extends = 'repl'\nprompt = '^new: (?P<text>.*)$'\n");
    write("busy.toml", "extends = 'mine'\n[[rule]]\nname = 'a'\nstate = 'busy'\nregion = 'screen'\n");
    std::fs::create_dir(home.path().join("claude")).unwrap();
    write("claude/idle--x.80x24.txt", "hello\nnew:\nnew: ");
    let test =
        |profile: &str| at_home(&home, &["profile", "test", "--profile", profile, "claude/idle--x.80x24"]);
    assert_eq!(test("mine.toml").2, 1, "blanks at the end of a row are cut");
    write("mine.toml", "extends = 'repl'\nprompt = '^new:(?P<text>.*)$'\n");
    let (report, said, status) = test("mine.toml");
    assert!(status == 0 && report.contains("1 of 1 read as labelled"), "{report}{said}");
    assert_eq!(
        at_home(&home, &["profile", "check", "mine.toml"]),
        ("all are right\n".into(), String::new(), 0)
    );
    let (_, said, status) = test("busy.toml");
    let wanted = "agentmux: profile busy.toml:2: rule 'a': has no condition";
    assert!(status == 1 && said.starts_with(wanted), "{said}");
}

#[test]
fn tables_for_the_documentation_are_in_markdown() {
    let home = home_with("extends = 'repl'\n");
    std::fs::create_dir(home.path().join("repl")).unwrap();
    std::fs::write(home.path().join("repl/idle--x.80x24.txt"), "$").unwrap();
    let (table, _, _) = at_home(&home, &["profile", "test", "--markdown", "repl"]);
    assert!(table.starts_with("**repl**: 1 of 1 read as labelled\n\n| expected"), "{table}");
}

#[test]
fn an_agent_without_a_profile_is_named() {
    let output = run(&["profile", "test", "/x/smith/idle--x.80x24.txt"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("there is no profile 'smith' (there are aider, bash, "));
}
