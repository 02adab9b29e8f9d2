//! The environment that agents get: the daemon's own, less what belongs to the daemon, to tmux or to a shell.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where programs are, for a daemon that was started with no PATH (launchd does that).
const FOLDERS: &str = "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// What a shell keeps for itself, and what describes the terminal that the daemon was started from.
const NOT_THEIRS: [&str; 9] =
    ["_", "SHLVL", "PWD", "OLDPWD", "COLUMNS", "LINES", "TERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION"];

/// PATH as it is, or the usual folders where it is missing or empty.
pub(crate) fn path(given: Option<OsString>) -> OsString {
    given.filter(|path| !path.is_empty()).unwrap_or_else(|| FOLDERS.into())
}

/// The agents' environment. Their PATH ends with the folder of the daemon's program: the demo agent is in it.
pub(crate) fn for_agents(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    path: &OsStr,
    program: &Path,
) -> BTreeMap<OsString, OsString> {
    let mut env: BTreeMap<_, _> = variables.into_iter().filter(|(name, _)| is_theirs(name)).collect();
    let own = program.parent().map(Path::to_owned);
    let folders: Vec<PathBuf> = std::env::split_paths(path).chain(own).collect();
    // A folder with a colon in its name cannot be in a PATH.
    env.insert("PATH".into(), std::env::join_paths(folders).unwrap_or_else(|_| path.to_owned()));
    env
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
        let given =
            ["AGENTMUX_TOKEN", "TMUX", "TMUX_PANE", "_", "SHLVL", "PWD", "TERM", "HOME", "API_KEY", "PATH"];
        let given = given.map(|name| (OsString::from(name), OsString::from("x")));
        let env = for_agents(given, OsStr::new("/bin:/usr/bin"), Path::new("/opt/amx/agentmuxd"));
        let names: Vec<_> = env.keys().filter_map(|name| name.to_str()).collect();
        assert_eq!(names, ["API_KEY", "HOME", "PATH"]);
        assert_eq!(env[OsStr::new("PATH")], "/bin:/usr/bin:/opt/amx");
    }

    #[test]
    fn an_empty_path_becomes_the_usual_folders() {
        assert_eq!(path(Some("/x".into())), "/x");
        assert_eq!(path(Some("".into())), FOLDERS);
        assert_eq!(path(None), FOLDERS);
    }
}
