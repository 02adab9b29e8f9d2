//! Whether an output is the one that a page shows: what differs from run to run stands for its kind, and `...` for anything.

use std::sync::LazyLock;

use regex::Regex;

/// What differs from run to run, and what it becomes on both sides.
static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\b([ts])-[0-9a-f]{32}\b", "$1-ID"),
        (r"\b\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)", "TIME"),
        (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b", "TIME"),
        (r"\b\d\d:\d\d\b", "TIME"),
        (r"-\d{8}_\d{6}-[0-9a-f]{6}\b", "-NAME"),
        (r"\bamx_[A-Za-z0-9_-]{20,}", "TOKEN"),
        (r"(127\.0\.0\.1|localhost):\d+", "$1:PORT"),
        (r#"("port": ?)\d+"#, "${1}PORT"),
        (r"\bv?\d+(\.\d+)+[a-z]?\b", "NUMBER"),
        (r"\b(\d+ min )?\d+(\.\d+)? ?(ms|s)\b", "SECONDS"),
        ("─{3,}", "───"),
        // Columns are as wide as what is in them.
        (" {2,}", "  "),
        (r"(?m)[ \u{a0}]+$", ""),
    ]
    .map(|(pattern, kind)| (Regex::new(pattern).unwrap(), kind))
    .into()
});

fn masked(text: &str) -> String {
    MASKS
        .iter()
        .fold(text.trim_end().to_owned(), |text, (what, kind)| what.replace_all(&text, *kind).into_owned())
}

/// Whether this was seen where that is shown.
pub(crate) fn is_like(shown: &str, seen: &str) -> bool {
    let (shown, seen) = (masked(shown), masked(seen));
    let patterns = shown.lines().map(|line| match line.trim() {
        "..." => "(?:.*\n)*?".to_owned(),
        _ => line.split("...").map(regex::escape).collect::<Vec<_>>().join(".*") + "\n",
    });
    let pattern = format!("^{}$", patterns.collect::<String>());
    let seen = seen.lines().map(|line| format!("{line}\n")).collect::<String>();
    Regex::new(&pattern).unwrap().is_match(&seen)
}

#[test]
fn only_what_differs_from_run_to_run_may_differ() {
    for (shown, seen, like) in [
        ("done", "done\n", true),
        ("done", "done\ndone", false),
        ("done", "", false),
        (
            "a t-01990000000000000000000000000000 at 2026-11-24T09:00:00Z",
            "a t-01990000000000000000000000000001 at 2026-11-25T10:00:00.5Z",
            true,
        ),
        ("a t-01990000000000000000000000000000", "a t-0199", false),
        ("x  agentmux-20261124_090000-0a1b2c   idle", "x  agentmux-20261124_090001-0a1b2d  idle", true),
        ("x  agentmux-20261124_090000-0a1b2c   idle", "x  agentmux-20261124_090001-0a1b2d  busy", false),
        ("http://127.0.0.1:8765", "http://127.0.0.1:40001", true),
        ("first\n...\nlast", "first\na\nb\nlast", true),
        ("first\n...\nlast", "first\nlast", true),
        ("first\n...", "last", false),
        ("ok  tmux ...", "ok  tmux 3.4, /usr/bin/tmux", true),
        ("ok  tmux ...", "fail  tmux", false),
    ] {
        assert_eq!(is_like(shown, seen), like, "{shown:?} {seen:?}");
    }
}
