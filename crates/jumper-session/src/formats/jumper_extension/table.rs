//! A table of JUmPER's, row by row: comma-separated values (RFC 4180) with a line of names.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use super::{damaged, open_file};
use crate::Timestamp;
use crate::error::{Error, Result};
use crate::formats::seconds::{MAX_SECONDS, nanos};

/// The most bytes of a row: no cell that anyone writes has a thousandth of that.
const MAX_ROW: usize = 64 << 20;

/// A table that is being read.
pub(super) struct Table {
    path: PathBuf,
    file: String,
    bytes: u64,
    reader: Reader<Limited>,
    names: Vec<String>,
    row: ByteRecord,
}

impl Table {
    /// Opens a table of the session at `path` and reads the names of its columns.
    pub(super) fn open(path: &Path, file: &str) -> Result<Self> {
        let opened = open_file(path, file)?;
        let bytes = opened
            .metadata()
            .map_err(|error| Error::read(&path.join(file), error))?
            .len();
        let mut table = Self {
            path: path.into(),
            file: file.into(),
            bytes,
            reader: ReaderBuilder::new().from_reader(Limited::new(opened)),
            names: Vec::new(),
            row: ByteRecord::new(),
        };
        table.read_names()?;
        Ok(table)
    }

    fn read_names(&mut self) -> Result<()> {
        let names = match self.reader.byte_headers() {
            Ok(names) => names.clone(),
            Err(error) => return Err(self.fault(error)),
        };
        self.reader.get_mut().start_row();
        let mut seen = HashSet::new();
        for (column, name) in names.iter().enumerate() {
            let Ok(name) = std::str::from_utf8(name) else {
                let detail = format!("the name of column {} is not UTF-8", column + 1);
                return Err(self.damaged(None, detail));
            };
            if !seen.insert(name) {
                return Err(self.damaged(Some(name), "it is there twice"));
            }
            self.names.push(name.into());
        }
        Ok(())
    }

    /// The size of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Which column has this name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// Which column has this name, without which the table is none.
    pub(super) fn need(&self, name: &str) -> Result<usize> {
        self.find(name)
            .ok_or_else(|| self.damaged(Some(name), "the column is missing"))
    }

    /// Goes to the next row. Returns whether there is one.
    pub(super) fn advance(&mut self) -> Result<bool> {
        let is_there = match self.reader.read_byte_record(&mut self.row) {
            Ok(is_there) => is_there,
            Err(error) => return Err(self.fault(error)),
        };
        self.reader.get_mut().start_row();
        if !is_there && self.reader.get_ref().is_in_line() {
            return Err(self.damaged(None, "its last line is cut off"));
        }
        Ok(is_there)
    }

    /// A value of this row as text.
    pub(super) fn text(&self, column: usize) -> Result<&str> {
        std::str::from_utf8(&self.row[column]).map_err(|_| self.at(column, "is not UTF-8"))
    }

    /// A value of this row as a number; `None` where there is none, NaN or an infinity.
    pub(super) fn number(&self, column: usize) -> Result<Option<f64>> {
        let text = self.text(column)?;
        if text.is_empty() {
            return Ok(None);
        }
        let number = text.trim_ascii().parse::<f64>();
        let number = number
            .map_err(|_| self.at(column, &format!("`{}` is not a number", start_of(text))))?;
        Ok(Some(number).filter(|number| number.is_finite()))
    }

    /// A value of this row as a time, if there is one.
    pub(super) fn time(&self, column: usize) -> Result<Option<Timestamp>> {
        match self.number(column)? {
            Some(seconds) if seconds.abs() > MAX_SECONDS => {
                Err(self.at(column, "is more than 292 years"))
            }
            seconds => Ok(seconds.map(|seconds| Timestamp::from_nanos(nanos(seconds)))),
        }
    }

    /// A value of this row as a time, without which the row is none.
    pub(super) fn need_time(&self, column: usize) -> Result<Timestamp> {
        self.time(column)?
            .ok_or_else(|| self.at(column, "has no time"))
    }

    /// The error for a value of this row.
    pub(super) fn at(&self, column: usize, detail: &str) -> Error {
        let line = self.row.position().map_or(0, csv::Position::line);
        let column = self.names.get(column).map(String::as_str);
        self.damaged(column, format!("line {line} {detail}"))
    }

    pub(super) fn damaged(&self, column: Option<&str>, detail: impl Into<String>) -> Error {
        damaged(&self.path, &self.file, column, detail)
    }

    fn fault(&self, error: csv::Error) -> Error {
        let line = error.position().map_or(0, csv::Position::line);
        let detail = error.to_string();
        match error.into_kind() {
            ErrorKind::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                self.damaged(None, error.to_string())
            }
            ErrorKind::Io(error) => Error::read(&self.path.join(&self.file), error),
            ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => self.damaged(
                None,
                format!("line {line} has {len} values for {expected_len} columns"),
            ),
            _ => self.damaged(None, detail),
        }
    }
}

/// As much of a text as a message has room for.
fn start_of(text: &str) -> &str {
    let end = text.char_indices().nth(40).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

/// A file in which no row is too long.
struct Limited {
    file: File,
    /// Bytes since the last row. A little more than those of the row, since the reader is ahead.
    bytes: usize,
    last: u8,
}

impl Limited {
    fn new(file: File) -> Self {
        Self {
            file,
            bytes: 0,
            last: b'\n',
        }
    }

    fn start_row(&mut self) {
        self.bytes = 0;
    }

    /// Whether the last byte that was read is not the end of a line.
    fn is_in_line(&self) -> bool {
        !matches!(self.last, b'\n' | b'\r')
    }
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes > MAX_ROW {
            let detail = format!("a row of it has more than {} MiB", MAX_ROW >> 20);
            return Err(io::Error::new(io::ErrorKind::InvalidData, detail));
        }
        let count = self.file.read(buffer)?;
        self.bytes += count;
        self.last = buffer[..count].last().copied().unwrap_or(self.last);
        Ok(count)
    }
}
