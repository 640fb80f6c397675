//! From JUmPER's files to a session.

use std::collections::HashMap;
use std::path::Path;

use super::columns::from_theirs;
use super::facts::{Facts, utc_offset};
use super::level::Level;
use super::table::Table;
use super::{
    CELL_INDEX, CELLS, MANIFEST, MAX_COLUMNS, MAX_LEVELS, NAME, damaged, file_of, level_of,
    manifest, tables_in, thresholds,
};
use crate::error::Result;
use crate::{
    Cell, CellOutcome, ClockAnchor, Host, HostId, Manifest, MetricsSummary, ProcessId, Program,
    Python, Session, SessionBuilder, Timestamp,
};

/// The most bytes of the cells of a session, which are in memory as texts.
const MAX_CELL_BYTES: u64 = 256 << 20;

/// Values that the measurements of every session may have.
const FREE_VALUES: u64 = 1 << 26;

/// And so many more for each byte. A value of a real one takes four and more, `0.0` and a comma; one that is missing
/// takes only the comma, and as much memory.
const VALUES_PER_BYTE: f64 = 0.25;

/// Reads the directory that JUmPER's `export_session` wrote.
///
/// # Errors
/// [`Error::Read`](crate::Error::Read) when the system refuses, and [`Error::ForeignDamaged`](crate::Error::ForeignDamaged) with
/// file, column and line when something in it is not what JUmPER writes.
pub fn read(path: impl AsRef<Path>) -> Result<Session> {
    read_within(path.as_ref(), None)
}

/// Reads the directory at `path`, which came out of so many bytes: as many as its files have, unless that is said.
pub(in crate::formats) fn read_within(path: &Path, bytes: Option<u64>) -> Result<Session> {
    let theirs = manifest::read(path)?;
    let facts = Facts::new(path, &theirs.monitor)?;
    let mut reader = Reader::new(path, facts.host, theirs.monitor.pid);
    reader.cells()?;
    reader.measurements(&theirs.levels, bytes)?;
    // A session that is saved while it goes on has no end, one that was never started has no start.
    let start = facts.start.or(reader.first).unwrap_or_default();
    let end = facts.stop.or(reader.last).unwrap_or(start);
    let utc_offset_s = utc_offset(theirs.timezone.as_deref());
    if facts.unix_ns.is_none() {
        reader.note("nothing says at which time of day it was recorded");
    } else if utc_offset_s.is_none() {
        reader.note("times of day are in UTC; how far the clocks there were from it is not known");
    }
    let thresholds = theirs.reporter.thresholds;
    if thresholds.is_some_and(|thresholds| thresholds != thresholds::default()) {
        reader.note(
            "the thresholds of its reports were others than the usual ones, and are not kept",
        );
    }
    let ours = Manifest {
        python: theirs.monitor.python.map(|version| Python {
            version,
            ..Python::default()
        }),
        program: Program {
            description: "a notebook with JUmPER".into(),
            pid: theirs.monitor.pid.unwrap_or_default(),
            ..Program::default()
        },
        clock: ClockAnchor {
            monotonic: start,
            unix_ns: facts.unix_ns.unwrap_or_default(),
            utc_offset_s: utc_offset_s.unwrap_or_default(),
        },
        start,
        end: end.max(start),
        metrics: Some(MetricsSummary {
            interval: facts.interval,
            samples: reader.samples,
            ..MetricsSummary::default()
        }),
        notes: reader.notes,
        ..Manifest::default()
    };
    let mut session = reader.builder.finish(ours);
    session.path = Some(path.canonicalize().unwrap_or_else(|_| path.into()));
    Ok(session)
}

struct Reader<'a> {
    path: &'a Path,
    builder: SessionBuilder,
    host: HostId,
    process: ProcessId,
    /// The first and the last time in the tables.
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// How often was measured.
    samples: u64,
    notes: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path, host: Host, pid: Option<u32>) -> Self {
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(host);
        let process = builder.add_process(host, pid.unwrap_or_default(), None);
        Self {
            path,
            builder,
            host,
            process,
            first: None,
            last: None,
            samples: 0,
            notes: vec![format!(
                "recorded by {NAME}; its user, job, numbers of CPUs, magics of cells and settings of plots are not kept"
            )],
        }
    }

    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    fn saw(&mut self, time: Timestamp) {
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
    }

    fn cells(&mut self) -> Result<()> {
        if !self.path.join(CELLS).exists() {
            return Ok(());
        }
        let mut table = Table::open(self.path, CELLS)?;
        if table.bytes() > MAX_CELL_BYTES {
            return Err(table.damaged(None, "it is larger than 256 MiB"));
        }
        let [source, start, end] = ["raw_cell", "start_time", "end_time"];
        let (source, start, end) = (table.need(source)?, table.need(start)?, table.need(end)?);
        let index = table.find(CELL_INDEX);
        let (mut row, mut are_numbered_anew) = (0_u32, false);
        while table.advance()? {
            let started = table.need_time(start)?;
            let ended = table.time(end)?;
            if ended.is_some_and(|ended| ended < started) {
                return Err(table.at(end, "ends before it starts"));
            }
            if let Some(index) = index {
                are_numbered_anew |= table.number(index)? != Some(f64::from(row));
            }
            let source = self.builder.intern_string(table.text(source)?);
            self.builder.push_cell(Cell {
                process: self.process,
                start: started,
                end: ended,
                source,
                outcome: CellOutcome::Unknown,
            });
            self.saw(started);
            self.saw(ended.unwrap_or(started));
            row += 1;
        }
        if are_numbered_anew {
            self.note("cells are numbered anew, from 0: some were missing or moved");
        }
        Ok(())
    }

    fn measurements(&mut self, levels: &[String], bytes: Option<u64>) -> Result<()> {
        let mut found: Vec<String> = tables_in(self.path)
            .filter_map(|file| level_of(&file).map(Into::into))
            .collect();
        if found.len() > MAX_LEVELS {
            let detail = format!("there are more than {MAX_LEVELS} tables of measurements");
            return Err(damaged(self.path, MANIFEST, None, detail));
        }
        // In JUmPER's order, and what it does not name behind.
        let place = |level: &String| levels.iter().position(|known| known == level);
        found.sort_by_cached_key(|level| (place(level).unwrap_or(usize::MAX), level.clone()));
        let levels = found.iter().map(|name| Level::open(self.path, name));
        let mut levels = levels.collect::<Result<Vec<_>>>()?;
        let width = self.declare(&mut levels)?;
        let bytes = bytes.unwrap_or_else(|| levels.iter().map(|level| level.table.bytes()).sum());
        let most = FREE_VALUES.max((bytes as f64 * VALUES_PER_BYTE) as u64);
        for level in &mut levels {
            level.advance()?;
        }
        let mut values = vec![None; width];
        let mut rows = vec![0_u64; levels.len()];
        while let Some((time, index)) = earliest(&levels) {
            let level = &mut levels[index];
            rows[index] += 1;
            let count = rows.iter().sum::<u64>();
            if count.saturating_mul(width.max(1) as u64) > most {
                let detail = format!("the tables have more than {most} values together");
                return Err(level.table.damaged(None, detail));
            }
            level.values(&mut values)?;
            let name = self.builder.intern_string(&level.name);
            self.builder.push_metrics(time, self.host, name, &values);
            level.advance()?;
            self.saw(time);
        }
        // Every level is looked at each time, so that any of them tells how often that was.
        self.samples = rows.into_iter().max().unwrap_or(0);
        Ok(())
    }

    /// Declares the metrics of all tables, so that the columns of each are in its order wherever the tables agree. Returns how
    /// many there are.
    fn declare(&mut self, levels: &mut [Level]) -> Result<usize> {
        let mut order: Vec<String> = Vec::new();
        for level in levels.iter() {
            let mut behind = 0;
            for name in level.metrics() {
                match order.iter().position(|known| *known == name) {
                    Some(at) => behind = at + 1,
                    None => {
                        order.insert(behind, name);
                        behind += 1;
                    }
                }
                if order.len() > MAX_COLUMNS {
                    let detail =
                        format!("the tables have more than {MAX_COLUMNS} columns together");
                    return Err(level.table.damaged(None, detail));
                }
            }
        }
        let mut declared = HashMap::new();
        for (index, name) in order.iter().enumerate() {
            let (column, factor) = from_theirs(name);
            self.builder.declare_metric(column)?;
            declared.insert(name.as_str(), (index, factor));
        }
        for level in levels {
            let names = level.table.names().iter().enumerate();
            level.columns = names
                .filter_map(|(column, name)| {
                    let (index, factor) = declared.get(name.as_str())?;
                    Some((column, *index, *factor))
                })
                .collect();
            let ignored = level.ignored();
            if !ignored.is_empty() {
                let names = ignored.join("`, `");
                let file = file_of(&level.name);
                let why = "which no metric can be called";
                self.notes
                    .push(format!("left out from {file}: `{names}`, {why}"));
            }
        }
        Ok(order.len())
    }
}

/// The row that comes next: rows are in the order of time, as they were recorded, and those of the same time in the order of
/// their levels.
fn earliest(levels: &[Level]) -> Option<(Timestamp, usize)> {
    let times = levels.iter().enumerate();
    times
        .filter_map(|(index, level)| Some((level.next?, index)))
        .min()
}
