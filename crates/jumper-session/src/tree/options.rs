//! What can be chosen about a tree.

/// How a tree is built; see [`FrameTree::build_with`](crate::FrameTree::build_with).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeOptions {
    /// Keeps calls in the order of time: equal calls are one node only where nothing was seen between them. Otherwise
    /// all calls along the same path are one node, the largest first.
    pub timeline: bool,
    /// Gives what a function did itself a child of its own, [`NodeKind::SelfTime`](crate::NodeKind::SelfTime), which
    /// takes its place among the calls. Otherwise it is [`self_time`](crate::Node::self_time) of the function only.
    pub self_nodes: bool,
    /// What is looked at as a whole.
    pub scope: Scope,
    /// Gives every node what it used besides time, as an estimate ([`Attribution`](crate::Attribution)).
    pub resources: bool,
    /// Adds up for every node how long its thread was in the [states](crate::ThreadState) that are known of it
    /// ([`FrameTree::state_times`](crate::FrameTree::state_times)).
    pub states: bool,
}

/// What is looked at as a whole: what shares refer to, and what no processor takes away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Each thread for itself.
    #[default]
    Thread,
    /// The session, as in pyinstrument: if all of it is below one frame, that frame is the whole, and if not, there is a
    /// frame `[root]` above. A thread is a frame like others. Frames of no known thread have no thread above them.
    Session,
}
