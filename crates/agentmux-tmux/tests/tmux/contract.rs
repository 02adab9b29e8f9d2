//! tmux keeps the contract of the core's `Terminal`.

agentmux_core::terminal_contract!(super::stage_with_home().await.0);
