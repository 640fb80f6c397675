//! Bad files are answered with an error, never with a crash or a wrong answer.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use arrow_schema::{Field, Schema};
use jumper_session::*;

use parquet::basic::Encoding;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::support::{Random, TABLES, open_error, rewrite, rewrite_with, rich_session, saved};

fn all_files() -> impl Iterator<Item = &'static str> {
    TABLES.into_iter().chain(["manifest.json"])
}

#[test]
fn a_cut_file_is_incomplete() {
    let (_dir, path) = saved(&rich_session());
    for name in all_files() {
        let file = path.join(name);
        let bytes = fs::read(&file).unwrap();
        for cut in [
            0,
            1,
            4,
            bytes.len() / 3,
            bytes.len() / 2,
            bytes.len() - 9,
            bytes.len() - 3,
        ] {
            fs::write(&file, &bytes[..cut]).unwrap();
            let error = open_error(&path);
            assert!(
                matches!(error, Error::Incomplete { file, .. } if file == name),
                "{error}"
            );
        }
        fs::write(&file, &bytes).unwrap();
    }
    Session::open(&path).unwrap();
}

#[test]
fn a_missing_table_is_incomplete() {
    let (_dir, path) = saved(&rich_session());
    for name in TABLES {
        let away = path.join("away");
        fs::rename(path.join(name), &away).unwrap();
        let error = open_error(&path);
        assert!(
            matches!(error, Error::Incomplete { file, .. } if file == name),
            "{error}"
        );
        fs::rename(&away, path.join(name)).unwrap();
    }
}

/// Opens a session that may be damaged in any way and uses it if that works.
fn open_and_use(path: &Path) -> bool {
    match Session::open(path) {
        Ok(session) => {
            let tree = FrameTree::build(&session);
            assert_eq!(tree.total(), session.samples().total());
            let calls = Session::read(path, Parts::CALLS).expect("a part of what can be read");
            assert_eq!(FrameTree::build(&calls), tree);
            remove_irrelevant_nodes(tree, &ProcessorOptions::default())
                .walk()
                .count();
            true
        }
        Err(error) => {
            assert!(!error.to_string().contains('\n'), "{error:?}");
            // What is wrong may be elsewhere.
            if let Ok(calls) = Session::read(path, Parts::CALLS) {
                let tree = FrameTree::build(&calls);
                assert_eq!(tree.total(), calls.samples().total());
            }
            false
        }
    }
}

#[test]
fn random_damage_does_no_harm() {
    let (_dir, path) = saved(&rich_session());
    let mut random = Random::new(42);
    let (mut opened, mut refused) = (0, 0);
    for name in all_files() {
        let file = path.join(name);
        let original = fs::read(&file).unwrap();
        for _ in 0..150 {
            let mut bytes = original.clone();
            mutate(&mut bytes, &mut random);
            fs::write(&file, &bytes).unwrap();
            *(if open_and_use(&path) {
                &mut opened
            } else {
                &mut refused
            }) += 1;
        }
        fs::write(&file, &original).unwrap();
    }
    assert!(refused > opened, "{opened} opened, {refused} refused");
}

/// Changes a file in one of the ways that disks, networks and people do.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    // Half of the time near the end, where a Parquet file says where everything is.
    let at = if random.below(2) == 0 {
        at
    } else {
        bytes.len() - 1 - random.below(600).min(at)
    };
    match random.below(5) {
        0 | 1 => bytes[at] ^= 1 << random.below(8),
        2 => bytes[at] = [0x00, 0x7f, 0x80, 0xff][random.below(4)],
        3 => {
            let end = bytes.len().min(at + 1 + random.below(40));
            bytes.drain(at..end);
        }
        _ => {
            let end = bytes.len().min(at + 1 + random.below(40));
            let part = bytes[at..end].to_vec();
            bytes.splice(at..at, part);
        }
    }
}

/// Puts another column in the place of one, under the same name.
fn replaced(batch: &RecordBatch, name: &str, array: ArrayRef) -> RecordBatch {
    let index = batch.schema().index_of(name).unwrap();
    let mut fields: Vec<Field> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    fields[index] = Field::new(name, array.data_type().clone(), array.is_nullable());
    let mut columns = batch.columns().to_vec();
    columns[index] = array;
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// Saves a good session, changes one column and expects an error that names file and column.
fn expect_damage(table: &str, column: &str, array: impl Fn(&RecordBatch) -> ArrayRef, says: &str) {
    let (_dir, path) = saved(&rich_session());
    let file = path.join(table);
    rewrite(&file, |batch| {
        let array = array(&batch);
        replaced(&batch, column, array)
    });
    let error = open_error(&path).to_string();
    assert!(
        error.contains(&format!("{table}, column `{column}`: ")),
        "{error}"
    );
    assert!(error.contains(says), "{error}");
}

fn filled(value: u32) -> impl Fn(&RecordBatch) -> ArrayRef {
    move |batch| Arc::new(UInt32Array::from(vec![value; batch.num_rows()]))
}

#[test]
fn dangling_handles_are_named() {
    for (table, column) in [
        ("stacks.parquet", "frame"),
        ("processes.parquet", "host"),
        ("threads.parquet", "process"),
        ("samples.parquet", "thread"),
        ("samples.parquet", "stack"),
        ("metrics.parquet", "host"),
        ("cells.parquet", "process"),
    ] {
        expect_damage(table, column, filled(1_000_000), "row 0 points to 1000000");
        expect_damage(
            table,
            column,
            filled(u32::MAX),
            "row 0 points to 4294967295",
        );
    }
}

#[test]
fn a_stack_that_is_its_own_caller_is_named() {
    let own = |batch: &RecordBatch| batch.column_by_name("stack").unwrap().clone();
    expect_damage(
        "stacks.parquet",
        "parent",
        own,
        "row 0 does not point to an earlier row",
    );
    expect_damage(
        "stacks.parquet",
        "parent",
        filled(5),
        "does not point to an earlier row",
    );
}

#[test]
fn rows_that_are_out_of_order_are_named() {
    for (table, column) in [
        ("frames.parquet", "frame"),
        ("stacks.parquet", "stack"),
        ("processes.parquet", "process"),
        ("threads.parquet", "thread"),
        ("cells.parquet", "cell"),
    ] {
        expect_damage(table, column, filled(0), "row 1 is not numbered so");
    }
}

#[test]
fn samples_that_contradict_themselves_are_named() {
    let durations = |value| {
        move |batch: &RecordBatch| -> ArrayRef {
            Arc::new(Int64Array::from(vec![value; batch.num_rows()]))
        }
    };
    let table = "samples.parquet";
    expect_damage(table, "duration", durations(-1), "row 0 is negative");
    expect_damage(
        table,
        "duration",
        durations(i64::MAX),
        "row 1 makes the sum pass 2^63",
    );
    expect_damage(
        table,
        "process",
        filled(2),
        "is not the process of its thread",
    );
    expect_damage(table, "host", filled(7), "is not the host of its process");
    let tasks = |batch: &RecordBatch| -> ArrayRef {
        Arc::new(UInt64Array::from(vec![u64::MAX; batch.num_rows()]))
    };
    expect_damage(table, "task", tasks, "which is reserved");
}

#[test]
fn cells_that_end_before_they_start_are_named() {
    let early = |batch: &RecordBatch| -> ArrayRef {
        Arc::new(Int64Array::from(vec![i64::MIN; batch.num_rows()]))
    };
    expect_damage("cells.parquet", "end", early, "row 0 is before its start");
}

#[test]
fn wrong_types_and_missing_values_are_named() {
    let doubles = |batch: &RecordBatch| -> ArrayRef {
        Arc::new(Float64Array::from(vec![0.5; batch.num_rows()]))
    };
    expect_damage(
        "samples.parquet",
        "time",
        doubles,
        "its type is Float64 where Int64 must be",
    );
    expect_damage("metrics.parquet", "host", doubles, "its type is Float64");
    let nulls =
        |batch: &RecordBatch| -> ArrayRef { Arc::new(StringArray::new_null(batch.num_rows())) };
    for column in ["column", "end_line", "end_column"] {
        let reserved = "row 0 is 2^32 - 1, which is reserved";
        expect_damage("stacks.parquet", column, filled(u32::MAX), reserved);
        expect_damage("stacks.parquet", column, doubles, "its type is Float64");
    }
    expect_damage("frames.parquet", "hidden", doubles, "its type is Float64");
    expect_damage("stacks.parquet", "class", doubles, "its type is Float64");
    expect_damage("frames.parquet", "name", nulls, "row 0 has no value");
    expect_damage("metrics.parquet", "level", nulls, "row 0 has no value");
    expect_damage("cells.parquet", "source", nulls, "row 0 has no value");
}

#[test]
fn a_metric_that_is_no_double_any_more_is_named() {
    let (_dir, path) = saved(&rich_session());
    let declared = KeyValue::new(
        "jumper.metrics".into(),
        r#"[{"name": "cpu_util_avg"}]"#.to_owned(),
    );
    let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![declared]));
    rewrite_with(&path.join("metrics.parquet"), properties.build(), |batch| {
        let texts = StringArray::from(vec!["1"; batch.num_rows()]);
        replaced(&batch, "cpu_util_avg", Arc::new(texts))
    });
    let error = open_error(&path).to_string();
    assert!(
        error.contains("metrics.parquet, column `cpu_util_avg`: its type is not Float64"),
        "{error}"
    );
}

#[test]
fn missing_columns_are_named() {
    for table in TABLES {
        let (_dir, path) = saved(&rich_session());
        rewrite(&path.join(table), |mut batch| {
            batch.remove_column(1);
            batch
        });
        let error = open_error(&path);
        let Error::Damaged {
            file,
            column: Some(column),
            ..
        } = &error
        else {
            panic!("{error}")
        };
        assert!(
            *file == table && error.to_string().contains(": it is missing;"),
            "{error} {column}"
        );
    }
}

#[test]
fn unknown_columns_are_ignored() {
    let (_dir, path) = saved(&rich_session());
    for table in TABLES {
        rewrite(&path.join(table), |batch| {
            let mut fields: Vec<_> = batch.schema().fields().iter().cloned().collect();
            fields.push(Arc::new(Field::new(
                "later",
                arrow_schema::DataType::Utf8,
                true,
            )));
            let mut columns = batch.columns().to_vec();
            columns.push(Arc::new(StringArray::new_null(batch.num_rows())));
            RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
        });
    }
    assert_eq!(Session::open(&path).unwrap().metrics().columns().len(), 3);
}

#[test]
fn a_page_that_asks_for_too_much_memory_is_not_decoded() {
    let (_dir, path) = saved(&rich_session());
    let file = path.join("samples.parquet");
    rewrite(&file, |batch| batch);
    let mut bytes = fs::read(&file).unwrap();
    // The header of the dictionary of states: a struct whose first field is the number 256. The number in
    // its place is 8191, the largest of as many bytes; a longer one would ask for gigabytes.
    let header = [0x4c, 0x15, 0x80, 0x04, 0x15];
    let places: Vec<_> = bytes
        .windows(5)
        .enumerate()
        .filter(|(_, bytes)| *bytes == header)
        .collect();
    let [(at, _)] = places[..] else {
        panic!("{} such headers", places.len())
    };
    bytes[at + 2..at + 4].copy_from_slice(&[0xfe, 0x7f]);
    fs::write(&file, bytes).unwrap();
    let error = open_error(&path).to_string();
    assert!(
        error.contains("a dictionary of 1024 bytes claims 8191 values"),
        "{error}"
    );
}

#[test]
fn encodings_that_ask_for_memory_up_front_are_refused() {
    let (_dir, path) = saved(&rich_session());
    let file = path.join("frames.parquet");
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_column_encoding(ColumnPath::from("name"), Encoding::DELTA_LENGTH_BYTE_ARRAY);
    rewrite_with(&file, properties.build(), |batch| batch);
    let error = open_error(&path).to_string();
    assert!(
        error.contains("encoding is DELTA_LENGTH_BYTE_ARRAY, which sessions do not"),
        "{error}"
    );
}

#[test]
fn manifests_of_others_are_told_apart() {
    let (_dir, path) = saved(&rich_session());
    let file = path.join("manifest.json");
    let good = fs::read_to_string(&file).unwrap();
    let newer = good.replace("\"version\": 1\n", "\"version\": 2\n");
    assert_ne!(newer, good);
    fs::write(&file, newer).unwrap();
    assert!(matches!(
        open_error(&path),
        Error::NewerFormat {
            found: 2,
            supported: 1,
            ..
        }
    ));

    // What a later version has in its manifest is none of our business.
    let later = r#"{"format": {"name": "jumper-session", "version": 9}, "program": 5}"#;
    fs::write(&file, later).unwrap();
    assert!(matches!(
        open_error(&path),
        Error::NewerFormat { found: 9, .. }
    ));

    for other in ["{}", "[]", r#"{"format": {"name": "zip", "version": 1}}"#] {
        fs::write(&file, other).unwrap();
        assert!(
            matches!(open_error(&path), Error::NotASession { .. }),
            "{other}"
        );
    }
    for bad in [
        good.replace("jumper-session\",", "jumper-session\";"),
        good.replace("start_ns", "s"),
    ] {
        fs::write(&file, bad).unwrap();
        let error = open_error(&path);
        assert!(
            matches!(
                error,
                Error::Damaged {
                    file: "manifest.json",
                    ..
                }
            ),
            "{error}"
        );
    }
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    fs::write(&file, nested).unwrap();
    open_error(&path);
    fs::write(&file, vec![b' '; (16 << 20) + 1]).unwrap();
    assert!(open_error(&path).to_string().contains("larger than 16 MiB"));
}
