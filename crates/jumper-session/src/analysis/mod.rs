//! What the metrics of a session say: in sum, about the program, and about each of its functions.
//!
//! - [`MetricStatistics`]: what each metric came to, level by level.
//! - [`Signature`]: what a level was short of, as JUmPER's performance tags, judged by [`Thresholds`].
//! - [`Attribution`]: who used it. Stacks and metrics share a clock, so what was used between two measurements can be
//!   shared out among what ran between them. That is an estimate, and is called one wherever it is shown.
//!
//! All of it is about the session that is given: for a part of one, [select](Session::select) it first.

mod attribution;
mod changes;
mod functions;
mod resources;
mod source;
mod statistics;
mod summary;
mod tags;
mod thresholds;
mod timeline;
mod unit;

pub use attribution::Attribution;
pub(crate) use attribution::Shares;
pub use functions::FunctionUse;
pub use resources::{Resource, Resources};
pub use statistics::MetricStatistics;
pub use tags::{PerformanceTag, Signature, TagScore};
pub use thresholds::Thresholds;

#[cfg(doc)]
use crate::Session;
