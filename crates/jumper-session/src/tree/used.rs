//! What a node used of the machine, besides time.

use std::ops::AddAssign;
use std::time::Duration;

use crate::Resources;
use crate::analysis::Shares;
use crate::tables::{Sample, ThreadState};
use crate::tree::TreeOptions;

/// Of a node's time, with all below it, how much its thread was in a state; made by
/// [`FrameTree::state_times`](crate::FrameTree::state_times).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateTimes {
    /// On a CPU, or ready to run ([`ThreadState::ON_CPU`]).
    pub on_cpu: Duration,
    /// With the interpreter's lock ([`ThreadState::GIL`]).
    pub gil: Duration,
}

/// What samples are known to have taken, besides their time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Spent {
    pub(crate) resources: Resources,
    on_cpu_ns: u64,
    gil_ns: u64,
}

impl Spent {
    /// What a sample took, as far as a tree is to know it.
    pub(crate) fn of(
        sample: &Sample,
        shares: Option<&mut Shares<'_>>,
        options: &TreeOptions,
    ) -> Self {
        let nanos = match options.states {
            true => crate::time::column_nanos(sample.duration),
            false => 0,
        };
        let time_in = |state| match sample.state.contains(state) {
            true => nanos,
            false => 0,
        };
        Self {
            resources: shares.map_or_else(Resources::default, |shares| shares.next(sample)),
            on_cpu_ns: time_in(ThreadState::ON_CPU),
            gil_ns: time_in(ThreadState::GIL),
        }
    }

    pub(crate) fn states(&self) -> StateTimes {
        StateTimes {
            on_cpu: Duration::from_nanos(self.on_cpu_ns),
            gil: Duration::from_nanos(self.gil_ns),
        }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.on_cpu_ns == 0 && self.gil_ns == 0 && self.resources.is_nothing()
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.resources += other.resources;
        self.on_cpu_ns += other.on_cpu_ns;
        self.gil_ns += other.gil_ns;
    }
}

/// Amounts of a node of a tree that has them. Most nodes have none of their own, and these take no memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Used(Option<Box<Amounts>>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Amounts {
    own: Spent,
    absorbed: Spent,
}

impl Used {
    /// What was used while the node was the innermost frame.
    pub(crate) fn own(&self) -> Spent {
        self.0.as_ref().map_or_else(Spent::default, |it| it.own)
    }

    /// What nodes below used that were removed.
    pub(crate) fn absorbed(&self) -> Spent {
        let amounts = self.0.as_ref();
        amounts.map_or_else(Spent::default, |it| it.absorbed)
    }

    pub(crate) fn add_own(&mut self, amounts: Spent) {
        self.0.get_or_insert_default().own += amounts;
    }

    pub(crate) fn take_own(&mut self) -> Spent {
        let amounts = self.0.as_mut();
        amounts.map_or_else(Spent::default, |it| std::mem::take(&mut it.own))
    }

    pub(crate) fn add_absorbed(&mut self, amounts: Spent) {
        self.0.get_or_insert_default().absorbed += amounts;
    }
}
