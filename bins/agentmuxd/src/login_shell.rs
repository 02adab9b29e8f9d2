//! The user's login shell, and the environment that it makes: under launchd, systemd and cron the daemon has
//! neither the user's PATH nor the keys that agents need.
//!
//! The shell runs its profile files as in a new terminal, and then `agentmuxd print-env MARK`, which prints the
//! environment between two marks: whatever else is printed does not matter. It has no terminal, no input, and a
//! session of its own: in the background of a terminal's session an interactive shell would be stopped.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agentmux_core::program::{NoAnswer, Question};

/// How long the profile files may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// By this variable a shell finds the daemon's program whatever its path is: no quoting is right in all shells.
/// Profile files can leave slow things out where it is set.
const PROGRAM: &str = "AGENTMUX_PRINT_ENV";

/// Variables by name.
pub(crate) type Variables = BTreeMap<OsString, OsString>;

/// A user as the system knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) shell: PathBuf,
}

impl User {
    /// The one that this process belongs to.
    pub(crate) async fn this() -> Option<Self> {
        let uid = rustix::process::getuid().as_raw().to_string();
        let local = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        if let Some(user) = Self::in_entries(&local, &uid) {
            return Some(user);
        }
        // A directory service: macOS keeps all people in one.
        let questions: [(&str, &[&str]); 2] =
            [("/usr/bin/getent", &["passwd", &uid]), ("/usr/bin/id", &["-P"])];
        for (program, args) in questions {
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            let question = Question {
                program: Path::new(program),
                args: &args,
                env: &Variables::new(),
                workdir: Path::new("/"),
                patience: PATIENCE,
                new_group: true,
            };
            let Ok(answer) = question.ask(|_| false).await else { continue };
            if let Some(user) = Self::in_entries(&String::from_utf8_lossy(&answer.stdout), &uid) {
                return Some(user);
            }
        }
        None
    }

    /// The entry of that number. In all forms of it the name is first, the number third, and the shell last.
    fn in_entries(text: &str, uid: &str) -> Option<Self> {
        let mut entries = text.lines().map(|line| line.trim_end().split(':').collect::<Vec<_>>());
        let entry = entries.find(|fields| fields.len() >= 7 && fields[2] == uid)?;
        let shell = entry.last().filter(|shell| shell.starts_with('/'))?;
        Some(Self { name: entry[0].to_owned(), shell: shell.into() })
    }
}

/// The environment that the shell makes of `variables`, in which this `program` is to be run by it.
///
/// # Errors
/// What went wrong, as it reads after the shell's name.
pub(crate) async fn ask(
    shell: &Path,
    variables: &Variables,
    home: &Path,
    program: &Path,
) -> Result<Variables, String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| format!("was not asked: no random mark: {error}"))?;
    let mark = random.iter().fold("amx".to_owned(), |mark, byte| format!("{mark}{byte:02x}"));
    let mut args: Vec<OsString> = vec!["new-session".into()];
    args.extend(shell_line(shell, &format!("{} print-env {mark}", word(program))));
    let mut env = variables.clone();
    env.insert(PROGRAM.into(), program.into());
    let question =
        Question { program, args: &args, env: &env, workdir: home, patience: PATIENCE, new_group: false };
    let answer = question.ask(|output| parse(output, &mark).is_some()).await;
    let answer = answer.map_err(|why| match why {
        NoAnswer::TimedOut(time) => format!("did not print its environment within {} s", time.as_secs()),
        other => other.to_string(),
    })?;
    parse(&answer.stdout, &mark).ok_or_else(|| match answer.status {
        Some(status) => format!("ended with {status} and did not print its environment"),
        None => "closed its output and did not print its environment".to_owned(),
    })
}

/// The program as a word of any shell's language.
fn word(program: &Path) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    match program.to_str() {
        Some(text) if text.chars().all(plain) => text.to_owned(),
        _ => format!("\"${PROGRAM}\""),
    }
}

/// The shell's file, its name for itself, and its arguments: an interactive login shell that runs one line.
fn shell_line(shell: &Path, line: &str) -> Vec<OsString> {
    let name = shell.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let mut words: Vec<OsString> = vec![shell.into()];
    match name {
        // They take -l alone only; to be a login shell they have to be called so.
        "csh" | "tcsh" => words.extend([format!("-{name}").into(), "-i".into(), "-c".into()]),
        _ => words.extend([shell.into(), "-i".into(), "-l".into(), "-c".into()]),
    }
    words.push(line.into());
    words
}

/// The variables between the marks, once both are there.
fn parse(output: &[u8], mark: &str) -> Option<Variables> {
    let mark = mark.as_bytes();
    let begin = output.windows(mark.len() + 1).position(|at| at.starts_with(mark) && at.ends_with(b"\0"))?;
    let mut variables = Variables::new();
    let mut entries = output[begin + mark.len() + 1..].split_inclusive(|byte| *byte == 0);
    loop {
        let entry = entries.next()?.strip_suffix(b"\0")?;
        if entry == mark {
            return Some(variables);
        }
        let sign = entry.iter().position(|byte| *byte == b'=').unwrap_or(entry.len());
        let (name, value) = entry.split_at(sign);
        let value = value.strip_prefix(b"=").unwrap_or_default();
        variables.insert(OsString::from_vec(name.to_vec()), OsString::from_vec(value.to_vec()));
    }
}

/// Prints this process's environment between two marks.
pub(crate) fn print_env(mark: &OsStr) -> io::Result<()> {
    let mut text = [mark.as_bytes(), b"\0"].concat();
    for (name, value) in std::env::vars_os() {
        text.extend([name.as_bytes(), b"=", value.as_bytes(), b"\0"].concat());
    }
    text.extend([mark.as_bytes(), b"\0"].concat());
    let mut stdout = io::stdout();
    stdout.write_all(&text)?;
    stdout.flush()
}

/// Becomes a program in a session of its own; returns only where that fails.
pub(crate) fn new_session(program: &OsStr, name: &OsStr, args: &[OsString]) -> io::Error {
    if let Err(error) = rustix::process::setsid() {
        return error.into();
    }
    #[expect(clippy::disallowed_methods, reason = "this process becomes the shell")]
    std::process::Command::new(program).arg0(name).args(args).exec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &[u8])]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).into(), OsString::from_vec(value.to_vec()))).collect()
    }

    #[test]
    fn what_stands_between_the_marks_is_the_environment() {
        let wanted = variables(&[("A", b"b=c\nd"), ("B", b"\xff")]);
        for (output, found) in [
            (&b"noise m print-env m\nm\0A=b=c\nd\0B=\xff\0m\0more m\0"[..], Some(wanted)),
            (b"m\0m\0", Some(Variables::new())),
            (b"m\0A=b\0", None),
            (b"m\0A=b\0m", None),
            (b"m\0A=m\0", None),
            (b"mm", None),
            (b"", None),
        ] {
            assert_eq!(parse(output, "m"), found, "{}", output.escape_ascii());
        }
    }

    #[test]
    fn a_user_is_found_by_number_in_any_form_of_entry() {
        let text =
            "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000:A. Nn,,,:/home/ann:/usr/bin/zsh\nodd:x:7\n";
        let user = |name: &str, shell: &str| Some(User { name: name.to_owned(), shell: shell.into() });
        assert_eq!(User::in_entries(text, "1000"), user("ann", "/usr/bin/zsh"));
        assert_eq!(User::in_entries(text, "7"), None);
        let mac = "bob:********:501:20::0:0:Bob B:/Users/bob:/bin/zsh\n";
        assert_eq!(User::in_entries(mac, "501"), user("bob", "/bin/zsh"));
        assert_eq!(User::in_entries("x:x:1:1:::\n", "1"), None);
    }

    #[test]
    fn a_path_that_would_need_quotes_is_passed_as_a_variable() {
        assert_eq!(word(Path::new("/opt/agent-mux_1.0/agentmuxd")), "/opt/agent-mux_1.0/agentmuxd");
        for odd in ["/a b/x", "/a'b", "/a!b", "/a$b", "/ä"] {
            assert_eq!(word(Path::new(odd)), "\"$AGENTMUX_PRINT_ENV\"", "{odd}");
        }
    }
}
