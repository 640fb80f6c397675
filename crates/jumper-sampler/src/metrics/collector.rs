//! What a source of metrics is, and what all sources share.

use super::MetricsError;
use super::metric::{Level, Metric};
use super::procfs::MachineUnits;
use super::tree::ProcessTree;
use crate::{Pid, Timestamp};

/// One source of metrics. Each fills its own columns in every row of a sample.
///
/// A collector remembers what it needs from one sample to the next, e.g. totals to difference. It does not fail: a
/// value that it cannot read stays `None`. It must not wait, since all others wait with it.
///
/// ```
/// use jumper_sampler::metrics::{Collector, Kind, Level, Metric, Scan, Unit};
///
/// /// The number of processes with an even number.
/// struct EvenPids;
///
/// impl Collector for EvenPids {
///     fn metrics(&self) -> &'static [Metric] {
///         const METRICS: [Metric; 1] =
///             [Metric { name: "even_pids", unit: Unit::Count, kind: Kind::Gauge, help: "even process numbers" }];
///         &METRICS
///     }
///
///     fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
///         if level == Level::Process {
///             values[0] = Some(scan.pids().filter(|pid| pid.get() % 2 == 0).count() as f64);
///         }
///     }
/// }
/// ```
pub trait Collector: Send {
    /// The columns it fills, always the same.
    fn metrics(&self) -> &'static [Metric];

    /// Fills in the values of `level`.
    ///
    /// `values` is aligned with [`metrics`](Self::metrics) and all `None`. Called once for each level and sample.
    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]);
}

/// What is read once for all collectors of a sample: its time, and the observed processes.
#[derive(Debug)]
pub struct Scan {
    time: Timestamp,
    root: Pid,
    units: MachineUnits,
    tree: ProcessTree,
}

impl Scan {
    pub(super) fn new(root: Pid) -> Result<Self, MetricsError> {
        let units = MachineUnits::read()?;
        Ok(Self {
            time: Timestamp::now(),
            root,
            units,
            tree: ProcessTree::new(root, units)?,
        })
    }

    pub(super) fn refresh(&mut self, time: Timestamp) {
        self.time = time;
        self.tree.scan();
    }

    /// When the sample was taken; to be used for rates.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The process that the others descend from. It may have ended.
    pub fn root(&self) -> Pid {
        self.root
    }

    /// The observed processes that run, ancestors before descendants.
    pub fn pids(&self) -> impl Iterator<Item = Pid> {
        self.tree
            .running()
            .map(|(process, _)| Pid::new(process.pid))
    }

    /// Whether none of the observed processes runs any more.
    pub fn is_empty(&self) -> bool {
        self.tree.running().next().is_none()
    }

    pub(super) fn tree(&self) -> &ProcessTree {
        &self.tree
    }

    pub(super) fn units(&self) -> MachineUnits {
        self.units
    }
}
