//! One node of a call tree.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::{FunctionId, NodeId, StringId, ThreadId};

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// Everything: the node above the threads.
    Root,
    /// A thread: the root of its tree.
    Thread(ThreadId),
    /// A function, called along the path that leads here.
    Function(FunctionId),
}

/// A node of a [`FrameTree`](crate::FrameTree).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) parent: Option<NodeId>,
    /// One past the last node of the subtree.
    pub(crate) end: NodeId,
    /// Nodes above this one.
    pub(crate) depth: u32,
    pub(crate) line: Option<NonZeroU32>,
    pub(crate) class: Option<StringId>,
    pub(crate) time_ns: u64,
    pub(crate) self_time_ns: u64,
    pub(crate) absorbed_time_ns: u64,
    pub(crate) sample_count: u64,
}

impl Node {
    pub(crate) fn new(kind: NodeKind, parent: Option<NodeId>, line: u32) -> Self {
        Self {
            kind,
            parent,
            end: NodeId::from_raw(0),
            depth: 0,
            line: NonZeroU32::new(line),
            class: None,
            time_ns: 0,
            self_time_ns: 0,
            absorbed_time_ns: 0,
            sample_count: 0,
        }
    }

    /// What the node stands for.
    pub fn kind(&self) -> NodeKind {
        self.kind
    }

    /// The function, if the node stands for one.
    pub fn function(&self) -> Option<FunctionId> {
        match self.kind {
            NodeKind::Function(function) => Some(function),
            NodeKind::Root | NodeKind::Thread(_) => None,
        }
    }

    /// The node above; `None` for the common root.
    pub fn parent(&self) -> Option<NodeId> {
        self.parent
    }

    /// The line that the function was at when it was first seen here, counted from 1, where it is known.
    /// Later samples of the same node may have been at others.
    pub fn line(&self) -> Option<u32> {
        self.line.map(NonZeroU32::get)
    }

    /// The class whose method the function ran as for most of the time, of those that are known.
    pub fn class(&self) -> Option<StringId> {
        self.class
    }

    /// Wall time of this node and everything below it.
    pub fn time(&self) -> Duration {
        Duration::from_nanos(self.time_ns)
    }

    /// Wall time of this node itself: samples whose innermost frame it was.
    pub fn self_time(&self) -> Duration {
        Duration::from_nanos(self.self_time_ns)
    }

    /// Wall time of nodes below this one that were removed from the tree.
    pub fn absorbed_time(&self) -> Duration {
        Duration::from_nanos(self.absorbed_time_ns)
    }

    /// Samples of this node and everything below it, removed nodes included.
    pub fn sample_count(&self) -> u64 {
        self.sample_count
    }
}
