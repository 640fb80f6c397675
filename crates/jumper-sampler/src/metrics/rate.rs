//! From totals to rates.

use std::time::Duration;

use crate::Timestamp;

/// The last known reading of a total, to difference the next one with.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rate {
    last: Option<(Timestamp, u64)>,
}

impl Rate {
    /// Growth in a second since the last known total; `None` where this or the one before is not known.
    ///
    /// After a gap the rate is the mean over the gap, so that nothing is counted into an interval too short.
    pub(super) fn per_second(&mut self, time: Timestamp, total: Option<u64>) -> Option<f64> {
        let total = total?;
        let (earlier, before) = self.last.replace((time, total))?;
        let elapsed = time.saturating_duration_since(earlier);
        (elapsed > Duration::ZERO)
            .then(|| total.saturating_sub(before) as f64 / elapsed.as_secs_f64())
    }
}

/// The first known reading of a total that began before us.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Since {
    first: Option<u64>,
}

impl Since {
    /// What has come to a total since the first time that it was known.
    pub(super) fn growth(&mut self, total: Option<u64>) -> Option<u64> {
        let total = total?;
        Some(total.saturating_sub(*self.first.get_or_insert(total)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn the_first_total_has_no_rate() {
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(at(1), Some(1_000)), None);
        assert_eq!(rate.per_second(at(3), Some(1_100)), Some(50.0));
    }

    #[test]
    fn a_rate_over_a_gap_is_the_mean_over_the_gap() {
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(at(0), Some(0)), None);
        assert_eq!(rate.per_second(at(1), None), None);
        assert_eq!(rate.per_second(at(2), Some(100)), Some(50.0));
    }

    #[test]
    fn a_rate_is_never_negative_or_infinite() {
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(at(0), Some(100)), None);
        assert_eq!(rate.per_second(at(1), Some(90)), Some(0.0));
        assert_eq!(rate.per_second(at(1), Some(95)), None);
    }
}
