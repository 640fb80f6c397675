//! Sessions of JUmPER: the directory or zip file that `export_session` of `jumper_extension` 0.4 writes, and `import_session` reads.
//!
//! `manifest.json` says how and where was recorded, `perf_<level>.csv` holds the measurements of a level, a row for each time
//! and a column for each metric, and `cell_history.csv` the cells. They are read row by row: a file that is too large, too wide
//! or not what it should be is an error before it is in memory.
//!
//! | there | here |
//! | --- | --- |
//! | `time`, `start_time`, `end_time`: seconds of `time.perf_counter()` | [`Timestamp`](crate::Timestamp)s; the same numbers come back |
//! | an empty field, NaN | a value that is missing |
//! | `io_read`, `io_write` in bytes a second | the metrics of the same name, in MiB a second, as JUmPER shows them |
//! | any other column but `cell_index` | the metric of the same name; the unit where the name is known (`columns`) |
//! | `cell_index`, `duration`, the times of day of cells | found out anew when they are written |
//! | rows of `cell_history.csv` | [`Cell`](crate::Cell)s, numbered as there |
//! | `monitor.*` of the manifest | [`Host`](crate::Host), [`ClockAnchor`](crate::ClockAnchor), [`MetricsSummary`](crate::MetricsSummary) |
//!
//! Of ours, JUmPER's files have no stacks, processes and threads, no outcomes of cells and only one host. Of theirs, the user, the
//! job, the numbers of CPUs and how plots were set up are not kept; a note in the session says so.

mod cell_index;
mod columns;
mod facts;
mod level;
mod manifest;
mod read;
mod repr;
mod table;
mod thresholds;
mod write;

use std::fs;
use std::path::Path;

use crate::error::Error;
pub use read::read;
pub(super) use read::read_within;
pub use write::write;

/// More levels than anyone has.
const MAX_LEVELS: usize = 64;

/// More columns than anyone's machine has CPUs, GPUs and disks for.
const MAX_COLUMNS: usize = 1 << 12;

/// What messages call the program.
const NAME: &str = "JUmPER";

const MANIFEST: &str = "manifest.json";
const CELLS: &str = "cell_history.csv";

/// The column of times, in every table of measurements.
const TIME: &str = "time";
/// The column that says which cell ran, which follows from the time.
const CELL_INDEX: &str = "cell_index";

/// The level whose measurements are in the file of this name.
fn level_of(file: &str) -> Option<&str> {
    file.strip_prefix("perf_")?.strip_suffix(".csv")
}

/// The file with the measurements of a level.
fn file_of(level: &str) -> String {
    format!("perf_{level}.csv")
}

/// Whether a session of JUmPER has a table of this name.
pub(super) fn is_table(file: &str) -> bool {
    file == CELLS || level_of(file).is_some()
}

/// Whether a session of JUmPER is in a directory: its manifest says so, or nothing says that it is another and tables are there.
pub(crate) fn is_at(directory: &Path) -> bool {
    match manifest::app(directory) {
        Some(app) => app == NAME,
        None => tables_in(directory).next().is_some(),
    }
}

/// The names of the tables in a directory.
fn tables_in(directory: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_table(name))
}

/// The error for something in a file of the session at `path`.
fn damaged(path: &Path, file: &str, column: Option<&str>, detail: impl Into<String>) -> Error {
    Error::ForeignDamaged {
        path: path.into(),
        format: NAME,
        file: Some(file.into()),
        key: column.map(Into::into),
        detail: detail.into(),
    }
}

/// Opens a file of the session at `path`.
fn open_file(path: &Path, file: &str) -> Result<fs::File, Error> {
    let fail = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => damaged(path, file, None, "it is missing"),
        _ => Error::read(&path.join(file), error),
    };
    let found = path.join(file);
    // Asked before opening: opening a named pipe would wait for a writer, perhaps for ever.
    if !fs::metadata(&found).map_err(fail)?.is_file() {
        return Err(damaged(path, file, None, "it is not a regular file"));
    }
    fs::File::open(&found).map_err(fail)
}
