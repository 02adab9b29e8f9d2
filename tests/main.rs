//! The black-box tests: a real daemon over TCP, real tmux on a socket of its own, the demo agent in the panes.
//!
//! `harness` starts and ends all that; each other module holds the claims about one subject.

#![expect(clippy::disallowed_methods, reason = "these tests start programs and wait for what they do")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod answers;
mod client;
mod config;
mod contrib;
mod delivery;
mod doctor;
mod documents;
mod endings;
mod environment;
mod faults;
mod harness;
mod held;
mod inherited;
mod live;
mod records;
mod resources;
mod signals;
mod standin;
mod survival;
mod truth;
