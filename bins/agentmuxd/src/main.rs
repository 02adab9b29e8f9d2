//! `agentmuxd`: reads the command line and the configuration, and does what they say.

mod agent_env;
mod check;
mod cli;
mod config;
mod demo;
mod doctor;
mod failure;
mod hook;
mod instance;
mod logging;
mod login_shell;
mod private;
mod serve;
mod signals;
mod token;

use std::io::{self, Write};
use std::process::ExitCode;

use check::Checked;
use cli::Command;
use config::{Config, ConfigError};

fn main() -> ExitCode {
    // An agent waits for it: nothing else comes first.
    if std::env::args_os().nth(1).is_some_and(|verb| verb == "hook") {
        hook::relay(std::env::args_os().skip(2));
        return ExitCode::SUCCESS;
    }
    match cli::parse(std::env::args_os().skip(1)) {
        Ok(Command::Serve) => serve(),
        Ok(Command::CheckConfig { json }) => check_config(json),
        Ok(Command::Doctor { agents }) => look(agents),
        Ok(Command::Version) => print(concat!("agentmuxd ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Command::Help) => print(cli::USAGE),
        Ok(Command::DemoAgent(args)) => demo::run(args),
        Ok(Command::Launch(file)) => {
            let status = agentmux_tmux::launch::exec(&file).report("agentmuxd");
            ExitCode::from(u8::try_from(status).unwrap_or(126))
        }
        Ok(Command::PrintEnv(mark)) => {
            login_shell::print_env(&mark).map_or_else(|error| refuse(&error, 71), |()| ExitCode::SUCCESS)
        }
        Ok(Command::NewSession { program, name, args }) => {
            let error = login_shell::new_session(&program, &name, &args);
            refuse(&format!("could not start {}: {error}", program.display()), 126)
        }
        Err(sentence) => refuse(&format!("{sentence}\n\n{}", cli::USAGE.trim_end()), 2),
    }
}

fn serve() -> ExitCode {
    let served = configure().map_err(Into::into).and_then(serve::run);
    served.map_or_else(|failure| refuse(&failure, failure.status()), |()| ExitCode::SUCCESS)
}

fn check_config(json: bool) -> ExitCode {
    let checked = Checked::new(configure());
    let text = if json {
        match serde_json::to_string(&checked) {
            Ok(document) => format!("{document}\n"),
            Err(error) => return refuse(&error, 71),
        }
    } else {
        checked.text()
    };
    print(&text);
    ExitCode::from(u8::from(!checked.ok))
}

fn look(agents: bool) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let document = runtime.and_then(|runtime| {
        let doctor = runtime.block_on(doctor::look(configure(), agents));
        serde_json::to_string(&doctor).map_err(Into::into)
    });
    document.map_or_else(|error| refuse(&error, 71), |text| print(&format!("{text}\n")))
}

fn configure() -> Result<Config, ConfigError> {
    let home = std::env::home_dir().filter(|home| home.is_absolute()).ok_or_else(ConfigError::no_home)?;
    Config::load(&|name| std::env::var_os(name), &home)
}

fn print(text: &str) -> ExitCode {
    // A reader that closed the pipe has seen what it wanted.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn refuse(why: &dyn std::fmt::Display, status: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "agentmuxd: {why}");
    ExitCode::from(status)
}
