//! `doctor`: is everything there that agents need? What agentmuxd finds by itself, and what the running daemon says.

use std::cmp::Ordering;

use agentmux_api::doctor::{Check, CheckStatus, Doctor};
use agentmux_api::{Agent, Agents, Readyz};
use agentmux_core::agent::compare_versions;

use crate::client::Client;
use crate::daemon::Daemon;
use crate::ending::{Ending, Failed, Status};
use crate::output::{self, Text, Tone};
use crate::programs;
use crate::progress::Progress;

/// How long the daemon may take to ask all agents for their versions.
const VERSIONS: f64 = 60.0;

/// What the daemon says of itself, and of the agents.
pub(crate) async fn ask() -> (Check, Option<Agents>) {
    let client = match Daemon::find(|name| std::env::var(name).ok()) {
        Ok(daemon) => Client::new(daemon),
        Err(failed) => return (Check::fail("daemon", failed.sentence(), "see the state folder"), None),
    };
    if let Err(nobody) = client.reach().await {
        let hint =
            "the agents are looked for without it, as a daemon would that is not started from a terminal";
        return (Check::warn("daemon", nobody.sentence(), hint), None);
    }
    let ready = client.get::<Readyz>("/readyz", 0.0).await;
    let agents = match ready {
        Ok(_) => {
            let progress = Progress::new("asking the agents for their versions");
            progress.during(client.get::<Agents>("/agents?versions=true", VERSIONS)).await
        }
        Err(failed) => Err(failed),
    };
    match agents {
        Ok(agents) => {
            let found = format!("ready at http://{}", client.daemon().authority());
            (Check::ok("daemon", found), Some(agents))
        }
        Err(failed) => (Check::fail("daemon", failed.sentence(), "its log says more: agentmux.log"), None),
    }
}

/// Puts together what the daemon said and what agentmuxd finds by itself, and prints it.
pub(crate) fn report((daemon, agents): (Check, Option<Agents>), json: bool) -> Result<Ending, Failed> {
    let own = programs::look(agents.is_none());
    let (mut checks, found) = match own {
        Ok(doctor) => (doctor.checks, doctor.agents),
        Err(failed) => {
            let hint = "install agentmuxd beside agentmux, of the same version";
            (vec![Check::fail("agentmuxd", failed.sentence(), hint)], None)
        }
    };
    checks.push(daemon);
    let agents = agents.or(found);
    checks.extend(agents.iter().flat_map(of_agents));
    let ok = checks.iter().all(|check| check.status != CheckStatus::Fail);
    let doctor = Doctor { ok, checks, agents };
    output::told(json, &doctor, || text(&doctor.checks))?;
    Ok(if ok { Ending::DONE } else { Ending::silent(Status::Error) })
}

fn of_agents(agents: &Agents) -> Vec<Check> {
    let environment = &agents.environment;
    let found = format!("agents get that of {}", environment.origin);
    let environment = match &environment.problem {
        None => Check::ok("environment", found),
        Some(_) => {
            let hint =
                "mend your profile files, then `agentmux agents --refresh`; or set AGENTMUX_LOGIN_ENV=never";
            Check::warn("environment", found, hint)
        }
    };
    let each = agents.agents.iter().map(|agent| of_agent(agent, agent.name == agents.default));
    std::iter::once(environment).chain(each).collect()
}

fn of_agent(agent: &Agent, default: bool) -> Check {
    let Some(program) = &agent.program else {
        let found = format!("{} is not found", agent.command.first().map_or("", String::as_str));
        let hint = "it is the default agent: install it, or choose another one with AGENTMUX_AGENT";
        return match default {
            true => Check::fail(&agent.name, found, hint),
            false => Check { status: CheckStatus::Absent, ..Check::ok(&agent.name, found) },
        };
    };
    let mut notes =
        vec![agent.version.clone().unwrap_or_else(|| "version unknown".to_owned()), program.clone()];
    let mut hints = Vec::new();
    if let Some(problem) = &agent.problem {
        hints.push(format!("{problem}; start it once by hand"));
    }
    if agent.checked.is_some() {
        notes.push(format!("read by {}", agent.signals.join(" and ")));
    }
    if let Some(by) = &agent.login.by {
        notes.push(format!("logged in: {by}"));
    }
    if agent.login.found == Some(false) {
        notes.push("no login found".to_owned());
        hints.push("log in, unless it keeps its login elsewhere (a keychain)".to_owned());
    }
    if let Some((hint, checked)) = other_version(agent) {
        notes.push(format!("{hint} than {checked}, with which its profile was checked"));
        hints.push("where its screen is misread, see docs/profiles.md".to_owned());
    }
    let found = notes.join(", ");
    match hints.as_slice() {
        [] => Check::ok(&agent.name, found),
        hints => Check::warn(&agent.name, found, &hints.join("; ")),
    }
}

fn other_version(agent: &Agent) -> Option<(&'static str, &str)> {
    let (version, checked) = agent.version.as_deref().zip(agent.checked.as_deref())?;
    match compare_versions(version, checked)? {
        Ordering::Less => Some(("older", checked)),
        Ordering::Equal => None,
        Ordering::Greater => Some(("newer", checked)),
    }
}

fn text(checks: &[Check]) -> Text {
    let row = |check: &Check| {
        let (tone, word) = match check.status {
            CheckStatus::Ok => (Tone::Good, "ok"),
            CheckStatus::Warn => (Tone::Asks, "warn"),
            CheckStatus::Fail => (Tone::Bad, "fail"),
            CheckStatus::Absent => (Tone::Plain, "-"),
        };
        let found =
            [Text::toned(tone, word), check.name.as_str().into(), output::on_one_line(&check.found).into()];
        let hint = check.hint.iter().map(|hint| ["".into(), "".into(), format!("  {hint}").into()]);
        std::iter::once(found).chain(hint).collect::<Vec<_>>()
    };
    output::aligned(checks.iter().flat_map(row))
}

#[cfg(test)]
mod tests {
    use agentmux_api::Login;

    use super::*;

    fn agent(program: Option<&str>, version: Option<&str>, login: Option<bool>) -> Agent {
        Agent {
            name: "claude".to_owned(),
            origin: "built in".to_owned(),
            command: vec!["claude".to_owned()],
            program: program.map(str::to_owned),
            version: version.map(str::to_owned),
            checked: Some("2.1.330".to_owned()),
            signals: vec!["title".to_owned(), "screen".to_owned()],
            problem: None,
            login: Login {
                found: login,
                by: login.filter(|found| *found).map(|_| "variable KEY".to_owned()),
            },
        }
    }

    #[test]
    fn an_agent_is_told_with_what_is_to_be_done() {
        let file = Some("/bin/claude");
        for (agent, default, status, part) in [
            (
                agent(file, Some("2.1.330"), Some(true)),
                true,
                CheckStatus::Ok,
                "2.1.330, /bin/claude, read by title and screen, logged in: variable KEY",
            ),
            (agent(file, Some("2.1.330"), None), true, CheckStatus::Ok, "2.1.330, /bin/claude"),
            (agent(file, Some("2.2.0"), Some(true)), false, CheckStatus::Warn, "newer than 2.1.330"),
            (agent(file, Some("2.0.9"), Some(true)), false, CheckStatus::Warn, "older than 2.1.330"),
            (agent(file, Some("2.1.330"), Some(false)), false, CheckStatus::Warn, "no login found"),
            (agent(None, None, None), false, CheckStatus::Absent, "claude is not found"),
            (agent(None, None, None), true, CheckStatus::Fail, "claude is not found"),
        ] {
            let check = of_agent(&agent, default);
            assert_eq!(check.status, status, "{check:?}");
            assert!(check.found.contains(part), "{check:?}");
            assert_eq!(
                check.hint.is_some(),
                matches!(status, CheckStatus::Warn | CheckStatus::Fail),
                "{check:?}"
            );
        }
    }

    #[test]
    fn lines_are_aligned_and_hints_stand_below() {
        let checks = [Check::ok("tmux", "3.4"), Check::warn("daemon", "none", "start one")];
        let wanted = ["ok    tmux    3.4", "warn  daemon  none", "                start one"];
        assert_eq!(text(&checks).to_string(), wanted.join("\n"));
    }
}
