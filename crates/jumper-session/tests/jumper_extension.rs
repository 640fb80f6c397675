//! Sessions of JUmPER: read, written, damaged. `jumper_extension/cross.py` does the same with JUmPER itself.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jumper_session::formats::{self, FileFormat, jumper_extension};
use jumper_session::*;
use tempfile::TempDir;

use crate::support::rich_session;

/// What a notebook on a machine of four CPUs and two GPUs may leave, of which the session was saved while it went on.
fn small() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/jumper-extension/small")
}

/// A copy of it to be changed.
fn copy(place: &TempDir) -> PathBuf {
    let path = place.path().join("copy");
    fs::create_dir(&path).unwrap();
    for entry in fs::read_dir(small()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), path.join(entry.file_name())).unwrap();
    }
    path
}

fn seconds(time: Timestamp) -> f64 {
    time.as_nanos() as f64 / 1e9
}

/// Time and value of each row of a level.
fn values(session: &Session, level: &str, metric: &str) -> Vec<(f64, Option<f64>)> {
    let metrics = session.metrics();
    let values = metrics.values(metrics.find(metric).unwrap());
    (0..metrics.len())
        .filter(|&row| session.string(metrics.levels()[row]) == level)
        .map(|row| (seconds(metrics.times()[row]), values[row]))
        .collect()
}

/// Every row of the measurements and every cell, as text.
fn rows(session: &Session) -> Vec<String> {
    let metrics = session.metrics();
    let measured = (0..metrics.len()).map(|row| {
        let columns = metrics.columns().iter();
        let values = columns.map(|column| {
            let metric = metrics.find(&column.name).unwrap();
            format!("{column:?} {:?}", metrics.values(metric)[row])
        });
        let level = session.string(metrics.levels()[row]);
        let values: Vec<_> = values.collect();
        format!("{:?} {level} {}", metrics.times()[row], values.join(" "))
    });
    let cells = session.cells().iter().map(|(_, cell)| {
        let source = session.string(cell.source);
        format!(
            "{:?} {:?} {:?} {source}",
            cell.start, cell.end, cell.outcome
        )
    });
    measured.chain(cells).collect()
}

#[test]
fn a_session_has_what_the_files_say() {
    let session = formats::open(&small()).unwrap();
    let manifest = session.manifest();
    let clock = manifest.clock;
    assert_eq!(
        (seconds(clock.monotonic), clock.unix_ns),
        (100.25, 1_790_000_000_250_000_000)
    );
    // It has no end: the last thing that happened is a cell that began.
    assert_eq!(
        (seconds(session.start()), seconds(session.end())),
        (100.25, 103.0)
    );
    assert_eq!(
        manifest.metrics.unwrap().interval,
        Duration::from_millis(500)
    );
    assert_eq!(manifest.metrics.unwrap().samples, 3);
    assert_eq!(manifest.program.pid, 4242);
    assert_eq!(manifest.python.as_ref().unwrap().version, "3.12.1");
    let host = &session.hosts()[0];
    let gibibytes = |bytes: u64| (bytes as f64 / (1 << 30) as f64 * 1e6).round() / 1e6;
    assert_eq!((host.cpus, host.system_cpus, host.gpus.len()), (2, 4, 2));
    assert_eq!(host.gpus[1].name, "NVIDIA H100");
    assert_eq!(gibibytes(host.gpus[1].memory_bytes), 79.65);
    assert_eq!(gibibytes(host.memory_bytes), 23.54);
    assert_eq!(host.memory_limits["process"], 8 << 30);
    let notes = manifest.notes.join("\n");
    for text in ["recorded by JUmPER", "thresholds", "UTC", "`level`"] {
        assert!(notes.contains(text), "no {text} in {notes}");
    }
}

#[test]
fn measurements_keep_their_times_and_get_units() {
    let session = formats::open(&small()).unwrap();
    let metrics = session.metrics();
    let levels = metrics.levels().iter().map(|&level| session.string(level));
    assert_eq!(
        levels.collect::<Vec<_>>(),
        [
            "process", "system", "process", "system", "process", "gpu node"
        ]
    );
    let names: Vec<_> = metrics
        .columns()
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "cpu_util_0",
            "cpu_util_1",
            "cpu_util_2",
            "cpu_util_avg",
            "memory",
            "watts",
            "gpu_mem_0",
            "gpu_mem_1",
            "io_read"
        ],
        "in the order of each table"
    );
    assert_eq!(
        values(&session, "process", "cpu_util_avg"),
        [(100.5, Some(2.0)), (101.0, None), (101.5, None)]
    );
    // Bytes a second there, MiB here.
    assert_eq!(
        values(&session, "process", "io_read"),
        [(100.5, Some(1.0)), (101.0, Some(0.5)), (101.5, Some(0.0))]
    );
    assert_eq!(
        values(&session, "process", "memory")[2],
        (101.5, Some(1e-5))
    );
    assert_eq!(
        values(&session, "gpu node", "watts"),
        [(102.5, Some(300.0))]
    );
    for (name, unit) in [
        ("io_read", "MiB/s"),
        ("memory", "GiB"),
        ("gpu_mem_1", "GiB"),
        ("cpu_util_0", "%"),
        ("watts", ""),
    ] {
        assert_eq!(
            metrics.column(metrics.find(name).unwrap()).unit,
            unit,
            "{name}"
        );
    }
}

#[test]
fn cells_are_those_of_the_history() {
    let session = formats::open(&small()).unwrap();
    let cells = session.cells().iter().map(|(_, cell)| {
        (
            session.string(cell.source),
            seconds(cell.start),
            cell.end.map(seconds),
            cell.outcome,
        )
    });
    assert_eq!(
        cells.collect::<Vec<_>>(),
        [
            (
                "print(\"a\", 1)\n%who",
                100.4,
                Some(100.75),
                CellOutcome::Unknown
            ),
            ("", 101.25, Some(102.0), CellOutcome::Unknown),
            ("NA", 103.0, None, CellOutcome::Unknown),
        ]
    );
}

#[test]
fn a_session_that_goes_there_and_back_is_the_same() {
    let place = tempfile::tempdir().unwrap();
    let session = formats::open(&small()).unwrap();
    let format = FileFormat::find("jumper-extension").unwrap();
    for name in ["out", "out.zip", "OUT.ZIP"] {
        let path = place.path().join(name);
        format.save(&session, &path).unwrap();
        assert_eq!(path.is_dir(), name == "out");
        let back = formats::open(&path).unwrap();
        assert_eq!(back.path(), Some(path.canonicalize().unwrap().as_path()));
        assert_eq!(rows(&back), rows(&session));
        assert_eq!(back.hosts(), session.hosts());
        assert_eq!(back.manifest().clock, session.manifest().clock);
        assert_eq!((back.start(), back.end()), (session.start(), session.end()));
    }
    let out = place.path().join("out");
    assert_eq!(
        fs::read_to_string(out.join("perf_process.csv")).unwrap(),
        "time,cpu_util_0,cpu_util_1,cpu_util_avg,memory,gpu_mem_0,gpu_mem_1,io_read,cell_index\n\
         100.5,1.5,2.5,2.0,0.25,0.0,1.5,1048576.0,0\n\
         101.0,,,,0.5,,,524288.0,\n\
         101.5,,4.0,,1e-05,1.0,1.0,0.0,1\n"
    );
    assert_eq!(
        fs::read_to_string(out.join("cell_history.csv")).unwrap(),
        "cell_index,raw_cell,start_time,end_time,duration,wallclock_start_time,wallclock_end_time,cell_magics\n\
         0,\"print(\"\"a\"\", 1)\n%who\",100.4,100.75,0.3499999999999943,1790000000.4,1790000000.75,['who']\n\
         1,,101.25,102.0,0.75,1790000001.25,1790000002.0,[]\n\
         2,NA,103.0,,,1790000003.0,,[]\n"
    );
    assert!(
        !out.join("perf_slurm.csv").exists(),
        "a level without rows has no file"
    );
}

#[test]
fn a_zip_file_is_theirs_or_ours_by_what_is_in_it() {
    let place = tempfile::tempdir().unwrap();
    let session = formats::open(&small()).unwrap();
    let [ours, theirs] = ["ours.zip", "theirs.zip"].map(|name| place.path().join(name));
    formats::save(&session, &ours).unwrap();
    jumper_extension::write(&session, &theirs).unwrap();
    for path in [&ours, &theirs] {
        assert_eq!(rows(&formats::open(path).unwrap()), rows(&session));
    }
    let names = |path: &Path| {
        let archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
        archive
            .file_names()
            .map(|name| name.unwrap().into_owned())
            .collect::<Vec<_>>()
    };
    assert!(
        names(&ours)
            .iter()
            .all(|name| name.starts_with("ours.jumper/"))
    );
    assert!(names(&theirs).contains(&"cell_history.csv".to_owned()));
}

#[test]
fn what_a_zip_file_must_not_hold_is_an_error() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.zip");
    let manifest = fs::read(small().join("manifest.json")).unwrap();
    let zeros = vec![b'0'; 100 << 20];
    for (name, bytes, expected) in [
        ("../perf_user.csv", b"time\n".as_slice(), "leads elsewhere"),
        ("/perf_user.csv", b"time\n", "leads elsewhere"),
        (
            "perf_user.csv",
            b"memory\n",
            "perf_user.csv: `time`: the column is missing",
        ),
        ("perf_user.csv", &zeros, "unpacks to more than"),
    ] {
        let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
        for (name, bytes) in [("manifest.json", manifest.as_slice()), (name, bytes)] {
            let options = zip::write::SimpleFileOptions::default();
            archive.start_file(name, options).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap();
        let error = formats::open(&path).unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.contains("x.zip"),
            "{name}: {error}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_column_and_line() {
    for (file, text, expected) in [
        (
            "manifest.json",
            "{\"app\": {\"name\": \"JUmPER\"}, \"monitor\"",
            "manifest.json: it is cut off",
        ),
        ("manifest.json", "no json", "manifest.json: expected"),
        (
            "manifest.json",
            r#"{"app": {"name": "JUmPER"}, "monitor": {"interval": "x"}}"#,
            "manifest.json: invalid type: string \"x\", expected f64 at line 1",
        ),
        (
            "manifest.json",
            r#"{"app": {"name": "JUmPER"}, "monitor": {"interval": -1}}"#,
            "manifest.json: `monitor.interval`: it is negative",
        ),
        (
            "manifest.json",
            r#"{"app": {"name": "JUmPER"}, "monitor": {"start_time": 1e300}}"#,
            "`monitor.start_time`: it is more than 292 years",
        ),
        (
            "manifest.json",
            r#"{"app": {"name": "JUmPER"}, "monitor": {"start_time": 2, "stop_time": 1}}"#,
            "`monitor.stop_time`: it is before `monitor.start_time`",
        ),
        (
            "manifest.json",
            r#"{"app": {"name": "JUmPER"}, "monitor": {"num_gpus": 4000000000}}"#,
            "`monitor.num_gpus`: no machine has so many",
        ),
        (
            "manifest.json",
            r#"{"app": {"name": "JUmPER"}, "monitor": {"memory_limits": {"user": -1}}}"#,
            "`monitor.memory_limits.user`: it is not an amount of memory",
        ),
        (
            "perf_process.csv",
            "",
            "perf_process.csv: `time`: the column is missing",
        ),
        (
            "perf_process.csv",
            "time,memory\n1,2\n1,2,3\n",
            "perf_process.csv: line 3 has 3 values for 2 columns",
        ),
        (
            "perf_process.csv",
            "time,memory\n1\n",
            "perf_process.csv: line 2 has 1 values for 2 columns",
        ),
        (
            "perf_process.csv",
            "time,memory\n1,a\u{1b}[31m\n",
            "perf_process.csv: `memory`: line 2 `a\\u{1b}[31m` is not a number",
        ),
        (
            "perf_process.csv",
            "time,memory\n1,\"\n\"\n,2\n",
            "perf_process.csv: `memory`: line 2 `\\n` is not a number",
        ),
        (
            "perf_process.csv",
            "time,memory\n1,1\n,2\n",
            "perf_process.csv: `time`: line 3 has no time",
        ),
        (
            "perf_process.csv",
            "time,memory\n1e99,1\n",
            "perf_process.csv: `time`: line 2 is more than 292 years",
        ),
        (
            "perf_process.csv",
            "time,memory,memory\n",
            "perf_process.csv: `memory`: it is there twice",
        ),
        (
            "perf_process.csv",
            "time,memory\n1,2",
            "perf_process.csv: its last line is cut off",
        ),
        (
            "cell_history.csv",
            "raw_cell,start_time\n",
            "cell_history.csv: `end_time`: the column is missing",
        ),
        (
            "cell_history.csv",
            "raw_cell,start_time,end_time\nx,2,1\n",
            "cell_history.csv: `end_time`: line 2 ends before it starts",
        ),
        (
            "cell_history.csv",
            "raw_cell,start_time,end_time\nx,,1\n",
            "cell_history.csv: `start_time`: line 2 has no time",
        ),
        (
            "cell_history.csv",
            "raw_cell,start_time,end_time\n\"x,1,2\n",
            "cell_history.csv: line 2 has 1 values for 3 columns",
        ),
    ] {
        let place = tempfile::tempdir().unwrap();
        let path = copy(&place);
        fs::write(path.join(file), text).unwrap();
        let error = formats::open(&path).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(
            error.contains("as a session of JUmPER") && !error.contains('\n'),
            "{error}"
        );
    }
}

#[test]
fn bytes_that_are_no_text_and_files_that_are_no_files_are_errors() {
    for (file, bytes, expected) in [
        (
            "perf_process.csv",
            b"time,a\xff\n".as_slice(),
            "the name of column 2 is not UTF-8",
        ),
        (
            "perf_process.csv",
            b"time,a\n1,\xff\n",
            "`a`: line 2 is not UTF-8",
        ),
        (
            "cell_history.csv",
            b"raw_cell,start_time,end_time\n\xff,1,2\n",
            "`raw_cell`: line 2 is not UTF-8",
        ),
    ] {
        let place = tempfile::tempdir().unwrap();
        let path = copy(&place);
        fs::write(path.join(file), bytes).unwrap();
        let error = formats::open(&path).unwrap_err().to_string();
        assert!(error.contains(file) && error.contains(expected), "{error}");
    }
    let place = tempfile::tempdir().unwrap();
    let path = copy(&place);
    fs::remove_file(path.join("manifest.json")).unwrap();
    let error = formats::open(&path).unwrap_err().to_string();
    assert!(error.contains("manifest.json: it is missing"), "{error}");
    fs::create_dir(path.join("manifest.json")).unwrap();
    let error = formats::open(&path).unwrap_err().to_string();
    assert!(
        error.contains("manifest.json: it is not a regular file"),
        "{error}"
    );
}

#[test]
fn a_row_without_end_is_not_read_into_memory() {
    let place = tempfile::tempdir().unwrap();
    let path = copy(&place);
    // A hole, which takes no room on the disk.
    let file = File::create(path.join("perf_user.csv")).unwrap();
    file.set_len(1 << 40).unwrap();
    let error = formats::open(&path).unwrap_err().to_string();
    assert!(
        error.contains("perf_user.csv: a row of it has more than 64 MiB"),
        "{error}"
    );
}

#[test]
fn columns_without_end_are_an_error() {
    let place = tempfile::tempdir().unwrap();
    let path = copy(&place);
    let names: Vec<_> = (0..5000).map(|column| format!("m{column}")).collect();
    fs::write(
        path.join("perf_user.csv"),
        format!("time,{}\n", names.join(",")),
    )
    .unwrap();
    let error = formats::open(&path).unwrap_err().to_string();
    assert!(error.contains("more than 4096 columns together"), "{error}");
}

#[test]
fn only_a_session_of_theirs_is_replaced() {
    let place = tempfile::tempdir().unwrap();
    let session = formats::open(&small()).unwrap();
    let path = place.path().join("out");
    for _ in 0..2 {
        jumper_extension::write(&session, &path).unwrap();
    }
    fs::write(path.join("diary.txt"), "mine").unwrap();
    let error = jumper_extension::write(&session, &path).unwrap_err();
    assert!(matches!(error, Error::Occupied { .. }), "{error}");
    assert_eq!(fs::read_to_string(path.join("diary.txt")).unwrap(), "mine");
    let ours = place.path().join("ours.jumper");
    session.save(&ours).unwrap();
    let error = jumper_extension::write(&session, &ours).unwrap_err();
    assert!(matches!(error, Error::Occupied { .. }), "{error}");
    let error = session.save(place.path().join("out")).unwrap_err();
    assert!(matches!(error, Error::Occupied { .. }), "{error}");
}

#[test]
fn what_their_files_have_no_room_for_is_an_error() {
    let place = tempfile::tempdir().unwrap();
    let error = jumper_extension::write(&rich_session(), place.path().join("out")).unwrap_err();
    assert!(error.to_string().contains("several hosts"), "{error}");

    for level in ["../../etc", "", "a\0b", "a\\b"] {
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(Host::default());
        let level = builder.intern_string(level);
        builder.push_metrics(Timestamp::from_nanos(1), host, level, &[]);
        let session = builder.finish(Manifest::default());
        let error = jumper_extension::write(&session, place.path().join("out")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("cannot be part of a file's name"),
            "{error}"
        );
    }
    assert_eq!(
        fs::read_dir(place.path()).unwrap().count(),
        0,
        "nothing is left behind"
    );
}
