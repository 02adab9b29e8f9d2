//! The demo agent's behaviour, without a terminal: time is a number that the tests choose.

use super::*;
use crate::demo::dialog::Opening;

/// An agent and its clock.
struct Bench {
    agent: Agent,
    now: Instant,
}

impl Bench {
    fn new(options: Options) -> Self {
        let now = Instant::now();
        let mut bench = Self { agent: Agent::new(options, now), now };
        bench.pass(0.0);
        bench
    }

    /// An agent that is ready, its start forgotten.
    fn ready(options: Options) -> Self {
        let mut bench = Self::new(options);
        bench.said();
        bench.agent.take_events();
        bench
    }

    fn pass(&mut self, seconds: f64) {
        self.now += Duration::from_secs_f64(seconds);
        self.agent.tick(self.now);
    }

    fn press(&mut self, key: Key) {
        self.agent.input(Input::Key(key), self.now);
        self.agent.tick(self.now);
    }

    fn paste(&mut self, text: &str) {
        self.agent.input(Input::Pasted(text.into()), self.now);
    }

    fn submit(&mut self, text: &str) {
        self.paste(text);
        self.press(Key::Enter);
    }

    fn said(&mut self) -> Vec<String> {
        let blocks = self.agent.take_transcript().into_iter().filter(|said| !said.text.is_empty());
        blocks.map(|said| format!("{}{}", said.mark, said.text)).collect()
    }

    fn draft(&self) -> Option<String> {
        match self.agent.view(self.now).body {
            Body::Box { draft, .. } => Some(draft),
            _ => None,
        }
    }

    fn is_busy(&self) -> bool {
        self.agent.view(self.now).work.is_some()
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_prompt_is_echoed_worked_on_and_answered() {
    let mut bench = Bench::ready(Options::default());
    bench.submit("say PONG\n  please ");
    assert!(bench.is_busy() && bench.draft().as_deref() == Some(""));
    assert_eq!(bench.said(), ["❯ say PONG\n  please "]);
    bench.pass(1.0);
    assert_eq!(bench.said(), ["● PONG"]);
    let events = bench.agent.take_events();
    assert!(events.contains(&Event::Prompt("say PONG\n  please ".into())));
    assert_eq!(events[events.len() - 2..], [Event::Reply("PONG".into()), Event::Idle]);
}

#[test]
fn start_goes_through_silence_banner_question_and_pause() {
    let mut bench = Bench::new(Options {
        start_silent: seconds(1),
        start_delay: seconds(1),
        dialog: Some(Opening::Trust),
        prompt_delay: seconds(1),
        ..Options::default()
    });
    assert!(bench.said().is_empty());
    bench.pass(1.0);
    assert_eq!((bench.said().len(), bench.draft()), (1, None));
    bench.submit("typed too early");
    bench.pass(1.0);
    assert!(matches!(bench.agent.view(bench.now).body, Body::Dialog(_)));
    bench.press(Key::Enter);
    assert_eq!(bench.draft(), None);
    bench.pass(1.0);
    assert_eq!(bench.draft().as_deref(), Some("typed too early"));
}

#[test]
fn no_at_the_opening_question_ends_the_program() {
    let mut bench = Bench::new(Options { dialog: Some(Opening::TrustNoFirst), ..Options::default() });
    bench.press(Key::Enter);
    assert_eq!(bench.agent.ending(), Some(Ending::Exit(1)));
}

#[test]
fn escape_interrupts_and_the_queue_goes_on() {
    let mut bench = Bench::ready(Options::default());
    bench.submit("SLOW 60");
    bench.submit("next");
    bench.pass(0.2);
    assert_eq!(bench.agent.view(bench.now).queued, ["next"]);
    bench.press(Key::Escape);
    assert_eq!(bench.said(), ["❯ SLOW 60", "● word0", "■ Interrupted", "❯ next"]);
    bench.pass(1.0);
    assert_eq!(bench.said(), ["● You said: next"]);
}

#[test]
fn enter_is_swallowed_after_a_paste_and_the_text_stays() {
    let mut bench = Bench::ready(Options { swallow_enter: seconds(1), ..Options::default() });
    bench.submit("hello");
    assert_eq!(bench.draft().as_deref(), Some("hello"));
    bench.pass(1.0);
    bench.press(Key::Enter);
    assert!(bench.is_busy());
}

#[test]
fn late_and_silent_work_does_not_show() {
    let mut bench = Bench::ready(Options { late_busy: seconds(1), ..Options::default() });
    bench.submit("THINK 1");
    assert!(!bench.is_busy());
    bench.pass(1.5);
    assert!(bench.is_busy());
    let mut bench = Bench::ready(Options::default());
    bench.submit("SILENT 2");
    bench.pass(1.0);
    assert!(!bench.is_busy() && bench.said() == ["❯ SILENT 2"]);
    bench.pass(1.0);
    assert_eq!(bench.said(), ["● SILENT-DONE"]);
}

#[test]
fn a_question_takes_no_text_and_is_answered_by_keys() {
    let mut bench = Bench::ready(Options::default());
    bench.submit("ASK");
    bench.pass(1.0);
    bench.paste("lost");
    assert!(bench.agent.take_events().contains(&Event::Lost("lost".into())));
    bench.press(Key::Down);
    bench.press(Key::Enter);
    assert_eq!(
        (bench.said(), bench.draft()),
        (vec!["❯ ASK".into(), "● ASKED-NO".into()], Some(String::new()))
    );
}

#[test]
fn ctrl_c_clears_and_then_quits() {
    let mut bench = Bench::ready(Options { draft: Some("half".into()), ..Options::default() });
    assert_eq!(bench.draft().as_deref(), Some("half"));
    bench.press(Key::CtrlC);
    assert_eq!(bench.draft().as_deref(), Some(""));
    bench.press(Key::CtrlC);
    bench.pass(3.0);
    bench.press(Key::CtrlC);
    assert_eq!(bench.agent.ending(), None);
    bench.press(Key::CtrlC);
    assert_eq!(bench.agent.ending(), Some(Ending::Exit(0)));
}

#[test]
fn endings_are_as_the_prompt_says() {
    for (prompt, wanted) in
        [("DIE 3", Ending::Exit(3)), ("DIEAFTER 1 4", Ending::Exit(4)), ("CRASH", Ending::Crash)]
    {
        let mut bench = Bench::ready(Options::default());
        bench.submit(prompt);
        bench.pass(1.0);
        assert_eq!(bench.agent.ending(), Some(wanted), "{prompt}");
    }
}

#[test]
fn nothing_is_said_for_empty_and_a_draft_is_left() {
    let mut bench = Bench::ready(Options::default());
    bench.submit("EMPTY");
    bench.pass(1.0);
    assert_eq!((bench.said(), bench.is_busy()), (vec!["❯ EMPTY".to_owned()], false));
    bench.submit("DRAFT half a thought");
    bench.pass(1.0);
    assert_eq!(bench.draft().as_deref(), Some("half a thought"));
}

#[test]
fn a_blank_box_is_not_submitted() {
    let mut bench = Bench::ready(Options::default());
    bench.submit(" \n ");
    assert!(!bench.is_busy() && bench.said().is_empty());
}

#[test]
fn a_huge_prompt_is_echoed_in_part() {
    let text = echo(&"ä".repeat(2000));
    assert!(text.len() < 2100 && text.ends_with("ä… [4000 bytes]"));
}
