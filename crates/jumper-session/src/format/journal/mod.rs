//! The journal: what a recording has so far, readable whatever ends it.
//!
//! Below the directory of the session, in `journal/`, each table is a file in Arrow's streaming format with the
//! columns that it will have in Parquet. Tables of functions, stacks, samples and metrics grow at their end;
//! those of processes, threads and cells, whose rows change, are replaced, and so is the manifest. A table whose columns
//! change goes on in another file. What a row refers to is always written before it.
//!
//! A recorder that ends at any moment leaves whole rows and at most one piece that is cut off, which is left
//! out. When a recording is finished its journal becomes Parquet, piece by piece, and goes.

mod read;
#[cfg(feature = "record")]
mod write;

use std::path::{Path, PathBuf};

pub(super) use read::{JournalFile, Tail};
#[cfg(feature = "record")]
pub(crate) use write::Journal;

use super::schema::{self, Table};

/// Held by the recorder as long as it writes.
const LOCK: &str = "lock";

/// Whether there is a journal in the directory of a session.
pub(super) fn is_in(session: &Path) -> bool {
    session
        .join(schema::JOURNAL)
        .join(schema::MANIFEST)
        .is_file()
}

/// Whether somebody writes it.
pub(super) fn is_being_written(session: &Path) -> bool {
    let lock = std::fs::File::open(session.join(schema::JOURNAL).join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
}

/// Where a table goes on for the `number`th time, counted from 0.
fn segment(session: &Path, table: &Table, number: usize) -> PathBuf {
    let path = session.join(table.journal);
    match number {
        0 => path,
        _ => path.with_file_name(format!("{}-{number}.arrows", table.name)),
    }
}
