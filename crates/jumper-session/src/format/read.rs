//! From Parquet files to tables: every value is checked before it becomes a handle.
//!
//! Tables are read in the order of their references, so that each handle can be checked against the
//! length of the table that it points into.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use arrow_array::{Int64Array, StringArray, UInt8Array, UInt32Array, UInt64Array};

use crate::error::{Error, Result};
use crate::format::columns::{ParquetFile, Rows, TableFile, optional, optional_text};
use crate::format::journal::{JournalFile, Tail};
use crate::format::schema::{self, METRICS_KEY, Table};
use crate::session::RowCounts;
use crate::tables::{
    Cell, CellOutcome, Extent, FrameTable, FunctionRow, MetricColumn, NONE_U32, NONE_U64, Place,
    Process, Sample, SampleTable, Site, SiteId, StringTable, Tables, Thread, ThreadState,
};
use crate::{
    FunctionId, HostId, Manifest, Parts, ProcessId, Session, StackId, ThreadId, Timestamp,
};

/// Reads parts of the session directory `path`, whose manifest has been read.
pub(super) fn session(path: &Path, manifest: Manifest, parts: Parts) -> Result<Session> {
    Reader::new(path, &manifest, parts, false).session(manifest)
}

/// Reads the tables of a journal, whose manifest has been read, as far as they make sense. What does not is in a note; also returns
/// whether that is more than the end that a killed recorder leaves.
///
/// All of them: where a table of a journal ends is only known when it has been read.
pub(super) fn journal(path: &Path, manifest: Manifest) -> Result<(Session, bool)> {
    let mut reader = Reader::new(path, &manifest, Parts::ALL, true);
    let mut session = reader.session(manifest)?;
    let manifest = &mut session.manifest;
    if let Some(stacks) = &mut manifest.stacks {
        stacks.samples = session.tables.samples.len() as u64;
        stacks.lost = session.tables.threads.lost();
    }
    // The manifest is a moment younger or older than the tables.
    let last = session.tables.samples.times().iter().max().copied();
    manifest.end = manifest.end.max(last.unwrap_or(manifest.start));
    Ok((session, reader.is_damaged))
}

/// The rows that the manifest names must be there.
fn check_start(path: &Path, manifest: &Manifest, threads: usize, stacks: usize) -> Result<()> {
    let Some(start) = manifest.start_stack else {
        return Ok(());
    };
    let missing = if start.thread as usize >= threads {
        Some(("thread", start.thread))
    } else {
        let stack = start.stack.filter(|&row| row as usize >= stacks);
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
    parts: Parts,
    is_journal: bool,
    hosts: usize,
    tables: Tables,
    /// Of the tables that are not read.
    rows: RowCounts,
    notes: Vec<String>,
    /// Whether more than the end of a journal is missing.
    is_damaged: bool,
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path, manifest: &Manifest, parts: Parts, is_journal: bool) -> Self {
        Self {
            path,
            parts,
            is_journal,
            hosts: manifest.hosts.len(),
            tables: Tables::default(),
            rows: RowCounts::default(),
            notes: Vec::new(),
            is_damaged: false,
        }
    }

    fn session(&mut self, mut manifest: Manifest) -> Result<Session> {
        // Each table after those that it refers to.
        self.frames()?;
        self.stacks()?;
        self.processes()?;
        self.threads()?;
        self.samples()?;
        self.metrics()?;
        if manifest.cells.is_some() {
            self.cells()?;
        }
        manifest.notes.append(&mut self.notes);
        let mut session = Session {
            manifest,
            tables: std::mem::take(&mut self.tables).into(),
            parts: self.parts,
            rows: self.rows,
            attribution: None,
            path: Some(self.path.into()),
        };
        let (rows, threads) = (session.row_counts(), session.tables.threads.len());
        session.manifest.cells = Some(rows.cells as u64);
        // Another program may have written fewer, or more.
        if let Some(stacks) = &mut session.manifest.stacks {
            stacks.samples = rows.samples as u64;
        }
        check_start(self.path, &session.manifest, threads, rows.stacks)?;
        Ok(session)
    }

    fn open(&self, table: &'static Table) -> Result<TableFile<'a>> {
        Ok(match self.is_journal {
            true => TableFile::Journal(JournalFile::open(self.path, table)?),
            false => TableFile::Parquet(Box::new(ParquetFile::open(self.path, table)?)),
        })
    }

    fn wants(&self, table: &Table) -> bool {
        self.parts.contains(table.part)
    }

    fn note(&mut self, tail: Option<Tail>) {
        let note = match tail {
            None => return,
            Some(Tail::Cut(tail)) => format!("what was recorded last is left out: {tail}"),
            Some(Tail::Senseless(tail)) => {
                self.is_damaged = true;
                format!("a part of the recording is left out: {tail}")
            }
        };
        self.notes.push(note);
    }
}

/// One method for each table. Of one that is not wanted it is the number of rows that is found out.
impl Reader<'_> {
    fn frames(&mut self) -> Result<()> {
        let file = self.open(&schema::FRAMES)?;
        if !self.wants(&schema::FRAMES) {
            self.rows.functions = file.claimed_rows(0)?;
            return Ok(());
        }
        let Tables {
            strings, frames, ..
        } = &mut self.tables;
        let tail = file.read(self.parts, &[], |rows| {
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
                    name: strings.intern(names.value(row)),
                    qualname: qualname.map(|name| strings.intern(name)),
                    file: strings.intern(files.value(row)),
                    first_line: first_lines.value(row),
                    hidden: hidden.is_some_and(|hidden| hidden.value(row)),
                });
            }
            Ok(())
        })?;
        self.note(tail);
        Ok(())
    }

    fn stacks(&mut self) -> Result<()> {
        let file = self.open(&schema::STACKS)?;
        if !self.wants(&schema::STACKS) {
            self.rows.stacks = file.claimed_rows(0)?;
            return Ok(());
        }
        let Tables {
            strings,
            frames,
            stacks,
            ..
        } = &mut self.tables;
        // The standard hasher: the rows may come from a file that was made to collide.
        let mut sites: HashMap<Site, SiteId> = HashMap::new();
        let tail = file.read(self.parts, &[], |rows| {
            check_row_numbers(rows, "stack")?;
            let columns = StackColumns::new(rows)?;
            for row in 0..rows.len() {
                let parent = columns.parent(row)?;
                let site = columns.site(row, frames, strings)?;
                let site = sites.entry(site).or_insert_with(|| stacks.push_site(site));
                stacks.push(parent, *site);
            }
            Ok(())
        })?;
        self.note(tail);
        Ok(())
    }

    fn processes(&mut self) -> Result<()> {
        let file = self.open(&schema::PROCESSES)?;
        let Tables {
            strings, processes, ..
        } = &mut self.tables;
        let tail = file.read(self.parts, &[], |rows| {
            check_row_numbers(rows, "process")?;
            let (hosts, pids) = (rows.u32("host")?, rows.u32("pid")?);
            let commands = rows.text("command")?;
            for row in 0..rows.len() {
                let host = reference(rows, "host", row, hosts.value(row), self.hosts)?;
                let command = optional_text(commands, row);
                processes.push(Process {
                    host: HostId::from_raw(host),
                    pid: pids.value(row),
                    command: command.map(|command| strings.intern(command)),
                });
            }
            Ok(())
        })?;
        self.note(tail);
        Ok(())
    }

    fn threads(&mut self) -> Result<()> {
        let file = self.open(&schema::THREADS)?;
        let Tables {
            strings,
            processes,
            threads,
            ..
        } = &mut self.tables;
        let tail = file.read(self.parts, &[], |rows| {
            check_row_numbers(rows, "thread")?;
            let (owners, native_ids) = (rows.u32("process")?, rows.u64("native_id")?);
            let (names, lost) = (rows.text("name")?, rows.u64("lost")?);
            for row in 0..rows.len() {
                let process = reference(rows, "process", row, owners.value(row), processes.len())?;
                let name = optional_text(names, row);
                threads.push(Thread {
                    process: ProcessId::from_raw(process),
                    native_id: native_ids.value(row),
                    name: name.map(|name| strings.intern(name)),
                    lost: lost.value(row),
                });
            }
            Ok(())
        })?;
        self.note(tail);
        Ok(())
    }

    fn samples(&mut self) -> Result<()> {
        let file = self.open(&schema::SAMPLES)?;
        if !self.wants(&schema::SAMPLES) {
            self.rows.samples = file.claimed_rows(0)?;
            return Ok(());
        }
        let mut samples = SampleTable::of_parts(self.parts);
        let tail = file.read(self.parts, &[], |rows| {
            let columns = SampleColumns::new(rows, self.parts)?;
            for row in 0..rows.len() {
                let sample = columns.sample(row, &self.tables)?;
                if !samples.has_room_for(sample.duration) {
                    return Err(rows.at("duration", row, "makes the sum pass 2^63 nanoseconds"));
                }
                samples.push(sample);
            }
            Ok(())
        })?;
        self.tables.samples = samples;
        self.note(tail);
        Ok(())
    }

    fn metrics(&mut self) -> Result<()> {
        let file = self.open(&schema::METRICS)?;
        let columns = declared_metrics(&file)?;
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let is_wanted = self.wants(&schema::METRICS);
        let Tables {
            strings, metrics, ..
        } = &mut self.tables;
        for column in columns {
            metrics.declare(column);
        }
        if !is_wanted {
            self.rows.metrics = file.claimed_rows(names.len())?;
            return Ok(());
        }
        let tail = file.read(self.parts, &names, |rows| {
            let (times, hosts, levels) =
                (rows.i64("time")?, rows.u32("host")?, rows.text("level")?);
            let values = rows.doubles(&names)?;
            for row in 0..rows.len() {
                let host = reference(rows, "host", row, hosts.value(row), self.hosts)?;
                metrics.push(
                    Timestamp::from_nanos(times.value(row)),
                    HostId::from_raw(host),
                    strings.intern(levels.value(row)),
                    values.iter().map(|values| optional(values, row)),
                );
            }
            Ok(())
        })?;
        self.note(tail);
        Ok(())
    }

    fn cells(&mut self) -> Result<()> {
        let file = self.open(&schema::CELLS)?;
        if !self.wants(&schema::CELLS) {
            self.rows.cells = file.claimed_rows(0)?;
            return Ok(());
        }
        let Tables {
            strings,
            processes,
            cells,
            ..
        } = &mut self.tables;
        let tail = file.read(self.parts, &[], |rows| {
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
                    source: strings.intern(sources.value(row)),
                    outcome: CellOutcome::from_name(optional_text(outcomes, row)),
                });
            }
            Ok(())
        })?;
        self.note(tail);
        Ok(())
    }
}

/// The columns of some stacks, looked up once for all of them.
struct StackColumns<'a> {
    rows: &'a Rows<'a>,
    parents: &'a UInt32Array,
    functions: &'a UInt32Array,
    lines: &'a UInt32Array,
    columns: Option<&'a UInt32Array>,
    end_lines: Option<&'a UInt32Array>,
    end_columns: Option<&'a UInt32Array>,
    classes: Option<&'a StringArray>,
}

impl<'a> StackColumns<'a> {
    fn new(rows: &'a Rows<'a>) -> Result<Self> {
        let later = |name| rows.has(name).then(|| rows.u32(name)).transpose();
        Ok(Self {
            rows,
            parents: rows.u32("parent")?,
            functions: rows.u32("frame")?,
            lines: rows.u32("line")?,
            columns: later("column")?,
            end_lines: later("end_line")?,
            end_columns: later("end_column")?,
            classes: rows.has("class").then(|| rows.text("class")).transpose()?,
        })
    }

    fn parent(&self, row: usize) -> Result<Option<StackId>> {
        let rows = self.rows;
        let parent = optional(self.parents, row);
        if parent.is_some_and(|parent| parent as usize >= rows.first_row + row) {
            return Err(rows.at("parent", row, "does not point to an earlier row"));
        }
        Ok(parent.map(StackId::from_raw))
    }

    fn site(&self, row: usize, frames: &FrameTable, strings: &mut StringTable) -> Result<Site> {
        let rows = self.rows;
        let function = reference(rows, "frame", row, self.functions.value(row), frames.len())?;
        let known = |column: &str, values: Option<&UInt32Array>| match values
            .and_then(|values| optional(values, row))
        {
            Some(NONE_U32) => Err(rows.at(column, row, "is 2^32 - 1, which is reserved")),
            value => Ok(value),
        };
        let extent = Extent::new(
            known("column", self.columns)?,
            known("end_line", self.end_lines)?,
            known("end_column", self.end_columns)?,
        );
        let class = self.classes.and_then(|classes| optional_text(classes, row));
        let place = Place {
            line: self.lines.value(row),
            extent,
            class: class.map(|class| strings.intern(class)),
        };
        Ok(Site {
            function: FunctionId::from_raw(function),
            place,
        })
    }
}

/// The columns of some samples, looked up once for all of them.
struct SampleColumns<'a> {
    rows: &'a Rows<'a>,
    threads: &'a UInt32Array,
    calls: Option<CallColumns<'a>>,
    rest: Option<RestColumns<'a>>,
}

/// Those that [`Parts::CALLS`] has.
struct CallColumns<'a> {
    times: &'a Int64Array,
    durations: &'a Int64Array,
    stacks: &'a UInt32Array,
}

/// Those that only [`Parts::SAMPLES`] has.
struct RestColumns<'a> {
    hosts: &'a UInt32Array,
    processes: &'a UInt32Array,
    tasks: &'a UInt64Array,
    states: &'a UInt8Array,
}

impl<'a> SampleColumns<'a> {
    fn new(rows: &'a Rows<'a>, parts: Parts) -> Result<Self> {
        let calls = || {
            Ok(CallColumns {
                times: rows.i64("time")?,
                durations: rows.i64("duration")?,
                stacks: rows.u32("stack")?,
            })
        };
        let rest = || {
            Ok(RestColumns {
                hosts: rows.u32("host")?,
                processes: rows.u32("process")?,
                tasks: rows.u64("task")?,
                states: rows.u8("state")?,
            })
        };
        Ok(Self {
            rows,
            threads: rows.u32("thread")?,
            calls: parts.contains(Parts::CALLS).then(calls).transpose()?,
            rest: parts.contains(Parts::SAMPLES).then(rest).transpose()?,
        })
    }

    /// A sample, as far as there are columns.
    fn sample(&self, row: usize, tables: &Tables) -> Result<Sample> {
        let rows = self.rows;
        let threads = &tables.threads;
        let thread = reference(rows, "thread", row, self.threads.value(row), threads.len())?;
        let thread = ThreadId::from_raw(thread);
        let process = threads.get(thread).process;
        let mut sample = Sample {
            time: Timestamp::default(),
            duration: Duration::ZERO,
            host: tables.processes.get(process).host,
            process,
            thread,
            task: None,
            state: ThreadState::NONE,
            stack: None,
        };
        if let Some(calls) = &self.calls {
            calls.complete(rows, row, tables.stacks.len(), &mut sample)?;
        }
        if let Some(rest) = &self.rest {
            rest.complete(rows, row, &mut sample)?;
        }
        Ok(sample)
    }
}

impl CallColumns<'_> {
    fn complete(
        &self,
        rows: &Rows<'_>,
        row: usize,
        stacks: usize,
        sample: &mut Sample,
    ) -> Result<()> {
        let duration = u64::try_from(self.durations.value(row))
            .map_err(|_| rows.at("duration", row, "is negative"))?;
        let stack = optional(self.stacks, row);
        let stack = stack.map(|stack| reference(rows, "stack", row, stack, stacks));
        sample.time = Timestamp::from_nanos(self.times.value(row));
        sample.duration = Duration::from_nanos(duration);
        sample.stack = stack.transpose()?.map(StackId::from_raw);
        Ok(())
    }
}

impl RestColumns<'_> {
    fn complete(&self, rows: &Rows<'_>, row: usize, sample: &mut Sample) -> Result<()> {
        if self.processes.value(row) != sample.process.as_u32() {
            return Err(rows.at("process", row, "is not the process of its thread"));
        }
        if self.hosts.value(row) != sample.host.as_u32() {
            return Err(rows.at("host", row, "is not the host of its process"));
        }
        sample.task = optional(self.tasks, row);
        if sample.task == Some(NONE_U64) {
            return Err(rows.at("task", row, "is 2^64 - 1, which is reserved"));
        }
        sample.state = ThreadState::from_bits(self.states.value(row));
        Ok(())
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
    // One that was declared and is there is not to be lost without a word.
    match declared.keys().find(|name| file.has_column(name)) {
        Some(name) => Err(file
            .place()
            .damaged(Some(name), "its type is not Float64, as a metric's must be")),
        None => Ok(columns),
    }
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
