//! A tree while it grows: any order of nodes as long as parents come before children.

use std::sync::Arc;

use crate::NodeId;
use crate::tree::layout::{self, Order};
use crate::tree::{Context, FrameTree, Node, NodeKind, Scope};

/// Nodes with their own time only; [`finish`](Self::finish) adds up, sorts and lays out.
pub(super) struct Draft {
    nodes: Vec<Node>,
}

impl Draft {
    /// A draft that has only the common root, which is row 0.
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::new(NodeKind::Root, None, 0, 0)],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn push(
        &mut self,
        kind: NodeKind,
        parent: NodeId,
        line: u32,
        first_seen: u32,
    ) -> NodeId {
        let id = NodeId::from_len(self.nodes.len());
        self.nodes
            .push(Node::new(kind, Some(parent), line, first_seen));
        id
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.index()]
    }

    /// Makes room for so many nodes more.
    pub(super) fn reserve(&mut self, nodes: usize) {
        self.nodes.reserve(nodes);
    }

    /// Turns the draft into a tree.
    pub(super) fn finish(mut self, order: Order, scope: Scope, context: Context) -> FrameTree {
        self.add_up();
        layout::put_in_preorder(&mut self.nodes, order);
        FrameTree::from_preorder(self.nodes, scope, Arc::new(context))
    }

    /// Sums from the last row to the first, which meets every child before its parent.
    fn add_up(&mut self) {
        for row in (0..self.nodes.len()).rev() {
            let node = &mut self.nodes[row];
            node.time_ns += node.self_time_ns + node.absorbed_time_ns();
            let (time, count, parent) = (node.time_ns, node.sample_count, node.parent);
            if let Some(parent) = parent {
                self.nodes[parent.index()].time_ns += time;
                self.nodes[parent.index()].sample_count += count;
            }
        }
    }
}
