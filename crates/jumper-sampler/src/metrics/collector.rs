//! What a source of metrics is, and what all sources share.

use super::MetricsError;
use super::level::Level;
use super::metric::Metric;
use super::procfs::MachineUnits;
use super::tree::ProcessTree;
use crate::{Pid, Timestamp};

/// One source of metrics. Each fills its own columns in every row of a sample.
///
/// A collector remembers what it needs from one sample to the next, e.g. totals to difference. It does not fail: a
/// value that it cannot read stays `None`. It must not wait, since all others wait with it: who has to, as for a driver or an
/// interpreter, reads on a thread of its own and hands over here what that one read last.
///
/// ```
/// use jumper_sampler::metrics::{Collector, Kind, Level, Metric, Scan, Unit};
///
/// /// The number of processes with an even number.
/// struct EvenPids([Metric; 1]);
///
/// impl EvenPids {
///     fn new() -> Self {
///         Self([Metric::new("even_pids".into(), Unit::Count, Kind::Gauge, "even process numbers")])
///     }
/// }
///
/// impl Collector for EvenPids {
///     fn metrics(&self) -> &[Metric] {
///         &self.0
///     }
///
///     fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
///         values[0] = scan.pids(level).map(|pids| pids.filter(|pid| pid.get() % 2 == 0).count() as f64);
///     }
/// }
/// # EvenPids::new();
/// ```
pub trait Collector: Send {
    /// The columns it fills. More may come at the end while samples are taken; those that were there stay.
    fn metrics(&self) -> &[Metric];

    /// Called once before each sample, for what is not any level's.
    fn begin(&mut self, _scan: &Scan) {}

    /// Fills in the values of `level`.
    ///
    /// `values` is aligned with [`metrics`](Self::metrics) and all `None`. Called once for each level and sample, in the order
    /// of [`Level::ALL`].
    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]);

    /// Something that whoever reads the recording should know, each once: that the source is late, or gone.
    fn take_note(&mut self) -> Option<String> {
        None
    }
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

    /// The processes of `level` that run; `None` where they are not known, or nobody asked for the level.
    pub fn pids(&self, level: Level) -> Option<impl Iterator<Item = Pid>> {
        (level == Level::Process).then(|| {
            self.tree
                .running()
                .map(|(process, _)| Pid::new(process.pid))
        })
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
