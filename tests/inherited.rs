//! What users of the original rely on: its answers, settings and habits, row by row of its contract.

mod control;
mod look;
mod prompt;
mod service;
mod settings;
mod transport;
