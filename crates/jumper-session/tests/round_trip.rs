//! What is saved comes back.

use std::fs;
use std::time::Duration;

use jumper_session::*;

use crate::support::{TABLES, rewrite, rich_session, saved};

/// Everything but the numbers of strings, which are free to change.
fn assert_same(left: &Session, right: &Session) {
    assert_eq!(left.manifest(), right.manifest());
    assert_eq!(left.samples(), right.samples());
    assert_eq!(left.stacks().len(), right.stacks().len());
    for ((_, stack), (_, other)) in left.stacks().iter().zip(right.stacks().iter()) {
        let class = |session: &Session, stack: Stack| {
            let class = stack.class.map(|class| session.string(class).to_owned());
            (
                class,
                Stack {
                    class: None,
                    ..stack
                },
            )
        };
        assert_eq!(class(left, stack), class(right, other));
    }

    assert_eq!(left.frames().len(), right.frames().len());
    for (id, _) in left.frames().iter() {
        assert_eq!(left.function(id), right.function(id));
    }
    assert_eq!(left.processes().len(), right.processes().len());
    for ((id, process), (_, other)) in left.processes().iter().zip(right.processes().iter()) {
        assert_eq!((process.host, process.pid), (other.host, other.pid));
        assert_eq!(left.process_command(id), right.process_command(id));
    }
    assert_eq!(left.threads().len(), right.threads().len());
    for ((id, thread), (_, other)) in left.threads().iter().zip(right.threads().iter()) {
        let key = |thread: Thread| (thread.process, thread.native_id, thread.lost);
        assert_eq!(key(thread), key(other));
        assert_eq!(left.thread_name(id), right.thread_name(id));
    }
    assert_same_metrics(left, right);
    assert_eq!(left.cells().len(), right.cells().len());
    for ((_, cell), (_, other)) in left.cells().iter().zip(right.cells().iter()) {
        let key = |cell: Cell| (cell.process, cell.start, cell.end, cell.outcome);
        assert_eq!(key(cell), key(other));
        assert_eq!(left.string(cell.source), right.string(other.source));
    }
}

fn assert_same_metrics(left: &Session, right: &Session) {
    let (metrics, others) = (left.metrics(), right.metrics());
    assert_eq!(metrics.columns(), others.columns());
    assert_eq!(
        (metrics.times(), metrics.hosts()),
        (others.times(), others.hosts())
    );
    for (level, other) in metrics.levels().iter().zip(others.levels()) {
        assert_eq!(left.string(*level), right.string(*other));
    }
    for column in metrics.columns() {
        let (id, other) = (metrics.find(&column.name), others.find(&column.name));
        assert_eq!(metrics.values(id.unwrap()), others.values(other.unwrap()));
    }
}

#[test]
fn nothing_is_lost() {
    let session = rich_session();
    let (_dir, path) = saved(&session);
    let read = Session::open(&path).unwrap();
    assert_same(&session, &read);
    assert_eq!(read.path(), Some(&*path));
    assert_eq!(session.path(), None);

    let (_dir, again) = saved(&read);
    assert_same(&session, &Session::open(again).unwrap());
}

#[test]
fn the_manifest_answers_for_the_whole() {
    let session = rich_session();
    assert_eq!(session.duration(), Duration::from_secs(3));
    assert_eq!(session.sample_interval(), Some(Duration::from_millis(1)));
    let stacks = session.manifest().stacks.unwrap();
    assert_eq!((stacks.samples, stacks.lost), (3000, session.lost()));
    assert_eq!(session.lost(), 6);
}

#[test]
fn an_empty_session_survives() {
    let session = SessionBuilder::new().finish(Manifest::default());
    let (_dir, path) = saved(&session);
    assert_same(&session, &Session::open(path).unwrap());
}

#[test]
fn extreme_values_survive() {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host {
        memory_bytes: u64::MAX,
        cpus: u32::MAX,
        ..Host::default()
    });
    let process = builder.add_process(host, u32::MAX, None);
    let thread = builder.add_thread(process, u64::MAX, None);
    builder.add_lost(thread, u64::MAX);
    let function = Function {
        name: "f",
        qualname: None,
        file: "f",
        first_line: u32::MAX,
        hidden: false,
    };
    let function = builder.intern_function(&function);
    let stack = builder.intern_stack_frames([(function, u32::MAX)]);
    // Differences between neighbours that do not fit the type that they are stored in.
    for (row, time) in [i64::MAX, i64::MIN, 0, i64::MIN, i64::MAX]
        .into_iter()
        .enumerate()
    {
        builder.push_sample(NewSample {
            time: Timestamp::from_nanos(time),
            duration: if row == 2 {
                Duration::MAX
            } else {
                Duration::ZERO
            },
            thread,
            task: Some(u64::MAX - 1),
            state: ThreadState::from_bits(255),
            stack,
        });
    }
    let column = MetricColumn {
        name: "x".into(),
        ..MetricColumn::default()
    };
    builder.declare_metric(column).unwrap();
    let level = builder.intern_string("");
    for value in [f64::MAX, f64::MIN, -0.0, 5e-324] {
        builder.push_metrics(Timestamp::from_nanos(i64::MIN), host, level, &[Some(value)]);
    }
    let manifest = Manifest {
        start: Timestamp::from_nanos(i64::MIN),
        end: Timestamp::from_nanos(i64::MAX),
        ..Manifest::default()
    };
    let session = builder.finish(manifest);
    assert_eq!(session.duration(), Duration::from_nanos(u64::MAX));
    let (_dir, path) = saved(&session);
    assert_same(&session, &Session::open(path).unwrap());
}

#[test]
fn many_row_groups_keep_their_order() {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 1, None);
    let thread = builder.add_thread(process, 1, None);
    for row in 0..600_000 {
        builder.push_sample(NewSample {
            time: Timestamp::from_nanos(row * 1_000_000),
            duration: Duration::from_millis(1),
            thread,
            task: None,
            state: ThreadState::ON_CPU,
            stack: None,
        });
    }
    let session = builder.finish(Manifest::default());
    let (_dir, path) = saved(&session);
    assert_same(&session, &Session::open(&path).unwrap());
    // Regular samples cost almost nothing, and must not be taken for an attack.
    assert!(fs::metadata(path.join("samples.parquet")).unwrap().len() < 100_000);
}

#[test]
fn files_that_other_programs_wrote_anew_are_read() {
    let session = rich_session();
    let (_dir, path) = saved(&session);
    // The test's own writer: other encodings, no compression, none of our metadata.
    for table in TABLES
        .into_iter()
        .filter(|table| *table != "metrics.parquet")
    {
        rewrite(&path.join(table), |batch| batch);
    }
    assert_same(&session, &Session::open(&path).unwrap());

    rewrite(&path.join("metrics.parquet"), |batch| batch);
    let read = Session::open(&path).unwrap();
    let names = |session: &Session| -> Vec<String> {
        session
            .metrics()
            .columns()
            .iter()
            .map(|column| column.name.clone())
            .collect()
    };
    assert_eq!(names(&read), names(&session));
}

/// A session of the first writers: it has neither whole places nor classes nor cells.
#[test]
fn a_session_without_what_came_later_is_read() {
    let session = rich_session();
    let (_dir, path) = saved(&session);
    let without = |table: &str, names: &[&str]| {
        rewrite(&path.join(table), |mut batch| {
            for name in names {
                let column = batch.schema().index_of(name).unwrap();
                batch.remove_column(column);
            }
            batch
        });
    };
    without("frames.parquet", &["hidden"]);
    without(
        "stacks.parquet",
        &["column", "end_line", "end_column", "class"],
    );
    fs::remove_file(path.join("cells.parquet")).unwrap();
    let manifest = path.join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("\"cells\": 8,", "")).unwrap();
    let read = Session::open(&path).unwrap();
    assert!(read.cells().is_empty());
    assert_eq!(read.samples(), session.samples());
    for (id, _) in read.frames().iter() {
        assert!(!read.function(id).hidden);
    }
    for ((_, stack), (_, before)) in read.stacks().iter().zip(session.stacks().iter()) {
        let known = Stack {
            extent: Extent::default(),
            class: None,
            ..before
        };
        assert_eq!(stack, known);
    }
}
