//! Columns of a Parquet file that may hold anything.
//!
//! What is checked here, for every file: that it is whole, that the columns that are needed are there with
//! their types, that nothing is missing where nothing may be, and that a small file does not ask for
//! much memory. What the values mean is checked in [`read`](super::read).

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float64Type, Int64Type, UInt8Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, BooleanArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::Schema;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Type as PhysicalType;

use crate::Parts;
use crate::error::{Error, Result};
use crate::format::journal::{JournalFile, Tail};
use crate::format::schema::{Column, Kind, Table};
use crate::format::{open_file, pages};

/// Rows that every file may have, however small it is.
const FREE_ROWS: u64 = 1 << 26;

/// Rows that a larger file may have for each of its bytes. Real samples take more than a byte each, since
/// the clock's low digits do not compress.
const ROWS_PER_BYTE: u64 = 64;

/// Where an error is: a table of a session.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    session: &'a Path,
    pub(super) table: &'static Table,
    /// The file within the session.
    file: &'static str,
}

impl<'a> Place<'a> {
    pub(super) fn in_journal(session: &'a Path, table: &'static Table) -> Self {
        Self {
            session,
            table,
            file: table.journal,
        }
    }

    /// The error for something that a column must not hold.
    pub(super) fn damaged(&self, column: Option<&str>, detail: impl Into<String>) -> Error {
        Error::Damaged {
            path: self.session.into(),
            file: self.file,
            column: column.map(Into::into),
            detail: detail.into(),
        }
    }

    fn incomplete(&self) -> Error {
        Error::Incomplete {
            path: self.session.into(),
            file: self.file,
        }
    }

    /// Runs code of the Parquet reader. It answers most damage with an error but panics at some, and a bad
    /// file must not end the program that looks at it. All that it was working on is dropped with the
    /// error, so that no half-changed state is seen afterwards.
    fn guard<T, E: ToString>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T> {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.damaged(None, error.to_string())),
            Err(_) => Err(self.damaged(None, "its encoding makes no sense")),
        }
    }
}

/// A table whose columns are known, wherever it is.
pub(super) enum TableFile<'a> {
    Parquet(Box<ParquetFile<'a>>),
    Journal(JournalFile<'a>),
}

impl<'a> TableFile<'a> {
    pub(super) fn place(&self) -> Place<'a> {
        match self {
            Self::Parquet(file) => file.place,
            Self::Journal(file) => file.place,
        }
    }

    /// A value of the file's own metadata.
    pub(super) fn metadata(&self, key: &str) -> Option<&str> {
        match self {
            Self::Parquet(file) => file.metadata(key),
            Self::Journal(file) => file.metadata(key),
        }
    }

    /// Whether there is a column of this name, whatever its type.
    pub(super) fn has_column(&self, name: &str) -> bool {
        match self {
            Self::Parquet(file) => file.root_fields().iter().any(|field| field.name() == name),
            Self::Journal(file) => file.has_column(name),
        }
    }

    /// The names of all columns of doubles.
    pub(super) fn double_columns(&self) -> Vec<String> {
        match self {
            Self::Parquet(file) => file.double_columns(),
            Self::Journal(file) => file.double_columns(),
        }
    }

    /// How many rows there are, as the footer says. A journal has none: it says nothing before it is read.
    pub(super) fn claimed_rows(&self, doubles: usize) -> Result<usize> {
        match self {
            Self::Parquet(file) => file.row_count(doubles),
            Self::Journal(_) => Ok(0),
        }
    }

    /// Reads the columns of the table that are in `parts`, and `doubles`, piece by piece, each with the number of its first
    /// row.
    ///
    /// What is wrong with a file is an error. A journal is read as far as it makes sense, and what ends it is returned.
    pub(super) fn read(
        self,
        parts: Parts,
        doubles: &[String],
        mut visit: impl FnMut(&Rows<'a>) -> Result<()>,
    ) -> Result<Option<Tail>> {
        let place = self.place();
        match self {
            Self::Parquet(file) => file.read(parts, doubles, visit).map(|()| None),
            Self::Journal(file) => {
                let mut first_row = 0;
                let result = file.batches(doubles, |batch| {
                    let rows = Rows {
                        place,
                        batch,
                        first_row,
                    };
                    first_row += rows.len();
                    visit(&rows).map_err(Stop::Senseless)
                });
                match result {
                    Ok(tail) => Ok(tail),
                    Err(Stop::Senseless(error)) => Ok(Some(Tail::Senseless(error.to_string()))),
                    Err(Stop::Io(error)) => {
                        Err(Error::read(&place.session.join(place.file), error))
                    }
                }
            }
        }
    }
}

/// Why a journal is not read on.
enum Stop {
    Senseless(Error),
    Io(std::io::Error),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// An open file of a table whose footer has been read.
pub(super) struct ParquetFile<'a> {
    pub(super) place: Place<'a>,
    file: File,
    builder: ParquetRecordBatchReaderBuilder<File>,
    bytes: u64,
}

impl<'a> ParquetFile<'a> {
    pub(super) fn open(session: &'a Path, table: &'static Table) -> Result<Self> {
        let place = Place {
            session,
            table,
            file: table.file,
        };
        let mut file = open_file(session, table.file)?;
        let bytes = check_ends(&mut file, place)?;
        // Types come from Parquet's own schema. The copy of an Arrow schema that a writer may add says
        // nothing that is needed here and would be one more thing to distrust.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = place.guard(|| {
            let file = file.try_clone()?;
            ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        })?;
        check_types(builder.schema(), place)?;
        Ok(Self {
            place,
            file,
            builder,
            bytes,
        })
    }

    /// A value of the file's own metadata.
    fn metadata(&self, key: &str) -> Option<&str> {
        let pairs = self
            .builder
            .metadata()
            .file_metadata()
            .key_value_metadata()?;
        pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
    }

    /// The names of all columns of doubles.
    fn double_columns(&self) -> Vec<String> {
        self.root_fields()
            .iter()
            .filter(|field| {
                field.is_primitive() && field.get_physical_type() == PhysicalType::DOUBLE
            })
            .map(|field| field.name().to_owned())
            .collect()
    }

    /// See [`TableFile::read`].
    fn read(
        self,
        parts: Parts,
        doubles: &[String],
        mut visit: impl FnMut(&Rows<'a>) -> Result<()>,
    ) -> Result<()> {
        let place = self.place;
        let declared = self.row_count(doubles.len())?;
        let mut reader = self.into_reader(parts, doubles)?;
        let mut first_row = 0;
        while let Some(batch) = place.guard(|| reader.next().transpose())? {
            let next_row = first_row + batch.num_rows();
            if next_row > declared {
                break;
            }
            visit(&Rows {
                place,
                batch,
                first_row,
            })?;
            first_row = next_row;
        }
        match first_row == declared {
            true => Ok(()),
            false => Err(place.damaged(
                None,
                format!("it does not hold the {declared} rows that it claims"),
            )),
        }
    }

    /// The number of rows that the footer claims, if memory for them is not out of proportion.
    fn row_count(&self, doubles: usize) -> Result<usize> {
        let metadata = self.builder.metadata();
        let rows = metadata.file_metadata().num_rows();
        let groups = metadata.row_groups().iter().map(|group| group.num_rows());
        if metadata
            .row_groups()
            .iter()
            .any(|group| group.num_rows() < 0)
            || groups.fold(0_i64, i64::saturating_add) != rows
        {
            return Err(self
                .place
                .damaged(None, "its counts of rows contradict each other"));
        }
        let limit = FREE_ROWS
            .max(self.bytes.saturating_mul(ROWS_PER_BYTE))
            .min(u64::from(u32::MAX) - 1);
        let wanted = (rows as u64).saturating_mul(doubles.max(1) as u64);
        match wanted <= limit {
            true => Ok(rows as usize),
            false => Err(self.place.damaged(
                None,
                format!(
                    "{rows} rows are too many for a file of {} bytes",
                    self.bytes
                ),
            )),
        }
    }

    fn into_reader(self, parts: Parts, doubles: &[String]) -> Result<ParquetRecordBatchReader> {
        // By name once for all: a file may have many thousand columns.
        let fields = self.root_fields().iter().enumerate();
        let known: HashMap<&str, usize> = fields
            .rev()
            .map(|(root, field)| (field.name(), root))
            .collect();
        let fixed = self.place.table.columns.iter();
        let fixed = fixed
            .filter(|column| parts.contains(column.part))
            .filter(|column| !column.later || known.contains_key(column.name))
            .map(|column| column.name);
        let missing = |name: &str| self.place.damaged(Some(name), "it is missing");
        let roots: HashSet<usize> = fixed
            .chain(doubles.iter().map(String::as_str))
            .map(|name| known.get(name).copied().ok_or_else(|| missing(name)))
            .collect::<Result<_>>()?;
        let fault = self
            .place
            .guard(|| pages::fault(self.file, self.builder.metadata(), &roots))?;
        if let Some(fault) = fault {
            return Err(self.place.damaged(None, fault));
        }
        let mask = ProjectionMask::roots(self.builder.parquet_schema(), roots);
        let builder = self
            .builder
            .with_projection(mask)
            .with_batch_size(self.place.table.batch_rows);
        self.place.guard(|| builder.build())
    }

    fn root_fields(&self) -> &[parquet::schema::types::TypePtr] {
        self.builder.parquet_schema().root_schema().get_fields()
    }
}

/// The length of a file that begins and ends as a Parquet file does.
fn check_ends(file: &mut File, place: Place<'_>) -> Result<u64> {
    let mut ends = [[0_u8; 4]; 2];
    let mut read = || {
        let bytes = file.seek(SeekFrom::End(0))?;
        if bytes >= 12 {
            file.seek(SeekFrom::End(-4))?;
            file.read_exact(&mut ends[1])?;
            file.rewind()?;
            file.read_exact(&mut ends[0])?;
            file.rewind()?;
        }
        Ok(bytes)
    };
    let bytes = read().map_err(|error| Error::read(&place.session.join(place.file), error))?;
    match ends {
        [start, [b'P', b'A', b'R', b'1']] if &start == b"PAR1" => Ok(bytes),
        [_, [b'P', b'A', b'R', b'1']] => Err(place.damaged(None, "it is not a Parquet file")),
        _ => Err(place.incomplete()),
    }
}

fn check_types(schema: &Schema, place: Place<'_>) -> Result<()> {
    for column in place.table.columns {
        let field = schema.field_with_name(column.name);
        if column.later && field.is_err() {
            continue;
        }
        let found = field
            .map_err(|_| place.damaged(Some(column.name), "it is missing"))?
            .data_type();
        let expected = column.kind.data_type();
        if *found != expected {
            let detail = format!("its type is {found} where {expected} must be");
            return Err(place.damaged(Some(column.name), detail));
        }
    }
    Ok(())
}

/// Some rows of a table.
pub(super) struct Rows<'a> {
    pub(super) place: Place<'a>,
    batch: RecordBatch,
    /// The number of the first of them in the file.
    pub(super) first_row: usize,
}

impl Rows<'_> {
    pub(super) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// Whether the file has a column that may be missing.
    pub(super) fn has(&self, name: &str) -> bool {
        self.batch.column_by_name(name).is_some()
    }

    pub(super) fn bool(&self, name: &str) -> Result<&BooleanArray> {
        let array = self.column(name)?;
        array
            .as_boolean_opt()
            .ok_or_else(|| self.wrong_type(name, Kind::Bool))
    }

    pub(super) fn u8(&self, name: &str) -> Result<&PrimitiveArray<UInt8Type>> {
        self.numbers(name, Kind::U8)
    }

    pub(super) fn u32(&self, name: &str) -> Result<&PrimitiveArray<UInt32Type>> {
        self.numbers(name, Kind::U32)
    }

    pub(super) fn u64(&self, name: &str) -> Result<&PrimitiveArray<UInt64Type>> {
        self.numbers(name, Kind::U64)
    }

    pub(super) fn i64(&self, name: &str) -> Result<&PrimitiveArray<Int64Type>> {
        self.numbers(name, Kind::I64)
    }

    /// Columns of doubles, in the order of `names`.
    pub(super) fn doubles(&self, names: &[String]) -> Result<Vec<&PrimitiveArray<Float64Type>>> {
        let schema = self.batch.schema_ref();
        let fields = schema.fields().iter().zip(self.batch.columns());
        let known: HashMap<&str, _> = fields
            .map(|(field, array)| (field.name().as_str(), array))
            .collect();
        let double = |name: &String| {
            let array = known
                .get(name.as_str())
                .and_then(|array| array.as_primitive_opt());
            array.ok_or_else(|| self.wrong_type(name, Kind::F64))
        };
        names.iter().map(double).collect()
    }

    pub(super) fn text(&self, name: &str) -> Result<&StringArray> {
        let array = self.column(name)?;
        array
            .as_string_opt()
            .ok_or_else(|| self.wrong_type(name, Kind::Text))
    }

    fn numbers<T: ArrowPrimitiveType>(&self, name: &str, kind: Kind) -> Result<&PrimitiveArray<T>> {
        let array = self.column(name)?;
        array
            .as_primitive_opt()
            .ok_or_else(|| self.wrong_type(name, kind))
    }

    /// A column of the table, with a value in every row unless the schema says that it need not.
    fn column(&self, name: &str) -> Result<&dyn Array> {
        let missing = || self.place.damaged(Some(name), "it is missing");
        let array = self.batch.column_by_name(name).ok_or_else(missing)?;
        let is_it = |column: &&Column| column.name == name;
        let nullable = self
            .place
            .table
            .columns
            .iter()
            .find(is_it)
            .is_none_or(|column| column.nullable);
        match (0..array.len()).find(|row| !nullable && array.is_null(*row)) {
            Some(row) => Err(self.at(name, row, "has no value")),
            None => Ok(array),
        }
    }

    fn wrong_type(&self, name: &str, kind: Kind) -> Error {
        self.place
            .damaged(Some(name), format!("its type is not {}", kind.data_type()))
    }

    /// The error for the value of a column in one of these rows.
    pub(super) fn at(&self, column: &str, row: usize, detail: &str) -> Error {
        self.place.damaged(
            Some(column),
            format!("row {} {detail}", self.first_row + row),
        )
    }
}

/// The value of a column that may have none in a row.
pub(super) fn optional<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    row: usize,
) -> Option<T::Native> {
    array.is_valid(row).then(|| array.value(row))
}

/// The text of a column that may have none in a row.
pub(super) fn optional_text(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}
