//! A tree while it grows: any order of nodes as long as parents come before children.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::NodeId;
use crate::tree::{Context, FrameTree, Node, NodeKind, Scope};

/// Nodes with their own time only; [`finish`](Self::finish) adds up, sorts and lays out.
pub(super) struct Draft {
    nodes: Vec<Node>,
}

/// In which order children are laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As they came.
    Time,
    /// The largest first; the roots as they came.
    Size,
    /// The largest first, the roots too.
    SizeOfRootsToo,
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

    /// Turns the draft into a tree.
    pub(super) fn finish(mut self, order: Order, scope: Scope, context: Context) -> FrameTree {
        self.add_up();
        let (children, ranges) = self.sorted_children(order);
        let mut preorder = Vec::with_capacity(self.nodes.len());
        // Pairs of an old row and its parent's new row, the next to be placed on top.
        let mut pending = vec![(0_u32, None)];
        while let Some((row, parent)) = pending.pop() {
            let id = NodeId::from_len(preorder.len());
            // Taken, not copied: a node owns these.
            let node = &mut self.nodes[row as usize];
            let classes = std::mem::take(&mut node.classes);
            let used = std::mem::take(&mut node.used);
            preorder.push(Node {
                parent,
                classes,
                used,
                ..node.clone()
            });
            let below = &children[ranges[row as usize] as usize..ranges[row as usize + 1] as usize];
            pending.extend(below.iter().rev().map(|child| (*child, Some(id))));
        }
        FrameTree::from_preorder(preorder, scope, Arc::new(context))
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
    fn sorted_children(&self, order: Order) -> (Vec<u32>, Vec<u32>) {
        // First where each group ends. Filled from its end, it is then where it begins.
        let mut ranges = vec![0_u32; self.nodes.len() + 1];
        for node in &self.nodes[1..] {
            ranges[parent_of(node)] += 1;
        }
        for row in 1..ranges.len() {
            ranges[row] += ranges[row - 1];
        }
        let mut children = vec![0_u32; self.nodes.len() - 1];
        for (row, node) in self.nodes.iter().enumerate().skip(1).rev() {
            let slot = &mut ranges[parent_of(node)];
            *slot -= 1;
            children[*slot as usize] = row as u32;
        }
        // Where a root's children are threads in an order that was chosen by who pushed them, it stays.
        let first_sorted = match order {
            Order::Time => self.nodes.len(),
            Order::Size => 1,
            Order::SizeOfRootsToo => 0,
        };
        for parent in first_sorted..self.nodes.len() {
            let below = &mut children[ranges[parent] as usize..ranges[parent + 1] as usize];
            // Most nodes have one child, and looking up its time would take longer than all else here.
            if below.len() > 1 {
                below.sort_unstable_by_key(|&row| {
                    let node = &self.nodes[row as usize];
                    (Reverse(node.time_ns), node.first_seen, row)
                });
            }
        }
        (children, ranges)
    }
}

fn parent_of(node: &Node) -> usize {
    node.parent
        .expect("bug: only the root has no parent")
        .index()
}
