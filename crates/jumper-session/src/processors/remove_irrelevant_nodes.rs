//! Leaves out what is too small to matter.

use crate::NodeId;
use crate::processors::ProcessorOptions;
use crate::tree::{FrameTree, Node, NodeKind};

/// Removes every node that has less than `options.filter_threshold` of its thread's time, with all below it.
///
/// The time of a removed node moves to `absorbed_time` of its parent. Threads stay, however small.
pub fn remove_irrelevant_nodes(tree: FrameTree, options: &ProcessorOptions) -> FrameTree {
    let nodes = tree.nodes();
    let mut kept: Vec<Node> = Vec::with_capacity(nodes.len());
    // The new number of each kept node, by its old one. Parents are met first, so that a look-up always
    // finds one.
    let mut new_ids = vec![tree.root(); nodes.len()];
    let mut least_ns = 0.0;
    let mut row = 0;
    while let Some(node) = nodes.get(row) {
        let parent = node.parent.map(|parent| new_ids[parent.index()]);
        if matches!(node.kind, NodeKind::Thread(_)) {
            least_ns = node.time_ns as f64 * options.filter_threshold;
        }
        match parent {
            Some(parent) if node.function().is_some() && (node.time_ns as f64) < least_ns => {
                kept[parent.index()].absorbed_time_ns += node.time_ns;
                row = node.end.index();
            }
            _ => {
                new_ids[row] = NodeId::from_len(kept.len());
                kept.push(Node {
                    parent,
                    ..node.clone()
                });
                row += 1;
            }
        }
    }
    FrameTree::from_preorder(kept)
}
