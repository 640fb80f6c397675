//! Holding a running thread still for the microseconds of a read.
//!
//! A stack that is read while its thread runs is torn most of the time on code that calls much. There are two ways
//! to hold it: `ptrace` from another process; and a signal, in whose handler the thread reads itself, in our own
//! process or in one that was started with the [agent](crate::Agent). A thread that is blocked in the
//! kernel needs neither, and must not be disturbed: it might see `EINTR`.
//!
//! | file | what it knows |
//! | --- | --- |
//! | `ptrace` | holding a thread of another process |
//! | `signal` | having a thread read itself: sending the signal, and waiting |
//! | `handler` | reading it: what runs in the thread |
//! | `own` | the handler of our own process, shared by all samplers |
//! | `arena` | the memory in which it is told what, and answers |
//! | `restart` | undoing `EINTR` |
//! | `program` | the signal handlers of the program itself |
//! | `calls` | calls of the program that our signal must not run into |

pub(crate) mod arena;
pub(crate) mod calls;
pub(crate) mod handler;
mod own;
pub(crate) mod program;
mod ptrace;
mod restart;
pub(crate) mod signal;

use super::capture::Capture;
use super::code::CodeCache;
use super::layout::WalkLayout;
use super::memory::{Address, Fault, Memory};
use super::walk::WalkError;
use crate::{Error, Pid, Tid};
pub(crate) use arena::KnownObject;

/// How running threads are held while they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HoldMode {
    /// The kernel stops the thread for us. For other processes; needs the right to trace them.
    Ptrace,
    /// A signal is sent to the thread, whose handler reads. For threads of our own process.
    Signal,
    /// The same in another process, which was started with an [agent](crate::Agent). A thread that blocks the
    /// signal is held by ptrace instead, and so are all where there is no agent.
    Agent,
    /// They are not held. What is read counts as far as a second read agrees.
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
    Signal(own::OwnSignaller),
    Agent(signal::Signaller, ptrace::Tracer),
    Nothing,
}

/// What is to be read, once a thread is held.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) thread: Tid,
    /// Its Python thread state.
    pub(crate) state: Address,
    pub(crate) layout: &'a WalkLayout,
}

impl Holder {
    pub(crate) fn new(mode: HoldMode, pid: Pid) -> Result<Self, Error> {
        Ok(match mode {
            HoldMode::Ptrace | HoldMode::Agent => Self::Ptrace(ptrace::Tracer::new(pid)?),
            HoldMode::Signal => Self::Signal(own::OwnSignaller::new()?),
            HoldMode::Nothing => Self::Nothing,
        })
    }

    /// Through the agent that `signaller` speaks to.
    pub(crate) fn through_agent(signaller: signal::Signaller, pid: Pid) -> Result<Self, Error> {
        Ok(Self::Agent(signaller, ptrace::Tracer::new(pid)?))
    }

    pub(crate) fn mode(&self) -> HoldMode {
        match self {
            Self::Ptrace(_) => HoldMode::Ptrace,
            Self::Agent(signaller, _) if signaller.has_failed() => HoldMode::Ptrace,
            Self::Signal(_) => HoldMode::Signal,
            Self::Agent(..) => HoldMode::Agent,
            Self::Nothing => HoldMode::Nothing,
        }
    }

    /// Copies the stack of a thread that runs. Unless nothing is held it stands still meanwhile.
    pub(crate) fn read(
        &mut self,
        target: Target<'_>,
        memory: &impl Memory,
        codes: &CodeCache,
        capture: &mut Capture,
    ) -> Result<Result<(), WalkError>, HoldError> {
        let Target {
            thread,
            state,
            layout,
        } = target;
        match self {
            Self::Ptrace(tracer) => tracer.with_held(thread, || capture.take(memory, state, codes)),
            Self::Signal(signaller) => signaller.read(thread, state, layout, capture, |capture| {
                capture.take(memory, state, codes)
            }),
            Self::Agent(signaller, tracer) => {
                let take = || capture.take(memory, state, codes);
                if let Some(read) = signaller.read_standing(thread, take) {
                    return Ok(read);
                }
                if !signaller.has_failed() && signaller.can_read(thread) {
                    let read = signaller.read(thread, state, layout, capture, |capture| {
                        capture.take(memory, state, codes)
                    });
                    match read {
                        // The agent's memory has an end; ours grows.
                        Ok(Err(WalkError::TooDeep)) => {}
                        // What is forbidden to the program may be allowed to us.
                        Ok(Err(WalkError::Fault(Fault::Denied))) => signaller.give_up(),
                        read => return read,
                    }
                }
                // It may have been on its way into the handler, where ptrace would end the call that it goes on with.
                match signaller.read_standing(thread, || capture.take(memory, state, codes)) {
                    Some(read) => Ok(read),
                    None => tracer.with_held(thread, || capture.take(memory, state, codes)),
                }
            }
            Self::Nothing => Ok(capture.take(memory, state, codes)),
        }
    }

    /// Notes that something is known, so that threads need not describe it again.
    pub(crate) fn note_known(&mut self, known: KnownObject) {
        match self {
            Self::Signal(signaller) => signaller.note_known(known),
            Self::Agent(signaller, _) => signaller.note_known(known),
            Self::Ptrace(_) | Self::Nothing => {}
        }
    }
}
