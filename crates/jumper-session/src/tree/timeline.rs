//! Samples in the order of time: equal calls are one node only while nothing else is seen.
//!
//! From one sample to the next most of a stack stays as it is, and equal outer frames are the same row of the table of
//! stacks. So only what is new is looked at, and time is handed from a frame to its caller when the frame is left.

use crate::analysis::Shares;
use crate::tables::{Sample, StackTable};
use crate::tree::build::is_leaf;
use crate::tree::by_thread::{self, ByThread};
use crate::tree::draft::Draft;
use crate::tree::layout::Order;
use crate::tree::used::Spent;
use crate::tree::{ClassTime, Context, FrameTree, NodeKind, Scope, TreeOptions};
use crate::{Attribution, NodeId, Session, StackId, ThreadId};

/// See [`FrameTree::build_with`].
pub(super) fn build(
    session: &Session,
    options: &TreeOptions,
    attribution: Option<&Attribution>,
    max_nodes: usize,
) -> FrameTree {
    let context = Context::of(session);
    let samples = session.samples();
    let mut builder = Builder {
        stacks: session.stacks(),
        depths: depths(session.stacks()),
        thread: None,
        open: Vec::new(),
        chain: Vec::new(),
        draft: Draft::new(),
        context: &context,
        options,
        shares: attribution.map(Attribution::shares),
        max_nodes,
    };
    match options.scope {
        Scope::Thread => {
            let rows = ByThread::of(samples, session.threads().len());
            for thread in by_thread::in_order(session) {
                for row in rows.rows(thread) {
                    builder.add_sample(row, samples.row(row as usize));
                }
            }
        }
        Scope::Session => {
            for row in 0..samples.len() {
                builder.add_sample(row as u32, samples.row(row));
            }
        }
    }
    builder.leave(0);
    let draft = builder.draft;
    draft.finish(Order::Time, options.scope, context)
}

/// How many frames each stack has.
fn depths(stacks: &StackTable) -> Vec<u32> {
    let mut depths: Vec<u32> = Vec::with_capacity(stacks.len());
    for (_, stack) in stacks.iter() {
        let above = stack.parent.map_or(0, |parent| depths[parent.index()]);
        depths.push(above + 1);
    }
    depths
}

struct Builder<'a> {
    stacks: &'a StackTable,
    depths: Vec<u32>,
    thread: Option<ThreadId>,
    /// What the last sample was in: the thread, then its frames from the outside.
    open: Vec<Open>,
    /// Scratch: the stacks of the frames that were not in the last sample, innermost first.
    chain: Vec<StackId>,
    draft: Draft,
    context: &'a Context,
    options: &'a TreeOptions,
    shares: Option<Shares<'a>>,
    max_nodes: usize,
}

struct Open {
    node: NodeId,
    kind: NodeKind,
    stack: Option<StackId>,
    /// The first sample since it has been this stack.
    since: u32,
    /// The time since then that the caller has not been told of.
    pending_ns: u64,
}

impl Builder<'_> {
    fn add_sample(&mut self, row: u32, sample: Sample) {
        if self.thread != Some(sample.thread) {
            self.leave(0);
            self.enter_thread(row, sample.thread);
        }
        let common = self.find_common(sample.stack);
        self.leave(common);
        let is_whole = self.enter(common, row);
        let nanos = crate::time::column_nanos(sample.duration);
        let innermost = self.open.last_mut().expect("bug: no thread is open");
        innermost.pending_ns += nanos;
        let (node, kind) = (innermost.node, innermost.kind);
        let used = Spent::of(&sample, self.shares.as_mut(), self.options);
        let id = match is_whole {
            true => self.own_node(node, kind, row),
            false => node,
        };
        let node = self.draft.node_mut(id);
        node.sample_count += 1;
        match is_whole {
            true => {
                node.self_time_ns += nanos;
                node.add_own_spent(used);
            }
            false => node.add_absorbed(nanos, used),
        }
    }

    fn enter_thread(&mut self, row: u32, thread: ThreadId) {
        let root = NodeId::from_raw(0);
        let is_full = self.draft.len() >= self.max_nodes;
        let is_root =
            self.options.scope == Scope::Session && (self.context.is_anonymous(thread) || is_full);
        let (kind, node) = match is_root {
            true => (NodeKind::Root, root),
            false => {
                let kind = NodeKind::Thread(thread);
                (kind, self.draft.push(kind, root, 0, row))
            }
        };
        self.thread = Some(thread);
        self.open.clear();
        self.open.push(Open {
            node,
            kind,
            stack: None,
            since: row,
            pending_ns: 0,
        });
    }

    /// Fills `chain` with what is not open, and returns how many frames of the stack are.
    fn find_common(&mut self, stack: Option<StackId>) -> usize {
        self.chain.clear();
        let mut next = stack;
        while let Some(stack) = next {
            let depth = self.depths[stack.index()] as usize;
            if self.open.get(depth).is_some_and(|open| open.stack == next) {
                return depth;
            }
            self.chain.push(stack);
            next = self.stacks.parent(stack);
        }
        0
    }

    /// Hands the time of all frames within the outer `depth` ones to their callers. They stay open.
    fn leave(&mut self, depth: usize) {
        for inner in (depth + 1..self.open.len()).rev() {
            let open = &mut self.open[inner];
            let nanos = std::mem::take(&mut open.pending_ns);
            let class = open.stack.and_then(|stack| self.stacks.class(stack));
            if let Some(class) = class {
                self.draft.node_mut(open.node).add_class(ClassTime {
                    class,
                    first_seen: open.since,
                    time_ns: nanos,
                });
            }
            self.open[inner - 1].pending_ns += nanos;
        }
    }

    /// Opens what is in `chain` within the outer `depth` frames; false if the tree is full.
    fn enter(&mut self, depth: usize, row: u32) -> bool {
        let mut depth = depth;
        while let Some(id) = self.chain.pop() {
            depth += 1;
            let stack = self.stacks.get(id);
            let kind = NodeKind::Function(self.context.identity(stack.function));
            if self.open.get(depth).is_none_or(|open| open.kind != kind) {
                self.open.truncate(depth);
                if self.draft.len() >= self.max_nodes {
                    return false;
                }
                let parent = self.open[depth - 1].node;
                let node = self.draft.push(kind, parent, stack.line, row);
                self.open.push(Open {
                    node,
                    kind,
                    stack: None,
                    since: row,
                    pending_ns: 0,
                });
            }
            let open = &mut self.open[depth];
            (open.stack, open.since) = (Some(id), row);
            self.draft.node_mut(open.node).hidden |= self.context.is_hidden(stack.function);
        }
        self.open.truncate(depth + 1);
        true
    }

    /// Whose the time of a sample is that ended in a node. If the last one did too, it is one piece of its own time.
    fn own_node(&mut self, node: NodeId, kind: NodeKind, row: u32) -> NodeId {
        let mut id = node;
        if self.options.self_nodes && !is_leaf(self.context, kind) {
            let last = NodeId::from_len(self.draft.len() - 1);
            let continues = self.draft.node(last);
            if continues.kind == NodeKind::SelfTime && continues.parent == Some(node) {
                id = last;
            } else if self.draft.len() < self.max_nodes {
                id = self.draft.push(NodeKind::SelfTime, node, 0, row);
            }
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Function, Host, Manifest, NewSample, SessionBuilder, ThreadState, Timestamp};

    /// One letter a sample; each is a function called by `main`, and `.` is `main` itself.
    fn session(samples: &str) -> Session {
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(Host::default());
        let process = builder.add_process(host, 1, None);
        let thread = builder.add_thread(process, 1, None);
        for (time, letter) in samples.chars().enumerate() {
            let name = letter.to_string();
            let names = ["main", &name];
            let frames = match letter {
                '.' => &names[..1],
                _ => &names[..],
            };
            let frames: Vec<_> = frames
                .iter()
                .map(|name| {
                    let function = Function {
                        name,
                        qualname: None,
                        file: "t.py",
                        first_line: 1,
                        hidden: false,
                    };
                    // A line that changes does not end a call.
                    (builder.intern_function(&function), time as u32)
                })
                .collect();
            let stack = builder.intern_stack_frames(frames);
            builder.push_sample(NewSample {
                time: Timestamp::from_nanos(time as i64),
                duration: Duration::from_nanos(1),
                thread,
                task: None,
                state: ThreadState::NONE,
                stack,
            });
        }
        builder.finish(Manifest::default())
    }

    fn drawn(samples: &str, options: &TreeOptions, max_nodes: usize) -> String {
        let session = session(samples);
        let tree = build(&session, options, None, max_nodes);
        assert_eq!(tree.total(), session.samples().total());
        let nodes = tree.walk().skip(2).map(|(id, _)| {
            let node = tree.node(id);
            let name = node
                .function()
                .map_or("[self]", |id| tree.function(id).name);
            format!("{name}{}", node.time().as_nanos())
        });
        nodes.collect::<Vec<_>>().join(" ")
    }

    const TIMELINE: TreeOptions = TreeOptions {
        timeline: true,
        self_nodes: false,
        scope: Scope::Thread,
        resources: false,
        states: false,
    };

    #[test]
    fn calls_stay_in_the_order_of_time() {
        assert_eq!(drawn("aabbba.a", &TIMELINE, usize::MAX), "a2 b3 a1 a1");
    }

    #[test]
    fn own_time_takes_its_place_among_the_calls() {
        let options = TreeOptions {
            self_nodes: true,
            ..TIMELINE
        };
        assert_eq!(
            drawn("a..b.", &options, usize::MAX),
            "a1 [self]1 [self]2 b1 [self]1 [self]1"
        );
    }

    #[test]
    fn a_full_timeline_absorbs_the_rest() {
        assert_eq!(drawn("abcd", &TIMELINE, 5), "a1 b1");
    }
}
