//! Waking a thread that sleeps to its next deadline, because the recording ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use jumper_sampler::Timestamp;

/// The last stretch before a deadline is slept on the clock itself, which is more exact.
const EXACT: Duration = Duration::from_millis(2);

/// A flag that can be waited for.
#[derive(Debug, Default)]
pub(super) struct Stop {
    stopped: AtomicBool,
    mutex: Mutex<()>,
    changed: Condvar,
}

impl Stop {
    /// Raises the flag.
    pub(super) fn now(&self) {
        // Under the mutex, so that it cannot fall between a sleeper's look at the flag and its sleep.
        let _guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        self.stopped.store(true, Ordering::Release);
        self.changed.notify_all();
    }

    pub(super) fn is_raised(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Has those who sleep look whether what they wait for is there.
    pub(super) fn wake(&self) {
        let _guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.notify_all();
    }

    /// Sleeps until `deadline`. False where the flag was raised before it.
    pub(super) fn sleep_until(&self, deadline: Timestamp) -> bool {
        self.sleep_until_or(deadline, || false)
    }

    /// Sleeps until `deadline`, or until `is_due` after a [`wake`](Self::wake). False where the flag was raised before.
    pub(super) fn sleep_until_or(&self, deadline: Timestamp, is_due: impl Fn() -> bool) -> bool {
        loop {
            if self.is_raised() {
                return false;
            }
            if is_due() {
                return true;
            }
            let left = deadline.saturating_duration_since(Timestamp::now());
            if left <= EXACT {
                deadline.sleep_until();
                return !self.is_raised();
            }
            let guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
            if !self.is_raised() && !is_due() {
                drop(self.changed.wait_timeout(guard, left - EXACT));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_long_sleep_ends_when_the_flag_is_raised() {
        let stop = Arc::new(Stop::default());
        let sleeper = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || stop.sleep_until(Timestamp::now().after(Duration::from_secs(3600)))
        });
        stop.now();
        assert!(!sleeper.join().expect("it ends"));
    }

    #[test]
    fn a_deadline_that_comes_is_reported_as_such() {
        assert!(Stop::default().sleep_until(Timestamp::now().after(Duration::from_millis(5))));
    }
}
