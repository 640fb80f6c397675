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
use crate::{Parts, Repaired, Session};
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
    // Somebody may put another session in its place meanwhile, and what was read of both would fit nowhere.
    let mut tries = 0;
    let mut session = loop {
        let before = identity(path);
        let is_finished = path.join(schema::MANIFEST).exists();
        let result = match is_finished || !journal::is_in(path) {
            true => manifest::read(path).and_then(|it| read::session(path, it, parts)),
            false => read_journal(path).map(|(session, _)| session),
        };
        tries += 1;
        if identity(path) == before || tries == TRIES {
            break result?;
        }
    };
    session.path = Some(absolute);
    Ok(session)
}

/// How often a session is read that is replaced again and again.
const TRIES: usize = 10;

/// Which directory it is; `None` where there is none, or the platform cannot tell.
fn identity(path: &Path) -> Option<(u64, u64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(path).ok().map(|it| (it.dev(), it.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

fn read_journal(path: &Path) -> Result<(Session, bool)> {
    read::journal(path, manifest::read(&path.join(schema::JOURNAL))?)
}

/// Writes a session directory at `path`, all of it or nothing.
pub(crate) fn save(session: &Session, path: &Path) -> Result<()> {
    directory::replace(path, None, |staging| fill(session, staging))
}

fn fill(session: &Session, staging: &Path) -> io::Result<()> {
    write::tables(session, staging)?;
    manifest::write(session.manifest(), staging)
}

/// Makes a session of the journal in the directory `path`, in its place.
pub(crate) fn repair(path: &Path) -> Result<Repaired> {
    if !is_unfinished(path) {
        return Ok(Repaired {
            session: open(path, Parts::ALL)?,
            is_whole: true,
        });
    }
    if journal::is_being_written(path) {
        return Err(Error::BeingRecorded { path: path.into() });
    }
    let (mut session, is_damaged) = read_journal(path)?;
    if is_damaged {
        session
            .manifest
            .notes
            .push("what could not be read is still in `journal/`".into());
    }
    directory::replace(path, None, |staging| {
        fill(&session, staging)?;
        match is_damaged {
            true => keep_journal(path, staging),
            false => Ok(()),
        }
    })?;
    session.path = path.canonicalize().ok();
    Ok(Repaired {
        session,
        is_whole: !is_damaged,
    })
}

/// Copies the files of a journal.
fn keep_journal(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (from.join(schema::JOURNAL), to.join(schema::JOURNAL));
    fs::create_dir(&to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
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
