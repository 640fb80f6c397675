//! The functions that were seen running.

use crate::{FunctionId, StringId};

/// A function as text, for interning and for display.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Function<'a> {
    /// The plain name, such as `run`.
    pub name: &'a str,
    /// The qualified name, such as `Worker.run`, from Python versions whose code objects have it (3.11
    /// and later).
    pub qualname: Option<&'a str>,
    /// The source file, as the code object names it.
    pub file: &'a str,
    /// The line where the function starts, counted from 1; 0 is unknown.
    pub first_line: u32,
    /// Whether it asks to be left out of tracebacks and reports, by a local variable `__tracebackhide__`.
    pub hidden: bool,
}

impl<'a> Function<'a> {
    /// The qualified name where there is one, else the plain name.
    pub fn display_name(&self) -> &'a str {
        self.qualname.unwrap_or(self.name)
    }
}

/// A function as handles: one row of the [`FrameTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FunctionRow {
    /// The plain name.
    pub name: StringId,
    /// The qualified name, where the Python version has it.
    pub qualname: Option<StringId>,
    /// The source file.
    pub file: StringId,
    /// The line where the function starts, counted from 1; 0 is unknown.
    pub first_line: u32,
    /// Whether it asks to be left out of tracebacks and reports, by a local variable `__tracebackhide__`.
    pub hidden: bool,
}

/// One row for every distinct function; `frames.parquet` on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameTable {
    rows: Vec<FunctionRow>,
}

impl FrameTable {
    /// The row of a function.
    ///
    /// # Panics
    /// If the handle is of another session and out of range here.
    pub fn get(&self, id: FunctionId) -> FunctionRow {
        self.rows[id.index()]
    }

    /// How many functions there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no function was seen.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All functions in the order of their handles.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (FunctionId, FunctionRow)> + '_ {
        self.rows
            .iter()
            .enumerate()
            .map(|(row, function)| (FunctionId::from_len(row), *function))
    }

    pub(crate) fn rows(&self) -> &[FunctionRow] {
        &self.rows
    }

    pub(crate) fn push(&mut self, row: FunctionRow) -> FunctionId {
        let id = FunctionId::from_len(self.rows.len());
        self.rows.push(row);
        id
    }
}
