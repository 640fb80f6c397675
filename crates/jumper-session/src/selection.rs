//! A part of a session: some of its time, some of its threads, one way to count time.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::tables::{Sample, SampleTable, ThreadState};
use crate::{Attribution, ProcessId, Session, ThreadId, Timestamp};

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

impl TimeMode {
    fn counts(self, state: ThreadState) -> bool {
        match self {
            Self::Wall => true,
            Self::Cpu => state.contains(ThreadState::ON_CPU),
            Self::Gil => state.contains(ThreadState::GIL),
        }
    }
}

/// A range as people write it: `2:8`, `:5`, `3:`, and `5` alone. What is negative counts from the end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Span {
    /// Where it begins; from the beginning where there is none.
    pub from: Option<f64>,
    /// Where it ends; at the end where there is none.
    pub to: Option<f64>,
    /// Whether it was one number and not two.
    single: bool,
}

/// A range that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no range; write two numbers with a colon between, such as `2:8`, `:5`, `3:` or `-3:-1`"
)]
pub struct SpanError(String);

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let fail = || SpanError(text.escape_debug().to_string());
        let number = |text: &str| match text.trim() {
            "" => Ok(None),
            text => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Some(number)),
                _ => Err(fail()),
            },
        };
        match text.split_once(':') {
            Some((from, to)) => Ok(Self {
                from: number(from)?,
                to: number(to)?,
                single: false,
            }),
            None => {
                let only = number(text)?.ok_or_else(fail)?;
                Ok(Self {
                    from: Some(only),
                    to: Some(only),
                    single: true,
                })
            }
        }
    }
}

impl Span {
    /// The seconds of a recording that is `length` long, as offsets from its beginning. A single number is the second that
    /// begins there. Where nothing is left the two are equal.
    pub fn seconds_of(&self, length: Duration) -> (Duration, Duration) {
        let length = length.as_secs_f64();
        let place = |number: f64| match number < 0.0 {
            true => (length + number).max(0.0),
            false => number.min(length),
        };
        let from = self.from.map_or(0.0, place);
        let to = match self.single {
            true => (from + 1.0).min(length),
            false => self.to.map_or(length, place),
        };
        let seconds = |number: f64| Duration::try_from_secs_f64(number).unwrap_or_default();
        (seconds(from), seconds(to.max(from)))
    }
}

/// Which part of a session to look at. Everything that is said of it narrows it down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
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
        Self {
            from: Some(self.from.map_or(from, |before| before.max(from))),
            to: Some(self.to.map_or(to, |before| before.min(to))),
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
        // A sample stands for the time that ends with it.
        let begin = sample.time.as_nanos();
        let begin = begin.saturating_sub(crate::time::column_nanos(sample.duration) as i64);
        let from = self.from.map_or(begin, |from| from.as_nanos().max(begin));
        let end = sample.time.as_nanos();
        let to = self.to.map_or(end, |to| to.as_nanos().min(end));
        match self.from.is_some() || self.to.is_some() {
            false => Some(sample),
            true if to > from => Some(Sample {
                time: Timestamp::from_nanos(to),
                duration: Duration::from_nanos(to.abs_diff(from)),
                ..sample
            }),
            true => None,
        }
    }

    fn has_level(&self, level: &str) -> bool {
        self.levels
            .as_ref()
            .is_none_or(|levels| levels.contains(level))
    }

    fn has_time(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time <= to)
    }
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
    /// The part of the session that is selected, as a session of its own: every report can be made of it. It has no place on
    /// disk.
    ///
    /// What is counted for the recording as a whole (samples that were lost, looks that came late) stays so, and a
    /// note says that.
    ///
    /// # Errors
    /// [`Error::EmptySelection`] where there is time in the session, and none in the selection.
    pub fn select(mut self, selection: &Selection) -> Result<Self> {
        if selection.is_all() {
            return Ok(self);
        }
        // A part of the samples gets its part, and not what the others used.
        self.attribution = Some(Attribution::of(&self));
        let mut samples = SampleTable::default();
        for sample in self.samples.iter() {
            if let Some(part) = selection.part_of(sample) {
                samples.push(part);
            }
        }
        let levels: Vec<bool> = self
            .strings
            .iter()
            .map(|text| selection.has_level(text))
            .collect();
        self.metrics
            .retain(|time, level| levels[level.index()] && selection.has_time(time));
        if samples.is_empty() && !self.samples.is_empty() {
            return Err(Error::EmptySelection);
        }
        self.samples = samples;
        let manifest = &mut self.manifest;
        manifest.start = selection
            .from
            .map_or(manifest.start, |from| from.max(manifest.start));
        manifest.end = selection.to.map_or(manifest.end, |to| to.min(manifest.end));
        manifest.end = manifest.end.max(manifest.start);
        // CPU time is known of the whole only.
        manifest.cpu_time = None;
        if let Some(stacks) = &mut manifest.stacks {
            stacks.samples = self.samples.len() as u64;
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
    use crate::{Host, Manifest, NewSample, SessionBuilder};

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
    fn nothing_selected_is_an_error_that_says_so() {
        let error = session().select(&Selection::all().between(nanos(500), nanos(600)));
        let error = error.expect_err("it is after the end").to_string();
        assert!(
            error.starts_with("nothing was recorded in what is selected"),
            "{error}"
        );
    }

    #[test]
    fn spans_are_read_as_people_write_them() {
        let length = Duration::from_secs(10);
        let seconds = |text: &str| {
            let span: Span = text.parse().expect("a range");
            let (from, to) = span.seconds_of(length);
            (from.as_secs_f64(), to.as_secs_f64())
        };
        assert_eq!(seconds("2:8"), (2.0, 8.0));
        assert_eq!(seconds(":5"), (0.0, 5.0));
        assert_eq!(seconds("3.5:"), (3.5, 10.0));
        assert_eq!(seconds("-3:-1"), (7.0, 9.0));
        assert_eq!(seconds("5"), (5.0, 6.0));
        assert_eq!(seconds("8:2"), (8.0, 8.0));
        assert_eq!(seconds("-90:90"), (0.0, 10.0));
        for text in ["", "a", "1:b", "nan:", "1:inf", "1:2:3"] {
            let error = text.parse::<Span>().expect_err("no range").to_string();
            assert!(error.contains("is no range; write two numbers"), "{error}");
        }
    }
}
