//! What a level was short of: JUmPER's performance tags.

use std::fmt;

use crate::analysis::source::{Source, sources};
use crate::analysis::statistics::Limits;
use crate::analysis::summary::Summary;
use crate::analysis::unit::{Dimension, Unit};
use crate::{HostId, MetricId, Session, StringId, Thresholds};

const GIB: f64 = 1_073_741_824.0;

/// What a level was short of. The names are JUmPER's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PerformanceTag {
    /// Nothing.
    Normal,
    /// Processors.
    CpuBound,
    /// Memory.
    MemoryBound,
    /// The GPUs' processors.
    GpuUtilBound,
    /// The GPUs' memory.
    GpuMemoryBound,
    /// Nothing, but it kept memory of GPUs that did nothing.
    GpuAllocatedButNotUsed,
}

impl PerformanceTag {
    /// The name, such as `cpu-bound`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::CpuBound => "cpu-bound",
            Self::MemoryBound => "memory-bound",
            Self::GpuUtilBound => "gpu-util-bound",
            Self::GpuMemoryBound => "gpu-memory-bound",
            Self::GpuAllocatedButNotUsed => "gpu-allocated-but-not-used",
        }
    }
}

impl fmt::Display for PerformanceTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A tag with how much speaks for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TagScore {
    /// The tag.
    pub tag: PerformanceTag,
    /// The share that was used, from 0 to 1; of
    /// [`GpuAllocatedButNotUsed`](PerformanceTag::GpuAllocatedButNotUsed) that of the measurements in which it was so.
    pub score: f64,
}

/// What one level of one host was short of.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// The machine.
    pub host: HostId,
    /// The level, such as `process`.
    pub level: StringId,
    /// What is to be said of it, in JUmPER's order: a GPU that was kept and not used, then what was used by the largest share;
    /// [`Normal`](PerformanceTag::Normal) alone where it is nothing else.
    pub tags: Vec<TagScore>,
    /// The tags of which nobody knows whether they apply, because the metric or its limit is not known. They are not in
    /// `tags`; JUmPER counts them as not given, too.
    pub unknown: Vec<PerformanceTag>,
}

impl Signature {
    /// The signatures of a session, level by level as they appear, by the [thresholds](crate::Manifest::thresholds) that it was
    /// given, else JUmPER's.
    pub fn of(session: &Session) -> Vec<Self> {
        let thresholds = session.manifest().thresholds.unwrap_or_default();
        let judge = |source: &Source<'_>| {
            let (tags, unknown) = Usage::of(session, source).judge(&thresholds);
            Self {
                host: source.host,
                level: source.level,
                tags,
                unknown,
            }
        };
        sources(session).iter().map(judge).collect()
    }

    /// Whether there is nothing to be said.
    pub fn is_normal(&self) -> bool {
        self.tags
            .iter()
            .all(|score| score.tag == PerformanceTag::Normal)
    }
}

/// What tags are given for: shares of what there was, `None` where they are not known.
struct Usage {
    memory: Option<f64>,
    cpu: Option<f64>,
    gpu_util: Option<f64>,
    gpu_memory: Option<f64>,
    /// For each measurement a GPU's memory in GiB and its utilisation in percent. `None` where there is no GPU.
    gpu: Option<Vec<(Option<f64>, Option<f64>)>>,
}

impl Usage {
    fn of(session: &Session, source: &Source<'_>) -> Self {
        let host = &session.hosts()[source.host.index()];
        let limits = Limits::of(host, session.string(source.level));
        let metric = |name, dimension| Measured::of(session, source, name, dimension);
        let (memory, cpu) = (
            metric("memory", Dimension::Bytes),
            metric("cpu_util_avg", Dimension::Share),
        );
        let gpu_util = metric("gpu_util_avg", Dimension::Share);
        let gpu_memory = metric("gpu_mem_avg", Dimension::Bytes);
        let share = |measured: &Option<Measured<'_, '_>>, limit: Option<f64>| {
            let limit = limit.filter(|limit| *limit > 0.0)?;
            Some((measured.as_ref()?.average()? / limit).clamp(0.0, 1.0))
        };
        let gibibytes = |bytes: Option<f64>| bytes.map(|bytes| bytes / GIB);
        Self {
            memory: share(&memory, gibibytes(limits.memory)),
            cpu: share(&cpu, Some(100.0)),
            gpu_util: share(&gpu_util, Some(100.0)),
            gpu_memory: share(&gpu_memory, gibibytes(limits.gpu_memory)),
            gpu: limits
                .gpu_memory
                .and(gpu_memory)
                .zip(gpu_util)
                .map(|(memory, utilisation)| {
                    let places = 0..source.len();
                    places
                        .map(|place| (memory.value(place), utilisation.value(place)))
                        .collect()
                }),
        }
    }

    fn judge(&self, thresholds: &Thresholds) -> (Vec<TagScore>, Vec<PerformanceTag>) {
        use PerformanceTag::{
            CpuBound, GpuAllocatedButNotUsed, GpuMemoryBound, GpuUtilBound, MemoryBound, Normal,
        };
        let mut unknown = Vec::new();
        let mut tags = Vec::new();
        // Of equal shares the first of these comes first.
        for (tag, share, threshold) in [
            (MemoryBound, self.memory, thresholds.memory_ratio),
            (CpuBound, self.cpu, thresholds.cpu_ratio),
            (GpuUtilBound, self.gpu_util, thresholds.gpu_util_ratio),
            (GpuMemoryBound, self.gpu_memory, thresholds.gpu_memory_ratio),
        ] {
            match share {
                Some(score) if score >= threshold => tags.push(TagScore { tag, score }),
                Some(_) => {}
                None => unknown.push(tag),
            }
        }
        tags.sort_by(|one, other| other.score.total_cmp(&one.score));
        match self.unused_gpu(thresholds) {
            None => unknown.push(GpuAllocatedButNotUsed),
            Some(None) => {}
            Some(Some(score)) => tags.insert(
                0,
                TagScore {
                    tag: GpuAllocatedButNotUsed,
                    score,
                },
            ),
        }
        if tags.is_empty() {
            tags.push(TagScore {
                tag: Normal,
                score: 0.0,
            });
        }
        (tags, unknown)
    }

    /// The share of the measurements in which a GPU was allocated and idle, if it is large enough. `None` where that is not
    /// known: there is no measurement with both.
    fn unused_gpu(&self, thresholds: &Thresholds) -> Option<Option<f64>> {
        let rows = self.gpu.as_ref()?;
        let least = thresholds.gpu_alloc_min_mem_gb.max(0.0);
        let idle = thresholds.gpu_util_idle_threshold * 100.0;
        let is_allocated = |memory: &Option<f64>| memory.is_some_and(|memory| memory > least);
        let (mut known, mut allocated, mut unused) = (false, false, 0_usize);
        for (memory, utilisation) in rows {
            known |= memory.is_some() && utilisation.is_some();
            allocated |= is_allocated(memory);
            let is_idle = utilisation.is_some_and(|utilisation| utilisation <= idle);
            unused += usize::from(is_allocated(memory) && is_idle);
        }
        // What is not known in a measurement does not make it one that counts, but it is one of all.
        let share = unused as f64 / rows.len() as f64;
        let is_given = allocated && share >= thresholds.gpu_alloc_min_fraction;
        known.then_some(is_given.then_some(share))
    }
}

/// A metric in the unit that JUmPER has it in: GiB or percent.
struct Measured<'a, 'b> {
    source: &'a Source<'b>,
    metric: MetricId,
    size: f64,
}

impl<'a, 'b> Measured<'a, 'b> {
    /// `None` where there is no such metric, or where it is no `dimension`. One without a unit has JUmPER's.
    fn of(
        session: &Session,
        source: &'a Source<'b>,
        name: &str,
        dimension: Dimension,
    ) -> Option<Self> {
        let metric = session.metrics().find(name)?;
        let column = session.metrics().column(metric);
        let jumpers = match dimension {
            Dimension::Bytes => GIB,
            Dimension::Share => 0.01,
            Dimension::Seconds => 1.0,
        };
        let size = match Unit::of(column) {
            None if column.unit.is_empty() => 1.0,
            Some(unit) if unit.dimension == dimension && !unit.per_second => unit.size / jumpers,
            _ => return None,
        };
        Some(Self {
            source,
            metric,
            size,
        })
    }

    fn value(&self, place: usize) -> Option<f64> {
        Some(self.source.value(self.metric, place)? * self.size)
    }

    fn average(&self) -> Option<f64> {
        Some(Summary::of(self.source.known(self.metric))?.average * self.size)
    }
}
