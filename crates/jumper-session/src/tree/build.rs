//! From samples to call trees.
//!
//! The work is proportional to the stacks, the samples and the resulting nodes, in three passes over
//! flat columns:
//! 1. *Paths*: stacks that differ in lines only are one call path. Stacks are in topological order, so one
//!    forward pass finds every stack's path from its parent's.
//! 2. *Grouping*: a counting sort brings each thread's samples together without reordering them.
//! 3. *Nodes and attributes*: thread by thread, a sample's path leads to its node through a table that is reused. Only the
//!    first sample on a path walks up, and only as far as the first ancestor that has a node. Where stacks have classes, the
//!    time of each stack is added up in the same way, from the innermost outwards, and each node takes the class with the
//!    most.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::analysis::Shares;
use crate::tables::{NONE_U32, Sample, SampleTable, StackTable};
use crate::tree::draft::{Draft, Order};
use crate::tree::{
    ClassTime, Context, FrameTree, MAX_CLASSES, NodeKind, Scope, Synthetic, TreeOptions,
};
use crate::{Attribution, FunctionId, NodeId, Session, StackId, StringId, ThreadId, Timestamp};

/// The most nodes that a tree has: about 3 GB of them. A file of a few megabytes can ask for any number
/// (many threads, each at the bottom of the same deep stack), a real program stays far below.
pub(super) const MAX_NODES: usize = 1 << 25;

/// See [`FrameTree::build_with`].
pub(super) fn build(
    session: &Session,
    options: &TreeOptions,
    attribution: Option<&Attribution>,
    max_nodes: usize,
) -> FrameTree {
    let context = Context::of(session);
    let paths = call_paths(session.stacks(), &context);
    let groups = group_by_thread(session.samples(), session.threads().len());
    let mut builder = Builder {
        stacks: session.stacks(),
        attributes: Attributes::of(session, &context),
        node_of_path: vec![None; paths.count],
        touched: Vec::new(),
        chain: Vec::new(),
        draft: Draft::new(),
        own: Vec::new(),
        context: &context,
        options,
        shares: attribution.map(Attribution::shares),
        paths,
        max_nodes,
    };
    for thread in thread_order(session, &groups) {
        let rows = groups.of(thread).iter();
        builder.add_thread(
            thread,
            rows.map(|row| (*row, session.samples().row(*row as usize))),
        );
    }
    builder.add_self_nodes();
    let order = match options.scope {
        Scope::Thread => Order::Size,
        Scope::Session => Order::SizeOfRootsToo,
    };
    let draft = builder.draft;
    draft.finish(order, options.scope, context)
}

/// Which call path each stack is on.
struct CallPaths {
    of_stack: Vec<u32>,
    count: usize,
}

fn call_paths(stacks: &StackTable, context: &Context) -> CallPaths {
    // Rows of the two columns of paths, found by what is in them. The standard hasher: the rows may come from a file that was
    // made to collide.
    let hasher = RandomState::new();
    let mut known: HashTable<u32> = HashTable::with_capacity(stacks.len());
    let (mut parents, mut functions): (Vec<u32>, Vec<FunctionId>) = (Vec::new(), Vec::new());
    let mut of_stack: Vec<u32> = Vec::with_capacity(stacks.len());
    for row in 0..stacks.len() {
        let stack = StackId::from_len(row);
        let parent = stacks.parent(stack);
        let parent = parent.map_or(NONE_U32, |parent| of_stack[parent.index()]);
        let function = context.identity(stacks.function(stack));
        let hash = |parent: u32, function: FunctionId| {
            hasher.hash_one(u64::from(parent) << 32 | u64::from(function.as_u32()))
        };
        let is_it = |&path: &u32| {
            let path = path as usize;
            parents[path] == parent && functions[path] == function
        };
        let path = match known.find(hash(parent, function), is_it) {
            Some(&path) => path,
            None => {
                let path = parents.len() as u32;
                parents.push(parent);
                functions.push(function);
                let hash_of = |&path: &u32| hash(parents[path as usize], functions[path as usize]);
                known.insert_unique(hash_of(&path), path, hash_of);
                path
            }
        };
        of_stack.push(path);
    }
    CallPaths {
        of_stack,
        count: parents.len(),
    }
}

/// The rows of the samples, thread by thread.
pub(super) struct Groups {
    rows: Vec<u32>,
    starts: Vec<usize>,
}

impl Groups {
    pub(super) fn of(&self, thread: ThreadId) -> &[u32] {
        &self.rows[self.starts[thread.index()]..self.starts[thread.index() + 1]]
    }
}

pub(super) fn group_by_thread(samples: &SampleTable, threads: usize) -> Groups {
    let mut starts = vec![0_usize; threads + 1];
    for thread in samples.threads() {
        starts[thread.index() + 1] += 1;
    }
    for thread in 1..starts.len() {
        starts[thread] += starts[thread - 1];
    }
    let mut next = starts.clone();
    let mut rows = vec![0_u32; samples.len()];
    for (row, thread) in samples.threads().iter().enumerate() {
        let slot = &mut next[thread.index()];
        rows[*slot] = u32::try_from(row).expect("bug: more than 2^32 samples");
        *slot += 1;
    }
    Groups { rows, starts }
}

/// Threads that have samples, by process, first sample and number.
pub(super) fn thread_order(session: &Session, groups: &Groups) -> Vec<ThreadId> {
    let first_time = |thread: ThreadId| -> Option<Timestamp> {
        groups
            .of(thread)
            .iter()
            .map(|row| session.samples().times()[*row as usize])
            .min()
    };
    let mut order: Vec<_> = session
        .threads()
        .iter()
        .filter_map(|(id, thread)| Some((thread.process, first_time(id)?, id)))
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, _, thread)| thread).collect()
}

struct Builder<'a> {
    stacks: &'a StackTable,
    attributes: Option<Attributes>,
    paths: CallPaths,
    /// The node of each call path in the thread at hand.
    node_of_path: Vec<Option<NodeId>>,
    /// The paths that have a node, so that clearing costs no more than filling did.
    touched: Vec<u32>,
    /// Scratch: stacks that still need a node, innermost first.
    chain: Vec<StackId>,
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
    count: u64,
    first_seen: u32,
}

impl Builder<'_> {
    fn add_thread(&mut self, thread: ThreadId, samples: impl Iterator<Item = (u32, Sample)>) {
        let mut samples = samples.peekable();
        let first_row = samples.peek().map_or(0, |(row, _)| *row);
        let root = NodeId::from_raw(0);
        let is_root = self.options.scope == Scope::Session && self.context.is_anonymous(thread);
        let root = match is_root {
            true => root,
            false => self
                .draft
                .push(NodeKind::Thread(thread), root, 0, first_row),
        };
        for (row, sample) in samples {
            self.add_sample(root, row, sample);
        }
        self.give_attributes();
        for path in self.touched.drain(..) {
            self.node_of_path[path as usize] = None;
        }
    }

    fn add_sample(&mut self, root: NodeId, row: u32, sample: Sample) {
        let (id, is_whole) = match sample.stack {
            Some(stack) => self.node_of_stack(root, stack, row),
            None => (root, true),
        };
        let nanos = crate::time::column_nanos(sample.duration);
        if let (Some(attributes), Some(stack)) = (&mut self.attributes, sample.stack) {
            attributes.add(self.stacks, stack, nanos, row);
        }
        let node = self.draft.node_mut(id);
        node.sample_count += 1;
        let share = self.shares.as_mut().map(|shares| shares.next(&sample));
        let share = share.unwrap_or_default();
        if !is_whole {
            node.absorbed_time_ns += nanos;
            node.used.add_absorbed(share);
            return;
        }
        node.self_time_ns += nanos;
        node.used.add_own(share);
        if self.options.self_nodes {
            self.own.resize(self.draft.len(), Own::default());
            let own = &mut self.own[id.index()];
            if own.count == 0 {
                own.first_seen = row;
            }
            own.count += 1;
        }
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
            let used = node.used.take_own();
            let own_id = self.draft.push(NodeKind::SelfTime, id, 0, own.first_seen);
            let own_node = self.draft.node_mut(own_id);
            own_node.self_time_ns = nanos;
            own_node.sample_count = own.count;
            own_node.used.add_own(used);
        }
    }

    /// Gives the nodes of the thread their classes, and says which of them are hidden.
    fn give_attributes(&mut self) {
        let Some(attributes) = &mut self.attributes else {
            return;
        };
        let mut times: HashMap<(NodeId, StringId), ClassTime> = HashMap::new();
        for (stack, first_seen, time_ns) in attributes.take(self.stacks) {
            let path = self.paths.of_stack[stack.index()];
            let Some(node) = self.node_of_path[path as usize] else {
                continue;
            };
            self.draft.node_mut(node).hidden |= attributes.is_hidden(self.stacks, stack);
            if let Some(class) = self.stacks.class(stack) {
                let known = times.entry((node, class)).or_insert(ClassTime {
                    class,
                    first_seen,
                    time_ns: 0,
                });
                known.first_seen = known.first_seen.min(first_seen);
                known.time_ns += time_ns;
            }
        }
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable_by_key(|((node, _), time)| (*node, time.first_seen));
        for ((node, _), time) in times {
            let classes = &mut self.draft.node_mut(node).classes;
            if classes.len() < MAX_CLASSES {
                classes.push(time);
            }
        }
    }

    /// The node of a stack's path, or of its nearest ancestor when the tree is full, and which of the two
    /// it is.
    fn node_of_stack(&mut self, root: NodeId, stack: StackId, sample: u32) -> (NodeId, bool) {
        let mut node = self.collect_missing(root, stack);
        while let Some(stack) = self.chain.pop() {
            if self.draft.len() >= self.max_nodes {
                self.chain.clear();
                return (node, false);
            }
            let row = self.stacks.get(stack);
            let function = self.context.identity(row.function);
            let kind = NodeKind::Function(function);
            node = self.draft.push(kind, node, row.line, sample);
            self.draft.node_mut(node).hidden = self.context.function(row.function).hidden;
            let path = self.paths.of_stack[stack.index()];
            self.node_of_path[path as usize] = Some(node);
            self.touched.push(path);
        }
        (node, true)
    }

    /// Fills `chain` with the stacks from `stack` outwards that have no node, and returns the node of
    /// the first that has one.
    fn collect_missing(&mut self, root: NodeId, stack: StackId) -> NodeId {
        let mut next = Some(stack);
        while let Some(stack) = next {
            let path = self.paths.of_stack[stack.index()];
            if let Some(node) = self.node_of_path[path as usize] {
                return node;
            }
            self.chain.push(stack);
            next = self.stacks.parent(stack);
        }
        root
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

/// The time of each stack in the thread at hand, with all that it called: for what stacks of one path differ in.
struct Attributes {
    time_of_stack: Vec<u64>,
    /// Whether a stack is among `met`.
    is_met: Vec<bool>,
    /// With the row of the first sample.
    met: Vec<(StackId, u32)>,
    /// Which functions are hidden, where those of one path can differ in it.
    hidden: Vec<bool>,
}

impl Attributes {
    /// `None` where no stack has a class, and whether a function is hidden is the same everywhere.
    fn of(session: &Session, context: &Context) -> Option<Self> {
        let stacks = session.stacks();
        let has_doubles = context.has_doubles();
        let is_needed = has_doubles || stacks.has_classes();
        is_needed.then(|| Self {
            time_of_stack: vec![0; stacks.len()],
            is_met: vec![false; stacks.len()],
            met: Vec::new(),
            hidden: match has_doubles {
                true => context.functions().map(|known| known.hidden).collect(),
                false => Vec::new(),
            },
        })
    }

    fn is_hidden(&self, stacks: &StackTable, stack: StackId) -> bool {
        let function = stacks.function(stack);
        self.hidden
            .get(function.index())
            .is_some_and(|hidden| *hidden)
    }

    fn add(&mut self, stacks: &StackTable, stack: StackId, nanos: u64, row: u32) {
        self.time_of_stack[stack.index()] += nanos;
        let mut next = Some(stack);
        while let Some(stack) = next.filter(|stack| !self.is_met[stack.index()]) {
            self.is_met[stack.index()] = true;
            self.met.push((stack, row));
            next = stacks.parent(stack);
        }
    }

    /// The stacks of the thread with the rows of their first samples and their times, and an empty slate for the next
    /// thread.
    fn take(&mut self, stacks: &StackTable) -> Vec<(StackId, u32, u64)> {
        let mut met = std::mem::take(&mut self.met);
        // A parent has a smaller number than its children.
        met.sort_unstable_by_key(|&(stack, _)| Reverse(stack));
        let take = |(stack, row): (StackId, u32)| {
            let nanos = std::mem::take(&mut self.time_of_stack[stack.index()]);
            self.is_met[stack.index()] = false;
            if let Some(parent) = stacks.parent(stack) {
                self.time_of_stack[parent.index()] += nanos;
            }
            (stack, row, nanos)
        };
        met.into_iter().map(take).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Function, Host, Manifest, NewSample, SessionBuilder, ThreadState};

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
