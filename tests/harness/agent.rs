//! The log of the demo agent: what it received, and when it worked, by its own account.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::eventually;

/// The log of one or more demo agents, a JSON document a line.
#[derive(Debug, Clone)]
pub(crate) struct AgentLog(PathBuf);

impl AgentLog {
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// All events so far.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = std::fs::read(&self.0).unwrap_or_default();
        // The last line may be half written.
        let lines = text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    /// The events of that kind, in order.
    pub(crate) fn all(&self, kind: &str) -> Vec<Value> {
        self.events().into_iter().filter(|event| event["event"] == kind).collect()
    }

    /// The prompts that were submitted to the agents, exactly.
    pub(crate) fn prompts(&self) -> Vec<String> {
        self.all("prompt").iter().map(|event| event["text"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until there are `count` events of that kind.
    #[track_caller]
    pub(crate) fn until(&self, kind: &str, count: usize) {
        eventually(&format!("{count} x {kind} in {}", self.0.display()), || {
            (self.all(kind).len() >= count).then_some(())
        });
    }
}
