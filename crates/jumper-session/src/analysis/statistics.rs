//! What each metric came to.

use crate::analysis::changes::{Meaning, changes};
use crate::analysis::source::{Source, sources};
use crate::analysis::summary::Summary;
use crate::analysis::unit::{Dimension, Unit};
use crate::{Host, HostId, MetricId, Session, StringId};

/// A metric of one level of one host in figures, all in the metric's unit. What is not known is in none of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricStatistics {
    /// Where it was measured.
    pub host: HostId,
    /// The level, such as `process`.
    pub level: StringId,
    /// The metric.
    pub metric: MetricId,
    /// Measurements of the level.
    pub rows: usize,
    /// Those that have a value of the metric: at least one.
    pub count: usize,
    /// The smallest value.
    pub min: f64,
    /// The mean of the values, whatever time lies between them, as JUmPER has it.
    pub average: f64,
    /// The largest value.
    pub max: f64,
    /// What was counted from the first row to the last: by how much a counter rose, or what a rate adds up to, in
    /// [`total_unit`](crate::MetricColumn::total_unit). `None` for levels, which add up to nothing, and where no two rows
    /// are known to follow each other.
    pub total: Option<f64>,
    /// What there was of it to use, where that is known: JUmPER's column `TOTAL`.
    pub limit: Option<f64>,
}

impl MetricStatistics {
    /// The statistics of a session, level by level as they appear, then metric by metric. A metric of which nothing is known
    /// at a level is left out.
    pub fn of(session: &Session) -> Vec<Self> {
        let all = sources(session);
        let each = all.iter().flat_map(|source| {
            (0..session.metrics().columns().len())
                .map(MetricId::from_len)
                .filter_map(move |metric| Self::of_source(session, source, metric))
        });
        each.collect()
    }

    fn of_source(session: &Session, source: &Source<'_>, metric: MetricId) -> Option<Self> {
        let column = session.metrics().column(metric);
        let summary = Summary::of(source.known(metric))?;
        let meaning = Meaning::of(column);
        let found = match meaning {
            Meaning::Level => Vec::new(),
            Meaning::Count | Meaning::Rate => changes(source, metric, meaning),
        };
        let total = found.iter().map(|change| change.amount).sum();
        let limits = Limits::of(
            &session.hosts()[source.host.index()],
            session.string(source.level),
        );
        let limit = limits.of_metric(&column.name).and_then(|bytes| {
            let unit = Unit::of(column).filter(|unit| unit.dimension == Dimension::Bytes)?;
            Some(bytes / unit.size)
        });
        Some(Self {
            host: source.host,
            level: source.level,
            metric,
            rows: source.len(),
            count: summary.count,
            min: summary.min,
            average: summary.average,
            max: summary.max,
            total: (!found.is_empty()).then_some(total),
            limit,
        })
    }
}

/// How much a level could use, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    pub(super) memory: Option<f64>,
    /// Of one GPU. Nothing where there is one of which the memory is not known.
    pub(super) gpu_memory: Option<f64>,
}

impl Limits {
    pub(super) fn of(host: &Host, level: &str) -> Self {
        let of_level = host.memory_limits.get(level).copied();
        let memory = of_level.unwrap_or(host.memory_bytes);
        let known = host.gpus.iter().find(|gpu| gpu.memory_bytes > 0);
        Self {
            memory: (memory > 0).then_some(memory as f64),
            gpu_memory: known
                .or(host.gpus.first())
                .map(|gpu| gpu.memory_bytes as f64),
        }
    }

    fn of_metric(&self, name: &str) -> Option<f64> {
        let limit = match name {
            "memory" | "rss" => self.memory,
            "gpu_mem_avg" | "gpu_mem_min" | "gpu_mem_max" => self.gpu_memory,
            _ => None,
        };
        limit.filter(|bytes| *bytes > 0.0)
    }
}
