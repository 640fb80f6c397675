//! Call trees: samples added up by call path.

mod build;
mod draft;
mod node;
mod walk;

use std::time::Duration;

pub use node::{Node, NodeKind};
pub use walk::{Children, Walk};

use crate::{NodeId, Session};

/// Where the time went, by call path: one tree per thread, under a common root.
///
/// The nodes lie in one arena in pre-order, children by time, the largest first. A node stores where its
/// subtree ends, so that its first child is the next node and its next sibling is the one at that
/// end: walking is counting up, skipping a subtree is one addition, and dropping a tree of any depth
/// frees one allocation.
///
/// Time is conserved: for every node, `time = self_time + absorbed_time + the time of its children`. The
/// passes in this crate that remove nodes move their time into `absorbed_time` of the node above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameTree {
    nodes: Vec<Node>,
}

impl FrameTree {
    /// Adds up the samples of a session.
    ///
    /// There is one tree for each thread that has samples, ordered by process and then by the time of the
    /// thread's first sample. Within a thread, frames are one node when they are the same function called
    /// along the same path, whatever line they were at and whose method they ran as. Siblings are ordered by time, the largest first;
    /// equal ones by which was seen first.
    ///
    /// A session whose trees would have more than 2^25 nodes (only made-up ones do) keeps that many: the
    /// time of the rest is in `absorbed_time` of the nodes that are kept.
    pub fn build(session: &Session) -> Self {
        build::build(session, build::MAX_NODES)
    }

    /// The common root above the threads.
    pub fn root(&self) -> NodeId {
        NodeId::from_raw(0)
    }

    /// The roots of the threads' trees.
    pub fn roots(&self) -> Children<'_> {
        self.children(self.root())
    }

    /// The children of a node, the largest first.
    ///
    /// # Panics
    /// If the handle is of another tree and out of range here.
    pub fn children(&self, id: NodeId) -> Children<'_> {
        Children::new(&self.nodes, id)
    }

    /// A node.
    ///
    /// # Panics
    /// If the handle is of another tree and out of range here.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// All nodes but the common root in pre-order, with their depth: 0 for a thread, 1 for its outermost
    /// frames, and so on.
    pub fn walk(&self) -> Walk<'_> {
        Walk::new(&self.nodes, 1..self.nodes.len(), 1)
    }

    /// A node and everything below it in pre-order, with the depth below that node.
    ///
    /// # Panics
    /// If the handle is of another tree and out of range here.
    pub fn walk_from(&self, id: NodeId) -> Walk<'_> {
        let node = self.node(id);
        Walk::new(&self.nodes, id.index()..node.end.index(), node.depth)
    }

    /// The time of all threads together.
    pub fn total(&self) -> Duration {
        self.nodes[0].time()
    }

    /// How many nodes there are, the common root included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing below the common root.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 1
    }

    /// All nodes in pre-order, the common root first.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Makes a tree of nodes in pre-order whose parents are right; subtree ends and depths are found here.
    pub(crate) fn from_preorder(mut nodes: Vec<Node>) -> Self {
        for row in 0..nodes.len() {
            nodes[row].end = NodeId::from_len(row + 1);
            nodes[row].depth = match nodes[row].parent {
                Some(parent) => nodes[parent.index()].depth + 1,
                None => 0,
            };
        }
        for row in (1..nodes.len()).rev() {
            let end = nodes[row].end;
            let parent = nodes[row].parent.expect("bug: only the root has no parent");
            let parent = &mut nodes[parent.index()];
            parent.end = parent.end.max(end);
        }
        Self { nodes }
    }
}
