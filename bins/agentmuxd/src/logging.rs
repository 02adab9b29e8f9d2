//! The log: lines in a file that only this user may read; warnings and errors on stderr too.
//!
//! Prompts, tokens and screens are not for it, at no level: whoever logs leaves them out.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use log::{Level, Log, Metadata, Record};

use crate::failure::Failure;
use crate::private;

/// Writes what the filter lets through.
struct Logger {
    file: env_logger::Logger,
}

/// Begins to log into the file; its folder is made where it is missing.
pub(crate) fn start(path: &Path, filter: &str) -> Result<(), Failure> {
    let unusable =
        |source| Failure::File { what: "log file (AGENTMUX_LOG_FILE)", path: path.to_owned(), source };
    let (file, wider) = open(path).map_err(unusable)?;
    let file = env_logger::Builder::new()
        .parse_filters(filter)
        .target(env_logger::Target::Pipe(Box::new(file)))
        .write_style(env_logger::WriteStyle::Never)
        .format(|out, record| write!(out, "{}", line(record)))
        .build();
    log::set_max_level(file.filter());
    let set = log::set_boxed_logger(Box::new(Logger { file }));
    set.map_err(|error| Failure::System { what: "start the log", source: io::Error::other(error) })?;
    private::tell(path, wider);
    Ok(())
}

fn open(path: &Path) -> io::Result<(File, Option<u32>)> {
    if let Some(folder) = path.parent() {
        private::make_folder(folder)?;
    }
    private::open(path, OpenOptions::new().append(true).create(true))
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.file.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        self.file.log(record);
        if record.level() <= Level::Warn && self.file.matches(record) {
            // Where stderr is closed there is nobody to tell.
            let _ = writeln!(io::stderr(), "agentmuxd: {}", escaped(&record.args().to_string()));
        }
    }

    fn flush(&self) {
        self.file.flush();
    }
}

fn line(record: &Record<'_>) -> String {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    format!("{now} {:5} {}: {}\n", record.level(), record.target(), escaped(&record.args().to_string()))
}

/// One record is one line: names and paths from outside may hold anything.
fn escaped(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_record_is_one_line_whatever_is_in_it() {
        let text = line(
            &Record::builder().level(Level::Warn).target("x").args(format_args!("a\n\x1b[2Jb ä")).build(),
        );
        assert!(text.ends_with("Z WARN  x: a\\n\\u{1b}[2Jb ä\n"), "{text:?}");
    }

    #[test]
    fn file_and_folder_are_for_this_user_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/agentmux.log");
        open(&path).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
        assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
    }
}
