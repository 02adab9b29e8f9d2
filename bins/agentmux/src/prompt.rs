//! Where a prompt comes from: the command line, a file, or stdin.

use std::io::{IsTerminal, Read};
use std::path::Path;

use crate::args::PromptSource;
use crate::ending::Failed;

/// Read no more than this: the daemon takes a prompt of 1 MiB, in which each line feed may have been CR LF.
const LONGEST: u64 = (2 << 20) + 2;

/// The prompt, exactly; from stdin, less the line feed at its end.
pub(crate) fn read(source: PromptSource) -> Result<String, Failed> {
    let prompt = match (source.text, source.file) {
        (Some(text), _) => text,
        (None, Some(file)) if file != Path::new("-") => {
            let name = file.display().to_string();
            let opened = std::fs::File::open(&file).map_err(|error| unreadable(&name, &error))?;
            text_of(opened, &name)?
        }
        _ => from_stdin()?,
    };
    match prompt.trim().is_empty() {
        true => Err(Failed::usage("the prompt is empty")),
        false => Ok(prompt),
    }
}

fn from_stdin() -> Result<String, Failed> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err(Failed::usage("there is no prompt: give it as an argument, with --file, or on stdin"));
    }
    Ok(without_last_line_feed(text_of(stdin.lock(), "stdin")?))
}

fn text_of(from: impl Read, name: &str) -> Result<String, Failed> {
    let mut bytes = Vec::new();
    from.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| unreadable(name, &error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(Failed::new(format!("the prompt from {name} is longer than 1 MiB")));
    }
    String::from_utf8(bytes).map_err(|_| Failed::new(format!("the prompt from {name} is not UTF-8 text")))
}

fn unreadable(name: &str, error: &std::io::Error) -> Failed {
    Failed::new(format!("could not read the prompt from {name}: {error}"))
}

/// `echo hello |` means "hello".
fn without_last_line_feed(mut text: String) -> String {
    if let Some(rest) = text.strip_suffix('\n') {
        let end = rest.strip_suffix('\r').unwrap_or(rest).len();
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_feed_at_the_end_is_dropped() {
        for (given, kept) in
            [("a\n", "a"), ("a\n\n", "a\n"), ("a\r\n", "a"), ("a", "a"), (" a \t", " a \t"), ("", "")]
        {
            assert_eq!(without_last_line_feed(given.to_owned()), kept);
        }
    }

    #[test]
    fn what_is_no_prompt_is_refused() {
        let failed = text_of(&b"\xff"[..], "stdin").unwrap_err();
        assert_eq!(failed.sentence(), "the prompt from stdin is not UTF-8 text");
        let failed = text_of(std::io::repeat(b'x'), "f").unwrap_err();
        assert_eq!(failed.sentence(), "the prompt from f is longer than 1 MiB");
    }
}
