//! What is on the screen below the transcript: a spinner, the input box or a question, a status row.

use std::time::Duration;

use super::dialog::Dialog;
use super::job;
use super::text::{block, clip, columns};

/// What is to be shown.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) work: Option<Work<'a>>,
    pub(super) queued: Vec<String>,
    pub(super) body: Body<'a>,
    pub(super) has_title: bool,
    /// Whether the state is announced by OSC 7501.
    pub(super) announces: bool,
}

/// Work that shows.
#[derive(Debug)]
pub(super) struct Work<'a> {
    /// How long it has lasted.
    pub(super) time: Duration,
    /// Whether it is an attempt after an error.
    pub(super) retries: bool,
    /// The line of the reply that is being written, and whether it is the first.
    pub(super) line: Option<(bool, &'a str)>,
}

/// What stands at the bottom.
#[derive(Debug)]
pub(super) enum Body<'a> {
    Nothing,
    Dialog(&'a Dialog),
    Box { draft: String, suggestion: Option<&'a str>, status: String },
}

/// Rows to paint, none wider than the terminal, and where the cursor is in them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Frame {
    pub(super) rows: Vec<String>,
    pub(super) cursor: (usize, usize),
    pub(super) title: String,
    /// What is announced of the state by OSC 7501; empty where nothing is.
    pub(super) announced: &'static str,
    /// Whether pastes are asked for in brackets: not before the program takes input.
    pub(super) takes_input: bool,
}

/// Lays a view out on a terminal.
pub(super) fn frame(view: &View<'_>, width: usize, height: usize) -> Frame {
    let mut rows = match &view.body {
        Body::Nothing => Vec::new(),
        _ => above(view, width),
    };
    let bottom = match &view.body {
        Body::Nothing => (Vec::new(), (0, 0)),
        Body::Dialog(dialog) => question(dialog, width),
        Body::Box { draft, suggestion, status } => {
            let room = height.saturating_sub(rows.len() + 3);
            input_box(draft, *suggestion, status, width, room)
        }
    };
    let (below, (row, column)) = bottom;
    let cursor = (rows.len() + row, column.min(width.saturating_sub(1)));
    rows.extend(below);
    let hidden = rows.len().saturating_sub(height);
    Frame {
        rows: rows.split_off(hidden),
        cursor: (cursor.0.saturating_sub(hidden), cursor.1),
        title: title(view),
        announced: announcement(view),
        takes_input: !matches!(view.body, Body::Nothing),
    }
}

/// The rows between the transcript and the box.
fn above(view: &View<'_>, width: usize) -> Vec<String> {
    let mut rows = Vec::new();
    if let Some(work) = &view.work {
        if let Some((is_first, line)) = work.line {
            if is_first {
                rows.push(String::new());
            }
            rows.extend(block(if is_first { "● " } else { "  " }, line, width));
        }
        let seconds = work.time.as_secs();
        rows.push(String::new());
        let what = if work.retries { "Retrying" } else { "Working" };
        rows.push(format!("{} {what}… ({seconds}s · esc to interrupt)", job::spinner(work.time)));
    }
    if !view.queued.is_empty() {
        rows.push(String::new());
        rows.extend(view.queued.iter().map(|text| clip(&format!("  Queued: {text}"), width)));
    }
    rows.push(String::new());
    rows
}

fn input_box(
    draft: &str,
    suggestion: Option<&str>,
    status: &str,
    width: usize,
    room: usize,
) -> (Vec<String>, (usize, usize)) {
    let mut text = block("❯ ", draft, width);
    // The end of the draft is where the cursor is.
    let mut text = text.split_off(text.len().saturating_sub(room.max(1)));
    let cursor = (text.len(), text.last().map_or(0, |row| columns(row)));
    if let (Some(words), true) = (suggestion, draft.is_empty()) {
        text = vec![format!("❯ \x1b[2m{}\x1b[22m", clip(words, width.saturating_sub(2)))];
    }
    let mut rows = vec![rule(width)];
    rows.extend(text);
    rows.push(rule(width));
    rows.push(clip(&format!("  {status}"), width));
    (rows, cursor)
}

fn question(dialog: &Dialog, width: usize) -> (Vec<String>, (usize, usize)) {
    let mut rows = vec![rule(width)];
    rows.extend(dialog.text.iter().map(|line| clip(line, width)));
    rows.push(String::new());
    let (options, selected) = dialog.rows();
    let cursor = (rows.len() + selected, 0);
    if !options.is_empty() {
        rows.extend(options.iter().map(|row| clip(row, width)));
        rows.push(String::new());
    }
    rows.push(clip(dialog.footer, width));
    (rows, cursor)
}

fn rule(width: usize) -> String {
    "─".repeat(width)
}

/// Half circles while it works; the same star while it is idle and while it asks, as Claude Code has it.
fn title(view: &View<'_>) -> String {
    let mark = match (&view.body, &view.work) {
        _ if !view.has_title => return String::new(),
        (Body::Nothing, _) => return String::new(),
        (_, Some(work)) if (work.time.as_millis() / 500).is_multiple_of(2) => '◐',
        (_, Some(_)) => '◑',
        (_, None) => '✳',
    };
    format!("{mark} demo")
}

/// The words of Codex.
fn announcement(view: &View<'_>) -> &'static str {
    match (&view.body, &view.work) {
        _ if !view.announces => "",
        (Body::Nothing, _) => "",
        (Body::Dialog(_), _) => "state=blocked:kind=permission",
        (_, Some(_)) => "state=working",
        (_, None) => "state=idle",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::dialog::Asked;

    fn boxed(draft: &str, suggestion: Option<&'static str>) -> View<'static> {
        let body = Body::Box { draft: draft.to_owned(), suggestion, status: "ready".to_owned() };
        View { work: None, queued: Vec::new(), body, has_title: true, announces: false }
    }

    #[test]
    fn an_idle_box_is_two_rules_and_a_mark() {
        let frame = frame(&boxed("", None), 6, 20);
        assert_eq!(frame.rows, ["", "──────", "❯ ", "──────", "  read"]);
        assert_eq!((frame.cursor, frame.title.as_str()), ((2, 2), "✳ demo"));
    }

    #[test]
    fn a_suggestion_is_faint_and_gone_with_the_first_letter() {
        assert_eq!(frame(&boxed("", Some("try it")), 20, 20).rows[2], "❯ \x1b[2mtry it\x1b[22m");
        let typed = frame(&boxed("x", Some("try it")), 20, 20);
        assert_eq!((typed.rows[2].as_str(), typed.cursor), ("❯ x", (2, 3)));
    }

    #[test]
    fn a_long_draft_shows_its_end_and_fits() {
        let frame = frame(&boxed("1\n2\n3\n4\n5\n6\n7\n8\n9", None), 20, 8);
        assert_eq!(frame.rows[2..], ["  6", "  7", "  8", "  9", &rule(20), "  ready"]);
        assert_eq!((frame.rows.len(), frame.cursor), (8, (5, 3)));
    }

    #[test]
    fn work_shows_above_the_box_and_in_the_title() {
        let work =
            Work { time: Duration::from_millis(2600), retries: false, line: Some((true, "word0 word1")) };
        let view = View { work: Some(work), queued: vec!["next".to_owned()], ..boxed("", None) };
        let frame = frame(&view, 60, 20);
        let wanted =
            ["", "● word0 word1", "", "✢ Working… (2s · esc to interrupt)", "", "  Queued: next", ""];
        assert_eq!(frame.rows[1], wanted[1]);
        assert!(frame.rows[3].ends_with("Working… (2s · esc to interrupt)"));
        assert_eq!((&frame.rows[4..7], frame.title.as_str()), (&wanted.map(str::to_owned)[4..], "◑ demo"));
    }

    #[test]
    fn a_question_replaces_the_box() {
        let dialog = Dialog::asked(Asked::Permission);
        let view = View { body: Body::Dialog(&dialog), ..boxed("", None) };
        let frame = frame(&view, 30, 20);
        assert_eq!(
            frame.rows[2..],
            ["Do you want to proceed?", "", "❯ 1. Yes", "  2. No", "", "Esc to cancel"]
        );
        assert_eq!((frame.cursor, frame.title.as_str()), ((4, 0), "✳ demo"));
    }
}
