//! Begins where the program began to branch.

use crate::NodeId;
use crate::processors::ProcessorOptions;
use crate::tree::{FrameTree, NodeKind};

/// Removes the frames from which the recording was started, up to the first that did something itself or called
/// more than one other. That one stays, and so does what does not belong to the place where the recording began.
///
/// With [`Scope::Session`](crate::Scope::Session) the thread is one of these frames, else it stays.
pub fn trim_stem(tree: FrameTree, _options: &ProcessorOptions) -> FrameTree {
    let stems = tree.tops().filter_map(|top| stem(&tree, top));
    let stems: Vec<(NodeId, NodeId)> = stems.collect();
    // From the last to the first, so that the rows of the others stay what they are.
    stems
        .into_iter()
        .rev()
        .fold(tree, |tree, (first, last)| cut(tree, first, last))
}

/// The first of the frames that go and the first below that stays.
fn stem(tree: &FrameTree, top: NodeId) -> Option<(NodeId, NodeId)> {
    let mut start = tree.context().start.iter();
    let first = start.next()?;
    if *first != tree.node(top).kind() {
        return None;
    }
    let mut last = top;
    while let Some(child) = only_child(tree, last) {
        if start.next() != Some(&tree.node(child).kind()) {
            break;
        }
        last = child;
    }
    let keeps_top = matches!(tree.node(top).kind(), NodeKind::Thread(_))
        && tree.scope() == crate::Scope::Thread;
    let first = match keeps_top {
        true => only_child(tree, top)?,
        false => top,
    };
    (first < last).then_some((first, last))
}

/// The child of a node that does nothing but calling that one.
fn only_child(tree: &FrameTree, id: NodeId) -> Option<NodeId> {
    let mut children = tree.children(id);
    let child = children.next().filter(|_| children.next().is_none())?;
    let called_ns = match tree.is_synthetic(child) {
        true => 0,
        false => tree.node(child).time_ns,
    };
    (tree.node(id).time_ns == called_ns).then_some(child)
}

/// Removes the frames from `first` to before `last`, each of which has but one child.
fn cut(tree: FrameTree, first: NodeId, last: NodeId) -> FrameTree {
    let removed = last.index() - first.index();
    let above = tree.node(first).parent();
    let new_id = |id: NodeId| match id < last {
        true => id,
        false => NodeId::from_len(id.index() - removed),
    };
    let rows = (0..first.index()).chain(last.index()..tree.len());
    let nodes = rows.map(|row| {
        let node = &tree.nodes()[row];
        let parent = match row == last.index() {
            true => above,
            false => node.parent.map(new_id),
        };
        node.below(parent)
    });
    let nodes = nodes.collect();
    tree.with_nodes(nodes)
}
