//! The thread that measures resources.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jumper_sampler::Ticker;
use jumper_sampler::metrics::{GpuInfo, Kind, Level, Metric, MetricsRow, MetricsSampler};

use super::inbox::Inbox;
use super::stop::Stop;
use super::{from_clock, lock};
use crate::{Gpu, HostId, MetricColumn, MetricKind, Timestamp};

/// What the thread found out, apart from the rows.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) samples: u64,
    pub(super) late: u64,
    pub(super) cpu_time: Option<Duration>,
    pub(super) notes: Vec<String>,
    /// The processor time that the measurements took.
    pub(super) cost: Duration,
}

/// The sampler, to which sources may be added while it is in use.
pub(super) type Shared = Arc<Mutex<MetricsSampler>>;

pub(super) struct Recorder {
    sampler: Shared,
    /// How many of the sampler's metrics the session was asked to have: more may come while it goes on.
    declared: usize,
    /// Those that it has, by their position in a row of the sampler, in the order of its columns.
    columns: Vec<usize>,
    /// Whether the session has the machine's GPUs. They are found while it goes on.
    has_gpus: bool,
    interval: Duration,
    host: HostId,
    inbox: Arc<Inbox>,
    stop: Arc<Stop>,
    summary: Summary,
}

impl Recorder {
    pub(super) fn new(
        sampler: Shared,
        interval: Duration,
        host: HostId,
        inbox: Arc<Inbox>,
        stop: Arc<Stop>,
    ) -> Self {
        let mut recorder = Self {
            sampler,
            declared: 0,
            columns: Vec::new(),
            has_gpus: false,
            interval,
            host,
            inbox,
            stop,
            summary: Summary::default(),
        };
        let shared = Arc::clone(&recorder.sampler);
        recorder.declare(&lock(&shared));
        recorder
    }

    /// Measures at once, at every deadline, and once more when the recording ends.
    pub(super) fn run(mut self) -> Summary {
        let mut ticker = Ticker::regular(self.interval);
        self.measure();
        loop {
            let deadline = ticker.next_deadline();
            let goes_on = self.stop.sleep_until(deadline.due);
            if goes_on {
                self.summary.late += deadline.reached().missed(self.interval);
            }
            self.measure();
            if !goes_on {
                return self.summary;
            }
        }
    }

    fn measure(&mut self) {
        let shared = Arc::clone(&self.sampler);
        let mut sampler = lock(&shared);
        let sample = sampler.sample().clone();
        self.summary.notes.extend(sampler.take_notes());
        self.declare(&sampler);
        let mut builder = self.inbox.open();
        if !self.has_gpus && !sampler.gpus().is_empty() {
            self.has_gpus = true;
            builder.set_gpus(self.host, sampler.gpus().iter().map(gpu).collect());
        }
        for row in &sample.rows {
            let level = builder.intern_string(row.level.name());
            builder.push_metrics(
                from_clock(sample.time),
                self.host,
                level,
                &self.while_alive(&sampler, row),
            );
            if row.level == Level::Process
                && let Some(seconds) = value(&sampler, row, "cpu_time")
            {
                self.summary.cpu_time = Some(Duration::from_secs_f64(seconds.max(0.0)));
            }
        }
        self.summary.samples += 1;
        self.summary.cost = sampler.cost().cpu_time;
    }

    /// Gives each metric that is new a column.
    fn declare(&mut self, sampler: &MetricsSampler) {
        let mut builder = self.inbox.open();
        let metrics = sampler.metrics().iter().enumerate();
        for (position, metric) in metrics.skip(self.declared) {
            match builder.declare_metric(column(metric)) {
                Ok(_) => self.columns.push(position),
                Err(error) => self.summary.notes.push(error.to_string()),
            }
        }
        self.declared = sampler.metrics().len();
    }

    /// The values of a row. Of a program that has ended its counters are left; that it has no threads any
    /// more is no measurement of what it was like.
    fn while_alive(&self, sampler: &MetricsSampler, row: &MetricsRow) -> Vec<Option<f64>> {
        let ended = value(sampler, row, "processes") == Some(0.0);
        let kept = |position: usize| {
            let metric = &sampler.metrics()[position];
            !(ended && metric.kind == Kind::Gauge)
        };
        let positions = self.columns.iter();
        positions
            .map(|&position| row.values[position].filter(|_| kept(position)))
            .collect()
    }
}

fn value(sampler: &MetricsSampler, row: &MetricsRow, name: &str) -> Option<f64> {
    sampler.position(name).and_then(|index| row.values[index])
}

/// What was measured last, for whoever watches.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Measured {
    /// When.
    pub time: Timestamp,
    /// What.
    pub columns: Vec<MetricColumn>,
    /// For each level, by its name, a value for each column; `None` is unknown.
    pub rows: Vec<(&'static str, Vec<Option<f64>>)>,
}

/// Looks on while a recording measures.
#[derive(Clone, Debug)]
pub struct Watcher {
    sampler: Shared,
}

impl Watcher {
    pub(super) fn of(sampler: &Shared) -> Self {
        Self {
            sampler: Arc::clone(sampler),
        }
    }

    /// What was measured last; `None` before the first time.
    pub fn measured(&self) -> Option<Measured> {
        Measured::of(&lock(&self.sampler))
    }
}

impl Measured {
    fn of(sampler: &MetricsSampler) -> Option<Self> {
        let sample = sampler.last()?;
        let rows = sample.rows.iter();
        Some(Self {
            time: from_clock(sample.time),
            columns: sampler.metrics().iter().map(column).collect(),
            rows: rows
                .map(|row| (row.level.name(), row.values.clone()))
                .collect(),
        })
    }
}

fn gpu(info: &GpuInfo) -> Gpu {
    Gpu {
        name: info.name.clone(),
        memory_bytes: info.memory_bytes.unwrap_or(0),
    }
}

fn column(metric: &Metric) -> MetricColumn {
    MetricColumn {
        name: metric.name.to_string(),
        unit: metric.unit.symbol().into(),
        kind: match metric.kind {
            Kind::Gauge => MetricKind::Gauge,
            Kind::Counter => MetricKind::Counter,
        },
        help: metric.help.to_string(),
        beat: metric.beat,
    }
}
