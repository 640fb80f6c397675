//! What is in a summary of one session.

use jumper_session::Session;
use serde::Serialize;

use crate::data::{self, CellRow, FunctionRow, Level, MetricRow, Recording, ThreadRow};

/// Rises with every change that a reader has to know of. More fields are no such change.
pub(crate) const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
pub(super) struct Document {
    schema_version: u32,
    kind: &'static str,
    session: Recording,
    functions: Bounded<FunctionRow>,
    threads: Bounded<ThreadRow>,
    levels: Bounded<Level<Bounded<MetricRow>>>,
    cells: Bounded<CellRow>,
}

/// The first of some rows, and how many there are.
#[derive(Serialize)]
pub(crate) struct Bounded<T> {
    count: usize,
    top: Vec<T>,
}

impl<T> Bounded<T> {
    pub(crate) fn of(mut rows: Vec<T>, limit: usize) -> Self {
        let count = rows.len();
        rows.truncate(limit);
        Self { count, top: rows }
    }
}

impl Document {
    pub(super) fn of(session: &Session, limit: usize) -> Self {
        let mut recording = Recording::of(session);
        recording.bound(limit);
        let levels = data::levels(session).into_iter();
        let levels = levels.map(|level| level.with_metrics(|rows| Bounded::of(rows, limit)));
        // What a cell says can be long; its first line is there.
        let mut cells = data::cells(session);
        cells.iter_mut().for_each(|cell| cell.source = None);
        Self {
            schema_version: SCHEMA_VERSION,
            kind: "session",
            session: recording,
            functions: Bounded::of(data::functions(session), limit),
            threads: Bounded::of(data::threads(session), limit),
            levels: Bounded::of(levels.collect(), limit),
            cells: Bounded::of(cells, limit),
        }
    }
}
