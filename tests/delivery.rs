//! Was the prompt delivered, exactly once and byte for byte? Asked of the agent itself.

use serde_json::json;

use crate::harness::{Client, Daemon, Setup, eventually};

const MIB: usize = 1024 * 1024;

/// Text of exactly that many bytes, in which no two places look alike.
fn text_of(bytes: usize) -> String {
    let lines = (0..).map(|number| format!("{number} lorem ipsum dolor sit amet, consectetur\n"));
    let mut text: String = lines.take(bytes / 40 + 1).collect();
    text.truncate(bytes - 1);
    text + "."
}

/// Sends the texts, one after the other; each must be the agent's next prompt.
#[track_caller]
fn all_arrive(daemon: &Daemon, texts: &[impl AsRef<str>]) {
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    for text in &texts {
        let turn = &daemon.send(text)["turn"];
        assert_eq!(
            (&turn["state"], &turn["delivery"]),
            (&json!("done"), &json!("confirmed")),
            "{text:?}: {turn}"
        );
    }
    assert_eq!(daemon.log().prompts()[1..], texts);
}

#[test]
fn every_text_arrives_byte_for_byte_as_one_prompt() {
    let texts = [
        "-R",
        "--",
        "-hello world",
        "x;",
        ";",
        "\\;",
        "a;b ;",
        "#{pid} #{session_name} #[fg=red]",
        "#(touch x) ##",
        "$(touch x) `touch x` ${HOME} $HOME",
        "'single' \"double\" it's",
        "back\\slash \\n \\\\ \\",
        "~root !ls %if @x &",
        "\ttabs\tbetween\t",
        "  blanks around  ",
        "漢字とかな 한국어",
        "🦀 👩‍👩‍👧 🇪🇺 é e\u{301}",
        "שלום مرحبا",
        "one\ntwo\nthree",
        "\nfirst line blank",
        "ends with a line feed\n",
        "1\n2\n3\n4\n5\n6",
        "Enter C-c Escape M-x F1",
        "/help me",
        "%begin 1 2 1\n%end 1 2 1",
        "<script>{}[]|&</script>",
    ];
    let daemon = Daemon::start();
    daemon.session("a");
    all_arrive(&daemon, &texts);
    assert!(!daemon.file("x").exists(), "something of it was executed");
}

#[test]
fn the_first_prompt_of_a_session_arrives_byte_for_byte() {
    let daemon = Daemon::start();
    for text in ["-x;", "one\ntwo\nthree", "$(touch x) #{pid} 漢字 🦀;"] {
        assert_eq!(daemon.run(text)["turn"]["state"], "done", "{text:?}");
    }
    assert_eq!(daemon.log().prompts(), ["-x;", "one\ntwo\nthree", "$(touch x) #{pid} 漢字 🦀;"]);
}

#[test]
fn texts_of_every_size_arrive_as_one_prompt() {
    let daemon = Daemon::start();
    daemon.session("a");
    let texts = [10_240, 16_383, 16_384, 102_400, 131_072, 262_144, MIB].map(text_of);
    for text in &texts {
        let turn = &daemon.send(text)["turn"];
        assert_eq!(turn["state"], "done", "{} bytes: {turn}", text.len());
    }
    let arrived = daemon.log().prompts().split_off(1);
    let lengths = |texts: &[String]| texts.iter().map(String::len).collect::<Vec<_>>();
    assert_eq!(lengths(&arrived), lengths(&texts));
    assert!(arrived == texts, "the lengths are right, the bytes are not");
}

#[test]
fn one_long_line_arrives_as_one_prompt() {
    let daemon = Daemon::start();
    let line = "wide 漢字 ".repeat(8000);
    let turn = &daemon.run(&line)["turn"];
    assert_eq!(turn["state"], "done", "{turn}");
    assert!(daemon.log().prompts() == [line]);
}

#[test]
fn carriage_returns_before_line_feeds_are_dropped() {
    let daemon = Daemon::start();
    daemon.run("one\r\ntwo\r\n");
    assert_eq!(daemon.log().prompts(), ["one\ntwo\n"]);
}

#[test]
fn other_control_characters_are_refused_by_name() {
    let daemon = Daemon::start();
    daemon.session("a");
    for (text, name) in [
        ("a\u{1b}[201~\rb", "U+001B"),
        ("\u{3}", "U+0003"),
        ("\u{4}x", "U+0004"),
        ("\u{1a}x", "U+001A"),
        ("a\rb", "U+000D"),
        ("a\u{7f}", "U+007F"),
        ("a\u{9b}b", "U+009B"),
        ("a\u{0}b", "U+0000"),
    ] {
        for path in ["/run", "/send"] {
            let answer = daemon.post(path, json!({"text": text, "if_busy": "queue"}));
            let refusal = answer.json();
            assert_eq!(answer.status, 400, "{name}: {refusal}");
            assert!(refusal["error"].as_str().unwrap().contains(name), "{name}: {refusal}");
        }
    }
    assert_eq!((daemon.log().prompts(), daemon.names()), (vec!["PONG".to_owned()], vec!["a".to_owned()]));
}

#[test]
fn a_text_over_one_mebibyte_is_too_large() {
    let daemon = Daemon::start();
    daemon.session("a");
    for path in ["/run", "/send"] {
        assert_eq!(daemon.post(path, json!({"text": text_of(MIB + 1)})).status, 413, "{path}");
        assert_eq!(daemon.post(path, json!({"text": "x".repeat(9 * MIB)})).status, 413, "{path}");
    }
    // Six bytes of JSON for each character, and still one mebibyte of text.
    let body = format!("{{\"text\":\"{}\",\"wait\":60}}", "\\u0041".repeat(MIB));
    let sent = daemon.ask("POST", "/send", &[], body.as_bytes()).ok();
    assert_eq!(sent["turn"]["state"], "done");
    assert_eq!(daemon.log().prompts()[1].len(), MIB);
}

#[test]
fn an_agent_that_ignores_enter_after_a_paste_gets_the_prompt_once() {
    let daemon = Setup::new().agent("--swallow-enter 1.5").start();
    let texts = ["first", "two\nlines", "1\n2\n3\n4\n5 as a marker"];
    for text in texts {
        let turn = &daemon.post("/run", json!({"text": text, "wait": 60})).ok()["turn"];
        assert_eq!((&turn["state"], &turn["delivery"]), (&json!("done"), &json!("confirmed")), "{turn}");
    }
    assert_eq!(daemon.log().prompts(), texts);
}

#[test]
fn twenty_requests_at_once_reach_twenty_sessions() {
    let daemon = Setup::new().env("AGENTMUX_MAX_SESSIONS", "25").start();
    let names: Vec<_> = (0..20).map(|number| format!("s{number}")).collect();
    let run = |client: &Client, name: &String| {
        let command = daemon.setup().demo_logging_to(name, "");
        let text = format!("first for {name};");
        client.post(
            "/run",
            json!({"text": text, "name": name, "command": command, "if_busy": "start", "wait": 60}),
        )
    };
    let send = |client: &Client, name: &String| {
        client.post("/send", json!({"text": format!("second\nfor {name}"), "session": name, "wait": 60}))
    };
    at_once(&daemon, &names, run);
    at_once(&daemon, &names, send);
    for name in &names {
        let wanted = [format!("first for {name};"), format!("second\nfor {name}")];
        assert_eq!(daemon.log_in(name).prompts(), wanted);
    }
}

/// One request for each name, all at the same time; each must end with a finished turn.
fn at_once(
    daemon: &Daemon,
    names: &[String],
    ask: impl Fn(&Client, &String) -> crate::harness::Answer + Sync,
) {
    let (client, ask) = (daemon.client(), &ask);
    std::thread::scope(|scope| {
        let requests: Vec<_> = names.iter().map(|name| (name, scope.spawn(|| ask(&client, name)))).collect();
        for (name, request) in requests {
            let answer = request.join().unwrap().ok();
            assert_eq!(answer["turn"]["state"], "done", "{name}: {answer}");
        }
    });
}

#[test]
fn a_scrolled_pane_gets_the_prompt() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.send("LONG 200");
    daemon.tmux().run(&["copy-mode", "-t", "=a:"]);
    assert_eq!(daemon.send("after copy mode")["turn"]["state"], "done");
    daemon.tmux().run(&["copy-mode", "-t", "=a:"]);
    daemon.tmux().run(&["send-keys", "-t", "=a:", "-X", "-N", "100", "scroll-up"]);
    let turn = &daemon.send("after\nscrolling up")["turn"];
    assert_eq!((&turn["state"], &turn["reply"]), (&json!("done"), &json!("You said: after")), "{turn}");
    assert_eq!(daemon.log().prompts()[2..], ["after copy mode", "after\nscrolling up"]);
}

#[test]
fn a_scrolled_pane_gets_the_keys() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.tmux().run(&["copy-mode", "-t", "=a:"]);
    let ups = || daemon.log().all("key").iter().filter(|event| event["text"] == "up").count();
    daemon.post("/key", json!({"key": "up", "repeat": 2})).ok();
    eventually("both keys arrive", || (ups() == 2).then_some(()));
}

/// Types into a pane, as a person who is attached does.
fn type_into(daemon: &Daemon, text: &str) {
    daemon.tmux().run(&["send-keys", "-t", "=a:", "-l", text]);
    eventually("the typed text shows", || {
        daemon.get("/capture").ok()["content"].as_str().unwrap().contains(text).then_some(())
    });
}

#[test]
fn a_prompt_is_refused_where_a_person_has_typed_a_draft() {
    let daemon = Daemon::start();
    daemon.session("a");
    type_into(&daemon, "half a thought");
    eventually("the draft is noticed", || (daemon.get("/idle").ok()["idle"] == false).then_some(()));
    daemon.post("/send", json!({"text": "PONG"})).refused_as(409, "human_draft");
    daemon.tmux().run(&["send-keys", "-t", "=a:", "C-u"]);
    daemon.until_idle();
    assert_eq!(daemon.send("a whole one")["turn"]["state"], "done");
    assert_eq!(daemon.log().prompts(), ["PONG", "a whole one"]);
}

#[test]
fn a_draft_that_was_not_noticed_yet_is_not_mixed_with_a_prompt_either() {
    let daemon = Daemon::start();
    daemon.session("a");
    type_into(&daemon, "half a thought");
    let answer = daemon.post("/send", json!({"text": "PONG", "wait": 1}));
    let document = answer.json();
    let waits = answer.status == 200 && document["turn"]["state"] == "queued";
    assert!(waits || document["code"] == "human_draft", "{}: {document}", answer.status);
    daemon.tmux().run(&["send-keys", "-t", "=a:", " of mine", "Enter"]);
    daemon.log().until("prompt", 2);
    assert_eq!(daemon.log().prompts()[1], "half a thought of mine");
}

#[test]
fn what_a_person_types_behind_a_pasted_prompt_is_not_submitted_with_it() {
    let daemon = Setup::new().agent("--swallow-enter 3").start();
    let client = daemon.client();
    let run =
        std::thread::spawn(move || client.post("/run", json!({"text": "ours", "name": "a", "wait": 60})));
    eventually("the prompt is in the box", || {
        let shown = daemon.tmux().try_run(&["capture-pane", "-p", "-t", "=a:"]).unwrap_or_default();
        shown.contains("❯ ours").then_some(())
    });
    daemon.tmux().run(&["send-keys", "-t", "=a:", "-l", " and theirs"]);
    let document = run.join().unwrap().json();
    assert_eq!(daemon.log().prompts(), [""; 0], "{document}");
}

/// The demo agent, pasted into in pieces. As in Claude Code, a draft may fill the screen.
const IN_PIECES: &str = r#"
extends = "demo"
[[rule]]
name = "a draft fills the screen"
state = "draft"
box = "absent"
region = "last"
rows = 2
match = '^─{8,}$'
[submit]
chunk_lines = 3
chunk_chars = 400
"#;

/// With pauses that leave a person time.
fn in_pieces(pauses: &str) -> Daemon {
    let profile = format!("{IN_PIECES}{pauses}\n");
    let setup = Setup::new().write(".config/agentmux/agents/pieces.toml", &profile).agent("");
    setup.env("AGENTMUX_AGENT", "pieces").start()
}

fn rows_of_a_prompt(count: usize) -> String {
    (1..=count).map(|i| format!("row {i} of a prompt\n")).collect::<String>() + "PONG"
}

/// A person types once these words of a prompt show, in a box that does not show all of it: nothing of it is submitted.
fn typed_into(pauses: &str, words: &str) {
    let daemon = in_pieces(pauses);
    daemon.session("a");
    daemon.tmux().run(&["resize-window", "-t", "=a:", "-y", "12"]);
    let client = daemon.client();
    let body = json!({"text": rows_of_a_prompt(20), "session": "a", "wait": 60});
    let send = std::thread::spawn(move || client.post("/send", body));
    let shown = || daemon.tmux().run(&["capture-pane", "-p", "-t", "=a:"]);
    eventually("the words are typed", || shown().contains(words).then_some(()));
    daemon.tmux().run(&["send-keys", "-t", "=a:", "-l", "THEIRS"]);
    send.join().unwrap().refused_as(503, "not_shown");
    assert_eq!(daemon.log().prompts(), ["PONG"]);
    assert!(shown().contains("THEIRS"), "what they typed is gone:\n{}", shown());
    daemon.post("/send", json!({"text": "PONG"})).refused_as(409, "human_draft");
}

#[test]
fn what_a_person_types_between_two_pieces_is_not_submitted_with_them() {
    typed_into("chunk_pause_ms = 1000", "row 5 of");
}

#[test]
fn what_a_person_types_behind_the_last_piece_is_not_submitted_with_it() {
    typed_into("pause_ms = 3000", "  PONG\n─");
}

#[test]
fn texts_arrive_byte_for_byte_in_pieces_too() {
    let daemon = in_pieces("");
    daemon.session("a");
    let texts = [
        rows_of_a_prompt(60),
        "the same row\n".repeat(20),
        "\n\n\n\n\n\nblank rows\n\n\n\n\n\n\n\nbetween\n\n\n\n.".to_owned(),
        "- - -\n".repeat(9),
        "────────\n".repeat(7) + "end",
        "e\u{301}lan, cafe\u{301}\n漢字とか\u{3099} 한국어\n".repeat(5),
        "שלום مرحبا हिन्दी ไทย\n🦀 👩\u{200d}👩\u{200d}👧 1\u{fe0f}\u{20e3}\n".repeat(5),
        "a\u{200b}b\tc\n".repeat(9),
        "wide 漢字 ".repeat(600),
    ];
    all_arrive(&daemon, &texts);
}

#[test]
fn a_queued_prompt_waits_until_a_draft_is_gone() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.post("/send", json!({"text": "THINK 1.5"})).ok();
    let queued = daemon.post("/send", json!({"text": "queued"})).ok();
    type_into(&daemon, "half a thought");
    daemon.log().until("idle", 2);
    let id = queued["turn"]["id"].as_str().unwrap();
    let waited = daemon.get(&format!("/turns/{id}?wait=1")).ok();
    assert_eq!((&waited["state"], &waited["waited_out"]), (&json!("queued"), &json!(true)));
    daemon.tmux().run(&["send-keys", "-t", "=a:", "Enter"]);
    daemon.turn_in(id, "done");
    assert_eq!(daemon.log().prompts(), ["PONG", "THINK 1.5", "half a thought", "queued"]);
}

#[test]
fn a_draft_of_several_lines_is_one_too() {
    let daemon = Daemon::start();
    daemon.session("a");
    daemon.tmux().run(&["set-buffer", "-b", "draft", "half\n\na thought"]);
    daemon.tmux().run(&["paste-buffer", "-p", "-d", "-b", "draft", "-t", "=a:"]);
    daemon.get("/sessions/a/wait?until=draft&wait=60").ok();
    daemon.post("/send", json!({"text": "PONG"})).refused_as(409, "human_draft");
    daemon.post("/sessions/a/turns", json!({"text": "PONG"})).refused_as(409, "human_draft");
}

#[test]
fn a_draft_that_stands_there_from_the_start_is_left_alone() {
    let daemon = Setup::new().env("AGENTMUX_READY_TIMEOUT", "5").agent("--draft 'not ours'").start();
    let answer = daemon.post("/run", json!({"text": "PONG"}));
    assert!([409, 503].contains(&answer.status), "{}", answer.json());
    assert_eq!((daemon.log().prompts(), daemon.names()), (vec![], vec![]));
}

#[test]
fn text_that_the_agent_leaves_in_its_box_is_not_ours_to_submit() {
    let daemon = Daemon::start();
    assert_eq!(daemon.run("DRAFT left over")["turn"]["reply"], "DRAFT-DONE");
    daemon.post("/send", json!({"text": "PONG"})).refused_as(409, "human_draft");
    assert_eq!(daemon.log().prompts(), ["DRAFT left over"]);
}
