//! SIGTERM and SIGINT: the first asks the daemon to end, the second to end at once.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How often the daemon was asked to end.
#[derive(Debug, Clone)]
pub(crate) struct Signals(watch::Receiver<u32>);

impl Signals {
    /// Counts from now on, in a task that ends with the runtime.
    pub(crate) fn listen() -> io::Result<Self> {
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (count, asked) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                let name = tokio::select! { _ = term.recv() => "SIGTERM", _ = int.recv() => "SIGINT" };
                log::info!("{name}: the daemon ends; the sessions stay");
                count.send_modify(|count| *count += 1);
            }
        });
        Ok(Self(asked))
    }

    /// Waits until the daemon was asked `times` times.
    pub(crate) async fn asked(mut self, times: u32) {
        if self.0.wait_for(|count| *count >= times).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
