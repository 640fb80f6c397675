//! Having the threads of a process read themselves: sending the signal, and waiting for its [handler](super::handler).

use std::collections::HashMap;
use std::time::Duration;

use super::HoldError;
use super::arena::{Arena, KnownObject, Request};
use crate::proc::{self, SignalState};
use crate::stack::capture::Capture;
use crate::stack::layout::WalkLayout;
use crate::stack::memory::Address;
use crate::stack::walk::WalkError;
use crate::{Pid, Tid};

/// How many reads of a thread pass before it is asked again whether it can be sent signals.
const TRUSTED_READS: u32 = 50;
/// And where it could not. It may only have been kept from the CPU in its handler, and what is done instead costs more, and
/// an `EINTR` at times.
const DOUBTED_READS: u32 = 5;

/// How many failures in succession say that the handler is gone. A program that takes the signal by way of the C library has
/// said so itself; a machine that is busy enough makes a few of them look so.
const FAILURES: u32 = 10;

/// Reads threads of one process by sending them signals.
pub(crate) struct Signaller {
    pid: Pid,
    arena: Arena,
    signal: i32,
    /// How many reads of a thread pass before it is asked again.
    trusted_reads: u32,
    /// Whether each thread can be sent the signal, for so many reads.
    answers: HashMap<Tid, Trust>,
    /// The filters of system calls that were in force in the beginning (seccomp(2)). The handler's reads pass those; a
    /// later one might end the program for them.
    filters: u32,
    /// Requests in succession that were not answered, though they should have been.
    failures: u32,
}

#[derive(Clone, Copy)]
struct Trust {
    answers: bool,
    reads_left: u32,
}

impl Signaller {
    pub(crate) fn new(pid: Pid, arena: Arena, signal: i32) -> Self {
        let filters = proc::signal_state(pid, Tid::new(pid.get()), signal).filters;
        Self {
            pid,
            arena,
            signal,
            trusted_reads: TRUSTED_READS,
            answers: HashMap::new(),
            filters,
            failures: 0,
        }
    }

    /// Asks every time: nothing stands in front of the calls by which the program blocks signals and installs filters.
    pub(crate) fn without_trust(self) -> Self {
        Self {
            trusted_reads: 0,
            ..self
        }
    }

    /// Whose threads it reads.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// The signal that is sent.
    pub(crate) fn signal(&self) -> i32 {
        self.signal
    }

    /// From now on another one is sent, which the handler has been installed for.
    pub(crate) fn change_signal(&mut self, signal: i32) {
        self.signal = signal;
        self.answers.clear();
        self.failures = 0;
    }

    /// Reads a thread that stands still in the handler; `None` where it does not.
    pub(crate) fn read_standing(
        &self,
        thread: Tid,
        read: impl FnOnce() -> Result<(), WalkError>,
    ) -> Option<Result<(), WalkError>> {
        let is_standing = || self.arena.is_standing(thread);
        let result = is_standing().then(read)?;
        is_standing().then_some(result)
    }

    /// Whether a signal sent to the thread is answered, as far as one can tell.
    pub(crate) fn can_read(&mut self, thread: Tid) -> bool {
        if let Some(trust) = self.answers.get_mut(&thread)
            && trust.reads_left > 0
        {
            trust.reads_left -= 1;
            return trust.answers;
        }
        // The signal is blocked also while its handler returns from the last read, which we may have kept from the CPU.
        let answers = [0, 20, 100].into_iter().any(|micros| {
            if micros > 0 {
                std::thread::sleep(Duration::from_micros(micros));
            }
            let now = self.state_of(thread);
            !now.blocked && now.filters == self.filters
        });
        // In the handler it is blocked too, which says nothing of the next time.
        if !self.arena.is_standing(thread) {
            self.note(thread, answers);
        }
        answers
    }

    /// Notes whether the thread is to be sent signals for a while.
    fn note(&mut self, thread: Tid, answers: bool) {
        let reads_left = match answers {
            true => self.trusted_reads,
            false => DOUBTED_READS,
        };
        let trust = Trust {
            answers,
            reads_left,
        };
        // Threads that are gone are forgotten with the rest, now and then.
        if self.answers.len() > 4096 {
            self.answers.clear();
        }
        self.answers.insert(thread, trust);
    }

    fn state_of(&self, thread: Tid) -> SignalState {
        proc::signal_state(self.pid, thread, self.signal)
    }

    /// Whether threads that should answer do not: the program has taken the signal for itself.
    pub(crate) fn has_failed(&self) -> bool {
        self.failures >= FAILURES || !self.arena.is_served()
    }

    /// From now on the handler counts as gone.
    pub(crate) fn give_up(&mut self) {
        self.failures = FAILURES;
    }

    /// Has the thread read its own stack, from the thread state at `state`, into `capture`. One that gets no CPU
    /// to do so is read by `instead`.
    pub(crate) fn read(
        &mut self,
        thread: Tid,
        state: Address,
        layout: &WalkLayout,
        capture: &mut Capture,
        instead: impl FnOnce(&mut Capture) -> Result<(), WalkError>,
    ) -> Result<Result<(), WalkError>, HoldError> {
        let request = Request {
            thread: state,
            layout: *layout,
        };
        let unanswered = self.arena.unanswered();
        let number = self.arena.request(request, thread);
        let number = number.map_err(|_| HoldError::Unanswered)?;
        if self.arena.is_blocking(thread) {
            self.arena.cancel();
            self.note(thread, false);
            return Err(HoldError::Unanswered);
        }
        if !send(self.pid, thread, self.signal, number) {
            self.arena.cancel();
            return Err(HoldError::Gone);
        }
        if self.arena.wait().is_err() {
            return self.read_waiting(thread, unanswered, || instead(capture));
        }
        self.failures = 0;
        if self.arena.had_no_room() {
            self.note(thread, false);
            return Err(HoldError::Unanswered);
        }
        let (result, buffers) = self.arena.answer();
        Ok(result.and_then(|filled| capture.adopt(&buffers, filled)))
    }

    /// Reads a thread that did not answer; `unanswered` others had not before. As long as the signal waits for it,
    /// and it does not block it, the thread cannot have run any code of the program: it would have run the handler
    /// first.
    fn read_waiting(
        &mut self,
        thread: Tid,
        unanswered: u32,
        read: impl FnOnce() -> Result<(), WalkError>,
    ) -> Result<Result<(), WalkError>, HoldError> {
        let before = self.state_of(thread);
        if before.blocked {
            // Since the last time that it was asked.
            self.answers.remove(&thread);
        } else if proc::is_exiting(self.pid, thread) {
            return Err(HoldError::Gone);
        } else if before.pending {
            let result = read();
            let after = self.state_of(thread);
            if after.pending && !after.blocked {
                return Ok(result);
            }
        } else if self.arena.unanswered() > unanswered {
            // It came, and not to our handler.
            self.failures += 1;
        }
        Err(HoldError::Unanswered)
    }

    /// Notes that something is known, so that threads need not describe it again.
    pub(crate) fn note_known(&mut self, known: KnownObject) {
        self.arena.note_known(known);
    }
}

/// Sends the signal to one thread, with the number of the request. False where there is no such thread.
fn send(pid: Pid, thread: Tid, signal: i32, request: u64) -> bool {
    let info = QueuedSignal {
        signo: signal,
        errno: 0,
        code: libc::SI_QUEUE,
        padding: 0,
        pid: Pid::own().as_raw(),
        uid: 0,
        value: request,
        rest: [0; 12],
    };
    // SAFETY: `info` is laid out as the kernel's siginfo_t of a queued signal, and outlives the call.
    unsafe {
        libc::syscall(
            libc::SYS_rt_tgsigqueueinfo,
            pid.as_raw(),
            thread.as_raw(),
            signal,
            &raw const info,
        ) == 0
    }
}

/// `siginfo_t` of a queued signal (sigaction(2), Linux's include/uapi/asm-generic/siginfo.h), 128 bytes.
#[repr(C)]
struct QueuedSignal {
    signo: i32,
    errno: i32,
    code: i32,
    padding: i32,
    pid: i32,
    uid: u32,
    value: u64,
    rest: [u64; 12],
}
