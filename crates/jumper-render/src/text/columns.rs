//! Figures to the left of the tree, one column each.

use jumper_session::{
    FrameTree, NodeId, Resource, Resources, Session, StateTimes, ThreadState, TreeOptions,
};

use crate::format::{bytes, count};

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// The share of the whole.
    Percent,
    /// The time of the function itself.
    Own,
    /// The time on a CPU.
    Cpu,
    /// The time with the interpreter's lock.
    Gil,
    /// By how much memory grew, as an estimate.
    Memory,
    /// How many samples there are.
    Samples,
}

impl Column {
    const ALL: [Self; 6] = [
        Self::Percent,
        Self::Own,
        Self::Cpu,
        Self::Gil,
        Self::Memory,
        Self::Samples,
    ];

    pub(super) const NAMES: [&'static str; 6] =
        ["percent", "self", "cpu", "gil", "memory", "samples"];

    pub(super) fn of(name: &str) -> Option<Self> {
        let row = Self::NAMES.iter().position(|known| *known == name)?;
        Some(Self::ALL[row])
    }

    fn title(self) -> &'static str {
        match self {
            Self::Percent => "%",
            Self::Memory => "memory",
            other => Self::NAMES[other as usize],
        }
    }

    fn width(self) -> usize {
        match self {
            Self::Percent => 6,
            Self::Own | Self::Cpu | Self::Gil => 8,
            Self::Memory => 9,
            Self::Samples => 10,
        }
    }
}

/// What a tree has to know for its columns.
pub(super) fn needed_of_tree(columns: &[Column]) -> TreeOptions {
    TreeOptions {
        resources: columns.contains(&Column::Memory),
        states: columns.contains(&Column::Cpu) || columns.contains(&Column::Gil),
        ..TreeOptions::default()
    }
}

/// The figures of all calls of a tree.
pub(super) struct Figures<'a> {
    tree: &'a FrameTree,
    columns: &'a [Column],
    states: Vec<StateTimes>,
    resources: Vec<Resources>,
    knows_cpu: bool,
    knows_gil: bool,
    knows_memory: bool,
}

impl<'a> Figures<'a> {
    pub(super) fn of(session: &Session, tree: &'a FrameTree, columns: &'a [Column]) -> Self {
        let needed = needed_of_tree(columns);
        // No recorder says of a sample that nothing is known of its state: one that never says it is on a CPU does not look.
        let knows = |state: ThreadState| {
            let mut states = needed.states.then(|| session.samples().states().iter());
            let states = states.as_mut();
            states.is_some_and(|states| states.any(|known| known.contains(state)))
        };
        let attribution = tree.attribution();
        let memory = attribution.and_then(|known| known.measured(Resource::MemoryGained));
        Self {
            tree,
            columns,
            states: match needed.states {
                true => tree.state_times(),
                false => Vec::new(),
            },
            resources: match needed.resources {
                true => tree.resource_totals(),
                false => Vec::new(),
            },
            knows_cpu: knows(ThreadState::ON_CPU),
            knows_gil: knows(ThreadState::GIL),
            knows_memory: memory.is_some(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// How many columns of the terminal they take.
    pub(super) fn width(&self) -> usize {
        let widths = self.columns.iter().map(|column| column.width() + 1);
        widths.sum::<usize>() + 2 * usize::from(!self.is_empty())
    }

    /// What is above them.
    pub(super) fn titles(&self) -> String {
        let titles = self.columns.iter();
        titles
            .map(|column| format!("{:>width$} ", column.title(), width = column.width()))
            .collect()
    }

    /// Those of a call; `whole` are the seconds of which shares are.
    pub(super) fn push(&self, id: NodeId, whole: f64, line: &mut String) {
        for &column in self.columns {
            let text = self.figure(column, id, whole);
            *line += &format!("{text:>width$} ", width = column.width());
        }
        self.push_gap(line);
    }

    /// The place of those that a line does not have.
    pub(super) fn push_none(&self, line: &mut String) {
        line.extend(std::iter::repeat_n(' ', self.width().saturating_sub(2)));
        self.push_gap(line);
    }

    fn push_gap(&self, line: &mut String) {
        if !self.is_empty() {
            *line += "  ";
        }
    }

    fn figure(&self, column: Column, id: NodeId, whole: f64) -> String {
        let node = self.tree.node(id);
        let unknown = || "unknown".into();
        let seconds = |is_known: bool, time: std::time::Duration| match (is_known, time.is_zero()) {
            (false, _) => unknown(),
            (true, true) => String::new(),
            (true, false) => format!("{:.3}", time.as_secs_f64()),
        };
        let states = || self.states[id.index()];
        match column {
            Column::Percent if whole > 0.0 => {
                format!("{:.1}", 100.0 * node.time().as_secs_f64() / whole)
            }
            Column::Percent => String::new(),
            Column::Own => seconds(true, self.own_time(id)),
            Column::Cpu => seconds(self.knows_cpu, states().on_cpu),
            Column::Gil => seconds(self.knows_gil, states().gil),
            Column::Memory if !self.knows_memory => unknown(),
            Column::Memory => match self.resources[id.index()].get(Resource::MemoryGained) {
                0.0 => String::new(),
                grown => bytes(grown),
            },
            Column::Samples => count(node.sample_count()),
        }
    }

    /// The time of a function itself, whether or not that has a node of its own.
    fn own_time(&self, id: NodeId) -> std::time::Duration {
        let node = self.tree.node(id);
        let own = self
            .tree
            .children(id)
            .map(|child| self.tree.node(child))
            .filter(|child| child.kind() == jumper_session::NodeKind::SelfTime);
        node.self_time()
            + own
                .map(jumper_session::Node::time)
                .sum::<std::time::Duration>()
    }
}
