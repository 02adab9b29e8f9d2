//! How an agent is typed into, interrupted and ended, as serde reads it.

use std::time::Duration;

use serde::Deserialize;

use super::fault::Fault;
use super::raw::{keys, optional};
use super::{Chunks, Submit};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SubmitTable {
    pause_ms: u64,
    settle_ms: u64,
    grace_ms: u64,
    pasted: Option<String>,
    chunk_lines: Option<usize>,
    chunk_chars: Option<usize>,
    chunk_pause_ms: u64,
    interrupt: Vec<String>,
    interrupt_again: Option<String>,
    interrupt_pause_ms: u64,
    clear: Vec<String>,
    exit: Option<String>,
    multiline: bool,
    max_line: Option<usize>,
}

impl Default for SubmitTable {
    fn default() -> Self {
        Self {
            pause_ms: 0,
            settle_ms: 0,
            grace_ms: 3000,
            pasted: None,
            chunk_lines: None,
            chunk_chars: None,
            chunk_pause_ms: 20,
            interrupt: vec!["escape".into()],
            interrupt_again: None,
            interrupt_pause_ms: 200,
            clear: vec!["ctrl-u".into()],
            exit: None,
            multiline: true,
            max_line: None,
        }
    }
}

impl SubmitTable {
    pub(super) fn check(self) -> Result<Submit, Fault> {
        Ok(Submit {
            pause: Duration::from_millis(self.pause_ms),
            settle: Duration::from_millis(self.settle_ms),
            grace: Duration::from_millis(self.grace_ms),
            pasted: optional("pasted", self.pasted.as_deref())?,
            chunks: self.chunks()?,
            interrupt: keys("interrupt", &self.interrupt)?,
            interrupt_again: optional("interrupt_again", self.interrupt_again.as_deref())?,
            interrupt_pause: Duration::from_millis(self.interrupt_pause_ms),
            clear: keys("clear", &self.clear)?,
            exit: self.exit,
            multiline: self.multiline,
            max_line: self.max_line,
        })
    }

    fn chunks(&self) -> Result<Option<Chunks>, Fault> {
        match (self.chunk_lines, self.chunk_chars) {
            (None, None) => Ok(None),
            (Some(0), _) => Err(Fault::at("chunk_lines", "must be at least 1")),
            (_, Some(0)) => Err(Fault::at("chunk_chars", "must be at least 1")),
            (lines, chars) => Ok(Some(Chunks {
                lines: lines.unwrap_or(usize::MAX),
                chars: chars.unwrap_or(usize::MAX),
                pause: Duration::from_millis(self.chunk_pause_ms),
            })),
        }
    }
}
