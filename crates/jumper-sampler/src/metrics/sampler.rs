//! The sampler: asks every collector, level by level, and puts the answers into one table.

use std::fmt;
use std::ops::Range;

use super::MetricsError;
use super::collector::{Collector, Scan};
use super::cpu::Cpu;
use super::io::Io;
use super::memory::Memory;
use super::metric::{Level, Metric};
use super::threads::Threads;
use crate::{Pid, Timestamp};

const LEVELS: [Level; 2] = [Level::Process, Level::System];

/// The values of one level at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricsRow {
    /// Whose use this is.
    pub level: Level,
    /// One value for each of [`MetricsSampler::metrics`], in that order and in the metric's unit. `None` is unknown:
    /// it could not be read, does not exist at this level, or is a rate and there is no earlier reading yet.
    pub values: Vec<Option<f64>>,
}

/// What was used at one time, at every level.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricsSample {
    /// When the sample was taken. A rate is the mean from the previous sample's time to this one.
    pub time: Timestamp,
    /// One row for each level, always in the same order.
    pub rows: Vec<MetricsRow>,
}

impl MetricsSample {
    /// The row of a level; `None` for a level that the sampler does not know.
    pub fn row(&self, level: Level) -> Option<&MetricsRow> {
        self.rows.iter().find(|row| row.level == level)
    }
}

/// Samples what a process, its descendants and the machine use.
///
/// It is passive: a sample is taken when asked for, and everything is relative to the first one. Half a second
/// between samples is a good start; much less and the kernel's clock ticks show (10 ms of processor time).
pub struct MetricsSampler {
    scan: Scan,
    collectors: Vec<Columns>,
    metrics: Vec<Metric>,
    sample: MetricsSample,
}

/// A collector and where in a row its values go.
struct Columns {
    collector: Box<dyn Collector>,
    range: Range<usize>,
}

impl MetricsSampler {
    /// A sampler of `root` and its descendants, with all collectors of this crate.
    ///
    /// # Errors
    ///
    /// [`MetricsError::NoSuchProcess`] where `root` does not run, [`MetricsError::Proc`] where `/proc` does not work
    /// as expected.
    pub fn new(root: Pid) -> Result<Self, MetricsError> {
        let scan = Scan::new(root)?;
        let rows = LEVELS
            .map(|level| MetricsRow {
                level,
                values: Vec::new(),
            })
            .into();
        let sample = MetricsSample {
            time: scan.time(),
            rows,
        };
        let mut sampler = Self {
            scan,
            collectors: Vec::new(),
            metrics: Vec::new(),
            sample,
        };
        for collector in standard_collectors() {
            sampler.add_collector(collector)?;
        }
        Ok(sampler)
    }

    /// Adds a source, whose metrics come after those that are there.
    ///
    /// # Errors
    ///
    /// [`MetricsError::DuplicateMetric`] where one of its metrics has a name that is taken; nothing is added then.
    pub fn add_collector(&mut self, collector: Box<dyn Collector>) -> Result<(), MetricsError> {
        let added = collector.metrics();
        for (at, Metric { name, .. }) in added.iter().enumerate() {
            if self.position(name).is_some()
                || added[..at].iter().any(|metric| metric.name == *name)
            {
                return Err(MetricsError::DuplicateMetric { name });
            }
        }
        let range = self.metrics.len()..self.metrics.len() + added.len();
        self.metrics.extend_from_slice(added);
        self.collectors.push(Columns { collector, range });
        for row in &mut self.sample.rows {
            row.values.resize(self.metrics.len(), None);
        }
        Ok(())
    }

    /// What is measured: the columns of every row, in order.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// The column of the metric called `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.metrics.iter().position(|metric| metric.name == name)
    }

    /// Takes a sample now. It replaces the one before, which has to be cloned to be kept.
    ///
    /// This never fails. Once the observed processes have all ended, the row of [`Level::Process`] has zero
    /// `processes` and `threads`, keeps its counters, and has nothing else.
    pub fn sample(&mut self) -> &MetricsSample {
        let time = Timestamp::now();
        self.scan.refresh(time);
        self.sample.time = time;
        for MetricsRow { level, values } in &mut self.sample.rows {
            values.fill(None);
            for Columns { collector, range } in &mut self.collectors {
                collector.collect(*level, &self.scan, &mut values[range.clone()]);
            }
        }
        &self.sample
    }
}

impl fmt::Debug for MetricsSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsSampler")
            .field("root", &self.scan.root())
            .finish_non_exhaustive()
    }
}

fn standard_collectors() -> [Box<dyn Collector>; 4] {
    [
        Box::<Cpu>::default(),
        Box::<Memory>::default(),
        Box::<Io>::default(),
        Box::<Threads>::default(),
    ]
}
