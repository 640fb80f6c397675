//! Reading what a recorder left, which may end anywhere.
//!
//! A file is a row of messages, each with its length before it. A length is believed only if the file has so
//! many bytes, so that nothing in it can ask for more memory than it has itself. Where a message does not make
//! sense the file ends, for us: what comes before it is whole.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, RecordBatchOptions};
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::read_record_batch;
use arrow_ipc::{MessageHeader, root_as_message};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::super::columns::Place;
use super::super::schema::Table;
use super::super::{is_fixed_metrics_column, open_path};
use super::segment;
use crate::error::{Error, Result};

/// Precedes the length of each message (Arrow columnar format, "Encapsulated message format").
const CONTINUATION: [u8; 4] = [0xff; 4];
/// A recorder writes no message as long as this.
const LONGEST_MESSAGE: u64 = 1 << 32;
/// The most files of one table.
const MAX_SEGMENTS: usize = 1000;

/// What of a journal could not be read.
pub(in super::super) enum Tail {
    /// The end of a file is missing: its recorder was killed in the middle of it.
    Cut(String),
    /// Something is wrong with it, and all that follows may have been good.
    Senseless(String),
}

/// A table of a journal, whose columns are known.
pub(in super::super) struct JournalFile<'a> {
    pub(in super::super) place: Place<'a>,
    segments: Vec<Segment>,
}

impl<'a> JournalFile<'a> {
    /// Opens the files of a table. One that is missing has no rows: it was not begun.
    pub(in super::super) fn open(session: &'a Path, table: &'static Table) -> Result<Self> {
        let place = Place::in_journal(session, table);
        let mut segments = Vec::new();
        for number in 0..MAX_SEGMENTS {
            let path = segment(session, table, number);
            if !path.exists() {
                break;
            }
            let file = open_path(session, &path, table.journal)?;
            let segment = Segment::open(file).map_err(|error| Error::read(&path, error))?;
            if let Some(segment) = segment {
                check_types(&segment.schema, place)?;
                segments.push(segment);
            }
        }
        Ok(Self { place, segments })
    }

    /// A value of the metadata of the newest file.
    pub(in super::super) fn metadata(&self, key: &str) -> Option<&str> {
        let schema = &self.segments.last()?.schema;
        schema.metadata().get(key).map(String::as_str)
    }

    /// Whether the newest file has a column of this name.
    pub(in super::super) fn has_column(&self, name: &str) -> bool {
        let newest = self.segments.last();
        newest.is_some_and(|segment| segment.schema.field_with_name(name).is_ok())
    }

    /// The names of all columns of doubles, of which the newest file has all.
    pub(in super::super) fn double_columns(&self) -> Vec<String> {
        let fields = self.segments.last().map(|segment| segment.schema.fields());
        fields
            .into_iter()
            .flatten()
            .filter(|field| *field.data_type() == DataType::Float64)
            .map(|field| field.name().clone())
            .collect()
    }

    /// Has `visit` see the rows piece by piece, with the fixed columns of the table and `doubles`, without values
    /// where a file has none. Returns what could not be read, if anything.
    pub(in super::super) fn batches<E: From<io::Error>>(
        self,
        doubles: &[String],
        mut visit: impl FnMut(RecordBatch) -> Result<(), E>,
    ) -> Result<Option<Tail>, E> {
        let table = self.place.table;
        for mut segment in self.segments {
            loop {
                match segment.next()? {
                    Piece::Rows(batch) => visit(conform(table, doubles, &batch)?)?,
                    Piece::End => break,
                    Piece::Broken { left } => {
                        let tail = format!("the last {left} bytes of {}", table.journal);
                        return Ok(Some(match segment.is_cut {
                            true => Tail::Cut(format!("{tail} are cut off")),
                            false => Tail::Senseless(format!("{tail} make no sense")),
                        }));
                    }
                }
            }
        }
        Ok(None)
    }
}

/// The rows with exactly these columns.
fn conform(table: &Table, doubles: &[String], batch: &RecordBatch) -> io::Result<RecordBatch> {
    let schema = batch.schema_ref();
    let fixed = table.columns.iter().filter_map(|column| {
        let array = batch.column_by_name(column.name)?;
        let field = Field::new(column.name, column.kind.data_type(), true);
        Some((field, Arc::clone(array)))
    });
    let doubles = doubles
        .iter()
        .filter(|name| !is_fixed_metrics_column(name))
        .map(|name| {
            let known = schema
                .fields()
                .find(name)
                .map(|(index, _)| batch.column(index));
            let is_double = |array: &&ArrayRef| *array.data_type() == DataType::Float64;
            let array = known.filter(is_double).cloned();
            let none = || Arc::new(Float64Array::new_null(batch.num_rows())) as ArrayRef;
            (
                Field::new(name, DataType::Float64, true),
                array.unwrap_or_else(none),
            )
        });
    let (fields, arrays): (Vec<_>, Vec<_>) = fixed.chain(doubles).unzip();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(io::Error::other)
}

fn check_types(schema: &Schema, place: Place<'_>) -> Result<()> {
    for column in place.table.columns {
        let field = schema
            .field_with_name(column.name)
            .map_err(|_| place.damaged(Some(column.name), "it is missing"))?;
        let (found, expected) = (field.data_type(), column.kind.data_type());
        if *found != expected {
            let detail = format!("its type is {found} where {expected} must be");
            return Err(place.damaged(Some(column.name), detail));
        }
    }
    Ok(())
}

/// What comes next in a file.
enum Piece {
    Rows(RecordBatch),
    End,
    /// Something else, and then so many bytes in all.
    Broken {
        left: u64,
    },
}

/// One file.
struct Segment {
    file: BufReader<File>,
    /// Bytes that have not been read.
    left: u64,
    /// Whether there were less than the last message said.
    is_cut: bool,
    schema: SchemaRef,
}

/// A message: its head, and what follows.
struct Message {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Segment {
    /// Reads the schema. `None` where the file ends before or in it.
    fn open(file: File) -> io::Result<Option<Self>> {
        let left = file.metadata()?.len();
        let mut segment = Self {
            file: BufReader::new(file),
            left,
            is_cut: false,
            schema: Arc::new(Schema::empty()),
        };
        let message = segment.message(MessageHeader::Schema)?;
        let schema = message.and_then(|message| {
            guard(|| {
                try_fb_to_schema(root_as_message(&message.head).ok()?.header_as_schema()?).ok()
            })
        });
        Ok(schema.map(|schema| Self {
            schema: Arc::new(schema),
            ..segment
        }))
    }

    fn next(&mut self) -> io::Result<Piece> {
        let left = self.left;
        if left == 0 {
            return Ok(Piece::End);
        }
        let message = self.message(MessageHeader::RecordBatch)?;
        let schema = Arc::clone(&self.schema);
        let rows = message.and_then(|message| guard(|| rows(&message.head, message.body, schema)));
        Ok(rows.map_or(Piece::Broken { left }, Piece::Rows))
    }

    /// The next message, if it is whole and of this kind.
    fn message(&mut self, kind: MessageHeader) -> io::Result<Option<Message>> {
        let start = self.take(8)?;
        let start = start.as_deref().and_then(|start| start.split_at_checked(4));
        let len = match start {
            Some((continuation, len)) if continuation == CONTINUATION => len.try_into().ok(),
            _ => None,
        };
        let len = len.and_then(|len| u64::try_from(i32::from_le_bytes(len)).ok());
        let Some(head) = self.take(len.unwrap_or(u64::MAX))? else {
            return Ok(None);
        };
        let body = guard(|| body_len(&head, kind)).unwrap_or(u64::MAX);
        let body = self.take(body)?;
        Ok(body.map(|body| Message { head, body }))
    }

    /// The next `len` bytes, if there are so many.
    fn take(&mut self, len: u64) -> io::Result<Option<Vec<u8>>> {
        if len > self.left {
            // A length that makes no sense is larger than any file.
            self.is_cut = len <= LONGEST_MESSAGE;
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(len as usize);
        (&mut self.file).take(len).read_to_end(&mut bytes)?;
        self.left -= len;
        Ok((bytes.len() as u64 == len).then_some(bytes))
    }
}

/// Runs code of the IPC reader. It answers most damage with an error, and may panic at some.
fn guard<T>(work: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok().flatten()
}

/// How many bytes follow the head of a message of this kind, if that is what it is and nothing in it asks for more.
fn body_len(head: &[u8], kind: MessageHeader) -> Option<u64> {
    let message = root_as_message(head).ok()?;
    let body = u64::try_from(message.bodyLength()).ok()?;
    if message.header_type() != kind {
        return None;
    }
    if let Some(batch) = message.header_as_record_batch() {
        // A row takes a bit at least. We do not compress, since what is decompressed may be of any size.
        let rows = u64::try_from(batch.length()).ok()?;
        if batch.compression().is_some() || rows / 8 > body {
            return None;
        }
    }
    Some(body)
}

fn rows(head: &[u8], body: Vec<u8>, schema: SchemaRef) -> Option<RecordBatch> {
    let message = root_as_message(head).ok()?;
    let batch = message.header_as_record_batch()?;
    let (body, none) = (Buffer::from_vec(body), HashMap::new());
    read_record_batch(&body, batch, schema, &none, None, &message.version()).ok()
}
