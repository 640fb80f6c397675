//! From a session to JUmPER's files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use zip::CompressionMethod;

use super::cell_index::cell_indices;
use super::columns::to_theirs;
use super::facts::{BYTES_PER_GIBIBYTE, MAX_GPUS};
use super::manifest::{self, App, Monitor, Reporter, Schemas, Visualizer};
use super::{
    CELL_INDEX, CELLS, MANIFEST, MAX_COLUMNS, MAX_LEVELS, NAME, TIME, file_of, is_at, is_table,
    repr,
};
use crate::error::{Error, Result};
use crate::file::replace_file;
use crate::formats::archive;
use crate::formats::seconds::seconds;
use crate::{Host, MetricId, Session, StringId, Timestamp};

/// The version of `jumper_extension` whose files these are.
const APP_VERSION: &str = "0.4.1";
const MANIFEST_VERSION: &str = "1.0";

const CELL_COLUMNS: [&str; 8] = [
    CELL_INDEX,
    "raw_cell",
    "start_time",
    "end_time",
    "duration",
    "wallclock_start_time",
    "wallclock_end_time",
    "cell_magics",
];

/// Writes the session as JUmPER's `import_session` reads it: as a zip file if the name ends in `.zip`, else as a directory. Either
/// is written beside its place first.
///
/// # Errors
/// [`Error::Inexpressible`] when the measurements are those of several hosts, or levels and metrics are more or called otherwise
/// than can be, [`Error::Occupied`] when something other than a session of JUmPER is at `path`, and [`Error::Write`] when the system
/// refuses.
pub fn write(session: &Session, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let parts = Parts::new(session)?;
    let is_zip = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    if !is_zip {
        return crate::format::replace_directory(path, is_replaceable, |staging| {
            parts.write(staging)
        });
    }
    let fail = |error| Error::write(path, error);
    let staging = tempfile::tempdir().map_err(fail)?;
    parts.write(staging.path()).map_err(fail)?;
    let pack = |file: &File| archive::pack(staging.path(), file, "", CompressionMethod::Deflated);
    replace_file(path, pack).map_err(fail)
}

/// Whether a directory is a session of JUmPER and nothing else, which can be replaced.
fn is_replaceable(target: &Path) -> bool {
    let is_theirs = |name: &str| name == MANIFEST || is_table(name);
    let mut entries = fs::read_dir(target).into_iter().flatten();
    is_at(target)
        && entries
            .all(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(is_theirs)))
}

/// What goes into the files.
struct Parts<'a> {
    session: &'a Session,
    host: Host,
    levels: Vec<Level<'a>>,
}

/// The measurements of a level.
struct Level<'a> {
    name: &'a str,
    rows: Vec<usize>,
    /// The metrics that have a value there.
    metrics: Vec<MetricId>,
}

impl<'a> Parts<'a> {
    fn new(session: &'a Session) -> Result<Self> {
        let metrics = session.metrics();
        let host = metrics.hosts().first().copied();
        if metrics.hosts().iter().any(|other| Some(*other) != host) {
            return Err(inexpressible(
                "it has measurements of several hosts, and those files have room for one; convert what was recorded on each",
            ));
        }
        if metrics.columns().len() > MAX_COLUMNS {
            return Err(inexpressible("it has too many metrics; record fewer"));
        }
        let mut ids: Vec<StringId> = Vec::new();
        let mut rows: BTreeMap<StringId, Vec<usize>> = BTreeMap::new();
        for (row, &level) in metrics.levels().iter().enumerate() {
            rows.entry(level)
                .or_insert_with(|| {
                    ids.push(level);
                    Vec::new()
                })
                .push(row);
        }
        if ids.len() > MAX_LEVELS {
            return Err(inexpressible(
                "it has too many levels; select some with --level",
            ));
        }
        let mut levels = Vec::new();
        for id in ids {
            let name = session.string(id);
            if !can_be_in_file_name(name) {
                return Err(inexpressible(
                    "the name of a level cannot be part of a file's name; select others with --level",
                ));
            }
            let rows = rows.remove(&id).unwrap_or_default();
            let names = metrics.columns().iter().map(|column| column.name.as_str());
            let has_value = |metric: &MetricId| {
                let values = metrics.values(*metric);
                rows.iter().any(|&row| values[row].is_some())
            };
            let metrics = names
                .filter(|name| *name != CELL_INDEX)
                .filter_map(|name| metrics.find(name))
                .filter(has_value)
                .collect();
            levels.push(Level {
                name,
                rows,
                metrics,
            });
        }
        let hosts = session.hosts();
        let host = host.map_or_else(|| hosts.first(), |host| hosts.get(host.index()));
        Ok(Self {
            session,
            host: host.cloned().unwrap_or_default(),
            levels,
        })
    }

    fn write(&self, directory: &Path) -> io::Result<()> {
        let mut schemas = Schemas::default();
        for level in &self.levels {
            let columns = self.level(level, directory)?;
            schemas.perf.insert(level.name.into(), columns);
        }
        schemas.cell_history = CELL_COLUMNS.into();
        if !self.session.cells().is_empty() {
            self.cells(directory)?;
        }
        let mut json = serde_json::to_vec_pretty(&self.manifest(schemas))?;
        json.push(b'\n');
        let mut file = File::create_new(directory.join(MANIFEST))?;
        file.write_all(&json)?;
        file.sync_all()
    }

    /// Writes the measurements of a level. Returns the names of the columns.
    fn level(&self, level: &Level, directory: &Path) -> io::Result<Vec<String>> {
        let metrics = self.session.metrics();
        let columns: Vec<_> = level
            .metrics
            .iter()
            .map(|&metric| {
                let column = metrics.column(metric);
                (
                    column.name.as_str(),
                    metrics.values(metric),
                    to_theirs(column),
                )
            })
            .collect();
        let names = columns.iter().map(|(name, ..)| *name);
        let names: Vec<&str> = [TIME]
            .into_iter()
            .chain(names)
            .chain([CELL_INDEX])
            .collect();
        let times: Vec<Timestamp> = level.rows.iter().map(|&row| metrics.times()[row]).collect();
        let cells = cell_indices(&times, self.session.cells());
        write_table(directory, &file_of(level.name), |table| {
            table.write_record(&names)?;
            for ((&row, time), cell) in level.rows.iter().zip(&times).zip(cells) {
                table.write_field(repr::number(seconds(time.as_nanos())))?;
                for (_, values, factor) in &columns {
                    let value = values[row].map(|value| value * factor);
                    let value = value.filter(|value| value.is_finite());
                    table.write_field(value.map(repr::number).unwrap_or_default())?;
                }
                table.write_field(cell.map(|cell| cell.to_string()).unwrap_or_default())?;
                table.write_record(None::<&[u8]>)?;
            }
            Ok(())
        })?;
        Ok(names.into_iter().map(Into::into).collect())
    }

    fn cells(&self, directory: &Path) -> io::Result<()> {
        let session = self.session;
        let on_wall = |time| repr::number(seconds(session.manifest().clock.unix_nanos_at(time)));
        write_table(directory, CELLS, |table| {
            table.write_record(CELL_COLUMNS)?;
            for (id, cell) in session.cells().iter() {
                let source = session.string(cell.source);
                let started = seconds(cell.start.as_nanos());
                let ended = cell.end.map(|end| seconds(end.as_nanos()));
                let number = |value: Option<f64>| value.map(repr::number).unwrap_or_default();
                table.write_record([
                    &id.as_u32().to_string(),
                    source,
                    &repr::number(started),
                    &number(ended),
                    &number(ended.map(|ended| ended - started)),
                    &on_wall(cell.start),
                    &cell.end.map(on_wall).unwrap_or_default(),
                    &repr::list(line_magics(source)),
                ])?;
            }
            Ok(())
        })
    }

    fn manifest(&self, schemas: Schemas) -> manifest::Manifest {
        let (session, host) = (self.session, &self.host);
        let ours = session.manifest();
        let gpu = host.gpus.first().cloned().unwrap_or_default();
        // What has no limit of its own has all that there is.
        let limits = self
            .levels
            .iter()
            .map(|level| (level.name, host.memory_bytes));
        let own = host.memory_limits.iter();
        let limits: BTreeMap<&str, u64> = limits
            .chain(own.map(|(level, limit)| (level.as_str(), *limit)))
            .filter(|(_, limit)| *limit > 0)
            .collect();
        let limits = limits
            .into_iter()
            .map(|(level, limit)| (level.into(), Some(gibibytes(limit))));
        let on_wall = |time| Some(seconds(ours.clock.unix_nanos_at(time)));
        // A file may say that it ended before it began, and theirs must not.
        let stop = session.end().max(session.start());
        let pid = ours.program.pid;
        let mut visualizer = Visualizer::default();
        if !host.gpus.is_empty() {
            visualizer.default_metric_subsets.extend(["gpu", "gpu_all"]);
        }
        let interval = ours.metrics.map(|metrics| metrics.interval.as_secs_f64());
        manifest::Manifest {
            version: Some(MANIFEST_VERSION.into()),
            app: App {
                name: Some(NAME.into()),
                version: Some(APP_VERSION.into()),
            },
            monitor: Monitor {
                interval,
                start_time: Some(seconds(session.start().as_nanos())),
                stop_time: Some(seconds(stop.as_nanos())),
                wallclock_start_time: on_wall(session.start()),
                wallclock_stop_time: on_wall(stop),
                num_cpus: Some(host.cpus),
                num_system_cpus: Some(host.system_cpus).filter(|cpus| *cpus > 0),
                num_gpus: u32::try_from(host.gpus.len())
                    .ok()
                    .map(|gpus| gpus.min(MAX_GPUS)),
                gpu_memory: Some(gibibytes(gpu.memory_bytes)),
                gpu_name: Some(gpu.name),
                memory_limits: Some(limits.collect()),
                cpu_handles: [],
                pid: Some(pid).filter(|pid| *pid > 0),
                os: Some("posix".into()),
                python: ours.python.as_ref().map(|python| python.version.clone()),
            },
            levels: self.levels.iter().map(|level| level.name.into()).collect(),
            schemas,
            visualizer,
            reporter: Reporter {
                thresholds: Some(ours.thresholds.unwrap_or_default()),
                ..Reporter::default()
            },
            time_origin: "perf_counter",
            timezone: Some(timezone(ours.clock.utc_offset_s)),
        }
    }
}

fn inexpressible(detail: &'static str) -> Error {
    Error::Inexpressible {
        format: NAME,
        detail,
    }
}

/// Writes a table, whole and synced.
fn write_table(
    directory: &Path,
    name: &str,
    fill: impl FnOnce(&mut csv::Writer<&File>) -> Result<(), csv::Error>,
) -> io::Result<()> {
    let file = File::create_new(directory.join(name))?;
    let mut table = csv::WriterBuilder::new()
        .buffer_capacity(1 << 18)
        .from_writer(&file);
    fill(&mut table).map_err(|error| match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    })?;
    table.flush()?;
    drop(table);
    file.sync_all()
}

/// What a file system has room for in a name, without what is around the level.
const MAX_LEVEL_BYTES: usize = 255 - "perf_.csv".len();

/// Whether a level can be part of a file's name, wherever that is unpacked.
fn can_be_in_file_name(level: &str) -> bool {
    let is_odd = |char: char| matches!(char, '/' | '\\') || char.is_control();
    !level.is_empty() && level.len() <= MAX_LEVEL_BYTES && !level.contains(is_odd)
}

/// As many digits as JUmPER has.
fn gibibytes(bytes: u64) -> f64 {
    (bytes as f64 / BYTES_PER_GIBIBYTE * 100.0).round() / 100.0
}

fn timezone(utc_offset_s: i32) -> String {
    let minutes = utc_offset_s.unsigned_abs() / 60;
    match (utc_offset_s, minutes) {
        (_, 0) => "UTC".into(),
        (..0, _) => format!("UTC-{:02}:{:02}", minutes / 60, minutes % 60),
        _ => format!("UTC+{:02}:{:02}", minutes / 60, minutes % 60),
    }
}

/// The magics of single lines that a cell seems to call, without the sign: JUmPER knows by IPython which are magics.
fn line_magics(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let magic = line.trim().strip_prefix('%')?;
        let is_name = |char: char| char.is_alphabetic() || char == '_';
        magic.starts_with(is_name).then_some(magic)
    })
}
