//! The options of `agentmuxd demo-agent`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::dialog::Opening;

/// What `--help` and usage errors show.
pub(super) const USAGE: &str = "\
usage: agentmuxd demo-agent [options]

A small interactive agent: no account, no model. Keywords in a prompt say what it does
(PONG, SLOW s, THINK s, LONG n, MD, ASK, ASKTOOL command, ASKTWICE, ASKCOLOUR, ASKSHIFT, ASKSTRANGE, DIE n, DIEAFTER s n, CRASH, SILENT s, EMPTY, DRAFT text,
ERROR text, RETRY s, RETURNS s, BACKGROUND s, LIMIT s [untold|resumes], LOGOUT). A first ! is no
prompt, nor is a lone /word (/login logs in again); a lone exit ends it.

  --start-silent S    show nothing for S seconds
  --start-delay S     show only a banner for S seconds
  --dialog KIND       ask at start: trust, trust-no-first, login or bypass
  --bypass-permissions  the same as --dialog bypass, by the name of what the question is about
  --prompt-delay S    show the input box S seconds after all of that
  --die-at-start N    say why and exit with status N
  --draft TEXT        text that stands in the box at start
  --placeholder TEXT  a faint suggestion in the empty box
  --swallow-enter S   ignore Enter for S seconds after a paste, or a moved selection
  --ask-over-paste S  S seconds after the first paste ask something over the box, once
  --slow-dialog S     a question takes each key S seconds late; one at the start prints a notice meanwhile
  --late-busy S       show the work on a prompt S seconds late
  --ctx N             show ctx:N% below the box
  --no-title          do not set the terminal's title
  --osc               announce the state by OSC 7501, as Codex does
  --hooks COMMAND     run this on events, as Claude Code runs hooks
  --hooks-mute EVENT  but not on this one (SessionStart, UserPromptSubmit, PermissionRequest, Stop)
  --line              a plain line-mode program instead
  --log FILE          append what happens as lines of JSON
";

/// How the demo agent behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) start_silent: Duration,
    pub(super) start_delay: Duration,
    pub(super) dialog: Option<Opening>,
    pub(super) prompt_delay: Duration,
    pub(super) die_at_start: Option<u8>,
    pub(super) draft: Option<String>,
    pub(super) placeholder: Option<String>,
    pub(super) swallow_enter: Duration,
    pub(super) ask_over_paste: Option<Duration>,
    pub(super) slow_dialog: Duration,
    pub(super) late_busy: Duration,
    pub(super) ctx: Option<u8>,
    pub(super) title: bool,
    pub(super) osc: bool,
    pub(super) hooks: Option<String>,
    pub(super) hooks_mute: Option<String>,
    pub(super) line: bool,
    pub(super) log: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            start_silent: Duration::ZERO,
            start_delay: Duration::ZERO,
            dialog: None,
            prompt_delay: Duration::ZERO,
            die_at_start: None,
            draft: None,
            placeholder: None,
            swallow_enter: Duration::ZERO,
            ask_over_paste: None,
            slow_dialog: Duration::ZERO,
            late_busy: Duration::ZERO,
            ctx: None,
            title: true,
            osc: false,
            hooks: None,
            hooks_mute: None,
            line: false,
            log: None,
        }
    }
}

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Run(Box<Options>),
    Help,
}

/// Reads the arguments after `demo-agent`; an error is a sentence.
pub(super) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Asked, String> {
    let mut options = Options::default();
    let mut args =
        args.into_iter().map(|arg| arg.into_string().map_err(|arg| format!("{arg:?} is not valid UTF-8")));
    while let Some(arg) = args.next().transpose()? {
        let (name, given) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (arg.as_str(), None),
        };
        match name {
            "--help" | "-h" => return Ok(Asked::Help),
            "--no-title" => options.title = false,
            "--osc" => options.osc = true,
            "--line" => options.line = true,
            "--bypass-permissions" => options.dialog = Some(Opening::Bypass),
            _ => {
                let missing = || format!("{name} needs a value");
                let value = || given.map(Ok).or_else(|| args.next()).ok_or_else(missing)?;
                set(&mut options, name, value)?;
            }
        }
    }
    Ok(Asked::Run(Box::new(options)))
}

/// Sets an option that has a value.
fn set(
    options: &mut Options,
    name: &str,
    value: impl FnOnce() -> Result<String, String>,
) -> Result<(), String> {
    let time = |text: String| {
        seconds(&text).ok_or_else(|| format!("{name} must be a number of seconds, not {text:?}"))
    };
    let small = |text: String| {
        text.parse().map_err(|_| format!("{name} must be a number from 0 to 255, not {text:?}"))
    };
    match name {
        "--start-silent" => options.start_silent = value().and_then(time)?,
        "--start-delay" => options.start_delay = value().and_then(time)?,
        "--prompt-delay" => options.prompt_delay = value().and_then(time)?,
        "--swallow-enter" => options.swallow_enter = value().and_then(time)?,
        "--ask-over-paste" => options.ask_over_paste = Some(value().and_then(time)?),
        "--slow-dialog" => options.slow_dialog = value().and_then(time)?,
        "--late-busy" => options.late_busy = value().and_then(time)?,
        "--die-at-start" => options.die_at_start = Some(value().and_then(small)?),
        "--ctx" => options.ctx = Some(value().and_then(small)?),
        "--placeholder" => options.placeholder = Some(value()?),
        "--draft" => options.draft = Some(value()?),
        "--dialog" => options.dialog = Some(opening(&value()?)?),
        "--hooks" => options.hooks = Some(value()?),
        "--hooks-mute" => options.hooks_mute = Some(value()?),
        "--log" => options.log = Some(value()?.into()),
        _ => return Err(format!("unknown option {name:?}")),
    }
    Ok(())
}

fn opening(word: &str) -> Result<Opening, String> {
    match word {
        "trust" => Ok(Opening::Trust),
        "trust-no-first" => Ok(Opening::TrustNoFirst),
        "login" => Ok(Opening::Login),
        "bypass" => Ok(Opening::Bypass),
        _ => Err(format!("--dialog must be trust, trust-no-first, login or bypass, not {word:?}")),
    }
}

/// A number of seconds, fractions allowed, at most a day.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    (0.0..=86_400.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Asked, String> {
        parse(args.iter().map(OsString::from))
    }

    #[test]
    fn options_are_read_in_both_spellings() {
        let args =
            ["--start-delay", "0.5", "--dialog=trust-no-first", "--draft", "a b", "--no-title", "--ctx=42"];
        let wanted = Options {
            start_delay: Duration::from_millis(500),
            dialog: Some(Opening::TrustNoFirst),
            draft: Some("a b".to_owned()),
            title: false,
            ctx: Some(42),
            ..Options::default()
        };
        assert_eq!(parsed(&args), Ok(Asked::Run(Box::new(wanted))));
    }

    #[test]
    fn wrong_options_are_named() {
        for (args, why) in [
            (&["--nonsense"][..], "unknown option \"--nonsense\""),
            (&["--start-delay"], "--start-delay needs a value"),
            (&["--late-busy", "-1"], "must be a number of seconds"),
            (&["--late-busy", "inf"], "must be a number of seconds"),
            (&["--die-at-start", "256"], "0 to 255"),
            (&["--dialog", "x"], "must be trust, trust-no-first, login or bypass"),
        ] {
            let error = parsed(args).unwrap_err();
            assert!(error.contains(why), "{args:?}: {error}");
        }
    }
}
