//! Sessions to test with, and what is needed to compare and to break them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use jumper_session::*;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;
use tempfile::TempDir;

pub(crate) const TABLES: [&str; 7] = [
    "frames.parquet",
    "stacks.parquet",
    "processes.parquet",
    "threads.parquet",
    "samples.parquet",
    "metrics.parquet",
    "cells.parquet",
];

/// Names that nobody should have and somebody will.
pub(crate) const HOSTILE: [&str; 8] = [
    "",
    "</script><script>alert(1)</script>",
    "line\nbreak\r\ttab\0nul",
    "\u{1b}[31mred\u{202e}",
    "a'; drop table frames; --",
    "../../etc/passwd",
    "<lambda>",
    "функция-関数-🦀",
];

/// Numbers that look random and are the same in every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// A session with something in every column of every table.
pub(crate) fn rich_session() -> Session {
    let mut builder = SessionBuilder::new();
    let mut random = Random::new(7);
    let functions = functions(&mut builder);
    let stacks: Vec<_> = (0..40)
        .map(|_| {
            let frames: Vec<_> = (0..random.below(12))
                .map(|_| {
                    let function = functions[random.below(functions.len())];
                    (function, place(&mut builder, &mut random))
                })
                .collect();
            builder.intern_stack_frames(frames)
        })
        .collect();
    let hosts = ["node1", "node2"].map(|name| {
        builder.add_host(Host {
            name: name.into(),
            cpus: 4,
            memory_bytes: 1 << 40,
            ..Host::default()
        })
    });
    let threads = threads(&mut builder, hosts);
    for row in 0..3000_i64 {
        builder.push_sample(NewSample {
            time: Timestamp::from_nanos(1_000_000 * row + random.below(5000) as i64),
            duration: Duration::from_nanos(1_000_000 + random.below(300) as u64),
            thread: threads[random.below(threads.len())],
            task: (row % 3 == 0).then_some(u64::MAX - 1 - row as u64),
            state: ThreadState::from_bits(random.below(256) as u8),
            stack: stacks[random.below(stacks.len())],
        });
    }
    metrics(&mut builder, hosts, &mut random);
    cells(&mut builder, hosts[0]);
    builder.finish(manifest())
}

fn place(builder: &mut SessionBuilder, random: &mut Random) -> Place {
    let mut maybe = |limit| (random.below(3) > 0).then(|| random.below(limit) as u32);
    Place {
        line: maybe(9).unwrap_or(0),
        extent: Extent::new(maybe(3), maybe(9), maybe(80)),
        class: maybe(8).map(|class| builder.intern_string(HOSTILE[class as usize])),
    }
}

fn functions(builder: &mut SessionBuilder) -> Vec<FunctionId> {
    let functions = HOSTILE.iter().enumerate().map(|(row, name)| {
        builder.intern_function(&Function {
            name,
            qualname: (row % 2 == 0).then_some(HOSTILE[(row + 1) % HOSTILE.len()]),
            file: HOSTILE[(row + 3) % HOSTILE.len()],
            first_line: row as u32,
            hidden: row % 3 == 0,
        })
    });
    functions.collect()
}

fn threads(builder: &mut SessionBuilder, hosts: [HostId; 2]) -> Vec<ThreadId> {
    let mut threads = Vec::new();
    for (row, host) in hosts.into_iter().enumerate() {
        let process = builder.add_process(host, 100 + row as u32, HOSTILE.get(row * 2).copied());
        for native_id in 0..3 {
            let name = (native_id > 0).then_some(HOSTILE[row + native_id as usize]);
            let thread = builder.add_thread(process, u64::MAX - native_id, name);
            builder.add_lost(thread, native_id);
            threads.push(thread);
        }
    }
    let idle = builder.add_process(hosts[0], 7, None);
    builder.add_thread(idle, 7, Some("never sampled"));
    threads
}

fn metrics(builder: &mut SessionBuilder, hosts: [HostId; 2], random: &mut Random) {
    let columns = [
        ("cpu_util_avg", "percent", MetricKind::Gauge),
        ("io.read bytes", "bytes", MetricKind::Counter),
        ("никто</script>", "", MetricKind::Unknown),
    ];
    for (name, unit, kind) in columns {
        let column = MetricColumn {
            name: name.into(),
            unit: unit.into(),
            kind,
            help: format!("what \"{name}\" is\n"),
            beat: None,
        };
        builder.declare_metric(column).unwrap();
    }
    let levels = ["process", "system"].map(|level| builder.intern_string(level));
    for row in 0..100 {
        let values = [0, 1, 2].map(|column| match random.below(4) {
            0 => None,
            _ => Some(row as f64 * 1.5 + f64::from(column) + f64::MIN_POSITIVE),
        });
        let time = Timestamp::from_nanos(row * 50_000_000);
        let (host, level) = (hosts[random.below(2)], levels[random.below(2)]);
        builder.push_metrics(time, host, level, &values);
    }
}

fn cells(builder: &mut SessionBuilder, host: HostId) {
    let process = builder.add_process(host, 9, Some("ipykernel"));
    for (row, source) in HOSTILE.iter().enumerate() {
        let start = Timestamp::from_nanos(300_000_000 * row as i64);
        let source = builder.intern_string(source);
        let cell = builder.push_cell(Cell {
            process,
            start,
            end: None,
            source,
            outcome: CellOutcome::Unknown,
        });
        let outcomes = [
            CellOutcome::Ok,
            CellOutcome::Error,
            CellOutcome::Interrupted,
        ];
        if let Some(&outcome) = outcomes.get(row % 4) {
            builder.end_cell(cell, start.after(Duration::from_millis(200)), outcome);
        }
    }
}

fn manifest() -> Manifest {
    Manifest {
        jumper_version: "0.1.0".into(),
        python: Some(Python {
            version: "3.12.4".into(),
            ..Python::default()
        }),
        program: Program {
            description: HOSTILE[1].into(),
            argv: HOSTILE.map(String::from).into(),
            cwd: Some("/tmp".into()),
            pid: 100,
        },
        clock: ClockAnchor {
            monotonic: Timestamp::from_nanos(5),
            unix_ns: 1_790_000_000_000_000_000,
            utc_offset_s: 7200,
        },
        start: Timestamp::from_nanos(0),
        end: Timestamp::from_nanos(3_000_000_000),
        outcome: Outcome::Killed { signal: 15 },
        cpu_time: Some(Duration::from_millis(1234)),
        stacks: Some(StacksSummary {
            interval: Duration::from_millis(1),
            hold: Hold::Ptrace,
            ticks: 3000,
            late_ticks: 2,
            ..StacksSummary::default()
        }),
        metrics: Some(MetricsSummary {
            interval: Duration::from_secs(1),
            samples: 50,
            late: 1,
            cpu: Duration::from_millis(3),
        }),
        notes: vec!["a note".into()],
        ..Manifest::default()
    }
}

/// A saved session and the directory that it goes away with.
pub(crate) fn saved(session: &Session) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.jumper");
    session.save(&path).unwrap();
    (dir, path)
}

/// Opens what must not open, and checks that the message is one line that names the path.
pub(crate) fn open_error(path: &Path) -> Error {
    let opened = Session::open(path).map(drop);
    let error = opened.expect_err("opened a bad session");
    let message = error.to_string();
    assert!(
        !message.contains('\n') && !message.ends_with('.'),
        "{message:?}"
    );
    assert!(message.contains(path.to_str().unwrap()), "{message:?}");
    error
}

/// Writes a Parquet file anew after a change to its rows, with another writer's usual settings.
pub(crate) fn rewrite(file: &Path, change: impl Fn(RecordBatch) -> RecordBatch) {
    rewrite_with(file, WriterProperties::default(), change);
}

/// Writes a Parquet file anew after a change to its rows.
pub(crate) fn rewrite_with(
    file: &Path,
    properties: WriterProperties,
    change: impl Fn(RecordBatch) -> RecordBatch,
) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(file).unwrap()).unwrap();
    let schema = Arc::clone(reader.schema());
    let mut batches = reader.with_batch_size(1 << 20).build().unwrap().flatten();
    let batch = change(
        batches
            .next()
            .unwrap_or_else(|| RecordBatch::new_empty(schema)),
    );
    let out = fs::File::create(file).unwrap();
    let mut writer = ArrowWriter::try_new(out, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
