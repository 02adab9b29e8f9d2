//! One session in the list: what never changes of it, and the way to its task.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, watch};

use super::{Inner, SessionView};
use crate::events::Event;
use crate::input::{SessionName, ShortName};
use crate::profile::Profile;
use crate::question::Policy;
use crate::session::{Answering, Command, Extent, Handle, Parts, Snapshot, Start, open};
use crate::signals::{Link, launch};
use crate::state::{Evidence, Source, State};
use crate::terminal::{Label, Pane, PaneId};

pub(super) struct Entry {
    /// Its own number in this process.
    serial: u64,
    pub(super) name: SessionName,
    pub(super) id: String,
    pub(super) pane: PaneId,
    pub(super) agent: ShortName,
    created: i64,
    workdir: String,
    policy: Policy,
    pub(super) link: Arc<Link>,
    handle: Handle,
}

impl Entry {
    pub(super) fn view(&self, active: Option<&str>) -> SessionView {
        let now = self.handle.snapshot.borrow().clone();
        let created = Duration::from_secs(self.created.unsigned_abs());
        SessionView {
            name: self.name.clone(),
            id: self.id.clone(),
            agent: self.agent.to_string(),
            state: now.state,
            evidence: now.evidence,
            question: now.question,
            policy: self.policy,
            created_at: SystemTime::UNIX_EPOCH + created,
            target: now.target,
            workdir: self.workdir.clone(),
            active: active == Some(self.id.as_str()),
            context: now.context,
            lost: now.lost,
            exit: now.exit,
            resets_at: now.resets_at,
            turns: now.turns,
            contradictions: now.contradictions,
        }
    }

    /// True for its name, its id and the address of its pane.
    pub(super) fn answers_to(&self, target: &str) -> bool {
        self.name.as_str() == target || self.id == target || self.handle.snapshot.borrow().target == target
    }

    /// Two numbers that are the same only where a view of it is the same.
    pub(super) fn version(&self) -> (u64, u64) {
        (self.serial, self.handle.snapshot.borrow().version)
    }

    /// How much text its pane had when it was read last.
    pub(super) fn extent(&self) -> Extent {
        self.handle.snapshot.borrow().extent
    }

    /// True unless it is still starting.
    pub(super) fn was_ready(&self) -> bool {
        self.handle.snapshot.borrow().state != State::Starting
    }

    /// True where the agent has announced its state in its output since this daemon knows it.
    pub(super) fn has_announced(&self) -> bool {
        self.handle.snapshot.borrow().announced
    }

    /// True where nothing is lost with it: nobody looks at it, it is idle, no turn waits.
    pub(super) fn is_idle_and_alone(&self) -> bool {
        let now = self.handle.snapshot.borrow();
        now.state == State::Idle && !now.attached && now.turns == 0
    }

    pub(super) fn is_exited(&self) -> bool {
        self.handle.snapshot.borrow().state == State::Exited
    }

    pub(super) fn snapshot(&self) -> watch::Receiver<Snapshot> {
        self.handle.snapshot.clone()
    }

    pub(super) fn commands(&self) -> mpsc::Sender<Command> {
        self.handle.commands.clone()
    }

    /// Ends the task; its turns are failed, and then it is told that the session is gone.
    pub(super) async fn close(self) {
        // A task that is gone already has nothing to close.
        drop(self.handle.commands.send(Command::Close).await);
        self.join().await;
    }

    /// Ends the task; agent and turns stay as they are.
    pub(super) async fn let_go(self) {
        self.join().await;
    }

    async fn join(self) {
        let name = self.name;
        drop(self.handle.commands);
        if let Err(error) = self.handle.task.await {
            log::error!("session {name}: its task ended badly: {error}");
        }
    }
}

impl Inner {
    /// Starts the task of a session.
    pub(super) fn open_entry(
        &self,
        label: Label,
        pane: Pane,
        profile: Arc<Profile>,
        link: Arc<Link>,
        begin: Option<(Start, Answering)>,
    ) -> Entry {
        let parts = Parts {
            name: label.name.clone(),
            id: label.id.clone(),
            pane: pane.id.clone(),
            target: pane.target,
            profile,
            policy: label.policy,
            terminal: self.terminal.clone(),
            link: link.clone(),
            book: self.book.clone(),
        };
        self.book.events().push(Event::Session {
            name: label.name.clone(),
            id: label.id.clone(),
            state: State::Starting,
            evidence: Evidence {
                source: Source::Process,
                rule: "started".into(),
                matched: String::new(),
                since: SystemTime::now(),
            },
            question: None,
            exit: None,
            resets_at: None,
        });
        static MADE: AtomicU64 = AtomicU64::new(0);
        Entry {
            serial: MADE.fetch_add(1, Ordering::Relaxed),
            name: label.name,
            id: label.id,
            pane: pane.id,
            agent: label.agent,
            created: label.created,
            workdir: label.workdir,
            policy: label.policy,
            link,
            handle: open(parts, begin),
        }
    }

    /// A session that an earlier daemon left alive. An agent whose profile is unknown by now is read by the default
    /// one's.
    pub(super) fn adopt_entry(&self, label: Label, pane: Pane) -> Entry {
        let profile = self.profile(label.agent.as_str());
        let link = launch::find(self.settings.relay.as_ref(), &profile, &label.id);
        self.open_entry(label, pane, profile, link, None)
    }
    /// A profile by its name, the default agent's where there is none (any more).
    pub(super) fn profile(&self, agent: &str) -> Arc<Profile> {
        let known = self.profiles.get(agent).or_else(|| self.profiles.get(self.settings.agent.as_str()));
        known.expect("the default agent is one of the profiles: Settings says so")
    }
}
