//! The account of the demo agent: its usage limit and its login. Nothing of it is real.

use std::time::{Duration, Instant};

/// What keeps it from answering.
#[derive(Debug, Default)]
pub(super) struct Account {
    limit: Option<Limit>,
    logged_out: bool,
}

/// A usage limit that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limit {
    /// When it ends.
    pub(super) until: Instant,
    /// The prompt that reached it: it is answered afterwards.
    prompt: Vec<u8>,
    /// Whether it says when it ends.
    told: bool,
    /// Whether the agent goes on with the prompt by itself.
    pub(super) resumes: bool,
}

impl Account {
    /// A prompt reaches the limit.
    pub(super) fn reach(&mut self, prompt: &[u8], length: Duration, how: Option<&str>, now: Instant) {
        let (told, resumes) = (how != Some("untold"), how == Some("resumes"));
        self.limit = Some(Limit { until: now + length, prompt: prompt.to_vec(), told, resumes });
    }

    pub(super) fn log_out(&mut self) {
        self.logged_out = true;
    }

    pub(super) fn log_in(&mut self) {
        self.logged_out = false;
    }

    /// Why nothing is answered now, as the agent says it.
    pub(super) fn refusal(&self, now: Instant) -> Option<String> {
        if self.logged_out {
            return Some("■ Not logged in · run /login".to_owned());
        }
        let limit = self.limit.as_ref().filter(|limit| now < limit.until)?;
        let left = (limit.until - now).as_secs_f64();
        let resets = if limit.told { format!(" · resets in {left:.1} s") } else { String::new() };
        Some(format!("■ Usage limit reached{resets}"))
    }

    /// Whether this prompt has had its limit.
    pub(super) fn is_paid(&self, prompt: &[u8], now: Instant) -> bool {
        self.limit.as_ref().is_some_and(|limit| limit.prompt == prompt && now >= limit.until)
    }

    /// A limit after which it goes on by itself.
    pub(super) fn resuming(&self) -> Option<&Limit> {
        self.limit.as_ref().filter(|limit| limit.resumes)
    }

    /// The prompt to go on with, once that limit is over.
    pub(super) fn take_resumed(&mut self, now: Instant) -> Option<Vec<u8>> {
        let limit = self.limit.as_mut().filter(|limit| limit.resumes && now >= limit.until)?;
        limit.resumes = false;
        Some(limit.prompt.clone())
    }

    /// It does not go on by itself.
    pub(super) fn stop_resuming(&mut self) -> bool {
        self.limit.as_mut().is_some_and(|limit| std::mem::take(&mut limit.resumes))
    }
}
