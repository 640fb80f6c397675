//! Stacks: where every thread of a Python process is right now.
//!
//! | file | what it knows |
//! | --- | --- |
//! | `runtime`, `elf` | where the CPython runtime of a process lies, and which version it is |
//! | `layout/` | where things lie in that version's structures, as data |
//! | `memory` | reading memory without ever faulting |
//! | `threads`, `names` | the list of threads, and what Python calls them |
//! | `hold/` | keeping a running thread still |
//! | `walk` | copying its frames while it holds still |
//! | `code`, `lines`, `objects` | from code objects to functions and lines |
//! | `sampler`, `ticker` | all of it together, and the beat |

mod code;
mod elf;
mod hold;
mod layout;
mod lines;
mod memory;
mod names;
mod objects;
mod runtime;
mod sampler;
mod threads;
mod ticker;
mod walk;

pub use code::{Function, FunctionKey};
pub use hold::HoldMode;
pub use layout::Version;
pub use lines::Location;
pub use sampler::{
    Frame, LostReason, SampleOutcome, StackSampler, ThreadInfo, ThreadKey, ThreadSample, Tick,
};
pub use ticker::{Beat, Deadline, Ticker};
