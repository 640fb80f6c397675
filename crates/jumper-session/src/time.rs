//! Points on the one clock that every record of a session carries.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point on the recorder's monotonic clock (`CLOCK_MONOTONIC` on Linux), in nanoseconds.
///
/// Stacks, metrics and cells join by this clock. It says nothing about the time of day: that is what
/// [`ClockAnchor`](crate::ClockAnchor) in the manifest is for. The value is signed because a file may
/// hold anything, and a negative time must be data rather than a crash.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point `nanos` nanoseconds after the clock's zero.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's zero.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The point so much later, or the last that there is.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(column_nanos(duration)))
    }

    /// The point so much earlier, or the first that there is.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(column_nanos(duration)))
    }

    /// The time that passed from `earlier` to `self`; zero when `earlier` is the later one.
    pub fn since(self, earlier: Self) -> Duration {
        let later = self.0 > earlier.0;
        // The distance of any two i64 fits a u64, so that no pair of values from a file overflows.
        Duration::from_nanos(if later { self.0.abs_diff(earlier.0) } else { 0 })
    }
}

/// Whole nanoseconds of a duration, at most `i64::MAX` (292 years): what a column can hold.
pub(crate) fn column_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).map_or(i64::MAX as u64, |nanos| nanos.min(i64::MAX as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_zero_backwards_and_never_overflows() {
        let (low, high) = (
            Timestamp::from_nanos(i64::MIN),
            Timestamp::from_nanos(i64::MAX),
        );
        assert_eq!(high.since(low), Duration::from_nanos(u64::MAX));
        assert_eq!(low.since(high), Duration::ZERO);
        assert_eq!(high.since(high), Duration::ZERO);
    }

    #[test]
    fn a_column_holds_at_most_an_i64() {
        assert_eq!(column_nanos(Duration::MAX), i64::MAX as u64);
        assert_eq!(column_nanos(Duration::from_micros(3)), 3_000);
    }
}
