//! The documentation, as its reader would follow it: each block of commands of each page is run as it is written, in a fresh
//! home, and what a page shows of an output is what comes.
//!
//! `claude` and `codex` are the demo agent in that home; `with:claude` marks the blocks that are for the real one.

mod desk;
mod likeness;
mod links;
mod page;

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::json;

use crate::harness::{Client, Setup};
pub(crate) use desk::home;

use desk::Desk;
use page::{Block, Page, Use, repository};

/// Why a block may be left out, and by which words in it one sees that it is so.
const REASONS: [(&str, &str, &str); 6] = [
    ("ci", "", "`.ci/run` runs these very lines, on a machine of its own"),
    ("installs", "install|^sudo |cargo-deb", "it changes the machine that it is run on"),
    ("macos", "launchctl|brew", "it needs macOS"),
    ("systemd", "systemctl", "it needs systemd, and a session of its user's"),
    ("machine", "ssh", "it needs another machine"),
    ("long", "just bench", "it measures for minutes"),
];

/// Each page a test.
macro_rules! pages {
    ($($test:ident: $file:literal, $follow:expr;)*) => {
        const PAGES: &[&str] = &[$($file),*];
        $(#[test] fn $test() { ($follow)(&Page::open($file)); })*
    };
}

pages! {
    the_readme_works_as_it_is_written: "README.md", follow;
    the_api_works_as_it_is_written: "docs/api.md", follow_the_api;
    the_client_works_as_it_is_written: "docs/client.md", follow;
    it_is_left_running_as_it_is_written: "docs/deployment.md", follow;
    it_is_configured_as_it_is_written: "docs/configuration.md", follow_with_a_project;
    one_comes_from_python_as_it_is_written: "docs/migrating.md", follow_with_a_project;
    profiles_are_made_as_it_is_written: "docs/profiles.md", follow_with_a_session;
    the_tour_shows_what_is_seen: "docs/tour.md", follow;
    packages_are_made_as_it_is_written: "docs/packages.md", follow;
    performance_is_measured_as_it_is_written: "docs/performance.md", follow;
}

/// A page that starts all that it needs.
fn follow(page: &Page) {
    Desk::new().follow(page, None, |_, _| {});
}

/// The blocks of a page that are for this agent, in this home.
pub(crate) fn follow_in(setup: Setup, page: &str, agent: Option<&str>) {
    Desk::in_home(setup).follow(&Page::open(page), agent, |_, _| {});
}

/// A page for whom a daemon runs, which has a session.
fn follow_with_a_session(page: &Page) {
    let mut desk = Desk::new();
    desk.start_daemon();
    desk.follow(page, None, |desk, _| have_session(&desk.client()));
}

/// A page for readers who have a folder with their work.
fn follow_with_a_project(page: &Page) {
    let setup = home();
    std::fs::create_dir(setup.file("project")).unwrap();
    Desk::with_agents(setup).follow(page, None, |_, _| {});
}

/// The page says what its lines are about: a session named `demo`, a turn.
fn follow_the_api(page: &Page) {
    let mut desk = Desk::new();
    desk.start_daemon();
    desk.follow(page, None, |desk, block| {
        let client = desk.client();
        if block.text.contains(r#""name":"demo""#) {
            client.delete("/sessions/demo");
        } else {
            have_session(&client);
        }
        let ask = |text: &str| {
            let turn = client.post("/sessions/demo/turns", json!({"text": text, "wait": 60}));
            turn.json()["id"].as_str().unwrap().to_owned()
        };
        if block.text.contains("/answer") {
            ask("ASK");
        }
        if block.text.contains("$ID") {
            desk.command(&format!("ID={}", ask("PONG")), true);
        }
        if block.text.contains("$SECRET") {
            let id = client.get("/sessions/demo").ok()["id"].clone();
            desk.command(&format!("SECRET={}", desk.secret(id.as_str().unwrap())), true);
        }
    });
}

/// Sees that the session `demo` is there, and ready.
fn have_session(client: &Client) {
    if client.get("/sessions/demo/wait?until=idle&wait=60").json()["state"] != "idle" {
        client.delete("/sessions/demo");
        client.post("/sessions", json!({"name": "demo", "wait": 60})).with(201);
    }
}

/// The pages of the documentation.
fn pages() -> Vec<String> {
    let in_folder = |folder: &str| {
        let listed = std::fs::read_dir(repository().join(folder)).unwrap();
        let names = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".md")).map(|name| format!("{folder}/{name}")).collect::<Vec<_>>()
    };
    [vec!["README.md".to_owned()], in_folder("docs"), in_folder("docs/decisions")].concat()
}

#[test]
fn each_page_with_commands_is_followed() {
    for name in pages() {
        let has_commands = Page::open(&name).blocks.iter().any(|block| matches!(block.use_, Use::Run(..)));
        assert!(!has_commands || PAGES.contains(&name.as_str()), "{name} is followed by no test");
    }
}

#[test]
fn what_a_page_points_at_is_there() {
    for name in pages() {
        assert_eq!(links::dead(&name), [""; 0], "{name} points at what is not there");
    }
}

#[test]
fn what_is_not_run_has_a_reason_that_one_sees() {
    let mut unused: BTreeSet<_> = REASONS.iter().map(|(reason, ..)| *reason).collect();
    for name in pages() {
        for Block { at, use_, text, .. } in Page::open(&name).blocks {
            let Use::NotRun(given) = use_ else { continue };
            let known = REASONS.iter().find(|(reason, ..)| *reason == given);
            let (reason, signs, why) = known.unwrap_or_else(|| panic!("{name}:{at}: '{given}' is no reason"));
            let signs = Regex::new(&format!("(?m){signs}")).unwrap();
            assert!(signs.is_match(&text), "{name}:{at}: one does not see that {why}");
            unused.remove(reason);
            if *reason == "ci" {
                is_run_by_ci(&name, &text);
            }
        }
    }
    assert!(unused.is_empty(), "nothing is left out for {unused:?}");
}

#[track_caller]
fn is_run_by_ci(page: &str, text: &str) {
    let ci = std::fs::read_to_string(repository().join(".ci/run")).unwrap();
    for line in text.lines() {
        let command = line.split('#').next().unwrap().trim();
        let is_run = ci.lines().any(|line| line.trim().trim_start_matches("exec ") == command);
        assert!(is_run, "{page}: .ci/run does not run '{command}'");
    }
}
