//! What a Python process is doing right now, seen from outside of its interpreter: the call stacks of all its
//! threads, and the resources that it and the machine use.
//!
//! Constraints from which the rest follows:
//! - **The observed program comes first.** The interpreter's lock is never taken and nothing of the interpreter's
//!   memory is written. A thread that waits in the kernel is read as it is; one that runs is held for
//!   microseconds, by the kernel or, in the own process and in one that was started with an [`Agent`], by a signal
//!   in whose handler it reads itself. (A thread that starts to wait between the look and the hold is disturbed: some
//!   of its calls may then return `EINTR`. The handler undoes that on x86-64, as far as the C library lets it.)
//! - **Nothing is invented.** A stack that cannot be proven is a lost sample and counted, and of one that is
//!   [proven in part](SampleOutcome::Partial) only that part is shown; a number that cannot be read is unknown, not zero.
//! - **Memory of another process is hostile input.** Reads cannot fault, every count is bounded, what is said
//!   to be a code object is checked to be one.
//!
//! The crate stands alone: it knows processes, CPython's memory and the machine's counters, and no file format.
//! It runs on 64-bit Linux. It is no tracer (calls shorter than the interval are seen only by chance) and it
//! does not see frames of native code.

mod clock;
mod error;
pub mod metrics;
mod per_process;
mod pid;
mod proc;
mod signals;
mod stack;

pub use clock::{Timestamp, wake_exactly};
pub use error::Error;
pub use per_process::PerProcess;
pub use pid::{Pid, Tid};
pub use signals::without_signals;
pub use stack::{
    Agent, Beat, ClassKey, Deadline, Frame, Function, FunctionKey, HoldMode, Location, LostReason,
    SampleOutcome, StackSampler, SysPaths, ThreadInfo, ThreadKey, ThreadSample, Tick, Ticker,
    Version, load_agent,
};
#[doc(hidden)]
pub use stack::{prctl, pthread_sigmask, sigaction, signal, sigprocmask};
