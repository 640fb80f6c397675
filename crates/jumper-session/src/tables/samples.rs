//! The samples: who was where, when, and for how long.

use std::time::Duration;

use crate::tables::{NONE_U32, NONE_U64};
use crate::{HostId, Parts, ProcessId, StackId, ThreadId, Timestamp};

/// What a thread was doing when it was sampled: a set of bits.
///
/// Bits that this version does not know are kept as they are, so that a session can be read and written
/// again without losing them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ThreadState(u8);

impl ThreadState {
    /// Nothing known beyond the stack: the thread waited, or nobody looked.
    pub const NONE: Self = Self(0);
    /// The thread was running on a CPU or ready to.
    pub const ON_CPU: Self = Self(1);
    /// The thread held the interpreter's lock. Reserved: no recorder sets it yet.
    pub const GIL: Self = Self(2);
    /// The thread was collecting garbage. Reserved: no recorder sets it yet.
    pub const GC: Self = Self(4);
    /// The thread was in native code below its innermost Python frame. Reserved: no recorder sets it yet.
    pub const NATIVE: Self = Self(8);

    /// The set with exactly these bits.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The bits, as they are written to disk.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether every bit of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A sample to be recorded; process and host follow from the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSample {
    /// When the thread was looked at.
    pub time: Timestamp,
    /// The span of wall time that this sample stands for.
    pub duration: Duration,
    /// The thread.
    pub thread: ThreadId,
    /// The task that ran in it; `u64::MAX` counts as none.
    pub task: Option<u64>,
    /// What the thread was doing.
    pub state: ThreadState,
    /// Its stack; `None` when it had no Python frame.
    pub stack: Option<StackId>,
}

/// One row of the [`SampleTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When the thread was looked at.
    pub time: Timestamp,
    /// The span of wall time that this sample stands for.
    pub duration: Duration,
    /// The machine.
    pub host: HostId,
    /// The process.
    pub process: ProcessId,
    /// The thread.
    pub thread: ThreadId,
    /// The task that ran in it, where one is known.
    pub task: Option<u64>,
    /// What the thread was doing.
    pub state: ThreadState,
    /// Its stack; `None` when it had no Python frame.
    pub stack: Option<StackId>,
}

/// One row for every sample, in the order of recording; `samples.parquet` on disk.
///
/// Times mostly rise, but nothing promises it: threads and hosts are recorded side by side.
///
/// 25 bytes a row, and eight more where there are tasks: process and host are those of the thread. Of a session of which
/// only [`Parts`] were read, columns may not be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleTable {
    parts: Parts,
    times: Vec<Timestamp>,
    durations: Vec<u64>,
    threads: Vec<ThreadId>,
    states: Vec<ThreadState>,
    stacks: Vec<u32>,
    /// Without rows until there is a task.
    tasks: Vec<u64>,
    /// By thread. Threads without samples have that of another.
    owners: Vec<(HostId, ProcessId)>,
    total: u64,
}

impl SampleTable {
    /// A table of which only these columns will be there.
    pub(crate) fn of_parts(parts: Parts) -> Self {
        Self {
            parts,
            ..Self::default()
        }
    }

    /// The sample in row `row`.
    ///
    /// # Panics
    /// If `row` is not less than [`len`](Self::len), or if the samples were not [read](Parts::SAMPLES) as a whole.
    pub fn get(&self, row: usize) -> Sample {
        self.parts.assert(Parts::SAMPLES);
        self.row(row)
    }

    /// The same without state and task where these were not read.
    pub(crate) fn row(&self, row: usize) -> Sample {
        let thread = self.threads[row];
        let (host, process) = self.owner(thread);
        Sample {
            time: self.times[row],
            duration: Duration::from_nanos(self.durations[row]),
            host,
            process,
            thread,
            task: self.task(row),
            state: self.states.get(row).copied().unwrap_or_default(),
            stack: self.stack(row),
        }
    }

    /// The machine and the process of a thread that has samples.
    pub(crate) fn owner(&self, thread: ThreadId) -> (HostId, ProcessId) {
        self.owners[thread.index()]
    }

    /// Whether any row may have a task.
    pub(crate) fn has_tasks(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// The task in row `row`, where tasks were read.
    pub(crate) fn task(&self, row: usize) -> Option<u64> {
        let task = self.tasks.get(row).copied();
        task.filter(|&task| task != NONE_U64)
    }

    /// The stack in row `row`.
    pub(crate) fn stack(&self, row: usize) -> Option<StackId> {
        let stack = self.stacks[row];
        (stack != NONE_U32).then(|| StackId::from_raw(stack))
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.threads.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.threads.is_empty()
    }

    /// All samples in the order of recording.
    ///
    /// # Panics
    /// If they were not [read](Parts::SAMPLES) as a whole.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Sample> + '_ {
        self.parts.assert(Parts::SAMPLES);
        (0..self.len()).map(|row| self.row(row))
    }

    /// The column of times.
    ///
    /// # Panics
    /// If [calls](Parts::CALLS) were not read.
    pub fn times(&self) -> &[Timestamp] {
        self.parts.assert(Parts::CALLS);
        &self.times
    }

    /// The column of durations, in nanoseconds.
    ///
    /// # Panics
    /// If [calls](Parts::CALLS) were not read.
    pub fn durations_ns(&self) -> &[u64] {
        self.parts.assert(Parts::CALLS);
        &self.durations
    }

    /// The column of threads.
    pub fn threads(&self) -> &[ThreadId] {
        &self.threads
    }

    /// The column of thread states.
    ///
    /// # Panics
    /// If the samples were not [read](Parts::SAMPLES) as a whole.
    pub fn states(&self) -> &[ThreadState] {
        self.parts.assert(Parts::SAMPLES);
        &self.states
    }

    /// The durations of all samples together.
    ///
    /// # Panics
    /// If [calls](Parts::CALLS) were not read.
    pub fn total(&self) -> Duration {
        self.parts.assert(Parts::CALLS);
        Duration::from_nanos(self.total)
    }

    /// Appends a row, or what of it is to be there. The total of all durations stays within an `i64`, so that no sum
    /// over any part of them can overflow: a sample that would pass it is cut to what is left.
    pub(crate) fn push(&mut self, sample: Sample) {
        let row = self.threads.len();
        self.threads.push(sample.thread);
        if self.parts.contains(Parts::CALLS) {
            let duration =
                crate::time::column_nanos(sample.duration).min(i64::MAX as u64 - self.total);
            self.total += duration;
            self.times.push(sample.time);
            self.durations.push(duration);
            self.stacks
                .push(sample.stack.map_or(NONE_U32, StackId::as_u32));
            self.set_owner(sample.thread, (sample.host, sample.process));
        }
        if self.parts.contains(Parts::SAMPLES) {
            self.states.push(sample.state);
            if sample.task.is_some() || !self.tasks.is_empty() {
                self.tasks.resize(row, NONE_U64);
                self.tasks.push(sample.task.unwrap_or(NONE_U64));
            }
        }
    }

    /// Whether the total can take the duration of another row.
    pub(crate) fn has_room_for(&self, duration: Duration) -> bool {
        crate::time::column_nanos(duration) <= i64::MAX as u64 - self.total
    }

    fn set_owner(&mut self, thread: ThreadId, owner: (HostId, ProcessId)) {
        if thread.index() >= self.owners.len() {
            self.owners.resize(thread.index() + 1, owner);
        }
        self.owners[thread.index()] = owner;
    }

    /// The rows of which `part` leaves something.
    pub(crate) fn filter_map(&self, mut part: impl FnMut(Sample) -> Option<Sample>) -> Self {
        self.parts.assert(Parts::CALLS);
        let mut rows = Self::of_parts(self.parts);
        for row in 0..self.len() {
            if let Some(sample) = part(self.row(row)) {
                rows.push(sample);
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_sets() {
        let state = ThreadState::ON_CPU.with(ThreadState::GC);
        assert!(state.contains(ThreadState::GC) && !state.contains(ThreadState::GIL));
        assert!(state.contains(ThreadState::NONE));
        assert_eq!(ThreadState::from_bits(0xf0).bits(), 0xf0);
    }

    #[test]
    fn the_total_never_overflows() {
        let mut samples = SampleTable::default();
        let sample = Sample {
            duration: Duration::MAX,
            ..sample(0, None)
        };
        samples.push(sample);
        samples.push(sample);
        assert_eq!(samples.total(), Duration::from_nanos(i64::MAX as u64));
        assert_eq!(samples.get(1).duration, Duration::ZERO);
    }

    fn sample(thread: u32, task: Option<u64>) -> Sample {
        Sample {
            time: Timestamp::from_nanos(i64::from(thread)),
            duration: Duration::from_nanos(1),
            host: HostId::from_raw(thread % 2),
            process: ProcessId::from_raw(thread / 2),
            thread: ThreadId::from_raw(thread),
            task,
            state: ThreadState::ON_CPU,
            stack: None,
        }
    }

    #[test]
    fn what_follows_from_the_thread_and_what_comes_late_is_as_it_was_pushed() {
        let rows = [(5, None), (2, None), (5, Some(7)), (0, None), (4, Some(0))];
        let rows = rows.map(|(thread, task)| sample(thread, task));
        let mut samples = SampleTable::default();
        for row in rows {
            samples.push(row);
        }
        assert!(samples.iter().eq(rows));
        let even = samples.filter_map(|sample| (sample.thread.index() % 2 == 0).then_some(sample));
        assert!(even.iter().eq([rows[1], rows[3], rows[4]]));
    }

    #[test]
    #[should_panic = "bug: all of the samples of the session were not read, and are needed"]
    fn what_was_not_read_is_not_empty() {
        let mut samples = SampleTable::of_parts(Parts::CALLS);
        samples.push(sample(0, Some(1)));
        assert_eq!(samples.total(), Duration::from_nanos(1));
        samples.states();
    }
}
