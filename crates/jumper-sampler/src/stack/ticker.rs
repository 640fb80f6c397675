//! The beat of a recording: absolute deadlines, jitter, and an account of those that were missed.

use std::time::Duration;

use crate::Timestamp;

/// Deadlines an interval apart.
///
/// They lie on a grid from the start, so that lateness never adds up, and each is moved by up to a quarter of
/// the interval at random: a program that does something periodically at our rate, or a multiple of it, would
/// otherwise be seen at the same point of its period every time.
#[derive(Debug)]
pub struct Ticker {
    start: Timestamp,
    interval: Duration,
    /// The number of the next deadline on the grid.
    next: u64,
    /// `None` for deadlines that are not moved.
    random: Option<u64>,
}

/// One deadline that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// When it was meant to be.
    pub due: Timestamp,
    /// When it was.
    pub at: Timestamp,
    /// How many deadlines before this one were given up because they had passed.
    pub skipped: u64,
}

impl Beat {
    /// Whether it came more than half of `interval` after its time.
    pub fn is_late(&self, interval: Duration) -> bool {
        self.at.saturating_duration_since(self.due) > interval / 2
    }

    /// How many deadlines were not kept: those given up, and this one if it is [late](Self::is_late).
    pub fn missed(&self, interval: Duration) -> u64 {
        self.skipped + u64::from(self.is_late(interval))
    }
}

impl Ticker {
    /// Starts now; the first deadline is one interval away. An interval below a microsecond is taken as one.
    pub fn start(interval: Duration) -> Self {
        let start = Timestamp::now();
        let seed = start.as_nanos().cast_unsigned() ^ u64::from(std::process::id()) << 32;
        Self {
            start,
            interval: interval.max(Duration::from_micros(1)),
            next: 1,
            random: Some(seed | 1),
        }
    }

    /// The same with deadlines that lie on the grid, for what is measured between two of them: rates are as good as the interval
    /// is even.
    pub fn regular(interval: Duration) -> Self {
        Self {
            random: None,
            ..Self::start(interval)
        }
    }

    /// The deadline that comes next, for those who want to wait for it in their own way.
    pub fn next_deadline(&mut self) -> Deadline {
        let nanos = self.interval.as_nanos() as u64;
        // The last deadline that has passed is still taken: late, but not lost.
        let passed = Timestamp::now()
            .saturating_duration_since(self.start)
            .as_nanos() as u64
            / nanos;
        let number = self.next.max(passed);
        let skipped = number - self.next;
        self.next = number + 1;
        let grid = i64::try_from(number.saturating_mul(nanos)).unwrap_or(i64::MAX);
        let jitter = self.jitter(nanos);
        Deadline {
            due: Timestamp::from_nanos(
                self.start
                    .as_nanos()
                    .saturating_add(grid)
                    .saturating_add(jitter),
            ),
            skipped,
        }
    }

    /// Sleeps to the next deadline.
    pub fn wait(&mut self) -> Beat {
        let deadline = self.next_deadline();
        deadline.due.sleep_until();
        deadline.reached()
    }

    /// Between minus and plus a quarter of the interval (xorshift64, Marsaglia 2003).
    fn jitter(&mut self, nanos: u64) -> i64 {
        let Some(random) = &mut self.random else {
            return 0;
        };
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        let span = (nanos / 2).max(1);
        (*random % span) as i64 - (span / 2) as i64
    }
}

/// When the next tick is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The moment.
    pub due: Timestamp,
    /// How many before it were given up.
    pub skipped: u64,
}

impl Deadline {
    /// The beat that it becomes, now that it was waited for.
    pub fn reached(self) -> Beat {
        Beat {
            due: self.due,
            at: Timestamp::now(),
            skipped: self.skipped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_stay_on_the_grid_and_move_within_a_quarter() {
        let interval = Duration::from_millis(100);
        let mut ticker = Ticker::start(interval);
        let offsets: Vec<i64> = (1..=50)
            .map(|number| {
                ticker.next_deadline().due.as_nanos()
                    - ticker.start.as_nanos()
                    - number * 100_000_000
            })
            .collect();
        assert!(
            offsets.iter().all(|offset| offset.abs() <= 25_000_000),
            "{offsets:?}"
        );
        assert!(
            offsets.iter().any(|&offset| offset > 0) && offsets.iter().any(|&offset| offset < 0)
        );
    }

    #[test]
    fn regular_deadlines_lie_on_the_grid() {
        let interval = Duration::from_millis(100);
        let mut ticker = Ticker::regular(interval);
        let start = ticker.start;
        for number in 1..=5 {
            assert_eq!(ticker.next_deadline().due, start.after(interval * number));
        }
    }

    #[test]
    fn deadlines_that_have_passed_are_skipped_and_counted() {
        let mut ticker = Ticker::start(Duration::from_millis(1));
        Timestamp::now()
            .after(Duration::from_millis(20))
            .sleep_until();
        let deadline = ticker.next_deadline();
        assert!(deadline.skipped >= 18, "{deadline:?}");
    }
}
