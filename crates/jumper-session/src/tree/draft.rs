//! A tree while it grows: any order of nodes as long as parents come before children.

use std::cmp::Reverse;

use crate::NodeId;
use crate::tree::{FrameTree, Node, NodeKind};

/// Nodes with their own time only; [`finish`](Self::finish) adds up, sorts and lays out.
pub(super) struct Draft {
    nodes: Vec<Node>,
}

impl Draft {
    /// A draft that has only the common root, which is row 0.
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::new(NodeKind::Root, None, 0)],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn push(&mut self, kind: NodeKind, parent: NodeId, line: u32) -> NodeId {
        let id = NodeId::from_len(self.nodes.len());
        self.nodes.push(Node::new(kind, Some(parent), line));
        id
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.index()]
    }

    /// Turns the draft into a tree. Threads keep their order, functions are sorted by time.
    pub(super) fn finish(mut self) -> FrameTree {
        self.add_up();
        let (children, ranges) = self.sorted_children();
        let mut preorder = Vec::with_capacity(self.nodes.len());
        // Pairs of an old row and its parent's new row, the next to be placed on top.
        let mut pending = vec![(0_u32, None)];
        while let Some((row, parent)) = pending.pop() {
            let id = NodeId::from_len(preorder.len());
            preorder.push(Node {
                parent,
                ..self.nodes[row as usize].clone()
            });
            let below = &children[ranges[row as usize]..ranges[row as usize + 1]];
            pending.extend(below.iter().rev().map(|child| (*child, Some(id))));
        }
        FrameTree::from_preorder(preorder)
    }

    /// Sums from the last row to the first, which meets every child before its parent.
    fn add_up(&mut self) {
        for row in (0..self.nodes.len()).rev() {
            let node = &mut self.nodes[row];
            node.time_ns += node.self_time_ns + node.absorbed_time_ns;
            let (time, count, parent) = (node.time_ns, node.sample_count, node.parent);
            if let Some(parent) = parent {
                self.nodes[parent.index()].time_ns += time;
                self.nodes[parent.index()].sample_count += count;
            }
        }
    }

    /// The rows of all children grouped by parent and in their final order, and for each row where its
    /// group begins (with one more entry for the end of the last).
    fn sorted_children(&self) -> (Vec<u32>, Vec<usize>) {
        let mut ranges = vec![0_usize; self.nodes.len() + 1];
        for node in &self.nodes[1..] {
            ranges[parent_of(node) + 1] += 1;
        }
        for row in 1..ranges.len() {
            ranges[row] += ranges[row - 1];
        }
        let mut children: Vec<u32> = (1..self.nodes.len() as u32).collect();
        children.sort_unstable_by_key(|&row| {
            let node = &self.nodes[row as usize];
            // A root's children are threads, whose order was chosen by who pushed them.
            let time = if parent_of(node) == 0 {
                0
            } else {
                node.time_ns
            };
            (parent_of(node), Reverse(time), row)
        });
        (children, ranges)
    }
}

fn parent_of(node: &Node) -> usize {
    node.parent
        .expect("bug: only the root has no parent")
        .index()
}
