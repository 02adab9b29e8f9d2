//! Drives AI agent CLIs that run as interactive programs in terminals: starts them, types prompts into them exactly
//! once, knows what they do, and reads what they say.
//!
//! The crate knows agents, profiles, screens, states, turns and sessions. It has never heard of HTTP or tmux: what
//! keeps the terminals alive is behind the trait [`Terminal`](terminal::Terminal). A daemon, a test or another tool
//! gives it one and works with the [`Registry`](registry::Registry):
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use agentmux_core::fake::FakeTerminal;
//! use agentmux_core::input::Prompt;
//! use agentmux_core::profile::Profiles;
//! use agentmux_core::registry::{IfBusy, Registry, Settings, StartSpec};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings {
//!     command: Some(vec!["echo".into()]),
//!     ..Settings::new("repl", "/", std::env::vars_os().collect())?
//! };
//! // A program that shows each line back. `agentmux_tmux::Tmux` starts real ones.
//! let terminal = Arc::new(FakeTerminal::default());
//! let registry = Registry::new(terminal, Profiles::builtin(), settings);
//! let accepted = registry.run(Prompt::parse("hello")?, StartSpec::default(), IfBusy::Reject, None).await?;
//! let (turn, ended) = registry.wait_turn(accepted.turn.id.as_str(), Duration::from_secs(60)).await?;
//! assert!(ended);
//! assert_eq!(turn.reply.as_deref(), Some("hello"));
//! registry.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! `docs/embedding.md` has whole programs: one on tmux, and one with a terminal of its own.
//!
//! Judgement is in plain functions: what a screen means ([`reading::read`]), what follows a prompt's Enter
//! (`submission`), which key answers a dialog. Each session's task (`session`) does the rest: it reads, types and
//! publishes, and is the only one that may.

pub mod agent;
#[cfg(test)]
mod anything;
mod attachments;
pub mod command;
pub mod config_file;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod environment;
pub mod error;
pub mod events;
pub mod fake;
mod fusion;
pub mod input;
mod notice;
pub mod profile;
pub mod program;
pub mod question;
pub mod reading;
pub mod registry;
mod reply;
pub mod reset;
pub mod screen;
mod session;
pub mod signals;
pub mod state;
mod submission;
pub mod terminal;
pub mod turn;
