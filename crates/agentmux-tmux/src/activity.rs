//! The panes that somebody watches, and what is known of each.
//!
//! One task keeps them up to date: by what tmux pushes ([`watcher`](crate::control::watcher)) or, without a
//! control client, by looking ([`poll`](crate::poll)).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agentmux_core::terminal::{Activity, Announced, PaneId, Pulse};
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::control::osc::Word;
use crate::parse::Look;
use crate::target::Target;

/// The panes that are watched.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    panes: Mutex<HashMap<PaneId, Watch>>,
    changed: Notify,
}

#[derive(Debug)]
struct Watch {
    target: Target,
    changes: watch::Sender<Pulse>,
    /// Watched since the last [`take_fresh`](Watches::take_fresh).
    fresh: bool,
    /// How often `working` was announced.
    worked: u64,
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
            return Activity::new(watch::channel(Pulse::default()).1);
        };
        let mut panes = self.lock();
        panes.retain(|_, watch| watch.changes.receiver_count() > 0);
        let watch = panes.entry(pane.clone()).or_insert_with(|| Watch {
            target,
            changes: watch::channel(Pulse::default()).0,
            fresh: true,
            worked: 0,
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

    /// Waits until a pane is watched for the first time, or was touched.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// The panes that are watched. Forgets those that nobody watches any more.
    pub(crate) fn watched(&self) -> Vec<PaneId> {
        let mut panes = self.lock();
        panes.retain(|_, watch| watch.changes.receiver_count() > 0);
        panes.keys().cloned().collect()
    }

    /// The panes that are watched for the first time since the last call.
    pub(crate) fn take_fresh(&self) -> Vec<PaneId> {
        let mut panes = self.lock();
        let fresh = panes
            .iter_mut()
            .filter_map(|(pane, watch)| std::mem::take(&mut watch.fresh).then(|| pane.clone()));
        fresh.collect()
    }

    /// Tells those who watch these panes that they may look different now.
    pub(crate) fn pulse<'a>(&self, changed: impl IntoIterator<Item = &'a PaneId>) {
        self.wrote(changed.into_iter().map(|pane| (pane, false)));
    }

    /// Tells those who watch these panes that something was written there, and whether it was but a repetition.
    pub(crate) fn wrote<'a>(&self, written: impl IntoIterator<Item = (&'a PaneId, bool)>) {
        let panes = self.lock();
        for (pane, repeated) in written {
            let Some(watch) = panes.get(pane) else { continue };
            watch.changes.send_modify(|pulse| {
                pulse.changes += 1;
                pulse.repeats += u64::from(repeated);
            });
        }
    }

    /// Tells what the pane's program announced of itself.
    pub(crate) fn announce(&self, pane: &PaneId, Word { state, kind }: Word) {
        if let Some(watch) = self.lock().get_mut(pane) {
            watch.worked += u64::from(state == "working");
            let announced = Announced { state, kind, worked: watch.worked, at: Instant::now() };
            watch.changes.send_modify(|pulse| {
                pulse.changes += 1;
                pulse.announced = Some(announced);
            });
        }
    }

    /// Some output of this pane was not seen: what its program announced may be out of date.
    pub(crate) fn missed(&self, pane: &PaneId) {
        if let Some(watch) = self.lock().get(pane) {
            watch.missed();
        }
    }

    /// Some output of all panes was not seen. They are to be looked at again, all of them.
    pub(crate) fn missed_all(&self) {
        for watch in self.lock().values_mut() {
            watch.missed();
            watch.touch();
        }
    }

    /// When the next look is due; `None` while nobody watches. Forgets panes that nobody watches any more.
    pub(crate) fn next(&self) -> Option<Instant> {
        let mut panes = self.lock();
        panes.retain(|_, watch| watch.changes.receiver_count() > 0);
        panes.values().filter(|watch| !watch.asleep).map(Watch::due).min()
    }

    /// The panes to look at now.
    pub(crate) fn due(&self, now: Instant) -> Vec<(PaneId, Target)> {
        // What is due a moment later shares the call.
        let horizon = now + Duration::from_millis(10);
        let panes = self.lock();
        let due = panes.iter().filter(|(_, watch)| !watch.asleep && watch.due() <= horizon);
        due.map(|(pane, watch)| (pane.clone(), watch.target.clone())).collect()
    }

    /// Takes what a look showed; `None` where the pane is gone.
    pub(crate) fn saw(&self, pane: &PaneId, look: Option<Look>, now: Instant) {
        if let Some(watch) = self.lock().get_mut(pane) {
            watch.saw(look, now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PaneId, Watch>> {
        self.panes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    fn missed(&self) {
        self.changes.send_modify(|pulse| {
            pulse.changes += 1;
            pulse.announced = None;
        });
    }

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
            self.changes.send_modify(|pulse| pulse.changes += 1);
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

    #[tokio::test]
    async fn what_a_program_announced_holds_until_output_was_missed() {
        let watches = Watches::default();
        let mut activity = watches.subscribe(&pane());
        let word = |state: &str| Word { state: state.into(), kind: None };
        for state in ["working", "done", "working", "idle"] {
            watches.announce(&pane(), word(state));
        }
        assert!(fires(&mut activity).await);
        let announced = activity.announced().unwrap();
        assert_eq!((announced.state.as_str(), announced.worked), ("idle", 2));
        watches.missed(&pane());
        assert!(fires(&mut activity).await);
        assert_eq!(activity.announced(), None);
        watches.announce(&pane(), word("working"));
        assert_eq!(activity.announced().unwrap().worked, 3);
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
