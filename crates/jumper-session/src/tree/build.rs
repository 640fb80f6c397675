//! From samples to call trees.
//!
//! The work is proportional to the stacks, the samples and the resulting nodes, in three passes over
//! flat columns:
//! 1. *Paths*: stacks that differ in lines only are one call path. Stacks are in topological order, so one
//!    forward pass finds every stack's path from its parent's.
//! 2. *Grouping*: a counting sort brings each thread's samples together without reordering them.
//! 3. *Nodes and classes*: thread by thread, a sample's path leads to its node through a table that is reused. Only the
//!    first sample on a path walks up, and only as far as the first ancestor that has a node. Where stacks have classes, the
//!    time of each stack is added up in the same way, from the innermost outwards, and each node takes the class with the
//!    most.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::tables::{Sample, SampleTable, StackTable};
use crate::tree::draft::Draft;
use crate::tree::{FrameTree, NodeKind};
use crate::{FunctionId, NodeId, Session, StackId, StringId, ThreadId, Timestamp};

/// The most nodes that a tree has: about 2.5 GB of them. A file of a few megabytes can ask for any number
/// (many threads, each at the bottom of the same deep stack), a real program stays far below.
pub(super) const MAX_NODES: usize = 1 << 25;

/// See [`FrameTree::build`].
pub(super) fn build(session: &Session, max_nodes: usize) -> FrameTree {
    let paths = call_paths(session.stacks());
    let groups = group_by_thread(session.samples(), session.threads().len());
    let mut builder = Builder {
        stacks: session.stacks(),
        classes: Classes::of(session.stacks()),
        node_of_path: vec![None; paths.count],
        touched: Vec::new(),
        chain: Vec::new(),
        draft: Draft::new(),
        paths,
        max_nodes,
    };
    for thread in thread_order(session, &groups) {
        builder.add_thread(
            thread,
            groups
                .of(thread)
                .iter()
                .map(|row| session.samples().get(*row as usize)),
        );
    }
    builder.draft.finish()
}

/// Which call path each stack is on.
struct CallPaths {
    of_stack: Vec<u32>,
    count: usize,
}

fn call_paths(stacks: &StackTable) -> CallPaths {
    // The standard hasher: the rows may come from a file that was made to collide.
    let mut ids: HashMap<(Option<u32>, FunctionId), u32> = HashMap::new();
    let mut of_stack: Vec<u32> = Vec::with_capacity(stacks.len());
    for (_, stack) in stacks.iter() {
        let parent = stack.parent.map(|parent| of_stack[parent.index()]);
        let next = ids.len() as u32;
        of_stack.push(*ids.entry((parent, stack.function)).or_insert(next));
    }
    CallPaths {
        of_stack,
        count: ids.len(),
    }
}

/// The rows of the samples, thread by thread.
struct Groups {
    rows: Vec<u32>,
    starts: Vec<usize>,
}

impl Groups {
    fn of(&self, thread: ThreadId) -> &[u32] {
        &self.rows[self.starts[thread.index()]..self.starts[thread.index() + 1]]
    }
}

fn group_by_thread(samples: &SampleTable, threads: usize) -> Groups {
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
fn thread_order(session: &Session, groups: &Groups) -> Vec<ThreadId> {
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
    classes: Option<Classes>,
    paths: CallPaths,
    /// The node of each call path in the thread at hand.
    node_of_path: Vec<Option<NodeId>>,
    /// The paths that have a node, so that clearing costs no more than filling did.
    touched: Vec<u32>,
    /// Scratch: stacks that still need a node, innermost first.
    chain: Vec<StackId>,
    draft: Draft,
    max_nodes: usize,
}

impl Builder<'_> {
    fn add_thread(&mut self, thread: ThreadId, samples: impl Iterator<Item = Sample>) {
        let root = self
            .draft
            .push(NodeKind::Thread(thread), NodeId::from_raw(0), 0);
        for sample in samples {
            let (id, whole) = match sample.stack {
                Some(stack) => self.node_of_stack(root, stack),
                None => (root, true),
            };
            let nanos = crate::time::column_nanos(sample.duration);
            if let (Some(classes), Some(stack)) = (&mut self.classes, sample.stack) {
                classes.add(self.stacks, stack, nanos);
            }
            let node = self.draft.node_mut(id);
            node.sample_count += 1;
            *(if whole {
                &mut node.self_time_ns
            } else {
                &mut node.absorbed_time_ns
            }) += nanos;
        }
        self.choose_classes();
        for path in self.touched.drain(..) {
            self.node_of_path[path as usize] = None;
        }
    }

    /// Gives each node of the thread the class that it had for the longest.
    fn choose_classes(&mut self) {
        let Some(classes) = &mut self.classes else {
            return;
        };
        let mut times: HashMap<(NodeId, StringId), u64> = HashMap::new();
        for (stack, nanos) in classes.take(self.stacks) {
            let path = self.paths.of_stack[stack.index()];
            let node = self.node_of_path[path as usize];
            if let (Some(node), Some(class)) = (node, self.stacks.class(stack)) {
                *times.entry((node, class)).or_default() += nanos;
            }
        }
        let mut times: Vec<_> = times.into_iter().collect();
        // The largest comes last, of equal ones that which was seen first.
        times.sort_unstable_by_key(|&((node, class), nanos)| (node, nanos, Reverse(class)));
        for ((node, class), _) in times {
            self.draft.node_mut(node).class = Some(class);
        }
    }

    /// The node of a stack's path, or of its nearest ancestor when the tree is full, and which of the two
    /// it is.
    fn node_of_stack(&mut self, root: NodeId, stack: StackId) -> (NodeId, bool) {
        let mut node = self.collect_missing(root, stack);
        while let Some(stack) = self.chain.pop() {
            if self.draft.len() >= self.max_nodes {
                self.chain.clear();
                return (node, false);
            }
            let row = self.stacks.get(stack);
            node = self
                .draft
                .push(NodeKind::Function(row.function), node, row.line);
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
            next = self.stacks.get(stack).parent;
        }
        root
    }
}

/// The time of each stack in the thread at hand, with all that it called.
struct Classes {
    time_of_stack: Vec<u64>,
    /// Whether a stack is among `met`.
    is_met: Vec<bool>,
    met: Vec<StackId>,
}

impl Classes {
    /// `None` where no stack has a class.
    fn of(stacks: &StackTable) -> Option<Self> {
        let any = stacks.iter().any(|(_, stack)| stack.class.is_some());
        any.then(|| Self {
            time_of_stack: vec![0; stacks.len()],
            is_met: vec![false; stacks.len()],
            met: Vec::new(),
        })
    }

    fn add(&mut self, stacks: &StackTable, stack: StackId, nanos: u64) {
        self.time_of_stack[stack.index()] += nanos;
        let mut next = Some(stack);
        while let Some(stack) = next.filter(|stack| !self.is_met[stack.index()]) {
            self.is_met[stack.index()] = true;
            self.met.push(stack);
            next = stacks.parent(stack);
        }
    }

    /// The stacks of the thread with their times, and an empty slate for the next.
    fn take(&mut self, stacks: &StackTable) -> Vec<(StackId, u64)> {
        let mut met = std::mem::take(&mut self.met);
        // A parent has a smaller number than its children.
        met.sort_unstable_by_key(|&stack| Reverse(stack));
        let take = |stack: StackId| {
            let nanos = std::mem::take(&mut self.time_of_stack[stack.index()]);
            self.is_met[stack.index()] = false;
            if let Some(parent) = stacks.parent(stack) {
                self.time_of_stack[parent.index()] += nanos;
            }
            (stack, nanos)
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
        let whole = build(&session, usize::MAX);
        assert_eq!(whole.len(), 1 + 2 * 11);

        let cut = build(&session, 15);
        assert_eq!(cut.len(), 15);
        assert_eq!(cut.total(), whole.total());
        let absorbed: Duration = cut.nodes().iter().map(|node| node.absorbed_time()).sum();
        assert_eq!(absorbed, Duration::from_nanos(1));
    }

    #[test]
    fn an_empty_session_gives_an_empty_tree() {
        let tree = build(
            &SessionBuilder::new().finish(Manifest::default()),
            usize::MAX,
        );
        assert!(tree.is_empty() && tree.roots().next().is_none() && tree.walk().next().is_none());
        assert_eq!(tree.total(), Duration::ZERO);
    }
}
