//! A call tree as a list of functions.

use std::time::Duration;

use crate::tree::NodeKind;
use crate::{FrameTree, FunctionId, Resources};

/// What a function used, wherever it was called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FunctionUse {
    /// The function.
    pub function: FunctionId,
    /// Wall time with it on the stack. That of recursive calls counts once.
    pub time: Duration,
    /// Wall time with it as the innermost frame.
    pub self_time: Duration,
    /// What was used with it on the stack, as far as the tree knows.
    pub total: Resources,
    /// What was used with it as the innermost frame.
    pub own: Resources,
}

impl FrameTree {
    /// What each function of the tree used, in the order in which the tree has them. Resources are those of a tree with
    /// [`TreeOptions::resources`](crate::TreeOptions::resources), and nothing in others.
    pub fn functions(&self) -> Vec<FunctionUse> {
        // A tree may have very many nodes, and most have nothing of the kind.
        let totals = self.attribution().map(|_| self.resource_totals());
        let mut places: Vec<Option<usize>> = vec![None; self.context().functions().count()];
        // For each function the row at which the outermost call of it ends that has begun last.
        let mut ends: Vec<usize> = vec![0; places.len()];
        let mut functions: Vec<FunctionUse> = Vec::new();
        for (row, node) in self.nodes().iter().enumerate() {
            // What a function did itself may have a node of its own.
            let caller = node.parent.map(|parent| &self.nodes()[parent.index()]);
            let function = match node.kind {
                NodeKind::SelfTime => caller.and_then(|caller| caller.function()),
                _ => node.function(),
            };
            let Some(function) = function else {
                continue;
            };
            let place = *places[function.index()].get_or_insert_with(|| {
                functions.push(FunctionUse {
                    function,
                    time: Duration::ZERO,
                    self_time: Duration::ZERO,
                    total: Resources::default(),
                    own: Resources::default(),
                });
                functions.len() - 1
            });
            let found = &mut functions[place];
            found.self_time += node.self_time();
            found.own += node.own_resources();
            if row >= ends[function.index()] {
                ends[function.index()] = node.end.index();
                found.time += node.time();
                if let Some(totals) = &totals {
                    found.total += totals[row];
                }
            }
        }
        functions
    }
}
