//! The profiles against recorded screens of the real agents: `tests/screens/AGENT[-MODE]/LABEL--WHAT.WxH.{ansi,json}`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use agentmux_core::profile::Profiles;
use agentmux_core::reading::{Reading, read};
use agentmux_core::screen::Screen;

struct Recorded {
    file: String,
    agent: String,
    mode: String,
    label: String,
    screen: Screen,
}

fn recorded() -> Vec<Recorded> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/screens");
    let mut all = Vec::new();
    for folder in root.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let (agent, mode) = name.split_once('-').unwrap_or((&name, ""));
        for file in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|extension| extension == "ansi") {
                let stem = file.file_stem().unwrap().to_str().unwrap();
                all.push(Recorded {
                    file: format!("{name}/{stem}"),
                    agent: agent.to_owned(),
                    mode: mode.to_owned(),
                    label: stem.split_once("--").unwrap().0.to_owned(),
                    screen: screen(&file),
                });
            }
        }
    }
    all.sort_by(|a, b| a.file.cmp(&b.file));
    all
}

fn screen(file: &Path) -> Screen {
    let text = std::fs::read_to_string(file).unwrap();
    let meta = std::fs::read_to_string(file.with_extension("json")).unwrap();
    let meta: serde_json::Value = serde_json::from_str(&meta).unwrap();
    let title = meta["title"].as_str().unwrap();
    let number = |at: usize| usize::try_from(meta["cursor"][at].as_u64().unwrap()).unwrap();
    Screen {
        // The title of a new pane is the host's name: the agent has set none.
        title: if meta["host"].as_str() == Some(title) { String::new() } else { title.to_owned() },
        cursor_column: number(0),
        cursor_row: number(1),
        cursor_hidden: !meta["cursor_visible"].as_bool().unwrap(),
        alternate: meta["alternate_on"].as_bool().unwrap(),
        columns: usize::try_from(meta["cols"].as_u64().unwrap()).unwrap(),
        ..Screen::from_ansi(&text)
    }
}

/// `error` is `idle` after a turn that failed.
fn is_right(label: &str, reading: &Reading) -> bool {
    let state = reading.state.word();
    state == label || (label == "error" && state == "idle") || (label == "starting" && state == "unknown")
}

#[test]
fn recorded_screens_are_read_rightly() {
    let profiles = Profiles::builtin();
    let (mut right, mut wrong, mut false_idle) = (0, Vec::new(), Vec::new());
    for recorded in recorded().into_iter().filter(|recorded| recorded.label != "exited") {
        let reading = read(&profiles.get(&recorded.agent).unwrap(), &recorded.screen);
        let row = format!("{}: {} by {:?}", recorded.file, reading.state, reading.rule);
        if is_right(&recorded.label, &reading) {
            right += 1;
            continue;
        }
        // With TMUX set, Claude Code's title says nothing; agentmux always unsets it.
        let sees_title = recorded.agent != "claude" || recorded.mode == "notmux";
        if reading.state.word() == "idle" && sees_title {
            false_idle.push(row.clone());
        }
        wrong.push(row);
    }
    let report = format!("{right} right, {} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(false_idle.is_empty(), "taken for idle:\n{}\n{report}", false_idle.join("\n"));
    assert!(right * 100 >= (right + wrong.len()) * 97, "{report}");
    println!("{report}");
}

/// Seen on a busy machine only: warnings come at any moment.
#[test]
fn gemini_s_box_below_warnings_alone_is_a_start() {
    let profile = Profiles::builtin().get("gemini").unwrap();
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/screens/gemini/starting--box.120x40.ansi");
    let (early, text) = (screen(&file), std::fs::read_to_string(&file).unwrap());
    let below = |above: &str| {
        let cursor_row = early.cursor_row + above.lines().count();
        let (title, columns) = (early.title.clone(), early.columns);
        let screen = Screen {
            title,
            columns,
            cursor_row,
            cursor_hidden: true,
            ..Screen::from_ansi(&format!("{above}{text}"))
        };
        read(&profile, &screen).state.word()
    };
    assert_eq!(below(""), "starting");
    let warning =
        "⚠  Warning: True color (24-bit) support not detected. Using a terminal\n   visual experience.\n";
    assert_eq!(below(warning), "starting");
    assert_eq!(below(&format!("{warning} ▝▜▄     Gemini CLI v0.61.0\n")), "idle");
    assert_eq!(below("  the end of a long reply\n      and of its code\n"), "idle");
    assert_eq!(below("ℹ Skipping project agents due to untrusted folder.\n"), "idle");
}
