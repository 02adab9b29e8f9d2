//! `agentmuxd --check-config`: what a daemon that is started now would be told, or what is wrong with that. Nothing is
//! made, bound or changed.

use std::fmt::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::Serialize;

use crate::config::{Config, ConfigError, Shown};

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Checked {
    pub(crate) ok: bool,
    errors: Vec<String>,
    warnings: Vec<String>,
    settings: Vec<Shown>,
}

impl Checked {
    pub(crate) fn new(config: Result<Config, ConfigError>) -> Self {
        match config {
            Err(error) => {
                let errors = error.sentences().to_vec();
                Self { ok: false, errors, warnings: Vec::new(), settings: Vec::new() }
            }
            Ok(config) => {
                let exposed = config.file.as_deref().filter(|_| config.has_secrets).and_then(exposed);
                let settings = config.shown();
                let warnings = config.warnings.into_iter().chain(exposed).collect();
                Self { ok: true, errors: Vec::new(), warnings, settings }
            }
        }
    }

    /// For people: what is wrong, else a table of the settings.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (kind, sentences) in [("error", &self.errors), ("warning", &self.warnings)] {
            for sentence in sentences {
                let _ = writeln!(text, "{kind}: {sentence}");
            }
        }
        let width =
            |of: fn(&Shown) -> &str| self.settings.iter().map(|shown| of(shown).chars().count()).max();
        let (name, value) =
            (width(|shown| shown.name).unwrap_or(0), width(|shown| &shown.value).unwrap_or(0));
        for shown in &self.settings {
            let _ = writeln!(text, "{:name$}  {:value$}  {}", shown.name, shown.value, shown.source);
        }
        text
    }
}

/// A warning where others may read the file.
fn exposed(file: &Path) -> Option<String> {
    let mode = file.metadata().ok()?.mode() & 0o777;
    let shown = file.display();
    (mode & 0o077 != 0).then(|| format!("{shown} has secrets in it, and mode {mode:03o}: chmod 600 {shown}"))
}
