//! The environment that agents get: found out by whoever embeds this crate, kept, and found out again when asked.
//!
//! To find it out may mean to ask a login shell, which takes its time. So it is done in a task of its own, from the
//! start on; who needs it waits until it is there for the first time. A later finding replaces it, unless that fails.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;

/// An environment for agents, and where it came from.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// The variables.
    pub variables: BTreeMap<OsString, OsString>,
    /// Where they came from, as it reads after "PATH of": `the login shell /bin/zsh`.
    pub origin: String,
    /// What went wrong in finding them out; they are second best then.
    pub problem: Option<String>,
}

impl Environment {
    /// The folders in which programs are looked for.
    pub fn path(&self) -> Option<&OsStr> {
        self.variables.get(OsStr::new("PATH")).map(OsString::as_os_str)
    }

    /// What is kept where this was found out after `known`: a failure replaces nothing good.
    fn after(self, known: Option<&Self>) -> Self {
        match known.filter(|known| known.problem.is_none() && self.problem.is_some()) {
            Some(known) => Self { problem: self.problem, ..known.clone() },
            None => self,
        }
    }
}

/// The values are secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variables, origin, problem } = self;
        write!(f, "Environment({} variables of {origin:?}, problem: {problem:?})", variables.len())
    }
}

/// Asks for a fresh environment.
type Ask = oneshot::Sender<Arc<Environment>>;

/// Where the agents' environment comes from: a cheap handle, to be cloned.
#[derive(Debug, Clone)]
pub struct EnvironmentSource {
    now: watch::Receiver<Option<Arc<Environment>>>,
    asks: mpsc::Sender<Ask>,
    task: Option<AbortHandle>,
}

impl EnvironmentSource {
    /// These variables, for ever.
    pub fn fixed(variables: BTreeMap<OsString, OsString>) -> Self {
        let environment = Environment { variables, origin: "the daemon".to_owned(), problem: None };
        let (_, now) = watch::channel(Some(Arc::new(environment)));
        let (asks, _) = mpsc::channel(1);
        Self { now, asks, task: None }
    }

    /// What `find` finds, now and whenever it is asked for again; in a task, so this needs a runtime.
    pub fn found_by<F>(mut find: impl FnMut() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Environment> + Send,
    {
        let (sender, now) = watch::channel(None);
        let (asks, mut asked) = mpsc::channel::<Ask>(16);
        let task = tokio::spawn(async move {
            let mut waiting = Vec::new();
            loop {
                let found = find().await.after(sender.borrow().as_deref());
                let found = Arc::new(found);
                sender.send_replace(Some(found.clone()));
                // Who does not wait any more has lost interest, no more.
                waiting.drain(..).for_each(|ask: Ask| drop(ask.send(found.clone())));
                let Some(ask) = asked.recv().await else { break };
                waiting.push(ask);
                while let Ok(ask) = asked.try_recv() {
                    waiting.push(ask);
                }
            }
        });
        Self { now, asks, task: Some(task.abort_handle()) }
    }

    /// The environment; where it is not known yet, once it is.
    pub async fn get(&self) -> Arc<Environment> {
        let mut now = self.now.clone();
        let known = now.wait_for(Option::is_some).await;
        // The task that finds it out ends early only with the whole daemon.
        known.ok().and_then(|known| known.clone()).unwrap_or_default()
    }

    /// The environment, found out anew; as it was before where that fails.
    pub async fn refresh(&self) -> Arc<Environment> {
        let (ask, answer) = oneshot::channel();
        if self.asks.send(ask).await.is_err() {
            return self.get().await;
        }
        match answer.await {
            Ok(fresh) => fresh,
            Err(_) => self.get().await,
        }
    }

    /// Stops finding out, and returns when nothing of that is left.
    pub async fn end(&self) {
        if let Some(task) = &self.task {
            task.abort();
            let mut now = self.now.clone();
            // The sender goes last of all that the task has.
            while now.changed().await.is_ok() {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn environment(path: &str, problem: Option<&str>) -> Environment {
        Environment {
            variables: [("PATH".into(), path.into())].into(),
            origin: path.to_owned(),
            problem: problem.map(str::to_owned),
        }
    }

    /// Finds each of these in turn, then the last one again and again.
    fn in_turn(found: Vec<Environment>) -> EnvironmentSource {
        let mut round = 0;
        EnvironmentSource::found_by(move || {
            let next = found[round.min(found.len() - 1)].clone();
            round += 1;
            async { next }
        })
    }

    #[tokio::test]
    async fn it_is_found_once_and_again_when_asked() {
        let source = in_turn(vec![environment("a", None), environment("b", None)]);
        assert_eq!(source.get().await.path(), Some(OsStr::new("a")));
        assert_eq!(source.get().await.path(), Some(OsStr::new("a")));
        assert_eq!(source.refresh().await.path(), Some(OsStr::new("b")));
        assert_eq!(source.get().await.path(), Some(OsStr::new("b")));
    }

    #[tokio::test]
    async fn a_failure_is_told_and_replaces_nothing_good() {
        let bad = || environment("b", Some("it hangs"));
        let source = in_turn(vec![bad(), environment("a", None), bad()]);
        assert_eq!(*source.get().await, bad());
        assert_eq!(source.refresh().await.problem, None);
        let kept = source.refresh().await;
        assert_eq!((kept.origin.as_str(), kept.problem.as_deref()), ("a", Some("it hangs")));
    }

    #[tokio::test]
    async fn those_who_ask_at_the_same_time_are_answered_by_one_finding() {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        let source = EnvironmentSource::found_by(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            async { environment("a", None) }
        });
        source.get().await;
        tokio::join!(source.refresh(), source.refresh(), source.refresh());
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn ending_drops_what_is_under_way() {
        let held = Arc::new(());
        let hold = held.clone();
        let source = EnvironmentSource::found_by(move || {
            let hold = hold.clone();
            async move {
                std::future::pending::<()>().await;
                drop(hold);
                Environment::default()
            }
        });
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&held), 3);
        source.end().await;
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[test]
    fn values_are_not_shown() {
        assert!(!format!("{:?}", environment("secret", None)).contains("PATH"));
    }
}
