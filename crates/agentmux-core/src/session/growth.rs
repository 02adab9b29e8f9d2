//! How many rows have scrolled out since a turn began: its traces are looked for among those, not in all of a history.

use crate::screen::Screen;

/// How many rows above the screen are read when a turn begins.
pub(super) const MARGIN: usize = 200;

/// What has scrolled out of a pane since a reading with at most [`MARGIN`] rows of history.
#[derive(Debug, Clone)]
pub(super) struct Growth {
    /// How many rows above the screen that reading had.
    margin: usize,
    /// `None` where rows cannot be told from earlier ones any more: the history was cleared or laid out anew.
    grown: Option<usize>,
    last: Shape,
}

#[derive(Debug, Clone, Copy)]
struct Shape {
    history: usize,
    limit: usize,
    size: (usize, usize),
}

impl Growth {
    pub(super) fn since(screen: &Screen) -> Self {
        Self { margin: screen.scrolled_out, grown: Some(0), last: Shape::of(screen) }
    }

    /// Notes a later reading.
    pub(super) fn note(&mut self, screen: &Screen) {
        let now = Shape::of(screen);
        self.grown = self.grown.zip(self.last.scrolled_until(now)).map(|(before, more)| before + more);
        self.last = now;
    }

    /// How many rows above the screen to compare with the first reading: they begin with the same row, or, where that
    /// is not known, are as many.
    pub(super) fn rows(&self) -> usize {
        self.margin + self.grown.unwrap_or(0)
    }

    /// Whether [`rows`](Self::rows) surely goes back to where the first reading began.
    pub(super) fn is_certain(&self) -> bool {
        // Else the history may have been full, and rows dropped, more than once between two readings.
        self.grown.is_some() && self.last.history + self.last.dropped_at_once() <= self.last.limit
    }
}

impl Shape {
    fn of(screen: &Screen) -> Self {
        let size = (screen.columns, screen.height());
        Self { history: screen.history, limit: screen.history_limit, size }
    }

    fn dropped_at_once(self) -> usize {
        (self.limit / 10).max(1)
    }

    fn scrolled_until(self, now: Self) -> Option<usize> {
        if self.size != now.size || self.limit != now.limit {
            return None;
        }
        let was_full = self.history <= self.limit && now.history + self.dropped_at_once() > self.limit;
        match now.history.checked_sub(self.history) {
            Some(more) => Some(more),
            None => was_full.then(|| now.history + self.dropped_at_once() - self.history),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(history: usize, columns: usize) -> Screen {
        Screen { history, history_limit: 5000, columns, scrolled_out: 0, ..Screen::default() }
    }

    #[test]
    fn growth_is_what_scrolled_out_while_that_can_be_told() {
        let table: [(&[usize], usize, bool); 8] = [
            (&[0, 0], 0, true),
            (&[10, 10, 14, 300], 290, true),
            (&[4400, 4600], 200, false),
            // Full: 500 rows were dropped.
            (&[4990, 4600], 110, false),
            (&[5000, 4501, 4600], 100, false),
            // Cleared.
            (&[300, 0], 0, false),
            (&[300, 0, 50], 0, false),
            (&[4990, 4400], 0, false),
        ];
        for (seen, grown, certain) in table {
            let mut growth = Growth::since(&screen(seen[0], 80));
            seen[1..].iter().for_each(|&history| growth.note(&screen(history, 80)));
            assert_eq!((growth.rows(), growth.is_certain()), (grown, certain), "{seen:?}");
        }
    }

    #[test]
    fn rows_of_another_width_are_other_rows() {
        let mut growth = Growth::since(&screen(10, 80));
        growth.note(&screen(15, 60));
        assert!(!growth.is_certain());
    }
}
