//! Holding a running thread still for the microseconds of a read.
//!
//! A stack that is read while its thread runs is torn most of the time on code that calls much. Two ways to
//! hold it: `ptrace` from another process, a signal from within the own one. A thread that is blocked in the
//! kernel needs neither, and must not be disturbed: it would see `EINTR`.
//!
//! While a thread is held nothing may be allocated and no lock be taken: the thread may be inside `malloc`.

mod ptrace;
mod signal;

use crate::{Error, Pid, Tid};

/// How running threads are held while they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HoldMode {
    /// The kernel stops the thread for us. For other processes; needs the right to trace them.
    Ptrace,
    /// A real-time signal sent to the thread, whose handler waits. For threads of our own process.
    Signal,
    /// They are not held. What is read counts only if a second read agrees; the rest is lost.
    Nothing,
}

/// Why a thread could not be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HoldError {
    /// It has ended.
    Gone,
    /// Another tracer has it, or the system refuses.
    Denied,
    /// It did not answer in time.
    Unanswered,
}

/// Holds threads of one process.
pub(crate) enum Holder {
    Ptrace(ptrace::Tracer),
    Signal(signal::Signaller),
    Nothing,
}

impl Holder {
    pub(crate) fn new(mode: HoldMode, pid: Pid) -> Result<Self, Error> {
        Ok(match mode {
            HoldMode::Ptrace => Self::Ptrace(ptrace::Tracer::new(pid)?),
            HoldMode::Signal => Self::Signal(signal::Signaller::new()?),
            HoldMode::Nothing => Self::Nothing,
        })
    }

    pub(crate) const fn holds(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// Runs `read` while `thread` stands still. `read` must neither allocate nor take a lock.
    pub(crate) fn with_held<T>(
        &mut self,
        thread: Tid,
        read: impl FnOnce() -> T,
    ) -> Result<T, HoldError> {
        match self {
            Self::Ptrace(tracer) => tracer.with_held(thread, read),
            Self::Signal(signaller) => signaller.with_held(thread, read),
            Self::Nothing => Ok(read()),
        }
    }
}
