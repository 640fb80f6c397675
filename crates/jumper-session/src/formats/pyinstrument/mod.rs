//! Sessions of pyinstrument: `.pyisession` files, as its versions 4 and 5 write and read them.
//!
//! Such a file is one JSON object. Its `frame_records` hold, for every sample, the whole stack as texts and the time that
//! the sample stands for; the other keys are small. A million samples are gigabytes, and from one to the next most
//! of the text is the same. So nothing is read whole: `scan` hands out tokens of a stream, and `read` compares
//! each stack with the one before as bytes, looks up what is new in it, and decodes a text when it meets it for the first
//! time. Nesting takes no stack, and numbers in a file are bounded before they are believed.
//!
//! | there | here |
//! | --- | --- |
//! | a frame `NAME \0 <thread> \0 NUMBER` in front | the thread, with the number as `native_id` |
//! | any other frame | a [`Function`](crate::Function), with line and class in the [`Stack`](crate::Stack) |
//! | `[await]`, `[out-of-context]` | functions without a file |
//! | `start_call_stack` | [`Session::start_stack`](crate::Session::start_stack) |
//! | `target_description`, in version 4 `program` | [`Program::description`](crate::Program::description) |
//! | `min_interval`, `max_interval` | [`StacksSummary`](crate::StacksSummary) |
//! | `sys_path`, `sys_prefixes`, which version 4 does not have | the fields of the [`Manifest`](crate::Manifest) |
//!
//! Where version 5 takes the prefixes of whoever looks at a session of version 4, here the paths have to do:
//! `site-packages` and the like.
//!
//! What both formats have survives the way there and back. Of ours, a `.pyisession` has no processes, metrics, columns
//! of places, states of threads, nor times of the day of single samples. Times are whole nanoseconds, which is what
//! pyinstrument's clock counts in.

mod frame_info;
mod head;
mod read;
mod scan;
mod write;

pub use read::{read, read_from};
pub use write::{write, write_to};

/// What messages call the program.
const NAME: &str = "pyinstrument";

/// The key of the samples.
const RECORDS: &str = "frame_records";

/// What stands in for the file of a frame that names the thread.
const THREAD_FILE: &str = "<thread>";
