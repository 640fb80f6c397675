//! The one clock: every record of Jumper carries a reading of it.
//!
//! `CLOCK_MONOTONIC` is what Python's `time.perf_counter()` and `time.monotonic()` read on Linux, so that
//! a time taken by the observed program and a time taken here can be compared without conversion.

use std::time::Duration;

/// A sleep of less than this is not worth it: waking up from one takes about as long on an idle virtual CPU.
const TOO_SHORT_TO_SLEEP: Duration = Duration::from_micros(50);

/// Has the kernel wake the calling thread exactly at its deadlines, and not up to 50 us later in order to wake it together
/// with others (prctl(2), PR_SET_TIMERSLACK). For a thread that keeps a beat.
pub fn wake_exactly() {
    // SAFETY: sets a number of the calling thread.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1 as libc::c_ulong) };
}

/// A reading of `CLOCK_MONOTONIC`, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The present moment.
    pub fn now() -> Self {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: `time` is a valid, writable timespec for the length of the call. CLOCK_MONOTONIC exists on
        // every Linux, so the call cannot fail.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
        Self(time.tv_sec * 1_000_000_000 + time.tv_nsec)
    }

    /// The reading that is `nanos` nanoseconds after the clock's origin.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's origin.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to this reading; zero where `earlier` is the later one.
    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0).max(0) as u64)
    }

    /// The reading `duration` later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)),
        )
    }

    /// Sleeps until this reading; returns at once where it has passed.
    ///
    /// The deadline is absolute, so that a sleep which is interrupted or starts late does not shift the
    /// ones after it. Where only moments are left they are spent looking at the clock: to fall asleep and be woken takes longer.
    pub fn sleep_until(self) {
        if self.saturating_duration_since(Self::now()) < TOO_SHORT_TO_SLEEP {
            while Self::now() < self {
                std::hint::spin_loop();
            }
            return;
        }
        let time = libc::timespec {
            tv_sec: self.0 / 1_000_000_000,
            tv_nsec: self.0 % 1_000_000_000,
        };
        loop {
            // SAFETY: `time` outlives the call, and the remainder may be null for an absolute deadline.
            let result = unsafe {
                libc::clock_nanosleep(
                    libc::CLOCK_MONOTONIC,
                    libc::TIMER_ABSTIME,
                    &raw const time,
                    std::ptr::null_mut(),
                )
            };
            if result != libc::EINTR {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_until_a_deadline_never_wakes_before_it() {
        let deadline = Timestamp::now().after(Duration::from_millis(5));
        deadline.sleep_until();
        assert!(Timestamp::now() >= deadline);
    }

    #[test]
    fn a_duration_is_never_negative() {
        let (early, late) = (Timestamp::from_nanos(5), Timestamp::from_nanos(9));
        assert_eq!(
            late.saturating_duration_since(early),
            Duration::from_nanos(4)
        );
        assert_eq!(early.saturating_duration_since(late), Duration::ZERO);
    }
}
