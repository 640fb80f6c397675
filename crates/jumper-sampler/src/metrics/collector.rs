//! What a source of metrics is, and what all sources share.

use super::MetricsError;
use super::cgroup::Group;
use super::level::{Level, LevelSet};
use super::membership::Membership;
use super::metric::Metric;
use super::options::MetricsOptions;
use super::processes::Processes;
use super::procfs::MachineUnits;
use super::roots::Roots;
use super::slurm::Job;
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
    wanted: LevelSet,
    roots: Roots,
    units: MachineUnits,
    processes: Processes,
}

impl Scan {
    pub(super) fn new(root: Pid, options: &MetricsOptions) -> Result<Self, MetricsError> {
        let units = MachineUnits::read()?;
        let wanted: LevelSet = options.levels.iter().copied().collect();
        let roots = options.roots.clone();
        let membership = Membership::find(root, wanted, &roots);
        Ok(Self {
            time: Timestamp::now(),
            root,
            wanted,
            units,
            processes: Processes::new(root, wanted, membership, &roots, units)?,
            roots,
        })
    }

    pub(super) fn refresh(&mut self, time: Timestamp) {
        self.time = time;
        self.processes.scan(time);
    }

    /// When the sample was taken; to be used for rates.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The process that the others descend from. It may have ended.
    pub fn root(&self) -> Pid {
        self.root
    }

    /// The processes of `level` that run; `None` where they are not known, or nobody asked for the level, and for
    /// [`Level::System`], whose are all that there are.
    pub fn pids(&self, level: Level) -> Option<impl Iterator<Item = Pid>> {
        self.has_processes(level).then(|| {
            self.processes
                .running(level)
                .map(|(process, _)| Pid::new(process.pid))
        })
    }

    /// Whether none of the processes of `level` runs any more, or it is not known which they are.
    pub fn is_empty(&self, level: Level) -> bool {
        self.processes.present(level).processes == 0
    }

    /// Whether it is known which processes a level has.
    pub(super) fn has_processes(&self, level: Level) -> bool {
        let membership = self.processes.membership();
        self.wanted.contains(level)
            && match level {
                Level::Process => true,
                Level::User => membership.user.is_some(),
                Level::System => false,
                Level::Slurm => membership.job.is_some(),
                Level::Container => membership.container.is_some(),
            }
    }

    /// Why nothing can be known of a level that was asked for.
    pub(super) fn why_unknown(&self, level: Level) -> Option<&'static str> {
        (level != Level::System && !self.has_processes(level)).then_some(match level {
            Level::Slurm => "the process belongs to no job of Slurm",
            Level::Container => "the process is in no control group that can be seen",
            _ => "it cannot be told who the process runs as",
        })
    }

    /// The control group that is the level, if it is one, and what else is known of who belongs to levels.
    pub(super) fn group(&self, level: Level) -> Option<(&Group, &Membership)> {
        let membership = self.processes.membership();
        let group = match (level, &membership.job) {
            (Level::Slurm, Some(Job::Group(group))) => group,
            (Level::Container, _) => membership.container.as_ref()?,
            _ => return None,
        };
        Some((group, membership))
    }

    pub(super) fn processes(&self) -> &Processes {
        &self.processes
    }

    pub(super) fn units(&self) -> MachineUnits {
        self.units
    }

    pub(super) fn roots(&self) -> &Roots {
        &self.roots
    }
}
