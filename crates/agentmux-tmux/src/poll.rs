//! Which panes changed, by looking: what there is without a control client.
//!
//! A pane is looked at often after it was touched or changed, and ever more seldom while it stays the same.
//! Nobody watches: nothing runs.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::activity::Watches;
use crate::args;
use crate::client::Client;
use crate::failure::{Failure, classify};
use crate::parse;

/// Panes read by one call: tmux takes 16 KB of arguments, a pane's share is 300 bytes.
const BATCH: usize = 40;

/// After a failure that is no answer (the server hangs): how long to leave it alone.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks at the panes that are due, until dropped.
pub(crate) async fn poll(client: &Client, watches: &Watches) -> Infallible {
    loop {
        let changed = watches.changed();
        match watches.next() {
            None => changed.await,
            Some(due) => tokio::select! {
                () = sleep_until(due) => look(client, watches).await,
                () = changed => {}
            },
        }
    }
}

async fn look(client: &Client, watches: &Watches) {
    for batch in watches.due(Instant::now()).chunks(BATCH) {
        let targets: Vec<_> = batch.iter().map(|(_, target)| target.clone()).collect();
        let output = client.exec("activity", &args::read(&targets, 0), b"").await;
        let now = Instant::now();
        let (stdout, failure) = match output {
            Ok(output) if output.success => (output.stdout, None),
            Ok(output) => (output.stdout, Some(classify("activity", &output.stderr))),
            Err(failure) => (String::new(), Some(failure)),
        };
        let looks = parse::looks(&stdout, &targets);
        for ((pane, _), look) in batch.iter().zip(&looks) {
            watches.saw(pane, Some(*look), now);
        }
        match failure {
            // All were shown. A pane without a look would be one that tmux does not know, and must not stay
            // due.
            None => batch.iter().skip(looks.len()).for_each(|(pane, _)| watches.saw(pane, None, now)),
            Some(Failure::NoServer) => batch.iter().for_each(|(pane, _)| watches.saw(pane, None, now)),
            // The sequence ended at the first pane that is gone; those after it stay due.
            Some(Failure::Gone) => {
                if let Some((pane, _)) = batch.get(looks.len()) {
                    watches.saw(pane, None, now);
                }
            }
            Some(failure) => {
                log::debug!("{failure:?}");
                sleep(PAUSE).await;
            }
        }
    }
}
