//! From tables to Parquet files.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt8Array,
    UInt32Array, UInt64Array,
};
use arrow_schema::{Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::format::schema::{self, METRICS_KEY, Table};
use crate::tables::{MetricsTable, SampleTable, StringTable, Tables};
use crate::{Format, MetricColumn, MetricId, MetricKind, Session, StackId, StringId, Timestamp};

/// Rows in a row group: what a reader that wants a part of a file must at least read.
const ROW_GROUP_ROWS: usize = 262_144;

/// The compression level: higher ones cost more time than they save space here.
const ZSTD_LEVEL: i32 = 3;

/// Writes all tables of a session into the directory `dir` and syncs them.
pub(super) fn tables(session: &Session, dir: &Path) -> io::Result<()> {
    let tables = &session.tables;
    let write = |table, rows, arrays: fn(&Tables, Range<usize>) -> Vec<ArrayRef>| {
        Writer::create(dir, table, &[])?.write(rows, |range| arrays(tables, range))
    };
    write(&schema::FRAMES, tables.frames.len(), frames)?;
    write(&schema::STACKS, tables.stacks.len(), stacks)?;
    write(&schema::PROCESSES, tables.processes.len(), processes)?;
    write(&schema::THREADS, tables.threads.len(), threads)?;
    let all = &tables.samples;
    Writer::create(dir, &schema::SAMPLES, &[])?.write(all.len(), |range| samples(all, range))?;
    let columns = tables.metrics.columns();
    Writer::create(dir, &schema::METRICS, columns)?.write(tables.metrics.len(), |range| {
        metrics(&tables.strings, &tables.metrics, range)
    })?;
    write(&schema::CELLS, tables.cells.len(), cells)
}

/// Rows of the table of functions as columns.
pub(super) fn frames(tables: &Tables, range: Range<usize>) -> Vec<ArrayRef> {
    let (strings, part) = (&tables.strings, &tables.frames.rows()[range.clone()]);
    vec![
        row_numbers(range),
        texts(strings, part.iter().map(|row| Some(row.name))),
        texts(strings, part.iter().map(|row| row.qualname)),
        texts(strings, part.iter().map(|row| Some(row.file))),
        numbers(part.iter().map(|row| row.first_line)),
        Arc::new(BooleanArray::from_iter(
            part.iter().map(|row| Some(row.hidden)),
        )),
    ]
}

/// Rows of the table of stacks as columns.
pub(super) fn stacks(tables: &Tables, range: Range<usize>) -> Vec<ArrayRef> {
    let stacks = &tables.stacks;
    let rows = || range.clone().map(|row| stacks.get(StackId::from_len(row)));
    let parents = rows().map(|row| row.parent.map(StackId::as_u32));
    vec![
        row_numbers(range.clone()),
        optional_numbers(parents),
        numbers(rows().map(|row| row.function.as_u32())),
        numbers(rows().map(|row| row.line)),
        optional_numbers(rows().map(|row| row.extent.column())),
        optional_numbers(rows().map(|row| row.extent.end_line())),
        optional_numbers(rows().map(|row| row.extent.end_column())),
        texts(&tables.strings, rows().map(|row| row.class)),
    ]
}

/// Rows of the table of processes as columns.
pub(super) fn processes(tables: &Tables, range: Range<usize>) -> Vec<ArrayRef> {
    let part = &tables.processes.rows()[range.clone()];
    vec![
        row_numbers(range),
        numbers(part.iter().map(|row| row.host.as_u32())),
        numbers(part.iter().map(|row| row.pid)),
        texts(&tables.strings, part.iter().map(|row| row.command)),
    ]
}

/// Rows of the table of threads as columns.
pub(super) fn threads(tables: &Tables, range: Range<usize>) -> Vec<ArrayRef> {
    let part = &tables.threads.rows()[range.clone()];
    vec![
        row_numbers(range),
        numbers(part.iter().map(|row| row.process.as_u32())),
        Arc::new(UInt64Array::from_iter_values(
            part.iter().map(|row| row.native_id),
        )),
        texts(&tables.strings, part.iter().map(|row| row.name)),
        Arc::new(UInt64Array::from_iter_values(
            part.iter().map(|row| row.lost),
        )),
    ]
}

/// Rows of the table of cells as columns.
pub(super) fn cells(tables: &Tables, range: Range<usize>) -> Vec<ArrayRef> {
    let part = &tables.cells.rows()[range.clone()];
    let ends = part.iter().map(|row| row.end.map(Timestamp::as_nanos));
    let outcomes = part.iter().map(|row| row.outcome.name());
    vec![
        row_numbers(range),
        numbers(part.iter().map(|row| row.process.as_u32())),
        Arc::new(Int64Array::from_iter_values(
            part.iter().map(|row| row.start.as_nanos()),
        )),
        Arc::new(Int64Array::from_iter(ends)),
        texts(&tables.strings, part.iter().map(|row| Some(row.source))),
        Arc::new(outcomes.collect::<StringArray>()),
    ]
}

/// Samples as columns.
pub(super) fn samples(samples: &SampleTable, range: Range<usize>) -> Vec<ArrayRef> {
    let threads = &samples.threads()[range.clone()];
    let owners = || threads.iter().map(|&thread| samples.owner(thread));
    let durations = samples.durations_ns()[range.clone()].iter();
    // A table keeps the sum of its durations within an i64, and so each one.
    let durations = durations.map(|nanos| *nanos as i64);
    let states = samples.states()[range.clone()].iter();
    let tasks: UInt64Array = match samples.has_tasks() {
        true => range.clone().map(|row| samples.task(row)).collect(),
        false => UInt64Array::new_null(range.len()),
    };
    let stacks = range.clone().map(|row| samples.stack(row));
    vec![
        times(&samples.times()[range]),
        Arc::new(Int64Array::from_iter_values(durations)),
        numbers(owners().map(|(host, _)| host.as_u32())),
        numbers(owners().map(|(_, process)| process.as_u32())),
        numbers(threads.iter().map(|thread| thread.as_u32())),
        Arc::new(tasks),
        Arc::new(UInt8Array::from_iter_values(states.map(|it| it.bits()))),
        optional_numbers(stacks.map(|stack| stack.map(StackId::as_u32))),
    ]
}

/// Rows of the table of metrics as columns.
pub(super) fn metrics(
    strings: &StringTable,
    metrics: &MetricsTable,
    range: Range<usize>,
) -> Vec<ArrayRef> {
    let hosts = metrics.hosts()[range.clone()]
        .iter()
        .map(|host| host.as_u32());
    let levels = metrics.levels()[range.clone()]
        .iter()
        .map(|level| Some(*level));
    let mut arrays = vec![
        times(&metrics.times()[range.clone()]),
        numbers(hosts),
        texts(strings, levels),
    ];
    for metric in 0..metrics.columns().len() {
        let values = &metrics.values(MetricId::from_len(metric))[range.clone()];
        arrays.push(Arc::new(Float64Array::from_iter(values)));
    }
    arrays
}

fn row_numbers(range: Range<usize>) -> ArrayRef {
    numbers(range.map(|row| row as u32))
}

fn numbers(values: impl Iterator<Item = u32>) -> ArrayRef {
    Arc::new(UInt32Array::from_iter_values(values))
}

fn optional_numbers(values: impl Iterator<Item = Option<u32>>) -> ArrayRef {
    Arc::new(UInt32Array::from_iter(values))
}

fn times(times: &[Timestamp]) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(
        times.iter().map(|time| time.as_nanos()),
    ))
}

fn texts(strings: &StringTable, ids: impl Iterator<Item = Option<StringId>>) -> ArrayRef {
    Arc::new(
        ids.map(|id| id.map(|id| strings.get(id)))
            .collect::<StringArray>(),
    )
}

/// The columns of a table, with those of `metrics` behind them.
pub(super) fn arrow_schema(table: &Table, metrics: &[MetricColumn]) -> Schema {
    let fixed = table.columns.iter().map(|column| {
        Field::new(column.name, column.kind.data_type(), column.nullable)
            .with_metadata(field_metadata(column.metadata))
    });
    Schema::new(fixed.chain(metrics.iter().map(field)).collect::<Vec<_>>())
}

/// One Parquet file in the making.
pub(super) struct Writer {
    inner: ArrowWriter<fs::File>,
    schema: SchemaRef,
    batch_rows: usize,
}

impl Writer {
    pub(super) fn create(dir: &Path, table: &Table, metrics: &[MetricColumn]) -> io::Result<Self> {
        let schema = Arc::new(arrow_schema(table, metrics));
        let file = fs::File::create_new(dir.join(table.file))?;
        let inner =
            ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties(table, metrics)?))
                .map_err(into_io)?;
        Ok(Self {
            inner,
            schema,
            batch_rows: table.batch_rows,
        })
    }

    /// Writes `rows` rows that `arrays` makes piece by piece, and syncs the file.
    fn write(
        mut self,
        rows: usize,
        arrays: impl Fn(Range<usize>) -> Vec<ArrayRef>,
    ) -> io::Result<()> {
        for start in (0..rows).step_by(self.batch_rows) {
            let range = start..rows.min(start + self.batch_rows);
            let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays(range))
                .map_err(io::Error::other)?;
            self.push(&batch)?;
        }
        self.finish()
    }

    #[cfg(feature = "record")]
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Appends rows that have the columns of the table.
    pub(super) fn push(&mut self, batch: &RecordBatch) -> io::Result<()> {
        self.inner.write(batch).map_err(into_io)
    }

    /// Ends the file and syncs it.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.inner.finish().map_err(into_io)?;
        self.inner.inner().sync_all()
    }
}

/// The field of a metric, with what readers outside Jumper can use.
fn field(metric: &MetricColumn) -> Field {
    let kind = match metric.kind {
        MetricKind::Gauge => "gauge",
        MetricKind::Counter => "counter",
        MetricKind::Unknown => "unknown",
    };
    let metadata = [
        ("unit", &*metric.unit),
        ("kind", kind),
        ("help", &*metric.help),
    ];
    Field::new(&metric.name, schema::Kind::F64.data_type(), true)
        .with_metadata(field_metadata(&metadata))
}

fn field_metadata(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn properties(table: &Table, metrics: &[MetricColumn]) -> io::Result<WriterProperties> {
    let mut metadata = vec![
        KeyValue::new("jumper.table".into(), table.name.to_owned()),
        KeyValue::new("jumper.version".into(), Format::VERSION.to_string()),
    ];
    if table.name == schema::METRICS.name {
        metadata.push(KeyValue::new(
            METRICS_KEY.into(),
            serde_json::to_string(metrics)?,
        ));
    }
    let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(into_io)?;
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_key_value_metadata(Some(metadata));
    for column in table.columns.iter().filter(|column| column.delta) {
        let path = ColumnPath::new(vec![column.name.into()]);
        builder = builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    Ok(builder.build())
}

/// Keeps the system's own error, so that "no space left" is still told from others.
fn into_io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}
