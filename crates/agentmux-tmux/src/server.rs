//! One tmux server as all parts see it: how to reach it, where its panes are, who watches them.

use std::sync::Arc;

use agentmux_core::terminal::PaneId;

use crate::activity::Watches;
use crate::args;
use crate::client::Client;
use crate::commands::Commands;
use crate::failure::Failure;
use crate::listing::{self, HIDDEN, Place};
use crate::target::{Homes, Target};
use crate::{group, parse};

/// A server, and what is known of it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) client: Client,
    pub(crate) watches: Watches,
    pub(crate) homes: Homes,
    pub(crate) hidden: String,
    pub(crate) owner: String,
    pub(crate) owned: bool,
}

impl Server {
    /// All panes there are.
    pub(crate) async fn places(&self) -> Result<Vec<Place>, Failure> {
        let places = match self.client.run("list", &args::panes(), b"").await {
            Ok(stdout) => listing::places(&stdout, &self.owner, &self.hidden),
            Err(Failure::NoServer | Failure::Gone) => Vec::new(),
            Err(failure) => return Err(failure),
        };
        self.homes.update(&places);
        Ok(places)
    }

    /// Runs commands on a pane, where it lives now.
    pub(crate) async fn run_at(
        &self,
        operation: &str,
        pane: &PaneId,
        commands: impl Fn(&Target) -> Commands + Send,
        input: &[u8],
    ) -> Result<String, Failure> {
        // An id that no pane can have is one of a pane that is gone.
        let target = self.homes.target(pane).ok_or(Failure::Gone)?;
        let result = self.client.run(operation, &commands(&target), input).await;
        if result != Err(Failure::Gone) || self.places().await.is_err() {
            return result;
        }
        // A person may have moved it to another session.
        match self.homes.target(pane) {
            Some(moved) if moved != target && moved.as_str() != moved.pane() => {
                self.client.run(operation, &commands(&moved), input).await
            }
            _ => result,
        }
    }

    /// Ends the program of a pane with all of its group, and removes the pane; harmless where it is gone.
    ///
    /// In two steps, each of which may be done again: where the connection is lost between them nobody has
    /// to guess.
    pub(crate) async fn end(&self, target: &Target) -> Result<(), Failure> {
        let process = match self.client.run("kill", &args::process(target), b"").await {
            Ok(stdout) => parse::process(&stdout),
            Err(Failure::NoServer | Failure::Gone) => return Ok(()),
            Err(failure) => return Err(failure),
        };
        match self.client.run("kill", &args::kill(target), b"").await {
            Ok(_) | Err(Failure::NoServer | Failure::Gone) => {}
            Err(failure) => return Err(failure),
        }
        if let Some(process) = process {
            // Goes on where the caller does not wait: the pane, our only handle, is gone already.
            let _ = tokio::spawn(group::end(process)).await;
        }
        Ok(())
    }

    /// Ends a pane that nobody waits for.
    pub(crate) fn end_later(self: &Arc<Self>, pane: &PaneId) {
        let Some(target) = Target::parse(pane) else { return };
        let server = self.clone();
        tokio::spawn(async move {
            if let Err(failure) = server.end(&target).await {
                log::warn!("cannot end the pane {}: {failure:?}", target.as_str());
            }
        });
    }
}

/// The hidden session's name: on a server that several daemons may use, each has its own.
pub(crate) fn hidden(owned: bool, owner: &str) -> String {
    if owned {
        return HIDDEN.to_owned();
    }
    // FNV-1a: the same in every build, as a later daemon looks for what an earlier one left.
    let hash = owner.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{HIDDEN}-{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daemons_on_a_shared_server_have_hidden_sessions_of_their_own() {
        assert_eq!(hidden(true, "a"), "_agentmux");
        assert_eq!(hidden(false, "a"), "_agentmux-af63dc4c8601ec8c");
        assert_ne!(hidden(false, "a"), hidden(false, "b"));
    }
}
