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

extern "C" fn load() {
    // A failure of ours is no reason for the program not to start.
    let _ = std::panic::catch_unwind(jumper_sampler::load_agent);
}
