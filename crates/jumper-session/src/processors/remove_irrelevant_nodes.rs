//! Leaves out what is too small to matter.

use crate::NodeId;
use crate::processors::ProcessorOptions;
use crate::tree::{FrameTree, Replacement};

/// Removes every node that has less than `options.filter_threshold` of the whole's time, with all below it: of its
/// thread's, or of the session's ([`Scope`](crate::Scope)).
///
/// The time of a removed node moves to `absorbed_time` of its parent. The whole stays, however small.
pub fn remove_irrelevant_nodes(tree: FrameTree, options: &ProcessorOptions) -> FrameTree {
    let threshold = options.filter_threshold;
    let wholes: Vec<NodeId> = tree.tops().collect();
    let mut wholes = wholes.into_iter().peekable();
    // Stands for the time of a whole that has none: no share of it is then large.
    let mut whole = f64::MIN_POSITIVE;
    tree.without(Replacement::Nothing, |tree, id| {
        while let Some(top) = wholes.next_if(|&top| top < id) {
            whole = (tree.node(top).time_ns as f64).max(f64::MIN_POSITIVE);
        }
        tree.node(id).time_ns as f64 / whole < threshold
    })
}
