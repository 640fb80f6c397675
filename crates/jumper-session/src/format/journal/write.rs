//! Writing a journal, and turning it into a session.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Schema, SchemaRef};

use super::super::schema::{self, METRICS_KEY, Table};
use super::super::{directory, manifest, write};
use super::{JournalFile, LOCK, Tail, segment};
use crate::error::{Error, Result};
use crate::tables::{Cell, MetricsTable, Process, SampleTable, StringTable, Thread};
use crate::{Host, Manifest, MetricColumn, SessionBuilder};

/// Rows in one piece of a table: what a reader has in memory at a time.
const PIECE_ROWS: usize = 65_536;

/// The journal of a recording that is going on.
#[derive(Debug)]
pub(crate) struct Journal {
    /// The directory that the session will be.
    session: PathBuf,
    /// Locked as long as this exists.
    _lock: File,
    frames: Stream,
    stacks: Stream,
    samples: Stream,
    metrics: Option<Stream>,
    /// Which file of the metrics is the present one.
    metrics_number: usize,
    metric_columns: Vec<MetricColumn>,
    /// As they were last written.
    hosts: Vec<Host>,
    processes: Vec<Process>,
    threads: Vec<Thread>,
    cells: Vec<Cell>,
}

/// What has come since the last time. What is small is columns already.
pub(crate) struct Part {
    frames: Vec<ArrayRef>,
    stacks: Vec<ArrayRef>,
    processes: Option<(Vec<Process>, Vec<ArrayRef>)>,
    threads: Option<(Vec<Thread>, Vec<ArrayRef>)>,
    cells: Option<(Vec<Cell>, Vec<ArrayRef>)>,
    samples: SampleTable,
    metrics: Option<(Vec<MetricColumn>, Vec<ArrayRef>)>,
}

impl Journal {
    /// Begins the journal of the session that will be at `path`: there if the place is free, and beside it where there is a
    /// session, which stays until there is another.
    pub(crate) fn beside(path: &Path) -> Result<Self> {
        if directory::is_free(path) {
            return Self::create(path);
        }
        directory::check(path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{name}.{}.jumper", std::process::id());
        Self::create(&path.with_file_name(name))
    }

    /// Begins the journal of the session that will be at `session`, where nothing is yet or an empty directory.
    fn create(session: &Path) -> Result<Self> {
        let fail = |error| Error::write(session, error);
        let journal = session.join(schema::JOURNAL);
        fs::create_dir_all(&journal).map_err(fail)?;
        let lock = File::create_new(journal.join(LOCK)).map_err(fail)?;
        lock.lock().map_err(fail)?;
        let stream = |table| Stream::create(session, table, 0, &[]).map_err(fail);
        Ok(Self {
            session: session.canonicalize().map_err(fail)?,
            _lock: lock,
            frames: stream(&schema::FRAMES)?,
            stacks: stream(&schema::STACKS)?,
            samples: stream(&schema::SAMPLES)?,
            metrics: None,
            metrics_number: 0,
            metric_columns: Vec::new(),
            hosts: Vec::new(),
            processes: Vec::new(),
            threads: Vec::new(),
            cells: Vec::new(),
        })
    }

    /// The directory that the session will be.
    pub(crate) fn session(&self) -> &Path {
        &self.session
    }

    /// Takes what the builder has got since the last time, for [`append`](Self::append): samples and metrics out of it. Sources
    /// wait for it, so that it is quick.
    pub(crate) fn take(&mut self, builder: &mut SessionBuilder) -> Part {
        self.hosts = builder.hosts().to_vec();
        let tables = builder.tables();
        let frames = self.frames.rows..tables.frames.len();
        let stacks = self.stacks.rows..tables.stacks.len();
        let (frames, stacks) = (write::frames(tables, frames), write::stacks(tables, stacks));
        let processes = tables.processes.rows();
        let processes = changed(processes, &self.processes, |range| {
            write::processes(tables, range)
        });
        let threads = tables.threads.rows();
        let threads = changed(threads, &self.threads, |range| {
            write::threads(tables, range)
        });
        let cells = tables.cells.rows();
        let cells = changed(cells, &self.cells, |range| write::cells(tables, range));
        let metrics = builder.take_metrics();
        let metrics =
            (!metrics.is_empty()).then(|| columns_of(&builder.tables().strings, &metrics));
        Part {
            frames,
            stacks,
            processes,
            threads,
            cells,
            samples: builder.take_samples(),
            metrics,
        }
    }

    /// Writes what was taken. The manifest is the caller's, but for the machines.
    pub(crate) fn append(&mut self, part: Part, manifest: &Manifest) -> Result<()> {
        self.write(part, manifest)
            .map_err(|error| Error::write(&self.session, error))
    }

    fn write(&mut self, part: Part, manifest: &Manifest) -> io::Result<()> {
        self.frames.push(part.frames)?;
        self.stacks.push(part.stacks)?;
        if let Some((rows, arrays)) = part.processes {
            replace(&self.session, &schema::PROCESSES, arrays)?;
            self.processes = rows;
        }
        if let Some((rows, arrays)) = part.threads {
            replace(&self.session, &schema::THREADS, arrays)?;
            self.threads = rows;
        }
        if let Some((rows, arrays)) = part.cells {
            replace(&self.session, &schema::CELLS, arrays)?;
            self.cells = rows;
        }
        for range in pieces(part.samples.len()) {
            self.samples.push(write::samples(&part.samples, range))?;
        }
        if let Some((columns, arrays)) = part.metrics {
            self.metrics(columns)?.push(arrays)?;
        }
        let manifest = Manifest {
            hosts: self.hosts.clone(),
            cells: Some(self.cells.len() as u64),
            ..manifest.clone()
        };
        manifest::replace(&manifest, &self.session.join(schema::JOURNAL))
    }

    /// The stream of the metrics with these columns.
    fn metrics(&mut self, columns: Vec<MetricColumn>) -> io::Result<&mut Stream> {
        if self.metrics.is_some() && columns != self.metric_columns {
            self.metrics = None;
            self.metrics_number += 1;
        }
        let stream = match self.metrics.take() {
            Some(stream) => stream,
            None => Stream::create(
                &self.session,
                &schema::METRICS,
                self.metrics_number,
                &columns,
            )?,
        };
        self.metric_columns = columns;
        Ok(self.metrics.insert(stream))
    }

    /// Makes a session of it at `path`, which need not be where the journal is, and removes the journal. `manifest` is
    /// completed with what the tables know better.
    ///
    /// The journal stays where it is if that fails.
    pub(crate) fn finish(self, path: &Path, mut manifest: Manifest) -> Result<()> {
        manifest.hosts.clone_from(&self.hosts);
        manifest.cells = Some(self.cells.len() as u64);
        directory::replace(path, Some(&self.session), |staging| {
            for table in [
                &schema::FRAMES,
                &schema::STACKS,
                &schema::PROCESSES,
                &schema::THREADS,
                &schema::CELLS,
            ] {
                convert(&self.session, table, &[], staging)?;
            }
            let samples = convert(&self.session, &schema::SAMPLES, &[], staging)?;
            convert(
                &self.session,
                &schema::METRICS,
                &self.metric_columns,
                staging,
            )?;
            if let Some(stacks) = &mut manifest.stacks {
                stacks.samples = samples;
                stacks.lost = self
                    .threads
                    .iter()
                    .fold(0, |sum, thread| sum.saturating_add(thread.lost));
            }
            manifest::write(&manifest, staging)
        })?;
        let is_elsewhere = path.canonicalize().is_ok_and(|path| path != self.session);
        if is_elsewhere {
            // What is left is found again, and no reason to fail: the session is there.
            let _ = fs::remove_dir_all(&self.session);
        }
        Ok(())
    }
}

fn columns_of(strings: &StringTable, metrics: &MetricsTable) -> (Vec<MetricColumn>, Vec<ArrayRef>) {
    (
        metrics.columns().to_vec(),
        write::metrics(strings, metrics, 0..metrics.len()),
    )
}

/// The rows of a table as they are and as columns, if they are others than `before`.
fn changed<R: Clone + PartialEq>(
    rows: &[R],
    before: &[R],
    columns: impl FnOnce(Range<usize>) -> Vec<ArrayRef>,
) -> Option<(Vec<R>, Vec<ArrayRef>)> {
    (rows != before).then(|| (rows.to_vec(), columns(0..rows.len())))
}

fn pieces(rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows)
        .step_by(PIECE_ROWS)
        .map(move |start| start..rows.min(start + PIECE_ROWS))
}

/// Writes a table from a journal as Parquet and returns how many rows it has.
fn convert(
    session: &Path,
    table: &'static Table,
    metrics: &[MetricColumn],
    staging: &Path,
) -> io::Result<u64> {
    let mut writer = write::Writer::create(staging, table, metrics)?;
    let names: Vec<String> = metrics.iter().map(|column| column.name.clone()).collect();
    let mut rows = 0;
    if segment(session, table, 0).exists() {
        let file = JournalFile::open(session, table).map_err(io::Error::other)?;
        let tail = file.batches(&names, |batch| {
            rows += batch.num_rows() as u64;
            let schema = Arc::clone(writer.schema());
            let batch = RecordBatch::try_new(schema, batch.columns().to_vec());
            writer.push(&batch.map_err(io::Error::other)?)
        })?;
        if let Some(Tail::Cut(tail) | Tail::Senseless(tail)) = tail {
            return Err(io::Error::other(tail));
        }
    }
    writer.finish()?;
    Ok(rows)
}

/// Puts a table in place as a whole.
fn replace(session: &Path, table: &Table, arrays: Vec<ArrayRef>) -> io::Result<()> {
    let path = segment(session, table, 0);
    let staging = path.with_extension("new");
    let mut stream = Stream::at(&staging, table, &[])?;
    stream.push(arrays)?;
    fs::rename(staging, path)
}

/// A file that grows.
struct Stream {
    writer: StreamWriter<File>,
    schema: SchemaRef,
    rows: usize,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stream of {} rows", self.rows)
    }
}

impl Stream {
    fn create(
        session: &Path,
        table: &Table,
        number: usize,
        metrics: &[MetricColumn],
    ) -> io::Result<Self> {
        Self::at(&segment(session, table, number), table, metrics)
    }

    fn at(path: &Path, table: &Table, metrics: &[MetricColumn]) -> io::Result<Self> {
        let schema = write::arrow_schema(table, metrics);
        let declared = serde_json::to_string(metrics)?;
        let schema = match metrics {
            [] => schema,
            _ => Schema::new_with_metadata(
                schema.fields,
                HashMap::from([(METRICS_KEY.to_owned(), declared)]),
            ),
        };
        let schema = Arc::new(schema);
        let writer = StreamWriter::try_new(File::create(path)?, &schema).map_err(into_io)?;
        Ok(Self {
            writer,
            schema,
            rows: 0,
        })
    }

    /// Appends rows, if there are any.
    fn push(&mut self, arrays: Vec<ArrayRef>) -> io::Result<()> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays);
        let batch = batch.map_err(into_io)?;
        if batch.num_rows() > 0 {
            self.writer.write(&batch).map_err(into_io)?;
            self.rows += batch.num_rows();
        }
        Ok(())
    }
}

/// Keeps the system's own error, so that "no space left" is still told from others.
fn into_io(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, source) => source,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        CellId, CellOutcome, Function, HostId, NewSample, ProcessId, Session, StacksSummary,
        StringId, ThreadId, ThreadState, Timestamp,
    };

    /// A recording that goes on.
    struct Recorded {
        builder: SessionBuilder,
        host: HostId,
        level: StringId,
        process: ProcessId,
        threads: Vec<ThreadId>,
        cell: Option<CellId>,
        round: u32,
    }

    fn manifest() -> Manifest {
        Manifest {
            stacks: Some(StacksSummary::default()),
            ..Manifest::default()
        }
    }

    impl Recorded {
        fn new() -> Self {
            let mut builder = SessionBuilder::new();
            let host = builder.add_host(Host {
                name: "node".into(),
                ..Host::default()
            });
            let process = builder.add_process(host, 7, None);
            let level = builder.intern_string("process");
            let threads = (0..2).map(|id| builder.add_thread(process, id, None));
            let threads = threads.collect();
            Self {
                builder,
                host,
                level,
                process,
                threads,
                cell: None,
                round: 0,
            }
        }

        fn append_to(&mut self, journal: &mut Journal) {
            let part = journal.take(&mut self.builder);
            journal.append(part, &manifest()).expect("there is room");
        }

        /// Some functions, stacks, samples and metrics more; a thread gets a name, and a metric is new.
        fn go_on(&mut self) {
            self.round += 1;
            let round = self.round;
            let builder = &mut self.builder;
            let names = ["a", "b\n", "</script>"].map(|name| format!("{name}{round}"));
            for (row, name) in names.iter().enumerate() {
                let function = builder.intern_function(&Function {
                    name,
                    qualname: None,
                    file: "a.py",
                    first_line: 1,
                    hidden: false,
                });
                let stack = builder.intern_stack_frames([(function, 1), (function, round)]);
                builder.push_sample(NewSample {
                    time: Timestamp::from_nanos(i64::from(round) * 1000 + row as i64),
                    duration: Duration::from_nanos(1000),
                    thread: self.threads[row % 2],
                    task: None,
                    state: ThreadState::ON_CPU,
                    stack: stack.filter(|_| row > 0),
                });
            }
            builder.set_thread_name(self.threads[0], &format!("worker {round}"));
            builder.add_lost(self.threads[1], 1);
            let column = MetricColumn {
                name: format!("m{}", round / 2),
                unit: "bytes".into(),
                ..MetricColumn::default()
            };
            builder.declare_metric(column).expect("a good name");
            let values: Vec<_> = (0..=round / 2)
                .map(|value| Some(f64::from(value)))
                .collect();
            builder.push_metrics(Timestamp::from_nanos(5), self.host, self.level, &values);
            // Every cell ends a round after it began.
            let time = |round: u32| Timestamp::from_nanos(i64::from(round) * 1000);
            if let Some(cell) = self.cell {
                builder.end_cell(cell, time(round), CellOutcome::Ok);
            }
            let source = builder.intern_string(&format!("cell {round}"));
            self.cell = Some(builder.push_cell(Cell {
                process: self.process,
                start: time(round),
                end: None,
                source,
                outcome: CellOutcome::Unknown,
            }));
        }
    }

    /// What a session holds, as text.
    fn shown(session: &Session) -> Vec<String> {
        let samples = session.samples().iter().map(|sample| {
            let frames = sample.stack.into_iter().flat_map(|stack| {
                session
                    .stacks()
                    .frames(stack)
                    .map(|(function, line)| (session.function(function).name.to_owned(), line))
            });
            format!("{sample:?} {:?}", frames.collect::<Vec<_>>())
        });
        let metrics = session.metrics();
        let columns = metrics.columns().iter().enumerate().map(|(id, column)| {
            let values = metrics.values(crate::MetricId::from_len(id));
            format!("{column:?} {values:?}")
        });
        let threads = session.threads().iter();
        let threads =
            threads.map(|(id, thread)| format!("{:?} {}", session.thread_name(id), thread.lost));
        let cells = session.cells().iter();
        let cells = cells.map(|(_, cell)| {
            let ran = (cell.start, cell.end, cell.outcome);
            format!("{ran:?} {}", session.string(cell.source))
        });
        samples.chain(columns).chain(threads).chain(cells).collect()
    }

    #[test]
    fn what_was_written_in_parts_is_the_whole_before_and_after_it_is_finished() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a.jumper");
        let mut journal = Journal::beside(&path).expect("there is room");
        let (mut recorded, mut at_once) = (Recorded::new(), Recorded::new());
        for _ in 0..6 {
            recorded.go_on();
            at_once.go_on();
            recorded.append_to(&mut journal);
        }
        let expected = shown(&at_once.builder.finish(Manifest::default()));

        assert!(Session::is_unfinished(&path));
        let live = Session::open(&path).expect("it can be read at any time");
        assert_eq!(shown(&live), expected);
        assert_eq!(live.manifest().notes, Vec::<String>::new());
        let refused = Session::repair(&path).expect_err("it is being written");
        assert!(
            refused.to_string().contains("still being recorded"),
            "{refused}"
        );

        journal.finish(&path, manifest()).expect("there is room");
        assert!(!Session::is_unfinished(&path));
        let whole = Session::open(&path).expect("a session");
        assert_eq!(shown(&whole), expected);
        let stacks = whole.manifest().stacks.expect("there are stacks");
        assert_eq!((stacks.samples, stacks.lost), (18, 6));
    }

    #[test]
    fn a_session_that_is_there_stays_until_there_is_another() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a.jumper");
        let old = SessionBuilder::new().finish(Manifest::default());
        old.save(&path).expect("there is room");
        let mut recorded = Recorded::new();
        let mut journal = Journal::beside(&path).expect("there is room");
        recorded.go_on();
        recorded.append_to(&mut journal);
        assert_eq!(
            Session::open(&path).expect("the old one").samples().len(),
            0
        );
        let beside = journal.session().to_owned();
        journal.finish(&path, manifest()).expect("there is room");
        assert_eq!(
            Session::open(&path).expect("the new one").samples().len(),
            3
        );
        assert!(!beside.exists());
    }

    /// For a change of the format; see `tests/corpus.rs`.
    #[test]
    #[ignore = "writes into the source tree"]
    fn the_corpus_is_made_anew() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/journal/recorded");
        if path.exists() {
            fs::remove_dir_all(&path).expect("it is ours");
        }
        let mut recorded = Recorded::new();
        let mut journal = Journal::beside(&path).expect("there is room");
        for _ in 0..4 {
            recorded.go_on();
            recorded.append_to(&mut journal);
        }
    }

    #[test]
    fn a_journal_that_is_cut_or_changed_anywhere_is_read_as_far_as_it_makes_sense() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a.jumper");
        let mut recorded = Recorded::new();
        let mut journal = Journal::beside(&path).expect("there is room");
        for _ in 0..3 {
            recorded.go_on();
            recorded.append_to(&mut journal);
        }
        drop(journal);
        for table in [
            "frames",
            "stacks",
            "samples",
            "metrics",
            "metrics-1",
            "threads",
            "cells",
        ] {
            let file = path.join("journal").join(format!("{table}.arrows"));
            let whole = fs::read(&file).expect("it is there");
            for at in (0..whole.len()).step_by(7) {
                fs::write(&file, &whole[..at]).expect("there is room");
                let session = Session::open(&path).expect("what is left can be read");
                assert!(session.samples().len() <= 9);
                let mut changed = whole.clone();
                changed[at] ^= 0x81;
                fs::write(&file, changed).expect("there is room");
                // Never a panic; an error only where the columns are others.
                if let Err(error) = Session::open(&path) {
                    assert!(error.to_string().contains("journal/"), "{error}");
                }
            }
            fs::write(&file, whole).expect("there is room");
        }
        let repaired = Session::repair(&path).expect("nobody writes it");
        assert!(repaired.is_whole);
        assert_eq!(repaired.session.samples().len(), 9);
        assert!(path.join("samples.parquet").exists() && !path.join("journal").exists());
    }

    #[test]
    fn what_makes_no_sense_is_kept_when_the_rest_is_repaired() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a.jumper");
        let mut recorded = Recorded::new();
        let mut journal = Journal::beside(&path).expect("there is room");
        recorded.go_on();
        recorded.append_to(&mut journal);
        drop(journal);
        let file = path.join("journal/samples.arrows");
        let mut bytes = fs::read(&file).expect("it is there");
        bytes.extend([0xaa; 64]);
        fs::write(&file, bytes).expect("there is room");
        let repaired = Session::repair(&path).expect("nobody writes it");
        assert!(!repaired.is_whole && file.exists());
        assert_eq!(repaired.session.samples().len(), 3);
        let notes = repaired.session.manifest().notes.join("; ");
        assert!(notes.contains("`journal/`"), "{notes}");
    }
}
