//! What an agent says of its last turn in rows of its own, right above the input box: an error, an interruption, a limit,
//! a missing login.
//!
//! A reply may quote such rows. So nothing of the agent's may follow them (a reply's last row, the row that tells how
//! long it took, another prompt), and the patterns of a profile begin with marks that a reply's rows do not have.

use crate::profile::{Ending, Means, Profile};
use crate::reading::{input_begins, rows_below};
use crate::screen::{Row, Screen};

/// So many rows above the box are looked at: these notices are short.
const MOST_ROWS: usize = 12;

/// The longest text of a notice that is kept, in characters.
const MOST_TEXT: usize = 500;

/// What the agent says of its last turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The ending of the profile.
    pub(crate) name: String,
    pub(crate) means: Means,
    /// The agent's words.
    pub(crate) message: String,
    /// When a limit ends, in the agent's words.
    pub(crate) reset: Option<String>,
    /// The agent goes on by itself then.
    pub(crate) resumes: bool,
}

impl Notice {
    /// Whether it is the same notice, whatever else stands around it.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        (&self.name, &self.message) == (&other.name, &other.message)
    }
}

/// Finds the notice that stands above the box, if one does, and its first row.
pub(crate) fn find(profile: &Profile, screen: &Screen) -> Option<(Notice, usize)> {
    if profile.endings.is_empty() {
        return None;
    }
    let end = input_begins(profile, screen)?.min(screen.rows.len());
    let rows = &screen.rows[..end];
    let candidates = (0..rows.len()).rev().filter(|at| !rows[*at].is_blank()).take(MOST_ROWS);
    for at in candidates {
        if let Some((ending, text)) = profile.endings.iter().find_map(|ending| begun(ending, rows, at)) {
            let notice = notice(profile, ending, &text, &rows[at + 1..], rows_below(profile, screen))?;
            return Some((notice, at));
        }
        if is_echo(profile, &rows[at]) {
            return None;
        }
    }
    None
}

/// The text of a notice that begins with this row, with the rows that it wraps into; `None` where it is another one.
fn begun<'a>(ending: &'a Ending, rows: &[Row], at: usize) -> Option<(&'a Ending, String)> {
    let further = rows[at + 1..].iter().take_while(|row| !row.is_blank() && !is_own(ending, row));
    let text: Vec<_> = std::iter::once(rows[at].text()).chain(further.map(|row| row.text().trim())).collect();
    let text = text.join(" ");
    let (first, whole) = (ending.matches.is_match(rows[at].text()), ending.matches.is_match(&text));
    (first || whole).then(|| (ending, if whole { text } else { rows[at].text().to_owned() }))
}

fn notice(profile: &Profile, ending: &Ending, text: &str, after: &[Row], below: &[Row]) -> Option<Notice> {
    if after.iter().any(|row| !is_own(ending, row) && begins_something(profile, row)) {
        return None;
    }
    let groups = ending.matches.captures(text)?;
    let group = |name: &str| Some(groups.name(name)?.as_str().trim().to_owned());
    let says_so = |row: &Row| ending.resumes.as_ref().is_some_and(|resumes| resumes.is_match(row.text()));
    Some(Notice {
        name: ending.name.clone(),
        means: ending.means,
        message: group("message").unwrap_or_else(|| text.trim().to_owned()).chars().take(MOST_TEXT).collect(),
        reset: group("reset").filter(|reset| !reset.is_empty()),
        resumes: after.iter().chain(below).any(says_so),
    })
}

/// A further row that the agent may print after such an ending.
fn is_own(ending: &Ending, row: &Row) -> bool {
    ending.then.as_ref().is_some_and(|then| then.is_match(row.text()))
}

/// True where a row begins something that came after the notice.
fn begins_something(profile: &Profile, row: &Row) -> bool {
    let marks = &profile.reply;
    let is_marked = marks.marker.as_ref().is_some_and(|marker| marker.is_match(row.text()));
    is_marked || is_echo(profile, row) || marks.drop.iter().any(|drop| drop.is_match(row.text()))
}

fn is_echo(profile: &Profile, row: &Row) -> bool {
    profile.reply.echo.as_ref().is_some_and(|echo| echo.is_match(row.text()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    const BOX: &str = "────────────\n❯\u{a0}\n────────────\n";

    fn claude(rows: &str, below: &str) -> Option<Notice> {
        let screen = Screen::from_ansi(&format!("❯ hi\n{rows}\n\n{BOX}{below}"));
        find(&Profiles::builtin().get("claude").unwrap(), &screen).map(|(notice, _)| notice)
    }

    fn codex(rows: &str) -> Option<Notice> {
        let status = "  gpt-5 default · /home/dev/project\n  ? for shortcuts";
        let screen = Screen::from_ansi(&format!("› hi\n\n{rows}\n\n› Ask Codex to do anything\n\n{status}"));
        find(&Profiles::builtin().get("codex").unwrap(), &screen).map(|(notice, _)| notice)
    }

    fn demo(rows: &str) -> Option<Notice> {
        let screen = Screen::from_ansi(&format!("❯ hi\n\n{rows}\n\n────────────\n❯ \n────────────\n  ready"));
        find(&Profiles::builtin().get("demo").unwrap(), &screen).map(|(notice, _)| notice)
    }

    /// What it means, the agent's words, when it ends, whether it goes on by itself.
    fn told(notice: Option<Notice>) -> Option<(Means, String, Option<String>, bool)> {
        notice.map(|found| (found.means, found.message, found.reset, found.resumes))
    }

    // Rows as Claude Code 2.1.330 printed them.
    #[test]
    fn claude_tells_limits_logins_errors_and_interruptions() {
        let limit = "  ⎿  You've hit your 5-hour limit · resets 2:31am (Europe/Berlin)";
        let waits = "\n\n● Usage limit reached · set to continue automatically at 2:31am";
        let footer = "  ⚠ Usage limit reached · limit resets 2:31am\n    Continuing automatically at 2:31am · Esc to cancel\n  ⏸ manual";
        let message = "You've hit your 5-hour limit · resets 2:31am (Europe/Berlin)".to_owned();
        let reset = Some("2:31am (Europe/Berlin)".to_owned());
        assert_eq!(
            told(claude(&format!("{limit}{waits}"), footer)),
            Some((Means::Limit, message.clone(), reset.clone(), true))
        );
        let menu = "\n     /upgrade or /usage-credits to finish what you’re working on.";
        let cancelled = "\n\n● Automatic continue cancelled · /rate-limit-options to wait again";
        assert_eq!(
            told(claude(&format!("{limit}{menu}{waits}{cancelled}"), "  ⏸ manual mode on")),
            Some((Means::Limit, message, reset, false))
        );
        let right = " ".repeat(100) + "◐ medium · /effort";
        for (rows, means, message) in [
            (
                "  ⎿  Not logged in · Please run /login".to_owned(),
                Means::Login,
                "Not logged in · Please run /login",
            ),
            (
                format!("  ⎿  Not logged in · Please run /login\n\n{right}"),
                Means::Login,
                "Not logged in · Please run /login",
            ),
            (
                "● Please run /login · API Error: 401 OAuth token has expired. Please obtain a\n  token.".into(),
                Means::Login,
                "Please run /login · API Error: 401 OAuth token has expired. Please obtain a token.",
            ),
            ("● API Error: 400 mock error 400".into(), Means::Error, "API Error: 400 mock error 400"),
            (
                "● API Error: Request rejected (429) · This request would exceed your account's rate limit. Please try again\n  later.".into(),
                Means::Error,
                "API Error: Request rejected (429) · This request would exceed your account's rate limit. Please try again later.",
            ),
            (
                "● word0 word1\n  ⎿  Interrupted · What should Claude do instead?".into(),
                Means::Interrupted,
                "Interrupted · What should Claude do instead?",
            ),
        ] {
            let found = claude(&rows, "  ⏸ manual mode on").unwrap_or_else(|| panic!("{rows}"));
            assert_eq!((found.means, found.message.as_str()), (means, message));
        }
    }

    #[test]
    fn a_reply_that_quotes_a_notice_is_a_reply() {
        for rows in [
            "● It says:\n  ⎿  You've hit your 5-hour limit · resets 2:31am\n\n✻ Worked for 3s · done 1:30 AM",
            "● API Error: 400 is what you saw.\n\n✻ Worked for 3s · done 1:30 AM",
            "● You've hit your usage limit · resets 3pm",
            "  ⎿  Not logged in · Please run /login\n\n● PONG",
            "  ⎿  Not logged in · Please run /login\n\n❯ next",
        ] {
            assert_eq!(claude(rows, "  ⏸ manual mode on"), None, "{rows}");
        }
        assert_eq!(
            codex("■ You've hit your usage limit.\n\n› next\n\n• PONG\n\n  Worked for <1s • 00:39"),
            None
        );
        assert_eq!(codex("• ok\n  ■ You've hit your usage limit. Try again at 3 PM."), None);
        assert_eq!(demo("● It said:\n  ■ Usage limit reached · resets in 5 s"), None);
    }

    // Rows as Codex 0.169.0 printed them.
    #[test]
    fn codex_tells_limits_logins_errors_and_interruptions() {
        let limit = "■ You’ve hit your usage limit. Upgrade to Pro (https://chatgpt.com/explore/pro), visit\nhttps://chatgpt.com/settings/usage to purchase more credits or try again at 12:33 AM.";
        let found = codex(limit).unwrap();
        assert_eq!((found.means, found.reset.as_deref()), (Means::Limit, Some("12:33 AM")));
        assert!(
            found.message.starts_with("You’ve hit your usage limit.") && found.message.ends_with("12:33 AM.")
        );
        for (rows, means) in [
            ("■ You've hit your usage limit. Try again later.", Means::Limit),
            (
                "■ unexpected status 401 Unauthorized: OAuth token has expired.\ntoken., url: http://x",
                Means::Login,
            ),
            ("■ Your access token could not be refreshed. Please log out and sign in again.", Means::Login),
            ("■ {\"type\": \"error\", \"message\": \"mock error\n400\"}}", Means::Error),
            ("■ Missing environment variable: `MOCK_KEY`.", Means::Login),
            ("■ Conversation interrupted - use /feedback if something went wrong", Means::Interrupted),
        ] {
            assert_eq!(codex(rows).map(|found| found.means), Some(means), "{rows}");
        }
    }

    #[test]
    fn the_demo_agent_tells_them_too() {
        for (rows, means, reset) in [
            ("■ Usage limit reached · resets in 5 s", Means::Limit, Some("in 5 s")),
            ("■ Usage limit reached", Means::Limit, None),
            ("■ Not logged in · run /login", Means::Login, None),
            ("■ API error: 500 overloaded", Means::Error, None),
            ("■ Interrupted", Means::Interrupted, None),
        ] {
            let found = demo(rows).unwrap_or_else(|| panic!("{rows}"));
            assert_eq!((found.means, found.reset.as_deref()), (means, reset), "{rows}");
        }
    }
}
