//! Where sources put what they record, and the journal takes it from: the only place where a recording takes memory as fast
//! as it comes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::lock;
use super::stop::Stop;
use crate::SessionBuilder;

/// So many new rows are worth writing before it is time. Hundreds of threads at a high rate have as many within half a
/// second; they take some MB.
const ENOUGH: usize = 1 << 17;
/// With so many a source waits until they are written.
const FULL: usize = 4 * ENOUGH;
/// But not for longer than this: a disk that hangs must cost samples, not hang a program that records itself.
const PATIENCE: Duration = Duration::from_secs(1);

/// A builder that many threads fill, and that does not fill up while a journal is written.
#[derive(Debug)]
pub(super) struct Inbox {
    builder: Mutex<SessionBuilder>,
    /// Whether somebody takes out what is in it.
    is_kept: AtomicBool,
    /// Whether there is [`ENOUGH`].
    has_enough: AtomicBool,
    emptied: Condvar,
    stop: Arc<Stop>,
}

impl Inbox {
    pub(super) fn new(builder: SessionBuilder, stop: Arc<Stop>) -> Self {
        Self {
            builder: Mutex::new(builder),
            is_kept: AtomicBool::new(false),
            has_enough: AtomicBool::new(false),
            emptied: Condvar::new(),
            stop,
        }
    }

    /// Says that somebody [empties](Self::empty) it from now on.
    pub(super) fn set_kept(&self) {
        self.is_kept.store(true, Ordering::Relaxed);
    }

    /// The builder for one who records, when it has room.
    pub(super) fn open(&self) -> MutexGuard<'_, SessionBuilder> {
        let builder = lock(&self.builder);
        if !self.is_kept.load(Ordering::Relaxed) || builder.pending_rows() < ENOUGH {
            return builder;
        }
        if !self.has_enough.swap(true, Ordering::Relaxed) {
            self.stop.wake();
        }
        let is_full =
            |builder: &mut SessionBuilder| builder.pending_rows() >= FULL && !self.stop.is_raised();
        let waited = self.emptied.wait_timeout_while(builder, PATIENCE, is_full);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Has `take` take out what is there by now.
    pub(super) fn empty<T>(&self, take: impl FnOnce(&mut SessionBuilder) -> T) -> T {
        let mut builder = lock(&self.builder);
        let taken = take(&mut builder);
        // Under the lock: a source that fills it again must find that nobody knows yet.
        self.has_enough.store(false, Ordering::Relaxed);
        drop(builder);
        self.emptied.notify_all();
        taken
    }

    /// Whether it should be emptied before it is time.
    pub(super) fn has_enough(&self) -> bool {
        self.has_enough.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Host, NewSample, ThreadState, Timestamp};

    #[test]
    fn a_source_that_is_faster_than_the_journal_loses_nothing() {
        const SAMPLES: usize = 2 * FULL;
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(Host::default());
        let process = builder.add_process(host, 1, None);
        let thread = builder.add_thread(process, 1, None);
        let stop = Arc::<Stop>::default();
        let inbox = Inbox::new(builder, Arc::clone(&stop));
        inbox.set_kept();
        let mut taken = 0;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for time in 0..SAMPLES {
                    inbox.open().push_sample(NewSample {
                        time: Timestamp::from_nanos(time as i64),
                        duration: Duration::from_nanos(1),
                        thread,
                        task: None,
                        state: ThreadState::NONE,
                        stack: None,
                    });
                }
            });
            // It says so each time that it has enough, long before anybody would look by himself.
            while taken + ENOUGH < SAMPLES {
                let in_an_hour = jumper_sampler::Timestamp::now().after(Duration::from_secs(3600));
                assert!(stop.sleep_until_or(in_an_hour, || inbox.has_enough()));
                taken += inbox.empty(SessionBuilder::take_samples).len();
            }
        });
        taken += inbox.empty(SessionBuilder::take_samples).len();
        assert_eq!(taken, SAMPLES);
    }
}
