//! The cells of notebooks, as often as they were run.

use crate::{CellId, ProcessId, StringId, Timestamp};

/// How the run of a cell ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CellOutcome {
    /// It came to its end.
    Ok,
    /// It raised an exception.
    Error,
    /// It was interrupted.
    Interrupted,
    /// Not known, not yet, or a kind that this version does not know.
    #[default]
    Unknown,
}

impl CellOutcome {
    const KNOWN: [(Self, &'static str); 3] = [
        (Self::Ok, "ok"),
        (Self::Error, "error"),
        (Self::Interrupted, "interrupted"),
    ];

    /// Its name in a file; `None` where nothing is known.
    pub fn name(self) -> Option<&'static str> {
        let known = Self::KNOWN.iter().find(|(outcome, _)| *outcome == self);
        known.map(|(_, name)| *name)
    }

    pub(crate) fn from_name(name: Option<&str>) -> Self {
        let known = Self::KNOWN.iter().find(|(_, known)| name == Some(known));
        known.map_or(Self::Unknown, |(outcome, _)| *outcome)
    }
}

/// One run of a cell: one row of the [`CellTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    /// The process that ran it: the kernel of the notebook.
    pub process: ProcessId,
    /// When it began.
    pub start: Timestamp,
    /// When it ended; `None` where the recording ended first. Not before `start`.
    pub end: Option<Timestamp>,
    /// What it says, magics included.
    pub source: StringId,
    /// How it ended.
    pub outcome: CellOutcome,
}

/// One row for every run of a cell, in the order of recording; `cells.parquet` on disk.
///
/// People call a run by its row, counted from 0, as JUmPER does (`cell_index`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CellTable {
    rows: Vec<Cell>,
}

impl CellTable {
    /// The row of a run.
    ///
    /// # Panics
    /// If the handle is of another session and out of range here.
    pub fn get(&self, id: CellId) -> Cell {
        self.rows[id.index()]
    }

    /// How many runs there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no cell was run.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All runs in the order of their handles.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (CellId, Cell)> + '_ {
        self.rows
            .iter()
            .enumerate()
            .map(|(row, cell)| (CellId::from_len(row), *cell))
    }

    pub(crate) fn rows(&self) -> &[Cell] {
        &self.rows
    }

    pub(crate) fn get_mut(&mut self, id: CellId) -> &mut Cell {
        &mut self.rows[id.index()]
    }

    pub(crate) fn push(&mut self, cell: Cell) -> CellId {
        let id = CellId::from_len(self.rows.len());
        self.rows.push(cell);
        id
    }
}
