//! Reading a thread in place: a signal is sent to it, and its handler does the read.
//!
//! While the handler runs the thread does nothing else, so that it holds still by itself, and goes on at once
//! when the read is done: it never waits for another thread. What is read, and where the result goes, is in an
//! [`Arena`]. The handler runs on the thread's alternate stack if it has one, and calls nothing that is not
//! async-signal-safe.
//!
//! The signal is `SIGURG` unless the program uses that, and then a real-time one that nobody uses. What is
//! special about it is that it is ignored by default: a signal that is on its way while a thread calls
//! exec(3) reaches the new program, which has no handler, and a real-time signal would end it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering};
use std::time::Duration;

use super::arena::{Arena, KnownObject, Request};
use super::restart::{has_interrupted_call, restart_system_call};
use super::{HoldError, program};
use crate::proc::{self, SignalState};
use crate::stack::capture::Capture;
use crate::stack::layout::WalkLayout;
use crate::stack::memory::Address;
use crate::stack::walk::WalkError;
use crate::{Error, Pid, Tid, Timestamp};

/// The arena of this process's handler. Never unmapped.
static ARENA: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());
/// The signal, in a process with an agent; else 0.
static AGENT: AtomicI32 = AtomicI32::new(0);

/// Runs in the thread that is to be read.
///
/// It starts with all signals blocked. The main thread lets them in at once, unless it has to be sent back into a system
/// call: whether it may be is for the signals to say that came together with ours (see `restart`). Other threads leave
/// signals to the main one.
extern "C" fn read_in_place(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let context: *mut libc::ucontext_t = context.cast();
    // SAFETY: the address of errno is valid in every thread, and a handler must leave errno as it was.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let saved = unsafe { *errno };
    // SAFETY: the kernel passes a valid ucontext_t, which is ours to change until we return.
    let interrupted = unsafe { has_interrupted_call(context) };
    // SAFETY: as above.
    let is_programs = interrupted && unsafe { program::has_just_returned(context) };
    let is_main = is_main_thread();
    if is_main && !interrupted {
        // SAFETY: as above.
        unsafe { let_signals_in(context, signal) };
    }
    let arena = ARENA.load(Ordering::Acquire);
    // SAFETY: the kernel passes a valid siginfo_t to a handler that was installed with SA_SIGINFO.
    let info = unsafe { &*info };
    // A signal that somebody else sent asks for nothing.
    if info.si_code == libc::SI_QUEUE && !arena.is_null() {
        // SAFETY: SI_QUEUE says that the value is set.
        let number = unsafe { info.si_value() }.sival_ptr as u64;
        // SAFETY: what is in ARENA came from an arena of this process.
        unsafe { Arena::from_raw(arena) }.serve(number);
    }
    if is_programs {
        // Another one of ours may already be on its way to the same place.
        // SAFETY: as above.
        unsafe { program::note_return(context) };
    } else if interrupted {
        // SAFETY: as above.
        unsafe { restart_system_call(context, signal) };
    }
    if !is_main {
        // SAFETY: as above.
        unsafe { leave_signals_to_others(context, signal) };
    }
    // SAFETY: as above.
    unsafe { *errno = saved };
}

fn is_main_thread() -> bool {
    // SAFETY: they take nothing and cannot fail.
    unsafe { libc::syscall(libc::SYS_gettid) == libc::syscall(libc::SYS_getpid) }
}

/// How long a thread that is not the main one leaves signals to others. One that sleeps takes a while to wake.
const WAKING: Duration = Duration::from_micros(1000);

/// Waits until the signals that wait for the whole process have found another thread, for a moment.
///
/// The kernel gives such a signal to the main thread if it can, and that is where CPython expects it: a main thread that sleeps
/// goes on sleeping if another one takes the signal. Until the main thread has woken, any thread takes it that handles signals at
/// all, which without us none would do.
///
/// # Safety
/// `context` must be what the kernel passed to the running handler, which must block all signals.
unsafe fn leave_signals_to_others(context: *const libc::ucontext_t, signal: i32) {
    // SAFETY: by the contract above.
    let waiting = || unsafe { waiting(context, signal) } != 0;
    if !waiting() {
        return;
    }
    let deadline = Timestamp::now().after(WAKING);
    while waiting() && Timestamp::now() < deadline {
        // SAFETY: takes nothing, cannot fail.
        unsafe { libc::sched_yield() };
    }
}

/// The signals that wait for the end of the handler, one bit for each, from the lowest on. Not `signal`, our own: the
/// next request may be on its way already.
///
/// # Safety
/// `context` must be what the kernel passed to the running handler, which must block all signals.
pub(super) unsafe fn waiting(context: *const libc::ucontext_t, signal: i32) -> u64 {
    // SAFETY: by the contract above. The kernel has set as many bits as it has signals, one word.
    let before = unsafe { *(&raw const (*context).uc_sigmask).cast::<u64>() };
    let mut set = 0_u64;
    // SAFETY: `set` is a set of the kernel's size, which outlives the call.
    unsafe { libc::syscall(libc::SYS_rt_sigpending, &raw mut set, size_of::<u64>()) };
    set & !before & !(1 << (signal - 1))
}

/// Whether this is our handler.
pub(super) fn is_ours(handler: libc::sighandler_t) -> bool {
    let ours: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = read_in_place;
    handler == ours as libc::sighandler_t
}

/// The arena of the agent in this process, and its signal, if it was ever there.
pub(super) fn agent() -> Option<(Arena, i32)> {
    let signal = AGENT.load(Ordering::Acquire);
    let arena = ARENA.load(Ordering::Acquire);
    // SAFETY: what is in ARENA came from an arena of this process.
    (signal != 0).then(|| (unsafe { Arena::from_raw(arena) }, signal))
}

/// Says that this is a process with an agent, whose handler is installed.
pub(crate) fn announce_agent(signal: i32) {
    AGENT.store(signal, Ordering::Release);
}

/// Blocks only what the thread itself did, and `signal`. A signal that is blocked here goes to another thread, where
/// CPython notices it late. That its C handler runs while we read does no harm, since it only makes a note for the
/// interpreter.
///
/// # Safety
/// `context` must be what the kernel passed to the running handler.
unsafe fn let_signals_in(context: *const libc::ucontext_t, signal: i32) {
    // SAFETY: by the contract above. The kernel has set as many bits as it has signals, one word.
    let before = unsafe { *(&raw const (*context).uc_sigmask).cast::<u64>() };
    let mask = before | 1 << (signal - 1);
    // SAFETY: `mask` is a set of the kernel's size, which outlives the call.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const mask,
            std::ptr::null_mut::<u64>(),
            size_of::<u64>(),
        )
    };
}

/// Makes `arena` the one that this process's handler reads into, and installs the handler for a free signal.
/// Returns the signal and what was there before.
pub(crate) fn install(arena: Arena) -> Option<(i32, libc::sigaction)> {
    let signal = free_signal()?;
    ARENA.store(arena.as_raw(), Ordering::Release);
    // SAFETY: all zeroes is a valid sigaction, with an empty mask.
    let (mut action, mut before): (libc::sigaction, libc::sigaction) =
        unsafe { std::mem::zeroed() };
    let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
        read_in_place;
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK | libc::SA_SIGINFO;
    // SAFETY: a set that is ours.
    unsafe { libc::sigfillset(&raw mut action.sa_mask) };
    // SAFETY: the handler is async-signal-safe (see above) and lives as long as the program.
    let result = unsafe { libc::sigaction(signal, &raw const action, &raw mut before) };
    (result == 0).then_some((signal, before))
}

/// A signal that has its default disposition: SIGURG, else a real-time one. Of these from the top: other users tend to
/// count from the bottom, and the very highest are left to debuggers.
fn free_signal() -> Option<i32> {
    let real_time = (libc::SIGRTMIN() + 1..=libc::SIGRTMAX() - 2).rev();
    std::iter::once(libc::SIGURG)
        .chain(real_time)
        .find(|&signal| {
            // SAFETY: all zeroes is a valid sigaction.
            let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
            // SAFETY: only asks for the present disposition, into a writable structure.
            let known = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut now) } == 0;
            known && now.sa_sigaction == libc::SIG_DFL
        })
}

/// How many reads of a thread pass before it is asked again whether it can be sent signals.
const TRUSTED_READS: u32 = 50;
/// And where it could not. It may only have been kept from the CPU in its handler, and what is done instead costs more, and
/// an `EINTR` at times.
const DOUBTED_READS: u32 = 5;

/// How many failures in succession say that the handler is gone. A program that takes the signal by way of the C library has
/// said so itself; a machine that is busy enough makes a few of them look so.
const FAILURES: u32 = 50;

/// Reads threads of one process by sending them signals.
pub(crate) struct Signaller {
    pid: Pid,
    arena: Arena,
    signal: i32,
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
            answers: HashMap::new(),
            filters,
            failures: 0,
        }
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
        let trust = Trust {
            answers,
            reads_left: if answers {
                TRUSTED_READS
            } else {
                DOUBTED_READS
            },
        };
        // Threads that are gone are forgotten with the rest, now and then.
        if self.answers.len() > 4096 {
            self.answers.clear();
        }
        self.answers.insert(thread, trust);
        answers
    }

    fn state_of(&self, thread: Tid) -> SignalState {
        proc::signal_state(self.pid, thread, self.signal)
    }

    /// Whether threads that should answer do not: the program has taken the signal for itself.
    pub(crate) fn has_failed(&self) -> bool {
        self.failures >= FAILURES || !self.arena.is_served()
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
        let number = self.arena.request(request);
        let number = number.map_err(|_| HoldError::Unanswered)?;
        if !send(self.pid, thread, self.signal, number) {
            self.arena.cancel();
            return Err(HoldError::Gone);
        }
        if self.arena.wait().is_err() {
            return self.read_waiting(thread, unanswered, || instead(capture));
        }
        self.failures = 0;
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

/// The handler of our own process. Once there, the arena stays, for a handler that is just running.
struct Installed {
    /// A process that was forked from this one has a copy of the handler, but no sampler that would use it.
    process: Pid,
    arena: Arena,
    /// The signal and its disposition before, while any sampler needs the handler.
    signal: Option<(i32, libc::sigaction)>,
    users: usize,
}

static INSTALLED: Mutex<Option<Installed>> = Mutex::new(None);

/// Whose turn it is to use the arena of our own process; 0 for nobody's. A process number rather than a
/// flag: after `fork` the child must not wait for a sampler that only its parent has.
static TURN: AtomicU32 = AtomicU32::new(0);

/// Reads threads of our own process.
pub(crate) struct OwnSignaller {
    signaller: Signaller,
}

impl OwnSignaller {
    pub(crate) fn new() -> Result<Self, Error> {
        let own = Pid::own();
        let mut installed = installed();
        let installed = match installed.as_mut() {
            Some(installed) if installed.process == own => installed,
            _ => installed.insert(Installed {
                process: own,
                arena: Arena::own().map_err(Error::NoArena)?,
                signal: None,
                users: 0,
            }),
        };
        let arena = installed.arena;
        let (signal, before) = match installed.signal {
            Some(handler) => handler,
            None => install(arena).ok_or(Error::NoFreeSignal)?,
        };
        installed.signal = Some((signal, before));
        arena
            .presence()
            .signal
            .store(signal as u32, Ordering::Release);
        installed.users += 1;
        Ok(Self {
            signaller: Signaller::new(own, arena, signal),
        })
    }

    /// As [`Signaller::read`]; one thread at a time in the whole process.
    pub(crate) fn read(
        &mut self,
        thread: Tid,
        state: Address,
        layout: &WalkLayout,
        capture: &mut Capture,
        instead: impl FnOnce(&mut Capture) -> Result<(), WalkError>,
    ) -> Result<Result<(), WalkError>, HoldError> {
        if !self.signaller.can_read(thread) {
            return Err(HoldError::Unanswered);
        }
        let Some(_turn) = Turn::take() else {
            return Err(HoldError::Unanswered);
        };
        self.signaller.read(thread, state, layout, capture, instead)
    }

    pub(crate) fn note_known(&mut self, known: KnownObject) {
        if let Some(_turn) = Turn::take() {
            self.signaller.note_known(known);
        }
    }
}

fn installed() -> std::sync::MutexGuard<'static, Option<Installed>> {
    INSTALLED
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Drop for OwnSignaller {
    fn drop(&mut self) {
        let mut installed = installed();
        let own = Pid::own();
        let Some(handler) = installed.as_mut().filter(|handler| handler.process == own) else {
            return;
        };
        handler.users -= 1;
        let Some((signal, before)) = handler.signal else {
            return;
        };
        // A real-time signal that is still on its way would end the program under the default disposition: then the
        // handler stays, which does no harm.
        let harmless = signal == libc::SIGURG || handler.arena.unanswered() == 0;
        if handler.users == 0 && harmless {
            // SAFETY: `before` is what sigaction gave us for this very signal.
            unsafe { libc::sigaction(signal, &raw const before, std::ptr::null_mut()) };
            handler.signal = None;
        }
    }
}

/// The exclusive use of our own process's arena.
struct Turn;

impl Turn {
    /// Waits at most as long as one read may take.
    fn take() -> Option<Self> {
        let own = Pid::own().get();
        let deadline = Timestamp::now().after(Duration::from_millis(40));
        loop {
            let owner = TURN.load(Ordering::Relaxed);
            let take = || TURN.compare_exchange(owner, own, Ordering::AcqRel, Ordering::Relaxed);
            if owner != own && take().is_ok() {
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
        TURN.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64};

    use super::*;

    fn own_tid() -> u32 {
        // SAFETY: takes nothing, cannot fail.
        unsafe { libc::syscall(libc::SYS_gettid) as u32 }
    }

    /// A thread that runs `body` until it is dropped.
    struct Worker {
        tid: Tid,
        stop: Arc<AtomicBool>,
        thread: Option<std::thread::JoinHandle<()>>,
    }

    impl Worker {
        fn start(mut body: impl FnMut() + Send + 'static) -> Self {
            let stop = Arc::new(AtomicBool::new(false));
            let (sender, receiver) = std::sync::mpsc::channel();
            let thread = std::thread::spawn({
                let stop = Arc::clone(&stop);
                move || {
                    sender.send(own_tid()).expect("the test waits");
                    while !stop.load(Ordering::Relaxed) {
                        body();
                    }
                }
            });
            Self {
                tid: Tid::new(receiver.recv().expect("it runs")),
                stop,
                thread: Some(thread),
            }
        }

        fn end(&mut self) {
            self.stop.store(true, Ordering::Relaxed);
            if let Some(thread) = self.thread.take() {
                thread.join().expect("it ends well");
            }
        }
    }

    impl Drop for Worker {
        fn drop(&mut self) {
            self.end();
        }
    }

    /// A thread state that points to one frame, as far as `one_frame` knows.
    fn fake_thread(code: &[u8; 64]) -> Box<[u64; 3]> {
        let mut memory = Box::new([0; 3]);
        memory[0] = std::ptr::from_ref(&memory[1]) as u64;
        memory[1] = code.as_ptr() as u64;
        memory
    }

    fn one_frame() -> WalkLayout {
        WalkLayout {
            thread_size: 8,
            top_frame_in_cframe: WalkLayout::NONE,
            datastack_chunk: WalkLayout::NONE,
            frame_size: 16,
            previous: 8,
            owner: WalkLayout::NONE,
            code_size: 64,
            identity_end: 64,
            code_texts: [WalkLayout::NONE; 3],
            locals: WalkLayout::NONE,
            stack_top: WalkLayout::NONE,
            ..WalkLayout::default()
        }
    }

    fn never(_: &mut Capture) -> Result<(), WalkError> {
        Err(WalkError::Torn)
    }

    fn capture() -> Capture {
        let memory = crate::stack::memory::ProcessMemory::of(Pid::own());
        let version = crate::stack::layout::Version::new(3, 12, None);
        let layout = crate::stack::layout::Layout::of(version, &memory, 0);
        Capture::new(&layout.expect("3.12 is known"))
    }

    #[test]
    fn a_thread_reads_what_it_is_asked_to_and_goes_on_afterwards() {
        let counter = Arc::new(AtomicU64::new(0));
        let mut worker = Worker::start({
            let counter = Arc::clone(&counter);
            move || {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        let tid = worker.tid;
        let mut signaller = OwnSignaller::new().expect("a signal is free");
        let signal = signaller.signaller.signal;
        let (code, layout, mut capture) = ([7; 64], one_frame(), capture());
        let thread = fake_thread(&code);
        let state = thread.as_ptr() as Address;
        let mut whole = 0;
        for _ in 0..1000 {
            if signaller.read(tid, state, &layout, &mut capture, never) == Ok(Ok(())) {
                assert_eq!(capture.frames().len(), 1);
                assert_eq!(capture.frames()[0].code, code.as_ptr() as u64);
                whole += 1;
            }
        }
        assert!(whole > 900, "{whole} of 1000 reads");
        let torn = signaller.read(tid, 16, &layout, &mut capture, never);
        assert_eq!(torn, Ok(Err(WalkError::Torn)), "a bad address is no crash");
        let before = counter.load(Ordering::Relaxed);
        while counter.load(Ordering::Relaxed) == before {
            std::thread::yield_now();
        }
        worker.end();
        let gone = signaller.read(tid, state, &layout, &mut capture, never);
        assert_eq!(gone, Err(HoldError::Gone));
        assert!(is_installed(signal));
        drop(signaller);
        assert!(!is_installed(signal), "the previous disposition is back");
    }

    /// Whether the signal has a handler.
    fn is_installed(signal: i32) -> bool {
        // SAFETY: all zeroes is a valid sigaction.
        let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: only asks.
        let result = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut now) };
        assert_eq!(result, 0);
        now.sa_sigaction != libc::SIG_DFL
    }

    /// Calls that the kernel never restarts after a signal (signal(7)), made by libc's own functions.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn calls_that_the_kernel_does_not_restart_return_no_eintr() {
        let failed = Arc::new(AtomicU64::new(0));
        let calls = Arc::new(AtomicU64::new(0));
        let mut worker = Worker::start({
            let (failed, calls) = (Arc::clone(&failed), Arc::clone(&calls));
            let mut next = 0;
            move || {
                let pause = libc::timespec {
                    tv_sec: 0,
                    tv_nsec: 100_000,
                };
                let none = std::ptr::null_mut();
                next += 1;
                // SAFETY: no descriptors are passed, and a time that outlives the call.
                let result = unsafe {
                    match next % 3 {
                        0 => libc::poll(std::ptr::null_mut(), 0, 1),
                        1 => libc::nanosleep(&raw const pause, std::ptr::null_mut()),
                        _ => libc::pselect(0, none, none, none, &raw const pause, std::ptr::null()),
                    }
                };
                calls.fetch_add(1, Ordering::Relaxed);
                failed.fetch_add(u64::from(result == -1), Ordering::Relaxed);
            }
        });
        let mut signaller = OwnSignaller::new().expect("a signal is free");
        let (layout, mut capture) = (one_frame(), capture());
        let mut held = 0;
        while held < 1000 {
            let read = signaller.read(worker.tid, 16, &layout, &mut capture, never);
            held += u64::from(read.is_ok());
            std::thread::sleep(Duration::from_micros(1370));
        }
        worker.end();
        let (failed, calls) = (
            failed.load(Ordering::Relaxed),
            calls.load(Ordering::Relaxed),
        );
        assert!(calls > 100, "{calls} calls");
        // glibc from 2.41 makes these calls in a way that cannot be undone.
        if !glibc_is_at_least(2, 41) {
            assert_eq!(failed, 0, "of {calls} calls under {held} signals");
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn glibc_is_at_least(major: u32, minor: u32) -> bool {
        // SAFETY: returns a constant text.
        let version = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
        let version = version.to_str().expect("digits and dots");
        let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
        (numbers.next(), numbers.next()) >= (Some(major), Some(minor))
    }
}
