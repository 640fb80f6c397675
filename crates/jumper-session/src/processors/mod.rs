//! Passes over call trees: one file each, all with one signature, so that they can be chained. Names and meanings are
//! pyinstrument's.
//!
//! A pass conserves time: the total of a tree stays the same, and what a removed node had is in
//! `absorbed_time` of the node above it. What is the whole of a tree ([`FrameTree::tops`]) stays, whatever it is.

mod aggregate_repeated_calls;
mod group_library_frames;
mod merge_consecutive_self_time;
mod pattern;
mod remove_first_pyinstrument_frames;
mod remove_importlib;
mod remove_irrelevant_nodes;
mod remove_tracebackhide;
mod remove_unnecessary_self_time_nodes;
mod trim_stem;

pub use aggregate_repeated_calls::aggregate_repeated_calls;
pub use group_library_frames::group_library_frames;
pub use merge_consecutive_self_time::merge_consecutive_self_time;
pub use pattern::PathPattern;
pub use remove_first_pyinstrument_frames::remove_first_pyinstrument_frames;
pub use remove_importlib::remove_importlib;
pub use remove_irrelevant_nodes::remove_irrelevant_nodes;
pub use remove_tracebackhide::remove_tracebackhide;
pub use remove_unnecessary_self_time_nodes::remove_unnecessary_self_time_nodes;
pub use trim_stem::trim_stem;

use crate::FrameTree;

/// A pass over a call tree.
pub type Processor = fn(FrameTree, &ProcessorOptions) -> FrameTree;

/// What can be chosen about the passes; each reads what concerns it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessorOptions {
    /// The smallest share of the whole's time that a node must have to stay, between 0 and 1. At 0, or
    /// when it is not a number, every node stays.
    pub filter_threshold: f64,
    /// Files whose functions count as a library's, besides those that are.
    pub hide_regex: Option<PathPattern>,
    /// Files whose functions never count as a library's, whatever else is said of them.
    pub show_regex: Option<PathPattern>,
}

impl Default for ProcessorOptions {
    fn default() -> Self {
        Self {
            filter_threshold: 0.01,
            hide_regex: None,
            show_regex: None,
        }
    }
}

/// The passes of a usual report in their order, as pyinstrument's renderers have them.
///
/// `show_all` leaves in what libraries, importing and small functions did, `timeline` leaves calls in the order of
/// time; then the tree should be one too ([`TreeOptions::timeline`](crate::TreeOptions::timeline)).
pub fn default_processors(show_all: bool, timeline: bool) -> Vec<Processor> {
    let all: [(Processor, bool); 9] = [
        (trim_stem, true),
        (remove_importlib, !show_all),
        (remove_tracebackhide, !show_all),
        (merge_consecutive_self_time, true),
        (aggregate_repeated_calls, !timeline),
        (remove_irrelevant_nodes, !show_all),
        (remove_unnecessary_self_time_nodes, true),
        (remove_first_pyinstrument_frames, true),
        (group_library_frames, !show_all),
    ];
    let used = all.into_iter().filter(|(_, is_used)| *is_used);
    used.map(|(processor, _)| processor).collect()
}
