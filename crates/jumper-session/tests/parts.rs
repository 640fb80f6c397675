//! Parts of a session: what is read is what a whole session has, and what is not read is never taken for empty.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, Schema};
use jumper_session::*;

use crate::support::{rewrite, rich_session, saved};

const PARTS: [Parts; 7] = [
    Parts::NONE,
    Parts::SAMPLE_COUNTS,
    Parts::METRICS,
    Parts::CELLS,
    Parts::CALLS,
    Parts::CALLS.with(Parts::METRICS),
    Parts::SAMPLES,
];

fn panics<T>(work: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(|| drop(work()))).is_err()
}

#[test]
fn what_is_read_is_as_in_the_whole_session() {
    let (_dir, path) = saved(&rich_session());
    let whole = Session::open(&path).unwrap();
    for parts in PARTS {
        let part = Session::read(&path, parts).unwrap();
        assert_eq!(part.parts(), parts);
        assert_eq!(part.row_counts(), whole.row_counts(), "{parts}");
        assert_eq!(part.metric_columns(), whole.metric_columns());
        // Handles of texts are others where there are fewer.
        let commands = |session: &Session| -> Vec<_> {
            let ids = session.processes().iter().map(|(id, _)| id);
            ids.map(|id| session.process_command(id).map(str::to_owned))
                .collect()
        };
        assert_eq!(commands(&part), commands(&whole));
        assert_eq!(part.threads().len(), whole.threads().len());
        assert_eq!(part.lost(), whole.lost());
        if parts.contains(Parts::SAMPLE_COUNTS) {
            assert_eq!(part.samples().threads(), whole.samples().threads());
        }
        if parts.contains(Parts::CALLS) {
            assert_eq!(FrameTree::build(&part), FrameTree::build(&whole));
            assert_eq!(part.start_stack(), whole.start_stack());
        }
        if parts.contains(Parts::SAMPLES) {
            assert!(part.samples().iter().eq(whole.samples().iter()));
        }
        if parts.contains(Parts::CELLS) {
            assert_eq!(part.cells().len(), whole.cells().len());
        }
        if parts.contains(Parts::METRICS) {
            assert_eq!(part.metrics().times(), whole.metrics().times());
        }
    }
}

#[test]
fn what_is_not_read_is_not_taken_for_empty() {
    let (_dir, path) = saved(&rich_session());
    for parts in PARTS {
        let part = Session::read(&path, parts).unwrap();
        let lacks = |needed| !parts.contains(needed);
        assert_eq!(panics(|| part.metrics().len()), lacks(Parts::METRICS));
        assert_eq!(panics(|| part.cells().len()), lacks(Parts::CELLS));
        assert_eq!(panics(|| part.frames().len()), lacks(Parts::CALLS));
        assert_eq!(panics(|| part.stacks().len()), lacks(Parts::CALLS));
        assert_eq!(panics(|| FrameTree::build(&part)), lacks(Parts::CALLS));
        assert_eq!(panics(|| part.samples().total()), lacks(Parts::CALLS));
        assert_eq!(panics(|| part.samples().get(0)), lacks(Parts::SAMPLES));
        assert_eq!(
            panics(|| part.samples().states().len()),
            lacks(Parts::SAMPLES)
        );
        let elsewhere = path.with_file_name("elsewhere.jumper");
        assert!(panics(|| part.save(&elsewhere)) && !elsewhere.exists());
    }
}

#[test]
fn a_selection_of_parts_is_that_part_of_the_selection() {
    let (_dir, path) = saved(&rich_session());
    let whole = Session::open(&path).unwrap();
    let middle = whole.start().after(whole.duration() / 2);
    let late = Selection::all().between(middle, whole.end());
    let selected = whole.select(&late).unwrap();
    let part = Session::read(&path, Parts::CALLS).unwrap();
    let part = part.select(&late).unwrap();
    assert_eq!(FrameTree::build(&part), FrameTree::build(&selected));
    assert_eq!(part.row_counts().samples, selected.samples().len());

    let cpu = Selection::all().in_mode(TimeMode::Cpu);
    let part = Session::read(&path, Parts::CALLS).unwrap();
    assert!(panics(|| part.select(&cpu).is_ok()));
}

#[test]
fn a_table_that_is_not_wanted_must_be_there_and_have_its_columns() {
    let (_dir, path) = saved(&rich_session());
    let samples = path.join("samples.parquet");
    rewrite(&samples, |batch| {
        let mut fields = batch.schema().fields().to_vec();
        let mut arrays = batch.columns().to_vec();
        let state = batch.schema().index_of("state").unwrap();
        fields[state] = Arc::new(Field::new("state", DataType::Float64, false));
        arrays[state] = Arc::new(Float64Array::from(vec![1.0; batch.num_rows()])) as ArrayRef;
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
    });
    let error = Session::read(&path, Parts::NONE).unwrap_err();
    assert!(
        matches!(&error, Error::Damaged { file: "samples.parquet", column: Some(column), .. } if column == "state"),
        "{error}"
    );
    fs::remove_file(&samples).unwrap();
    let error = Session::read(&path, Parts::METRICS).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Incomplete {
                file: "samples.parquet",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn values_are_checked_where_they_are_read() {
    let (_dir, path) = saved(&rich_session());
    rewrite(&path.join("samples.parquet"), |batch| {
        let mut arrays = batch.columns().to_vec();
        let host = batch.schema().index_of("host").unwrap();
        arrays[host] = Arc::new(UInt32Array::from(vec![77; batch.num_rows()])) as ArrayRef;
        RecordBatch::try_new(batch.schema(), arrays).unwrap()
    });
    // The host of a sample is that of its thread, whatever the copy says that nobody reads.
    let part = Session::read(&path, Parts::CALLS).unwrap();
    assert!(FrameTree::build(&part).total() == part.samples().total());
    let error = Session::read(&path, Parts::SAMPLES)
        .unwrap_err()
        .to_string();
    assert!(error.contains("samples.parquet, column `host`"), "{error}");

    rewrite(&path.join("samples.parquet"), |batch| {
        let mut arrays = batch.columns().to_vec();
        let thread = batch.schema().index_of("thread").unwrap();
        arrays[thread] = Arc::new(UInt32Array::from(vec![77; batch.num_rows()])) as ArrayRef;
        RecordBatch::try_new(batch.schema(), arrays).unwrap()
    });
    let error = Session::read(&path, Parts::SAMPLE_COUNTS).unwrap_err();
    assert!(error.to_string().contains("`thread`"), "{error}");
}

#[test]
fn a_query_needs_what_it_looks_at() {
    let (_dir, path) = saved(&rich_session());
    let whole = Session::open(&path).unwrap();
    let level = whole.string(whole.metrics().levels()[0]).to_owned();
    let thread = whole.threads().get(whole.samples().threads()[0]).native_id;
    let queries = [
        Query::default(),
        Query {
            time: Some(":".parse().unwrap()),
            ..Query::default()
        },
        Query {
            cells: Some(":".parse().unwrap()),
            mode: TimeMode::Cpu,
            ..Query::default()
        },
        Query {
            threads: vec![thread.to_string()],
            levels: vec![level],
            ..Query::default()
        },
    ];
    for query in queries {
        let part = Session::read(&path, query.needs()).unwrap();
        let selection = part.find(&query).unwrap();
        assert_eq!(selection, whole.find(&query).unwrap());
        assert_eq!(
            part.select(&selection).is_ok(),
            whole.clone().select(&selection).is_ok()
        );
    }
}
