//! Turns what happened when into how much of it there was.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::NodeId;
use crate::processors::ProcessorOptions;
use crate::tree::{FrameTree, Node, NodeKind};

/// Makes one node of all siblings that are the same, and of theirs, and so on; the largest comes first, of equal ones
/// the one that was seen first.
pub fn aggregate_repeated_calls(tree: FrameTree, _options: &ProcessorOptions) -> FrameTree {
    let mut merger = Merger {
        nodes: tree.nodes(),
        next: vec![None; tree.len()],
        merged: Vec::new(),
    };
    let root_is_top = tree.tops().next() == Some(tree.root());
    let mut out: Vec<Node> = Vec::with_capacity(tree.len());
    // Chains of old rows that are one node, and the new row of the parent; the next to be placed on top.
    let mut pending: Vec<(u32, Option<NodeId>)> = vec![(0, None)];
    while let Some((first, parent)) = pending.pop() {
        let id = NodeId::from_len(out.len());
        let mut node = tree.nodes()[first as usize].clone();
        let mut next = merger.next[first as usize];
        while let Some(row) = next {
            node.merge(&tree.nodes()[row as usize]);
            next = merger.next[row as usize];
        }
        node.parent = parent;
        out.push(node);
        merger.merge_children(first);
        // Above what is the whole nothing is sorted: that is one frame, or threads in an order of their own.
        if parent.is_some() || root_is_top {
            let size = |group: &Merged| (Reverse(group.time_ns), group.first_seen);
            merger.merged.sort_by_key(size);
        }
        let children = merger.merged.drain(..).rev();
        pending.extend(children.map(|group| (group.first, Some(id))));
    }
    tree.with_nodes(out)
}

struct Merger<'a> {
    nodes: &'a [Node],
    /// The next row of the chain that a row is in.
    next: Vec<Option<u32>>,
    /// The children of the node at hand.
    merged: Vec<Merged>,
}

/// A chain of rows that will be one node.
struct Merged {
    kind: NodeKind,
    first: u32,
    last: u32,
    time_ns: u64,
    first_seen: u32,
}

/// Up to this many children are searched one by one, which is faster.
const FEW: usize = 8;

impl Merger<'_> {
    /// Fills `merged` with the children of the chain that begins with `first`, in the order in which they come.
    fn merge_children(&mut self, first: u32) {
        let mut by_kind: HashMap<NodeKind, usize> = HashMap::new();
        let mut source = Some(first);
        while let Some(row) = source {
            let end = self.nodes[row as usize].end.index();
            let mut child = row as usize + 1;
            while child < end {
                self.add(child, &mut by_kind);
                child = self.nodes[child].end.index();
            }
            source = self.next[row as usize];
        }
    }

    fn add(&mut self, row: usize, by_kind: &mut HashMap<NodeKind, usize>) {
        let node = &self.nodes[row];
        let known = match self.merged.len() {
            0..=FEW => self.merged.iter().position(|group| group.kind == node.kind),
            _ => by_kind.get(&node.kind).copied(),
        };
        let row = row as u32;
        let Some(group) = known.map(|known| &mut self.merged[known]) else {
            self.merged.push(Merged {
                kind: node.kind,
                first: row,
                last: row,
                time_ns: node.time_ns,
                first_seen: node.first_seen,
            });
            match self.merged.len() {
                0..=FEW => {}
                len if len == FEW + 1 => {
                    let kinds = self.merged.iter().enumerate();
                    by_kind.extend(kinds.map(|(index, group)| (group.kind, index)));
                }
                len => {
                    by_kind.insert(node.kind, len - 1);
                }
            }
            return;
        };
        self.next[group.last as usize] = Some(row);
        group.last = row;
        group.time_ns += node.time_ns;
        group.first_seen = group.first_seen.min(node.first_seen);
    }
}
