//! Launch files: how a program's argv, folder and environment get into a pane without standing in tmux's
//! arguments, where every user of the machine can read them and tmux allows 16 KB.
//!
//! [`Tmux`](crate::Tmux) writes the file and starts the launcher with its path; the launcher calls [`exec`]:
//!
//! ```no_run
//! let file = std::env::args_os().nth(2).expect("usage: mine launch FILE");
//! let error = agentmux_tmux::launch::exec(file.as_ref());
//! std::process::exit(error.report("mine"));
//! ```

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use agentmux_core::terminal::Launch;
use serde::{Deserialize, Serialize};

/// A launch file that no launcher has taken by then holds an environment for nobody.
const STALE: Duration = Duration::from_secs(60);

/// How long a last message stays before the process ends.
const READ_BY_TMUX: Duration = Duration::from_millis(100);

/// Text of the operating system: a string where it is UTF-8, else its bytes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Text {
    Utf8(String),
    Bytes(Vec<u8>),
}

#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    argv: Vec<Text>,
    workdir: Text,
    env: Vec<(Text, Text)>,
}

/// Why the launcher could not become the program.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The launch file cannot be used.
    #[error("cannot use the launch file {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder in which the program was to start cannot be entered.
    #[error("cannot enter the folder {path}: {source}")]
    Workdir {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The program cannot be run.
    #[error("cannot run {program}: {source}")]
    Program {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
}

impl LaunchError {
    /// The exit status that a shell would end with: 127 for a program that is not found, else 126.
    pub fn status(&self) -> i32 {
        match self {
            Self::Program { source, .. } if source.kind() == std::io::ErrorKind::NotFound => 127,
            _ => 126,
        }
    }

    /// Says on stderr, in the name of `program`, why it failed; the exit status to end with.
    ///
    /// Waits a moment, for tmux closes the pane as soon as the process has ended: 3.3a lost the last words of
    /// one program in eight that ended right after them.
    pub fn report(&self, program: &str) -> i32 {
        let message = format!("{program}: {self}\n");
        // Nobody is left to be told that stderr is closed.
        let _ = std::io::stderr().write_all(message.as_bytes());
        #[expect(
            clippy::disallowed_methods,
            reason = "no event tells that tmux has read; nothing else runs here"
        )]
        std::thread::sleep(READ_BY_TMUX);
        self.status()
    }
}

/// Reads and removes the file, and becomes the program that it describes; returns only where that fails.
///
/// The program gets exactly the environment of the file, with `TERM` of the pane where the file has none.
pub fn exec(file: &Path) -> LaunchError {
    match take(file) {
        Ok(contents) => become_program(contents),
        Err(source) => LaunchError::File { path: file.to_owned(), source },
    }
}

fn take(file: &Path) -> std::io::Result<Contents> {
    let bytes = std::fs::read(file)?;
    std::fs::remove_file(file)?;
    Ok(serde_json::from_slice(&bytes)?)
}

fn become_program(contents: Contents) -> LaunchError {
    let workdir = PathBuf::from(contents.workdir.into_os());
    if let Err(source) = std::env::set_current_dir(&workdir) {
        return LaunchError::Workdir { path: workdir, source };
    }
    let mut env: BTreeMap<OsString, OsString> =
        contents.env.into_iter().map(|(name, value)| (name.into_os(), value.into_os())).collect();
    if let Some(term) = std::env::var_os("TERM") {
        env.entry("TERM".into()).or_insert(term);
    }
    let mut argv = contents.argv.into_iter().map(Text::into_os);
    let program = argv.next().unwrap_or_default();
    #[expect(clippy::disallowed_methods, reason = "the launcher becomes the agent")]
    let source = std::process::Command::new(&program).args(argv).env_clear().envs(env).exec();
    LaunchError::Program { program: program.to_string_lossy().into_owned(), source }
}

/// Writes a launch file that only this user can read.
pub(crate) fn write(dir: &Path, launch: &Launch) -> std::io::Result<PathBuf> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let path = dir.join(format!("{}-{}-{}-{number}.json", launch.name, std::process::id(), now.as_nanos()));
    let contents = Contents {
        argv: launch.argv.iter().map(|argument| Text::new(argument)).collect(),
        workdir: Text::new(launch.workdir.as_os_str()),
        env: launch.env.iter().map(|(name, value)| (Text::new(name), Text::new(value))).collect(),
    };
    let bytes = serde_json::to_vec(&contents)?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(&bytes).inspect_err(|_| remove(&path))?;
    Ok(path)
}

/// Removes a launch file that was not taken; the launcher may have been faster.
pub(crate) fn remove(file: &Path) {
    if let Err(error) = std::fs::remove_file(file)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        log::warn!("could not remove the launch file {}: {error}", file.display());
    }
}

/// Removes launch files that nobody took.
pub(crate) fn sweep(dir: &Path) {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(|path| path.extension() == Some(OsStr::new("json")))
    {
        let written = path.metadata().and_then(|meta| meta.modified());
        if written.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > STALE)) {
            remove(&path);
        }
    }
}

impl Text {
    fn new(text: &OsStr) -> Self {
        match text.to_str() {
            Some(text) => Self::Utf8(text.to_owned()),
            None => Self::Bytes(text.as_bytes().to_owned()),
        }
    }

    fn into_os(self) -> OsString {
        match self {
            Self::Utf8(text) => text.into(),
            Self::Bytes(bytes) => OsString::from_vec(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_launch_file_keeps_every_byte_and_is_taken_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut launch = crate::label::tests::launch();
        let odd = OsString::from_vec(b"\xff\n;#{pid} \x01".to_vec());
        launch.argv.push(odd.clone());
        launch.env.insert("ODD".into(), odd.clone());
        let path = write(dir.path(), &launch).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);

        let contents = take(&path).unwrap();
        assert_eq!(contents.argv.into_iter().map(Text::into_os).collect::<Vec<_>>(), launch.argv);
        let env: BTreeMap<_, _> =
            contents.env.into_iter().map(|(name, value)| (name.into_os(), value.into_os())).collect();
        assert_eq!(env, launch.env);
        assert_eq!(take(&path).unwrap_err().kind(), std::io::ErrorKind::NotFound);
    }

    #[test]
    fn only_launch_files_that_nobody_took_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        let [old, new] = [(), ()].map(|()| write(dir.path(), &crate::label::tests::launch()).unwrap());
        let hour = SystemTime::now() - Duration::from_secs(3600);
        std::fs::File::options().write(true).open(&old).unwrap().set_modified(hour).unwrap();
        sweep(dir.path());
        assert_eq!((old.exists(), new.exists()), (false, true));
    }

    #[test]
    fn a_missing_program_and_a_missing_folder_have_the_statuses_of_a_shell() {
        let missing = |name: &str| std::io::Error::new(std::io::ErrorKind::NotFound, name.to_owned());
        assert_eq!(LaunchError::Program { program: "x".into(), source: missing("x") }.status(), 127);
        assert_eq!(LaunchError::Workdir { path: "/x".into(), source: missing("x") }.status(), 126);
    }
}
