//! Puts together what libraries do among themselves.

use crate::processors::ProcessorOptions;
use crate::tree::{FrameTree, Node, NodeKind};
use crate::{GroupId, NodeId};

/// Puts functions of libraries that call each other into groups, so that a report can show each as one line.
///
/// A library is what is not [application code](FrameTree::application_code), unless `options.show_regex` matches the
/// path of its file; and whatever `options.hide_regex` matches and `show_regex` does not. A group has at least two nodes,
/// each called by another of them.
pub fn group_library_frames(tree: FrameTree, options: &ProcessorOptions) -> FrameTree {
    let is_library = library_nodes(&tree, options);
    let mut calls_library = vec![false; tree.len()];
    for (row, node) in tree.nodes().iter().enumerate() {
        if let Some(parent) = node.parent {
            calls_library[parent.index()] |= is_library[row];
        }
    }
    let mut nodes: Vec<Node> = tree.nodes().to_vec();
    let mut groups = 0;
    for row in 0..nodes.len() {
        let of_caller = nodes[row]
            .parent
            .and_then(|parent| nodes[parent.index()].group);
        nodes[row].group = match of_caller {
            _ if !is_library[row] || tree.is_top(NodeId::from_len(row)) => None,
            Some(group) => Some(group),
            None => calls_library[row].then(|| {
                groups += 1;
                GroupId::from_len(groups - 1)
            }),
        };
    }
    tree.with_nodes(nodes)
}

/// For each node whether it counts as a library's.
fn library_nodes(tree: &FrameTree, options: &ProcessorOptions) -> Vec<bool> {
    let matches = |file: &str| {
        let [show, hide] = [&options.show_regex, &options.hide_regex].map(|pattern| {
            let pattern = pattern.as_ref();
            pattern.is_some_and(|pattern| pattern.is_match(file))
        });
        match (show, hide) {
            (true, _) => Some(false),
            (false, true) => Some(true),
            (false, false) => None,
        }
    };
    let functions: Vec<Option<bool>> = tree
        .context()
        .functions()
        .map(|function| matches(function.file))
        .collect();
    let thread = matches("<thread>");
    let none = matches("");
    let is_application = tree.application_code();
    let nodes = tree.nodes().iter().zip(is_application);
    nodes
        .map(|(node, is_application)| {
            let told = match node.kind {
                NodeKind::Function(function) => functions[function.index()],
                NodeKind::Thread(_) => thread,
                NodeKind::Root | NodeKind::SelfTime => none,
            };
            told.unwrap_or(!is_application)
        })
        .collect()
}
