//! Who used what.

use std::sync::Arc;

use crate::analysis::changes::{Change, Meaning, changes};
use crate::analysis::resources::{Resource, Resources};
use crate::analysis::source::{Source, sources};
use crate::analysis::timeline::{Draft, Span, Timeline};
use crate::analysis::unit::{Dimension, Unit};
use crate::tables::{Sample, ThreadState};
use crate::{Host, MetricId, Parts, Session, StackId};

/// The level whose measurements are those of the observed program.
const LEVEL: &str = "process";

/// No change of a metric is larger, in bytes or seconds: a file may say anything, and sums of what it says must stay numbers.
const MOST: f64 = 9e18;

/// An estimate of what each sample, and so each call, used of the machine.
///
/// Between two measurements of the program (level `process`) it is known how much it used in all. That is shared out among the samples of its
/// host in between, by their time:
/// - among those whose thread was on a CPU, because CPU time, a page that is touched and a read or write that is
///   begun are all the work of a running thread; one that waits in the meantime gets nothing;
/// - where none was, among all, except for CPU time, which then belongs to what is not sampled: child processes, and
///   threads without Python frames;
/// - where there was no sample at all, among nobody: that is [`unattributed`](Self::unattributed).
///
/// A sample that reaches from one interval into the next gets of both. What a session's samples have together, and what is
/// unattributed, is what was [measured](Self::measured).
///
/// It is an estimate because measurements are much further apart than calls: what ran together between two of them shares
/// what only one of them used. Over many measurements that evens out, unless calls keep step with them.
///
/// Without a measurement of CPU time it is the time of samples on a CPU. Metrics that several recordings of a host made at the same time,
/// in a merged session, say nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution {
    shared: Arc<Shared>,
}

#[derive(Clone, Debug, PartialEq)]
struct Shared {
    /// By host; `None` where the program was not measured.
    timelines: Vec<Option<Timeline>>,
    /// By host: whether CPU time is that of the samples.
    cpu_is_sampled: Vec<bool>,
    /// By resource; `None` is unknown.
    measured: [Option<f64>; Resource::ALL.len()],
    unattributed: Resources,
}

impl Attribution {
    /// What of a session it is made of.
    pub const NEEDS: Parts = Parts::SAMPLES.with(Parts::METRICS);

    /// The attribution of a session. Of one that was [selected](Session::select) from another it is that of the whole, of which
    /// its samples get their part: the others used what they used.
    ///
    /// # Panics
    /// If [parts](Self::NEEDS) of the session were not read.
    pub fn of(session: &Session) -> Self {
        match &session.attribution {
            Some(of_whole) => of_whole.clone(),
            // It was saved, and what it was a part of is gone.
            None if session.manifest().is_part => Self {
                shared: Arc::new(Shared::of_nothing(session)),
            },
            None => Self {
                shared: Arc::new(Shared::of(session)),
            },
        }
    }

    /// Whether nothing is known of anything.
    pub fn is_empty(&self) -> bool {
        self.shared.measured.iter().all(Option::is_none)
    }

    /// How much was used in all, in the unit of the resource; `None` where it is not known. Of a selected session it is that of
    /// the whole.
    pub fn measured(&self, resource: Resource) -> Option<f64> {
        self.shared.measured[resource as usize]
    }

    /// How much of what was measured no sample has; `None` where nothing was measured.
    pub fn unattributed(&self, resource: Resource) -> Option<f64> {
        let amount = self.shared.unattributed.get(resource);
        self.measured(resource).map(|_| amount)
    }

    /// What a sample of the session used.
    pub fn share(&self, sample: &Sample) -> Resources {
        self.shares().next(sample)
    }

    /// What one sample after the other used, which is faster.
    pub(crate) fn shares(&self) -> Shares<'_> {
        Shares {
            shared: &self.shared,
            near: 0,
        }
    }

    /// What was used while each stack was the one that ran, by [`StackId`].
    pub fn own_of_stacks(&self, session: &Session) -> Vec<Resources> {
        let mut own = vec![Resources::default(); session.stacks().len()];
        let mut shares = self.shares();
        for sample in session.samples().iter() {
            if let Some(stack) = sample.stack.map(StackId::index) {
                own[stack] += shares.next(&sample);
            }
        }
        own
    }
}

/// Pays samples; made by [`Attribution::shares`].
pub(crate) struct Shares<'a> {
    shared: &'a Shared,
    near: usize,
}

impl Shares<'_> {
    pub(crate) fn next(&mut self, sample: &Sample) -> Resources {
        let host = sample.host.index();
        let timeline = self.shared.timelines.get(host).and_then(Option::as_ref);
        let mut share = match timeline {
            Some(timeline) => timeline.pay(Span::of(sample), &mut self.near),
            None => Resources::default(),
        };
        let is_sampled = self.shared.cpu_is_sampled.get(host) == Some(&true);
        if is_sampled && sample.state.contains(ThreadState::ON_CPU) {
            share.add(Resource::CpuTime, sample.duration.as_secs_f64());
        }
        share
    }
}

impl Shared {
    /// Nothing is known.
    fn of_nothing(session: &Session) -> Self {
        let hosts = session.hosts().len();
        Self {
            timelines: vec![None; hosts],
            cpu_is_sampled: vec![false; hosts],
            measured: Default::default(),
            unattributed: Resources::default(),
        }
    }

    fn of(session: &Session) -> Self {
        let hosts = session.hosts().len();
        let mut drafts: Vec<Option<Draft>> = Vec::new();
        drafts.resize_with(hosts, || None);
        let mut used: Vec<Vec<(Resource, Vec<Change>)>> = vec![Vec::new(); hosts];
        for source in sources(session) {
            if session.string(source.level) != LEVEL {
                continue;
            }
            let host = source.host.index();
            let edges = (0..source.len()).map(|place| source.time(place).as_nanos());
            drafts[host] = Draft::new(edges.collect());
            used[host] = used_at(session, &source, &session.hosts()[host]);
        }
        let cpu_is_sampled: Vec<bool> = used
            .iter()
            .map(|used| {
                used.iter()
                    .all(|(resource, _)| *resource != Resource::CpuTime)
            })
            .collect();
        let mut sampled_cpu = 0.0;
        for sample in session.samples().iter() {
            let host = sample.host.index();
            if let Some(draft) = &mut drafts[host] {
                draft.add(Span::of(&sample));
            }
            if cpu_is_sampled[host] && sample.state.contains(ThreadState::ON_CPU) {
                sampled_cpu += sample.duration.as_secs_f64();
            }
        }
        let mut measured = [None; Resource::ALL.len()];
        for (resource, changes) in used.iter().flatten() {
            let sum: f64 = changes.iter().map(|change| change.amount).sum();
            *measured[*resource as usize].get_or_insert(0.0) += sum;
        }
        // Who does not look whether threads run has none that does.
        if sampled_cpu > 0.0 {
            *measured[Resource::CpuTime as usize].get_or_insert(0.0) += sampled_cpu;
        }
        let mut unattributed = Resources::default();
        let timelines = drafts
            .into_iter()
            .zip(&used)
            .map(|(draft, used)| Some(draft?.finish(used, &mut unattributed)));
        Self {
            timelines: timelines.collect(),
            cpu_is_sampled,
            measured,
            unattributed,
        }
    }
}

/// What was used of each resource whose metrics say it.
fn used_at(session: &Session, source: &Source<'_>, host: &Host) -> Vec<(Resource, Vec<Change>)> {
    use Resource::{
        BytesRead, BytesWritten, CpuTime, GpuMemoryFreed, GpuMemoryGained, GpuTime, MemoryFreed,
        MemoryGained,
    };
    // An average over GPUs is that of one. Where they were not counted there is one at least.
    let gpus = host.gpus.len().max(1) as f64;
    let cpus = (host.cpus > 0).then_some(f64::from(host.cpus));
    let find = |names: &[&str], amounts: Amounts| {
        let found = names.iter().map(|name| amounts.of(session, source, name));
        found
            .into_iter()
            .find(|found| !found.is_empty())
            .unwrap_or_default()
    };
    let total = |dimension, times| Amounts {
        dimension,
        times,
        is_level: false,
    };
    let level = |times| Amounts {
        dimension: Dimension::Bytes,
        times,
        is_level: true,
    };
    let mut cpu = find(&["cpu_time"], total(Dimension::Seconds, 1.0));
    if let Some(cpus) = cpus.filter(|_| cpu.is_empty()) {
        cpu = find(&["cpu_util_avg"], total(Dimension::Share, cpus));
    }
    // What is unique to a process takes long to count, and is measured more seldom than what it has in memory.
    let memory = find(&["rss", "memory"], level(1.0));
    let gpu_memory = find(&["gpu_mem_avg"], level(gpus));
    let all = [
        (CpuTime, cpu),
        (MemoryGained, part(&memory, 1.0)),
        (MemoryFreed, part(&memory, -1.0)),
        (BytesRead, find(&["io_read"], total(Dimension::Bytes, 1.0))),
        (
            BytesWritten,
            find(&["io_write"], total(Dimension::Bytes, 1.0)),
        ),
        (
            GpuTime,
            find(&["gpu_util_avg"], total(Dimension::Share, gpus)),
        ),
        (GpuMemoryGained, part(&gpu_memory, 1.0)),
        (GpuMemoryFreed, part(&gpu_memory, -1.0)),
    ];
    all.into_iter()
        .filter(|(_, changes)| !changes.is_empty())
        .collect()
}

/// The changes in one direction, as amounts that are not negative.
fn part(changes: &[Change], sign: f64) -> Vec<Change> {
    let part = |change: &Change| Change {
        amount: (change.amount * sign).max(0.0),
        ..*change
    };
    changes.iter().map(part).collect()
}

/// How a metric is to be read to give bytes or seconds.
struct Amounts {
    dimension: Dimension,
    times: f64,
    is_level: bool,
}

impl Amounts {
    /// Nothing where there is no such metric, where it measures something else, or where nothing is known of it.
    fn of(&self, session: &Session, source: &Source<'_>, name: &str) -> Vec<Change> {
        let metrics = session.metrics();
        let metric: Option<MetricId> = metrics.find(name);
        let Some((metric, column)) = metric.map(|metric| (metric, metrics.column(metric))) else {
            return Vec::new();
        };
        let Some(unit) = Unit::of(column).filter(|unit| unit.dimension == self.dimension) else {
            return Vec::new();
        };
        let meaning = match (Meaning::of(column), self.dimension) {
            (Meaning::Level, Dimension::Bytes) if self.is_level => Meaning::Level,
            // So much of what there is, over a time, is that part of the time.
            (Meaning::Level, Dimension::Share) => Meaning::Rate,
            (meaning @ (Meaning::Count | Meaning::Rate), Dimension::Bytes | Dimension::Seconds)
                if !self.is_level =>
            {
                meaning
            }
            _ => return Vec::new(),
        };
        let found = changes(source, metric, meaning).into_iter();
        let scaled = found.map(|change| Change {
            amount: change.amount * unit.size * self.times,
            ..change
        });
        scaled
            .filter(|change| change.amount.abs() <= MOST)
            .map(|change| Change {
                // A share or a rate that is negative is none.
                amount: match self.is_level {
                    true => change.amount,
                    false => change.amount.max(0.0),
                },
                ..change
            })
            .collect()
    }
}
