//! From samples to call trees.
//!
//! The work is proportional to the samples, the stacks that they are in and the resulting nodes. A session has more of each
//! than fit into any cache, where every look at something far away waits for the memory, so each pass goes through its table
//! from one end to the other and looks aside only at what is near. For each thread:
//! 1. *Sums*: what its samples amount to, by stack ([`Sums`]).
//! 2. *Stacks*: those that were met, which are known from the innermost outwards. Rows of the table of stacks are in topological
//!    order, so that going backwards meets every stack before its caller.
//! 3. *Nodes*: going forwards, the node of a stack is below that of its caller. Stacks that differ in lines only are one call
//!    path, so it may be there already ([`Siblings`]).

use std::hash::RandomState;
use std::num::NonZeroU32;

use crate::analysis::Shares;
use crate::siblings::{Family, Siblings};
use crate::tables::NONE_U32;
use crate::tree::by_thread::{self, ByThread};
use crate::tree::draft::Draft;
use crate::tree::layout::Order;
use crate::tree::sums::Sums;
use crate::tree::used::Spent;
use crate::tree::{ClassTime, Context, FrameTree, Node, NodeKind, Scope, Synthetic, TreeOptions};
use crate::{Attribution, FunctionId, NodeId, Session, StackId, ThreadId};

/// The most nodes that a tree has: about 1 GB of them. A file of a few megabytes can ask for any number
/// (many threads, each at the bottom of the same deep stack), a real program stays far below.
pub(super) const MAX_NODES: usize = 1 << 24;

/// See [`FrameTree::build_with`].
pub(super) fn build(
    session: &Session,
    options: &TreeOptions,
    attribution: Option<&Attribution>,
    max_nodes: usize,
) -> FrameTree {
    let context = Context::of(session);
    let stacks = session.stacks();
    let mut builder = Builder {
        session,
        sums: Sums::new(
            stacks.len(),
            options.self_nodes,
            options.resources || options.states,
        ),
        node_of_stack: vec![NodeId::from_raw(0); stacks.len()],
        cut: Vec::new(),
        siblings: Siblings::default(),
        draft: Draft::new(),
        own: Vec::new(),
        context: &context,
        options,
        shares: attribution.map(Attribution::shares),
        max_nodes,
    };
    let samples = ByThread::of(session.samples(), session.threads().len());
    for thread in by_thread::in_order(session) {
        builder.add_thread(thread, samples.rows(thread));
    }
    let draft = builder.finish();
    let order = match options.scope {
        Scope::Thread => Order::Size,
        Scope::Session => Order::SizeOfRootsToo,
    };
    draft.finish(order, options.scope, context)
}

struct Builder<'a> {
    session: &'a Session,
    sums: Sums,
    /// Of the thread at hand; of a stack that is cut, the node that takes its time.
    node_of_stack: Vec<NodeId>,
    /// Stacks of the thread that have no node, since the tree is full. Without rows until it is.
    cut: Vec<bool>,
    /// The nodes of the thread.
    siblings: Siblings<RandomState>,
    draft: Draft,
    /// For each node, what ended in it, where that gets a node of its own.
    own: Vec<Own>,
    context: &'a Context,
    options: &'a TreeOptions,
    shares: Option<Shares<'a>>,
    max_nodes: usize,
}

/// The samples whose innermost frame a node was.
#[derive(Clone, Copy, Default)]
struct Own {
    count: u32,
    first_seen: u32,
}

impl Builder<'_> {
    fn add_thread(&mut self, thread: ThreadId, rows: impl Iterator<Item = u32>) {
        let mut rows = rows.peekable();
        let first_row = rows.peek().copied().unwrap_or(0);
        let root = NodeId::from_raw(0);
        let is_root = self.options.scope == Scope::Session && self.context.is_anonymous(thread);
        let root = match is_root {
            true => root,
            false => self
                .draft
                .push(NodeKind::Thread(thread), root, 0, first_row),
        };
        self.add_samples(root, rows);
        let stacks = self.session.stacks();
        let met = self.sums.meet(stacks);
        self.add_nodes(root, &met);
        if stacks.has_classes() {
            self.add_classes(&met);
        }
        self.sums.clear(&met);
    }

    fn add_samples(&mut self, root: NodeId, rows: impl Iterator<Item = u32>) {
        let samples = self.session.samples();
        let durations = samples.durations_ns();
        let is_asked = self.options.resources || self.options.states;
        for row in rows {
            let (index, time_ns) = (row as usize, durations[row as usize]);
            let used = match is_asked {
                true => Spent::of(&samples.row(index), self.shares.as_mut(), self.options),
                false => Spent::default(),
            };
            if let Some(stack) = samples.stack(index) {
                self.sums.add(stack, row, time_ns);
                self.sums.add_used(stack, used);
            } else {
                let node = self.draft.node_mut(root);
                node.self_time_ns += time_ns;
                node.sample_count += 1;
                node.add_own_spent(used);
                self.count_own(root, 1, row);
            }
        }
    }

    /// Gives the stacks of a thread their nodes, and these what the samples amount to.
    fn add_nodes(&mut self, root: NodeId, met: &[StackId]) {
        self.siblings.clear();
        self.draft.reserve(met.len().min(self.max_nodes));
        let first = self.draft.len();
        for &stack in met {
            let sum = self.sums.of(stack);
            let used = self.sums.take_used(stack);
            let id = self.node_of_stack(root, first, stack, sum.first_seen);
            self.node_of_stack[stack.index()] = id;
            let is_cut = self.is_cut(stack);
            let node = self.draft.node_mut(id);
            node.sample_count += sum.count;
            if is_cut {
                node.add_absorbed(sum.time_ns, used);
                continue;
            }
            node.self_time_ns += sum.time_ns;
            node.add_own_spent(used);
            if let Some(first_seen) = self.sums.first_ended(stack) {
                self.count_own(id, sum.count, first_seen);
            }
        }
        if !self.cut.is_empty() {
            met.iter().for_each(|stack| self.cut[stack.index()] = false);
        }
    }

    /// The node of a stack whose caller has one, known or new. Where there is no room for it, it is the caller's, and the
    /// stack is cut. `first` is the first node of the thread.
    fn node_of_stack(
        &mut self,
        root: NodeId,
        first: usize,
        stack: StackId,
        first_seen: u32,
    ) -> NodeId {
        let stacks = self.session.stacks();
        let caller = stacks.parent(stack);
        let above = caller.map_or(root, |caller| self.node_of_stack[caller.index()]);
        let is_below_cut = caller.is_some_and(|caller| self.is_cut(caller));
        let (function, line) = stacks.function_and_line(stack);
        let identity = self.context.identity(function);
        let branch = Branch::new(&self.draft, first);
        let parent = branch.row(above);
        let known = self.siblings.find(&branch, parent, identity.as_u32());
        let id = match known.filter(|_| !is_below_cut) {
            Some(row) => NodeId::from_len(first + row as usize),
            None if is_below_cut || self.draft.len() >= self.max_nodes => {
                self.cut.resize(stacks.len(), false);
                self.cut[stack.index()] = true;
                return above;
            }
            None => {
                let kind = NodeKind::Function(identity);
                let id = self.draft.push(kind, above, line, first_seen);
                self.siblings.push(&Branch::new(&self.draft, first));
                id
            }
        };
        let node = self.draft.node_mut(id);
        node.hidden |= self.context.is_hidden(function);
        if first_seen < node.first_seen {
            node.first_seen = first_seen;
            node.line = NonZeroU32::new(line);
        }
        id
    }

    fn is_cut(&self, stack: StackId) -> bool {
        self.cut.get(stack.index()).is_some_and(|is_cut| *is_cut)
    }

    /// Tells the nodes of a thread for how long they ran as methods of which classes. What is called belongs to its caller's
    /// time, so it goes first.
    fn add_classes(&mut self, met: &[StackId]) {
        let stacks = self.session.stacks();
        for &stack in met.iter().rev() {
            let sum = self.sums.of(stack);
            self.sums.add_to_caller(stacks, stack);
            if let Some(class) = stacks.class(stack).filter(|_| !self.is_cut(stack)) {
                let node = self.draft.node_mut(self.node_of_stack[stack.index()]);
                node.add_class(ClassTime {
                    class,
                    first_seen: sum.first_seen,
                    time_ns: sum.time_ns,
                });
            }
        }
    }

    fn count_own(&mut self, id: NodeId, count: u32, first_seen: u32) {
        if self.options.self_nodes {
            self.own.resize(self.draft.len(), Own::default());
            let own = &mut self.own[id.index()];
            own.first_seen = match own.count {
                0 => first_seen,
                _ => own.first_seen.min(first_seen),
            };
            own.count += count;
        }
    }

    /// What was built. All else goes, since its memory is wanted for the layout.
    fn finish(mut self) -> Draft {
        self.add_self_nodes();
        self.draft
    }

    /// Moves what ended in each node to a node of its own.
    fn add_self_nodes(&mut self) {
        for (row, own) in std::mem::take(&mut self.own).into_iter().enumerate() {
            let id = NodeId::from_len(row);
            let is_full = self.draft.len() >= self.max_nodes;
            if own.count == 0 || is_full || is_leaf(self.context, self.draft.node(id).kind) {
                continue;
            }
            let node = self.draft.node_mut(id);
            let nanos = std::mem::take(&mut node.self_time_ns);
            node.sample_count -= own.count;
            let used = node.take_own_spent();
            let own_id = self.draft.push(NodeKind::SelfTime, id, 0, own.first_seen);
            let own_node = self.draft.node_mut(own_id);
            own_node.self_time_ns = nanos;
            own_node.sample_count = own.count;
            own_node.add_own_spent(used);
        }
    }
}

/// The nodes of a thread's functions, which are the last of the draft.
struct Branch<'a> {
    draft: &'a Draft,
    first: usize,
}

impl<'a> Branch<'a> {
    fn new(draft: &'a Draft, first: usize) -> Self {
        Self { draft, first }
    }

    /// The row of a node among them.
    fn row(&self, id: NodeId) -> Option<u32> {
        let row = id.index().checked_sub(self.first);
        row.map(|row| row as u32)
    }

    fn node(&self, row: u32) -> &Node {
        self.draft.node(NodeId::from_len(self.first + row as usize))
    }
}

impl Family for Branch<'_> {
    fn parent(&self, row: u32) -> Option<u32> {
        self.node(row).parent.and_then(|parent| self.row(parent))
    }

    fn key(&self, row: u32) -> u32 {
        let function = self.node(row).function();
        function.map_or(NONE_U32, FunctionId::as_u32)
    }
}

/// Whether all time of a node is its own, so that it needs no other node for it.
pub(super) fn is_leaf(context: &Context, kind: NodeKind) -> bool {
    match kind {
        NodeKind::SelfTime => true,
        NodeKind::Root | NodeKind::Thread(_) => false,
        NodeKind::Function(function) => context
            .synthetic(function)
            .is_some_and(|synthetic| synthetic != Synthetic::Root),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Function, Host, Manifest, NewSample, SessionBuilder, ThreadState, Timestamp};

    /// Two threads, both 10 calls deep, 1 ns a sample.
    fn deep_session() -> Session {
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(Host::default());
        let process = builder.add_process(host, 1, None);
        let function = Function {
            name: "f",
            qualname: None,
            file: "f.py",
            first_line: 1,
            hidden: false,
        };
        let function = builder.intern_function(&function);
        let stack = builder.intern_stack_frames((0..10).map(|line| (function, line)));
        for native_id in 0..2 {
            let thread = builder.add_thread(process, native_id, None);
            builder.push_sample(NewSample {
                time: Timestamp::from_nanos(1),
                duration: Duration::from_nanos(1),
                thread,
                task: None,
                state: ThreadState::NONE,
                stack,
            });
        }
        builder.finish(Manifest::default())
    }

    #[test]
    fn a_full_tree_absorbs_the_rest() {
        let session = deep_session();
        let options = TreeOptions::default();
        let whole = build(&session, &options, None, usize::MAX);
        assert_eq!(whole.len(), 1 + 2 * 11);

        let cut = build(&session, &options, None, 15);
        assert_eq!(cut.len(), 15);
        assert_eq!(cut.total(), whole.total());
        let absorbed: Duration = cut.nodes().iter().map(|node| node.absorbed_time()).sum();
        assert_eq!(absorbed, Duration::from_nanos(1));
    }

    #[test]
    fn an_empty_session_gives_an_empty_tree() {
        let tree = build(
            &SessionBuilder::new().finish(Manifest::default()),
            &TreeOptions::default(),
            None,
            usize::MAX,
        );
        assert!(tree.is_empty() && tree.roots().next().is_none() && tree.walk().next().is_none());
        assert_eq!(tree.total(), Duration::ZERO);
    }
}
