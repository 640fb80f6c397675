//! The library that `jumper run` loads into the programs that it starts (`LD_PRELOAD`, ld.so(8)).
//!
//! What it does there is in `stack/agent.rs` of jumper-sampler. This crate only has it done at the right moment: when the
//! dynamic linker has loaded the program, and before the program's first instruction.

/// Called by the dynamic linker, which goes through all functions in this section.
#[used]
#[unsafe(link_section = ".init_array")]
static LOAD: extern "C" fn() = load;

extern "C" fn load() {
    // A failure of ours is no reason for the program not to start.
    let _ = std::panic::catch_unwind(jumper_sampler::load_agent);
}
