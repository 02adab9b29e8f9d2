//! The command-line client of agentmuxd.
//!
//! A verb (`args`) is carried out (`sessions`, `session`, `turns`, `question`, `events`, `programs`, `profiles`, `token`,
//! `generated`), mostly by a question to the daemon (`daemon` finds it, `client` asks), while a person sees what goes on
//! (`progress`, `watch`). It ends with a status and a sentence (`ending`), or by Ctrl-C (`interruption`).

mod args;
mod client;
mod daemon;
mod doctor;
mod ending;
mod events;
mod generated;
mod interruption;
mod output;
mod patience;
mod profiles;
mod programs;
mod progress;
mod prompt;
mod question;
mod session;
mod sessions;
mod sse;
mod times;
mod token;
mod turns;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Verb};
use client::Client;
use ending::{Ending, Failed};
use interruption::unless_interrupted;

fn main() -> ExitCode {
    let verb = Args::parse().verb.unwrap_or(Verb::Serve { args: Vec::new() });
    let json = verb.prints_json();
    carry_out(verb).unwrap_or_else(|failed| failed.report(json)).exit()
}

fn carry_out(verb: Verb) -> Result<Ending, Failed> {
    match verb {
        Verb::Serve { args } => programs::serve(&args),
        Verb::Profile(args::Profile::Test(test)) => profiles::test(&test),
        Verb::Profile(args::Profile::Check { files }) => profiles::check(&files),
        Verb::Profile(args::Profile::List { json }) => profiles::list(json),
        Verb::Profile(args::Profile::Show { name }) => profiles::show(&name),
        Verb::Token(args::Json { json }) => token::show(json),
        Verb::Completions { shell } => generated::completions(shell),
        Verb::Man { folder } => generated::manual(&folder),
        verb => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| Failed::new(format!("could not start: {error}")))?;
            let asked = unless_interrupted(ask_daemon(verb), || "interrupted".to_owned());
            runtime.block_on(asked)
        }
    }
}

async fn ask_daemon(verb: Verb) -> Result<Ending, Failed> {
    let json = verb.prints_json();
    if let Verb::Doctor(_) = verb {
        return doctor::report(doctor::ask().await, json);
    }
    let client = Client::new(daemon::Daemon::find(|name| std::env::var(name).ok())?);
    match verb {
        Verb::Run(run) => turns::run(&client, run).await,
        Verb::Send(send) => turns::send(&client, send, json).await,
        Verb::Wait(args::Wait { turn: Some(turn), seconds, .. }) => {
            turns::wait(&client, &turn, seconds, json).await
        }
        Verb::Wait(wait) => session::wait(&client, &wait, json).await,
        Verb::Answer(answer) => question::answer(&client, answer, json).await,
        Verb::Show(show) => session::show(&client, show, json).await,
        Verb::Interrupt(args::Named { name, .. }) => session::interrupt(&client, name, json).await,
        Verb::Events(events) => events::follow(&client, &events, json).await,
        Verb::Turns(turns) => turns::list(&client, &turns, json).await,
        Verb::Cancel { turn, .. } => turns::cancel(&client, &turn, json).await,
        Verb::Agents(agents) => sessions::agents(&client, &agents, json).await,
        Verb::Status(_) => sessions::status(&client, json).await,
        Verb::Ls(_) => sessions::list(&client, json).await,
        Verb::Start(start) => session::start(&client, start).await,
        Verb::Idle(idle) => sessions::idle(&client, idle).await,
        Verb::Capture(capture) => sessions::capture(&client, capture, json).await,
        Verb::Key(key) => sessions::key(&client, key, json).await,
        Verb::Kill(kill) => sessions::kill(&client, kill, json).await,
        Verb::Cleanup(_) => sessions::cleanup(&client, json).await,
        Verb::Restart(_) => sessions::restart(&client, json).await,
        Verb::Attach { name } => programs::attach(&client, name).await,
        Verb::Profile(args::Profile::Save(asked)) => profiles::save(&client, asked).await,
        Verb::Serve { .. } | Verb::Profile(_) | Verb::Doctor(_) | Verb::Token(_) => {
            unreachable!("these do not ask the daemon")
        }
        Verb::Completions { .. } | Verb::Man { .. } => unreachable!("nor do these"),
    }
}
