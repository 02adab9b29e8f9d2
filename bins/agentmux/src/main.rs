//! The command-line client of agentmuxd.
//!
//! A verb (`args`) is carried out (`sessions`, `session`, `turns`, `question`, `events`, `programs`, `profiles`, `generated`), mostly by a
//! question to the daemon (`daemon` finds it, `client` asks), and ends with a status and a sentence (`ending`).

mod args;
mod client;
mod daemon;
mod doctor;
mod ending;
mod events;
mod generated;
mod output;
mod patience;
mod profiles;
mod programs;
mod prompt;
mod question;
mod session;
mod sessions;
mod sse;
mod turns;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Verb};
use client::Client;
use ending::{Ending, Failed, Status};

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
        Verb::Completions { shell } => generated::completions(shell),
        Verb::Man { folder } => generated::manual(&folder),
        verb => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| Failed::new(format!("could not start: {error}")))?;
            runtime.block_on(unless_interrupted(ask_daemon(verb)))
        }
    }
}

/// The daemon goes on with what it was asked, whether or not somebody waits for the answer.
async fn unless_interrupted(verb: impl Future<Output = Result<Ending, Failed>>) -> Result<Ending, Failed> {
    tokio::select! {
        ended = verb => ended,
        Ok(()) = tokio::signal::ctrl_c() => Ok(Ending::because(Status::Interrupted, "interrupted")),
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
        Verb::Idle(_) => sessions::idle(&client, json).await,
        Verb::Capture(capture) => sessions::capture(&client, &capture, json).await,
        Verb::Key(key) => sessions::key(&client, key, json).await,
        Verb::Kill(kill) => sessions::kill(&client, kill, json).await,
        Verb::Cleanup(_) => sessions::cleanup(&client, json).await,
        Verb::Restart(_) => sessions::restart(&client, json).await,
        Verb::Attach { name } => programs::attach(&client, name).await,
        Verb::Profile(args::Profile::Save(asked)) => profiles::save(&client, asked).await,
        Verb::Serve { .. }
        | Verb::Profile(_)
        | Verb::Doctor(_)
        | Verb::Completions { .. }
        | Verb::Man { .. } => {
            unreachable!("these do not ask the daemon")
        }
    }
}
