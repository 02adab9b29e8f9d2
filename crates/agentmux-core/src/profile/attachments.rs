//! The files that an agent takes out of a prompt, as serde reads it.

use serde::Deserialize;

use super::fault::Fault;
use super::pattern::Pattern;
use super::raw::pattern;

/// What the agent makes of paths in a prompt: it attaches the files, and puts words for them into the text.
#[derive(Debug)]
pub struct Attachments {
    /// The word for a file.
    pub word: Pattern,
    /// The path of a file, as it may stand in a prompt, with the blanks that go with it.
    pub path: Pattern,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttachmentsTable {
    word: String,
    path: String,
}

impl AttachmentsTable {
    pub(super) fn check(self) -> Result<Attachments, Fault> {
        Ok(Attachments { word: filled("word", &self.word)?, path: filled("path", &self.path)? })
    }
}

fn filled(key: &str, text: &str) -> Result<Pattern, Fault> {
    let pattern = pattern(key, text)?;
    match pattern.is_match("") {
        true => Err(Fault::at(key, "matches where nothing is")),
        false => Ok(pattern),
    }
}
