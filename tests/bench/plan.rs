//! What a run is to measure, by its arguments.

use std::fmt::Write;
use std::path::PathBuf;

/// What the arguments ask for.
pub(crate) enum Asked {
    Measure(Plan),
    /// Be the loops that keep the cores awake.
    Awake,
    /// Be the baseline server that answers with the content of this file.
    Hello(PathBuf),
    Usage(String),
}

/// Which rows, and how thoroughly.
pub(crate) struct Plan {
    quick: bool,
    /// The rows that were named; none: all.
    names: Vec<String>,
}

impl Plan {
    pub(crate) fn wants(&self, row: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == row)
    }

    /// One of two measures, by how thorough the run is.
    pub(crate) fn pick<T>(&self, thorough: T, quick: T) -> T {
        if self.quick { quick } else { thorough }
    }
}

/// Reads the arguments after the program. `known` are the rows, each with what it is.
pub(crate) fn asked(args: impl Iterator<Item = String>, known: &[(&str, &str)]) -> Asked {
    let mut plan = Plan { quick: false, names: Vec::new() };
    let mut args = args;
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--quick" => plan.quick = true,
            // Cargo adds that to what it calls a benchmark.
            "--bench" => {}
            "--awake" => return Asked::Awake,
            "--hello" => return args.next().map_or_else(|| usage(known), |file| Asked::Hello(file.into())),
            name if known.iter().any(|(row, _)| *row == name) => plan.names.push(arg),
            _ => return usage(known),
        }
    }
    Asked::Measure(plan)
}

fn usage(known: &[(&str, &str)]) -> Asked {
    let mut text = "usage: cargo bench -p agentmuxd --bench bench -- [--quick] [ROW...]\n\n".to_owned();
    for (row, what) in known {
        let _ = writeln!(text, "  {row:<10} {what}");
    }
    Asked::Usage(text)
}
