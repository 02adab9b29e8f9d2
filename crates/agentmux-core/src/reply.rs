//! Finding a prompt's echo, and the reply below it, among the rows of a conversation.

use crate::profile::{Attachments, Profile, ReplyMarks};
use crate::reading::input_begins;
use crate::screen::{Row, Screen};

/// The longest reply that is kept, in bytes; of a longer one the end.
const MAX_REPLY: usize = 1024 * 1024;

/// What of a prompt is to be seen in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Traces {
    /// How often the prompt was echoed.
    pub(crate) echoes: usize,
    /// What stands below the last echo, cleaned, and empty where nothing does; `None` where no echo is to be seen: then
    /// nobody knows where the reply begins.
    pub(crate) reply: Option<String>,
}

/// Looks for the traces of a prompt.
pub(crate) fn traces(profile: &Profile, screen: &Screen, prompt: &str) -> Traces {
    let end = input_begins(profile, screen).unwrap_or(screen.rows.len());
    traces_above(profile, screen, prompt, end)
}

/// Looks for them above a row.
pub(crate) fn traces_above(profile: &Profile, screen: &Screen, prompt: &str, end: usize) -> Traces {
    let rows = &screen.rows[..end.min(screen.rows.len())];
    let filed = Filed::of(profile, prompt);
    let (mut echoes, mut last_end, mut at) = (0, None, 0);
    while at < rows.len() {
        let length = echo_end(profile, &rows[at..], prompt);
        let without_files = || filed.as_ref()?.echo_end(&profile.reply, &rows[at..]);
        match length.or_else(without_files) {
            // A row within an echo may begin as the prompt does, and is no further echo.
            Some(length) => {
                at += length;
                (echoes, last_end) = (echoes + 1, Some(at));
            }
            None => at += 1,
        }
    }
    Traces { echoes, reply: last_end.map(|end| clean(profile, &rows[end..])) }
}

/// How many of the first rows are the echo of the prompt; `None` where no echo begins here.
///
/// Agents wrap and indent an echo, show it as Markdown (`- x` as `• x`, no backticks), and may cut off a long one: only
/// letters and digits count where there are any, and the first row decides.
fn echo_end(profile: &Profile, rows: &[Row], prompt: &str) -> Option<usize> {
    let marks = &profile.reply;
    let shown = marks.echo.as_ref()?.captures(rows[0].text())?.name("text")?.as_str();
    let counts = counted(prompt);
    let all: Vec<char> = prompt.chars().filter(|c| counts(*c)).collect();
    let mut left = consume(&all, shown, counts).filter(|left| left.len() < all.len())?;
    let mut end = 1;
    let mut blank = 0;
    for row in &rows[1..] {
        if left.is_empty() {
            break;
        }
        if bare(marks, row.text()).is_empty() {
            blank += 1;
            continue;
        }
        let Some(rest) = consume(left, &bare(marks, row.text()), counts) else { break };
        left = rest;
        end += blank + 1;
        blank = 0;
    }
    Some(end)
}

/// A prompt out of which the agent may have taken files.
struct Filed<'a> {
    attachments: &'a Attachments,
    prompt: &'a str,
    /// How many of its characters count, with the paths of files and without.
    all: usize,
    least: usize,
}

impl<'a> Filed<'a> {
    /// `None` where it names none.
    fn of(profile: &'a Profile, prompt: &'a str) -> Option<Self> {
        let attachments = profile.attachments.as_ref()?;
        let bare = attachments.path.replace_all(prompt, " ");
        let (all, least) = (that_count(prompt, prompt).len(), that_count(prompt, &bare).len());
        (least < all).then_some(Self { attachments, prompt, all, least })
    }

    /// How many of the first rows are the echo of the prompt without these files: all else of it must be there.
    fn echo_end(&self, marks: &ReplyMarks, rows: &[Row]) -> Option<usize> {
        let first = marks.echo.as_ref()?.captures(rows[0].text())?.name("text")?.as_str();
        let (mut shown, mut length) = (String::new(), 0);
        for (at, row) in rows.iter().enumerate() {
            let text = if at == 0 { first.to_owned() } else { bare(marks, row.text()) };
            length += that_count(self.prompt, &self.attachments.without_words(&text)).len();
            shown = shown + &text + "\n";
            let texts =
                (length >= self.least).then(|| self.attachments.text_of(self.prompt, &shown)).flatten();
            let is_same = |(sent, shown): (String, String)| {
                that_count(self.prompt, &sent) == that_count(self.prompt, &shown)
            };
            if texts.is_some_and(is_same) {
                return Some(at + 1);
            }
            if length > self.all {
                break;
            }
        }
        None
    }
}

/// The characters of a text that count in this prompt's echo: letters and digits where the prompt has any.
fn that_count(prompt: &str, text: &str) -> Vec<char> {
    let counts = counted(prompt);
    text.chars().filter(|c| counts(*c)).collect()
}

/// The characters of a prompt that count: letters and digits where there are any.
fn counted(prompt: &str) -> fn(char) -> bool {
    if prompt.contains(char::is_alphanumeric) { char::is_alphanumeric } else { is_visible }
}

/// Takes the characters of `row` that count from the front of `text`; `None` where they differ.
fn consume<'a>(text: &'a [char], row: &str, counts: fn(char) -> bool) -> Option<&'a [char]> {
    let shown: Vec<char> = row.chars().filter(|c| counts(*c)).collect();
    text.strip_prefix(shown.as_slice())
}

fn is_visible(c: char) -> bool {
    !c.is_whitespace()
}

/// The last message among the rows, without the agent's markers, indentation and status rows.
fn clean(profile: &Profile, rows: &[Row]) -> String {
    let marks = &profile.reply;
    let is_message = |row: &Row| marks.marker.as_ref().is_some_and(|marker| marker.is_match(row.text()));
    let begin = rows.iter().rposition(is_message).unwrap_or(0);
    let kept = rows[begin..].iter().filter(|row| !marks.drop.iter().any(|drop| drop.is_match(row.text())));
    let lines: Vec<String> = kept.map(|row| bare(marks, unindent(marks, row.text()))).collect();
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let reply = lines[first..].join("\n").trim_end().to_owned();
    tail(reply)
}

fn unindent<'a>(marks: &ReplyMarks, text: &'a str) -> &'a str {
    if let Some(found) = marks.marker.as_ref().and_then(|marker| marker.find(text)) {
        return &text[found.end()..];
    }
    let blanks = text.chars().take_while(|c| *c == ' ').count().min(marks.indent);
    &text[blanks..]
}

/// The row without its frame, and without the blanks that stood before that.
fn bare(marks: &ReplyMarks, text: &str) -> String {
    match &marks.frame {
        Some(frame) => frame.replace_all(text, "").trim_end().to_owned(),
        None => text.to_owned(),
    }
}

pub(crate) fn tail(text: String) -> String {
    let cut = text.len().saturating_sub(MAX_REPLY);
    let cut = (cut..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[cut..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    fn found(echoes: usize, reply: &str) -> Traces {
        Traces { echoes, reply: Some(reply.to_owned()) }
    }

    fn demo(rows: &str, prompt: &str) -> Traces {
        let box_ = "────────────\n❯ \n────────────\n  ready";
        let screen = Screen::from_ansi(&format!("{rows}\n{box_}"));
        traces(&Profiles::builtin().get("demo").unwrap(), &screen, prompt)
    }

    #[test]
    fn a_reply_loses_marker_and_indentation() {
        let traces = demo("❯ old\n\n● old reply\n\n❯ hi\n\n● one\n  two\n    indented\n\n  three\n", "hi");
        assert_eq!(traces, found(1, "one\ntwo\n  indented\n\nthree"));
    }

    #[test]
    fn the_last_of_equal_prompts_counts() {
        assert_eq!(demo("❯ PONG\n\n● 1\n\n❯ PONG\n\n● 2\n", "PONG"), found(2, "2"));
        assert_eq!(demo("❯ PONG\n\n● 1\n\n❯ PONG\n", "PONG"), found(2, ""));
    }

    #[test]
    fn wrapped_and_multi_line_echoes_are_no_reply() {
        let traces = demo(
            "❯ a long prompt that the\n  agent wrapped\n\n  and more\n\n● yes\n",
            "a long prompt that the agent wrapped\n\nand more",
        );
        assert_eq!(traces, found(1, "yes"));
    }

    #[test]
    fn a_row_of_an_echo_that_begins_as_the_prompt_does_is_no_further_echo() {
        let aider = Profiles::builtin().get("aider").unwrap();
        let screen = Screen::from_ansi("> word word word\n> word word end\n\nPONG");
        let traces = traces_above(&aider, &screen, "word word word word word end", screen.rows.len());
        assert_eq!(traces, found(1, "PONG"));
        assert_eq!(demo("❯ one\n❯ one\n\n● x\n", "one"), found(2, "x"));
    }

    #[test]
    fn lines_like_prompts_inside_a_reply_stay() {
        let traces = demo("❯ MD\n\n● # Title\n  ❯ npm test\n  ────────────\n  ● 1. Allow once\n", "MD");
        assert_eq!(traces, found(1, "# Title\n❯ npm test\n────────────\n● 1. Allow once"));
    }

    #[test]
    fn an_echo_that_is_shown_as_markdown_is_found() {
        let traces =
            demo("❯ Title\n  • item code\n  ───\n  done\n\n● yes\n", "# Title\n- item `code`\n---\ndone");
        assert_eq!(traces, found(1, "yes"));
        assert_eq!(demo("❯ ???\n\n● what?\n", "???"), found(1, "what?"));
        assert_eq!(demo("❯ ---\n\n● x\n", "hi").echoes, 0);
    }

    #[test]
    fn a_scroll_bar_is_no_text() {
        let copilot = Profiles::builtin().get("copilot").unwrap();
        let rows = " ❯ one two    10:00 ┃\n   three          ┃\n                  ┃\n ● yes            ┃\n                  ┃\n   no             ┃";
        assert_eq!(traces(&copilot, &Screen::from_ansi(rows), "one two three"), found(1, "yes\n\nno"));
    }

    #[test]
    fn an_echo_without_the_files_that_were_taken_out_is_found() {
        let claude = Profiles::builtin().get("claude").unwrap();
        let found_in = |rows: &str, prompt: &str| {
            let screen = Screen::from_ansi(rows);
            traces_above(&claude, &screen, prompt, screen.rows.len())
        };
        let rows =
            "❯ [Image #1] [Image #2]Look at these:\n  and below\n  ⎿  [Image #1]\n  ⎿  [Image #2]\n\n● yes";
        let prompt = "Look at these:\n/w/a.png\n/w/b.png\nand below";
        assert_eq!(found_in(rows, prompt), found(1, "yes"));
        assert_eq!(found_in("❯ [Image #1]\n  ⎿  [Image #1]\n\n● yes", "/w/a.png"), found(1, "yes"));
        let unanswered = rows.strip_suffix("● yes").unwrap();
        assert_eq!(found_in(unanswered, prompt), found(1, ""));
        for other in ["Look at these:\n/w/a.png\nand below", "Look at these:\n/w/a.png\n/w/b.png\nand above"]
        {
            assert_eq!(found_in(rows, other), Traces::default(), "{other}");
        }
    }

    #[test]
    fn another_prompt_s_echo_is_no_trace() {
        assert_eq!(demo("❯ something else\n\n● x\n", "hi"), Traces::default());
    }
}
