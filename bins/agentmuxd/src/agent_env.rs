//! The environment that agents get: the user's login shell's where the daemon was not started from a terminal, less
//! what belongs to the daemon, to tmux or to a shell.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agentmux_core::environment::{Environment, EnvironmentSource};

use crate::config::LoginEnv;
use crate::login_shell::{self, User, Variables};

/// Where programs are, for a daemon that was started with no PATH.
const SYSTEM: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// Where package managers put programs, and launchd, systemd and cron do not look.
const USUAL: [&str; 5] =
    ["/opt/homebrew/bin", "/usr/local/bin", "/opt/local/bin", "/home/linuxbrew/.linuxbrew/bin", "/snap/bin"];

/// The same below the home folder.
const USUAL_AT_HOME: [&str; 8] = [
    ".local/bin",
    "bin",
    ".npm-global/bin",
    ".bun/bin",
    ".cargo/bin",
    ".volta/bin",
    ".deno/bin",
    ".opencode/bin",
];

/// What a shell keeps for itself, what describes the terminal that the daemon was started from, and what a service
/// manager tells the daemon alone.
const NOT_THEIRS: [&str; 28] = [
    "_",
    "SHLVL",
    "PWD",
    "OLDPWD",
    "PS1",
    "PS2",
    "PS4",
    "PROMPT",
    "PROMPT_COMMAND",
    "SHELLOPTS",
    "BASHOPTS",
    "COLUMNS",
    "LINES",
    "TERM",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PID",
    "MANAGERPID",
    "SYSTEMD_EXEC_PID",
    "CREDENTIALS_DIRECTORY",
    "XPC_SERVICE_NAME",
];

/// PATH as it is, or the system's folders where it is missing or empty; then the usual folders that it lacks.
pub(crate) fn path_with_usual(given: Option<&OsStr>, home: &Path) -> OsString {
    let given = given.filter(|path| !path.is_empty()).unwrap_or(OsStr::new(SYSTEM));
    let mut folders: Vec<PathBuf> = std::env::split_paths(given).collect();
    let at_home = USUAL_AT_HOME.iter().map(|folder| home.join(folder));
    for folder in at_home.chain(USUAL.iter().map(PathBuf::from)) {
        if folder.is_dir() && !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    // A folder with a colon in its name cannot be in a PATH.
    std::env::join_paths(folders).unwrap_or_else(|_| given.to_owned())
}

/// Finds the environment out now, and whenever it is asked for again. Needs a runtime.
pub(crate) fn source(login: LoginEnv, program: &Path, home: &Path) -> EnvironmentSource {
    let own = Own {
        variables: std::env::vars_os().filter(|(name, _)| is_theirs(name)).collect(),
        program: program.to_owned(),
        home: home.to_owned(),
        unasked: unasked(login),
    };
    let own = Arc::new(own);
    EnvironmentSource::found_by(move || {
        let own = own.clone();
        async move { own.find().await }
    })
}

/// Why the login shell is not asked.
fn unasked(login: LoginEnv) -> Option<&'static str> {
    match login {
        LoginEnv::Always => None,
        LoginEnv::Never => Some("the daemon (AGENTMUX_LOGIN_ENV is never)"),
        LoginEnv::Auto => is_from_terminal().then_some("the daemon, which was started from a terminal"),
    }
}

/// Whether somebody started this in a terminal, where their shell has made the environment already.
fn is_from_terminal() -> bool {
    std::io::stdin().is_terminal() || std::io::stdout().is_terminal() || std::io::stderr().is_terminal()
}

/// What the daemon has of its own.
struct Own {
    variables: Variables,
    program: PathBuf,
    home: PathBuf,
    unasked: Option<&'static str>,
}

impl Own {
    async fn find(&self) -> Environment {
        if let Some(origin) = self.unasked {
            return self.environment(self.variables.clone(), origin.to_owned(), None);
        }
        let user = User::this().await;
        let set = self.variables.get(OsStr::new("SHELL")).filter(|shell| !shell.is_empty());
        let shell = set.map(PathBuf::from).or_else(|| user.as_ref().map(|user| user.shell.clone()));
        let shell = shell.unwrap_or_else(|| "/bin/sh".into());
        let variables = self.completed(user, &shell);
        let shown = format!("the login shell {}", shell.display());
        match login_shell::ask(&shell, &variables, &self.home, &self.program).await {
            Ok(found) => {
                log::info!("agents get the environment of {shown}");
                let theirs = found.into_iter().filter(|(name, _)| is_theirs(name)).collect();
                self.environment(theirs, shown, None)
            }
            Err(why) => {
                let problem = format!("{shown} {why}");
                log::warn!("{problem}; agents get the daemon's environment, and the usual folders in PATH");
                self.environment(variables, format!("the daemon, because {problem}"), Some(problem))
            }
        }
    }

    /// With what a login sets before it starts the shell, where the daemon lacks it.
    fn completed(&self, user: Option<User>, shell: &Path) -> Variables {
        let mut variables = self.variables.clone();
        let mut default = |name: &str, value: OsString| {
            variables.entry(name.into()).or_insert(value);
        };
        default("HOME", self.home.clone().into());
        default("SHELL", shell.into());
        default("PATH", SYSTEM.into());
        if let Some(user) = user {
            default("USER", user.name.clone().into());
            default("LOGNAME", user.name.into());
        }
        variables
    }

    /// Their PATH ends with the folder of the daemon's program: the demo agent is in it.
    fn environment(&self, mut variables: Variables, origin: String, problem: Option<String>) -> Environment {
        let given = variables.get(OsStr::new("PATH")).filter(|path| !path.is_empty());
        let path = match (given, &problem) {
            (Some(path), None) => path.clone(),
            (path, _) => path_with_usual(path.map(OsString::as_os_str), &self.home),
        };
        let own = self.program.parent().map(Path::to_owned);
        let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(own).collect();
        variables.insert("PATH".into(), std::env::join_paths(folders).unwrap_or(path));
        Environment { variables, origin, problem }
    }
}

fn is_theirs(name: &OsStr) -> bool {
    let begins = |prefix: &str| name.as_bytes().starts_with(prefix.as_bytes());
    !(begins("AGENTMUX_") || begins("TMUX") || NOT_THEIRS.iter().any(|not| name == *not))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_shell_internals_stay_here() {
        let given = [
            "AGENTMUX_TOKEN",
            "TMUX",
            "TMUX_PANE",
            "_",
            "SHLVL",
            "PWD",
            "TERM",
            "NOTIFY_SOCKET",
            "HOME",
            "API_KEY",
            "PATH",
            "BASH_FUNC_module%%",
            "TERMINFO",
        ];
        let theirs: Vec<_> = given.into_iter().filter(|name| is_theirs(OsStr::new(name))).collect();
        assert_eq!(theirs, ["HOME", "API_KEY", "PATH", "BASH_FUNC_module%%", "TERMINFO"]);
    }

    #[test]
    fn the_usual_folders_are_behind_those_of_the_path() {
        let home = tempfile::tempdir().unwrap();
        let local = home.path().join(".local/bin");
        std::fs::create_dir_all(&local).unwrap();
        let path = |given: &str| path_with_usual(Some(OsStr::new(given)), home.path()).into_string().unwrap();
        let local = local.to_str().unwrap();
        assert!(path("/x").starts_with(&format!("/x:{local}")));
        assert!(path("").starts_with(&format!("{SYSTEM}:{local}")));
        assert_eq!(path(&format!("{local}:/x")).matches(local).count(), 1);
    }

    #[test]
    fn the_path_ends_with_our_own_folder() {
        let own = Own {
            variables: Variables::new(),
            program: "/opt/amx/agentmuxd".into(),
            home: "/nonexistent".into(),
            unasked: None,
        };
        let given = Variables::from([("PATH".into(), "/bin:/x".into())]);
        let environment = own.environment(given, String::new(), None);
        assert_eq!(environment.path(), Some(OsStr::new("/bin:/x:/opt/amx")));
    }
}
