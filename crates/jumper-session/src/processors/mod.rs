//! Passes over call trees: one file each, all with one signature, so that they can be chained.
//!
//! A pass conserves time: the total of a tree stays the same, and what a removed node had is in
//! `absorbed_time` of the node above it.

mod remove_irrelevant_nodes;

pub use remove_irrelevant_nodes::remove_irrelevant_nodes;

use crate::FrameTree;

/// A pass over a call tree.
pub type Processor = fn(FrameTree, &ProcessorOptions) -> FrameTree;

/// What can be chosen about the passes; each reads what concerns it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessorOptions {
    /// The smallest share of its thread's time that a node must have to stay, between 0 and 1. At 0, or
    /// when it is not a number, every node stays.
    pub filter_threshold: f64,
}

impl Default for ProcessorOptions {
    fn default() -> Self {
        Self {
            filter_threshold: 0.01,
        }
    }
}
