//! The program's own signal handlers, as far as our handler has to know of them.
//!
//! The agent's library defines sigaction(2) and signal(2) in front of the C library's, for two reasons:
//!
//! - The program is to see of our signal what it would see without us. When it takes the signal for itself, the
//!   recorder is told first, and what is on its way is awaited: none of ours reaches the program's handler.
//! - An `EINTR` that is due to the program's handler must stay (see `restart`). If our signal comes while that handler
//!   returns, the registers look as if ours had interrupted the call. So the program's handlers are called
//!   through one of ours, which notes where they return to.
//!
//! Everything here may run in a child after vfork(2), which shares our memory and not our dispositions. So nothing that the
//! kernel does not confirm is believed, and no entry is ever taken away.

use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::arena::Arena;
use super::handler::{agent, is_ours};
use super::restart::{has_interrupted_call, place_of};
use crate::Pid;

const SIGNALS: usize = 65;
/// How long the program's call waits for our signals that are on their way. They come within microseconds, but for those to
/// threads that block them or have ended.
const LONGEST_DRAIN: Duration = Duration::from_millis(50);
const DRAIN_STEP: Duration = Duration::from_micros(50);

/// The program's handler of each signal, where there is or has been one.
static HANDLERS: [AtomicUsize; SIGNALS] = [const { AtomicUsize::new(0) }; SIGNALS];

/// Where a handler of the program last returned into a system call that its signal has interrupted.
struct Return {
    /// Which thread, and where in it, as one number.
    place: AtomicU64,
    /// When, in CPU time of the thread, in nanoseconds.
    time: AtomicU64,
}

/// By thread. Not thread-local variables: to reach one may need memory, which a handler must not ask for.
static RETURNS: [Return; 1024] = [const {
    Return {
        place: AtomicU64::new(0),
        time: AtomicU64::new(0),
    }
}; 1024];

/// How long a thread has returned *just now*, in its CPU time: the way out of the kernel and into our handler. That is
/// a microsecond or two, but a virtual machine's time may pass in it. A program that makes another call at the same
/// place within this time may see an `EINTR` of ours there, which it has to expect anyway after the first one.
const JUST_NOW: u64 = 100_000;

type Sigaction = unsafe extern "C" fn(i32, *const libc::sigaction, *mut libc::sigaction) -> i32;
type Signal = unsafe extern "C" fn(i32, libc::sighandler_t) -> libc::sighandler_t;
type Handler = unsafe extern "C-unwind" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);

static NEXT_SIGACTION: AtomicPtr<libc::c_void> = AtomicPtr::new(std::ptr::null_mut());
static NEXT_SIGNAL: AtomicPtr<libc::c_void> = AtomicPtr::new(std::ptr::null_mut());

/// Looks the C library's functions up before the program calls ours, which it may do in a signal handler or after
/// fork(2), where the dynamic linker's lock may be taken for ever.
pub(crate) fn find_next() {
    next(&NEXT_SIGACTION, c"sigaction");
    next(&NEXT_SIGNAL, c"signal");
}

/// The C library's sigaction(2), for the agent's library.
///
/// # Safety
/// As for the C library's.
pub unsafe fn sigaction(
    signal: i32,
    wanted: *const libc::sigaction,
    before: *mut libc::sigaction,
) -> i32 {
    let Some(next) = next(&NEXT_SIGACTION, c"sigaction") else {
        return -1;
    };
    // SAFETY: this is the type of sigaction(2).
    let next: Sigaction = unsafe { std::mem::transmute(next) };
    let asked = agent().is_some();
    // SAFETY: null, or a valid structure, as the caller promises.
    let mut action = unsafe { wanted.as_ref() }.copied();
    let handler_before = handler_of(signal);
    if asked && let Some(action) = &mut action {
        match taken(signal, action.sa_sigaction) {
            Some(through) => action.sa_sigaction = through,
            // Nothing changes: we stay, and are not seen.
            None => action.sa_sigaction = libc::SIG_ERR,
        }
    }
    let changed = action.filter(|action| action.sa_sigaction != libc::SIG_ERR);
    let pointer = changed
        .as_ref()
        .map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: as the caller promises.
    let result = unsafe { next(signal, pointer, before) };
    // SAFETY: as above.
    if let Some(before) = unsafe { before.as_mut() }.filter(|_| asked && result == 0) {
        if is_ours(before.sa_sigaction) {
            // SAFETY: all zeroes is a valid sigaction, and the default.
            *before = unsafe { std::mem::zeroed() };
        } else if before.sa_sigaction == through() {
            before.sa_sigaction = handler_before;
        }
    }
    result
}

/// The C library's signal(2), for the agent's library.
///
/// # Safety
/// As for the C library's.
pub unsafe fn signal(signal: i32, wanted: libc::sighandler_t) -> libc::sighandler_t {
    let Some(next) = next(&NEXT_SIGNAL, c"signal") else {
        return libc::SIG_ERR;
    };
    // SAFETY: this is the type of signal(2).
    let next: Signal = unsafe { std::mem::transmute(next) };
    if agent().is_none() {
        // SAFETY: as the caller promises.
        return unsafe { next(signal, wanted) };
    }
    let handler_before = handler_of(signal);
    let Some(wanted) = taken(signal, wanted) else {
        return libc::SIG_DFL;
    };
    // SAFETY: as the caller promises.
    let before = unsafe { next(signal, wanted) };
    match before {
        before if is_ours(before) => libc::SIG_DFL,
        before if before == through() => handler_before,
        before => before,
    }
}

/// What to install where the program wants `handler` for a signal; `None` if our own handler is to stay.
fn taken(signal: i32, handler: libc::sighandler_t) -> Option<libc::sighandler_t> {
    let is_function = handler != libc::SIG_DFL && handler != libc::SIG_IGN;
    if let Some((arena, ours)) = agent()
        && ours == signal
    {
        let presence = arena.presence();
        // A child that was forked has nobody who would send it the signal.
        if presence.process.load(Ordering::Relaxed) == Pid::own().get() {
            // By default this signal is ignored, which is as good as our handler.
            if handler == libc::SIG_DFL && presence.signal.load(Ordering::Relaxed) != 0 {
                return None;
            }
            withdraw(arena);
        }
        return Some(handler);
    }
    // These come from what the thread does itself, and interrupt no call.
    let own_doing = [
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGILL,
        libc::SIGTRAP,
        libc::SIGABRT,
    ];
    let entry = usize::try_from(signal)
        .ok()
        .and_then(|signal| HANDLERS.get(signal));
    match entry {
        Some(entry) if is_function && !own_doing.contains(&signal) => {
            // Before the kernel knows of it: from then on it may be called.
            if handler != through() {
                entry.store(handler, Ordering::Release);
            }
            Some(through())
        }
        _ => Some(handler),
    }
}

/// Has the recorder send no more signals, and waits for those that are on their way.
pub(super) fn withdraw(arena: Arena) {
    arena.presence().signal.store(0, Ordering::SeqCst);
    let mut waited = Duration::ZERO;
    while arena.unanswered() > 0 && waited < LONGEST_DRAIN {
        std::thread::sleep(DRAIN_STEP);
        waited += DRAIN_STEP;
    }
}

fn handler_of(signal: i32) -> libc::sighandler_t {
    let entry = usize::try_from(signal)
        .ok()
        .and_then(|signal| HANDLERS.get(signal));
    entry.map_or(libc::SIG_DFL, |entry| entry.load(Ordering::Acquire))
}

fn through() -> libc::sighandler_t {
    let handler: Handler = call_and_note;
    handler as libc::sighandler_t
}

/// Stands before each handler of the program.
unsafe extern "C-unwind" fn call_and_note(
    signal: i32,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let handler = handler_of(signal);
    if handler == libc::SIG_DFL {
        return;
    }
    // SAFETY: the program has given this to the kernel as a handler. One of the older kind, which takes only the first
    // argument, does not look at the others.
    unsafe {
        let handler: Handler = std::mem::transmute(handler);
        handler(signal, info, context);
    }
    let context: *const libc::ucontext_t = context.cast();
    // SAFETY: the kernel passes a valid ucontext_t.
    if unsafe { has_interrupted_call(context) } {
        // SAFETY: as above.
        unsafe { note_return(context) };
    }
}

/// Notes that a handler of the program returns there.
///
/// # Safety
/// `context` must be what the kernel passed to the running handler.
pub(super) unsafe fn note_return(context: *const libc::ucontext_t) {
    // SAFETY: by the contract above.
    let (entry, place) = unsafe { entry_of(context) };
    entry.place.store(place, Ordering::Relaxed);
    entry.time.store(cpu_time(), Ordering::Relaxed);
}

/// Whether the thread returns to where a handler of the program has just returned to, into a system call that that
/// handler's signal has interrupted.
///
/// # Safety
/// `context` must be what the kernel passed to the running handler.
pub(super) unsafe fn has_just_returned(context: *const libc::ucontext_t) -> bool {
    // SAFETY: by the contract above.
    let (entry, place) = unsafe { entry_of(context) };
    entry.place.load(Ordering::Relaxed) == place
        && cpu_time().wrapping_sub(entry.time.load(Ordering::Relaxed)) < JUST_NOW
}

/// The CPU time of this thread, in nanoseconds.
fn cpu_time() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: into a writable structure.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut now) };
    (now.tv_sec as u64)
        .wrapping_mul(1_000_000_000)
        .wrapping_add(now.tv_nsec as u64)
}

/// A number for this thread and this place in it, and where it is kept.
///
/// # Safety
/// `context` must be what the kernel passed to the running handler.
unsafe fn entry_of(context: *const libc::ucontext_t) -> (&'static Return, u64) {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    // SAFETY: takes nothing, cannot fail, and is only a register of the thread.
    let thread = unsafe { libc::pthread_self() } as u64;
    // SAFETY: by the contract above.
    let (code, stack) = unsafe { place_of(context) };
    let own = thread.wrapping_mul(SPREAD);
    let mixed = (own ^ code).wrapping_mul(SPREAD).rotate_left(23) ^ stack;
    let slot = (own >> 40) as usize % RETURNS.len();
    (&RETURNS[slot], mixed.wrapping_mul(SPREAD) | 1)
}

/// The next definition of a function behind ours.
pub(super) fn next(
    known: &AtomicPtr<libc::c_void>,
    name: &std::ffi::CStr,
) -> Option<*mut libc::c_void> {
    let mut address = known.load(Ordering::Acquire);
    if address.is_null() {
        // SAFETY: only looks a name up.
        address = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
        known.store(address, Ordering::Release);
    }
    (!address.is_null()).then_some(address)
}
