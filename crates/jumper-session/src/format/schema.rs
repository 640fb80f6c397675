//! The files of a session and their columns. A change here is a change of `docs/session-format.md`.

use arrow_schema::DataType;

use crate::Parts;

/// The manifest's file.
pub(super) const MANIFEST: &str = "manifest.json";

/// The directory of what a recording has so far.
pub(super) const JOURNAL: &str = "journal";

/// Key of the file metadata that holds the declarations of the metrics, as JSON.
pub(super) const METRICS_KEY: &str = "jumper.metrics";

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    U8,
    U32,
    U64,
    I64,
    F64,
    Text,
}

impl Kind {
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::U8 => DataType::UInt8,
            Self::U32 => DataType::UInt32,
            Self::U64 => DataType::UInt64,
            Self::I64 => DataType::Int64,
            Self::F64 => DataType::Float64,
            Self::Text => DataType::Utf8,
        }
    }
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    /// It is not in sessions of the first writers.
    pub(super) later: bool,
    /// Neighbouring values are close, so that their differences are stored.
    pub(super) delta: bool,
    /// What readers outside Jumper find at the field.
    pub(super) metadata: &'static [(&'static str, &'static str)],
    /// The smallest part of a session that has it.
    pub(super) part: Parts,
}

/// A table: one file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    /// Its file in a journal, without the number.
    pub(super) journal: &'static str,
    pub(super) columns: &'static [Column],
    /// The smallest part of a session for which it is read.
    pub(super) part: Parts,
    /// Rows that are in memory as Arrow arrays at a time. Few where rows hold text: an array of texts
    /// cannot have more than 2 GiB, and a small file can ask for long texts.
    pub(super) batch_rows: usize,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        nullable: false,
        later: false,
        delta: false,
        metadata: &[],
        part: Parts::NONE,
    }
}

const fn nullable(name: &'static str, kind: Kind) -> Column {
    Column {
        nullable: true,
        ..column(name, kind)
    }
}

/// A column that may be missing in files of earlier writers.
const fn later(column: Column) -> Column {
    Column {
        later: true,
        ..column
    }
}

/// A column that is not wanted wherever its table is.
const fn part(part: Parts, column: Column) -> Column {
    Column { part, ..column }
}

/// A row of another table, mostly near the one of the row before.
const fn near(column: Column) -> Column {
    Column {
        delta: true,
        ..column
    }
}

/// The number of the row itself: readers outside Jumper join by it, and not all of them keep rows in order.
const fn row_number(name: &'static str) -> Column {
    Column {
        delta: true,
        ..column(name, Kind::U32)
    }
}

const TIME: Column = Column {
    delta: true,
    metadata: &[("unit", "ns"), ("clock", "CLOCK_MONOTONIC")],
    ..column("time", Kind::I64)
};

const DURATION: Column = Column {
    delta: true,
    metadata: &[("unit", "ns")],
    ..column("duration", Kind::I64)
};

pub(super) const FRAMES: Table = Table {
    name: "frames",
    file: "frames.parquet",
    journal: "journal/frames.arrows",
    columns: &[
        row_number("frame"),
        column("name", Kind::Text),
        nullable("qualname", Kind::Text),
        column("file", Kind::Text),
        column("first_line", Kind::U32),
        later(column("hidden", Kind::Bool)),
    ],
    part: Parts::CALLS,
    batch_rows: 1024,
};

pub(super) const STACKS: Table = Table {
    name: "stacks",
    file: "stacks.parquet",
    journal: "journal/stacks.arrows",
    columns: &[
        row_number("stack"),
        near(nullable("parent", Kind::U32)),
        column("frame", Kind::U32),
        column("line", Kind::U32),
        later(nullable("column", Kind::U32)),
        later(nullable("end_line", Kind::U32)),
        later(nullable("end_column", Kind::U32)),
        later(nullable("class", Kind::Text)),
    ],
    part: Parts::CALLS,
    batch_rows: 1024,
};

pub(super) const PROCESSES: Table = Table {
    name: "processes",
    file: "processes.parquet",
    journal: "journal/processes.arrows",
    columns: &[
        row_number("process"),
        column("host", Kind::U32),
        column("pid", Kind::U32),
        nullable("command", Kind::Text),
    ],
    part: Parts::NONE,
    batch_rows: 1024,
};

pub(super) const THREADS: Table = Table {
    name: "threads",
    file: "threads.parquet",
    journal: "journal/threads.arrows",
    columns: &[
        row_number("thread"),
        column("process", Kind::U32),
        column("native_id", Kind::U64),
        nullable("name", Kind::Text),
        column("lost", Kind::U64),
    ],
    part: Parts::NONE,
    batch_rows: 1024,
};

pub(super) const SAMPLES: Table = Table {
    name: "samples",
    file: "samples.parquet",
    journal: "journal/samples.arrows",
    columns: &[
        part(Parts::CALLS, TIME),
        part(Parts::CALLS, DURATION),
        // Both follow from the thread.
        part(Parts::SAMPLES, column("host", Kind::U32)),
        part(Parts::SAMPLES, column("process", Kind::U32)),
        column("thread", Kind::U32),
        part(Parts::SAMPLES, nullable("task", Kind::U64)),
        part(Parts::SAMPLES, column("state", Kind::U8)),
        part(Parts::CALLS, near(nullable("stack", Kind::U32))),
    ],
    part: Parts::SAMPLE_COUNTS,
    batch_rows: 65_536,
};

/// Sessions of the first writers do not have it.
pub(super) const CELLS: Table = Table {
    name: "cells",
    file: "cells.parquet",
    journal: "journal/cells.arrows",
    columns: &[
        row_number("cell"),
        column("process", Kind::U32),
        Column {
            name: "start",
            ..TIME
        },
        Column {
            name: "end",
            nullable: true,
            ..TIME
        },
        column("source", Kind::Text),
        nullable("outcome", Kind::Text),
    ],
    part: Parts::CELLS,
    batch_rows: 1024,
};

pub(super) const METRICS: Table = Table {
    name: "metrics",
    file: "metrics.parquet",
    journal: "journal/metrics.arrows",
    columns: &[TIME, column("host", Kind::U32), column("level", Kind::Text)],
    part: Parts::METRICS,
    batch_rows: 1024,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specification_names_every_column() {
        let docs = include_str!("../../../../docs/session-format.md");
        for table in [FRAMES, STACKS, PROCESSES, THREADS, SAMPLES, METRICS, CELLS] {
            let heading = format!("### {}", table.file);
            let section = docs.split(&heading).nth(1).expect(&heading);
            let section = section
                .split("\n### ")
                .next()
                .expect("bug: split gives one part");
            for column in table.columns {
                let row = format!("| `{}` | {} |", column.name, docs_type(column.kind));
                assert!(section.contains(&row), "{}: no line `{row}`", table.file);
            }
        }
    }

    fn docs_type(kind: Kind) -> &'static str {
        match kind {
            Kind::Bool => "bool",
            Kind::U8 => "uint8",
            Kind::U32 => "uint32",
            Kind::U64 => "uint64",
            Kind::I64 => "int64",
            Kind::F64 => "double",
            Kind::Text => "string",
        }
    }
}
