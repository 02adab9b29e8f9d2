//! All that is promised of every transport: each call a process.

use std::sync::Arc;

use agentmux_core::contract::Stage;
use agentmux_tmux::Transport;

use crate::Home;

#[path = "contract.rs"]
mod contract;
#[path = "panes.rs"]
mod panes;
#[path = "server.rs"]
mod server;

fn home() -> Home {
    Home::new(Transport::Subprocess)
}

async fn stage_with_home() -> (Stage, Arc<Home>) {
    crate::stage_with_home(Transport::Subprocess).await
}
