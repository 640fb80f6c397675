//! Taking nodes out of a tree: what most processors do.

use crate::NodeId;
use crate::tree::{FrameTree, Node, NodeKind};

/// What takes the place of a node that is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Replacement {
    /// Its children, in its place, and its own time for the node above.
    Children,
    /// A [`NodeKind::SelfTime`] with all of its time, and nothing of what is below.
    SelfTime,
    /// Nothing: all of its time is absorbed by the node above.
    Nothing,
}

impl FrameTree {
    /// Removes every node that `is_removed` says, from the outside inwards, and puts a replacement into its place.
    ///
    /// The common root and, depending on the [`Scope`](crate::Scope), what is the whole stay and are not asked for. Nor
    /// is what lies below a node that is gone. What `is_removed` is shown is the tree as it was before.
    #[must_use]
    pub fn without(
        self,
        replacement: Replacement,
        mut is_removed: impl FnMut(&Self, NodeId) -> bool,
    ) -> Self {
        let mut kept: Vec<Node> = Vec::with_capacity(self.nodes.len());
        // For each old row the new one that it, or what was above it, is in. Parents are met first.
        let mut new_ids = vec![self.root(); self.nodes.len()];
        let mut row = 0;
        while row < self.nodes.len() {
            let (id, node) = (NodeId::from_len(row), &self.nodes[row]);
            let parent = node.parent.map(|parent| new_ids[parent.index()]);
            let Some(above) = parent.filter(|_| !self.is_top(id) && is_removed(&self, id)) else {
                new_ids[row] = NodeId::from_len(kept.len());
                kept.push(node.below(parent));
                row += 1;
                continue;
            };
            row = match replacement {
                Replacement::Children => row + 1,
                Replacement::SelfTime | Replacement::Nothing => node.end.index(),
            };
            match replacement {
                Replacement::Children => {
                    new_ids[id.index()] = above;
                    kept[above.index()].add_own_of(node);
                }
                Replacement::SelfTime => {
                    let kind = NodeKind::SelfTime;
                    let mut own = Node::new(kind, Some(above), 0, node.first_seen);
                    own.time_ns = node.time_ns;
                    own.self_time_ns = node.time_ns;
                    own.sample_count = node.sample_count;
                    own.add_own_spent(self.used_by(id.index()..row));
                    kept.push(own);
                }
                Replacement::Nothing => {
                    let used = self.used_by(id.index()..row);
                    kept[above.index()].add_absorbed(node.time_ns, used);
                }
            }
        }
        self.with_nodes(kept)
    }
}
