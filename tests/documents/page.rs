//! A page of the documentation: its blocks, and what the words behind a fence's language say about them.
//!
//! A block in `sh` is commands, and one in `zsh` is commands for that shell, run where it is installed. One in `console` is
//! commands, each behind a `$`, with what they print. Words after that:
//!
//! | word | |
//! |---|---|
//! | `daemon` | it stays: it has a terminal of its own, until the page ends |
//! | `stream` | it prints until Ctrl-C ends it |
//! | `screen` | it takes the whole terminal, until tmux's `C-b d` |
//! | `with:AGENT` | it is run where that agent is installed, by the tests of real agents |
//! | `norun:REASON` | it is not run; the reasons are in `documents.rs` |
//!
//! `file:PATH`, in any other language, makes a file of it before the next block is run.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// The languages of blocks that are no commands. Rust is run by the documentation tests of the crate that includes the page.
const READ: [&str; 4] = ["text", "json", "toml", "rust,standalone_crate"];

/// A page, read for its blocks.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) name: String,
    path: PathBuf,
    lines: Vec<String>,
    pub(crate) blocks: Vec<Block>,
}

#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Where its first line is, from 0.
    pub(crate) at: usize,
    pub(crate) text: String,
    /// How far it is indented, as part of a list.
    pub(crate) indent: usize,
    pub(crate) use_: Use,
    /// The real agent that it needs.
    pub(crate) agent: Option<String>,
}

/// What is done with a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Use {
    Run(How, Vec<Step>),
    NotRun(String),
    /// The content of this file.
    File(String),
    /// It is only read.
    Read,
}

/// How commands end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    ByThemselves,
    WithThePage,
    ByCtrlC,
    ByDetaching,
    ByThemselvesInZsh,
}

/// What is typed at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) command: String,
    /// The lines of the page that show what it prints.
    pub(crate) shown: Option<Range<usize>>,
}

/// What was seen, in place of the lines that show it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) lines: Range<usize>,
    pub(crate) text: String,
    pub(crate) indent: usize,
}

impl Page {
    /// A page by its path in the repository.
    pub(crate) fn open(name: &str) -> Self {
        let path = repository().join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let blocks = blocks(name, &lines);
        Self { name: name.to_owned(), path, lines, blocks }
    }

    /// What the page shows in these lines of the block.
    pub(crate) fn shown(&self, block: &Block, lines: &Range<usize>) -> String {
        let lines = self.lines[lines.clone()].iter();
        lines.map(|line| line.get(block.indent..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
    }

    /// Puts what was seen into the page.
    pub(crate) fn rewrite(&self, mut seen: Vec<Seen>) {
        let mut lines = self.lines.clone();
        seen.sort_by_key(|seen| seen.lines.start);
        for Seen { lines: at, text, indent } in seen.into_iter().rev() {
            let indented = text.lines().map(|line| format!("{:indent$}{line}", "").trim_end().to_owned());
            lines.splice(at, indented);
        }
        std::fs::write(&self.path, lines.join("\n") + "\n").unwrap();
    }
}

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

fn blocks(name: &str, lines: &[String]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut numbered = lines.iter().enumerate();
    while let Some((fence, line)) = numbered.next() {
        let Some(words) = line.trim_start().strip_prefix("```") else { continue };
        let indent = line.len() - line.trim_start().len();
        let end = numbered.find(|(_, line)| line.trim() == "```");
        let (end, _) = end.unwrap_or_else(|| panic!("{name}:{}: the block has no end", fence + 1));
        let content: Vec<_> =
            lines[fence + 1..end].iter().map(|line| line.get(indent..).unwrap_or_default()).collect();
        let block = Block::new(fence + 1, indent, words, &content);
        blocks.push(block.unwrap_or_else(|why| panic!("{name}:{}: {why}", fence + 1)));
    }
    blocks
}

impl Block {
    fn new(at: usize, indent: usize, words: &str, content: &[&str]) -> Result<Self, String> {
        let mut words = words.split_whitespace();
        let language = words.next().unwrap_or("text");
        let text = content.join("\n");
        let steps = match language {
            "console" => transcript(at, content),
            _ => vec![Step { command: text.clone(), shown: None }],
        };
        let is_run = matches!(language, "sh" | "zsh" | "console");
        if !is_run && !READ.contains(&language) {
            return Err(format!("'{language}' is neither run nor known as something that is only read"));
        }
        let mut block = Self { at, text, indent, use_: Use::Read, agent: None };
        if is_run {
            let how = if language == "zsh" { How::ByThemselvesInZsh } else { How::ByThemselves };
            block.use_ = Use::Run(how, steps);
        }
        for word in words {
            match (word.split_once(':').unwrap_or((word, "")), &mut block.use_) {
                (("daemon", ""), Use::Run(how, _)) => *how = How::WithThePage,
                (("stream", ""), Use::Run(how, _)) => *how = How::ByCtrlC,
                (("screen", ""), Use::Run(how, _)) => *how = How::ByDetaching,
                (("with", agent), Use::Run(..)) => block.agent = Some(agent.to_owned()),
                (("norun", reason), _) if is_run => block.use_ = Use::NotRun(reason.to_owned()),
                (("file", path), Use::Read) => block.use_ = Use::File(path.to_owned()),
                _ => return Err(format!("'{word}' means nothing behind {language}")),
            }
        }
        Ok(block)
    }
}

/// The commands of a transcript, each with the lines below it. One that ends in a backslash goes on.
fn transcript(at: usize, content: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut goes_on = false;
    for (line, number) in content.iter().zip(at..) {
        let begun = line.strip_prefix("$ ");
        match (steps.last_mut(), begun) {
            (Some(step), _) if goes_on => {
                step.command += &format!("\n{line}");
                step.shown = Some(number + 1..number + 1);
            }
            (_, Some(command)) => {
                steps.push(Step { command: command.to_owned(), shown: Some(number + 1..number + 1) });
            }
            (Some(step), None) => step.shown.as_mut().unwrap().end = number + 1,
            (None, None) => panic!("a transcript begins with a command, not with {line:?}"),
        }
        goes_on = (goes_on || begun.is_some()) && line.ends_with('\\');
    }
    steps
}

#[test]
fn a_transcript_is_commands_and_what_they_print() {
    let text = ["```console", "$ a \\", "  b", "one", "", "two", "$ c", "```"].map(str::to_owned);
    let [block] = blocks("x", &text).try_into().unwrap();
    let step = |command: &str, shown| Step { command: command.to_owned(), shown: Some(shown) };
    assert_eq!(block.use_, Use::Run(How::ByThemselves, vec![step("a \\\n  b", 3..6), step("c", 7..7)]));
}

#[test]
fn a_word_that_means_nothing_is_refused() {
    for words in ["sh norunning", "sh file:x", "toml daemon", "json norun:macos", "bash"] {
        assert!(Block::new(1, 0, words, &[]).is_err(), "{words}");
    }
}
