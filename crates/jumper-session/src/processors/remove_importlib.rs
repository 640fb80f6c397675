//! Leaves out how Python imports.

use crate::processors::ProcessorOptions;
use crate::tree::{FrameTree, Replacement};

/// How the files of Python's own importer are called: it is compiled into the interpreter.
const IMPORTER: &str = "<frozen importlib._bootstrap";

/// Removes the frames of Python's importer. What they called takes their place.
pub fn remove_importlib(tree: FrameTree, _options: &ProcessorOptions) -> FrameTree {
    let functions = tree.context().functions();
    let is_importer: Vec<bool> = functions
        .map(|known| known.file.contains(IMPORTER))
        .collect();
    if !is_importer.contains(&true) {
        return tree;
    }
    tree.without(Replacement::Children, |tree, id| {
        let function = tree.node(id).function();
        function.is_some_and(|function| is_importer[function.index()])
    })
}
