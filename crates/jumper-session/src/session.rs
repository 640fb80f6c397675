//! A finished recording.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;
use crate::short_path::ShortPaths;
use crate::tables::{
    CellTable, FrameTable, Function, MetricColumn, MetricsTable, ProcessTable, SampleTable,
    StackTable, StringTable, Tables, ThreadTable,
};
use crate::{
    Attribution, FunctionId, Host, Manifest, Parts, ProcessId, StackId, StringId, ThreadId,
    Thresholds, Timestamp,
};

/// A recording: its manifest and its tables, which never change.
///
/// Every handle in it is valid, whether it came from a [`SessionBuilder`](crate::SessionBuilder) or from a
/// file. Of a file it may have only [`Parts`]. A copy of a session shares the tables with it.
#[derive(Clone, Debug)]
pub struct Session {
    pub(crate) manifest: Manifest,
    pub(crate) tables: Arc<Tables>,
    /// What of the tables was read.
    pub(crate) parts: Parts,
    /// How many rows the tables have that were not.
    pub(crate) rows: RowCounts,
    /// Who used what in the session that this one was selected from.
    pub(crate) attribution: Option<Attribution>,
    pub(crate) path: Option<PathBuf>,
}

/// How many rows the tables of a session have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowCounts {
    /// Distinct functions.
    pub functions: usize,
    /// Distinct stacks.
    pub stacks: usize,
    /// Samples.
    pub samples: usize,
    /// Rows of metrics.
    pub metrics: usize,
    /// Runs of notebook cells.
    pub cells: usize,
}

/// What came of [`Session::repair`].
#[derive(Clone, Debug)]
pub struct Repaired {
    /// The session, whose [notes](Manifest::notes) say what is missing.
    pub session: Session,
    /// Whether nothing is missing but the end that whatever ended the recorder cut off. Otherwise its `journal/` is kept, for
    /// there may be more in it.
    pub is_whole: bool,
}

impl Session {
    /// Reads a session directory and checks all of it.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::read(path, Parts::ALL)
    }

    /// Reads parts of a session directory, and checks what it reads. Of the other tables it reads what their files say of
    /// themselves: which columns they have, and how many rows. There may be more in the session than was asked for.
    ///
    /// # Errors
    /// When there is no session at `path`, when it was written by a newer version, when a file of it is
    /// missing, cut off or damaged, and when a table contradicts another one. Each says which.
    pub fn read(path: impl AsRef<Path>, parts: Parts) -> Result<Self> {
        crate::format::open(path.as_ref(), parts)
    }

    /// Makes a session of a recording that was not finished, because it was killed or the disk was full, in its place. One that
    /// was finished is left as it is. [`open`](Self::open) reads either.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`save`](Self::save), and [`Error::BeingRecorded`](crate::Error::BeingRecorded) where the
    /// recording still goes on.
    pub fn repair(path: impl AsRef<Path>) -> Result<Repaired> {
        crate::format::repair(path.as_ref())
    }

    /// Whether what is at `path` is a recording that goes on or was not finished.
    pub fn is_unfinished(path: impl AsRef<Path>) -> bool {
        crate::format::is_unfinished(path.as_ref())
    }

    /// Writes the session as a directory, customarily `NAME.jumper`.
    ///
    /// All files are written and synced under another name beside `path` first, so that whatever is
    /// found under `path` is whole. A session that is there already is replaced as a whole, files that
    /// this version does not know included.
    ///
    /// # Errors
    /// [`Error::Occupied`](crate::Error::Occupied) when something that is not a session is at `path`, and
    /// [`Error::Write`](crate::Error::Write) when the system refuses.
    ///
    /// # Panics
    /// If only a [part](Self::read) of it was read: what was written would look whole.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.parts.assert(Parts::ALL);
        crate::format::save(self, path.as_ref())
    }

    /// [Saves](Self::save) the session, which from then on is the one at `path`.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn save_as(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        self.save(path)?;
        // Absolute, so that it can be shown to people who look at it from elsewhere.
        self.path = Some(path.canonicalize().unwrap_or_else(|_| path.into()));
        Ok(())
    }

    /// Finds out whether a session could be [saved](Self::save) at `path`, before one is recorded for it.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn check_destination(path: impl AsRef<Path>) -> Result<()> {
        crate::format::check_destination(path.as_ref())
    }

    /// Where the session is, as an absolute path; `None` while it is in memory only.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What of it was read.
    pub fn parts(&self) -> Parts {
        self.parts
    }

    /// How many rows its tables have, also those that were not read.
    pub fn row_counts(&self) -> RowCounts {
        let (tables, rows) = (&self.tables, self.rows);
        let known = |part, read, counted| match self.parts.contains(part) {
            true => read,
            false => counted,
        };
        RowCounts {
            functions: known(Parts::CALLS, tables.frames.len(), rows.functions),
            stacks: known(Parts::CALLS, tables.stacks.len(), rows.stacks),
            samples: known(Parts::SAMPLE_COUNTS, tables.samples.len(), rows.samples),
            metrics: known(Parts::METRICS, tables.metrics.len(), rows.metrics),
            cells: known(Parts::CELLS, tables.cells.len(), rows.cells),
        }
    }

    /// What the session says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The texts.
    pub fn strings(&self) -> &StringTable {
        &self.tables.strings
    }

    /// The functions.
    ///
    /// # Panics
    /// If [calls](Parts::CALLS) were not read.
    pub fn frames(&self) -> &FrameTable {
        self.parts.assert(Parts::CALLS);
        &self.tables.frames
    }

    /// The call stacks.
    ///
    /// # Panics
    /// If [calls](Parts::CALLS) were not read.
    pub fn stacks(&self) -> &StackTable {
        self.parts.assert(Parts::CALLS);
        &self.tables.stacks
    }

    /// The processes.
    pub fn processes(&self) -> &ProcessTable {
        &self.tables.processes
    }

    /// The threads.
    pub fn threads(&self) -> &ThreadTable {
        &self.tables.threads
    }

    /// The samples, as far as they were read.
    ///
    /// # Panics
    /// If [nothing](Parts::SAMPLE_COUNTS) of them was.
    pub fn samples(&self) -> &SampleTable {
        self.parts.assert(Parts::SAMPLE_COUNTS);
        &self.tables.samples
    }

    /// The metrics.
    ///
    /// # Panics
    /// If they were [not read](Parts::METRICS).
    pub fn metrics(&self) -> &MetricsTable {
        self.parts.assert(Parts::METRICS);
        &self.tables.metrics
    }

    /// Which metrics there are, also where they were not read.
    pub fn metric_columns(&self) -> &[MetricColumn] {
        self.tables.metrics.columns()
    }

    /// The runs of notebook cells.
    ///
    /// # Panics
    /// If they were [not read](Parts::CELLS).
    pub fn cells(&self) -> &CellTable {
        self.parts.assert(Parts::CELLS);
        &self.tables.cells
    }

    /// Whether it was [selected](Self::select) from another one, to which its [`Attribution`] refers.
    pub fn is_selected(&self) -> bool {
        self.attribution.is_some()
    }

    /// The same session, to be judged by other thresholds from now on, also where it is saved.
    #[must_use]
    pub fn with_thresholds(mut self, thresholds: Thresholds) -> Self {
        self.manifest.thresholds = Some(thresholds);
        self
    }

    /// The machines, indexed by [`HostId`](crate::HostId).
    pub fn hosts(&self) -> &[Host] {
        &self.manifest.hosts
    }

    /// A text.
    ///
    /// # Panics
    /// If the handle is of another session and out of range here.
    pub fn string(&self, id: StringId) -> &str {
        self.tables.strings.get(id)
    }

    /// A function as text.
    ///
    /// # Panics
    /// If the handle is of another session and out of range here.
    pub fn function(&self, id: FunctionId) -> Function<'_> {
        let row = self.tables.frames.get(id);
        Function {
            name: self.string(row.name),
            qualname: row.qualname.map(|name| self.string(name)),
            file: self.string(row.file),
            first_line: row.first_line,
            hidden: row.hidden,
        }
    }

    /// The path of a source file as people know it: relative to the directory of modules
    /// ([`Manifest::sys_path`]) from which that is shortest, as pyinstrument shows it.
    pub fn short_path<'a>(&self, file: &'a str) -> Cow<'a, str> {
        match self.short_paths() {
            Some(paths) => paths.of(file),
            None => file.into(),
        }
    }

    /// The same for many files; `None` where it is not known in which directories the program looked for modules.
    pub fn short_paths(&self) -> Option<ShortPaths<'_>> {
        let sys_path = self.manifest.sys_path.as_deref()?;
        Some(ShortPaths::new(
            sys_path,
            self.manifest.program.cwd.as_deref(),
        ))
    }

    /// The name of a thread, where one is known.
    ///
    /// # Panics
    /// If the handle is of another session and out of range here.
    pub fn thread_name(&self, id: ThreadId) -> Option<&str> {
        self.tables
            .threads
            .get(id)
            .name
            .map(|name| self.string(name))
    }

    /// The command line of a process, where it is known.
    ///
    /// # Panics
    /// If the handle is of another session and out of range here.
    pub fn process_command(&self, id: ProcessId) -> Option<&str> {
        self.tables
            .processes
            .get(id)
            .command
            .map(|command| self.string(command))
    }

    /// Where in the program the recording was started, if it was started from within: the thread, and its stack
    /// if it had a frame.
    ///
    /// # Panics
    /// If [calls](Parts::CALLS) were not read.
    pub fn start_stack(&self) -> Option<(ThreadId, Option<StackId>)> {
        self.parts.assert(Parts::CALLS);
        let start = self.manifest.start_stack?;
        let stack = start.stack.map(StackId::from_raw);
        Some((ThreadId::from_raw(start.thread), stack))
    }

    /// When recording began.
    pub fn start(&self) -> Timestamp {
        self.manifest.start
    }

    /// When recording ended.
    pub fn end(&self) -> Timestamp {
        self.manifest.end
    }

    /// How long was recorded, in wall time.
    pub fn duration(&self) -> Duration {
        self.end().since(self.start())
    }

    /// The time between two looks at the stacks that was aimed at, where stacks were recorded.
    pub fn sample_interval(&self) -> Option<Duration> {
        self.manifest.stacks.map(|stacks| stacks.interval)
    }

    /// Samples that were attempted and thrown away, over all threads.
    pub fn lost(&self) -> u64 {
        self.tables.threads.lost()
    }
}
