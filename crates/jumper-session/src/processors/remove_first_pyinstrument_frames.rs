//! Leaves out the profiler that ran the program.

use crate::NodeId;
use crate::processors::ProcessorOptions;
use crate::tree::{FrameTree, Node, NodeKind};

/// The main modules of profilers that run a program inside themselves.
const LAUNCHERS: [&str; 4] = [
    "pyinstrument/__main__.py",
    "pyinstrument\\__main__.py",
    "jumper/__main__.py",
    "jumper\\__main__.py",
];

/// The share of its caller's time that a frame must have for the caller to be nothing but a way to it.
const MAIN_SHARE: f64 = 0.8;

/// Removes the frames with which a profiler that was used as a command starts the program, and those of `runpy` with
/// which Python does. What else they did is absorbed.
pub fn remove_first_pyinstrument_frames(tree: FrameTree, _options: &ProcessorOptions) -> FrameTree {
    let tops: Vec<NodeId> = tree.tops().collect();
    // From the last to the first, so that the rows of the others stay what they are.
    tops.into_iter().rev().fold(tree, |tree, top| {
        let found = first_frame(&tree, top)
            .and_then(|first| Some((first, first_of_program(&tree, first)?)));
        match found {
            Some((first, program)) => keep_only(tree, first, program),
            None => tree,
        }
    })
}

/// The outermost frame of what is the whole.
fn first_frame(tree: &FrameTree, top: NodeId) -> Option<NodeId> {
    match tree.node(top).kind() {
        NodeKind::Thread(_) => tree.children(top).next(),
        _ => Some(top),
    }
}

/// The first frame that is the program's, below that of a launcher.
fn first_of_program(tree: &FrameTree, first: NodeId) -> Option<NodeId> {
    let file = |id| {
        let function = tree.node(id).function();
        function.map_or("", |id| tree.function(id).file)
    };
    let is_main = |id: NodeId| {
        let caller = tree.node(id).parent().map(|caller| tree.node(caller));
        let share = caller.map_or(1.0, |caller| {
            tree.node(id).time_ns as f64 / caller.time_ns as f64
        });
        share > MAIN_SHARE
    };
    let below = |id| tree.children(id).next();
    let is_launcher = LAUNCHERS.iter().any(|name| file(first).contains(name));
    let exec = below(first).filter(|_| is_launcher)?;
    let is_exec = is_main(exec) && file(exec).contains("<string>");
    let mut program = below(exec).filter(|_| is_exec)?;
    while is_main(program)
        && (file(program).contains("runpy.py") || file(program).contains("<frozen runpy>"))
        && let Some(called) = below(program)
    {
        program = called;
    }
    Some(program)
}

/// Puts the subtree of `inner` into the place of that of `outer`, around it.
fn keep_only(tree: FrameTree, outer: NodeId, inner: NodeId) -> FrameTree {
    let above = tree.node(outer).parent();
    let (outer_node, inner_node) = (tree.node(outer), tree.node(inner));
    let lost_ns = outer_node.time_ns - inner_node.time_ns;
    let around =
        (outer.index()..inner.index()).chain(inner_node.end.index()..outer_node.end.index());
    let lost = tree.used_by(around);
    let rows = (0..outer.index())
        .chain(inner.index()..inner_node.end.index())
        .chain(outer_node.end.index()..tree.len());
    let mut new_ids = vec![tree.root(); tree.len()];
    let mut kept: Vec<Node> = Vec::new();
    for row in rows {
        new_ids[row] = NodeId::from_len(kept.len());
        let node = &tree.nodes()[row];
        let parent = match row == inner.index() {
            true => above,
            false => node.parent,
        };
        kept.push(node.below(parent.map(|parent| new_ids[parent.index()])));
    }
    // What is left out is still part of all time.
    if let Some(above) = above {
        kept[above.index()].add_absorbed(lost_ns, lost);
    }
    tree.with_nodes(kept)
}
