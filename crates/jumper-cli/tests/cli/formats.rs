//! `jumper convert` and `jumper merge`: sessions in other files, and several as one.

use jumper_session::Session;

use crate::support::{Place, busy};

#[test]
fn a_session_goes_through_other_formats_and_comes_back() {
    let place = Place::new();
    place.write("a.py", &busy(0.4));
    place.run(&["run", "--session", "a.jumper", "-o", "a.txt", "a.py"]);
    for (from, to) in [
        ("a.jumper", "a.zip"),
        ("a.zip", "b.jumper"),
        ("b.jumper", "b.pyisession"),
        ("b.pyisession", "c.jumper"),
    ] {
        let done = place.run(&["convert", from, to]);
        assert_eq!(done.status, Some(0), "{from} to {to}: {}", done.stderr);
    }
    let open = |name: &str| Session::open(place.path(name)).expect("a session");
    let (first, back, through) = (open("a.jumper"), open("b.jumper"), open("c.jumper"));
    assert_eq!(first.samples(), back.samples());
    assert_eq!(first.manifest(), back.manifest());
    assert_eq!(first.samples().total(), through.samples().total());
    for file in ["a.zip", "b.pyisession"] {
        let text = place.run(&["render", file, "-r", "text"]);
        assert_eq!(text.status, Some(0), "{}", text.stderr);
        assert!(text.stdout.contains("spin"), "{}", text.stdout);
        assert!(!text.stdout.contains("Held"), "{}", text.stdout);
    }

    place.write("odd.zip", "no zip file");
    place.write("cut.pyisession", "{\"frame_records\": [");
    for (arguments, texts) in [
        (
            ["convert", "a.jumper", "a.csv"],
            ["cannot tell from the name", ".jumper, .zip, .pyisession"],
        ),
        (
            ["convert", "odd.zip", "x.jumper"],
            [
                "odd.zip",
                "neither a directory nor a file of a known format",
            ],
        ),
        (
            ["convert", "cut.pyisession", "x.jumper"],
            ["cut.pyisession", "it is cut off"],
        ),
        (
            ["convert", "nothing.zip", "x.jumper"],
            ["nothing.zip", "no such file"],
        ),
    ] {
        let done = place.run(&arguments);
        assert_eq!(done.status, Some(1), "{arguments:?}");
        for text in texts {
            assert!(done.stderr.contains(text), "no {text:?} in {}", done.stderr);
        }
        assert!(!place.path("x.jumper").exists());
    }
}

#[test]
fn measurements_go_to_jumper_s_files_and_come_back() {
    let place = Place::new();
    place.write("a.py", &busy(0.4));
    place.run(&["run", "--session", "a.jumper", "-o", "a.txt", "a.py"]);
    for arguments in [
        &["convert", "a.jumper", "out", "--to", "jumper-extension"] as &[_],
        &["convert", "a.jumper", "out.zip", "--to", "jumper-extension"],
        &["convert", "out", "b.jumper"],
        &["convert", "out.zip", "copy", "--to", "jumper"],
        &["render", "out.zip", "-r", "text"],
        &["info", "out"],
    ] {
        let done = place.run(arguments);
        assert_eq!(done.status, Some(0), "{arguments:?}: {}", done.stderr);
    }
    assert!(place.path("out/perf_process.csv").is_file());
    let open = |name: &str| Session::open(place.path(name)).expect("a session");
    let first = open("a.jumper");
    let values = |session: &Session, name: &str| {
        let metrics = session.metrics();
        let metric = metrics.find(name).expect("it was measured");
        (metrics.times().to_vec(), metrics.values(metric).to_vec())
    };
    for back in [open("b.jumper"), open("copy")] {
        for name in ["cpu_util_avg", "memory", "io_write", "cpu_time"] {
            assert_eq!(values(&first, name), values(&back, name), "{name}");
        }
        assert_eq!(
            first.manifest().clock.utc_offset_s,
            back.manifest().clock.utc_offset_s
        );
    }
    let odd = place.run(&["convert", "a.jumper", "out", "--to", "csv"]);
    assert_eq!(odd.status, Some(2));
    assert!(odd.stderr.contains("jumper-extension"), "{}", odd.stderr);
}

#[test]
fn recordings_are_merged_and_their_time_adds_up() {
    let place = Place::new();
    place.write("a.py", &busy(0.3));
    for session in ["1.jumper", "2.jumper"] {
        place.run(&["run", "--session", session, "-o", "a.txt", "a.py"]);
    }
    let done = place.run(&["merge", "1.jumper", "2.jumper", "-o", "all.jumper"]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    let open = |name: &str| Session::open(place.path(name)).expect("a session");
    let (one, two, all) = (open("1.jumper"), open("2.jumper"), open("all.jumper"));
    assert_eq!(
        all.samples().total(),
        one.samples().total() + two.samples().total()
    );
    assert_eq!((all.hosts().len(), all.processes().len()), (1, 2));
    assert_eq!((all.start(), all.end()), (one.start(), two.end()));
    assert_eq!(
        all.metrics().len(),
        one.metrics().len() + two.metrics().len()
    );
    let text = place.run(&["render", "all.jumper", "-r", "text"]);
    assert!(
        text.stdout.contains("merged from 2 recordings"),
        "{}",
        text.stdout
    );

    let combine = [
        "merge",
        "--combine",
        "2.jumper",
        "1.jumper",
        "-o",
        "both.zip",
    ];
    let done = place.run(&combine);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    let both = jumper_session::formats::open(&place.path("both.zip")).expect("a session");
    assert_eq!(both.duration(), one.duration() + two.duration());
    assert_eq!(both.samples().total(), all.samples().total());
}

#[test]
fn a_session_is_made_coarser_and_its_time_stays() {
    let place = Place::new();
    place.write("a.py", &busy(0.4));
    place.run(&["run", "--session", "a.jumper", "-o", "a.txt", "a.py"]);
    let done = place.run(&["convert", "--interval", "0.02", "a.jumper", "b.jumper"]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    let open = |name: &str| Session::open(place.path(name)).expect("a session");
    let (fine, coarse) = (open("a.jumper"), open("b.jumper"));
    assert_eq!(coarse.samples().total(), fine.samples().total());
    assert!(coarse.samples().len() * 5 < fine.samples().len());
    let text = place.run(&["render", "b.jumper", "-r", "text"]).stdout;
    assert!(text.contains("resampled to 0.02 s"), "{text}");
    assert!(text.contains("spin"), "{text}");

    for interval in ["0", "-1", "nan", "inf", "1e-12"] {
        let done = place.run(&["convert", "--interval", interval, "a.jumper", "c.jumper"]);
        assert_eq!(done.status, Some(2), "{interval}");
        assert!(
            done.stderr.contains("seconds that is more than 0"),
            "{}",
            done.stderr
        );
        assert!(!place.path("c.jumper").exists());
    }
}

#[test]
fn what_changed_from_one_recording_to_another_is_said() {
    let place = Place::new();
    let program = |first: f64, second: f64| {
        format!(
            "
import time
def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
def first():
    spin({first})
def second():
    spin({second})
first()
second()
"
        )
    };
    for (name, text) in [("1", program(0.5, 0.5)), ("2", program(0.5, 1.2))] {
        place.write("a.py", &text);
        let session = format!("{name}.jumper");
        place.run(&["run", "--session", &session, "-o", "a.txt", "a.py"]);
    }
    let done = place.run(&["diff", "1.jumper", "2.jumper"]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    let line_of = |name: &str| {
        let line = done
            .stdout
            .lines()
            .find(|line| line.contains(&format!("  {name}  ")));
        line.unwrap_or_default()
    };
    assert!(!line_of("spin").is_empty(), "{}", done.stdout);
    let change = line_of("second")
        .split_whitespace()
        .next()
        .and_then(|text| text.parse::<f64>().ok());
    assert!(
        change.is_some_and(|change| (change - 0.7).abs() < 0.2),
        "{}",
        done.stdout
    );
    assert!(line_of("first").is_empty(), "{}", done.stdout);
    let same = place.run(&["diff", "1.jumper", "1.jumper"]);
    assert!(
        same.stdout
            .contains("nothing has changed by more than chance"),
        "{}",
        same.stdout
    );
}
