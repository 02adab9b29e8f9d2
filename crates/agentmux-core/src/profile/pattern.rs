//! A regular expression that takes memory once it is used: of the profiles that are known, few are.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use regex::Regex;

/// A regular expression that was checked, and is compiled when it is first used.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    compiled: Arc<OnceLock<Regex>>,
}

impl Pattern {
    /// The same expression, to be compiled again when it is used.
    pub(super) fn of(checked: &Regex) -> Self {
        Self { text: checked.as_str().to_owned(), compiled: Arc::default() }
    }
}

impl Deref for Pattern {
    type Target = Regex;

    fn deref(&self) -> &Regex {
        self.compiled.get_or_init(|| Regex::new(&self.text).expect("it compiled when it was checked"))
    }
}
