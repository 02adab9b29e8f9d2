//! The API by resource: sessions, turns, events.

mod event;
mod session;
mod turn;
