//! Where a recording has its looks from: a sampler of its own, or the one that all recordings of our own process share
//! which hold threads by signal.
//!
//! Several recordings of the own process at once are nothing special: a profiler around a function may run within one around
//! the whole program. Each keeps its own beat, and a look that another one has just taken serves as well as a new one.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use jumper_sampler::{
    Error, HoldMode, PerProcess, Pid, StackSampler, Tick, Tid, Timestamp as Clock,
};

/// What is looked through.
pub(super) enum Source {
    Own(Box<StackSampler>),
    Shared(Arc<Shared>),
}

/// The sampler of our own process.
pub(super) struct Shared {
    sampler: Mutex<StackSampler>,
}

static SHARED: PerProcess<Mutex<Weak<Shared>>> = PerProcess::new();

impl Source {
    /// For one process. Transient errors are the caller's to wait out.
    pub(super) fn attach(pid: Pid, hold: HoldMode) -> Result<Self, Error> {
        if pid != Pid::own() || hold != HoldMode::Signal {
            return Ok(Self::of(StackSampler::attach(pid, hold)?));
        }
        let mut shared = SHARED.get().lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = shared.upgrade() {
            return Ok(Self::Shared(shared));
        }
        let new = Arc::new(Shared {
            sampler: Mutex::new(StackSampler::attach(pid, hold)?),
        });
        *shared = Arc::downgrade(&new);
        Ok(Self::Shared(new))
    }

    pub(super) fn of(sampler: StackSampler) -> Self {
        Self::Own(Box::new(sampler))
    }

    /// Has `body` see a look that was taken less than half an `interval` ago, and is not the one with the number `seen`.
    pub(super) fn look(
        &mut self,
        interval: Duration,
        seen: u64,
        body: impl FnOnce(&Tick<'_>),
    ) -> Result<(), Error> {
        let shared = match self {
            Self::Own(sampler) => {
                body(&sampler.sample()?);
                return Ok(());
            }
            Self::Shared(shared) => shared,
        };
        let mut sampler = shared.lock();
        let is_fresh = |tick: &Tick<'_>| {
            let age = Clock::now().saturating_duration_since(tick.time());
            tick.number() != seen && age < interval / 2
        };
        match sampler.last().filter(is_fresh) {
            Some(tick) => body(&tick),
            None => body(&sampler.sample()?),
        }
        Ok(())
    }

    /// Leaves other threads alone. A sampler that is shared goes on looking at all of them, for the others that have it.
    pub(super) fn choose_threads(&mut self, threads: &[u32]) {
        if let Self::Own(sampler) = self {
            sampler.choose_threads(threads.iter().copied().map(Tid::new));
        }
    }

    /// Has `body` look things up.
    pub(super) fn with<T>(&self, body: impl FnOnce(&StackSampler) -> T) -> T {
        match self {
            Self::Own(sampler) => body(sampler),
            Self::Shared(shared) => body(&shared.lock()),
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, StackSampler> {
        self.sampler.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
