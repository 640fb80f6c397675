//! Calls of the program that our signal must not run into.
//!
//! The agent's library defines them in front of the C library's. Before such a call is made the recorder is told, and a
//! signal of ours that is on its way is awaited:
//!
//! - A thread that blocks the signal would have ours waiting for it, where sigpending(2), sigwait(3) and signalfd(2) show it.
//!   From then on it is sent none.
//! - A filter of system calls (seccomp(2)) may end the program for what the handler does. Unless it has privileges, a program
//!   must give up gaining any before it installs one, so that both steps count. From then on nothing is asked of the handler.

use std::sync::atomic::{AtomicPtr, Ordering};

use super::arena::Arena;
use super::handler;
use super::program::{next, withdraw};
use crate::Pid;

type Sigmask = unsafe extern "C" fn(i32, *const libc::sigset_t, *mut libc::sigset_t) -> i32;
type Prctl = unsafe extern "C" fn(i32, u64, u64, u64, u64) -> i32;

static NEXT_SIGPROCMASK: AtomicPtr<libc::c_void> = AtomicPtr::new(std::ptr::null_mut());
static NEXT_PTHREAD_SIGMASK: AtomicPtr<libc::c_void> = AtomicPtr::new(std::ptr::null_mut());
static NEXT_PRCTL: AtomicPtr<libc::c_void> = AtomicPtr::new(std::ptr::null_mut());

/// As [`program::find_next`](super::program::find_next).
pub(crate) fn find_next() {
    next(&NEXT_SIGPROCMASK, c"sigprocmask");
    next(&NEXT_PTHREAD_SIGMASK, c"pthread_sigmask");
    next(&NEXT_PRCTL, c"prctl");
}

/// The agent of this process, unless that is a child of the recorded one.
fn agent() -> Option<(Arena, i32)> {
    let is_own = |arena: Arena| {
        arena.presence().process.load(Ordering::Relaxed) == Pid::own().get() && arena.is_served()
    };
    handler::agent().filter(|&(arena, _)| is_own(arena))
}

/// The C library's sigprocmask(2), for the agent's library.
///
/// # Safety
/// As for the C library's.
pub unsafe fn sigprocmask(
    how: i32,
    set: *const libc::sigset_t,
    before: *mut libc::sigset_t,
) -> i32 {
    let Some(next) = next(&NEXT_SIGPROCMASK, c"sigprocmask") else {
        return -1;
    };
    // SAFETY: this is the type of sigprocmask(2), and the caller's promise is the same.
    unsafe {
        change_mask(
            std::mem::transmute::<*mut _, Sigmask>(next),
            how,
            set,
            before,
        )
    }
}

/// The C library's pthread_sigmask(3), for the agent's library.
///
/// # Safety
/// As for the C library's.
pub unsafe fn pthread_sigmask(
    how: i32,
    set: *const libc::sigset_t,
    before: *mut libc::sigset_t,
) -> i32 {
    let Some(next) = next(&NEXT_PTHREAD_SIGMASK, c"pthread_sigmask") else {
        return libc::ENOSYS;
    };
    // SAFETY: this is the type of pthread_sigmask(3), and the caller's promise is the same.
    unsafe {
        change_mask(
            std::mem::transmute::<*mut _, Sigmask>(next),
            how,
            set,
            before,
        )
    }
}

/// # Safety
/// As for `change`, which must be one of the above.
unsafe fn change_mask(
    change: Sigmask,
    how: i32,
    set: *const libc::sigset_t,
    before: *mut libc::sigset_t,
) -> i32 {
    let agent = agent().filter(|_| !set.is_null());
    // SAFETY: `set` is not null, and then a valid set, as the caller promises.
    let names_ours = |signal| unsafe { libc::sigismember(set, signal) } == 1;
    if let Some((arena, signal)) = agent
        && how != libc::SIG_UNBLOCK
        && names_ours(signal)
    {
        arena.begin_blocking(own_tid());
    }
    // SAFETY: as the caller promises.
    let result = unsafe { change(how, set, before) };
    if let Some((arena, signal)) = agent
        && match how {
            libc::SIG_UNBLOCK => names_ours(signal),
            libc::SIG_SETMASK => !names_ours(signal),
            _ => false,
        }
    {
        arena.end_blocking(own_tid());
    }
    result
}

fn own_tid() -> u32 {
    // SAFETY: takes nothing, cannot fail.
    unsafe { libc::syscall(libc::SYS_gettid) as u32 }
}

/// The C library's prctl(2), for the agent's library. That takes as many arguments as the option has; the registers of the
/// others are passed on as they are.
///
/// # Safety
/// As for the C library's.
pub unsafe fn prctl(option: i32, second: u64, third: u64, fourth: u64, fifth: u64) -> i32 {
    let Some(next) = next(&NEXT_PRCTL, c"prctl") else {
        return -1;
    };
    if matches!(option, libc::PR_SET_NO_NEW_PRIVS | libc::PR_SET_SECCOMP)
        && let Some((arena, _)) = agent()
    {
        withdraw(arena);
    }
    // SAFETY: this is how prctl(2) is called, and the rest is as the caller promises.
    unsafe { std::mem::transmute::<*mut _, Prctl>(next)(option, second, third, fourth, fifth) }
}
