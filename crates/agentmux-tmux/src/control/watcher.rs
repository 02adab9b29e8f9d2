//! The client that is told what panes write: it wakes those who watch them, and nobody else ever does.
//!
//! The windows of watched panes are linked into the hidden session, where it sits. Output is a signal that a
//! pane may look different; only announcements (OSC 7501) are read out of it. `pause-after=1`: where we are
//! slower than a pane for a second, tmux holds back that pane's output instead of keeping all of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use agentmux_core::terminal::PaneId;
use tokio::time::{Duration, Instant, sleep, sleep_until};

use super::notice::{Notice, unescape};
use super::osc::{Scanner, Word};
use super::process::{Ended, Process, Stream};
use super::protocol::Event;
use super::reconcile::{self, Known};
use super::shape::shape;
use crate::args;
use crate::failure::Failure;
use crate::poll::poll;
use crate::server::Server;
use crate::target::Target;

/// How long until panes are listed again, though nothing suggests it; longer while nothing happens at all.
const SLOW: Duration = Duration::from_secs(5);
const SLOWEST: Duration = Duration::from_secs(30);

/// How long after tmux spoke of sessions or windows: several lines come at once.
const SOON: Duration = Duration::from_millis(20);

/// How long at least from one listing to the next: it costs milliseconds at hundreds of panes.
const SPACING: Duration = Duration::from_millis(250);

/// The longest line: tmux sends some kilobytes of a pane's output at a time.
const LONGEST: usize = 1024 * 1024;

/// A pane's death is told by no notification of its own. The server checks this once a second, and writes
/// only when it changes.
const DEATHS: &str = "%*:#{pane_dead}";

/// How long to wait before the next try to attach; polling does the work meanwhile.
const RETRY: Duration = Duration::from_secs(1);

/// Keeps watched panes up to date for ever: by polling until a watcher is attached, and again when it ends.
pub(crate) async fn watch(server: Arc<Server>) {
    let mut wait = Duration::ZERO;
    loop {
        let attached = tokio::select! {
            never = poll(&server.client, &server.watches) => match never {},
            attached = attach(&server, wait) => attached,
        };
        wait = RETRY;
        match attached {
            Ok(process) => {
                let attached = Instant::now();
                set_watching(&server, true);
                let ended = Watcher::new(&server, process).run().await;
                set_watching(&server, false);
                log::debug!("the watcher of tmux ended: {ended}");
                server.watches.missed_all();
                if attached.elapsed() > RETRY {
                    wait = Duration::ZERO;
                }
            }
            Err(failure) => log::debug!("the watcher of tmux cannot attach: {failure:?}"),
        }
    }
}

fn set_watching(server: &Server, watching: bool) {
    if let Some(control) = server.client.control() {
        control.set_watching(watching);
    }
}

async fn attach(server: &Server, wait: Duration) -> Result<Process, Failure> {
    let Some(control) = server.client.control() else { std::future::pending().await };
    sleep(wait).await;
    control.connected().await;
    let mut process = control.attach_watcher(LONGEST).await?;
    let subscribe = format!("refresh-client -B \"{}:{DEATHS}\"\n", args::SUBSCRIPTION);
    match process.write(subscribe.as_bytes()).await {
        Ok(()) => Ok(process),
        Err(error) => Err(Failure::Exiting(format!("tmux watch: {error}"))),
    }
}

/// An attached watcher.
#[derive(Debug)]
struct Watcher<'a> {
    server: &'a Arc<Server>,
    process: Process,
    view: View,
    known: HashMap<PaneId, Known>,
    listed: Instant,
    due: Instant,
}

/// What is seen of the panes that are linked.
#[derive(Debug, Default)]
struct View {
    linked: HashMap<PaneId, Heard>,
    /// Something happened since panes were listed.
    active: bool,
}

/// What is known of one pane's output.
#[derive(Debug, Default)]
struct Heard {
    scanner: Scanner,
    /// The shape of what was written last.
    shape: u64,
}

/// What one reading of the stream brought.
#[derive(Debug, Default)]
struct News {
    /// Those that were written to; true where it was but a repetition.
    written: BTreeMap<PaneId, bool>,
    died: BTreeSet<PaneId>,
    paused: BTreeSet<PaneId>,
    changed: bool,
}

impl<'a> Watcher<'a> {
    fn new(server: &'a Arc<Server>, process: Process) -> Self {
        let now = Instant::now();
        Self { server, process, view: View::default(), known: HashMap::new(), listed: now, due: now }
    }

    /// Works until the client ends, or is not needed any more.
    async fn run(&mut self) -> Ended {
        loop {
            let worked = tokio::select! {
                news = self.view.read(&mut self.process.output, self.server) => match news {
                    Ok(news) => self.hear(news).await,
                    Err(ended) => Err(ended),
                },
                () = self.server.watches.changed() => {
                    self.link_fresh().await;
                    Ok(())
                }
                () = sleep_until(self.due) => self.reconcile().await,
            };
            if let Err(ended) = worked {
                return ended;
            }
        }
    }

    async fn hear(&mut self, news: News) -> Result<(), Ended> {
        self.view.active = true;
        let watches = &self.server.watches;
        watches.wrote(news.written.iter().map(|(pane, repeated)| (pane, *repeated)));
        watches.pulse(&news.died);
        for pane in &news.paused {
            // What it wrote meanwhile is never told (3.3a; 3.7c tells some): look at the screen.
            watches.missed(pane);
            // In double quotes: a bare `%1:continue` is a syntax error.
            let go_on = format!("refresh-client -A \"{pane}:continue\"\n");
            self.process.write(go_on.as_bytes()).await?;
        }
        if news.changed {
            self.due = self.due.min((Instant::now() + SOON).max(self.listed + SPACING));
        }
        Ok(())
    }

    async fn link_fresh(&mut self) {
        for pane in self.server.watches.take_fresh() {
            if self.view.linked.contains_key(&pane) {
                self.server.watches.pulse([&pane]);
            } else {
                self.link(&pane).await;
            }
        }
    }

    async fn link(&mut self, pane: &PaneId) {
        let Some(target) = Target::parse(pane) else { return };
        match self.server.client.run("link", &args::link(&target, &self.server.hidden), b"").await {
            Ok(_) => {
                self.view.linked.insert(pane.clone(), Heard::default());
            }
            Err(Failure::Gone) => {
                self.known.insert(pane.clone(), Known::Gone);
            }
            // The next listing shows whether it is still to be done.
            Err(failure) => log::debug!("cannot link {pane}: {failure:?}"),
        }
        // What it wrote before is not told.
        self.server.watches.pulse([pane]);
    }

    async fn reconcile(&mut self) -> Result<(), Ended> {
        self.listed = Instant::now();
        self.due = self.listed + if self.view.active { SLOW } else { SLOWEST };
        self.view.active = false;
        let watched = self.server.watches.watched();
        if watched.is_empty() && !self.server.owned {
            // The hidden session must not keep a server alive that its user is done with.
            if let Some(watcher) = self.process.id() {
                let unwatch = args::unwatch(watcher, &self.server.hidden);
                if let Err(failure) = self.server.client.run("unwatch", &unwatch, b"").await {
                    log::debug!("the hidden session cannot be ended: {failure:?}");
                }
            }
            self.server.client.allow(false);
            return Err(Ended::Closed);
        }
        let Ok(places) = self.server.places().await else { return Ok(()) };
        let steps = reconcile::steps(&places, &watched, &mut self.known);
        self.view.keep(places.iter().filter(|place| place.linked).map(|place| &place.pane));
        for pane in &steps.end {
            log::info!("ending the pane {pane}: its session was killed");
            self.server.end_later(pane);
        }
        for pane in &steps.unlink {
            self.unlink(pane).await;
        }
        for pane in &steps.link {
            self.link(pane).await;
        }
        self.server.watches.pulse(&steps.pulse);
        Ok(())
    }

    async fn unlink(&mut self, pane: &PaneId) {
        let Some(target) = Target::parse(pane) else { return };
        // Fails where the pane has gone in this moment; then there is nothing to do.
        let _ = self.server.client.run("unlink", &args::unlink(&target, &self.server.hidden), b"").await;
        self.view.linked.remove(pane);
    }
}

impl Heard {
    /// Takes what was written, and hands announcements on; true where it has the shape of what was written before.
    fn hear(&mut self, bytes: &[u8], on: impl FnMut(Word)) -> bool {
        self.scanner.feed(bytes, on);
        let shape = shape(bytes);
        std::mem::replace(&mut self.shape, shape) == shape
    }
}

impl View {
    /// Waits for output and sorts it; announcements are handed on at once.
    async fn read(&mut self, output: &mut Stream, server: &Server) -> Result<News, Ended> {
        let mut news = News::default();
        let linked = &mut self.linked;
        output
            .next(|event| {
                let Event::Line(line) = event else { return };
                match Notice::parse(line) {
                    Notice::Output { pane, escaped } => {
                        let pane = PaneId::new(pane);
                        if let Some(heard) = linked.get_mut(&pane) {
                            let repeated = heard.hear(&unescape(escaped), |word| {
                                server.watches.announce(&pane, word);
                            });
                            *news.written.entry(pane).or_insert(true) &= repeated;
                        }
                    }
                    Notice::Died(pane) => news.died.extend([PaneId::new(pane)]),
                    Notice::Paused(pane) => news.paused.extend([PaneId::new(pane)]),
                    Notice::Changed => news.changed = true,
                    Notice::Other => {}
                }
            })
            .await?;
        Ok(news)
    }

    /// Keeps exactly these panes; those that were linked before keep what was read of them.
    fn keep<'a>(&mut self, panes: impl Iterator<Item = &'a PaneId>) {
        let mut before = std::mem::take(&mut self.linked);
        self.linked = panes.map(|pane| (pane.clone(), before.remove(pane).unwrap_or_default())).collect();
    }
}
