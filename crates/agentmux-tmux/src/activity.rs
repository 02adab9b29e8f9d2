//! Which panes changed, by looking: one task for all panes that somebody watches.
//!
//! A pane is looked at often after it was touched or changed, and ever more seldom while it stays the same.
//! Nobody watches: nothing runs. This is the fallback for a transport that is told of output.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agentmux_core::terminal::{Activity, PaneId};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::args::{self, Target};
use crate::command::{Client, Failure, classify};
use crate::parse::{self, Look};

/// Panes read by one call: tmux takes 16 KB of arguments, a pane's share is 300 bytes.
const BATCH: usize = 40;

/// After a failure that is no answer (the server hangs): how long to leave it alone.
const PAUSE: Duration = Duration::from_secs(1);

/// The panes that are watched.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    panes: Mutex<HashMap<PaneId, Watch>>,
    changed: Notify,
}

#[derive(Debug)]
struct Watch {
    target: Target,
    changes: watch::Sender<u64>,
    last: Option<Look>,
    polled: Option<Instant>,
    quiet_since: Instant,
    /// Dead or gone, and reported; looked at again when touched.
    asleep: bool,
}

impl Watches {
    /// A signal for this pane. It fires once soon, as the first look cannot tell what was there before.
    pub(crate) fn subscribe(&self, pane: &PaneId) -> Activity {
        let Some(target) = Target::parse(pane) else {
            return Activity::new(watch::channel(0).1);
        };
        let mut panes = self.lock();
        panes.retain(|_, watch| watch.changes.receiver_count() > 0);
        let watch = panes.entry(pane.clone()).or_insert_with(|| Watch {
            target,
            changes: watch::channel(0).0,
            last: None,
            polled: None,
            quiet_since: Instant::now(),
            asleep: false,
        });
        let activity = Activity::new(watch.changes.subscribe());
        watch.touch();
        self.changed.notify_one();
        activity
    }

    /// Something was done to the pane: expect a change.
    pub(crate) fn touch(&self, pane: &PaneId) {
        if let Some(watch) = self.lock().get_mut(pane) {
            watch.touch();
            self.changed.notify_one();
        }
    }

    /// When the next look is due; `None` while nobody watches. Forgets panes that nobody watches any more.
    fn next(&self) -> Option<Instant> {
        let mut panes = self.lock();
        panes.retain(|_, watch| watch.changes.receiver_count() > 0);
        panes.values().filter(|watch| !watch.asleep).map(Watch::due).min()
    }

    fn due(&self, now: Instant) -> Vec<(PaneId, Target)> {
        // What is due a moment later shares the call.
        let horizon = now + Duration::from_millis(10);
        let panes = self.lock();
        let due = panes.iter().filter(|(_, watch)| !watch.asleep && watch.due() <= horizon);
        due.map(|(pane, watch)| (pane.clone(), watch.target.clone())).collect()
    }

    fn saw(&self, pane: &PaneId, look: Option<Look>, now: Instant) {
        if let Some(watch) = self.lock().get_mut(pane) {
            watch.saw(look, now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PaneId, Watch>> {
        self.panes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    fn touch(&mut self) {
        self.quiet_since = Instant::now();
        self.asleep = false;
    }

    fn due(&self) -> Instant {
        self.polled.map_or(self.quiet_since, |polled| {
            polled + interval(polled.saturating_duration_since(self.quiet_since))
        })
    }

    /// `look` is `None` where the pane is gone.
    fn saw(&mut self, look: Option<Look>, now: Instant) {
        let first = self.polled.replace(now).is_none();
        if first || look != self.last {
            self.quiet_since = now;
            self.changes.send_modify(|count| *count += 1);
        }
        self.last = look;
        self.asleep = look.is_none_or(|look| look.ended);
    }
}

/// How long until the next look at a pane that has been unchanged for so long.
fn interval(quiet: Duration) -> Duration {
    const QUICK: u64 = 30;
    const SLOW: u64 = 200;
    match quiet.as_millis() {
        ..2000 => Duration::from_millis(QUICK) + quiet.mul_f64((SLOW - QUICK) as f64 / 2000.0),
        2000..60_000 => Duration::from_millis(SLOW),
        _ => Duration::from_secs(1),
    }
}

/// Looks at the panes that are due, for ever; aborted when its `Tmux` is dropped.
pub(crate) async fn poll(client: Arc<Client>, watches: Arc<Watches>) {
    loop {
        let changed = watches.changed.notified();
        match watches.next() {
            None => changed.await,
            Some(due) => tokio::select! {
                () = sleep_until(due) => look(&client, &watches).await,
                () = changed => {}
            },
        }
    }
}

async fn look(client: &Client, watches: &Watches) {
    for batch in watches.due(Instant::now()).chunks(BATCH) {
        let targets: Vec<_> = batch.iter().map(|(_, target)| target.clone()).collect();
        let output = client.exec("activity", args::read(&targets, 0), b"").await;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pane() -> PaneId {
        PaneId::new("%1")
    }

    async fn fires(activity: &mut Activity) -> bool {
        tokio::time::timeout(Duration::from_millis(1), activity.changed()).await.is_ok()
    }

    #[test]
    fn a_quiet_pane_is_looked_at_more_and_more_seldom() {
        let table = [(0, 30), (1000, 115), (1999, 199), (2000, 200), (59_999, 200), (60_000, 1000)];
        for (quiet, expected) in table {
            assert_eq!(interval(Duration::from_millis(quiet)).as_millis(), expected, "{quiet}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_look_and_each_change_are_reported() {
        let watches = Watches::default();
        let mut activity = watches.subscribe(&pane());
        let look = |hash| Some(Look { hash, ended: false });
        for (hash, expected) in [(1, true), (1, false), (2, true), (2, false)] {
            watches.saw(&pane(), look(hash), Instant::now());
            assert_eq!(fires(&mut activity).await, expected, "{hash}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_ended_pane_is_reported_once_and_left_alone_until_touched() {
        for end in [None, Some(Look { hash: 2, ended: true })] {
            let watches = Watches::default();
            let mut activity = watches.subscribe(&pane());
            watches.saw(&pane(), Some(Look { hash: 1, ended: false }), Instant::now());
            assert!(fires(&mut activity).await);
            watches.saw(&pane(), end, Instant::now());
            assert!(fires(&mut activity).await);
            assert_eq!(watches.next(), None);
            watches.touch(&pane());
            assert!(watches.next().is_some());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pane_that_nobody_watches_is_forgotten() {
        let watches = Watches::default();
        let activity = watches.subscribe(&pane());
        assert_eq!(watches.due(Instant::now()).len(), 1);
        drop(activity);
        assert_eq!(watches.next(), None);
        assert!(watches.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn touching_brings_the_next_look_forward() {
        let watches = Watches::default();
        let _activity = watches.subscribe(&pane());
        watches.saw(&pane(), None, Instant::now());
        let look = Some(Look { hash: 1, ended: false });
        watches.touch(&pane());
        watches.saw(&pane(), look, Instant::now());
        tokio::time::advance(Duration::from_secs(70)).await;
        watches.saw(&pane(), look, Instant::now());
        assert_eq!(watches.next(), Some(Instant::now() + Duration::from_secs(1)));
        watches.touch(&pane());
        assert_eq!(watches.next(), Some(Instant::now() + Duration::from_millis(30)));
    }
}
