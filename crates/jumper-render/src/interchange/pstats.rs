//! Statistics of functions, as `pstats.Stats` loads them and `snakeviz` and `gprof2dot` show them.
//!
//! For each function how long it ran itself and with what it called, and the same for each of its callers. How often it was
//! called is not known to one who takes samples: that is -1 everywhere, as pyinstrument has it.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Duration;

use jumper_session::{FrameTree, NodeId, Parts, Scope, Session};

use super::frame::Frame;
use super::marshal;
use crate::calls::{CALL_OPTIONS, CallOptions};
use crate::{About, RenderError, RenderOptions, Renderer};

const ABOUT: About = About {
    name: "pstats",
    help: "statistics of functions for Python's pstats, snakeviz and gprof2dot",
    extensions: &["pstats"],
    media_type: "application/octet-stream",
    is_binary: true,
    options: &CALL_OPTIONS,
};

/// The renderer `pstats`.
pub(crate) struct Pstats;

impl Renderer for Pstats {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self, _options: &RenderOptions) -> Parts {
        Parts::CALLS
    }

    fn render(
        &self,
        session: &Session,
        options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        let tree = CallOptions::of(options).tree(session, Scope::Session, false);
        Statistics::of(session, &tree).write(out)?;
        Ok(())
    }
}

/// What is known of a function, or of one that another one called. In nanoseconds.
#[derive(Clone, Copy, Default)]
struct Times {
    own: u128,
    total: u128,
}

impl Times {
    fn add(&mut self, own: Duration, total: Duration) {
        self.own += own.as_nanos();
        self.total += total.as_nanos();
    }

    /// In the order of `pstats`: primitive calls, calls, own time, total time.
    fn write(self, out: &mut dyn Write) -> io::Result<()> {
        marshal::int(-1, out)?;
        marshal::int(-1, out)?;
        marshal::float(self.own as f64 / 1e9, out)?;
        marshal::float(self.total as f64 / 1e9, out)
    }
}

#[derive(Default)]
struct Entry {
    times: Times,
    /// By the numbers of the callers' entries, in the order in which they were met.
    callers: Vec<(usize, Times)>,
}

struct Statistics<'a> {
    numbers: HashMap<Frame<'a>, usize>,
    frames: Vec<Frame<'a>>,
    entries: Vec<Entry>,
    /// Where in its callers an entry has another one: (entry, caller).
    edges: HashMap<(usize, usize), usize>,
}

impl<'a> Statistics<'a> {
    fn of(session: &'a Session, tree: &FrameTree) -> Self {
        let mut statistics = Self {
            numbers: HashMap::new(),
            frames: Vec::new(),
            entries: Vec::new(),
            edges: HashMap::new(),
        };
        let Some(top) = tree.tops().next() else {
            return statistics;
        };
        let mut entry_of_node = vec![usize::MAX; tree.len()];
        let mut walk = tree.walk_from(top);
        while let Some((id, depth)) = walk.next() {
            if depth > 0 && tree.is_synthetic(id) {
                walk.skip_children(id);
                continue;
            }
            let entry = statistics.entry(Frame::of(session, tree, id));
            entry_of_node[id.index()] = entry;
            let (own, total) = (own_time(tree, id), tree.node(id).time());
            statistics.entries[entry].times.add(own, total);
            if let Some(parent) = tree.node(id).parent().filter(|_| depth > 0) {
                let caller = statistics.caller(entry, entry_of_node[parent.index()]);
                caller.add(own, total);
            }
        }
        statistics
    }

    fn entry(&mut self, frame: Frame<'a>) -> usize {
        let (frames, entries) = (&mut self.frames, &mut self.entries);
        *self.numbers.entry(frame).or_insert_with(|| {
            frames.push(frame);
            entries.push(Entry::default());
            entries.len() - 1
        })
    }

    fn caller(&mut self, entry: usize, caller: usize) -> &mut Times {
        let callers = &mut self.entries[entry].callers;
        let place = *self.edges.entry((entry, caller)).or_insert_with(|| {
            callers.push((caller, Times::default()));
            callers.len() - 1
        });
        &mut callers[place].1
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        marshal::begin_dict(out)?;
        for (number, entry) in self.entries.iter().enumerate() {
            self.key(number, out)?;
            marshal::begin_tuple(5, out)?;
            entry.times.write(out)?;
            marshal::begin_dict(out)?;
            for (caller, times) in &entry.callers {
                self.key(*caller, out)?;
                marshal::begin_tuple(4, out)?;
                times.write(out)?;
            }
            marshal::end_dict(out)?;
        }
        marshal::end_dict(out)
    }

    /// File, line and name, which is how `pstats` knows a function.
    fn key(&self, entry: usize, out: &mut dyn Write) -> io::Result<()> {
        let frame = self.frames[entry];
        marshal::begin_tuple(3, out)?;
        marshal::text(frame.file, out)?;
        marshal::int(frame.line.into(), out)?;
        marshal::text(frame.name, out)
    }
}

/// What of a node's time is in none of the functions that it called.
fn own_time(tree: &FrameTree, id: NodeId) -> Duration {
    let node = tree.node(id);
    let children = tree.children(id).filter(|child| tree.is_synthetic(*child));
    let synthetic: Duration = children.map(|child| tree.node(child).time()).sum();
    node.self_time() + node.absorbed_time() + synthetic
}
