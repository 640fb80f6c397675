//! Leaves out own time that says nothing new.

use crate::NodeId;
use crate::processors::ProcessorOptions;
use crate::tree::{FrameTree, Node, NodeKind};

/// Removes a [`NodeKind::SelfTime`] that is all that a function has below it. Its time is `self_time` of the function.
pub fn remove_unnecessary_self_time_nodes(
    tree: FrameTree,
    _options: &ProcessorOptions,
) -> FrameTree {
    let nodes = tree.nodes();
    let mut kept: Vec<Node> = Vec::with_capacity(nodes.len());
    let mut new_ids: Vec<NodeId> = Vec::with_capacity(nodes.len());
    for (row, node) in nodes.iter().enumerate() {
        let parent = node.parent.map(|parent| new_ids[parent.index()]);
        let is_alone = |parent: NodeId| {
            // Its subtree is itself and this node, and it is a frame rather than what is above all frames.
            let above = &nodes[parent.index()];
            let is_frame = parent != tree.root() || tree.tops().next() == Some(parent);
            is_frame && parent.index() + 1 == row && above.end.index() == row + 1
        };
        match (node.kind, node.parent.filter(|&parent| is_alone(parent))) {
            (NodeKind::SelfTime, Some(_)) => {
                let above = kept.last_mut().expect("bug: its parent was kept");
                above.add_own_of(node);
                new_ids.push(NodeId::from_len(kept.len() - 1));
            }
            _ => {
                new_ids.push(NodeId::from_len(kept.len()));
                kept.push(node.below(parent));
            }
        }
    }
    tree.with_nodes(kept)
}
