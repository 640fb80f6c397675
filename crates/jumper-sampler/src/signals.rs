//! Keeping signals away from threads of ours.
//!
//! A signal that is sent to a process goes to any thread that does not block it. In a program that we are a
//! guest in, it must not be ours: CPython to 3.12 notices a signal late that was not delivered to its main
//! thread.

/// Runs `body` with all signals blocked in the calling thread. A thread that `body` starts inherits that, and
/// keeps it.
pub fn without_signals<T>(body: impl FnOnce() -> T) -> T {
    // SAFETY: all zeroes is a valid signal set.
    let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = unsafe { std::mem::zeroed() };
    // SAFETY: both sets are ours and writable; setting the calling thread's mask has no other effect.
    unsafe {
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
    }
    let result = body();
    // SAFETY: `before` was filled in by the call above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut()) };
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signals that the calling thread blocks (proc(5)).
    fn blocked() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").expect("we run");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
        u64::from_str_radix(mask.expect("a mask").trim(), 16).expect("a number")
    }

    #[test]
    fn a_thread_started_inside_blocks_signals_and_the_caller_does_not() {
        let before = blocked();
        let thread = without_signals(|| std::thread::spawn(blocked));
        let sigint_and_sigalrm = 1 << (libc::SIGINT - 1) | 1 << (libc::SIGALRM - 1);
        assert_eq!(
            thread.join().expect("it ends") & sigint_and_sigalrm,
            sigint_and_sigalrm
        );
        assert_eq!(blocked(), before);
    }
}
