//! One node of a call tree.

use std::cmp::Reverse;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::tree::used::Used;
use crate::{FunctionId, GroupId, NodeId, Resources, StringId, ThreadId};

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// Everything: the node above the threads.
    Root,
    /// A thread: the root of its tree.
    Thread(ThreadId),
    /// A function, called along the path that leads here.
    Function(FunctionId),
    /// What the function above did itself, in trees with
    /// [`TreeOptions::self_nodes`](crate::TreeOptions::self_nodes). It has no children.
    SelfTime,
}

/// A node of a [`FrameTree`](crate::FrameTree).
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) parent: Option<NodeId>,
    /// One past the last node of the subtree.
    pub(crate) end: NodeId,
    /// Nodes above this one.
    pub(crate) depth: u32,
    pub(crate) line: Option<NonZeroU32>,
    /// The row of the first sample that was here: what comes first among equals.
    pub(crate) first_seen: u32,
    pub(crate) hidden: bool,
    pub(crate) group: Option<GroupId>,
    pub(crate) classes: Vec<ClassTime>,
    pub(crate) time_ns: u64,
    pub(crate) self_time_ns: u64,
    pub(crate) absorbed_time_ns: u64,
    pub(crate) sample_count: u64,
    pub(crate) used: Used,
}

/// For how long a function ran as a method of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClassTime {
    pub(crate) class: StringId,
    /// The row of the first sample in which it did.
    pub(crate) first_seen: u32,
    pub(crate) time_ns: u64,
}

/// The most classes that are told apart at one node: they are searched one by one, and a file may have any number.
pub(crate) const MAX_CLASSES: usize = 1024;

impl Node {
    pub(crate) fn new(kind: NodeKind, parent: Option<NodeId>, line: u32, first_seen: u32) -> Self {
        Self {
            kind,
            parent,
            end: NodeId::from_raw(0),
            depth: 0,
            line: NonZeroU32::new(line),
            first_seen,
            hidden: false,
            group: None,
            classes: Vec::new(),
            time_ns: 0,
            self_time_ns: 0,
            absorbed_time_ns: 0,
            sample_count: 0,
            used: Used::default(),
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
            NodeKind::Root | NodeKind::Thread(_) | NodeKind::SelfTime => None,
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

    /// The class whose method the function ran as for most of the time, of those that are known; of equal ones the
    /// one that was seen first.
    pub fn class(&self) -> Option<StringId> {
        let most = |known: &&ClassTime| (known.time_ns, Reverse(known.first_seen));
        self.classes
            .iter()
            .max_by_key(most)
            .map(|known| known.class)
    }

    /// Whether the function asks to be left out of reports, by a local variable `__tracebackhide__`.
    pub fn is_hidden(&self) -> bool {
        self.hidden
    }

    /// The group that the node is in, after [`group_library_frames`](crate::group_library_frames).
    pub fn group(&self) -> Option<GroupId> {
        self.group
    }

    /// Wall time of this node and everything below it.
    pub fn time(&self) -> Duration {
        Duration::from_nanos(self.time_ns)
    }

    /// Wall time of this node itself: samples whose innermost frame it was. In trees with nodes for that, only what
    /// has none.
    pub fn self_time(&self) -> Duration {
        Duration::from_nanos(self.self_time_ns)
    }

    /// Wall time of nodes below this one that were removed from the tree.
    pub fn absorbed_time(&self) -> Duration {
        Duration::from_nanos(self.absorbed_time_ns)
    }

    /// What was used while this node itself ran, as an estimate ([`Attribution`](crate::Attribution)): what
    /// [`self_time`](Self::self_time) is of time. Nothing in trees without
    /// [`TreeOptions::resources`](crate::TreeOptions::resources); with everything below see
    /// [`FrameTree::resource_totals`](crate::FrameTree::resource_totals).
    pub fn own_resources(&self) -> Resources {
        self.used.own()
    }

    /// What nodes below this one used that were removed from the tree.
    pub fn absorbed_resources(&self) -> Resources {
        self.used.absorbed()
    }

    /// Samples of this node and everything below it, removed nodes included.
    pub fn sample_count(&self) -> u64 {
        self.sample_count
    }

    /// Counts time as one class's. One class more than [`MAX_CLASSES`] is not counted.
    pub(crate) fn add_class(&mut self, time: ClassTime) {
        let is_full = self.classes.len() >= MAX_CLASSES;
        let mut known = self.classes.iter_mut();
        match known.find(|known| known.class == time.class) {
            Some(known) => {
                known.time_ns += time.time_ns;
                known.first_seen = known.first_seen.min(time.first_seen);
            }
            None if is_full => {}
            None => self.classes.push(time),
        }
    }

    /// Takes in all that another node has, except its place in the tree.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.first_seen = self.first_seen.min(other.first_seen);
        self.hidden |= other.hidden;
        self.time_ns += other.time_ns;
        self.self_time_ns += other.self_time_ns;
        self.absorbed_time_ns += other.absorbed_time_ns;
        self.sample_count += other.sample_count;
        self.used += &other.used;
        for time in &other.classes {
            self.add_class(*time);
        }
    }
}
