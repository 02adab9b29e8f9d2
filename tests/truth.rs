//! Is the agent really done, and what did it say? The agent's own log is the judge.

mod end;
mod idle;
mod question;
mod reply;
mod start;
