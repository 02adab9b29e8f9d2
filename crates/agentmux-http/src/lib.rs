//! The HTTP API of agentmux: bare hyper services that translate requests into operations of `agentmux-core`.
//!
//! The path of a request, by files: `server` accepts the connection, `gate` admits the request or refuses it,
//! `routes` says who handles it, `service` reads its body and runs the handler, `handlers` translate it into
//! one operation of the [`Registry`](agentmux_core::registry::Registry), `view` and `refusal` translate what
//! came of it; `stream` sends what happens to whoever follows it.
//!
//! ```
//! use agentmux_core::registry::Registry;
//! use agentmux_http::{Access, Secret, Server};
//!
//! async fn serve(registry: Registry, token: String) -> std::io::Result<()> {
//!     let access = Access { tokens: vec![Secret::new(token)], ..Access::default() };
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8765").await?;
//!     let never = std::future::pending::<()>;
//!     Server::new(registry, access).serve(listener, never(), never()).await;
//!     Ok(())
//! }
//! ```

mod body;
mod gate;
mod handlers;
mod held;
mod limits;
mod refusal;
mod reply;
mod routes;
mod server;
mod service;
mod stream;
mod view;
mod wire;

pub use gate::{Access, Secret};
pub use server::Server;
pub use view::agent::agents;
