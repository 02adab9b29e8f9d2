//! The environment that agents get from a daemon that was started as launchd, systemd and cron do it: with hardly any.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{AGENTMUXD, Client, Daemon, Setup, eventually, is_alive, mentioning, signal};

const SECRET: &str = "daemon-secret-0123456789abcdef";

/// A daemon that was started with a poor PATH and a secret of its own, and asks this shell.
fn poor(shell: &str) -> Setup {
    let setup = Setup::new().env("AGENTMUX_LOGIN_ENV", "auto").env("PATH", "/usr/bin:/bin");
    setup.env("AGENTMUX_TOKEN", SECRET).env("SHELL", shell).env("AGENTMUX_REPL_CMD", "my-agent")
}

/// With an agent in a folder that only the profile files know.
fn with_agent_in(setup: Setup, folder: &str) -> Setup {
    let log = setup.file("agent.log");
    setup.script(
        &format!("{folder}/my-agent"),
        &format!("exec '{AGENTMUXD}' demo-agent --log '{}'", log.display()),
    )
}

/// What a login shell of that kind reads, first and last.
struct Dialect {
    shells: &'static [&'static str],
    profile: &'static str,
    text: &'static str,
    farewell: (&'static str, &'static str),
}

const SH: &str = "echo 'Welcome! amx0 \\0'; export PATH=\"$HOME/tools:$PATH\" API_KEY=user-key
export ODD=\"$(printf 'one\\ntwo=\\377')\"; set -x\n";

const DIALECTS: [Dialect; 4] = [
    Dialect { shells: &["/bin/sh", "/bin/ksh", "/usr/bin/ksh"], profile: ".profile", text: SH, farewell: ("x", "") },
    Dialect {
        shells: &["/bin/bash", "/usr/bin/bash", "/bin/zsh", "/usr/bin/zsh"],
        profile: ".bash_profile",
        text: SH,
        farewell: (".bash_logout", "echo Bye"),
    },
    Dialect {
        shells: &["/usr/bin/fish", "/opt/homebrew/bin/fish", "/usr/local/bin/fish"],
        profile: ".config/fish/config.fish",
        text: "echo Welcome!
set -gx PATH $HOME/tools $PATH; set -gx API_KEY user-key; set -gx ODD (printf 'one\\ntwo=\\377' | string collect)
function bye --on-event fish_exit; echo Bye; end\n",
        farewell: ("x", ""),
    },
    Dialect {
        shells: &["/bin/tcsh", "/usr/bin/tcsh", "/bin/csh"],
        profile: ".login",
        text: "echo 'Welcome\\!'; setenv PATH \"$HOME/tools:$PATH\"; setenv API_KEY user-key
setenv ODD \"`printf 'one two=\\377'`\"\n",
        farewell: (".logout", "echo Bye"),
    },
];

/// Starts an agent below that shell, and looks at what it has.
fn check(shell: &str, dialect: &Dialect) {
    let setup = with_agent_in(poor(shell), "tools").write(dialect.profile, dialect.text);
    let setup = setup.write(".zprofile", dialect.text).write(".zlogout", "echo Bye");
    let setup = setup.write(dialect.farewell.0, dialect.farewell.1);
    // No quoting of this path is right in all shells.
    let daemon = setup.installed_at("a b'c!d $x/agentmuxd").start();
    let origin = daemon.get("/agents").ok()["environment"].clone();
    assert_eq!(
        (&origin["origin"], &origin["problem"]),
        (&json!(format!("the login shell {shell}")), &Value::Null)
    );
    assert_eq!(
        daemon.post("/run", json!({"text": "PONG", "name": "a", "wait": 60})).ok()["turn"]["reply"],
        "PONG"
    );

    let tmux = daemon.tmux();
    assert_eq!(mentioning(SECRET), [], "ps shows it");
    assert_eq!(mentioning("user-key"), [], "ps shows it");
    let global = tmux.run(&["show-environment", "-g"]) + &tmux.run(&["show-environment", "-t", "=a"]);
    assert!(!global.contains(SECRET) && !global.contains("user-key"), "{global}");
    let Ok(environ) = std::fs::read(format!("/proc/{}/environ", tmux.pane_pid("a"))) else { return };
    let variables: Vec<_> = environ.split(|byte| *byte == 0).collect();
    let value = |name: &str| {
        let sign = format!("{name}=");
        variables.iter().find_map(|entry| entry.strip_prefix(sign.as_bytes()))
    };
    let tools = [value("HOME").unwrap(), b"/tools:"].concat();
    assert!(value("PATH").unwrap().starts_with(&tools), "{}", environ.escape_ascii());
    assert_eq!(value("API_KEY").unwrap(), b"user-key");
    let odd = value("ODD").unwrap();
    assert!(odd.starts_with(b"one") && odd.ends_with(b"two=\xff"), "{}", odd.escape_ascii());
    assert!(!variables.iter().any(|entry| entry.ends_with(SECRET.as_bytes())), "{}", environ.escape_ascii());
    let ours = variables.iter().filter(|entry| entry.starts_with(b"AGENTMUX_") || entry.starts_with(b"TMUX"));
    assert_eq!(ours.collect::<Vec<_>>(), [b"AGENTMUX_SESSION=a"]);
}

/// Runs the check in each of the dialect's shells that is installed, once.
fn check_all(dialect: &Dialect) {
    let there: Vec<_> = dialect.shells.iter().filter(|shell| Path::new(shell).exists()).collect();
    let mut seen = Vec::new();
    for shell in &there {
        let file = std::fs::canonicalize(shell).unwrap();
        if !seen.contains(&file) {
            check(shell, dialect);
            seen.push(file);
        }
    }
    if there.is_empty() {
        eprintln!("skipped: none of {:?} is installed", dialect.shells);
    }
}

#[test]
fn a_login_shell_of_the_bourne_kind_gives_agents_the_users_environment() {
    check_all(&DIALECTS[0]);
}

#[test]
fn bash_and_zsh_give_agents_the_users_environment() {
    check_all(&DIALECTS[1]);
}

#[test]
fn fish_gives_agents_the_users_environment() {
    check_all(&DIALECTS[2]);
}

#[test]
fn tcsh_gives_agents_the_users_environment() {
    check_all(&DIALECTS[3]);
}

/// The daemon must say this in its log.
fn says(daemon: &Daemon, words: &str) {
    eventually(&format!("{words:?} in the log"), || {
        let log = std::fs::read_to_string(daemon.state().join("agentmux.log")).unwrap_or_default();
        log.contains(words).then_some(())
    });
}

#[test]
fn a_login_shell_that_hangs_is_ended_and_the_usual_folders_are_searched() {
    let setup = with_agent_in(poor("/bin/sh"), ".local/bin");
    let profile = format!("sleep 1000 & echo $! > '{}'; wait\n", setup.file("hung").display());
    let daemon = setup.write(".profile", &profile).start();
    // Nothing but what needs the environment waits for it.
    daemon.get("/health").ok();
    let pid = eventually("the shell hangs", || {
        std::fs::read_to_string(daemon.file("hung")).ok()?.trim().parse::<u32>().ok()
    });
    assert_eq!(daemon.run("PONG")["turn"]["reply"], "PONG");
    says(&daemon, "the login shell /bin/sh did not print its environment within 5 s");
    eventually("what it started is gone", || (!is_alive(pid)).then_some(()));
    let environment = daemon.get("/agents").ok()["environment"].clone();
    assert!(environment["problem"].as_str().unwrap().contains("within 5 s"), "{environment}");
}

#[test]
fn a_login_shell_that_fails_is_told_with_what_was_searched() {
    let daemon = poor("/bin/sh").write(".profile", "echo no; exit 1\n").start();
    let refused = daemon.post("/run", json!({"text": "x"})).refused_as(400, "invalid");
    let sentence = refused["error"].as_str().unwrap();
    for part in [
        "command \"my-agent\" was not found in PATH (/usr/bin:/bin:",
        ") of the daemon, because the login shell /bin/sh ended with exit status: 1",
    ] {
        assert!(sentence.contains(part), "{sentence}");
    }
    says(&daemon, "ended with exit status: 1");
    // An agent that is found all the same gets what the daemon has.
    let command = daemon.setup().demo("");
    assert_eq!(
        daemon.post("/run", json!({"text": "PONG", "command": command, "wait": 60})).ok()["turn"]["reply"],
        "PONG"
    );
}

#[test]
fn an_agent_that_was_installed_since_is_found() {
    let setup = with_agent_in(poor("/bin/sh"), "tools").write(".profile", "echo hello\n");
    let daemon = setup.start();
    let refused = daemon.post("/run", json!({"text": "x"})).refused_as(400, "invalid");
    assert!(refused["error"].as_str().unwrap().ends_with(") of the login shell /bin/sh"), "{refused}");
    std::fs::write(daemon.file(".profile"), SH).unwrap();
    assert_eq!(daemon.run("PONG")["turn"]["reply"], "PONG");

    let path = |environment: &Value| environment["environment"]["path"][0].as_str().unwrap().to_owned();
    std::fs::write(daemon.file(".profile"), format!("{SH}PATH=/opt:$PATH\n")).unwrap();
    assert_ne!(path(&daemon.get("/agents").ok()), "/opt", "what is known is kept");
    assert_eq!(path(&daemon.post("/agents/refresh", json!({})).ok()), "/opt");
    // What goes wrong later does not take away what was found.
    std::fs::write(daemon.file(".profile"), "exit 7\n").unwrap();
    let kept = daemon.post("/agents/refresh", json!({})).ok();
    assert_eq!(path(&kept), "/opt");
    assert!(kept["environment"]["problem"].as_str().unwrap().contains("exit status: 7"), "{kept}");
}

#[test]
fn a_daemon_that_stops_leaves_no_shell_behind() {
    let setup = poor("/bin/sh");
    let profile = format!("echo $$ > '{}'; sleep 1000\n", setup.file("hung").display());
    let mut daemon = setup.write(".profile", &profile).start();
    let pid = eventually("the shell hangs", || {
        std::fs::read_to_string(daemon.file("hung")).ok()?.trim().parse::<u32>().ok()
    });
    assert!(daemon.stop("TERM").success());
    eventually("the shell is gone", || (!is_alive(pid)).then_some(()));
}

#[test]
fn a_daemon_that_was_started_from_a_terminal_asks_no_shell() {
    // This token is on a command line, and that of the other tests must not be.
    let setup = poor("/bin/false").env("AGENTMUX_TOKEN", "another-token");
    let terminal = crate::harness::Tmux::on(&setup.file("terminal.sock"));
    let line = format!("exec {} '{AGENTMUXD}' 2>/dev/null", setup.assignments());
    terminal.run(&["new-session", "-d", "-s", "t", &line]);
    let about = eventually("daemon.json", || {
        let text = std::fs::read(setup.state().join("daemon.json")).ok()?;
        serde_json::from_slice::<Value>(&text).ok()
    });
    let port = about["url"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
    let agents = Client::new(port, Some("another-token".to_owned())).get("/agents").ok();
    let environment = &agents["environment"];
    assert_eq!(environment["origin"], "the daemon, which was started from a terminal", "{environment}");
    signal(u32::try_from(about["pid"].as_u64().unwrap()).unwrap(), "TERM");
}
