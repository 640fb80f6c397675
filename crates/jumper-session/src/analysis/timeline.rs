//! How much each moment of a host is worth: what was used between two measurements, shared out over what ran in between.
//!
//! Two passes over the samples, each of which looks at the two ends of a sample only, however many measurements lie between
//! them: the first adds up how long threads were sampled in each interval, which gives the price of a sampled nanosecond; the
//! second pays each sample. Both go by running sums, so that a file with samples as long as the recording costs no more than
//! another one.

use crate::analysis::changes::Change;
use crate::analysis::resources::{Resource, Resources};
use crate::tables::{Sample, ThreadState};

/// The span of wall time that a sample stands for, and whether its thread ran in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    begin: i64,
    end: i64,
    on_cpu: bool,
}

impl Span {
    /// A sample stands for the time that ends with it.
    pub(super) fn of(sample: &Sample) -> Self {
        let end = sample.time.as_nanos();
        let nanos = crate::time::column_nanos(sample.duration);
        Self {
            begin: end.saturating_sub_unsigned(nanos),
            end,
            on_cpu: sample.state.contains(ThreadState::ON_CPU),
        }
    }
}

/// The measurements of a host, as moments between which are intervals.
#[derive(Clone, Debug, PartialEq)]
struct Grid {
    /// Ascending, at least two.
    edges: Vec<i64>,
}

/// A span laid on the grid: the intervals of its ends, and how much of these it covers.
struct Laid {
    first: usize,
    head: u64,
    /// Where it ends in another interval: that one, and how much of it.
    last: Option<(usize, u64)>,
}

impl Grid {
    fn intervals(&self) -> usize {
        self.edges.len() - 1
    }

    fn length(&self, interval: usize) -> u64 {
        self.edges[interval + 1].abs_diff(self.edges[interval])
    }

    /// The interval that begins at `time` or contains it; `near` is where the last one was found, mostly the same.
    fn find(&self, time: i64, near: usize) -> usize {
        let last = self.intervals() - 1;
        let is_in = |interval: usize| {
            self.edges[interval] <= time && (interval == last || time < self.edges[interval + 1])
        };
        for interval in [near.min(last), near.saturating_add(1).min(last)] {
            if is_in(interval) {
                return interval;
            }
        }
        let after = self.edges.partition_point(|&edge| edge <= time);
        after.saturating_sub(1).min(last)
    }

    /// `None` for what is outside. What reaches over the first or the last measurement counts in part.
    fn lay(&self, span: Span, near: &mut usize) -> Option<Laid> {
        let begin = span.begin.max(self.edges[0]);
        let end = span.end.min(self.edges[self.intervals()]);
        if begin >= end {
            return None;
        }
        let first = self.find(begin, *near);
        let last = self.find(end, first);
        *near = last;
        Some(match first == last {
            true => Laid {
                first,
                head: end.abs_diff(begin),
                last: None,
            },
            false => Laid {
                first,
                head: self.edges[first + 1].abs_diff(begin),
                last: Some((last, end.abs_diff(self.edges[last]))),
            },
        })
    }
}

/// How long threads were sampled in each interval, in nanoseconds.
struct Sampled {
    at_ends: Vec<u64>,
    /// By how many more samples than the interval before it an interval is covered as a whole, modulo 2^64.
    covers: Vec<u64>,
}

impl Sampled {
    fn new(grid: &Grid) -> Self {
        Self {
            at_ends: vec![0; grid.intervals()],
            covers: vec![0; grid.intervals() + 1],
        }
    }

    fn add(&mut self, laid: &Laid) {
        self.at_ends[laid.first] += laid.head;
        if let Some((last, tail)) = laid.last {
            self.at_ends[last] += tail;
            self.covers[laid.first + 1] = self.covers[laid.first + 1].wrapping_add(1);
            self.covers[last] = self.covers[last].wrapping_sub(1);
        }
    }

    /// The time that was sampled before each edge.
    fn sums(&self, grid: &Grid) -> Vec<u64> {
        let (mut covers, mut sum) = (0_u64, 0_u64);
        let mut sums = vec![0];
        for interval in 0..grid.intervals() {
            covers = covers.wrapping_add(self.covers[interval]);
            // Within the sum of all durations, which is less than 2^63.
            sum += self.at_ends[interval] + covers * grid.length(interval);
            sums.push(sum);
        }
        sums
    }
}

/// What a sampled nanosecond of each interval is worth to one kind of thread.
#[derive(Clone, Debug, PartialEq)]
struct Prices {
    of_interval: Vec<Resources>,
    /// What a thread would have got that was sampled from the first edge up to each.
    up_to_edge: Vec<Resources>,
}

impl Prices {
    fn new(grid: &Grid) -> Self {
        Self {
            of_interval: vec![Resources::default(); grid.intervals()],
            up_to_edge: Vec::new(),
        }
    }

    fn add(&mut self, change: &Change, resource: Resource, price: f64) {
        for interval in &mut self.of_interval[change.from..change.to] {
            interval.add(resource, price);
        }
    }

    fn add_up(&mut self, grid: &Grid) {
        let mut sum = Resources::default();
        self.up_to_edge.push(sum);
        for (interval, price) in self.of_interval.iter().enumerate() {
            sum.add_times(price, grid.length(interval) as f64);
            self.up_to_edge.push(sum);
        }
    }

    fn pay(&self, laid: &Laid) -> Resources {
        let mut paid = Resources::default();
        paid.add_times(&self.of_interval[laid.first], laid.head as f64);
        if let Some((last, tail)) = laid.last {
            paid.add_times(&self.of_interval[last], tail as f64);
            paid.add_times(&self.up_to_edge[last], 1.0);
            paid.add_times(&self.up_to_edge[laid.first + 1], -1.0);
        }
        paid
    }
}

/// The measurements of a host while the first pass is under way.
pub(super) struct Draft {
    grid: Grid,
    all: Sampled,
    on_cpu: Sampled,
    near: usize,
}

impl Draft {
    /// `None` for less than two measurements, between which nothing can be. `edges` ascend.
    pub(super) fn new(edges: Vec<i64>) -> Option<Self> {
        let grid = Grid { edges };
        (grid.edges.len() > 1).then(|| Self {
            all: Sampled::new(&grid),
            on_cpu: Sampled::new(&grid),
            grid,
            near: 0,
        })
    }

    pub(super) fn add(&mut self, span: Span) {
        if let Some(laid) = self.grid.lay(span, &mut self.near) {
            self.all.add(&laid);
            if span.on_cpu {
                self.on_cpu.add(&laid);
            }
        }
    }

    /// Shares out what was used. What there is nobody to pay for is added to `unattributed`.
    pub(super) fn finish(
        self,
        changes: &[(Resource, Vec<Change>)],
        unattributed: &mut Resources,
    ) -> Timeline {
        let (all, on_cpu) = (self.all.sums(&self.grid), self.on_cpu.sums(&self.grid));
        let mut running = Prices::new(&self.grid);
        let mut waiting = Prices::new(&self.grid);
        for (resource, changes) in changes {
            for change in changes {
                let time = |sums: &[u64]| sums[change.to] - sums[change.from];
                match (time(&on_cpu), time(&all)) {
                    (0, 0) => unattributed.add(*resource, change.amount),
                    // Who waits uses no processor.
                    (0, _) if *resource == Resource::CpuTime => {
                        unattributed.add(*resource, change.amount);
                    }
                    (0, time) => waiting.add(change, *resource, change.amount / time as f64),
                    (time, _) => running.add(change, *resource, change.amount / time as f64),
                }
            }
        }
        running.add_up(&self.grid);
        waiting.add_up(&self.grid);
        Timeline {
            grid: self.grid,
            running,
            waiting,
        }
    }
}

/// What each moment of a host is worth.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Timeline {
    grid: Grid,
    /// To threads on a CPU.
    running: Prices,
    /// To others: in intervals in which none was on a CPU.
    waiting: Prices,
}

impl Timeline {
    /// What a sample gets. `near` speeds up the next one.
    pub(super) fn pay(&self, span: Span, near: &mut usize) -> Resources {
        let Some(laid) = self.grid.lay(span, near) else {
            return Resources::default();
        };
        match span.on_cpu {
            true => self.running.pay(&laid),
            false => self.waiting.pay(&laid),
        }
    }
}
