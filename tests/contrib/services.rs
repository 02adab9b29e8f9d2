//! The systemd unit, the LaunchAgent and the crontab.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::{Value, json};

use super::{contrib, has};
use crate::client::program;
use crate::harness::{AGENTMUXD, Setup, eventually, is_alive, signal};

/// The settings of the unit, without comments and headings.
fn unit() -> Vec<String> {
    let text = fs::read_to_string(contrib("agentmux.service")).unwrap();
    let lines = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    lines.map(str::to_owned).collect()
}

fn plist() -> Value {
    let read = "import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
    let output =
        Command::new("python3").args(["-c", read, &contrib("macos-launchagent.plist")]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    if !has("systemd-analyze") {
        return;
    }
    let setup = Setup::new().installed_at(".cargo/bin/agentmuxd");
    let mut verify = Command::new("systemd-analyze");
    verify.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", setup.file(""));
    verify.env("XDG_RUNTIME_DIR", setup.file("")).args(["--user", "verify", &contrib("agentmux.service")]);
    let output = verify.output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn a_restart_by_systemd_spares_the_agents_and_nothing_is_kept_from_them() {
    let unit = unit();
    for line in ["KillMode=process", "OOMPolicy=continue", "Restart=on-failure", "WantedBy=default.target"] {
        assert!(unit.iter().any(|other| other == line), "{line}");
    }
    // In a user's unit each of these sets NoNewPrivileges, hides a part of the system, or is inherited by the agents.
    let kept_from_them = [
        "NoNewPrivileges",
        "Protect",
        "Private",
        "RestrictNamespaces",
        "RestrictRealtime",
        "RestrictSUIDSGID",
        "RestrictAddressFamilies",
        "Lock",
        "SystemCall",
        "Capability",
        "Limit",
        "UMask",
    ];
    let is_one = |line: &&String| kept_from_them.iter().any(|name| line.starts_with(name));
    assert_eq!(unit.iter().find(is_one), None);
}

#[test]
fn systemd_does_not_repeat_what_a_restart_does_not_mend() {
    let unit = unit();
    let prevented = unit.iter().find_map(|line| line.strip_prefix("RestartPreventExitStatus=")).unwrap();
    let prevented: Vec<i32> = prevented.split(' ').map(|status| status.parse().unwrap()).collect();
    let daemon = Setup::new().start();
    let second = daemon.setup().refused().status.code().unwrap();
    let wrong = Setup::new().env("AGENTMUX_PORT", "x").refused().status.code().unwrap();
    let usage = Command::new(AGENTMUXD).arg("--no-such").output().unwrap().status.code().unwrap();
    assert_eq!(prevented, [usage, second, wrong]);
}

#[test]
fn no_token_is_in_a_service_file() {
    for file in ["agentmux.service", "macos-launchagent.plist", "agentmux.cron"] {
        let text = fs::read_to_string(contrib(file)).unwrap();
        assert!(!text.contains("AGENTMUX_TOKEN"), "{file}");
    }
}

#[test]
fn the_launch_agent_says_what_launchd_has_to_know() {
    let plist = plist();
    for (key, value) in [
        ("Label", json!("com.yourname.agentmux")),
        ("RunAtLoad", json!(true)),
        ("KeepAlive", json!({"SuccessfulExit": false})),
        ("AbandonProcessGroup", json!(true)),
        ("LimitLoadToSessionType", json!("Aqua")),
        ("ProcessType", json!("Interactive")),
        ("ThrottleInterval", json!(30)),
        ("Umask", json!(0o022)),
        ("SoftResourceLimits", json!({"NumberOfFiles": 10_240})),
    ] {
        assert_eq!(plist[key], value, "{key}");
    }
}

#[test]
fn the_launch_agents_command_becomes_the_daemon_and_logs_below_the_home() {
    let setup =
        Setup::new().installed_at(".cargo/bin/agentmuxd").env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
    let plist = plist();
    let words: Vec<_> =
        plist["ProgramArguments"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let start = format!("exec {} \"$@\"", setup.assignments());
    let mut process = Command::new("/bin/sh").args(["-c", &start, "sh"]).args(words).spawn().unwrap();
    let log = setup.file("Library/Logs/agentmuxd.log");
    let said = eventually("the daemon listens", || {
        fs::read_to_string(&log).ok().filter(|text| text.ends_with('\n'))
    });
    assert!(said.contains("bridge started"), "{said}");
    signal(process.id(), "TERM");
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

#[test]
fn the_launch_agents_command_says_that_the_daemon_is_not_installed() {
    if ["/opt/homebrew/bin/agentmuxd", "/usr/local/bin/agentmuxd"]
        .iter()
        .any(|path| fs::exists(path).unwrap())
    {
        eprintln!("SKIPPED: agentmuxd is installed on this machine");
        return;
    }
    let setup = Setup::new();
    let plist = plist();
    let script = plist["ProgramArguments"][2].as_str().unwrap();
    let status = Command::new("/bin/sh").args(["-c", script]).env("HOME", setup.file("")).status().unwrap();
    assert_eq!(status.code(), Some(78));
    let said = fs::read_to_string(setup.file("Library/Logs/agentmuxd.log")).unwrap();
    assert!(said.contains("neither in ~/.cargo/bin"), "{said}");
}

type Pairs = Vec<(String, String)>;

/// The table's variables, and the commands with what stands before them.
fn crontab() -> (Pairs, Pairs) {
    let text = fs::read_to_string(contrib("agentmux.cron")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (times, variables): (Vec<_>, Vec<_>) =
        lines.partition(|line| line.starts_with(|c: char| c == '@' || c == '*' || c.is_ascii_digit()));
    let variable = |line: &str| {
        let (name, value) = line.split_once('=').unwrap();
        (name.to_owned(), value.trim_matches('"').to_owned())
    };
    let command = |line: &str| {
        let fields = if line.starts_with('@') { 1 } else { 5 };
        let end = line.match_indices(' ').nth(fields - 1).unwrap().0;
        (line[..end].to_owned(), line[end..].trim().to_owned())
    };
    (variables.into_iter().map(variable).collect(), times.into_iter().map(command).collect())
}

#[test]
fn the_crontabs_lines_do_their_jobs_in_crons_environment() {
    if !has("flock") {
        return;
    }
    let setup = Setup::new().installed_at(".cargo/bin/agentmuxd");
    let home = setup.file("");
    symlink(setup.state(), home.join(".agentmux")).unwrap();
    symlink(program(), home.join(".cargo/bin/agentmux")).unwrap();
    symlink(contrib(".."), home.join("agentmux")).unwrap();
    let setup =
        setup.write("jobs/review.md", "PONG\n").write("jobs/news.md", "FAIL\nPONG\n").write("project/x", "");
    let (variables, commands) = crontab();
    let run = |command: &str| {
        assert!(!command.replace("\\%", "").contains('%'), "cron takes % for a line feed: {command}");
        let mut cron = Command::new("/bin/sh");
        cron.env_clear().envs(variables.iter().cloned()).env("HOME", &home).args(["-c", command]);
        cron
    };
    assert_eq!(commands[0].0, "@reboot");
    let reboot = format!(
        "{} AGENTMUX_CONFIG_FILE= {}",
        setup.assignments(),
        commands[0].1.replace("$HOME", home.to_str().unwrap())
    );
    let mut daemon = run(&format!("exec {reboot}")).process_group(0).spawn().unwrap();
    eventually("the daemon listens", || {
        fs::exists(home.join(".agentmux/daemon.json")).unwrap().then_some(())
    });
    let mailed = run(&commands[1].1).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&mailed.stdout), "PONG\n", "{mailed:?}");
    let mailed = run(&commands[2].1).output().unwrap();
    assert_eq!((mailed.status.code(), &*mailed.stdout, &*mailed.stderr), (Some(0), &b""[..], &b""[..]));
    assert!(fs::read_to_string(home.join("news.txt")).unwrap().contains("PONG"));
    assert!(is_alive(daemon.id()));
    signal(daemon.id(), "TERM");
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
}
