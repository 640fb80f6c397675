//! When to ask a program where its modules are, which it may change as long as it lives.

use std::time::Duration;

use jumper_sampler::Timestamp as Clock;

/// The pause after the first time, and the longest one: most programs settle that while they start.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Ever more seldom.
#[derive(Debug)]
pub(super) struct Schedule {
    next: Clock,
    pause: Duration,
}

impl Schedule {
    /// Due at once.
    pub(super) fn start() -> Self {
        Self {
            next: Clock::now(),
            pause: FIRST_PAUSE,
        }
    }

    /// Whether it is time. If so, the next time is later.
    pub(super) fn is_due(&mut self) -> bool {
        let now = Clock::now();
        let is_due = now >= self.next;
        if is_due {
            self.next = now.after(self.pause);
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
        is_due
    }
}
