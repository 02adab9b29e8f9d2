//! Whatever a screen shows or a hook sends, the judgements of every built-in profile come to an end without a panic.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use tokio::time::Instant;

use crate::profile::{Profile, Profiles};
use crate::screen::Screen;
use crate::{notice, question, reading, reply, signals};

fn profiles() -> Vec<Arc<Profile>> {
    let known = Profiles::builtin();
    known.names().iter().filter_map(|name| known.get(name)).collect()
}

/// Rows that agents have shown, some of each.
fn recorded_rows() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/screens");
    let folders = root.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let files = folders.filter(|path| path.is_dir()).flat_map(|folder| {
        let files = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            files.filter(|file| file.extension().is_some_and(|end| end == "ansi")).collect();
        files.sort();
        files.into_iter().step_by(9)
    });
    let texts = files.map(|file| std::fs::read_to_string(file).unwrap());
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Rows of all agents in any order, cut anywhere, among rows of anything, with the cursor and the history anywhere.
fn screens() -> impl Strategy<Value = Screen> {
    let recorded = (select(recorded_rows()), 0..300_usize)
        .prop_map(|(row, length)| row.chars().take(length).collect::<String>());
    let row = prop_oneof![8 => recorded, 1 => ".{0,80}", 1 => "[ │┃>❯›●?─╭╰0-9.)(a-z]{0,60}"];
    let rows = proptest::collection::vec(row, 0..50);
    let places = (0..60_usize, 0..200_usize, 0..60_usize, any::<bool>());
    (rows, places, ".{0,20}").prop_map(|(rows, (cursor_row, cursor_column, scrolled_out, hidden), title)| {
        let mut screen = Screen::from_ansi(&rows.join("\n"));
        (screen.cursor_row, screen.cursor_column, screen.cursor_hidden) = (cursor_row, cursor_column, hidden);
        screen.scrolled_out = scrolled_out.min(screen.rows.len());
        Screen { title, ..screen }
    })
}

/// Payloads with the keys that hooks use, and anything below them.
fn payloads() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        "[a-z_]{1,8}",
        select(vec![
            "hook_event_name",
            "prompt",
            "type",
            "usage",
            "properties",
            "transcript_path",
            "info",
            "tokens",
            "status",
            "0",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::hash_map(key.clone(), inner, 0..8).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_screen_is_read(profile in select(profiles()), screen in screens(), prompt in ".{0,40}") {
        reading::read(&profile, &screen);
        reading::explain(&profile, &screen);
        if let Some(question) = question::find(&profile, &screen) {
            prop_assert!(question.selected().is_none_or(|at| at < question.options.len()));
        }
        let end = notice::find(&profile, &screen).map_or(screen.rows.len(), |(_, row)| row);
        reply::traces(&profile, &screen, &prompt);
        reply::traces_above(&profile, &screen, &prompt, end);
    }

    #[test]
    fn any_payload_of_a_hook_is_read(profile in select(profiles()), payload in payloads()) {
        let tables = profile.signals.iter();
        for (table, event) in tables.flat_map(|table| table.events.iter().map(move |event| (table, event))) {
            signals::read(table, None, &payload, Instant::now());
            signals::read(table, Some(&event.name), &payload, Instant::now());
        }
    }
}
