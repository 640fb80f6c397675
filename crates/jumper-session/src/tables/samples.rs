//! The samples: who was where, when, and for how long.

use std::time::Duration;

use crate::tables::{NONE_U32, NONE_U64};
use crate::{HostId, ProcessId, StackId, ThreadId, Timestamp};

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleTable {
    times: Vec<Timestamp>,
    durations: Vec<u64>,
    hosts: Vec<HostId>,
    processes: Vec<ProcessId>,
    threads: Vec<ThreadId>,
    tasks: Vec<u64>,
    states: Vec<ThreadState>,
    stacks: Vec<u32>,
    total: u64,
}

impl SampleTable {
    /// The sample in row `row`.
    ///
    /// # Panics
    /// If `row` is not less than [`len`](Self::len).
    pub fn get(&self, row: usize) -> Sample {
        let (task, stack) = (self.tasks[row], self.stacks[row]);
        Sample {
            time: self.times[row],
            duration: Duration::from_nanos(self.durations[row]),
            host: self.hosts[row],
            process: self.processes[row],
            thread: self.threads[row],
            task: (task != NONE_U64).then_some(task),
            state: self.states[row],
            stack: (stack != NONE_U32).then(|| StackId::from_raw(stack)),
        }
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// All samples in the order of recording.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Sample> + '_ {
        (0..self.len()).map(|row| self.get(row))
    }

    /// The column of times.
    pub fn times(&self) -> &[Timestamp] {
        &self.times
    }

    /// The column of durations, in nanoseconds.
    pub fn durations_ns(&self) -> &[u64] {
        &self.durations
    }

    /// The column of threads.
    pub fn threads(&self) -> &[ThreadId] {
        &self.threads
    }

    /// The column of thread states.
    pub fn states(&self) -> &[ThreadState] {
        &self.states
    }

    /// The durations of all samples together.
    pub fn total(&self) -> Duration {
        Duration::from_nanos(self.total)
    }

    /// Appends a row. The total of all durations stays within an `i64`, so that no sum over any part of
    /// them can overflow: a sample that would pass it is cut to what is left.
    pub(crate) fn push(&mut self, sample: Sample) {
        let duration = crate::time::column_nanos(sample.duration).min(i64::MAX as u64 - self.total);
        self.total += duration;
        self.times.push(sample.time);
        self.durations.push(duration);
        self.hosts.push(sample.host);
        self.processes.push(sample.process);
        self.threads.push(sample.thread);
        self.tasks.push(sample.task.unwrap_or(NONE_U64));
        self.states.push(sample.state);
        self.stacks
            .push(sample.stack.map_or(NONE_U32, StackId::as_u32));
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
            time: Timestamp::from_nanos(0),
            duration: Duration::MAX,
            host: HostId::from_raw(0),
            process: ProcessId::from_raw(0),
            thread: ThreadId::from_raw(0),
            task: None,
            state: ThreadState::NONE,
            stack: None,
        };
        samples.push(sample);
        samples.push(sample);
        assert_eq!(samples.total(), Duration::from_nanos(i64::MAX as u64));
        assert_eq!(samples.get(1).duration, Duration::ZERO);
    }
}
