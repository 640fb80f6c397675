//! A session on disk: a directory of one JSON file and one Parquet file per table.
//!
//! `docs/session-format.md` is the specification; [`schema`] is the same in code, and both the writer and
//! the reader follow it. The writer puts nothing under the final name that is not whole; the reader
//! believes nothing that it has not checked.

mod columns;
mod directory;
mod journal;
mod manifest;
mod pages;
mod read;
mod schema;
mod write;

use std::fs;
use std::io;
use std::path::Path;

use crate::error::{Error, Result};
use crate::{Parts, Session};
pub(crate) use directory::replace_if as replace_directory;
#[cfg(feature = "record")]
pub(crate) use journal::Journal;

/// Reads and checks parts of the session directory at `path`.
pub(crate) fn open(path: &Path, parts: Parts) -> Result<Session> {
    let metadata = fs::metadata(path).map_err(|error| Error::read(path, error))?;
    if !metadata.is_dir() {
        return Err(Error::NotASession {
            path: path.into(),
            detail: "it is not a directory",
        });
    }
    let absolute = path.canonicalize().unwrap_or_else(|_| path.into());
    let is_finished = path.join(schema::MANIFEST).exists();
    let mut session = match is_finished || !journal::is_in(path) {
        true => read::session(path, manifest::read(path)?, parts)?,
        false => read::journal(path, manifest::read(&path.join(schema::JOURNAL))?)?,
    };
    session.path = Some(absolute);
    Ok(session)
}

/// Writes a session directory at `path`, all of it or nothing.
pub(crate) fn save(session: &Session, path: &Path) -> Result<()> {
    directory::replace(path, |staging| {
        write::tables(session, staging)?;
        manifest::write(session.manifest(), staging)
    })
}

/// Makes a session of the journal in the directory `path`, in its place.
pub(crate) fn repair(path: &Path) -> Result<Session> {
    let session = open(path, Parts::ALL)?;
    if path.join(schema::MANIFEST).exists() {
        return Ok(session);
    }
    if journal::is_being_written(path) {
        return Err(Error::BeingRecorded { path: path.into() });
    }
    save(&session, path)?;
    Ok(session)
}

/// Whether the directory `path` has a recording that was not finished.
pub(crate) fn is_unfinished(path: &Path) -> bool {
    !path.join(schema::MANIFEST).exists() && journal::is_in(path)
}

/// Finds out whether [`save`] could write at `path`. Leaves nothing behind.
pub(crate) fn check_destination(path: &Path) -> Result<()> {
    directory::check(path)
}

/// Whether a name is taken by one of the columns that every table of metrics has.
pub(crate) fn is_fixed_metrics_column(name: &str) -> bool {
    schema::METRICS
        .columns
        .iter()
        .any(|column| column.name == name)
}

/// Opens a file of a session for reading.
fn open_file(session: &Path, file: &'static str) -> Result<fs::File> {
    open_path(session, &session.join(file), file)
}

/// Opens the file `path` of a session, which is `file` within it.
fn open_path(session: &Path, path: &Path, file: &'static str) -> Result<fs::File> {
    let fail = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Error::Incomplete {
            path: session.into(),
            file,
        },
        _ => Error::read(path, error),
    };
    // Asked before opening: opening a named pipe would wait for a writer, perhaps for ever.
    if !fs::metadata(path).map_err(fail)?.is_file() {
        return Err(Error::Damaged {
            path: session.into(),
            file,
            column: None,
            detail: "it is not a regular file".into(),
        });
    }
    fs::File::open(path).map_err(fail)
}
