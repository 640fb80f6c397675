//! Stacks: where every thread of a Python process is right now.
//!
//! | file | what it knows |
//! | --- | --- |
//! | `runtime`, `elf` | where the CPython runtime of a process lies, and which version it is |
//! | `layout/` | where things lie in that version's structures, as data |
//! | `memory` | reading memory without ever faulting |
//! | `threads`, `names` | the list of threads, and what Python calls them |
//! | `hold/` | keeping a running thread still |
//! | `walk`, `capture` | copying its frames while it holds still |
//! | `snapshot` | and what new code objects on it say of themselves |
//! | `code`, `lines`, `objects` | from code objects to functions and lines |
//! | `traits`, `receiver`, `class` | which variable of a function is `self`, and from there to the name of its class |
//! | `sys_paths` | where the program's modules and libraries are, as its `sys` says |
//! | `agent` | a signal handler in programs that we start |
//! | `sample`, `known` | what a look gives, and what the next one can make use of |
//! | `sampler`, `ticker` | all of it together, and the beat |

mod agent;
mod capture;
mod class;
mod code;
mod elf;
mod hold;
mod known;
mod layout;
mod lines;
mod memory;
mod names;
mod objects;
mod receiver;
mod runtime;
mod sample;
mod sampler;
mod snapshot;
mod sys_paths;
mod threads;
mod ticker;
mod traits;
mod walk;

pub use agent::{Agent, load_agent};
pub use class::ClassKey;
pub use code::{Function, FunctionKey};
pub use hold::HoldMode;
#[doc(hidden)]
pub use hold::{
    calls::{prctl, pthread_sigmask, sigprocmask},
    program::{sigaction, signal},
};
pub use layout::Version;
pub use lines::Location;
pub use sample::{Frame, LostReason, SampleOutcome, ThreadInfo, ThreadKey, ThreadSample};
pub use sampler::{StackSampler, Tick};
pub use sys_paths::SysPaths;
pub use ticker::{Beat, Deadline, Ticker};
