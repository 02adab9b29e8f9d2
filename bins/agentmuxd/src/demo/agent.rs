//! The demo agent as a state machine: inputs and time go in; transcript, events and a view come out.
//!
//! ```text
//! silent -> banner -> opening question -> settling -> idle <-> working -> asking
//!                           |  no                                 |         |
//!                           +--> end                              +-> end   +-> idle
//! ```

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::account::Account;
use super::dialog::{Asked, Dialog};
use super::draft::Draft;
use super::input::{Input, Key};
use super::job::Job;
use super::log::Event;
use super::options::Options;
use super::script::{Plan, Then};
use super::text::{block, wrap};
use super::view::{Body, View, Work};

/// So much of a prompt is echoed.
const ECHO_BYTES: usize = 2048;
/// A second Ctrl-C within this time ends the program.
const QUIT_TIME: Duration = Duration::from_secs(2);

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With a status.
    Exit(u8),
    /// Without a chance to clean up.
    Crash,
}

/// A block of the transcript: the mark of its first row, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) mark: &'static str,
    pub(super) text: String,
}

impl Said {
    /// Its rows on a terminal of that width.
    pub(super) fn rows(&self, width: usize) -> Vec<String> {
        match self.mark {
            "" => wrap(&self.text, width),
            mark => block(mark, &self.text, width),
        }
    }
}

#[derive(Debug)]
enum Phase {
    Silent(Instant),
    Banner(Instant),
    Opening(Dialog),
    Settling(Instant),
    Idle,
    Working(Job),
    /// A question, and the answers to those before it.
    Asking(Dialog, Vec<String>),
}

/// The demo agent.
#[derive(Debug)]
pub(super) struct Agent {
    options: Options,
    phase: Phase,
    draft: Draft,
    queue: VecDeque<Vec<u8>>,
    account: Account,
    /// The prompt that is being worked on.
    prompt: Vec<u8>,
    transcript: Vec<Said>,
    events: Vec<Event>,
    ending: Option<Ending>,
    /// Enter is lost until then.
    deaf_until: Option<Instant>,
    /// A question comes over the box then.
    asks_at: Option<Instant>,
    /// One more Ctrl-C until then ends the program.
    quit_until: Option<Instant>,
    /// Inputs to a slow question, and when they take effect.
    late: VecDeque<(Instant, Input)>,
}

impl Agent {
    pub(super) fn new(options: Options, now: Instant) -> Self {
        let mut draft = Draft::default();
        draft.push_typed(options.draft.as_deref().unwrap_or_default().as_bytes());
        Self {
            phase: Phase::Silent(now + options.start_silent),
            options,
            draft,
            queue: VecDeque::new(),
            account: Account::default(),
            prompt: Vec::new(),
            transcript: Vec::new(),
            events: vec![Event::Start],
            ending: None,
            deaf_until: None,
            asks_at: None,
            quit_until: None,
            late: VecDeque::new(),
        }
    }

    /// What was said since the last call.
    pub(super) fn take_transcript(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.transcript)
    }

    /// What happened since the last call.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// How the program has ended, once it has.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// When time itself changes something next.
    pub(super) fn wake(&self, now: Instant) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Silent(until) | Phase::Banner(until) | Phase::Settling(until) => Some(*until),
            Phase::Working(job) => Some(job.wake(now)),
            Phase::Idle => self.account.resuming().map(|limit| limit.until),
            Phase::Opening(_) | Phase::Asking(..) => None,
        };
        let late = self.late.front().map(|(due, _)| *due);
        let asks = self.asks_at.filter(|_| matches!(self.phase, Phase::Idle));
        phase.into_iter().chain(asks).chain(self.quit_until).chain(late).min()
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now: Instant) {
        self.quit_until = self.quit_until.filter(|until| now < *until);
        while self.late.front().is_some_and(|(due, _)| *due <= now)
            && let Some((_, input)) = self.late.pop_front()
        {
            self.take(input, now);
        }
        while self.ending.is_none() && self.advance(now) {}
    }

    /// One step, where one is due.
    fn advance(&mut self, now: Instant) -> bool {
        match &mut self.phase {
            Phase::Silent(until) if now >= *until => {
                self.say("", concat!("demo agent ", env!("CARGO_PKG_VERSION"), " · no account, no model"));
                self.phase = Phase::Banner(now + self.options.start_delay);
            }
            Phase::Banner(until) if now >= *until => {
                self.phase = match self.options.dialog {
                    Some(kind) => Phase::Opening(Dialog::opening(kind)),
                    None => Phase::Settling(now + self.options.prompt_delay),
                };
            }
            Phase::Settling(until) if now >= *until => {
                self.events.push(Event::Ready);
                self.phase = Phase::Idle;
            }
            Phase::Working(job) => {
                let lines = job.write(now);
                let is_over = job.is_over(now);
                lines.into_iter().for_each(|(is_first, line)| self.say_line(is_first, line));
                if is_over {
                    self.finish(now);
                }
                return is_over;
            }
            Phase::Idle if self.asks_at.is_some_and(|at| now >= at) => {
                self.asks_at = None;
                self.events.push(Event::Asked(None));
                self.phase = Phase::Asking(Dialog::asked(Asked::Permission), Vec::new());
            }
            Phase::Idle => match self.account.take_resumed(now) {
                Some(prompt) => self.plan(&prompt, now),
                None => return false,
            },
            _ => return false,
        }
        true
    }

    /// Takes one input.
    pub(super) fn input(&mut self, input: Input, now: Instant) {
        if let Input::Key(key) = &input {
            self.events.push(Event::Key(key.word()));
        }
        // A question that is slow shows late what a key does.
        let is_slow = !self.options.slow_dialog.is_zero();
        match self.phase {
            Phase::Opening(_) | Phase::Asking(..) if is_slow => {
                if matches!(self.phase, Phase::Opening(_)) {
                    self.say("", "still loading");
                }
                self.late.push_back((now + self.options.slow_dialog, input));
            }
            _ => self.take(input, now),
        }
    }

    fn take(&mut self, input: Input, now: Instant) {
        if let (Phase::Opening(dialog) | Phase::Asking(dialog, _), Input::Typed(bytes) | Input::Pasted(bytes)) =
            (&self.phase, &input)
            && !dialog.takes_text()
        {
            self.events.push(Event::Lost(bytes.clone()));
        }
        let is_lost = input == Input::Key(Key::Enter) && self.is_deaf(now);
        match &mut self.phase {
            Phase::Opening(dialog) => match dialog.input(&input) {
                Some(given) if given.yes => self.phase = Phase::Settling(now + self.options.prompt_delay),
                Some(_) => self.ending = Some(Ending::Exit(1)),
                None => {}
            },
            Phase::Asking(_, _) if is_lost => {}
            Phase::Asking(dialog, before) => {
                let selected = dialog.selected();
                let given = dialog.input(&input);
                if dialog.selected() != selected {
                    self.deaf_until = Some(now + self.options.swallow_enter);
                }
                if let Some(given) = given {
                    before.push(given.said);
                    match dialog.next.take() {
                        Some(next) => *dialog = *next,
                        None => self.asked(now),
                    }
                }
            }
            _ => self.edit(input, now),
        }
    }

    /// All questions are answered.
    fn asked(&mut self, now: Instant) {
        if let Phase::Asking(_, answers) = std::mem::replace(&mut self.phase, Phase::Idle) {
            self.reply(&answers.join(" "));
            self.rest(now);
        }
    }

    /// A hook has decided what the question on the screen asks.
    pub(super) fn decided(&mut self, yes: bool, now: Instant) {
        if let Phase::Asking(dialog, before) = &mut self.phase {
            before.push(dialog.decided(yes));
            self.asked(now);
        }
    }

    /// True while a question is on the screen.
    pub(super) fn is_asking(&self) -> bool {
        matches!(self.phase, Phase::Asking(..))
    }

    /// An input that goes to the box.
    fn edit(&mut self, input: Input, now: Instant) {
        match input {
            Input::Typed(bytes) => self.draft.push_typed(&bytes),
            Input::Pasted(bytes) => {
                self.draft.push_pasted(bytes);
                self.deaf_until = Some(now + self.options.swallow_enter);
                self.asks_at = self.options.ask_over_paste.take().map(|pause| now + pause).or(self.asks_at);
            }
            Input::Key(Key::Newline) => self.draft.push_typed(b"\n"),
            Input::Key(Key::Backspace) => self.draft.backspace(),
            Input::Key(Key::CtrlU) => self.draft.clear(),
            Input::Key(Key::CtrlC) => self.ctrl_c(now),
            Input::Key(Key::CtrlD) if self.draft.is_empty() => self.ending = Some(Ending::Exit(0)),
            Input::Key(Key::Escape) => self.interrupt(now),
            Input::Key(Key::Enter) => self.submit(now),
            Input::Key(Key::CtrlD | Key::Up | Key::Down) => {}
        }
    }

    fn ctrl_c(&mut self, now: Instant) {
        if !self.draft.is_empty() {
            self.draft.clear();
        } else if matches!(self.phase, Phase::Working(_)) {
            self.interrupt(now);
        } else if self.quit_until.is_some() {
            self.ending = Some(Ending::Exit(0));
        } else {
            self.quit_until = Some(now + QUIT_TIME);
        }
    }

    fn is_deaf(&self, now: Instant) -> bool {
        self.deaf_until.is_some_and(|until| now < until)
    }

    /// Enter. Before the box shows it is lost, as with real agents.
    fn submit(&mut self, now: Instant) {
        if self.is_deaf(now)
            || self.draft.is_blank()
            || !matches!(self.phase, Phase::Idle | Phase::Working(_))
        {
            return;
        }
        let prompt = self.draft.take();
        if self.is_special(&prompt) {
            return;
        }
        self.events.push(Event::Prompt(prompt.clone()));
        match self.phase {
            Phase::Idle => self.work(&prompt, now),
            _ => self.queue.push_back(prompt),
        }
    }

    fn work(&mut self, prompt: &[u8], now: Instant) {
        let text = String::from_utf8_lossy(prompt);
        self.say("❯ ", &echo(&text));
        if self.account.refusal(now).is_some() {
            self.events.push(Event::Busy);
            self.refuse(now);
            self.rest(now);
        } else {
            self.plan(prompt, now);
        }
    }

    fn plan(&mut self, prompt: &[u8], now: Instant) {
        let mut plan = Plan::of(&String::from_utf8_lossy(prompt));
        if matches!(plan.then, Then::Limit(..)) && self.account.is_paid(prompt, now) {
            plan.then = Then::Reply("LIMIT-DONE".to_owned());
        }
        self.events.push(Event::Busy);
        plan.first.iter().for_each(|first| self.say("● ", first));
        self.prompt = prompt.to_vec();
        self.phase = Phase::Working(Job::new(plan, now, self.options.late_busy));
    }

    /// What is no prompt: real agents have such words, too.
    fn is_special(&mut self, prompt: &[u8]) -> bool {
        let text = String::from_utf8_lossy(prompt).into_owned();
        let is_command = text.starts_with('/') && !text.contains(char::is_whitespace);
        if text.trim() == "exit" {
            self.ending = Some(Ending::Exit(0));
        } else if text == "/login" {
            self.account.log_in();
            self.say("❯ ", "/login");
            self.say("", "  Logged in");
        } else if text.starts_with('!') {
            self.say("❯ ", &text);
        } else {
            return is_command;
        }
        true
    }

    fn interrupt(&mut self, now: Instant) {
        if let Phase::Working(job) = &mut self.phase {
            let (line, returns) = (job.end_line(), job.returns());
            line.into_iter().for_each(|(is_first, line)| self.say_line(is_first, line));
            if returns {
                self.draft.push_typed(&std::mem::take(&mut self.prompt));
            } else {
                self.say("", "■ Interrupted");
            }
            self.events.push(Event::Interrupted);
            self.rest(now);
        } else if self.account.stop_resuming() {
            self.say("", "■ Interrupted");
        }
    }

    /// The work is over.
    fn finish(&mut self, now: Instant) {
        let Phase::Working(mut job) = std::mem::replace(&mut self.phase, Phase::Idle) else { return };
        job.end_line().into_iter().for_each(|(is_first, line)| self.say_line(is_first, line));
        let (mut lines, then, leaves) = job.finish();
        match then {
            Then::Reply(text) if lines.is_empty() => self.reply(&text),
            Then::Reply(text) => {
                self.say_line(false, text.clone());
                lines.push(text);
                self.events.push(Event::Reply(lines.join("\n")));
            }
            Then::Nothing => {}
            Then::Fail(why) => self.say("", &format!("■ API error: {why}")),
            Then::Limit(length, how) => {
                self.account.reach(&std::mem::take(&mut self.prompt), length, how.as_deref(), now);
                self.refuse(now);
            }
            Then::LogOut => {
                self.account.log_out();
                self.refuse(now);
            }
            Then::Ask(kind) => {
                let command = if let Asked::Command(command) = &kind { Some(command.clone()) } else { None };
                self.events.push(Event::Asked(command));
                self.phase = Phase::Asking(Dialog::asked(kind), Vec::new());
                return;
            }
            Then::Exit(status) => self.ending = Some(Ending::Exit(status)),
            Then::Crash => self.ending = Some(Ending::Crash),
        }
        self.draft.push_typed(leaves.unwrap_or_default().as_bytes());
        self.rest(now);
    }

    fn refuse(&mut self, now: Instant) {
        if let Some(refusal) = self.account.refusal(now) {
            self.say("", &refusal);
        }
    }

    /// Idle, or on to the next prompt in the queue.
    fn rest(&mut self, now: Instant) {
        self.events.push(Event::Idle);
        self.phase = Phase::Idle;
        if let (Some(prompt), None) = (self.queue.pop_front(), self.ending) {
            self.work(&prompt, now);
        }
    }

    fn reply(&mut self, text: &str) {
        self.say("● ", text);
        self.events.push(Event::Reply(text.to_owned()));
    }

    /// A block of the transcript, after a blank row.
    fn say(&mut self, mark: &'static str, text: &str) {
        self.transcript.push(Said { mark: "", text: String::new() });
        self.transcript.push(Said { mark, text: text.to_owned() });
    }

    /// One line of a reply that is written bit by bit.
    fn say_line(&mut self, is_first: bool, text: String) {
        if is_first {
            self.say("● ", &text);
        } else {
            self.transcript.push(Said { mark: "  ", text });
        }
    }

    /// What is to be shown now.
    pub(super) fn view(&self, now: Instant) -> View<'_> {
        let work = match &self.phase {
            Phase::Working(job) => {
                job.shown_for(now).map(|time| Work { time, retries: job.retries(), line: job.unfinished() })
            }
            _ => None,
        };
        let body = match &self.phase {
            Phase::Silent(_) | Phase::Banner(_) | Phase::Settling(_) => Body::Nothing,
            Phase::Opening(dialog) | Phase::Asking(dialog, _) => Body::Dialog(dialog),
            Phase::Idle | Phase::Working(_) => Body::Box {
                draft: self.draft.shown(),
                suggestion: self.options.placeholder.as_deref(),
                status: self.status(work.is_some()),
            },
        };
        let first_line = |prompt: &Vec<u8>| {
            let text = String::from_utf8_lossy(&prompt[..prompt.len().min(ECHO_BYTES)]).into_owned();
            text.lines().next().unwrap_or_default().to_owned()
        };
        let queued = self.queue.iter().map(first_line).collect();
        View { work, queued, body, has_title: self.options.title, announces: self.options.osc }
    }

    fn status(&self, is_working: bool) -> String {
        if self.account.resuming().is_some() && matches!(self.phase, Phase::Idle) {
            return "continues by itself · esc to cancel".to_owned();
        }
        let state = match (self.quit_until, is_working) {
            (Some(_), _) => "press ctrl-c again to exit",
            (None, true) => "working · esc to interrupt",
            (None, false) => "ready",
        };
        let ctx = self.options.ctx.map(|percent| format!(" · ctx:{percent}%"));
        format!("{state}{}", ctx.unwrap_or_default())
    }
}

/// The prompt as the transcript shows it.
fn echo(prompt: &str) -> String {
    if prompt.len() <= ECHO_BYTES {
        return prompt.to_owned();
    }
    let end = (0..=ECHO_BYTES).rfind(|at| prompt.is_char_boundary(*at)).unwrap_or(0);
    format!("{}… [{} bytes]", &prompt[..end], prompt.len())
}

#[cfg(test)]
mod tests;
