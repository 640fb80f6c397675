//! What was recorded, column by column.
//!
//! Texts, functions and stacks are interned once, so that a sample is a handful of integers. Every
//! table is append-only and is filled either by a [`SessionBuilder`](crate::SessionBuilder) or, after
//! validation, from a file; both ways hold the same promise: no handle in a table dangles.

mod all;
mod cells;
mod frames;
mod metrics;
mod processes;
mod samples;
mod stacks;
mod strings;

pub(crate) use all::Tables;
pub use cells::{Cell, CellOutcome, CellTable};
pub use frames::{FrameTable, Function, FunctionRow};
pub use metrics::{MetricColumn, MetricKind, MetricsTable};
pub use processes::{Process, ProcessTable, Thread, ThreadTable};
pub use samples::{NewSample, Sample, SampleTable, ThreadState};
pub use stacks::{Extent, Place, Stack, StackFrames, StackTable};
pub(crate) use stacks::{Site, SiteId};
pub use strings::StringTable;

/// The value of a `u32` column that stands for "none". No table has this many rows.
pub(crate) const NONE_U32: u32 = u32::MAX;

/// The value of a `u64` column that stands for "none".
pub(crate) const NONE_U64: u64 = u64::MAX;
