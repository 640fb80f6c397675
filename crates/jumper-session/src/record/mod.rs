//! The recorder: from a process that runs to a [`Session`].
//!
//! Two threads look at the process, each on its own beat: one at its stacks, one at its resources. Both
//! append to one [`SessionBuilder`], which interns. The process is waited for only while one of its threads is read.
//!
//! | file | what it does |
//! | --- | --- |
//! | `stacks` | waits for the interpreter, samples it, translates what the sampler knows |
//! | `source` | the sampler, which recordings of the own process share |
//! | `metrics` | samples resources |
//! | `recorder` | what the threads record into |
//! | `inbox` | where that is until it is on disk |
//! | `journal` | keeps what there is on disk meanwhile |
//! | `sys_paths` | when to ask the program where its modules are |
//! | `facts` | what the session says about the machine and the program |
//! | `stop` | ends a thread that sleeps |
//!
//! A program that is started to be recorded can have the [`agent`] loaded into it, which makes looking at it cheaper.

mod facts;
mod inbox;
mod journal;
mod metrics;
mod recorder;
mod source;
mod stacks;
mod stop;
mod sys_paths;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jumper_sampler::metrics::Source as MetricsSource;
pub use jumper_sampler::metrics::{GpuInfo, Level, Limit, LimitSource, Limits, gpus};
use jumper_sampler::metrics::{MetricsError, MetricsOptions, MetricsSampler};
pub use jumper_sampler::{Agent, HoldMode, PerProcess, Pid, SysPaths};
use jumper_sampler::{Timestamp as Clock, Version, without_signals};

use crate::{
    Cell, CellId, CellOutcome, ClockAnchor, Hold, Manifest, MetricsSummary, Outcome, ProcessId,
    Program, Python, Session, SessionBuilder, StacksSummary, Timestamp,
};
pub use journal::Kept;
pub use metrics::{Measured, Watcher};
pub use recorder::Recorder;
use source::Source;

/// What a source of metrics of one's own is made of: see [`Recording::add_source`].
pub mod sources {
    pub use jumper_sampler::metrics::{
        Answer, Endpoint, Kind, Metric, MetricsError, Question, Scrape, Source, SourceError, Unit,
    };
}

/// How to record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordOptions {
    /// The time between two looks at the stacks. Default 1 ms.
    pub interval: Duration,
    /// The time between two measurements of resources; `None` for none. Default 0.5 s.
    pub metrics_interval: Option<Duration>,
    /// Whose use of resources is measured. Default: the process's and the system's.
    pub levels: Vec<Level>,
    /// How running threads are held while they are read. [`HoldMode::Agent`] is what
    /// [`Recording::start_through`] does; otherwise it is the same as [`HoldMode::Ptrace`].
    pub hold: HoldMode,
    /// The threads whose stacks are recorded, by the kernel's number; all where there are none.
    pub threads: Vec<u32>,
    /// Where the recording is kept while it goes on; in memory only by default. What is kept survives whatever
    /// ends the recorder, and takes no memory.
    pub kept: Option<Kept>,
}

/// An agent for one program that is going to be started: see [`Recording::start_through`].
///
/// # Errors
/// [`RecordError::Agent`] where the system gives no memory for it.
pub fn agent() -> Result<Agent, RecordError> {
    const LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/libjumper_agent.so"));
    Agent::new(LIBRARY).map_err(RecordError::Agent)
}

impl Default for RecordOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(1),
            metrics_interval: Some(Duration::from_millis(500)),
            levels: vec![Level::Process, Level::System],
            hold: HoldMode::Ptrace,
            threads: Vec::new(),
            kept: None,
        }
    }
}

impl RecordOptions {
    /// These options with another interval.
    ///
    /// # Errors
    /// [`RecordError::Interval`] for one that is not between 10 us and an hour.
    pub fn with_interval(self, seconds: f64) -> Result<Self, RecordError> {
        Ok(Self {
            interval: checked_interval(seconds)?,
            ..self
        })
    }

    /// These options with another interval for resources.
    ///
    /// # Errors
    /// [`RecordError::Interval`] for one that is not between 10 us and an hour.
    pub fn with_metrics_interval(self, seconds: f64) -> Result<Self, RecordError> {
        Ok(Self {
            metrics_interval: Some(checked_interval(seconds)?),
            ..self
        })
    }

    /// These options with resources of these levels.
    #[must_use]
    pub fn with_levels(self, levels: impl IntoIterator<Item = Level>) -> Self {
        Self {
            levels: levels.into_iter().collect(),
            ..self
        }
    }

    /// These options with another way to hold threads.
    #[must_use]
    pub fn with_hold(self, hold: HoldMode) -> Self {
        Self { hold, ..self }
    }

    /// These options with stacks of these threads only, which need not exist yet.
    #[must_use]
    pub fn with_threads(self, threads: impl IntoIterator<Item = u32>) -> Self {
        Self {
            threads: threads.into_iter().collect(),
            ..self
        }
    }

    /// These options with a place on disk, or without.
    #[must_use]
    pub fn with_kept(self, kept: Option<Kept>) -> Self {
        Self { kept, ..self }
    }

    /// These options without resources.
    #[must_use]
    pub fn without_metrics(self) -> Self {
        Self {
            metrics_interval: None,
            ..self
        }
    }
}

fn checked_interval(seconds: f64) -> Result<Duration, RecordError> {
    if (1e-5..=3600.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(RecordError::Interval { seconds })
    }
}

/// Why a recording could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The interval makes no sense.
    #[error(
        "an interval of {seconds} s cannot be kept; pass one from 0.00001 to 3600 seconds, such as 0.001"
    )]
    Interval {
        /// What was asked for.
        seconds: f64,
    },
    /// The process cannot be sampled.
    #[error(transparent)]
    Stacks(#[from] jumper_sampler::Error),
    /// Its resources cannot be measured.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// It cannot be kept where it was to be.
    #[error(transparent)]
    Session(#[from] crate::Error),
    /// The agent cannot be made.
    #[error(
        "cannot make the agent that is loaded into the program: {0}; do without it: `--hold ptrace`"
    )]
    Agent(#[source] std::io::Error),
    /// No thread could be started.
    #[error("cannot start a thread to record with: {0}; this user may have too many")]
    Thread(#[source] std::io::Error),
}

/// What to do about a process that is no Python, or not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// It is expected to become one: keep looking as long as it lives. For a program that was just started,
    /// which may go through a wrapper first.
    WhileItLives,
    /// It is expected to be one: give up within a second.
    ASecond,
}

/// What a recording looks at besides resources.
enum Look {
    /// Also at stacks, through this sampler or this agent where there is one.
    AtStacks(Option<Source>, Option<Agent>),
    /// At nothing.
    AtResources,
}

/// A recording that is going on.
#[derive(Debug)]
pub struct Recording {
    pid: Pid,
    process: ProcessId,
    options: RecordOptions,
    recorder: Recorder,
    clock: ClockAnchor,
    start: Timestamp,
    /// What the caller knows of it.
    sys_paths: SysPaths,
    /// What measures resources.
    sampler: Option<metrics::Shared>,
    /// Taken when the recording ends.
    stacks: Option<JoinHandle<stacks::Summary>>,
    metrics: Option<JoinHandle<metrics::Summary>>,
}

impl Drop for Recording {
    fn drop(&mut self) {
        if !self.is_ours() {
            // The handles of threads that do not exist here must not be touched.
            std::mem::forget((self.stacks.take(), self.metrics.take()));
            std::mem::forget(self.sampler.take());
        }
    }
}

/// How far a recording has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How long it has been going on.
    pub elapsed: Duration,
    /// The samples taken.
    pub samples: usize,
    /// The samples lost.
    pub lost: u64,
}

impl Recording {
    /// Starts to record the process `pid`.
    ///
    /// # Errors
    /// With [`Patience::ASecond`] whatever keeps the process from being sampled. With
    /// [`Patience::WhileItLives`] only what has to do with this side: that the process turned out to be no
    /// Python is then a note in the session, which holds its resources all the same.
    pub fn start(
        pid: Pid,
        options: RecordOptions,
        patience: Patience,
    ) -> Result<Self, RecordError> {
        let sampler = match patience {
            Patience::ASecond => Some(stacks::attach_within(
                pid,
                options.hold,
                Duration::from_secs(1),
            )?),
            Patience::WhileItLives => None,
        };
        Self::start_with(pid, options, Look::AtStacks(sampler, None))
    }

    /// Starts to record the process `pid`, a child of ours that was just started with the agent's
    /// [environment](Agent::environment). Where the program turns out to be without it, because it is linked
    /// statically, say, ptrace is used, and a note says so.
    ///
    /// # Errors
    /// As [`start`](Self::start) with [`Patience::WhileItLives`].
    pub fn start_through(
        agent: Agent,
        pid: Pid,
        options: RecordOptions,
    ) -> Result<Self, RecordError> {
        let look = Look::AtStacks(None, Some(agent));
        Self::start_with(pid, options.with_hold(HoldMode::Agent), look)
    }

    /// Starts to record resources only, of the process `pid` and of whatever else the levels are of.
    ///
    /// # Errors
    /// Where they cannot be measured, or not be kept.
    pub fn start_to_measure(pid: Pid, options: RecordOptions) -> Result<Self, RecordError> {
        Self::start_with(pid, options, Look::AtResources)
    }

    fn start_with(pid: Pid, options: RecordOptions, look: Look) -> Result<Self, RecordError> {
        let clock = facts::clock_anchor();
        let start = from_clock(Clock::now());
        let resources = options
            .metrics_interval
            .map(|_| {
                let levels = options.levels.iter().copied();
                let wanted = MetricsOptions::default().with_levels(levels);
                let sampler = MetricsSampler::with_options(pid, &wanted)?;
                Ok::<_, MetricsError>(Arc::new(Mutex::new(sampler)))
            })
            .transpose()?;
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(facts::host(pid));
        let process = builder.add_process(host, pid.get(), facts::command_line(pid).as_deref());
        let manifest = Manifest {
            jumper_version: env!("CARGO_PKG_VERSION").into(),
            clock,
            start,
            stacks: matches!(look, Look::AtStacks(..)).then(|| StacksSummary {
                interval: options.interval,
                hold: hold(options.hold),
                ..StacksSummary::default()
            }),
            metrics: options.metrics_interval.map(|interval| MetricsSummary {
                interval,
                ..MetricsSummary::default()
            }),
            ..Manifest::default()
        };
        let kept = options.kept.clone().map(|kept| Kept {
            program: Program {
                pid: pid.get(),
                ..kept.program
            },
            ..kept
        });
        // Given up, with all that was started, when it is dropped.
        let recorder = Recorder::start(builder, manifest, kept)?;
        let stacks = match look {
            Look::AtStacks(sampler, agent) => {
                let stacks = stacks::Recorder::new(
                    pid,
                    options.clone(),
                    agent,
                    process,
                    recorder.inbox(),
                    recorder.manifest(),
                    recorder.stop(),
                );
                Some(spawn("jumper-stacks", move || stacks.run(sampler))?)
            }
            Look::AtResources => None,
        };
        let metrics = match (resources.clone(), options.metrics_interval) {
            (Some(sampler), Some(interval)) => {
                let (inbox, stop) = (recorder.inbox(), recorder.stop());
                let metrics = metrics::Recorder::new(sampler, interval, host, inbox, stop);
                Some(spawn("jumper-metrics", move || metrics.run())?)
            }
            _ => None,
        };
        Ok(Self {
            pid,
            process,
            options,
            recorder,
            clock,
            start,
            sys_paths: SysPaths::default(),
            sampler: resources,
            stacks,
            metrics,
        })
    }

    /// The process that is recorded.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        let (samples, lost) = self
            .recorder
            .record(|builder| (builder.sample_count(), builder.lost_count()));
        Progress {
            elapsed: from_clock(Clock::now()).since(self.start),
            samples,
            lost,
        }
    }

    /// Says that a cell of a notebook begins to run in the process.
    pub fn begin_cell(&self, source: &str) -> CellId {
        self.recorder.record(|builder| {
            let source = builder.intern_string(source);
            builder.push_cell(Cell {
                process: self.process,
                start: from_clock(Clock::now()),
                end: None,
                source,
                outcome: CellOutcome::Unknown,
            })
        })
    }

    /// Says that it has ended, and how.
    ///
    /// # Panics
    /// If the cell is of another recording and not known here.
    pub fn end_cell(&self, cell: CellId, outcome: CellOutcome) {
        let now = from_clock(Clock::now());
        self.recorder
            .record(|builder| builder.end_cell(cell, now, outcome));
    }

    /// Whether this process is the one that started the recording, not a copy of it made by `fork`.
    pub fn is_ours(&self) -> bool {
        self.recorder.is_ours()
    }

    /// Whether there is nothing left to sample: the process has ended, or what measures resources has.
    pub fn is_over(&self) -> bool {
        match (&self.stacks, &self.metrics) {
            (Some(stacks), _) => stacks.is_finished(),
            (None, metrics) => metrics.as_ref().is_none_or(JoinHandle::is_finished),
        }
    }

    /// Adds a source of metrics, which is asked on a thread of its own. Without a metrics interval nobody asks it.
    ///
    /// # Errors
    /// [`MetricsError::DuplicateMetric`] where one of its metrics has a name that is taken.
    pub fn add_source(&self, source: Box<dyn MetricsSource>) -> Result<(), RecordError> {
        if let Some(sampler) = &self.sampler {
            lock(sampler).add_source(source)?;
        }
        Ok(())
    }

    /// Somebody who looks on. `None` where no resources are measured.
    pub fn watcher(&self) -> Option<Watcher> {
        self.sampler.as_ref().map(Watcher::of)
    }

    /// Says where the program's modules are, for a caller who need not ask its memory. What is not known is read there.
    pub fn set_sys_paths(&mut self, paths: SysPaths) {
        self.sys_paths = paths;
    }

    /// Ends the recording. `program` and `outcome` are the caller's to know.
    ///
    /// What comes of one that was [kept](RecordOptions::kept) is said at [`Recorder::finish`].
    ///
    /// In a process [forked](Self::is_ours) from the one that started it, where its threads do not exist, the
    /// session is empty.
    ///
    /// # Errors
    /// Where what was kept cannot be read any more.
    pub fn finish(mut self, program: Program, outcome: Outcome) -> Result<Session, crate::Error> {
        if !self.is_ours() {
            return Ok(SessionBuilder::new().finish(Manifest::default()));
        }
        self.recorder.stop().now();
        let looks_at_stacks = self.stacks.is_some();
        let stacks = match self.stacks.take().map(JoinHandle::join) {
            Some(Err(_)) => stacks::Summary::of_failure(),
            Some(Ok(summary)) => summary,
            None => stacks::Summary::default(),
        };
        let metrics = self.metrics.take().and_then(|thread| thread.join().ok());
        let end = from_clock(Clock::now());
        let metrics = metrics.unwrap_or_default();
        let mut sys_paths = stacks.sys_paths;
        sys_paths.update(std::mem::take(&mut self.sys_paths));
        let manifest = Manifest {
            jumper_version: env!("CARGO_PKG_VERSION").into(),
            python: stacks.python,
            sys_path: sys_paths.path,
            sys_prefixes: sys_paths.prefixes,
            program: Program {
                pid: self.pid.get(),
                ..program
            },
            clock: self.clock,
            start: self.start,
            end,
            outcome,
            cpu_time: metrics.cpu_time,
            stacks: looks_at_stacks.then(|| StacksSummary {
                interval: self.options.interval,
                hold: hold(stacks.hold.unwrap_or(self.options.hold)),
                ticks: stacks.ticks,
                late_ticks: stacks.late,
                partial: stacks.partial,
                span: stacks.span,
                ..StacksSummary::default()
            }),
            metrics: self
                .options
                .metrics_interval
                .map(|interval| MetricsSummary {
                    interval,
                    samples: metrics.samples,
                    late: metrics.late,
                    cpu: metrics.cost,
                }),
            notes: [stacks.notes, metrics.notes].concat(),
            ..Manifest::default()
        };
        self.recorder.end(manifest)
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, RecordError> {
    let builder = std::thread::Builder::new().name(name.into());
    without_signals(|| builder.spawn(body)).map_err(RecordError::Thread)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn from_clock(time: Clock) -> Timestamp {
    Timestamp::from_nanos(time.as_nanos())
}

fn hold(mode: HoldMode) -> Hold {
    match mode {
        HoldMode::Ptrace => Hold::Ptrace,
        HoldMode::Signal | HoldMode::Agent => Hold::Agent,
        _ => Hold::None,
    }
}

fn python(version: Version, pid: Pid) -> Python {
    let minor = format!("{}.{}", version.major, version.minor);
    Python {
        version: version
            .micro
            .map_or(minor.clone(), |micro| format!("{minor}.{micro}")),
        implementation: "CPython".into(),
        executable: facts::executable(pid),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::{CellSpan, Parts};

    #[test]
    fn cells_are_recorded_while_they_run() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a.jumper");
        let mut program = Command::new("sleep")
            .arg("60")
            .spawn()
            .expect("there is sleep");
        let pid = Pid::new(program.id());
        let options = RecordOptions::default().with_kept(Some(Kept {
            is_required: true,
            path: path.clone(),
            program: Program::default(),
            parts: Parts::ALL,
        }));
        let recording =
            Recording::start(pid, options, Patience::WhileItLives).expect("it can be recorded");
        let first = recording.begin_cell("x = 1");
        recording.end_cell(first, CellOutcome::Ok);
        recording.begin_cell("%run me\nx");
        // The journal has them before anybody finishes anything.
        let mut cells = 0;
        while cells < 2 {
            std::thread::sleep(Duration::from_millis(20));
            cells = Session::open(&path).map_or(0, |session| session.cells().len());
        }
        let session = recording
            .finish(Program::default(), Outcome::Detached)
            .expect("it was kept");
        program.kill().expect("it is ours");
        program.wait().expect("it is ours");
        let cells: Vec<_> = session
            .cells()
            .iter()
            .map(|(_, cell)| {
                (
                    session.string(cell.source),
                    cell.end.is_some(),
                    cell.outcome,
                )
            })
            .collect();
        assert_eq!(
            cells,
            [
                ("x = 1", true, CellOutcome::Ok),
                ("%run me\nx", false, CellOutcome::Unknown)
            ]
        );
        let all: CellSpan = ":".parse().expect("a range");
        let times = session.times_of_cells(all).expect("there are two");
        assert!(times[0].0 >= session.start() && times[1].1 == session.end());
    }
}
