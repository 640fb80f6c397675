//! Call trees: samples added up by call path.

mod build;
mod by_thread;
mod context;
mod draft;
mod edit;
mod groups;
mod layout;
mod node;
mod options;
mod sums;
mod timeline;
mod used;
mod walk;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use context::{Context, Origin, Synthetic};
pub use edit::Replacement;
pub(crate) use node::ClassTime;
pub use node::{Node, NodeKind};
pub use options::{Scope, TreeOptions};
use used::Spent;
pub use used::StateTimes;
pub use walk::{Children, Walk};

use crate::{Attribution, Function, FunctionId, NodeId, Resources, Session};

/// Where the time went, by call path: one tree per thread, under a common root.
///
/// The nodes lie in one arena in pre-order, children by time, the largest first (in a timeline by the time at
/// which they came). A node stores where its subtree ends, so that its first child is the next node and its next
/// sibling is the one at that end: walking is counting up, skipping a subtree is one addition, and dropping a tree of
/// any depth takes no stack.
///
/// Time is conserved: for every node, `time = self_time + absorbed_time + the time of its children`. The
/// passes in this crate that remove nodes move their time into `absorbed_time` of the node above. What else
/// was used is treated in the same way, where a tree was built with it.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameTree {
    nodes: Vec<Node>,
    /// The root of each group.
    group_roots: Vec<NodeId>,
    scope: Scope,
    /// Whether the common root is the whole. A tree keeps what it was built with: roots may be removed later.
    root_is_top: bool,
    context: Arc<Context>,
    attribution: Option<Attribution>,
}

impl FrameTree {
    /// Adds up the samples of a session.
    ///
    /// There is one tree for each thread that has samples, ordered by process and then by the time of the
    /// thread's first sample. Within a thread, frames are one node when they are the same function called
    /// along the same path, whatever line they were at and whose method they ran as. Siblings are ordered by time, the largest first;
    /// equal ones by which was seen first.
    ///
    /// A session whose trees would have more than 2^24 nodes (only made-up ones do) keeps that many: the
    /// time of the rest is in `absorbed_time` of the nodes that are kept.
    pub fn build(session: &Session) -> Self {
        Self::build_with(session, &TreeOptions::default())
    }

    /// Adds up the samples of a session as `options` say; [`build`](Self::build) is this with the default.
    pub fn build_with(session: &Session, options: &TreeOptions) -> Self {
        let attribution = options.resources.then(|| Attribution::of(session));
        let build = match options.timeline {
            false => build::build,
            true => timeline::build,
        };
        let tree = build(session, options, attribution.as_ref(), build::MAX_NODES);
        Self {
            attribution,
            ..tree
        }
    }

    /// What the estimates of a tree with [`TreeOptions::resources`] are from.
    pub fn attribution(&self) -> Option<&Attribution> {
        self.attribution.as_ref()
    }

    /// For each node, what it and all below it used besides time, as an estimate. Nothing in trees without
    /// [`TreeOptions::resources`]; which resources are known at all is said by [`attribution`](Self::attribution).
    pub fn resource_totals(&self) -> Vec<Resources> {
        let totals = self.spent_totals().into_iter();
        totals.map(|spent| spent.resources).collect()
    }

    /// For each node, how much of its time its thread was in a state. Nothing in trees without
    /// [`TreeOptions::states`].
    pub fn state_times(&self) -> Vec<StateTimes> {
        let totals = self.spent_totals().into_iter();
        totals.map(|spent| spent.states()).collect()
    }

    /// For each node, what it and all below it spent.
    fn spent_totals(&self) -> Vec<Spent> {
        let mut totals = vec![Spent::default(); self.nodes.len()];
        for (row, node) in self.nodes.iter().enumerate().rev() {
            totals[row] += node.own_spent();
            totals[row] += node.absorbed_spent();
            if let Some(parent) = node.parent {
                let total = totals[row];
                totals[parent.index()] += total;
            }
        }
        totals
    }

    /// The common root above the threads.
    pub fn root(&self) -> NodeId {
        NodeId::from_raw(0)
    }

    /// The roots of the threads' trees.
    pub fn roots(&self) -> Children<'_> {
        self.children(self.root())
    }

    /// The children of a node, the largest first.
    ///
    /// # Panics
    /// If the handle is of another tree and out of range here.
    pub fn children(&self, id: NodeId) -> Children<'_> {
        Children::new(&self.nodes, id)
    }

    /// A node.
    ///
    /// # Panics
    /// If the handle is of another tree and out of range here.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// All nodes but the common root in pre-order, with their depth: 0 for a thread, 1 for its outermost
    /// frames, and so on.
    pub fn walk(&self) -> Walk<'_> {
        Walk::new(&self.nodes, 1..self.nodes.len(), 1)
    }

    /// A node and everything below it in pre-order, with the depth below that node.
    ///
    /// # Panics
    /// If the handle is of another tree and out of range here.
    pub fn walk_from(&self, id: NodeId) -> Walk<'_> {
        let node = self.node(id);
        Walk::new(&self.nodes, id.index()..node.end.index(), node.depth)
    }

    /// What is looked at as a whole.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The nodes that are the whole, and that every processor leaves in their places: the threads, or in
    /// [`Scope::Session`] the only root, or the common root if there are several.
    pub fn tops(&self) -> impl Iterator<Item = NodeId> + '_ {
        let common = self.root_is_top.then(|| self.root());
        let roots = (!self.root_is_top).then(|| self.roots());
        common.into_iter().chain(roots.into_iter().flatten())
    }

    /// Whether a node is one of the [`tops`](Self::tops), or the root above them.
    pub(crate) fn is_top(&self, id: NodeId) -> bool {
        let parent = self.node(id).parent;
        id == self.root() || (parent == Some(self.root()) && !self.root_is_top)
    }

    /// A function as text.
    ///
    /// # Panics
    /// If the handle is of another session and out of range here.
    pub fn function(&self, id: FunctionId) -> Function<'_> {
        self.context.function(id)
    }

    /// Whether a node stands for no frame of the program: `[self]`, `[await]`, `[out-of-context]`, `[root]`.
    ///
    /// # Panics
    /// If the handle is of another tree and out of range here.
    pub fn is_synthetic(&self, id: NodeId) -> bool {
        match self.node(id).kind {
            NodeKind::Root | NodeKind::SelfTime => true,
            NodeKind::Function(function) => self.context.synthetic(function).is_some(),
            NodeKind::Thread(_) => false,
        }
    }

    /// For each node, whether it is code of the application itself: not inside the recorded prefixes, and not made up
    /// by a library. Code from `exec` and `eval` is its caller's.
    pub fn application_code(&self) -> Vec<bool> {
        let mut application: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for (row, node) in self.nodes.iter().enumerate() {
            let origin = node.function().map(|id| self.context.origin(id));
            let is_application = match (origin, node.parent) {
                (Some(Origin::Application), _) => true,
                (Some(Origin::OfCaller), Some(parent)) => {
                    // Nobody called what is outermost: the user typed it.
                    let is_outermost = self.is_top(NodeId::from_len(row))
                        || matches!(self.node(parent).kind, NodeKind::Thread(_))
                            && self.scope == Scope::Thread;
                    is_outermost || application[parent.index()]
                }
                _ => false,
            };
            application.push(is_application);
        }
        application
    }

    /// For each node, how long it and all below it waited in an `await` of the program: the time of `[await]`.
    pub fn await_times(&self) -> Vec<Duration> {
        let mut times = vec![Duration::ZERO; self.nodes.len()];
        for (row, node) in self.nodes.iter().enumerate().rev() {
            let synthetic = node.function().and_then(|id| self.context.synthetic(id));
            if synthetic == Some(Synthetic::Await) {
                times[row] += node.time();
            }
            if let Some(parent) = node.parent {
                let time = times[row];
                times[parent.index()] += time;
            }
        }
        times
    }

    /// The time of all threads together.
    pub fn total(&self) -> Duration {
        self.nodes[0].time()
    }

    /// How many nodes there are, the common root included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing below the common root.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 1
    }

    /// All nodes in pre-order, the common root first.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// What the nodes of some rows used together.
    pub(crate) fn used_by(&self, rows: impl IntoIterator<Item = usize>) -> Spent {
        let mut sum = Spent::default();
        for row in rows {
            sum += self.nodes[row].own_spent();
            sum += self.nodes[row].absorbed_spent();
        }
        sum
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Makes a tree of other nodes for the same session: in pre-order, with right parents. Subtree ends, depths and
    /// groups are found here.
    pub(crate) fn with_nodes(mut self, mut nodes: Vec<Node>) -> Self {
        let mut has_groups = false;
        for row in 0..nodes.len() {
            has_groups |= nodes[row].group.is_some();
            nodes[row].end = NodeId::from_len(row + 1);
            nodes[row].depth = match nodes[row].parent {
                Some(parent) => nodes[parent.index()].depth + 1,
                None => 0,
            };
        }
        for row in (1..nodes.len()).rev() {
            let end = nodes[row].end;
            let parent = nodes[row].parent.expect("bug: only the root has no parent");
            let parent = &mut nodes[parent.index()];
            parent.end = parent.end.max(end);
        }
        self.group_roots = match has_groups {
            true => Self::find_groups(&mut nodes),
            false => Vec::new(),
        };
        self.nodes = nodes;
        self
    }

    /// Makes a tree of nodes in pre-order whose parents are right.
    fn from_preorder(nodes: Vec<Node>, scope: Scope, context: Arc<Context>) -> Self {
        let tree = Self {
            nodes: Vec::new(),
            group_roots: Vec::new(),
            scope,
            root_is_top: false,
            context,
            attribution: None,
        };
        let tree = tree.with_nodes(nodes);
        let samples = |id| tree.node(id).sample_count;
        let mut roots = tree.roots();
        let is_root_all = match (roots.next(), roots.next()) {
            (None, _) => samples(tree.root()) > 0,
            (Some(only), None) => samples(tree.root()) > samples(only),
            (Some(_), Some(_)) => true,
        };
        Self {
            root_is_top: scope == Scope::Session && is_root_all,
            ..tree
        }
    }
}
