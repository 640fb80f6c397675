//! The library that `jumper run` loads into the programs that it starts (`LD_PRELOAD`, ld.so(8)).
//!
//! What it does there is in `stack/agent.rs` of jumper-sampler. This crate only has it done at the right moment: when the
//! dynamic linker has loaded the program, and before the program's first instruction.

/// Called by the dynamic linker, which goes through all functions in this section.
#[used]
#[unsafe(link_section = ".init_array")]
static LOAD: extern "C" fn() = load;

/// In front of the C library's, which it calls.
///
/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigaction(
    signal: libc::c_int,
    wanted: *const libc::sigaction,
    before: *mut libc::sigaction,
) -> libc::c_int {
    // SAFETY: by the same contract.
    unsafe { jumper_sampler::sigaction(signal, wanted, before) }
}

/// In front of the C library's, which it calls.
///
/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn signal(
    signal: libc::c_int,
    wanted: libc::sighandler_t,
) -> libc::sighandler_t {
    // SAFETY: by the same contract.
    unsafe { jumper_sampler::signal(signal, wanted) }
}

/// In front of the C library's, which it calls. BSD's name for the same function.
///
/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bsd_signal(
    signal: libc::c_int,
    wanted: libc::sighandler_t,
) -> libc::sighandler_t {
    // SAFETY: by the same contract.
    unsafe { jumper_sampler::signal(signal, wanted) }
}

/// In front of the C library's, which it calls.
///
/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigprocmask(
    how: libc::c_int,
    set: *const libc::sigset_t,
    before: *mut libc::sigset_t,
) -> libc::c_int {
    // SAFETY: by the same contract.
    unsafe { jumper_sampler::sigprocmask(how, set, before) }
}

/// In front of the C library's, which it calls.
///
/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_sigmask(
    how: libc::c_int,
    set: *const libc::sigset_t,
    before: *mut libc::sigset_t,
) -> libc::c_int {
    // SAFETY: by the same contract.
    unsafe { jumper_sampler::pthread_sigmask(how, set, before) }
}

/// In front of the C library's, which it calls. Variable arguments come in the same registers as fixed ones.
///
/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prctl(
    option: libc::c_int,
    second: u64,
    third: u64,
    fourth: u64,
    fifth: u64,
) -> libc::c_int {
    // SAFETY: by the same contract.
    unsafe { jumper_sampler::prctl(option, second, third, fourth, fifth) }
}

extern "C" fn load() {
    // A failure of ours is no reason for the program not to start.
    let _ = std::panic::catch_unwind(jumper_sampler::load_agent);
}
