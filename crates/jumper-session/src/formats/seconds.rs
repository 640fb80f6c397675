//! Times as numbers of seconds, which is how programs written in Python keep them.

/// More seconds than this are not a time: 292 years, which is what whole nanoseconds have room for.
pub(super) const MAX_SECONDS: f64 = i64::MAX as f64 / 1e9;

/// Whole numbers up to here are the same as a floating-point number: as nanoseconds, 104 days.
const EXACT: u64 = 1 << 53;

/// The nearest nanosecond, for at most [`MAX_SECONDS`]. Whole seconds and the rest go separate ways, so that nothing is
/// lost of a time of the day.
pub(super) fn nanos(seconds: f64) -> i64 {
    let whole = (seconds.trunc() as i64).saturating_mul(1_000_000_000);
    whole.saturating_add((seconds.fract() * 1e9).round() as i64)
}

/// The nearest number of seconds. It is the one that Python's `time.perf_counter()` gives for that reading of the clock, and
/// [`nanos`] of it are the same again.
pub(super) fn seconds(nanos: i64) -> f64 {
    match nanos.unsigned_abs() <= EXACT {
        true => nanos as f64 / 1e9,
        false => (nanos / 1_000_000_000) as f64 + (nanos % 1_000_000_000) as f64 / 1e9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_come_back_as_they_were() {
        let day = [
            1_790_000_123.456_789_f64,
            0.0,
            -5.25,
            9.2e9,
            MAX_SECONDS,
            -MAX_SECONDS,
        ];
        // Readings of a clock that are not round, for a year and more.
        let clock = (0..60).map(|bit| seconds((1_234_567_890_123_456_789_i64) >> bit));
        for number in day.into_iter().chain(clock) {
            assert_eq!(seconds(nanos(number)), number);
        }
    }

    #[test]
    fn a_clock_that_runs_for_less_than_50_days_keeps_every_nanosecond() {
        let readings = (0..52).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        for reading in readings {
            assert_eq!(nanos(seconds(reading)), reading);
        }
    }
}
