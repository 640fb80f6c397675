//! Going through a tree without recursion.

use std::ops::Range;

use crate::NodeId;
use crate::tree::Node;

/// The children of a node in order; made by [`FrameTree::children`](crate::FrameTree::children).
#[derive(Clone, Debug)]
pub struct Children<'a> {
    nodes: &'a [Node],
    next: usize,
    end: usize,
}

impl<'a> Children<'a> {
    pub(super) fn new(nodes: &'a [Node], parent: NodeId) -> Self {
        let end = nodes[parent.index()].end.index();
        Self {
            nodes,
            next: parent.index() + 1,
            end,
        }
    }
}

impl Iterator for Children<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        let child = (self.next < self.end).then(|| NodeId::from_len(self.next))?;
        self.next = self.nodes[child.index()].end.index();
        Some(child)
    }
}

/// Nodes in pre-order with their depth; made by [`FrameTree::walk`](crate::FrameTree::walk) and
/// [`FrameTree::walk_from`](crate::FrameTree::walk_from).
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    nodes: &'a [Node],
    rows: Range<usize>,
    /// The depth that counts as 0.
    base: u32,
}

impl<'a> Walk<'a> {
    pub(super) fn new(nodes: &'a [Node], rows: Range<usize>, base: u32) -> Self {
        Self { nodes, rows, base }
    }

    /// Leaves out everything below `id`, which must be the node that was returned last.
    pub fn skip_children(&mut self, id: NodeId) {
        self.rows.start = self.rows.start.max(self.nodes[id.index()].end.index());
    }
}

impl Iterator for Walk<'_> {
    type Item = (NodeId, usize);

    fn next(&mut self) -> Option<(NodeId, usize)> {
        let row = self.rows.next()?;
        Some((
            NodeId::from_len(row),
            (self.nodes[row].depth - self.base) as usize,
        ))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}

impl ExactSizeIterator for Walk<'_> {}
