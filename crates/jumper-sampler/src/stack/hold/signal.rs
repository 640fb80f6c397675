//! Holding a thread of our own process with a signal whose handler waits until we have read.
//!
//! The signal is a real-time one that nobody in the process uses, sent to the one thread. The handler is
//! async-signal-safe: it touches atomics and sleeps on a futex. It runs on the thread's alternate stack if it
//! has one, and interrupted system calls are restarted.
//!
//! One thread is held at a time in the whole process, through [`SLOT`].

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::Duration;

use super::HoldError;
use crate::{Error, Pid, Tid, Timestamp};

/// How long a thread has to answer. One that is ready to run but gets no CPU answers late.
const ANSWER_WITHIN: Duration = Duration::from_millis(20);
/// How long a held thread waits at most: only if we die in between does it ever come to that.
const HELD_AT_MOST: libc::timespec = libc::timespec {
    tv_sec: 1,
    tv_nsec: 0,
};
/// Looks at the state before sleeping on it. An answer usually comes within a few microseconds.
const SPINS: u32 = 200;

const IDLE: u32 = 0;
const REQUESTED: u32 = 1;
const HELD: u32 = 2;

/// The meeting point of the sampler's thread and the one that it holds.
struct Slot {
    /// The process whose sampler uses the slot; 0 for none. A process number rather than a flag: after `fork`
    /// the child must not wait for a sampler that only its parent has.
    owner: AtomicU32,
    /// The thread that is asked to wait.
    thread: AtomicI32,
    /// `IDLE`, `REQUESTED` or `HELD`; a futex.
    state: AtomicU32,
    /// Signals sent whose handler has not run.
    unanswered: AtomicU32,
}

static SLOT: Slot = Slot {
    owner: AtomicU32::new(0),
    thread: AtomicI32::new(0),
    state: AtomicU32::new(IDLE),
    unanswered: AtomicU32::new(0),
};

/// Runs in the thread that is to be held.
extern "C" fn wait_while_read(_signal: libc::c_int) {
    // SAFETY: the address of errno is valid in every thread, and a handler must leave errno as it was.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let saved = unsafe { *errno };
    SLOT.unanswered.fetch_sub(1, Ordering::Relaxed);
    // A signal that comes after its request was given up finds another thread's number, or no request.
    if SLOT.thread.load(Ordering::Acquire) == own_tid() && swap_state(REQUESTED, HELD) {
        futex_wake(&SLOT.state);
        while SLOT.state.load(Ordering::Acquire) == HELD {
            if futex_wait(&SLOT.state, HELD, HELD_AT_MOST) == Some(libc::ETIMEDOUT) {
                swap_state(HELD, IDLE);
            }
        }
    }
    // SAFETY: as above.
    unsafe { *errno = saved };
}

fn swap_state(from: u32, to: u32) -> bool {
    SLOT.state
        .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
        .is_ok()
}

fn own_tid() -> i32 {
    // SAFETY: takes nothing, cannot fail. The raw call, because libc's wrapper is not in every glibc.
    unsafe { libc::syscall(libc::SYS_gettid) as i32 }
}

fn futex_wake(word: &AtomicU32) {
    // SAFETY: `word` is a valid futex word; waking reads nothing else.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
            1,
        )
    };
}

/// Sleeps while `word` is `value`. The error number, if there was one.
fn futex_wait(word: &AtomicU32, value: u32, timeout: libc::timespec) -> Option<i32> {
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: `word` and `timeout` outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            operation,
            value,
            &raw const timeout,
        )
    };
    // SAFETY: reading errno of the calling thread.
    (result != 0).then(|| unsafe { *libc::__errno_location() })
}

/// The handler, while any sampler of this process needs it.
struct Installed {
    signal: i32,
    users: usize,
    before: libc::sigaction,
}

static INSTALLED: Mutex<Option<Installed>> = Mutex::new(None);

/// Holds threads of the own process.
pub(crate) struct Signaller {
    signal: i32,
    /// Threads that did not answer in time and have not been seen to since. Sending them more would fill
    /// their queue of pending signals: they probably block all of them.
    silent: HashSet<Tid>,
}

impl Signaller {
    pub(crate) fn new() -> Result<Self, Error> {
        let mut installed = INSTALLED
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(installed) = installed.as_mut() {
            installed.users += 1;
            return Ok(Self {
                signal: installed.signal,
                silent: HashSet::new(),
            });
        }
        let signal = free_signal().ok_or(Error::NoFreeSignal)?;
        let before = install(signal).ok_or(Error::NoFreeSignal)?;
        *installed = Some(Installed {
            signal,
            users: 1,
            before,
        });
        Ok(Self {
            signal,
            silent: HashSet::new(),
        })
    }

    pub(crate) fn with_held<T>(
        &mut self,
        thread: Tid,
        read: impl FnOnce() -> T,
    ) -> Result<T, HoldError> {
        if self.is_still_silent(thread) {
            return Err(HoldError::Unanswered);
        }
        let Some(_turn) = Turn::take() else {
            return Err(HoldError::Unanswered);
        };
        SLOT.thread.store(thread.as_raw(), Ordering::Release);
        SLOT.state.store(REQUESTED, Ordering::Release);
        SLOT.unanswered.fetch_add(1, Ordering::Relaxed);
        if !send(thread, self.signal) {
            SLOT.unanswered.fetch_sub(1, Ordering::Relaxed);
            SLOT.state.store(IDLE, Ordering::Release);
            return Err(HoldError::Gone);
        }
        if !wait_for_answer() {
            self.silent.insert(thread);
            return Err(HoldError::Unanswered);
        }
        let result = read();
        // Where the thread gave up waiting for us, what was read is worth nothing.
        let released = swap_state(HELD, IDLE);
        futex_wake(&SLOT.state);
        if released {
            Ok(result)
        } else {
            Err(HoldError::Unanswered)
        }
    }

    fn is_still_silent(&mut self, thread: Tid) -> bool {
        if !self.silent.contains(&thread) {
            return false;
        }
        let pending = has_pending(thread, self.signal);
        if !pending {
            self.silent.remove(&thread);
        }
        pending
    }
}

impl Drop for Signaller {
    fn drop(&mut self) {
        let mut installed = INSTALLED
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(handler) = installed.as_mut() else {
            return;
        };
        handler.users -= 1;
        // A signal that is still on its way would end the program under the default disposition: then the
        // handler stays, which does no harm.
        if handler.users == 0 && SLOT.unanswered.load(Ordering::Relaxed) == 0 {
            // SAFETY: `before` is what sigaction gave us for this very signal.
            unsafe {
                libc::sigaction(
                    handler.signal,
                    &raw const handler.before,
                    std::ptr::null_mut(),
                )
            };
            *installed = None;
        }
    }
}

/// The exclusive use of [`SLOT`].
struct Turn;

impl Turn {
    /// Waits at most as long as one hold may take.
    fn take() -> Option<Self> {
        let deadline = Timestamp::now().after(ANSWER_WITHIN * 2);
        let own = Pid::own().get();
        loop {
            let owner = SLOT.owner.load(Ordering::Relaxed);
            let free = owner != own;
            if free
                && SLOT
                    .owner
                    .compare_exchange(owner, own, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok()
            {
                return Some(Self);
            }
            if Timestamp::now() > deadline {
                return None;
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        SLOT.owner.store(0, Ordering::Release);
    }
}

/// Whether the thread came to wait in time. Where it did not, it will not wait later either.
fn wait_for_answer() -> bool {
    for _ in 0..SPINS {
        if SLOT.state.load(Ordering::Acquire) == HELD {
            return true;
        }
        std::hint::spin_loop();
    }
    let deadline = Timestamp::now().after(ANSWER_WITHIN);
    while SLOT.state.load(Ordering::Acquire) == REQUESTED {
        let left = deadline.saturating_duration_since(Timestamp::now());
        if left.is_zero() {
            return !swap_state(REQUESTED, IDLE);
        }
        let timeout = libc::timespec {
            tv_sec: 0,
            tv_nsec: left.subsec_nanos().into(),
        };
        futex_wait(&SLOT.state, REQUESTED, timeout);
    }
    SLOT.state.load(Ordering::Acquire) == HELD
}

/// Sends the signal to one thread of this process. False where there is no such thread.
fn send(thread: Tid, signal: i32) -> bool {
    // SAFETY: plain system call on numbers.
    unsafe {
        libc::syscall(
            libc::SYS_tgkill,
            Pid::own().as_raw(),
            thread.as_raw(),
            signal,
        ) == 0
    }
}

/// Whether the signal waits in the thread's own queue.
fn has_pending(thread: Tid, signal: i32) -> bool {
    let status =
        std::fs::read_to_string(format!("/proc/self/task/{thread}/status")).unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("SigPnd:")?.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// A real-time signal that has its default disposition. From the top: other users tend to count from the
/// bottom, and the very highest are left to debuggers.
fn free_signal() -> Option<i32> {
    (libc::SIGRTMIN() + 1..=libc::SIGRTMAX() - 2)
        .rev()
        .find(|&signal| {
            // SAFETY: all zeroes is a valid sigaction.
            let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
            // SAFETY: only asks for the present disposition, into a writable structure.
            let known = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut now) } == 0;
            known && now.sa_sigaction == libc::SIG_DFL
        })
}

/// Installs the handler; what was there before.
fn install(signal: i32) -> Option<libc::sigaction> {
    // SAFETY: all zeroes is a valid sigaction, with an empty mask.
    let (mut action, mut before): (libc::sigaction, libc::sigaction) =
        unsafe { std::mem::zeroed() };
    action.sa_sigaction = wait_while_read as extern "C" fn(libc::c_int) as libc::sighandler_t;
    action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
    // No other signal is blocked meanwhile: it would go to another thread, where CPython notices it late. That its
    // C handler runs while we read does no harm, since it only makes a note for the interpreter.
    // SAFETY: the handler is async-signal-safe (see above) and lives as long as the program.
    let result = unsafe { libc::sigaction(signal, &raw const action, &raw mut before) };
    (result == 0).then_some(before)
}

/// Whether the module's handler is in place; for tests.
#[cfg(test)]
fn is_installed(signal: i32) -> bool {
    // SAFETY: all zeroes is a valid sigaction.
    let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: only asks.
    let result = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut now) };
    assert_eq!(result, 0);
    now.sa_sigaction != libc::SIG_DFL
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64};

    use super::*;

    #[test]
    fn a_held_thread_makes_no_progress_and_goes_on_afterwards() {
        let counter = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, receiver) = std::sync::mpsc::channel();
        let worker = std::thread::spawn({
            let (counter, stop) = (Arc::clone(&counter), Arc::clone(&stop));
            move || {
                sender.send(own_tid()).expect("the test waits");
                while !stop.load(Ordering::Relaxed) {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let tid = Tid::new(receiver.recv().expect("it runs") as u32);
        let mut signaller = Signaller::new().expect("a signal is free");
        let signal = signaller.signal;
        let mut held = 0;
        for _ in 0..1000 {
            let looks = signaller.with_held(tid, || {
                let first = counter.load(Ordering::Relaxed);
                (0..1000).for_each(|_| std::hint::spin_loop());
                (first, counter.load(Ordering::Relaxed))
            });
            if let Ok((first, second)) = looks {
                assert_eq!(first, second);
                held += 1;
            }
        }
        assert!(held > 900, "held {held} of 1000 times");
        let before = counter.load(Ordering::Relaxed);
        while counter.load(Ordering::Relaxed) == before {
            std::thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
        worker.join().expect("it ends well");
        assert_eq!(signaller.with_held(tid, || ()), Err(HoldError::Gone));
        assert!(is_installed(signal));
        drop(signaller);
        assert!(!is_installed(signal), "the previous disposition is back");
    }
}
