//! Command lines: split into arguments, and their program found before anything is started.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::input::Invalid;

/// Splits a command line as a shell would. One that needs a shell (pipes, variables, `~`, patterns, assignments) runs
/// in `/bin/sh -c`, whose end is the agent's end: no prompt can reach a shell.
///
/// # Errors
/// Empty, an unclosed quote, or a control character.
pub fn parse_line(line: &str) -> Result<Vec<String>, Invalid> {
    if line.chars().any(|c| c.is_control() && c != '\t') {
        return Err(Invalid::new("command contains a control character"));
    }
    let argv = shell_words::split(line)
        .map_err(|_| Invalid::new(format!("command {line:?} has a quote that is not closed")))?;
    if needs_shell(line) {
        return Ok(vec!["/bin/sh".into(), "-c".into(), line.trim().to_owned()]);
    }
    check_argv(argv)
}

/// Checks an argument vector: at least a program, no NUL.
///
/// # Errors
/// A sentence that says what is missing or not allowed.
pub fn check_argv(argv: Vec<String>) -> Result<Vec<String>, Invalid> {
    if argv.iter().any(|word| word.contains('\0')) {
        return Err(Invalid::new("command contains a NUL character"));
    }
    match argv.first() {
        Some(program) if !program.trim().is_empty() => Ok(argv),
        _ => Err(Invalid::new("command is empty; give a program and its arguments")),
    }
}

/// Checks a variable for an agent's environment: the daemon's own and tmux's are not for others to set.
///
/// # Errors
/// A sentence that says what is not allowed.
pub fn check_variable(name: &str, value: &str) -> Result<(), Invalid> {
    let refuse = |why: &str| Err(Invalid::new(format!("the variable {name:?} {why}")));
    if name.is_empty() || name.contains('=') || name.chars().any(char::is_control) {
        return refuse("is not allowed: a name is not empty and has no '=' and no control character");
    }
    if name.starts_with("AGENTMUX_") || name.starts_with("TMUX") {
        return refuse("is not allowed: names that begin with AGENTMUX_ or TMUX are the daemon's");
    }
    if value.contains('\0') {
        return refuse("has a NUL character in its value");
    }
    Ok(())
}

/// True where words outside quotes mean something to a shell.
fn needs_shell(line: &str) -> bool {
    let (mut quote, mut word_start, mut chars) = (None, true, line.chars());
    let mut words = 0;
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => drop(chars.next()),
            (_, '$' | '`') => return true,
            (Some(_), _) => {}
            (None, '|' | '&' | ';' | '<' | '>' | '(' | ')' | '{' | '}' | '*' | '?' | '[' | '!') => {
                return true;
            }
            (None, '~' | '#') if word_start => return true,
            (None, '=') if words == 0 => return true,
            (None, _) => {}
        }
        let blank = quote.is_none() && c.is_whitespace();
        words += usize::from(blank && !word_start);
        word_start = blank;
    }
    false
}

/// Finds the file that starting `program` in `workdir` would run.
///
/// # Errors
/// A sentence with the folders that were searched.
pub fn find_program(program: &str, path: Option<&OsStr>, workdir: &Path) -> Result<PathBuf, Invalid> {
    if program.contains('/') {
        let file = workdir.join(program);
        return match is_executable(&file) {
            true => Ok(file),
            false => Err(Invalid::new(format!("command {program:?} is not an executable file"))),
        };
    }
    let folders: Vec<PathBuf> = path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    folders
        .iter()
        .map(|folder| workdir.join(folder).join(program))
        .find(|file| is_executable(file))
        .ok_or_else(|| {
            let searched: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
            Invalid::new(format!("command {program:?} was not found in PATH ({})", searched.join(":")))
        })
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_commands_are_split_and_others_get_a_shell() {
        assert_eq!(parse_line("claude --model 'a b' x\\ y").unwrap(), ["claude", "--model", "a b", "x y"]);
        assert_eq!(
            parse_line("a '$HOME;' \"x|y\" k=v a#b a~b").unwrap(),
            ["a", "$HOME;", "x|y", "k=v", "a#b", "a~b"]
        );
        for line in [
            "FOO=1 claude",
            "~/bin/claude",
            "cd x && claude",
            "claude | tee log",
            "$HOME/claude",
            "a \"$B\"",
            "a *.txt",
        ] {
            assert_eq!(parse_line(line).unwrap(), ["/bin/sh", "-c", line]);
        }
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        for line in ["", "   ", "claude 'x", "a\nb"] {
            assert!(parse_line(line).is_err(), "{line:?}");
        }
        assert!(check_argv(vec!["a".into(), "b\0".into()]).is_err());
    }

    #[test]
    fn programs_are_found_in_the_path_or_refused_with_it() {
        let path = OsStr::new("/no/such:/bin");
        assert_eq!(find_program("sh", Some(path), Path::new("/")).unwrap(), Path::new("/bin/sh"));
        let error = find_program("no-such-agent", Some(path), Path::new("/")).unwrap_err();
        assert!(error.message.contains("/no/such:/bin"), "{error}");
        assert!(find_program("/etc/passwd", None, Path::new("/")).is_err());
    }
}
