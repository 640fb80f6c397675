//! Leaves out what asks for it.

use crate::processors::ProcessorOptions;
use crate::tree::{FrameTree, Replacement};

/// Removes functions that have a local variable `__tracebackhide__`. What they called takes their place.
pub fn remove_tracebackhide(tree: FrameTree, _options: &ProcessorOptions) -> FrameTree {
    match tree.nodes().iter().any(|node| node.hidden) {
        true => tree.without(Replacement::Children, |tree, id| tree.node(id).hidden),
        false => tree,
    }
}
