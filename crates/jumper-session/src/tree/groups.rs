//! Groups: nodes that belong together and can be shown as one.

use crate::tree::{FrameTree, Node};
use crate::{GroupId, NodeId};

impl FrameTree {
    /// All groups, in the order of their roots.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = GroupId> + use<> {
        (0..self.group_roots.len()).map(GroupId::from_len)
    }

    /// The outermost node of a group.
    ///
    /// # Panics
    /// If the handle is of another tree and out of range here.
    pub fn group_root(&self, id: GroupId) -> NodeId {
        self.group_roots[id.index()]
    }

    /// The nodes of a group in pre-order.
    ///
    /// # Panics
    /// If the handle is of another tree and out of range here.
    pub fn group_nodes(&self, id: GroupId) -> impl Iterator<Item = NodeId> + '_ {
        let mut walk = self.walk_from(self.group_root(id));
        std::iter::from_fn(move || {
            loop {
                let (node, _) = walk.next()?;
                if self.node(node).group == Some(id) {
                    return Some(node);
                }
                // Whatever is in the group is below others that are.
                walk.skip_children(node);
            }
        })
    }

    /// The nodes of a group that have a child outside of it: through these the program left the group.
    ///
    /// # Panics
    /// If the handle is of another tree and out of range here.
    pub fn exit_nodes(&self, id: GroupId) -> impl Iterator<Item = NodeId> + '_ {
        let leaves = move |&node: &NodeId| {
            let mut children = self.children(node);
            children.any(|child| self.node(child).group != Some(id))
        };
        self.group_nodes(id).filter(leaves)
    }

    /// Puts groups in order after nodes were changed: a group is connected, has at least two nodes, and groups are
    /// numbered by their roots.
    pub(super) fn find_groups(nodes: &mut [Node]) -> Vec<NodeId> {
        // By old numbers, a group that lost the node in its middle is several.
        let old: Vec<Option<GroupId>> = nodes.iter().map(|node| node.group).collect();
        let mut roots: Vec<(NodeId, usize)> = Vec::new();
        for row in 0..nodes.len() {
            let parent = nodes[row].parent.map(NodeId::index);
            nodes[row].group = match (old[row], parent) {
                (None, _) => None,
                (group, Some(parent)) if old[parent] == group => nodes[parent].group,
                _ => {
                    roots.push((NodeId::from_len(row), 0));
                    Some(GroupId::from_len(roots.len() - 1))
                }
            };
            if let Some(group) = nodes[row].group {
                roots[group.index()].1 += 1;
            }
        }
        let mut kept = Vec::new();
        let new: Vec<Option<GroupId>> = roots
            .into_iter()
            .map(|(root, size)| {
                (size > 1).then(|| {
                    kept.push(root);
                    GroupId::from_len(kept.len() - 1)
                })
            })
            .collect();
        for node in nodes {
            node.group = node.group.and_then(|group| new[group.index()]);
        }
        kept
    }
}
