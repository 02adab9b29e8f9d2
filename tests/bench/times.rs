//! Samples of one quantity, mostly milliseconds, and how they are taken.

use std::time::{SystemTime, UNIX_EPOCH};

/// So many samples of one kind are taken in a row before the other kinds have their turn.
const BATCH: usize = 50;

/// Samples, in order of size.
#[derive(Debug, Clone)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    pub(crate) fn p50(&self) -> f64 {
        self.quantile(0.5)
    }

    pub(crate) fn p99(&self) -> f64 {
        self.quantile(0.99)
    }

    /// The samples of all.
    pub(crate) fn of_all(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().flat_map(|times| times.0).collect()
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index within the samples"
    )]
    fn quantile(&self, share: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * share).round() as usize]
    }
}

impl FromIterator<f64> for Times {
    fn from_iter<I: IntoIterator<Item = f64>>(samples: I) -> Self {
        let mut sorted: Vec<f64> = samples.into_iter().collect();
        assert!(!sorted.is_empty(), "nothing was measured");
        sorted.sort_by(f64::total_cmp);
        Self(sorted)
    }
}

/// Samples of several kinds in turns, so that whatever else the machine does meets all of them alike.
pub(crate) fn in_turns<const N: usize>(
    samples: usize,
    mut kinds: [&mut dyn FnMut() -> f64; N],
) -> [Times; N] {
    let mut taken = [const { Vec::new() }; N];
    while taken[0].len() < samples {
        for (kind, taken) in kinds.iter_mut().zip(&mut taken) {
            taken.extend((0..BATCH.min(samples)).map(|_| kind()));
        }
    }
    taken.map(Times::from_iter)
}

/// Seconds since 1970, as in the demo agent's log.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}
