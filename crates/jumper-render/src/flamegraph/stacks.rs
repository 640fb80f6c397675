//! The stacks of a flame graph: calls by what they are labelled, with the time that each had to itself.

use std::collections::HashMap;

use jumper_session::{FrameTree, NodeId, NodeKind, Session};

use super::Top;
use super::label::label;
use crate::format::call_name;
use crate::paths::Paths;

/// A picture is no higher than this many calls.
pub(super) const DEEPEST: usize = 500;

/// What a frame of the picture stands for, which is what its colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    /// The program's own code.
    Application,
    /// A library's.
    Library,
    /// A process or a thread.
    Place,
}

/// A frame of the picture.
struct Frame {
    parent: Option<u32>,
    depth: u32,
    label: u32,
    own_ns: u64,
}

/// The frames in the order in which they were first met; a parent comes before its children.
#[derive(Default)]
pub(super) struct Stacks {
    frames: Vec<Frame>,
    labels: Vec<(String, Owner)>,
    label_rows: HashMap<(String, Owner), u32>,
    children: HashMap<(Option<u32>, u32), u32>,
    /// Whether calls were too deep to be shown.
    pub(super) is_cut: bool,
}

impl Stacks {
    pub(super) fn of(session: &Session, tree: &FrameTree, top: Top) -> Self {
        let mut stacks = Self::default();
        let mut paths = Paths::of(session);
        let is_application = tree.application_code();
        // The frame of every node on the way to the one that is looked at, the outermost first.
        let mut open: Vec<Option<u32>> = Vec::new();
        for (id, depth) in tree.walk() {
            open.truncate(depth);
            let parent = open.last().copied().flatten();
            let frame = match tree.node(id).kind() {
                NodeKind::Thread(thread) => stacks.places(session, thread, top),
                NodeKind::Function(function) => {
                    let called = session.function(function);
                    let class = tree.node(id).class().map(|class| session.string(class));
                    let name = call_name(&called, class);
                    let place = paths.short(function);
                    let label = label(&name, place, called.first_line);
                    let owner = match is_application[id.index()] {
                        true => Owner::Application,
                        false => Owner::Library,
                    };
                    stacks.frame(parent, label, owner)
                }
                NodeKind::Root | NodeKind::SelfTime => parent,
            };
            stacks.add(frame, own_ns(tree, id));
            open.push(frame);
        }
        stacks
    }

    /// The frames above those of a thread.
    fn places(&mut self, session: &Session, id: jumper_session::ThreadId, top: Top) -> Option<u32> {
        let thread = session.threads().get(id);
        let process = |stacks: &mut Self| {
            let pid = session.processes().get(thread.process).pid;
            let command = session.process_command(thread.process).unwrap_or_default();
            let name = format!("process {pid} {command}");
            stacks.frame(None, label(name.trim_end(), "", 0), Owner::Place)
        };
        let above = match top {
            Top::Nothing => return None,
            Top::Process => process(self),
            Top::Thread => None,
        };
        let name = match session.thread_name(id) {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => format!("thread {}", thread.native_id),
        };
        self.frame(above, label(&name, "", 0), Owner::Place)
    }

    /// The frame of this label below another one; that one itself where there is no room for more.
    fn frame(&mut self, parent: Option<u32>, label: String, owner: Owner) -> Option<u32> {
        let depth = parent.map_or(0, |parent| self.frames[parent as usize].depth + 1);
        if depth as usize >= DEEPEST {
            self.is_cut = true;
            return parent;
        }
        let labels = &mut self.labels;
        let label = *self
            .label_rows
            .entry((label, owner))
            .or_insert_with_key(|key| {
                labels.push(key.clone());
                labels.len() as u32 - 1
            });
        let frames = &mut self.frames;
        let frame = *self.children.entry((parent, label)).or_insert_with(|| {
            frames.push(Frame {
                parent,
                depth,
                label,
                own_ns: 0,
            });
            frames.len() as u32 - 1
        });
        Some(frame)
    }

    fn add(&mut self, frame: Option<u32>, ns: u64) {
        if ns == 0 {
            return;
        }
        // Time of a thread in none of its calls, where threads are not shown.
        let frame = frame.or_else(|| self.frame(None, "no call".into(), Owner::Place));
        if let Some(frame) = frame {
            let own = &mut self.frames[frame as usize].own_ns;
            *own = own.saturating_add(ns);
        }
    }

    /// What the frames with something to say are labelled.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&str, Owner)> {
        self.labels.iter().map(|(label, owner)| (&**label, *owner))
    }

    pub(super) fn total_ns(&self) -> u64 {
        let own = self.frames.iter().map(|frame| frame.own_ns);
        own.fold(0, u64::saturating_add)
    }

    /// Stacks with semicolons between their frames and nanoseconds behind them, in the order in which the picture has them,
    /// from the left. Frames narrower than a share of the whole are their callers'.
    pub(super) fn lines(mut self, least_share: f64) -> Vec<String> {
        let least = self.total_ns() as f64 * least_share;
        let mut totals: Vec<u64> = self.frames.iter().map(|frame| frame.own_ns).collect();
        for row in (0..self.frames.len()).rev() {
            let Some(parent) = self.frames[row].parent else {
                continue;
            };
            totals[parent as usize] = totals[parent as usize].saturating_add(totals[row]);
            if (totals[row] as f64) < least {
                let own = std::mem::take(&mut self.frames[row].own_ns);
                let above = &mut self.frames[parent as usize].own_ns;
                *above = above.saturating_add(own);
            }
        }
        let mut next: Vec<Vec<u32>> = vec![Vec::new(); self.frames.len()];
        let mut pending: Vec<u32> = Vec::new();
        for row in (0..self.frames.len() as u32).rev() {
            match self.frames[row as usize].parent {
                Some(parent) => next[parent as usize].push(row),
                None => pending.push(row),
            }
        }
        let mut lines = Vec::new();
        let mut stack: Vec<u32> = Vec::new();
        while let Some(row) = pending.pop() {
            let frame = &self.frames[row as usize];
            stack.truncate(frame.depth as usize);
            stack.push(frame.label);
            if frame.own_ns > 0 {
                let labels = stack.iter().map(|&label| &*self.labels[label as usize].0);
                let line = labels.collect::<Vec<_>>().join(";");
                lines.push(format!("{line} {}", frame.own_ns));
            }
            pending.extend(&next[row as usize]);
        }
        lines
    }
}

/// The time that no call of a node has.
fn own_ns(tree: &FrameTree, id: NodeId) -> u64 {
    let node = tree.node(id);
    let own = node.self_time().saturating_add(node.absorbed_time());
    u64::try_from(own.as_nanos()).unwrap_or(u64::MAX)
}
