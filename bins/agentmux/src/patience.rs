//! Waiting in shares: a user may wait longer than one call to the daemon can.

use std::time::{Duration, Instant};

/// How long the user wants to wait: longer, perhaps, than one call may.
#[derive(Debug)]
pub(crate) struct Patience {
    ends: Option<Instant>,
}

impl Patience {
    /// One call's share, in seconds: short enough for the network in between to keep the connection.
    const SHARE: f64 = 300.0;

    /// Endless where the number is.
    pub(crate) fn new(seconds: f64) -> Self {
        let length = Duration::try_from_secs_f64(seconds).ok();
        Self { ends: length.and_then(|length| Instant::now().checked_add(length)) }
    }

    /// The next call's share.
    pub(crate) fn next(&self) -> f64 {
        let left = |ends: Instant| ends.saturating_duration_since(Instant::now()).as_secs_f64();
        self.ends.map_or(Self::SHARE, |ends| left(ends).min(Self::SHARE))
    }

    pub(crate) fn is_endless(&self) -> bool {
        self.ends.is_none()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.ends.is_some_and(|ends| ends <= Instant::now())
    }
}

/// After a call that was to wait so many seconds, without success: it may have been far too short. A daemon that is
/// shutting down answers at once; it will be gone soon.
pub(crate) async fn unhurried(asked_at: Instant, wait: f64) {
    if asked_at.elapsed().as_secs_f64() < wait / 2.0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_shared_out() {
        assert_eq!(Patience::new(f64::INFINITY).next(), Patience::SHARE);
        assert_eq!(Patience::new(1e9).next(), Patience::SHARE);
        assert!(Patience::new(2.0).next() <= 2.0);
        assert!(Patience::new(0.0).is_over() && !Patience::new(f64::INFINITY).is_over());
    }
}
