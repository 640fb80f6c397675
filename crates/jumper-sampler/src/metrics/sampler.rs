//! The sampler: asks every collector, level by level, and puts the answers into one table.

use std::fmt;
use std::time::Duration;

use super::MetricsError;
use super::background::Background;
use super::collector::{Collector, Scan};
use super::counts::Counts;
use super::cpu::Cpu;
use super::energy::Energy;
use super::faults::Faults;
use super::file_system::FileSystem;
use super::frequency::Frequency;
use super::gpu::{Found, GpuInfo, Gpus};
use super::io::Io;
use super::level::Level;
use super::memory::Memory;
use super::metric::Metric;
use super::network::Network;
use super::options::MetricsOptions;
use super::pressure::Pressure;
use super::source::Source;
use super::system_calls::thread_cpu_time;
use super::watch::Watch;
use crate::{Pid, Timestamp};

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
    /// Those that are read in place, then those that are asked in the background and may be waited for.
    collectors: Vec<Columns>,
    in_place: usize,
    metrics: Vec<Metric>,
    sample: MetricsSample,
    notes: Vec<String>,
    gpus: Found,
    is_sampled: bool,
    cost: Cost,
    watches: [Watch; Level::ALL.len()],
}

/// What samples have cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// How many were taken.
    pub samples: u64,
    /// The processor time that all of them took.
    pub cpu_time: Duration,
    /// The processor time of the dearest, which is mostly the first.
    pub longest: Duration,
}

/// A collector and where in a row its values go.
struct Columns {
    collector: Box<dyn Collector>,
    /// The column of each of its metrics; `None` for one that came late under a name that was taken.
    positions: Vec<Option<usize>>,
    values: Vec<Option<f64>>,
}

impl MetricsSampler {
    /// A sampler of `root` and its descendants, with all collectors of this crate.
    ///
    /// # Errors
    ///
    /// [`MetricsError::NoSuchProcess`] where `root` does not run, [`MetricsError::Proc`] where `/proc` does not work
    /// as expected.
    pub fn new(root: Pid) -> Result<Self, MetricsError> {
        Self::with_options(root, &MetricsOptions::default())
    }

    /// The same for other levels.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_options(root: Pid, options: &MetricsOptions) -> Result<Self, MetricsError> {
        let scan = Scan::new(root, options)?;
        let rows = options.levels.iter().map(|&level| MetricsRow {
            level,
            values: Vec::new(),
        });
        let sample = MetricsSample {
            time: scan.time(),
            rows: rows.collect(),
        };
        let mut sampler = Self {
            scan,
            collectors: Vec::new(),
            in_place: 0,
            metrics: Vec::new(),
            sample,
            notes: Vec::new(),
            gpus: Found::default(),
            cost: Cost::default(),
            is_sampled: false,
            watches: Default::default(),
        };
        for collector in standard_collectors(&sampler.scan, options) {
            sampler.add_collector(collector)?;
        }
        for level in sampler.levels().collect::<Vec<_>>() {
            if let Some(why) = sampler.scan.why_unknown(level) {
                sampler
                    .notes
                    .push(format!("level {level} is unknown: {why}"));
            }
        }
        let gpus = Gpus::new();
        sampler.gpus = gpus.found();
        sampler.add_source(gpus)?;
        Ok(sampler)
    }

    /// Adds a source, whose metrics come after those that are there.
    ///
    /// # Errors
    ///
    /// [`MetricsError::DuplicateMetric`] where one of its metrics has a name that is taken; nothing is added then.
    pub fn add_collector(&mut self, collector: Box<dyn Collector>) -> Result<(), MetricsError> {
        self.add(self.in_place, collector)?;
        self.in_place += 1;
        Ok(())
    }

    fn add(&mut self, at: usize, collector: Box<dyn Collector>) -> Result<(), MetricsError> {
        let added = collector.metrics();
        for (number, Metric { name, .. }) in added.iter().enumerate() {
            if self.position(name).is_some()
                || added[..number].iter().any(|metric| metric.name == *name)
            {
                return Err(MetricsError::DuplicateMetric {
                    name: name.to_string(),
                });
            }
        }
        let columns = Columns {
            collector,
            positions: Vec::new(),
            values: Vec::new(),
        };
        self.collectors.insert(at, columns);
        self.take_in(at);
        Ok(())
    }

    /// Adds a source that is asked on a thread of its own, and that nobody waits for.
    ///
    /// # Errors
    ///
    /// As [`add_collector`](Self::add_collector).
    pub fn add_source(&mut self, source: impl Source) -> Result<(), MetricsError> {
        self.add(self.collectors.len(), Box::new(Background::start(source)))
    }

    /// Gives the metrics of a collector that have none yet a column each.
    fn take_in(&mut self, collector: usize) {
        let columns = &mut self.collectors[collector];
        let declared = columns.collector.metrics();
        for metric in &declared[columns.positions.len()..] {
            let is_taken = self.metrics.iter().any(|known| known.name == metric.name);
            if is_taken {
                self.notes.push(format!(
                    "a second metric `{}` is left out; give it another name",
                    metric.name
                ));
            } else {
                self.metrics.push(metric.clone());
            }
            columns
                .positions
                .push((!is_taken).then(|| self.metrics.len() - 1));
        }
        columns.values.resize(columns.positions.len(), None);
        for row in &mut self.sample.rows {
            row.values.resize(self.metrics.len(), None);
        }
    }

    /// What is measured: the columns of every row, in order. A sample may add some at the end.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// Whose use is measured: the rows of every sample, in order.
    pub fn levels(&self) -> impl Iterator<Item = Level> {
        self.sample.rows.iter().map(|row| row.level)
    }

    /// The GPUs in the order in which metrics number them; empty until they are found, which is after the first sample.
    pub fn gpus(&self) -> &[GpuInfo] {
        self.gpus.get()
    }

    /// The column of the metric called `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.metrics.iter().position(|metric| metric.name == name)
    }

    /// What there is to say since the last call, for whoever reads the recording: that a source is late, or gone.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// The sample that was taken last, if there was one.
    pub fn last(&self) -> Option<&MetricsSample> {
        self.is_sampled.then_some(&self.sample)
    }

    /// Takes a sample now. It replaces the one before, which has to be cloned to be kept.
    ///
    /// This never fails. Once the observed processes have all ended, the row of [`Level::Process`] has zero
    /// `processes` and `threads`, keeps its counters, and has nothing else.
    pub fn sample(&mut self) -> &MetricsSample {
        let began = thread_cpu_time();
        let time = Timestamp::now();
        self.scan.refresh(time);
        self.sample.time = time;
        self.is_sampled = true;
        for at in 0..self.collectors.len() {
            let columns = &mut self.collectors[at];
            columns.collector.begin(&self.scan);
            self.notes.extend(columns.collector.take_note());
            if columns.collector.metrics().len() > columns.positions.len() {
                self.take_in(at);
            }
        }
        for MetricsRow { values, .. } in &mut self.sample.rows {
            values.fill(None);
        }
        for columns in &mut self.collectors {
            for MetricsRow { level, values } in &mut self.sample.rows {
                columns.values.fill(None);
                columns
                    .collector
                    .collect(*level, &self.scan, &mut columns.values);
                for (position, value) in columns.positions.iter().zip(&columns.values) {
                    if let Some(position) = position {
                        values[*position] = *value;
                    }
                }
            }
        }
        self.watch();
        let took = thread_cpu_time().saturating_sub(began);
        self.cost.samples += 1;
        self.cost.cpu_time += took;
        self.cost.longest = self.cost.longest.max(took);
        &self.sample
    }

    /// Notes what was known before and is not any more, of what is read here: sources speak for themselves. That the processes
    /// of a level have ended is no loss.
    fn watch(&mut self) {
        let in_place = &self.collectors[..self.in_place];
        let is_watched = |at: usize| {
            let mut positions = in_place.iter().flat_map(|columns| &columns.positions);
            positions.any(|&position| position == Some(at))
        };
        for MetricsRow { level, values } in &self.sample.rows {
            if *level == Level::System || !self.scan.is_empty(*level) {
                let look = (self.sample.time, *level);
                let watch = &mut self.watches[*level as usize];
                let lost = watch.look(look, &self.metrics, values, is_watched);
                self.notes.extend(lost);
            }
        }
    }

    /// What samples have cost so far, without what sources do on threads of their own.
    pub fn cost(&self) -> Cost {
        self.cost
    }
}

impl fmt::Debug for MetricsSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsSampler")
            .field("root", &self.scan.root())
            .finish_non_exhaustive()
    }
}

fn standard_collectors(scan: &Scan, options: &MetricsOptions) -> [Box<dyn Collector>; 10] {
    [
        Box::new(Cpu::new(scan)),
        Box::new(Memory::new(scan, options.slow_beat)),
        Box::new(Io::new(scan)),
        Box::new(Counts),
        Box::new(Network::new(scan)),
        Box::new(Faults::new(scan)),
        Box::new(Pressure::new(scan)),
        Box::new(FileSystem::new(scan)),
        Box::new(Frequency::new(scan)),
        Box::new(Energy::new(scan)),
    ]
}
