//! Sessions of pyinstrument: read, written, damaged.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jumper_session::formats::pyinstrument;
use jumper_session::*;
use tempfile::TempDir;

use crate::support::{rich_session, saved};

/// What pyinstrument 5.1 writes, with line breaks for people.
const SESSION: &str = r#"{"start_time": 1790000123.4567893, "duration": 0.5, "min_interval": 0.001,
"max_interval": 0.002, "sample_count": 4,
"start_call_stack": ["MainThread\u0000<thread>\u0000140283", "main\u0000/app/a.py\u00003\u0001l9"],
"target_description": "Profile at a.py:9", "cpu_time": 0.25, "sys_path": ["/app", "/usr/lib"],
"sys_prefixes": ["/usr"], "frame_records": [
[["MainThread\u0000<thread>\u0000140283", "main\u0000/app/a.py\u00003\u0001l9"], 0.001],
[["MainThread\u0000<thread>\u0000140283", "main\u0000/app/a.py\u00003\u0001l10",
  "run\u0000/app/a.py\u000020\u0001cWorker\u0001l21\u0001h1", "[await]"], 0.1],
[["MainThread\u0000<thread>\u0000140283", "main\u0000/app/a.py\u00003\u0001l10", "sleep\u0000<built-in>\u00000"], 0.2],
[[], 0.000000001]]}
"#;

/// What pyinstrument 4.0 wrote.
const OLD_SESSION: &str = r#"{"frame_records": [[["f\u0000a.py\u00001"], 0.5], [["g\u0000a.py\u00005"], 0.25]],
"start_time": 1.5, "duration": 1, "sample_count": 2, "start_call_stack": [], "program": "a.py",
"cpu_time": null}"#;

fn read(json: &str) -> Result<Session> {
    pyinstrument::read_from(json.as_bytes(), Path::new("x.pyisession"))
}

fn written(session: &Session) -> String {
    let mut out = Vec::new();
    pyinstrument::write_to(session, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Every sample as text.
fn samples(session: &Session) -> Vec<String> {
    let samples = session.samples().iter().map(|sample| {
        let thread = session.thread_name(sample.thread).unwrap_or("-");
        let stack = sample.stack.map(|stack| session.stacks().frames(stack));
        let mut frames: Vec<_> = stack
            .into_iter()
            .flatten()
            .map(|(function, line)| {
                let function = session.function(function);
                let Function {
                    name,
                    file,
                    first_line,
                    hidden,
                    ..
                } = function;
                format!(
                    "{name}@{file}:{first_line}+{line}{}",
                    if hidden { "!" } else { "" }
                )
            })
            .collect();
        frames.reverse();
        format!("{thread} {:?} {}", sample.duration, frames.join(" "))
    });
    samples.collect()
}

#[test]
fn everything_that_pyinstrument_writes_is_read() {
    let session = read(SESSION).unwrap();
    assert_eq!(
        samples(&session),
        [
            "MainThread 1ms main@/app/a.py:3+9",
            "MainThread 100ms main@/app/a.py:3+10 run@/app/a.py:20+21! [await]@:0+0",
            "MainThread 200ms main@/app/a.py:3+10 sleep@<built-in>:0+0",
            "- 1ns ",
        ]
    );
    let manifest = session.manifest();
    // A double of this size counts in steps of 240 nanoseconds.
    assert!(manifest.clock.unix_ns.abs_diff(1_790_000_123_456_789_300) < 240);
    assert_eq!(session.duration(), Duration::from_millis(500));
    assert_eq!(manifest.cpu_time, Some(Duration::from_millis(250)));
    assert_eq!(manifest.program.description, "Profile at a.py:9");
    assert_eq!(manifest.sys_prefixes, Some(vec!["/usr".into()]));
    let stacks = manifest.stacks.unwrap();
    assert_eq!(stacks.interval, Duration::from_millis(1));
    assert_eq!(stacks.max_interval, Some(Duration::from_millis(2)));
    let (thread, stack) = session.start_stack().unwrap();
    assert_eq!(session.threads().get(thread).native_id, 140283);
    assert_eq!(stack, session.samples().get(0).stack);
    let run = session
        .stacks()
        .iter()
        .find(|(_, stack)| stack.class.is_some());
    let class = run.unwrap().1.class.unwrap();
    assert_eq!(session.string(class), "Worker");
    let ends: Vec<_> = session
        .samples()
        .times()
        .iter()
        .map(|time| time.as_nanos())
        .collect();
    assert_eq!(ends, [1_000_000, 101_000_000, 301_000_000, 301_000_001]);
}

#[test]
fn sessions_of_older_versions_have_less() {
    let session = read(OLD_SESSION).unwrap();
    assert_eq!(
        samples(&session),
        ["- 500ms f@a.py:1+0", "- 250ms g@a.py:5+0"]
    );
    let manifest = session.manifest();
    assert_eq!(manifest.program.description, "a.py");
    assert_eq!((&manifest.cpu_time, &manifest.sys_prefixes), (&None, &None));
    assert_eq!(session.start_stack(), None);
    assert_eq!(session.sample_interval(), Some(Duration::from_millis(1)));
    let shape = TreeOptions {
        self_nodes: true,
        scope: Scope::Session,
        ..TreeOptions::default()
    };
    let tree = FrameTree::build_with(&session, &shape);
    // Without a thread there is none above the functions.
    assert_eq!(tree.tops().next(), Some(tree.root()));
    let below: Vec<_> = tree
        .roots()
        .map(|id| tree.node(id).function().is_some())
        .collect();
    assert_eq!(below, [true, true]);
}

#[test]
fn what_is_written_is_what_was_read() {
    for json in [SESSION, OLD_SESSION] {
        let session = read(json).unwrap();
        let once = written(&session);
        let again = read(&once).unwrap();
        assert_eq!(samples(&again), samples(&session));
        assert_eq!(again.manifest().clock, session.manifest().clock);
        assert_eq!(again.manifest().sys_path, session.manifest().sys_path);
        assert_eq!(again.start_stack(), session.start_stack());
        assert_eq!(written(&again), once);
    }
    let session = read(SESSION).unwrap();
    let values = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
    assert_eq!(values(&written(&session)), values(SESSION));
}

#[test]
fn a_session_keeps_it_all_in_its_own_format() {
    let session = read(SESSION).unwrap();
    let (_dir, path) = saved(&session);
    let opened = Session::open(&path).unwrap();
    assert_eq!(written(&opened), written(&session));
    assert_eq!(opened.start_stack(), session.start_stack());

    let manifest = path.join("manifest.json");
    let json = fs::read_to_string(&manifest).unwrap();
    for (row, table) in [("\"stack\": 0", "stack 77"), ("\"thread\": 0", "thread 77")] {
        assert!(json.contains(row), "{json}");
        fs::write(&manifest, json.replace(row, &row.replace('0', "77"))).unwrap();
        let error = Session::open(&path).unwrap_err().to_string();
        assert!(
            error.contains("manifest.json") && error.contains(table),
            "{error}"
        );
    }
}

#[test]
fn any_session_of_ours_can_be_written() {
    let session = rich_session();
    let again = read(&written(&session)).unwrap();
    assert_eq!(again.samples().len(), session.samples().len());
    assert_eq!(again.samples().total(), session.samples().total());
    let times = |session: &Session| session.samples().durations_ns().to_vec();
    assert_eq!(times(&again), times(&session));
    assert_eq!(again.start_stack(), None);

    let dir = TempDir::new().unwrap();
    let path = dir.path().join("x.pyisession");
    pyinstrument::write(&session, &path).unwrap();
    assert_eq!(pyinstrument::read(&path).unwrap().samples().len(), 3000);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    let nowhere = dir.path().join("not/there/x.pyisession");
    let error = pyinstrument::write(&session, nowhere).unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error}");
}

#[test]
fn stacks_are_shared_however_the_file_is_laid_out() {
    let compact = SESSION
        .replace(", ", ",")
        .replace(": ", ":")
        .replace('\n', "");
    let loose = SESSION.replace(", ", " ,\n ");
    let loose = loose.replace("[\"", "[ \"").replace("],", "\t],");
    let expected = read(SESSION).unwrap();
    for json in [compact, loose] {
        let session = read(&json).unwrap();
        assert_eq!(samples(&session), samples(&expected));
        assert_eq!(session.stacks().len(), expected.stacks().len());
    }
}

/// A key at fault, or none, and a piece of the message.
fn assert_damaged(json: &str, expected_key: Option<&str>, message: &str) {
    let error = read(json).expect_err(json);
    let text = error.to_string();
    assert!(
        !text.contains('\n') && text.contains("`x.pyisession`"),
        "{text:?}"
    );
    assert!(text.contains(message), "{text:?} does not say {message:?}");
    match error {
        Error::ForeignDamaged { key, .. } => assert_eq!(key.as_deref(), expected_key, "{text}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bad_sessions_are_errors_that_name_the_key() {
    let records = Some("frame_records");
    let deep = format!(r#"{{"x": {}"#, "[".repeat(1_000_000));
    let cases: [(&str, Option<&str>, &str); 24] = [
        ("[]", None, "it is not a JSON object (at byte 0)"),
        ("null", None, "it is not a JSON object"),
        ("<html>", None, "it is not a JSON object"),
        ("{} {}", None, "something follows its end"),
        ("{1: 2}", None, "a text is missing"),
        (r#"{"a" 1}"#, None, "`:` is missing"),
        (r#"{"a": 1 "b": 2}"#, None, "`,` is missing"),
        ("{}", Some("start_time"), "it is missing"),
        (r#"{"start_time": 1}"#, Some("duration"), "it is missing"),
        (
            r#"{"start_time": 1, "duration": 1}"#,
            records,
            "it is missing",
        ),
        (r#"{"duration": -1}"#, Some("duration"), "it is negative"),
        (r#"{"cpu_time": -0.5}"#, Some("cpu_time"), "it is negative"),
        (
            r#"{"duration": NaN}"#,
            Some("duration"),
            "it is not a number",
        ),
        (
            r#"{"duration": 1e300}"#,
            Some("duration"),
            "it is more than 292 years",
        ),
        (
            r#"{"sys_path": "a"}"#,
            Some("sys_path"),
            "it is not a list of texts",
        ),
        (&deep, Some("x"), "it is nested too deeply"),
        (r#"{"frame_records": {}}"#, records, "`[` is missing"),
        (
            r#"{"frame_records": [[[1], 1]]}"#,
            records,
            "a frame is missing",
        ),
        (
            r#"{"frame_records": [[["a"], "1"]]}"#,
            records,
            "a value is missing",
        ),
        (
            r#"{"frame_records": [[["a"], null]]}"#,
            records,
            "a number is missing",
        ),
        (
            r#"{"frame_records": [[["a"], -0.1]]}"#,
            records,
            "a sample has a negative time",
        ),
        (
            r#"{"frame_records": [[["a"], 1e10]]}"#,
            records,
            "longer than 292 years",
        ),
        (
            r#"{"frame_records": [[["a\u0000b\u0000x"], 1]]}"#,
            records,
            "a line that is not a number",
        ),
        (
            r#"{"frame_records": [], "frame_records": []}"#,
            records,
            "it is there twice",
        ),
    ];
    for (json, key, message) in cases {
        assert_damaged(json, key, message);
    }
    let late = r#"{"start_time": 1, "duration": 1, "frame_records": [], "start_call_stack": ["a\u0000b\u0000c"]}"#;
    assert_damaged(
        late,
        Some("start_call_stack"),
        "a line that is not a number",
    );
}

#[test]
fn a_session_that_is_cut_off_anywhere_is_an_error() {
    let whole = SESSION.trim_end();
    for length in 0..whole.len() {
        let error = read(&whole[..length]).expect_err("it was cut off");
        assert!(
            matches!(error, Error::ForeignIncomplete { .. }),
            "{length}: {error}"
        );
    }
}

#[test]
fn a_changed_byte_is_never_a_crash() {
    for at in 0..SESSION.len() {
        for byte in [b'"', b'[', b'}', b',', b'9', b'-', b'\\', 0, 0xff] {
            let mut json = SESSION.as_bytes().to_vec();
            json[at] = byte;
            if let Ok(session) = pyinstrument::read_from(&json[..], Path::new("x")) {
                assert!(FrameTree::build(&session).total() == session.samples().total());
            }
        }
    }
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let dir = TempDir::new().unwrap();
    let error = pyinstrument::read(dir.path()).unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "{error}");
    let error = pyinstrument::read(dir.path().join("none")).unwrap_err();
    assert!(
        error.to_string().contains("no such file or directory"),
        "{error}"
    );
}

#[test]
fn names_that_are_not_unicode_are_read() {
    let json = r#"{"start_time": 0, "duration": 0, "frame_records": [[["f\u0000/a\udcff.py\u00001"], 0]]}"#;
    assert_eq!(
        samples(&read(json).unwrap()),
        ["- 0ns f@/a\u{fffd}\u{fffd}\u{fffd}.py:1+0"]
    );
}

#[test]
fn a_hundred_thousand_frames_are_read_and_written() {
    let frames: Vec<String> = (0..100_000)
        .map(|depth| format!(r#""f{}\u0000a.py\u0000{}\u0001l7""#, depth % 10, depth % 10))
        .collect();
    let record = format!("[[{}], 0.001]", frames.join(", "));
    let json = format!(
        r#"{{"start_time": 0, "duration": 1, "frame_records": [{record}, {record}, [["a"], 0.001], {record}]}}"#
    );
    // A thread with a small stack: whatever recursed over the frames would not come back from here.
    let work = move || {
        let session = read(&json).unwrap();
        assert_eq!(session.stacks().len(), 100_001);
        assert_eq!(session.frames().len(), 11);
        assert_eq!(
            samples(&read(&written(&session)).unwrap()),
            samples(&session)
        );
    };
    let thread = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(work)
        .unwrap();
    thread.join().unwrap();
}
