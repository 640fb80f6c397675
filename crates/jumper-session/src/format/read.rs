//! From Parquet files to tables: every value is checked before it becomes a handle.
//!
//! Tables are read in the order of their references, so that each handle can be checked against the
//! length of the table that it points into.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use arrow_array::UInt32Array;

use crate::error::{Error, Result};
use crate::format::columns::{ParquetFile, Rows, TableFile, optional, optional_text};
use crate::format::journal::JournalFile;
use crate::format::schema::{self, METRICS_KEY, Table};
use crate::tables::{
    Cell, CellOutcome, CellTable, Extent, FrameTable, FunctionRow, MetricColumn, MetricsTable,
    NONE_U32, NONE_U64, Process, ProcessTable, Sample, SampleTable, Stack, StackTable, StringTable,
    Thread, ThreadState, ThreadTable,
};
use crate::{FunctionId, HostId, Manifest, ProcessId, Session, StackId, ThreadId, Timestamp};

/// Reads the tables of the session directory `path`, whose manifest has been read.
pub(super) fn session(path: &Path, manifest: Manifest) -> Result<Session> {
    Reader::new(path, &manifest, false).session(manifest)
}

/// Reads the tables of a journal, whose manifest has been read, as far as they make sense. What does not is in a note.
pub(super) fn journal(path: &Path, manifest: Manifest) -> Result<Session> {
    let mut session = Reader::new(path, &manifest, true).session(manifest)?;
    let manifest = &mut session.manifest;
    if let Some(stacks) = &mut manifest.stacks {
        stacks.samples = session.samples.len() as u64;
        stacks.lost = session.threads.lost();
    }
    // The manifest is a moment younger or older than the tables.
    let last = session.samples.times().iter().max().copied();
    manifest.end = manifest.end.max(last.unwrap_or(manifest.start));
    Ok(session)
}

/// The rows that the manifest names must be there.
fn check_start(
    path: &Path,
    manifest: &Manifest,
    threads: &ThreadTable,
    stacks: &StackTable,
) -> Result<()> {
    let Some(start) = manifest.start_stack else {
        return Ok(());
    };
    let missing = if start.thread as usize >= threads.len() {
        Some(("thread", start.thread))
    } else {
        let stack = start.stack.filter(|&row| row as usize >= stacks.len());
        stack.map(|row| ("stack", row))
    };
    missing.map_or(Ok(()), |(table, row)| {
        Err(Error::Damaged {
            path: path.into(),
            file: schema::MANIFEST,
            column: None,
            detail: format!("`start_stack` names {table} {row}, which is not there"),
        })
    })
}

struct Reader<'a> {
    path: &'a Path,
    is_journal: bool,
    hosts: usize,
    strings: StringTable,
    notes: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path, manifest: &Manifest, is_journal: bool) -> Self {
        Self {
            path,
            is_journal,
            hosts: manifest.hosts.len(),
            strings: StringTable::default(),
            notes: Vec::new(),
        }
    }

    fn session(mut self, mut manifest: Manifest) -> Result<Session> {
        let frames = self.frames()?;
        let stacks = self.stacks(&frames)?;
        let processes = self.processes()?;
        let threads = self.threads(&processes)?;
        let samples = self.samples(&processes, &threads, &stacks)?;
        let metrics = self.metrics()?;
        let cells = match manifest.cells {
            Some(_) => self.cells(&processes)?,
            None => CellTable::default(),
        };
        manifest.cells = Some(cells.len() as u64);
        check_start(self.path, &manifest, &threads, &stacks)?;
        manifest.notes.append(&mut self.notes);
        Ok(Session {
            manifest,
            strings: self.strings,
            frames,
            stacks,
            processes,
            threads,
            samples,
            metrics,
            cells,
            attribution: None,
            path: Some(self.path.into()),
        })
    }

    fn open(&self, table: &'static Table) -> Result<TableFile<'a>> {
        Ok(match self.is_journal {
            true => TableFile::Journal(JournalFile::open(self.path, table)?),
            false => TableFile::Parquet(Box::new(ParquetFile::open(self.path, table)?)),
        })
    }

    fn note(&mut self, tail: Option<String>) {
        if let Some(tail) = tail {
            self.notes
                .push(format!("what was recorded last is left out: {tail}"));
        }
    }
}

impl Reader<'_> {
    fn frames(&mut self) -> Result<FrameTable> {
        let mut frames = FrameTable::default();
        let tail = self.open(&schema::FRAMES)?.read(&[], |rows| {
            check_row_numbers(rows, "frame")?;
            let (names, qualnames) = (rows.text("name")?, rows.text("qualname")?);
            let (files, first_lines) = (rows.text("file")?, rows.u32("first_line")?);
            let hidden = rows
                .has("hidden")
                .then(|| rows.bool("hidden"))
                .transpose()?;
            for row in 0..rows.len() {
                let qualname = optional_text(qualnames, row);
                frames.push(FunctionRow {
                    name: self.strings.intern(names.value(row)),
                    qualname: qualname.map(|name| self.strings.intern(name)),
                    file: self.strings.intern(files.value(row)),
                    first_line: first_lines.value(row),
                    hidden: hidden.is_some_and(|hidden| hidden.value(row)),
                });
            }
            Ok(())
        })?;
        self.note(tail);
        Ok(frames)
    }

    fn stacks(&mut self, frames: &FrameTable) -> Result<StackTable> {
        let mut stacks = StackTable::default();
        let tail = self.open(&schema::STACKS)?.read(&[], |rows| {
            check_row_numbers(rows, "stack")?;
            let (parents, functions) = (rows.u32("parent")?, rows.u32("frame")?);
            let lines = rows.u32("line")?;
            let number = |name| rows.has(name).then(|| rows.u32(name)).transpose();
            let (columns, end_lines) = (number("column")?, number("end_line")?);
            let end_columns = number("end_column")?;
            let classes = rows.has("class").then(|| rows.text("class")).transpose()?;
            for row in 0..rows.len() {
                let parent = optional(parents, row);
                if parent.is_some_and(|parent| parent as usize >= rows.first_row + row) {
                    return Err(rows.at("parent", row, "does not point to an earlier row"));
                }
                let function = reference(rows, "frame", row, functions.value(row), frames.len())?;
                let known = |column: &str, values: Option<&UInt32Array>| match values
                    .and_then(|values| optional(values, row))
                {
                    Some(NONE_U32) => Err(rows.at(column, row, "is 2^32 - 1, which is reserved")),
                    value => Ok(value),
                };
                let extent = Extent::new(
                    known("column", columns)?,
                    known("end_line", end_lines)?,
                    known("end_column", end_columns)?,
                );
                let class = classes.and_then(|classes| optional_text(classes, row));
                stacks.push(Stack {
                    parent: parent.map(StackId::from_raw),
                    function: FunctionId::from_raw(function),
                    line: lines.value(row),
                    extent,
                    class: class.map(|class| self.strings.intern(class)),
                });
            }
            Ok(())
        })?;
        self.note(tail);
        Ok(stacks)
    }

    fn processes(&mut self) -> Result<ProcessTable> {
        let mut processes = ProcessTable::default();
        let tail = self.open(&schema::PROCESSES)?.read(&[], |rows| {
            check_row_numbers(rows, "process")?;
            let (hosts, pids) = (rows.u32("host")?, rows.u32("pid")?);
            let commands = rows.text("command")?;
            for row in 0..rows.len() {
                let host = reference(rows, "host", row, hosts.value(row), self.hosts)?;
                let command = optional_text(commands, row);
                processes.push(Process {
                    host: HostId::from_raw(host),
                    pid: pids.value(row),
                    command: command.map(|command| self.strings.intern(command)),
                });
            }
            Ok(())
        })?;
        self.note(tail);
        Ok(processes)
    }

    fn threads(&mut self, processes: &ProcessTable) -> Result<ThreadTable> {
        let mut threads = ThreadTable::default();
        let tail = self.open(&schema::THREADS)?.read(&[], |rows| {
            check_row_numbers(rows, "thread")?;
            let (owners, native_ids) = (rows.u32("process")?, rows.u64("native_id")?);
            let (names, lost) = (rows.text("name")?, rows.u64("lost")?);
            for row in 0..rows.len() {
                let process = reference(rows, "process", row, owners.value(row), processes.len())?;
                let name = optional_text(names, row);
                threads.push(Thread {
                    process: ProcessId::from_raw(process),
                    native_id: native_ids.value(row),
                    name: name.map(|name| self.strings.intern(name)),
                    lost: lost.value(row),
                });
            }
            Ok(())
        })?;
        self.note(tail);
        Ok(threads)
    }

    fn samples(
        &mut self,
        processes: &ProcessTable,
        threads: &ThreadTable,
        stacks: &StackTable,
    ) -> Result<SampleTable> {
        let mut samples = SampleTable::default();
        let tail = self.open(&schema::SAMPLES)?.read(&[], |rows| {
            let columns = SampleColumns::new(rows)?;
            for row in 0..rows.len() {
                let sample = columns.sample(row, processes, threads, stacks)?;
                let before = samples.total();
                samples.push(sample);
                if samples.total() != before + sample.duration {
                    return Err(rows.at("duration", row, "makes the sum pass 2^63 nanoseconds"));
                }
            }
            Ok(())
        })?;
        self.note(tail);
        Ok(samples)
    }

    fn metrics(&mut self) -> Result<MetricsTable> {
        let file = self.open(&schema::METRICS)?;
        let columns = declared_metrics(&file)?;
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let mut metrics = MetricsTable::default();
        for column in columns {
            metrics.declare(column);
        }
        let tail = file.read(&names, |rows| {
            let (times, hosts, levels) =
                (rows.i64("time")?, rows.u32("host")?, rows.text("level")?);
            let values = rows.doubles(&names)?;
            for row in 0..rows.len() {
                let host = reference(rows, "host", row, hosts.value(row), self.hosts)?;
                metrics.push(
                    Timestamp::from_nanos(times.value(row)),
                    HostId::from_raw(host),
                    self.strings.intern(levels.value(row)),
                    values.iter().map(|values| optional(values, row)),
                );
            }
            Ok(())
        })?;
        self.note(tail);
        Ok(metrics)
    }

    fn cells(&mut self, processes: &ProcessTable) -> Result<CellTable> {
        let mut cells = CellTable::default();
        let tail = self.open(&schema::CELLS)?.read(&[], |rows| {
            check_row_numbers(rows, "cell")?;
            let (owners, starts) = (rows.u32("process")?, rows.i64("start")?);
            let (ends, sources) = (rows.i64("end")?, rows.text("source")?);
            let outcomes = rows.text("outcome")?;
            for row in 0..rows.len() {
                let process = reference(rows, "process", row, owners.value(row), processes.len())?;
                let (start, end) = (starts.value(row), optional(ends, row));
                if end.is_some_and(|end| end < start) {
                    return Err(rows.at("end", row, "is before its start"));
                }
                cells.push(Cell {
                    process: ProcessId::from_raw(process),
                    start: Timestamp::from_nanos(start),
                    end: end.map(Timestamp::from_nanos),
                    source: self.strings.intern(sources.value(row)),
                    outcome: CellOutcome::from_name(optional_text(outcomes, row)),
                });
            }
            Ok(())
        })?;
        self.note(tail);
        Ok(cells)
    }
}

/// The columns of some samples, looked up once for all of them.
struct SampleColumns<'a> {
    rows: &'a Rows<'a>,
    times: &'a arrow_array::Int64Array,
    durations: &'a arrow_array::Int64Array,
    hosts: &'a arrow_array::UInt32Array,
    processes: &'a arrow_array::UInt32Array,
    threads: &'a arrow_array::UInt32Array,
    tasks: &'a arrow_array::UInt64Array,
    states: &'a arrow_array::UInt8Array,
    stacks: &'a arrow_array::UInt32Array,
}

impl<'a> SampleColumns<'a> {
    fn new(rows: &'a Rows<'a>) -> Result<Self> {
        Ok(Self {
            rows,
            times: rows.i64("time")?,
            durations: rows.i64("duration")?,
            hosts: rows.u32("host")?,
            processes: rows.u32("process")?,
            threads: rows.u32("thread")?,
            tasks: rows.u64("task")?,
            states: rows.u8("state")?,
            stacks: rows.u32("stack")?,
        })
    }

    fn sample(
        &self,
        row: usize,
        processes: &ProcessTable,
        threads: &ThreadTable,
        stacks: &StackTable,
    ) -> Result<Sample> {
        let rows = self.rows;
        let duration = u64::try_from(self.durations.value(row))
            .map_err(|_| rows.at("duration", row, "is negative"))?;
        let thread = reference(rows, "thread", row, self.threads.value(row), threads.len())?;
        let thread = ThreadId::from_raw(thread);
        let process = threads.get(thread).process;
        if self.processes.value(row) != process.as_u32() {
            return Err(rows.at("process", row, "is not the process of its thread"));
        }
        let host = processes.get(process).host;
        if self.hosts.value(row) != host.as_u32() {
            return Err(rows.at("host", row, "is not the host of its process"));
        }
        let task = optional(self.tasks, row);
        if task == Some(NONE_U64) {
            return Err(rows.at("task", row, "is 2^64 - 1, which is reserved"));
        }
        let stack = match optional(self.stacks, row) {
            Some(stack) => Some(reference(rows, "stack", row, stack, stacks.len())?),
            None => None,
        };
        Ok(Sample {
            time: Timestamp::from_nanos(self.times.value(row)),
            duration: Duration::from_nanos(duration),
            host,
            process,
            thread,
            task,
            state: ThreadState::from_bits(self.states.value(row)),
            stack: stack.map(StackId::from_raw),
        })
    }
}

/// Every column of doubles is a metric; what was declared about it is in the file's metadata, unless
/// another program wrote the file anew and left that out.
fn declared_metrics(file: &TableFile<'_>) -> Result<Vec<MetricColumn>> {
    let declared: Vec<MetricColumn> = match file.metadata(METRICS_KEY) {
        Some(json) => serde_json::from_str(json).map_err(|error| {
            file.place()
                .damaged(None, format!("{METRICS_KEY}: {error}"))
        })?,
        None => Vec::new(),
    };
    let mut declared: HashMap<String, MetricColumn> = declared
        .into_iter()
        .map(|column| (column.name.clone(), column))
        .collect();
    let mut seen = HashSet::new();
    let mut columns = Vec::new();
    for name in file.double_columns() {
        // A fixed column of a wrong type is found when the columns are read.
        if super::is_fixed_metrics_column(&name) {
            continue;
        }
        if !seen.insert(name.clone()) {
            return Err(file.place().damaged(Some(&name), "it is there twice"));
        }
        let known = declared.remove(&name);
        columns.push(known.unwrap_or(MetricColumn {
            name,
            ..MetricColumn::default()
        }));
    }
    Ok(columns)
}

/// Checks that the column `name` counts the rows.
fn check_row_numbers(rows: &Rows<'_>, name: &str) -> Result<()> {
    let numbers = rows.u32(name)?;
    match (0..rows.len()).find(|row| numbers.value(*row) as usize != rows.first_row + row) {
        Some(row) => Err(rows.at(name, row, "is not numbered so")),
        None => Ok(()),
    }
}

/// A row number that points into a table of `len` rows.
fn reference(rows: &Rows<'_>, column: &str, row: usize, value: u32, len: usize) -> Result<u32> {
    match (value as usize) < len {
        true => Ok(value),
        false => Err(rows.at(
            column,
            row,
            &format!("points to {value}, but there are only {len}"),
        )),
    }
}
