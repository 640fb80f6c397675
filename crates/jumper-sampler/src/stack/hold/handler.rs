//! The signal handler in which a thread reads itself.
//!
//! While the handler runs the thread does nothing else, so that it holds still by itself, and goes on at once
//! when the read is done: it never waits for another thread. What is read, and where the result goes, is in an
//! [`Arena`]. The handler runs on the thread's alternate stack if it has one, and calls nothing that is not
//! async-signal-safe.
//!
//! The signal is `SIGURG` unless the program uses that, and then a real-time one that nobody uses. What is
//! special about it is that it is ignored by default: a signal that is on its way while a thread calls
//! exec(3) reaches the new program, which has no handler, and a real-time signal would end it.

use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};
use std::time::Duration;

use super::arena::Arena;
use super::program;
use super::restart::{has_interrupted_call, restart_system_call};
use crate::Timestamp;

/// The arena of this process's handler. Never unmapped.
static ARENA: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());
/// The signal, in a process with an agent; else 0.
static AGENT: AtomicI32 = AtomicI32::new(0);

/// The stack that the handler needs, in bytes: 2,600 were seen. Without optimisation it takes more.
const STACK_NEEDED: usize = if cfg!(debug_assertions) {
    16 << 10
} else {
    4 << 10
};

/// Whether there is room for the handler on the stack that it runs on. An alternate stack may be as small as 8 KiB, of which the
/// kernel takes 3 for a processor with AVX-512, and 11 where a thread has used AMX. Below it may lie anything.
///
/// # Safety
/// `context` must be what the kernel passed to the running handler.
unsafe fn has_room(context: *const libc::ucontext_t) -> bool {
    // SAFETY: by the contract above.
    let alternate = unsafe { (*context).uc_stack };
    let begin = alternate.ss_sp as usize;
    let here = (&raw const alternate) as usize;
    match here.checked_sub(begin) {
        Some(left) if left < alternate.ss_size => left >= STACK_NEEDED,
        // A usual stack, which grows.
        _ => true,
    }
}

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
    // SAFETY: the kernel passes a valid ucontext_t.
    if !unsafe { has_room(context) } {
        // SAFETY: as above, and a valid siginfo_t.
        if let Some((arena, number)) = unsafe { asked(info) } {
            arena.decline(number);
        }
        return;
    }
    // SAFETY: the kernel passes a valid ucontext_t, which is ours to change until we return.
    let interrupted = unsafe { has_interrupted_call(context) };
    // SAFETY: as above.
    let is_programs = interrupted && unsafe { program::has_just_returned(context) };
    let is_main = is_main_thread();
    if is_main && !interrupted {
        // SAFETY: as above.
        unsafe { let_signals_in(context, 1 << (signal - 1)) };
    }
    let arena = own_arena();
    // What goes on with a call takes its time, and must not be stopped by ptrace: whoever wants to read this thread is told that it
    // stands still, from before the answer on, which is when the next request may come.
    let standing = arena.filter(|_| interrupted).map(Arena::stand_still);
    // SAFETY: as above, and a valid siginfo_t.
    if let Some((arena, number)) = unsafe { asked(info) } {
        arena.serve(number);
    }
    if is_programs {
        // Another one of ours may already be on its way to the same place.
        // SAFETY: as above.
        unsafe { program::note_return(context) };
    } else if interrupted && arena.is_some() {
        // SAFETY: as above.
        unsafe { restart_system_call(context, signal) };
    }
    if !is_main {
        // SAFETY: as above.
        unsafe { leave_signals_to_others(context, signal) };
    }
    drop(standing);
    // SAFETY: as above.
    unsafe { *errno = saved };
}

/// The arena of this process, if it has one.
fn own_arena() -> Option<Arena> {
    let arena = ARENA.load(Ordering::Acquire);
    // SAFETY: what is in ARENA came from an arena of this process.
    (!arena.is_null()).then(|| unsafe { Arena::from_raw(arena) })
}

/// What was asked for, and where the answer goes. A signal that somebody else sent asks for nothing.
///
/// # Safety
/// `info` must be what the kernel passed to a handler that was installed with `SA_SIGINFO`.
unsafe fn asked(info: *const libc::siginfo_t) -> Option<(Arena, u64)> {
    // SAFETY: by the contract above.
    let info = unsafe { &*info };
    if info.si_code != libc::SI_QUEUE {
        return None;
    }
    // SAFETY: SI_QUEUE says that the value is set.
    let number = unsafe { info.si_value() }.sival_ptr as u64;
    Some((own_arena()?, number))
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
    own_arena()
        .filter(|_| signal != 0)
        .map(|arena| (arena, signal))
}

/// Says that this is a process with an agent, whose handler is installed.
pub(crate) fn announce_agent(signal: i32) {
    AGENT.store(signal, Ordering::Release);
}

/// Blocks only what the thread itself did, and `others`, one bit for each signal. A signal that is blocked here goes to another thread, where
/// CPython notices it late. That its C handler runs while we read does no harm, since it only makes a note for the
/// interpreter.
///
/// # Safety
/// `context` must be what the kernel passed to the running handler.
pub(super) unsafe fn let_signals_in(context: *const libc::ucontext_t, others: u64) {
    // SAFETY: by the contract above. The kernel has set as many bits as it has signals, one word.
    let before = unsafe { *(&raw const (*context).uc_sigmask).cast::<u64>() };
    let mask = before | others;
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
    // What a process inherited that was forked from one with a handler is nothing to go back to.
    if is_ours(before.sa_sigaction) {
        // SAFETY: all zeroes is a valid sigaction, and the default.
        before = unsafe { std::mem::zeroed() };
    }
    (result == 0).then_some((signal, before))
}

/// Whether our handler is the one that the signal has.
pub(super) fn is_installed(signal: i32) -> bool {
    disposition(signal).is_some_and(is_ours)
}

/// What happens when the signal comes.
fn disposition(signal: i32) -> Option<libc::sighandler_t> {
    // SAFETY: all zeroes is a valid sigaction.
    let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: only asks for the present disposition, into a writable structure.
    let known = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut now) } == 0;
    known.then_some(now.sa_sigaction)
}

/// A signal that has its default disposition, or our handler from before a fork: SIGURG, else a real-time one. Of these from the top: other users tend to
/// count from the bottom, and the very highest are left to debuggers.
fn free_signal() -> Option<i32> {
    let real_time = (libc::SIGRTMIN() + 1..=libc::SIGRTMAX() - 2).rev();
    std::iter::once(libc::SIGURG)
        .chain(real_time)
        .find(|&signal| disposition(signal).is_some_and(|now| now == libc::SIG_DFL || is_ours(now)))
}
