//! The table: one line for each figure, printed as soon as it is known.

use crate::times::Times;

/// The most that a figure may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Most {
    /// So many times its baseline.
    Ratio(f64),
    /// So much, in its own unit.
    Value(f64),
}

/// One line.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    what: String,
    unit: &'static str,
    value: f64,
    p99: Option<f64>,
    baseline: Option<f64>,
    most: Option<Most>,
}

impl Row {
    /// Milliseconds.
    pub(crate) fn times(what: impl Into<String>, times: &Times) -> Self {
        Self { p99: Some(times.p99()), ..Self::figure(what, times.p50(), "ms") }
    }

    /// One figure.
    pub(crate) fn figure(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { what: what.into(), unit, value, p99: None, baseline: None, most: None }
    }

    /// What it is compared with.
    pub(crate) fn beside(mut self, baseline: f64) -> Self {
        self.baseline = Some(baseline);
        self
    }

    /// What is wanted of it.
    pub(crate) fn at_most(mut self, most: Most) -> Self {
        self.most = Some(most);
        self
    }

    fn ratio(&self) -> Option<f64> {
        self.baseline.map(|baseline| self.value / baseline)
    }

    fn is_missed(&self) -> bool {
        match self.most {
            Some(Most::Value(most)) => self.value > most,
            Some(Most::Ratio(most)) => self.ratio().is_some_and(|ratio| ratio > most),
            None => false,
        }
    }
}

/// The table so far.
pub(crate) struct Table {
    missed: Vec<String>,
}

impl Table {
    pub(crate) fn new() -> Self {
        println!("{:<58} {:>9} {:>9} {:>9} {:>7} {:>8}", "", "p50", "p99", "baseline", "ratio", "at most");
        Self { missed: Vec::new() }
    }

    /// Begins a group of lines; says what its baseline is.
    pub(crate) fn group(&self, what: &str) {
        println!("\n{what}");
    }

    pub(crate) fn row(&mut self, row: &Row) {
        let most = match row.most {
            Some(Most::Ratio(most)) => format!("{most} x"),
            Some(Most::Value(most)) => format!("{most}"),
            None => String::new(),
        };
        let cell = |value: Option<f64>| value.map_or_else(String::new, figure);
        let line = format!(
            "  {:<50} {:>5} {:>9} {:>9} {:>9} {:>7} {most:>8}{}",
            row.what,
            row.unit,
            figure(row.value),
            cell(row.p99),
            cell(row.baseline),
            cell(row.ratio()),
            if row.is_missed() { " !" } else { "" },
        );
        println!("{}", line.trim_end());
        if row.is_missed() {
            self.missed.push(row.what.clone());
        }
    }

    /// Says what was more than wanted.
    pub(crate) fn end(self) {
        match self.missed.as_slice() {
            [] => println!("\nnothing is above what is wanted"),
            missed => println!("\nabove what is wanted (!): {}", missed.join("; ")),
        }
    }
}

/// Three digits, more where they stand before the point.
fn figure(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
