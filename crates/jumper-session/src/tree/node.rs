//! One node of a call tree.

use std::cmp::Reverse;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::tree::used::{Spent, Used};
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
///
/// It fills a line of the cache, and only one: a tree has many millions of them, and what one does with it takes as long as the
/// memory to bring them.
#[derive(Clone, Debug, PartialEq)]
#[repr(align(64))]
pub struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) parent: Option<NodeId>,
    /// One past the last node of the subtree. Before nodes are laid out, where this one will be.
    pub(crate) end: NodeId,
    /// Nodes above this one.
    pub(crate) depth: u32,
    pub(crate) line: Option<NonZeroU32>,
    /// The row of the first sample that was here: what comes first among equals.
    pub(crate) first_seen: u32,
    pub(crate) group: Option<GroupId>,
    /// A session has fewer than 2^32 of them.
    pub(crate) sample_count: u32,
    pub(crate) hidden: bool,
    pub(crate) time_ns: u64,
    pub(crate) self_time_ns: u64,
    rare: Option<Box<Rare>>,
}

/// What most nodes do not have.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rare {
    absorbed_time_ns: u64,
    classes: Vec<ClassTime>,
    used: Used,
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
const MAX_CLASSES: usize = 1024;

impl Node {
    pub(crate) fn new(kind: NodeKind, parent: Option<NodeId>, line: u32, first_seen: u32) -> Self {
        Self {
            kind,
            parent,
            end: NodeId::from_raw(0),
            depth: 0,
            line: NonZeroU32::new(line),
            first_seen,
            group: None,
            sample_count: 0,
            hidden: false,
            time_ns: 0,
            self_time_ns: 0,
            rare: None,
        }
    }

    /// The same node in another place.
    pub(crate) fn below(&self, parent: Option<NodeId>) -> Self {
        Self {
            parent,
            ..self.clone()
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
        self.classes()
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
        Duration::from_nanos(self.absorbed_time_ns())
    }

    /// What was used while this node itself ran, as an estimate ([`Attribution`](crate::Attribution)): what
    /// [`self_time`](Self::self_time) is of time. Nothing in trees without
    /// [`TreeOptions::resources`](crate::TreeOptions::resources); with everything below see
    /// [`FrameTree::resource_totals`](crate::FrameTree::resource_totals).
    pub fn own_resources(&self) -> Resources {
        self.own_spent().resources
    }

    /// What nodes below this one used that were removed from the tree.
    pub fn absorbed_resources(&self) -> Resources {
        self.absorbed_spent().resources
    }

    /// Samples of this node and everything below it, removed nodes included.
    pub fn sample_count(&self) -> u64 {
        self.sample_count.into()
    }

    pub(crate) fn absorbed_time_ns(&self) -> u64 {
        self.rare.as_ref().map_or(0, |rare| rare.absorbed_time_ns)
    }

    /// What was used while this node itself ran.
    pub(crate) fn own_spent(&self) -> Spent {
        let rare = self.rare.as_ref();
        rare.map_or_else(Spent::default, |rare| rare.used.own())
    }

    /// What nodes below this one used that were removed.
    pub(crate) fn absorbed_spent(&self) -> Spent {
        let rare = self.rare.as_ref();
        rare.map_or_else(Spent::default, |rare| rare.used.absorbed())
    }

    fn classes(&self) -> &[ClassTime] {
        self.rare.as_ref().map_or(&[], |rare| &rare.classes)
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Takes in what a node below had that is removed.
    pub(crate) fn add_absorbed(&mut self, time_ns: u64, used: Spent) {
        if time_ns > 0 {
            self.rare().absorbed_time_ns += time_ns;
        }
        if !used.is_nothing() {
            self.rare().used.add_absorbed(used);
        }
    }

    /// Adds to what was used while this node itself ran.
    pub(crate) fn add_own_spent(&mut self, used: Spent) {
        if !used.is_nothing() {
            self.rare().used.add_own(used);
        }
    }

    pub(crate) fn take_own_spent(&mut self) -> Spent {
        let rare = self.rare.as_mut();
        rare.map_or_else(Spent::default, |rare| rare.used.take_own())
    }

    /// Takes in what another node has itself, without what is below it.
    pub(crate) fn add_own_of(&mut self, other: &Self) {
        self.self_time_ns += other.self_time_ns;
        if let Some(rare) = &other.rare {
            self.add_absorbed(rare.absorbed_time_ns, rare.used.absorbed());
            self.add_own_spent(rare.used.own());
        }
    }

    /// Counts time as one class's. One class more than [`MAX_CLASSES`] is not counted.
    pub(crate) fn add_class(&mut self, time: ClassTime) {
        let classes = &mut self.rare().classes;
        let is_full = classes.len() >= MAX_CLASSES;
        let mut known = classes.iter_mut();
        match known.find(|known| known.class == time.class) {
            Some(known) => {
                known.time_ns += time.time_ns;
                known.first_seen = known.first_seen.min(time.first_seen);
            }
            None if is_full => {}
            None => classes.push(time),
        }
    }

    /// Takes in all that another node has, except its place in the tree.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.first_seen = self.first_seen.min(other.first_seen);
        self.hidden |= other.hidden;
        self.time_ns += other.time_ns;
        self.sample_count += other.sample_count;
        self.add_own_of(other);
        for time in other.classes() {
            self.add_class(*time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_as_large_as_a_line_of_the_cache() {
        assert_eq!(size_of::<Node>(), 64);
    }
}
