//! A session as a coarser interval would have given it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::tables::{MetricKind, MetricsTable, Sample, SampleTable};
use crate::time::column_nanos;
use crate::{HostId, Parts, Session, StringId, Timestamp};

impl Session {
    /// The session with about one sample and one measurement in each `interval`, which makes it as much smaller. It has no
    /// place on disk.
    ///
    /// Of the samples of a thread those stay with which its time passes another multiple of the interval, as in pyinstrument's
    /// `Session.resample`, and its last one. Each then stands for all the time since the one before, so that no thread
    /// loses or gains any. Of the measurements of one level of one machine within an interval one is left, at the time of the
    /// last: of counters it has the last value, of all else the mean; what was never known stays unknown. The very first one of a level
    /// stays as it is, since totals count from there.
    ///
    /// Samples that stand for no less than the interval are left as they are. What is counted for the recording as
    /// a whole (samples that were lost, looks that came late) stays so, and a note says that.
    ///
    /// # Errors
    /// [`Error::NoInterval`] for one of no length.
    pub fn resample(mut self, interval: Duration) -> Result<Self> {
        let interval_ns = match column_nanos(interval) {
            0 => return Err(Error::NoInterval),
            nanos => nanos,
        };
        self.parts.assert(Parts::SAMPLES.with(Parts::METRICS));
        let (tables, manifest) = (Arc::make_mut(&mut self.tables), &mut self.manifest);
        tables.samples = resampled(&tables.samples, tables.threads.len(), interval_ns);
        tables.metrics = averaged(&tables.metrics, manifest.start, interval_ns);
        if let Some(stacks) = &mut manifest.stacks {
            // Looks were as far apart as before: that is what their rate is told by.
            let max_interval = stacks.max_interval.unwrap_or(stacks.interval).max(interval);
            stacks.max_interval = Some(max_interval).filter(|max| *max > stacks.interval);
            stacks.samples = tables.samples.len() as u64;
        }
        if let Some(metrics) = &mut manifest.metrics {
            metrics.interval = metrics.interval.max(interval);
        }
        manifest.notes.push(format!(
            "resampled to {} s; lost samples, rate and late looks are those of the recording",
            interval.as_secs_f64()
        ));
        self.path = None;
        Ok(self)
    }
}

/// What was seen of one thread so far.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// The row of its last sample.
    last_row: usize,
    /// All of its time, and the part that samples which stayed stand for.
    elapsed_ns: u64,
    kept_ns: u64,
}

fn resampled(samples: &SampleTable, threads: usize, interval_ns: u64) -> SampleTable {
    let mut progress = vec![Progress::default(); threads];
    for (row, thread) in samples.threads().iter().enumerate() {
        progress[thread.index()].last_row = row;
    }
    let mut row = 0;
    samples.filter_map(|sample| {
        let thread = &mut progress[sample.thread.index()];
        let before = thread.elapsed_ns;
        // The table holds no more than an i64 in all.
        thread.elapsed_ns += column_nanos(sample.duration);
        let passes = thread.elapsed_ns / interval_ns > before / interval_ns;
        let is_last = thread.last_row == row;
        row += 1;
        if !passes && !is_last {
            return None;
        }
        let duration = Duration::from_nanos(thread.elapsed_ns - thread.kept_ns);
        thread.kept_ns = thread.elapsed_ns;
        Some(Sample { duration, ..sample })
    })
}

/// The measurements of one level of one machine within one interval.
struct Bucket {
    /// The row of the last of them.
    last_row: usize,
    /// Of each metric.
    values: Vec<Value>,
}

/// One metric within one interval.
#[derive(Clone, Copy, Default)]
struct Value {
    last: Option<f64>,
    mean: f64,
    count: u32,
}

impl Value {
    fn add(&mut self, value: f64) {
        self.last = Some(value);
        self.count += 1;
        // Values from a file may be so large that their sum is none.
        let weight = 1.0 / f64::from(self.count);
        self.mean = self.mean * (1.0 - weight) + value * weight;
    }

    fn of_kind(self, kind: MetricKind) -> Option<f64> {
        match kind {
            MetricKind::Counter => self.last,
            MetricKind::Gauge | MetricKind::Unknown => (self.count > 0).then_some(self.mean),
        }
    }
}

fn averaged(metrics: &MetricsTable, start: Timestamp, interval_ns: u64) -> MetricsTable {
    let mut table = MetricsTable::default();
    for column in metrics.columns() {
        table.declare(column.clone());
    }
    let columns = metrics.columns().len();
    let columns = (0..columns).map(|column| metrics.values(crate::MetricId::from_len(column)));
    let columns: Vec<&[Option<f64>]> = columns.collect();
    let mut places: HashMap<((HostId, StringId), Option<i128>), usize> = HashMap::new();
    let mut begun = HashSet::new();
    let mut buckets: Vec<Bucket> = Vec::new();
    for (row, &time) in metrics.times().iter().enumerate() {
        let offset = i128::from(time.as_nanos()) - i128::from(start.as_nanos());
        let number = offset.div_euclid(interval_ns.into());
        let source = (metrics.hosts()[row], metrics.levels()[row]);
        let number = match begun.insert(source) {
            true => None,
            false => Some(number),
        };
        let key = (source, number);
        let place = *places.entry(key).or_insert_with(|| {
            buckets.push(Bucket {
                last_row: row,
                values: vec![Value::default(); columns.len()],
            });
            buckets.len() - 1
        });
        let bucket = &mut buckets[place];
        bucket.last_row = row;
        for (value, column) in bucket.values.iter_mut().zip(&columns) {
            if let Some(known) = column[row] {
                value.add(known);
            }
        }
    }
    buckets.sort_unstable_by_key(|bucket| bucket.last_row);
    for bucket in buckets {
        let row = bucket.last_row;
        let values = bucket.values.into_iter().zip(metrics.columns());
        let values = values.map(|(value, column)| value.of_kind(column.kind));
        let (time, host, level) = (
            metrics.times()[row],
            metrics.hosts()[row],
            metrics.levels()[row],
        );
        table.push(time, host, level, values);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Host, Manifest, MetricColumn, MetricsSummary, NewSample, SessionBuilder, StacksSummary,
        ThreadState,
    };

    const MS: i64 = 1_000_000;

    /// Two threads with samples of so many milliseconds, one after the other in turns.
    fn session(durations: [&[u64]; 2]) -> Session {
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(Host::default());
        let process = builder.add_process(host, 1, None);
        let threads = [1, 2].map(|id| builder.add_thread(process, id, None));
        for turn in 0..durations[0].len().max(durations[1].len()) {
            for (&thread, durations) in threads.iter().zip(durations) {
                let Some(&millis) = durations.get(turn) else {
                    continue;
                };
                builder.push_sample(NewSample {
                    time: Timestamp::from_nanos(turn as i64 * MS),
                    duration: Duration::from_millis(millis),
                    thread,
                    task: None,
                    state: ThreadState::NONE,
                    stack: None,
                });
            }
        }
        builder.finish(Manifest {
            stacks: Some(StacksSummary {
                interval: Duration::from_millis(1),
                max_interval: Some(Duration::from_millis(2)),
                ..StacksSummary::default()
            }),
            metrics: Some(MetricsSummary::default()),
            ..Manifest::default()
        })
    }

    /// Of each thread when its samples were, and how many milliseconds each stands for.
    fn samples(session: &Session) -> [Vec<(i64, u128)>; 2] {
        [0, 1].map(|thread| {
            let samples = session.samples().iter();
            let own = samples.filter(|sample| sample.thread.index() == thread);
            own.map(|sample| (sample.time.as_nanos() / MS, sample.duration.as_millis()))
                .collect()
        })
    }

    #[test]
    fn each_thread_keeps_its_time() {
        let session = session([&[1; 7], &[2, 2, 7, 0, 1]]);
        let coarse = session.clone().resample(Duration::from_millis(3));
        let coarse = coarse.expect("an interval");
        let expected = [vec![(2, 3), (5, 3), (6, 1)], vec![(1, 4), (2, 7), (4, 1)]];
        assert_eq!(samples(&coarse), expected);
        assert_eq!(coarse.samples().total(), session.samples().total());
        let stacks = coarse.manifest().stacks.expect("there are");
        // What the rate is told by stays.
        assert_eq!(stacks.interval, Duration::from_millis(1));
        let max_interval = Some(Duration::from_millis(3));
        assert_eq!((stacks.max_interval, stacks.samples), (max_interval, 6));
    }

    #[test]
    fn a_finer_interval_leaves_samples_as_they_are() {
        let session = session([&[1, 2, 3], &[5]]);
        for interval in [Duration::from_micros(1), Duration::from_millis(1)] {
            let fine = session.clone().resample(interval).expect("an interval");
            assert_eq!(samples(&fine), samples(&session));
            let stacks = fine.manifest().stacks.expect("there are");
            assert_eq!(stacks.interval, Duration::from_millis(1));
            assert_eq!(stacks.max_interval, Some(Duration::from_millis(2)));
        }
    }

    #[test]
    fn an_interval_longer_than_all_leaves_one_sample_of_a_thread() {
        let session = session([&[1, 2, 3], &[0, 0]]);
        let coarse = session.resample(Duration::MAX).expect("an interval");
        assert_eq!(samples(&coarse), [vec![(2, 6)], vec![(1, 0)]]);
    }

    #[test]
    fn an_interval_of_no_length_is_none() {
        let error = session([&[1], &[]]).resample(Duration::ZERO);
        assert!(matches!(error, Err(Error::NoInterval)));
    }

    #[test]
    fn gauges_are_averaged_counters_keep_their_last_value_and_unknown_stays_unknown() {
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(Host::default());
        let kinds = [MetricKind::Gauge, MetricKind::Counter, MetricKind::Gauge];
        for (name, kind) in ["load", "bytes", "never"].into_iter().zip(kinds) {
            let column = MetricColumn {
                name: name.into(),
                kind,
                ..MetricColumn::default()
            };
            builder.declare_metric(column).expect("a good name");
        }
        let [process, system] = ["process", "system"].map(|level| builder.intern_string(level));
        for (millis, level, load, bytes) in [
            (0, process, Some(1.0), Some(1.0)),
            (0, system, Some(f64::MAX), None),
            (4, process, None, Some(5.0)),
            (8, process, Some(4.0), None),
            (9, system, Some(f64::MAX), Some(2.0)),
            (12, process, None, Some(9.0)),
            (-1, process, Some(7.0), None),
        ] {
            let time = Timestamp::from_nanos(millis * MS);
            builder.push_metrics(time, host, level, &[load, bytes]);
        }
        let session = builder.finish(Manifest::default());
        let coarse = session
            .resample(Duration::from_millis(10))
            .expect("an interval");
        let metrics = coarse.metrics();
        let times = metrics.times().iter().map(|time| time.as_nanos() / MS);
        // The first of each level is left alone.
        assert!(times.eq([0, 0, 8, 9, 12, -1]));
        let values = |name| metrics.values(metrics.find(name).expect("it is there"));
        let (most, four) = (Some(f64::MAX), Some(4.0));
        assert_eq!(
            values("load"),
            [Some(1.0), most, four, most, None, Some(7.0)]
        );
        let first = [Some(1.0), None];
        assert_eq!(values("bytes")[..2], first);
        assert_eq!(
            values("bytes")[2..],
            [Some(5.0), Some(2.0), Some(9.0), None]
        );
        assert_eq!(values("never"), [None; 6]);
    }
}
