//! The way into a session: one writer at a time appends, everything is interned on the way.

use crate::error::{Error, Result};
use crate::hash::IntMap;
use crate::intern::StackInterner;
use crate::session::RowCounts;
use crate::tables::{
    Cell, CellOutcome, Function, FunctionRow, MetricColumn, NewSample, Place, Process, Sample,
    Tables, Thread,
};
#[cfg(feature = "record")]
use crate::tables::{MetricsTable, SampleTable};
use crate::{
    CellId, Format, FunctionId, Gpu, Host, HostId, Manifest, MetricId, Parts, ProcessId, Session,
    StackId, StringId, ThreadId, Timestamp,
};

/// Collects a recording and turns it into a [`Session`].
///
/// Append-only, for one writer at a time: several threads share one behind a lock. Handles belong to the
/// builder that gave them out; a method that takes one panics when it is out of range, since that is a mistake
/// of the caller and not of a file.
#[derive(Debug, Default)]
pub struct SessionBuilder {
    tables: Tables,
    hosts: Vec<Host>,
    /// Samples and rows of metrics that have been taken out, and stacks that have been copied.
    taken: (usize, usize, usize),
    function_ids: IntMap<FunctionRow, FunctionId>,
    stack_ids: StackInterner,
}

impl SessionBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// The handle of a text, new or known.
    pub fn intern_string(&mut self, text: &str) -> StringId {
        self.tables.strings.intern(text)
    }

    /// The handle of a function, new or known. Two functions are one when all fields agree.
    pub fn intern_function(&mut self, function: &Function<'_>) -> FunctionId {
        let row = FunctionRow {
            name: self.tables.strings.intern(function.name),
            qualname: function
                .qualname
                .map(|name| self.tables.strings.intern(name)),
            file: self.tables.strings.intern(function.file),
            first_line: function.first_line,
            hidden: function.hidden,
        };
        *self
            .function_ids
            .entry(row)
            .or_insert_with(|| self.tables.frames.push(row))
    }

    /// The handle of the stack in which `function` runs at `place` (or just a line; 0 is unknown), called from `parent`.
    ///
    /// # Panics
    /// If a handle is not of this builder.
    pub fn intern_stack(
        &mut self,
        parent: Option<StackId>,
        function: FunctionId,
        place: impl Into<Place>,
    ) -> StackId {
        assert!(
            function.index() < self.tables.frames.len(),
            "bug: function of another builder"
        );
        let place = place.into();
        assert!(
            place
                .class
                .is_none_or(|class| class.index() < self.tables.strings.len()),
            "bug: string of another builder"
        );
        self.stack_ids
            .intern(&mut self.tables.stacks, parent, function, place)
    }

    /// The handle of a whole stack, given outermost frame first as (function, place or current line); `None` for
    /// a stack without frames.
    ///
    /// # Panics
    /// If a handle is not of this builder.
    pub fn intern_stack_frames<I, P>(&mut self, frames: I) -> Option<StackId>
    where
        I: IntoIterator<Item = (FunctionId, P)>,
        P: Into<Place>,
    {
        frames.into_iter().fold(None, |parent, (function, place)| {
            Some(self.intern_stack(parent, function, place))
        })
    }

    /// Adds a machine.
    pub fn add_host(&mut self, host: Host) -> HostId {
        let id = HostId::from_len(self.hosts.len());
        self.hosts.push(host);
        id
    }

    /// Says which GPUs a machine has, once they are found.
    ///
    /// # Panics
    /// If the handle is not of this builder.
    pub fn set_gpus(&mut self, host: HostId, gpus: Vec<Gpu>) {
        self.hosts[host.index()].gpus = gpus;
    }

    /// Adds a process that `host`'s kernel calls `pid`.
    ///
    /// # Panics
    /// If the handle is not of this builder.
    pub fn add_process(&mut self, host: HostId, pid: u32, command: Option<&str>) -> ProcessId {
        assert!(
            host.index() < self.hosts.len(),
            "bug: host of another builder"
        );
        let command = command.map(|command| self.tables.strings.intern(command));
        self.tables.processes.push(Process { host, pid, command })
    }

    /// Adds a thread that the kernel calls `native_id`.
    ///
    /// # Panics
    /// If the handle is not of this builder.
    pub fn add_thread(
        &mut self,
        process: ProcessId,
        native_id: u64,
        name: Option<&str>,
    ) -> ThreadId {
        assert!(
            process.index() < self.tables.processes.len(),
            "bug: process of another builder"
        );
        let name = name.map(|name| self.tables.strings.intern(name));
        self.tables.threads.push(Thread {
            process,
            native_id,
            name,
            lost: 0,
        })
    }

    /// Names a thread, or renames it: the last name is the one that is kept.
    ///
    /// # Panics
    /// If the handle is not of this builder.
    pub fn set_thread_name(&mut self, thread: ThreadId, name: &str) {
        self.tables.threads.get_mut(thread).name = Some(self.tables.strings.intern(name));
    }

    /// Says what a process runs, or runs now: the last command is the one that is kept.
    ///
    /// # Panics
    /// If the handle is not of this builder.
    pub fn set_process_command(&mut self, process: ProcessId, command: &str) {
        self.tables.processes.get_mut(process).command = Some(self.tables.strings.intern(command));
    }

    /// Appends a sample.
    ///
    /// # Panics
    /// If a handle is not of this builder.
    pub fn push_sample(&mut self, sample: NewSample) {
        let in_range = sample
            .stack
            .is_none_or(|stack| stack.index() < self.tables.stacks.len());
        assert!(in_range, "bug: stack of another builder");
        let process = self.tables.threads.get(sample.thread).process;
        self.tables.samples.push(Sample {
            time: sample.time,
            duration: sample.duration,
            host: self.tables.processes.get(process).host,
            process,
            thread: sample.thread,
            task: sample.task,
            state: sample.state,
            stack: sample.stack,
        });
    }

    /// Counts `count` samples of a thread that were attempted and thrown away.
    ///
    /// # Panics
    /// If the handle is not of this builder.
    pub fn add_lost(&mut self, thread: ThreadId, count: u64) {
        let lost = &mut self.tables.threads.get_mut(thread).lost;
        *lost = lost.saturating_add(count);
    }

    /// The handle of a metric, new or known by its name; the first declaration of a name is the one that
    /// counts. Rows that exist already have no value for a new metric.
    ///
    /// # Errors
    /// [`Error::MetricName`] when the name is empty or that of a fixed column of the table.
    pub fn declare_metric(&mut self, column: MetricColumn) -> Result<MetricId> {
        if column.name.is_empty() || crate::format::is_fixed_metrics_column(&column.name) {
            return Err(Error::MetricName { name: column.name });
        }
        let known = self.tables.metrics.find(&column.name);
        Ok(known.unwrap_or_else(|| self.tables.metrics.declare(column)))
    }

    /// Appends a row of metrics: one look at one level of one host. `values` are in the order of
    /// declaration, each in its metric's unit; those left off at the end are missing, and so is a value
    /// that is not finite.
    ///
    /// # Panics
    /// If a handle is not of this builder, or if there are more values than declared metrics.
    pub fn push_metrics(
        &mut self,
        time: Timestamp,
        host: HostId,
        level: StringId,
        values: &[Option<f64>],
    ) {
        assert!(
            host.index() < self.hosts.len(),
            "bug: host of another builder"
        );
        assert!(
            level.index() < self.tables.strings.len(),
            "bug: string of another builder"
        );
        self.tables
            .metrics
            .push(time, host, level, values.iter().copied());
    }

    /// Appends the run of a cell.
    ///
    /// # Panics
    /// If a handle is not of this builder, or if it ends before it starts.
    pub fn push_cell(&mut self, cell: Cell) -> CellId {
        assert!(
            cell.process.index() < self.tables.processes.len(),
            "bug: process of another builder"
        );
        assert!(
            cell.source.index() < self.tables.strings.len(),
            "bug: string of another builder"
        );
        assert!(
            cell.end.is_none_or(|end| end >= cell.start),
            "bug: a cell ends before it starts"
        );
        self.tables.cells.push(cell)
    }

    /// Says that the run of a cell has ended, and how. It does not end before it started, whatever `time` says.
    ///
    /// # Panics
    /// If the handle is not of this builder.
    pub fn end_cell(&mut self, cell: CellId, time: Timestamp, outcome: CellOutcome) {
        let cell = self.tables.cells.get_mut(cell);
        cell.end = Some(time.max(cell.start));
        cell.outcome = outcome;
    }

    /// Samples so far.
    pub fn sample_count(&self) -> usize {
        self.taken.0 + self.tables.samples.len()
    }

    /// Rows of metrics so far.
    pub fn metrics_count(&self) -> usize {
        self.taken.1 + self.tables.metrics.len()
    }

    /// Samples that were thrown away so far, over all threads.
    pub fn lost_count(&self) -> u64 {
        self.tables.threads.lost()
    }

    /// Turns the recording into a session.
    ///
    /// What the tables know better is written over the manifest's own: its format, its hosts and, where
    /// it has a summary of stacks, the counts of samples and lost samples.
    ///
    /// # Panics
    /// If the manifest says that the recording was started in a thread or stack that is not of this builder.
    pub fn finish(self, mut manifest: Manifest) -> Session {
        let start_is_known = manifest.start_stack.is_none_or(|start| {
            (start.thread as usize) < self.tables.threads.len()
                && start
                    .stack
                    .is_none_or(|stack| (stack as usize) < self.tables.stacks.len())
        });
        assert!(start_is_known, "bug: started in a stack of another builder");
        manifest.format = Format::default();
        manifest.hosts = self.hosts;
        manifest.cells = Some(self.tables.cells.len() as u64);
        if let Some(stacks) = &mut manifest.stacks {
            stacks.samples = self.tables.samples.len() as u64;
            stacks.lost = self.tables.threads.lost();
        }
        Session {
            manifest,
            tables: self.tables.into(),
            parts: Parts::ALL,
            rows: RowCounts::default(),
            attribution: None,
            path: None,
        }
    }
}

/// For a journal, which takes what there is out of the memory.
#[cfg(feature = "record")]
impl SessionBuilder {
    /// Takes the samples out that are there by now.
    pub(crate) fn take_samples(&mut self) -> SampleTable {
        self.taken.2 = self.tables.stacks.len();
        self.taken.0 += self.tables.samples.len();
        std::mem::take(&mut self.tables.samples)
    }

    /// Takes the rows of metrics out that are there by now.
    pub(crate) fn take_metrics(&mut self) -> MetricsTable {
        self.taken.1 += self.tables.metrics.len();
        self.tables.metrics.take_rows()
    }

    /// Samples, and stacks that are new since samples were taken out.
    pub(crate) fn pending_rows(&self) -> usize {
        self.tables.samples.len() + self.tables.stacks.len() - self.taken.2
    }

    pub(crate) fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str) -> Function<'_> {
        Function {
            name,
            qualname: None,
            file: "a.py",
            first_line: 1,
            hidden: false,
        }
    }

    #[test]
    fn equal_stacks_share_a_row_and_parents_come_first() {
        let mut builder = SessionBuilder::new();
        let main = builder.intern_function(&function("main"));
        let work = builder.intern_function(&function("work"));
        assert_eq!(builder.intern_function(&function("main")), main);

        let first = builder.intern_stack_frames([(main, 1), (work, 5)]);
        let again = builder.intern_stack_frames([(main, 1), (work, 5)]);
        let other_line = builder.intern_stack_frames([(main, 1), (work, 6)]);
        assert_eq!(first, again);
        assert_ne!(first, other_line);
        let none: [(FunctionId, u32); 0] = [];
        assert_eq!(builder.intern_stack_frames(none), None);

        let session = builder.finish(Manifest::default());
        assert_eq!(session.stacks().len(), 3);
        assert!(
            session
                .stacks()
                .iter()
                .all(|(id, stack)| stack.parent < Some(id))
        );
    }

    #[test]
    fn functions_that_differ_in_one_field_are_two() {
        let mut builder = SessionBuilder::new();
        let plain = builder.intern_function(&function("f"));
        let qualified = Function {
            qualname: Some("f"),
            ..function("f")
        };
        let moved = Function {
            first_line: 2,
            ..function("f")
        };
        assert_ne!(builder.intern_function(&qualified), plain);
        assert_ne!(builder.intern_function(&moved), plain);
    }

    #[test]
    fn the_tables_own_the_counts() {
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(Host::default());
        let process = builder.add_process(host, 1, None);
        let thread = builder.add_thread(process, 1, None);
        builder.set_thread_name(thread, "worker");
        builder.add_lost(thread, 2);
        builder.add_lost(thread, u64::MAX);
        let summary = crate::StacksSummary {
            lost: 7,
            samples: 7,
            ..Default::default()
        };
        let session = builder.finish(Manifest {
            stacks: Some(summary),
            ..Manifest::default()
        });
        let stacks = session.manifest().stacks.unwrap();
        assert_eq!((stacks.samples, stacks.lost), (0, u64::MAX));
        assert_eq!(session.thread_name(thread), Some("worker"));
    }

    #[test]
    fn a_metric_cannot_take_the_name_of_a_fixed_column() {
        let mut builder = SessionBuilder::new();
        for name in ["", "time", "host", "level"] {
            let column = MetricColumn {
                name: name.into(),
                ..MetricColumn::default()
            };
            assert!(builder.declare_metric(column).is_err(), "{name:?}");
        }
        let column = MetricColumn {
            name: "cpu".into(),
            ..MetricColumn::default()
        };
        let first = builder.declare_metric(column.clone()).unwrap();
        assert_eq!(builder.declare_metric(column).unwrap(), first);
    }
}
