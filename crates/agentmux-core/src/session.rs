//! A session's one owner: the task that reads its screen, types its prompts and knows its state.
//!
//! The task is woken by pane activity, by messages and by the times that its own decisions set; it does nothing else
//! while nothing happens. Others see what it publishes ([`Snapshot`]) and never ask it.

mod answer;
mod asking;
mod chunks;
mod conclusion;
mod delivery;
mod dialog;
mod growth;
mod hand;
mod held;
mod interrupt;
mod limit;
mod look;
mod signals;
mod start;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::error::Error;
use crate::events::Event;
use crate::input::{Key, Prompt, SessionName};
use crate::profile::Profile;
use crate::question::{Answer, Asked, Policy};
use crate::reading::Reading;
use crate::screen::{Exit, Screen};
use crate::signals::{Link, Signal};
use crate::state::{Evidence, Source, State};
use crate::terminal::{Activity, PaneId, Terminal, TerminalError};
use crate::turn::{Turn, TurnBook, TurnPen, TurnState};

pub use answer::Answered;
use answer::{Given, Giver};
use asking::Asking;
use delivery::{Current, squash};
pub(crate) use dialog::Answering;
use held::Held;
use limit::Limits;
use signals::Ears;
pub(crate) use start::{Start, StartFailure};

/// How many turns may wait in a session.
pub(crate) const QUEUE: usize = 100;

/// The pause between repeated keys, as inherited.
const KEY_PAUSE: Duration = Duration::from_millis(80);

/// How much text a pane had when it was read last: a hint, for who wants to read no more than needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The rows of the screen down to the last that is not blank.
    shown: usize,
    /// The rows that have scrolled out.
    history: usize,
}

/// What a session shows of itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) state: State,
    pub(crate) evidence: Evidence,
    /// What it asks, where it does and that is recognised.
    pub(crate) question: Option<Arc<Asked>>,
    pub(crate) target: String,
    pub(crate) context: Option<u8>,
    pub(crate) attached: bool,
    /// The terminal has the pane no more.
    pub(crate) lost: bool,
    pub(crate) exit: Option<Exit>,
    /// When a usage limit ends, where one holds it up and the agent tells that.
    pub(crate) resets_at: Option<SystemTime>,
    /// How many turns wait or go on.
    pub(crate) turns: usize,
    /// The agent has announced its state in its output.
    pub(crate) announced: bool,
    /// How often the agent announced something that its screen contradicted.
    pub(crate) contradictions: u64,
    /// Grows with each change but those of `extent`, which nobody is shown.
    pub(crate) version: u64,
    pub(crate) extent: Extent,
}

impl Extent {
    pub(crate) fn of(screen: &Screen) -> Self {
        Self { shown: screen.visible().len(), history: screen.history }
    }

    /// How many rows that scrolled out to read, to have so many lines.
    pub(crate) fn above(self, lines: usize) -> usize {
        // Of a short history all is read: nobody then has to wonder whether there is more.
        if self.history > lines { lines.saturating_sub(self.shown) } else { lines }
    }
}

/// What a session is asked to do.
pub(crate) enum Command {
    /// Take a prompt.
    Submit {
        prompt: Prompt,
        timeout: Option<Duration>,
        queue: bool,
        /// What is to be done with questions for permission in this turn, where it is not what the session does.
        policy: Option<Policy>,
        answer: oneshot::Sender<Result<Ticket, Error>>,
    },
    /// Answer the question that is asked, where it is the one of that id.
    Answer { given: Answer, question: Option<String>, answer: oneshot::Sender<Result<Answered, Error>> },
    /// Press a key some times.
    Press { key: Key, repeat: u32, answer: oneshot::Sender<Result<(), Error>> },
    /// Take a turn out of the queue, or interrupt it; false where it is not one of this session's any more.
    Cancel { turn: String, answer: oneshot::Sender<bool> },
    /// Interrupt what the agent does; false where it does nothing.
    Interrupt { answer: oneshot::Sender<Result<bool, Error>> },
    /// Hear what the agent told by a hook, and decide what it asks for, where it takes a decision.
    Hear(Box<Signal>, Option<oneshot::Sender<Value>>),
    /// The agent is about to be killed: from the answer on nothing that it does is news.
    Killing(oneshot::Sender<()>),
    /// It could not be killed.
    Spared,
    /// End: turns that go on are failed, and it is told that the session is gone.
    Close,
}

/// A turn that a session took.
pub(crate) struct Ticket {
    pub(crate) turn: watch::Receiver<Turn>,
    /// True where others go first.
    pub(crate) queued: bool,
}

/// What a session is made of.
pub(crate) struct Parts {
    pub(crate) name: SessionName,
    pub(crate) id: String,
    pub(crate) pane: PaneId,
    pub(crate) target: String,
    pub(crate) profile: Arc<Profile>,
    pub(crate) policy: Policy,
    pub(crate) terminal: Arc<dyn Terminal>,
    pub(crate) book: TurnBook,
    /// How the agent is heard.
    pub(crate) link: Arc<Link>,
}

/// The handle that the registry keeps of a session's task.
pub(crate) struct Handle {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) snapshot: watch::Receiver<Snapshot>,
    pub(crate) task: tokio::task::JoinHandle<()>,
}

struct Waiting {
    pen: TurnPen,
    prompt: Prompt,
    deadline: Option<Instant>,
    policy: Option<Policy>,
    /// Somebody waits for it to be typed now.
    urgent: bool,
    /// It was pasted once, and a question that came over the box swallowed it.
    swallowed: bool,
}

struct Pressing {
    key: Key,
    left: u32,
    next: Instant,
    answer: oneshot::Sender<Result<(), Error>>,
}

struct Session {
    parts: Parts,
    commands: mpsc::Receiver<Command>,
    activity: Activity,
    view: watch::Sender<Snapshot>,
    /// `Some` until the session is ready for the first time.
    start: Option<Start>,
    /// `Some` until the first Enter of a prompt: questions that come before may be answered.
    answering: Option<Answering>,
    /// The question on the screen.
    asking: Asking,
    /// The last reading showed a question that no form of the profile knows.
    unrecognised: bool,
    /// The answer that is on its way.
    given: Option<Given>,
    /// A hook that waits for the answer to a question.
    held: Option<Held>,
    /// The question that the policy could not answer, by its id, once for each try.
    in_vain: Vec<String>,
    screen: Screen,
    reading: Reading,
    /// What the screen by itself means.
    on_screen: State,
    /// Since when the screen has been as it is.
    quiet_since: Instant,
    /// A reading that contradicts what is published, and since when.
    candidate: Option<(State, Instant)>,
    believed: bool,
    lost: bool,
    killing: bool,
    /// What the agent told by hooks.
    ears: Ears,
    /// The word that was last contradicted, and how often that happened.
    contradicted: Option<Instant>,
    contradictions: u64,
    current: Option<Current>,
    waiting: VecDeque<Waiting>,
    limits: Limits,
    /// An earlier daemon started it, and its screen was not read before: what it says may be old.
    adopted: bool,
    pressing: VecDeque<Pressing>,
    /// What was typed of the last turn's text: where it stands in the box, it is ours.
    last_typed: String,
    /// When keys to clear the box were pressed.
    cleared: Option<Instant>,
    /// When to read the screen.
    look_at: Option<Instant>,
    /// Whether that is to see what a pause in the output means: new output puts it off.
    look_is_for_pause: bool,
    /// When it was read last.
    looked_at: Instant,
    /// An interruption that may take its keys again.
    interrupting: Option<interrupt::Interrupting>,
    /// The announcement that was seen last.
    announced_at: Option<Instant>,
    /// How much of what was printed was new when it was last noted.
    news_seen: u64,
    /// When to decide again.
    wake_at: Option<Instant>,
    over: bool,
}

/// Starts the task of a session.
pub(crate) fn open(parts: Parts, begin: Option<(Start, Answering)>) -> Handle {
    let (start, answering) = begin.unzip();
    let activity = parts.terminal.activity(&parts.pane);
    let first = Snapshot {
        state: if start.is_some() { State::Starting } else { State::Unknown },
        evidence: evidence(Source::Process, "started", "", SystemTime::now()),
        question: None,
        target: parts.target.clone(),
        context: None,
        attached: false,
        lost: false,
        exit: None,
        resets_at: None,
        turns: 0,
        announced: false,
        contradictions: 0,
        version: 0,
        extent: Extent::default(),
    };
    let (view, snapshot) = watch::channel(first);
    let (sender, commands) = mpsc::channel(64);
    let (now, adopted) = (Instant::now(), start.is_none());
    let ears = Ears::new(&parts.link);
    let session = Session {
        parts,
        commands,
        activity,
        view,
        start,
        answering,
        asking: Asking::default(),
        unrecognised: false,
        given: None,
        held: None,
        in_vain: Vec::new(),
        screen: Screen::default(),
        reading: Reading {
            state: State::Unknown,
            rule: "not read yet".into(),
            source: Source::Screen,
            matched: String::new(),
            input: None,
            context: None,
        },
        on_screen: State::Unknown,
        quiet_since: now,
        candidate: None,
        believed: false,
        lost: false,
        killing: false,
        ears,
        contradicted: None,
        contradictions: 0,
        current: None,
        waiting: VecDeque::new(),
        limits: Limits::default(),
        adopted,
        pressing: VecDeque::new(),
        last_typed: String::new(),
        cleared: None,
        look_at: Some(now),
        look_is_for_pause: false,
        looked_at: now,
        interrupting: None,
        announced_at: None,
        news_seen: 0,
        wake_at: None,
        over: false,
    };
    Handle { commands: sender, snapshot, task: tokio::spawn(session.run()) }
}

fn evidence(source: Source, rule: &str, matched: &str, since: SystemTime) -> Evidence {
    Evidence { source, rule: rule.to_owned(), matched: matched.to_owned(), since }
}

impl Session {
    async fn run(mut self) {
        loop {
            let next = [self.look_at, self.wake_at].into_iter().flatten().min();
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.take(command).await,
                    // The registry has let go: the daemon stops, the agent stays.
                    None => return self.leave().await,
                },
                () = self.activity.changed(), if !self.lost => self.note_activity(),
                () = until(next) => {}
            }
            if self.over {
                return;
            }
            if self.look_at.is_some_and(|at| at <= Instant::now()) {
                self.look().await;
            }
            self.wake_at = None;
            self.step().await;
            self.publish();
        }
    }

    /// What is typed and not submitted is taken out of the box: a later daemon would take it for a person's.
    async fn leave(&mut self) {
        if self.current.as_ref().is_some_and(Current::is_typing) {
            self.clear_box().await;
        }
    }

    /// Everything that may be decided now.
    async fn step(&mut self) {
        self.step_keys().await;
        if self.reading.state == State::Exited {
            self.agent_ended();
            return;
        }
        self.step_dialog().await;
        self.step_answer().await;
        self.step_held();
        self.step_start();
        self.step_interrupt().await;
        self.step_deadlines().await;
        if self.start.is_none() {
            self.step_limit();
            self.step_turn().await;
        }
    }

    async fn take(&mut self, command: Command) {
        match command {
            Command::Submit { prompt, timeout, queue, policy, answer } => {
                let result = self.accept(prompt, timeout, queue, policy);
                // Whoever asked may have gone; the turn stays.
                drop(answer.send(result));
            }
            Command::Press { key, repeat, answer } => {
                self.pressing.push_back(Pressing { key, left: repeat, next: Instant::now(), answer });
            }
            Command::Answer { given, question, answer } => {
                self.take_answer(Given::new(given, question, Giver::Caller(answer)));
            }
            Command::Cancel { turn, answer } => drop(answer.send(self.cancel(&turn))),
            Command::Interrupt { answer } => {
                let result = self.interrupt().await;
                drop(answer.send(result));
            }
            Command::Hear(signal, answer) => self.hear(*signal, answer),
            Command::Killing(heard) => {
                self.killing = true;
                // Whoever kills may have gone; its agent is killed all the same.
                let _ = heard.send(());
            }
            Command::Spared => self.killing = false,
            Command::Close => {
                self.killing = true;
                self.fail_all("session_killed", "the session was killed");
                let (name, id) = (self.parts.name.clone(), self.parts.id.clone());
                self.parts.book.events().push(Event::Gone { name, id });
                self.over = true;
            }
        }
    }

    /// Takes a prompt in, or says why not.
    fn accept(
        &mut self,
        prompt: Prompt,
        timeout: Option<Duration>,
        queue: bool,
        policy: Option<Policy>,
    ) -> Result<Ticket, Error> {
        let session = self.parts.name.clone();
        let prompt = self.parts.profile.worded(&prompt)?;
        let state = self.view.borrow().state;
        let free = self.current.as_ref().is_none_or(Current::is_unproven) && self.waiting.is_empty();
        match state {
            State::Exited => return Err(Error::AgentExited { session, exit: self.screen.exit }),
            State::NeedsInput if self.limits.login.is_some() && self.parts.profile.is_command(&prompt) => {}
            State::NeedsInput if !self.answers_dialog() => return Err(Error::NeedsInput { session }),
            State::Draft if free && !self.draft_is_ours() => return Err(Error::HumanDraft { session }),
            State::Idle | State::Draft if free => {}
            State::Limited if !queue => {
                let held_until = self.limits.hold.as_ref().map_or_else(SystemTime::now, |hold| hold.until);
                return Err(Error::Limited { session, held_until });
            }
            _ if !queue => return Err(Error::Busy { session, state }),
            _ if self.waiting.len() >= QUEUE => return Err(Error::QueueFull { session, limit: QUEUE }),
            _ => {}
        }
        let pen = self.parts.book.open(&self.parts.name, &self.parts.id);
        let turn = pen.watch();
        let queued = !(free && matches!(state, State::Idle | State::Draft));
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        self.waiting.push_back(Waiting { pen, prompt, deadline, policy, urgent: !queued, swallowed: false });
        Ok(Ticket { turn, queued })
    }

    /// Takes a waiting turn out; has the current one interrupted.
    fn cancel(&mut self, turn: &str) -> bool {
        if let Some(at) = self.waiting.iter().position(|waiting| waiting.pen.is(turn)) {
            if let Some(waiting) = self.waiting.remove(at) {
                waiting.pen.cancelled();
            }
            return true;
        }
        match &mut self.current {
            Some(current) if current.pen.is(turn) && !current.is_unproven() => {
                current.stop_asked();
                true
            }
            _ => false,
        }
    }

    /// Interrupts the current turn, or what else the agent does.
    async fn interrupt(&mut self) -> Result<bool, Error> {
        if self.reading.state == State::Exited {
            return Err(Error::AgentExited { session: self.parts.name.clone(), exit: self.screen.exit });
        }
        match &mut self.current {
            Some(current) if !current.is_unproven() => current.stop_asked(),
            _ if matches!(self.reading.state, State::Busy | State::NeedsInput | State::Unknown) => {
                let pressed = self.press_interrupt().await;
                pressed.map_err(|e| self.terminal_error(e))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    async fn step_keys(&mut self) {
        let Some(pressing) = self.pressing.front_mut() else { return };
        // Keys between a paste and its Enter would become part of the prompt; those amid an answer, of that.
        let is_asked = self.reading.state == State::NeedsInput;
        let typing = self.current.as_ref().is_some_and(Current::is_typing) && !is_asked;
        if self.given.is_some() || typing {
            self.wake(Instant::now() + Duration::from_millis(20));
            return;
        }
        if pressing.next <= Instant::now() {
            let pressed = self.parts.terminal.keys(&self.parts.pane, &[pressing.key]).await;
            pressing.left = pressing.left.saturating_sub(1);
            pressing.next = Instant::now() + KEY_PAUSE;
            if (pressed.is_err() || pressing.left == 0)
                && let Some(pressing) = self.pressing.pop_front()
            {
                drop(pressing.answer.send(pressed.map_err(|e| self.terminal_error(e))));
            }
        }
        if let Some(next) = self.pressing.front().map(|pressing| pressing.next) {
            self.wake(next);
        }
    }

    /// Turns whose own time is up: waiting ones fail; the current one is interrupted.
    async fn step_deadlines(&mut self) {
        let now = Instant::now();
        self.waiting.retain(|waiting| {
            let late = waiting.deadline.is_some_and(|deadline| deadline <= now);
            if late {
                waiting.pen.failed("timeout", "the turn's time was up before its prompt could be typed");
            }
            !late
        });
        let next = self.waiting.iter().filter_map(|waiting| waiting.deadline).min();
        if let Some(next) = next {
            self.wake(next);
        }
        self.step_stop().await;
    }

    /// The agent's program has ended, or its pane is gone.
    fn agent_ended(&mut self) {
        let how = self.screen.exit.map_or("is gone".to_owned(), |exit| exit.to_string());
        if let Some(start) = self.start.take() {
            let screen = self.screen.text(usize::MAX);
            let message = if self.killing { "it was killed".to_owned() } else { format!("the agent {how}") };
            start.fail(StartFailure { message, screen, exit: self.screen.exit });
        }
        if self.killing {
            self.fail_all("session_killed", "the session was killed");
        } else {
            self.fail_all("agent_exited", &format!("the agent {how}"));
        }
        self.held = None;
        if let Some(given) = self.given.take() {
            given.end(Err(Error::AgentExited { session: self.parts.name.clone(), exit: self.screen.exit }));
        }
        for pressing in std::mem::take(&mut self.pressing) {
            let error = Error::AgentExited { session: self.parts.name.clone(), exit: self.screen.exit };
            drop(pressing.answer.send(Err(error)));
        }
        self.look_at = None;
    }

    fn fail_all(&mut self, code: &'static str, message: &str) {
        if let Some(current) = self.current.take()
            && current.pen.state() != TurnState::Unconfirmed
        {
            current.pen.failed(code, message);
        }
        for waiting in self.waiting.drain(..) {
            waiting.pen.failed(code, message);
        }
    }

    fn terminal_error(&self, error: TerminalError) -> Error {
        match error {
            TerminalError::Gone | TerminalError::Exited => {
                Error::AgentExited { session: self.parts.name.clone(), exit: self.screen.exit }
            }
            error => Error::Terminal(error),
        }
    }

    /// Decides again at this time, or earlier.
    fn wake(&mut self, at: Instant) {
        self.wake_at = Some(self.wake_at.map_or(at, |other| other.min(at)));
    }

    /// Reads the screen again at this time, or earlier.
    fn look_again(&mut self, at: Instant) {
        self.look_at = Some(self.look_at.map_or(at, |other| other.min(at)));
    }

    /// True where the text in the box is that of our last turn.
    fn draft_is_ours(&self) -> bool {
        let is_it = |text: &String| !text.is_empty() && squash(&self.last_typed) == squash(text);
        self.reading.input.as_ref().is_some_and(is_it)
    }

    /// True where the text in the box is that of our last turn, as far as it goes.
    fn draft_begins_ours(&self) -> bool {
        let begins = |text: &String| squash(&self.last_typed).starts_with(&squash(text));
        self.reading.input.as_ref().is_some_and(begins)
    }
}

/// Waits until a time; for ever without one.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
