//! Nodes in any order that has parents before children, put into pre-order.

use std::cmp::Reverse;

use crate::NodeId;
use crate::tree::{Node, NodeKind};

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

/// Lays nodes out in pre-order, with right parents. There is no second arena on the way.
pub(super) fn put_in_preorder(nodes: &mut [Node], order: Order) {
    let places = places(nodes, order);
    for (node, &place) in nodes.iter_mut().zip(&places) {
        node.end = NodeId::from_raw(place);
        if let Some(parent) = &mut node.parent {
            *parent = NodeId::from_raw(places[parent.index()]);
        }
    }
    drop(places);
    put_in_place(nodes);
}

/// The place of each row in pre-order.
fn places(nodes: &[Node], order: Order) -> Vec<u32> {
    // First how many nodes there are in and below each.
    let mut places = vec![1_u32; nodes.len()];
    for (row, node) in nodes.iter().enumerate().skip(1).rev() {
        places[parent_of(node)] += places[row];
    }
    let (children, ranges) = sorted_children(nodes, order);
    places[0] = 0;
    for row in 0..nodes.len() {
        let mut next = places[row] + 1;
        for &child in &children[ranges[row] as usize..ranges[row + 1] as usize] {
            let size = std::mem::replace(&mut places[child as usize], next);
            next += size;
        }
    }
    places
}

/// The rows of all children grouped by parent and in their final order, and for each row where its
/// group begins (with one more entry for the end of the last).
fn sorted_children(nodes: &[Node], order: Order) -> (Vec<u32>, Vec<u32>) {
    // First where each group ends. Filled from its end, it is then where it begins.
    let mut ranges = vec![0_u32; nodes.len() + 1];
    for node in &nodes[1..] {
        ranges[parent_of(node)] += 1;
    }
    for row in 1..ranges.len() {
        ranges[row] += ranges[row - 1];
    }
    let mut children = vec![0_u32; nodes.len() - 1];
    for (row, node) in nodes.iter().enumerate().skip(1).rev() {
        let slot = &mut ranges[parent_of(node)];
        *slot -= 1;
        children[*slot as usize] = row as u32;
    }
    // Where a root's children are threads in an order that was chosen by who pushed them, it stays.
    let first_sorted = match order {
        Order::Time => nodes.len(),
        Order::Size => 1,
        Order::SizeOfRootsToo => 0,
    };
    for parent in first_sorted..nodes.len() {
        let below = &mut children[ranges[parent] as usize..ranges[parent + 1] as usize];
        // Most nodes have one child, and looking up its time would take longer than all else here.
        if below.len() > 1 {
            below.sort_unstable_by_key(|&row| {
                let node = &nodes[row as usize];
                (Reverse(node.time_ns), node.first_seen, row)
            });
        }
    }
    (children, ranges)
}

fn parent_of(node: &Node) -> usize {
    node.parent
        .expect("bug: only the root has no parent")
        .index()
}

/// How many nodes are on their way at a time. What a node will find at its place is far away in the memory, and where that goes
/// next is only known from there: many are waited for at once.
const CARRIED: usize = 16;

/// Moves every node to the row that its `end` says. Each of some nodes that are taken up is exchanged for what is at its place,
/// that for what is at its own, and so on, until there is the gap that one of them has left.
fn put_in_place(nodes: &mut [Node]) {
    let mut rows = 0..nodes.len();
    let mut carried: Vec<Node> = Vec::with_capacity(CARRIED);
    loop {
        while carried.len() < CARRIED
            && let Some(row) = rows.find(|&row| nodes[row].end.index() != row)
        {
            // A gap is where it belongs.
            let mut gap = Node::new(NodeKind::Root, None, 0, 0);
            gap.end = NodeId::from_len(row);
            carried.push(std::mem::replace(&mut nodes[row], gap));
        }
        if carried.is_empty() {
            return;
        }
        let mut found = [NodeId::from_raw(0); CARRIED];
        for (found, node) in found.iter_mut().zip(&carried) {
            *found = nodes[node.end.index()].end;
        }
        for index in (0..carried.len()).rev() {
            let place = carried[index].end;
            std::mem::swap(&mut carried[index], &mut nodes[place.index()]);
            if found[index] == place {
                carried.swap_remove(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_comes_to_its_place() {
        for len in [1, 2, 3, 40, 1000] {
            // Factors that have nothing in common with a length give every row another place.
            for factor in [7, 11, 997] {
                let mut nodes: Vec<Node> = Vec::new();
                for row in 0..len {
                    let place = (row * factor + 3) % len;
                    let mut node = Node::new(NodeKind::Root, None, 0, place);
                    node.end = NodeId::from_raw(place);
                    nodes.push(node);
                }
                put_in_place(&mut nodes);
                assert!(nodes.iter().map(|node| node.first_seen).eq(0..len));
            }
        }
    }
}
