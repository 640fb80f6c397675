//! A part of a session: some of its time, some of its threads, one way to count time.

mod query;
mod span;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::tables::{Cell, Sample, ThreadState};
use crate::{Attribution, Parts, ProcessId, Session, ThreadId, Timestamp};
pub use query::Query;
pub use span::{CellSpan, Span, SpanError};

/// Which time counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimeMode {
    /// All of it, whether a thread ran or waited.
    #[default]
    Wall,
    /// While it ran on a CPU, or was ready to.
    Cpu,
    /// While it held the interpreter's lock. Sessions of recorders that do not look for it have none of that.
    Gil,
}

/// A name of no [`TimeMode`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no mode; choose one of `wall`, `cpu` and `gil`")]
pub struct TimeModeError(String);

impl TimeMode {
    fn counts(self, state: ThreadState) -> bool {
        match self {
            Self::Wall => true,
            Self::Cpu => state.contains(ThreadState::ON_CPU),
            Self::Gil => state.contains(ThreadState::GIL),
        }
    }
}

/// Which part of a session to look at. Everything that is said of it narrows it down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// When: in order, and apart from each other.
    times: Option<Vec<(Timestamp, Timestamp)>>,
    processes: Option<BTreeSet<ProcessId>>,
    threads: Option<BTreeSet<ThreadId>>,
    tasks: Option<BTreeSet<u64>>,
    levels: Option<BTreeSet<String>>,
    mode: TimeMode,
}

impl Selection {
    /// All of a session.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only what was between two moments. A sample that reaches over one of them counts in part.
    #[must_use]
    pub fn between(self, from: Timestamp, to: Timestamp) -> Self {
        self.during([(from, to)])
    }

    /// Only what was during one of these spans of time, such as [those of some cells](Session::times_of_cells).
    #[must_use]
    pub fn during(self, spans: impl IntoIterator<Item = (Timestamp, Timestamp)>) -> Self {
        let spans = in_order(spans.into_iter().collect());
        let times = match self.times {
            Some(before) => common(&before, &spans),
            None => spans,
        };
        Self {
            times: Some(times),
            ..self
        }
    }

    /// Only these processes.
    #[must_use]
    pub fn of_processes(self, processes: impl IntoIterator<Item = ProcessId>) -> Self {
        Self {
            processes: Some(both(self.processes, processes)),
            ..self
        }
    }

    /// Only these threads.
    #[must_use]
    pub fn of_threads(self, threads: impl IntoIterator<Item = ThreadId>) -> Self {
        Self {
            threads: Some(both(self.threads, threads)),
            ..self
        }
    }

    /// Only these tasks.
    #[must_use]
    pub fn of_tasks(self, tasks: impl IntoIterator<Item = u64>) -> Self {
        Self {
            tasks: Some(both(self.tasks, tasks)),
            ..self
        }
    }

    /// Of the metrics only these levels, such as `process`.
    #[must_use]
    pub fn of_levels<L: Into<String>>(self, levels: impl IntoIterator<Item = L>) -> Self {
        let levels = levels.into_iter().map(Into::into);
        Self {
            levels: Some(both(self.levels, levels)),
            ..self
        }
    }

    /// Only time of this kind.
    #[must_use]
    pub fn in_mode(self, mode: TimeMode) -> Self {
        Self { mode, ..self }
    }

    /// Whether it is everything.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// The part of a sample that is in it, with the time that that part stands for.
    pub fn part_of(&self, sample: Sample) -> Option<Sample> {
        let is_in = is_among(self.processes.as_ref(), &sample.process)
            && is_among(self.threads.as_ref(), &sample.thread)
            && self
                .tasks
                .as_ref()
                .is_none_or(|tasks| sample.task.is_some_and(|task| tasks.contains(&task)))
            && self.mode.counts(sample.state);
        if !is_in {
            return None;
        }
        let Some(times) = &self.times else {
            return Some(sample);
        };
        // A sample stands for the time that ends with it.
        let end = sample.time;
        let begin = end.before(sample.duration);
        let first = times.partition_point(|(_, to)| *to <= begin);
        let parts = times[first..]
            .iter()
            .take_while(|(from, _)| *from < end)
            .map(|(from, to)| (begin.max(*from), end.min(*to)));
        let (mut duration, mut last) = (Duration::ZERO, None);
        for (from, to) in parts.filter(|(from, to)| from < to || begin == end) {
            duration += to.since(from);
            last = Some(to);
        }
        last.map(|time| Sample {
            time,
            duration,
            ..sample
        })
    }

    /// Whether some of what ran at a time is in it, and some is not.
    fn leaves_out_threads(&self) -> bool {
        let some = self.processes.is_some() || self.threads.is_some() || self.tasks.is_some();
        some || self.mode != TimeMode::Wall
    }

    fn has_level(&self, level: &str) -> bool {
        self.levels
            .as_ref()
            .is_none_or(|levels| levels.contains(level))
    }

    fn has_time(&self, time: Timestamp) -> bool {
        self.times.as_ref().is_none_or(|times| {
            let next = times.partition_point(|(_, to)| *to < time);
            times.get(next).is_some_and(|(from, _)| *from <= time)
        })
    }

    /// The first and the last moment, if they were said.
    fn ends(&self) -> Option<(Timestamp, Timestamp)> {
        let times = self.times.as_ref()?;
        Some((times.first()?.0, times.last()?.1))
    }
}

/// The same spans in order, those that touch as one.
fn in_order(mut spans: Vec<(Timestamp, Timestamp)>) -> Vec<(Timestamp, Timestamp)> {
    spans.retain(|(from, to)| from <= to);
    spans.sort_unstable();
    spans.dedup_by(|(from, to), before| {
        let touch = *from <= before.1;
        if touch {
            before.1 = before.1.max(*to);
        }
        touch
    });
    spans
}

/// What is in a span of both.
fn common(
    one: &[(Timestamp, Timestamp)],
    other: &[(Timestamp, Timestamp)],
) -> Vec<(Timestamp, Timestamp)> {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    let mut both = Vec::new();
    while let (Some(&&(from, to)), Some(&&(other_from, other_to))) = (one.peek(), other.peek()) {
        if from.max(other_from) <= to.min(other_to) {
            both.push((from.max(other_from), to.min(other_to)));
        }
        match to < other_to {
            true => one.next(),
            false => other.next(),
        };
    }
    both
}

fn both<T: Ord>(before: Option<BTreeSet<T>>, now: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let now: BTreeSet<T> = now.into_iter().collect();
    match before {
        Some(before) => before
            .into_iter()
            .filter(|item| now.contains(item))
            .collect(),
        None => now,
    }
}

fn is_among<T: Ord>(set: Option<&BTreeSet<T>>, item: &T) -> bool {
    set.is_none_or(|set| set.contains(item))
}

impl FromStr for TimeMode {
    type Err = TimeModeError;

    fn from_str(text: &str) -> Result<Self, TimeModeError> {
        let modes = [Self::Wall, Self::Cpu, Self::Gil];
        let known = modes.into_iter().find(|mode| mode.to_string() == text);
        known.ok_or_else(|| TimeModeError(text.escape_debug().to_string()))
    }
}

impl fmt::Display for TimeMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wall => "wall",
            Self::Cpu => "cpu",
            Self::Gil => "gil",
        })
    }
}

impl Session {
    /// When these cells ran, in their order. One that had not ended when the recording did ran until then.
    ///
    /// # Errors
    /// [`Error::NoSuchCell`] where the session does not have them.
    ///
    /// # Panics
    /// If cells were [not read](Parts::CELLS).
    pub fn times_of_cells(&self, span: CellSpan) -> Result<Vec<(Timestamp, Timestamp)>> {
        let rows = span.rows_of(self.cells().len())?;
        let time = |cell: &Cell| {
            let end = cell.end.unwrap_or(self.end());
            (cell.start, end.max(cell.start))
        };
        Ok(self.cells().rows()[rows].iter().map(time).collect())
    }

    /// The part of the session that is selected, as a session of its own: every report can be made of it. It has no place on
    /// disk.
    ///
    /// What is counted for the recording as a whole (samples that were lost, looks that came late) stays so, and a
    /// note says that.
    ///
    /// # Errors
    /// [`Error::EmptySelection`] where there is time in the session, and none in the selection.
    ///
    /// # Panics
    /// If [calls](Parts::CALLS) were not read or, where the mode or the task matters, [all of the samples](Parts::SAMPLES).
    pub fn select(mut self, selection: &Selection) -> Result<Self> {
        if selection.is_all() {
            return Ok(self);
        }
        let is_about_states = selection.mode != TimeMode::Wall || selection.tasks.is_some();
        self.parts.assert(match is_about_states {
            true => Parts::SAMPLES,
            false => Parts::CALLS,
        });
        // A part of the samples gets its part, and not what the others used.
        if self.parts.contains(Attribution::NEEDS) {
            self.attribution = Some(Attribution::of(&self));
        }
        let tables = Arc::make_mut(&mut self.tables);
        let samples = tables
            .samples
            .filter_map(|sample| selection.part_of(sample));
        if samples.is_empty() && !tables.samples.is_empty() {
            return Err(Error::EmptySelection);
        }
        let is_idle = samples.is_empty();
        tables.samples = samples;
        if self.parts.contains(Parts::METRICS) {
            let had_metrics = !tables.metrics.is_empty();
            let levels: Vec<bool> = tables
                .strings
                .iter()
                .map(|text| selection.has_level(text))
                .collect();
            tables
                .metrics
                .retain(|time, level| levels[level.index()] && selection.has_time(time));
            if is_idle && had_metrics && tables.metrics.is_empty() {
                return Err(Error::EmptySelection);
            }
        }
        let manifest = &mut self.manifest;
        if let Some((from, to)) = selection.ends() {
            manifest.start = from.max(manifest.start);
            manifest.end = to.min(manifest.end).max(manifest.start);
        }
        manifest.is_part |= selection.leaves_out_threads();
        // CPU time is known of the whole only.
        manifest.cpu_time = None;
        if let Some(stacks) = &mut manifest.stacks {
            stacks.samples = self.tables.samples.len() as u64;
        }
        manifest.notes.push(
            "this is a part of a recording; lost samples, rate and late looks are those of the whole".into(),
        );
        self.path = None;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Host, Manifest, NewSample, SessionBuilder, StringId};

    fn nanos(nanos: i64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    /// Two threads, each with ten samples of 10 ns; the second runs at every other one.
    fn session() -> Session {
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(Host::default());
        for pid in [7, 8] {
            let process = builder.add_process(host, pid, None);
            let thread = builder.add_thread(process, pid.into(), None);
            for tick in 1..=10 {
                builder.push_sample(NewSample {
                    time: nanos(tick * 10),
                    duration: Duration::from_nanos(10),
                    thread,
                    task: (tick > 5).then_some(1),
                    state: match pid == 8 && tick % 2 == 0 {
                        true => ThreadState::ON_CPU,
                        false => ThreadState::NONE,
                    },
                    stack: None,
                });
            }
        }
        for (time, level) in [(10, "process"), (60, "process"), (60, "system")] {
            let level = builder.intern_string(level);
            builder.push_metrics(nanos(time), host, level, &[]);
        }
        builder.finish(Manifest {
            start: nanos(0),
            end: nanos(100),
            ..Manifest::default()
        })
    }

    fn total(selection: &Selection) -> u128 {
        let selected = session().select(selection);
        selected.map_or(0, |session| session.samples().total().as_nanos())
    }

    #[test]
    fn what_is_said_narrows_the_selection_down() {
        let all = Selection::all();
        assert_eq!(total(&all), 200);
        assert_eq!(
            total(&all.clone().of_processes([ProcessId::from_raw(1)])),
            100
        );
        let cpu = all.clone().in_mode(TimeMode::Cpu);
        assert_eq!(total(&cpu), 50);
        assert_eq!(total(&cpu.clone().of_tasks([1])), 30);
        assert_eq!(total(&cpu.of_threads([ThreadId::from_raw(0)])), 0);
        let threads = |ids: &[u32]| {
            ids.iter()
                .copied()
                .map(ThreadId::from_raw)
                .collect::<Vec<_>>()
        };
        let narrow = all
            .of_threads(threads(&[0, 1]))
            .of_threads(threads(&[1, 2]));
        assert_eq!(total(&narrow), 100);
    }

    #[test]
    fn a_sample_that_reaches_over_the_edge_counts_in_part() {
        let all = Selection::all();
        assert_eq!(total(&all.clone().between(nanos(15), nanos(35))), 40);
        let twice = all
            .clone()
            .between(nanos(15), nanos(90))
            .between(nanos(0), nanos(35));
        assert_eq!(total(&twice), 40);
        let session = session()
            .select(&all.clone().between(nanos(15), nanos(35)))
            .expect("some");
        assert_eq!((session.start(), session.end()), (nanos(15), nanos(35)));
        // The parts of a recording are the whole.
        let parts = [(0, 33), (33, 34), (34, 100)];
        let parts = parts.map(|(from, to)| total(&all.clone().between(nanos(from), nanos(to))));
        assert_eq!(parts.iter().sum::<u128>(), 200);
    }

    #[test]
    fn metrics_are_selected_by_level_and_time() {
        let rows =
            |selection: Selection| session().select(&selection).expect("some").metrics().len();
        assert_eq!(rows(Selection::all().of_levels(["process"])), 2);
        let late = Selection::all().between(nanos(50), nanos(100));
        assert_eq!(rows(late.clone()), 2);
        assert_eq!(rows(late.of_levels(["system"])), 1);
    }

    #[test]
    fn cells_are_the_spans_in_which_they_ran() {
        let mut session = session();
        // Two cells with idle time before, between and behind them, one within another, and one that never ended.
        let cells = [(12, Some(32)), (52, Some(62)), (55, Some(58)), (95, None)];
        for (start, end) in cells {
            Arc::make_mut(&mut session.tables).cells.push(Cell {
                process: ProcessId::from_raw(0),
                start: nanos(start),
                end: end.map(nanos),
                source: StringId::from_raw(0),
                outcome: crate::CellOutcome::Ok,
            });
        }
        let of = |span: &str| {
            let span: CellSpan = span.parse().expect("a range");
            let spans = session.times_of_cells(span).expect("they are there");
            Selection::all().during(spans)
        };
        // Two threads, so that each nanosecond counts twice.
        for (span, expected) in [
            ("0", 40),
            ("1", 20),
            ("2", 6),
            ("1:2", 20),
            ("0:1", 60),
            ("-1", 10),
        ] {
            assert_eq!(total(&of(span)), expected, "{span}");
        }
        let narrow = of(":").between(nanos(30), nanos(53));
        assert_eq!(total(&narrow), 6);
        assert_eq!(total(&of("0").during([(nanos(40), nanos(50))])), 0);
        // Rows of metrics at 10 and 60.
        let rows = |span| {
            let selected = session.clone().select(&of(span));
            selected.expect("there is time").metrics().len()
        };
        assert_eq!((rows("0"), rows("1"), rows(":")), (0, 2, 2));
        let missing = "4".parse().map(|span| session.times_of_cells(span));
        assert!(missing.expect("a range").is_err());
    }

    #[test]
    fn nothing_selected_is_an_error_that_says_so() {
        let backwards = session().select(&Selection::all().between(nanos(60), nanos(35)));
        assert!(matches!(backwards, Err(Error::EmptySelection)));
        let moment = session().select(&Selection::all().between(nanos(35), nanos(35)));
        assert!(matches!(moment, Err(Error::EmptySelection)));
        let error = session().select(&Selection::all().between(nanos(500), nanos(600)));
        let error = error.expect_err("it is after the end").to_string();
        assert!(
            error.starts_with("nothing was recorded in what is selected"),
            "{error}"
        );
    }
}
