//! The demo agent: a small interactive agent that needs no account, for first steps and for tests.
//!
//! It looks and behaves like the inline interface of a real agent, with a script in place of a model:
//! terminal bytes -> [`input`] -> [`agent`] -> [`view`] -> [`painter`] -> terminal bytes.

mod account;
mod agent;
mod dialog;
mod draft;
mod hooks;
mod input;
mod job;
mod line;
mod log;
mod options;
mod painter;
mod script;
mod terminal;
mod text;
mod view;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use agent::{Agent, Ending};
use hooks::Hooks;
use input::Parser;
use log::{Event, Log};
use options::{Asked, Options};
use painter::Painter;
use terminal::{Terminal, Woken};

/// An ESC that nothing follows for so long is the key.
const ESCAPE_TIME: Duration = Duration::from_millis(30);
/// How often it is looked whether the hook of a question has decided.
const HOOK_TIME: Duration = Duration::from_millis(20);
/// The exit status of a program that SIGTERM ended.
const TERMINATED: u8 = 128 + 15;

/// Runs the demo agent with the arguments after `demo-agent`.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match options::parse(args) {
        Ok(Asked::Help) => {
            print!("{}", options::USAGE);
            ExitCode::SUCCESS
        }
        Ok(Asked::Run(options)) => converse(*options).map_or_else(
            |error| {
                eprintln!("agentmuxd demo-agent: {error}");
                ExitCode::FAILURE
            },
            ExitCode::from,
        ),
        Err(sentence) => {
            eprintln!("agentmuxd demo-agent: {sentence}\n\n{}", options::USAGE);
            ExitCode::from(2)
        }
    }
}

/// Runs until the end; returns the exit status.
fn converse(options: Options) -> io::Result<u8> {
    let mut log = Log::open(options.log.as_deref())?;
    if let Some(status) = options.die_at_start {
        log.write(&Event::Start)?;
        eprintln!("fatal: cannot start");
        log.write(&Event::Exit(status))?;
        return Ok(status);
    }
    if options.line {
        return line::run(&mut log);
    }
    let terminal =
        Terminal::open().map_err(|e| io::Error::new(e.kind(), format!("stdin is no terminal: {e}")))?;
    let mut painter = Painter::default();
    let status = interact(&terminal, &mut painter, options, &mut log)?;
    terminal.write(&painter.leave())?;
    log.write(&Event::Exit(status))?;
    Ok(status)
}

/// The main loop: time and input change the agent, the terminal shows it.
fn interact(terminal: &Terminal, painter: &mut Painter, options: Options, log: &mut Log) -> io::Result<u8> {
    let mut hooks = Hooks::new(options.hooks.clone(), options.hooks_mute.clone());
    let mut agent = Agent::new(options, Instant::now());
    let mut parser = Parser::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let now = Instant::now();
        agent.tick(now);
        if let Some(yes) = hooks.decision(agent.is_asking()) {
            agent.decided(yes, now);
        }
        show(&mut agent, terminal, painter, now)?;
        for event in agent.take_events() {
            log.write(&event)?;
            hooks.tell(&event);
        }
        match agent.ending() {
            Some(Ending::Exit(status)) => return Ok(status),
            Some(Ending::Crash) => {
                rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)?
            }
            None => {}
        }
        let patience = agent.wake(now).map(|wake| wake.saturating_duration_since(Instant::now()));
        let patience = if hooks.is_deciding() { Some(HOOK_TIME) } else { patience };
        let patience = if parser.is_undecided() { Some(ESCAPE_TIME) } else { patience };
        match terminal.wait(patience)? {
            Woken::Signal => return Ok(TERMINATED),
            Woken::Time => parser.decide().into_iter().for_each(|input| agent.input(input, Instant::now())),
            Woken::Input => match terminal.read(&mut buffer)? {
                [] => return Ok(0),
                bytes => parser.feed(bytes).into_iter().for_each(|input| agent.input(input, Instant::now())),
            },
        }
    }
}

/// Brings what the agent says and shows to the terminal.
fn show(agent: &mut Agent, terminal: &Terminal, painter: &mut Painter, now: Instant) -> io::Result<()> {
    let (width, height) = terminal.size();
    let said = agent.take_transcript();
    let transcript: Vec<_> = said.iter().flat_map(|said| said.rows(width)).collect();
    let frame = view::frame(&agent.view(now), width, height);
    match painter.paint(&transcript, frame) {
        bytes if bytes.is_empty() => Ok(()),
        bytes => terminal.write(&bytes),
    }
}
