//! Puts own time together that nothing separates any more.

use crate::NodeId;
use crate::processors::ProcessorOptions;
use crate::tree::{FrameTree, Node, NodeKind};

/// Makes one of all [`NodeKind::SelfTime`] that follow each other below the same function.
pub fn merge_consecutive_self_time(tree: FrameTree, _options: &ProcessorOptions) -> FrameTree {
    let mut kept: Vec<Node> = Vec::with_capacity(tree.len());
    let mut new_ids: Vec<NodeId> = Vec::with_capacity(tree.len());
    for node in tree.nodes() {
        let parent = node.parent.map(|parent| new_ids[parent.index()]);
        // They have nothing below, so that in pre-order one sibling comes right after the other.
        let before = kept.last_mut().filter(|before| {
            let both = [before.kind, node.kind] == [NodeKind::SelfTime; 2];
            both && before.parent == parent && before.group == node.group
        });
        match before {
            Some(before) => before.merge(node),
            None => kept.push(node.below(parent)),
        }
        new_ids.push(NodeId::from_len(kept.len() - 1));
    }
    tree.with_nodes(kept)
}
