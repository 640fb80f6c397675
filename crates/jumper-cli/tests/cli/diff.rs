//! `jumper diff` as a gate: what became too slow, and what the status then is.

use std::time::Duration;

use jumper_session::{Function, Host, Manifest, NewSample, SessionBuilder, ThreadState, Timestamp};
use serde_json::Value;

use crate::support::Place;

/// Saves a session in which `main` itself takes half a second, and then `work` so long.
fn save(place: &Place, name: &str, work_ms: i64) {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 1, Some("python3 a.py"));
    let thread = builder.add_thread(process, 1, Some("MainThread"));
    let [main, work] = ["main", "work"].map(|name| {
        builder.intern_function(&Function {
            name,
            qualname: None,
            file: "/app/a.py",
            first_line: 1,
            hidden: false,
        })
    });
    let own = builder.intern_stack_frames([(main, 1)]);
    let called = builder.intern_stack_frames([(main, 2), (work, 3)]);
    for ms in 0..500 + work_ms {
        builder.push_sample(NewSample {
            time: Timestamp::from_nanos((ms + 1) * 1_000_000),
            duration: Duration::from_millis(1),
            thread,
            task: None,
            state: ThreadState::NONE,
            stack: if ms < 500 { own } else { called },
        });
    }
    let session = builder.finish(Manifest {
        end: Timestamp::from_nanos((500 + work_ms) * 1_000_000),
        ..Manifest::default()
    });
    session.save(place.path(name)).expect("there is room");
}

/// A place with two sessions, of which one takes longer.
fn recorded() -> Place {
    let place = Place::new();
    save(&place, "once.jumper", 500);
    save(&place, "twice.jumper", 1000);
    place
}

#[test]
fn what_became_too_slow_is_named_and_the_status_is_3() {
    let place = recorded();
    let done = place.run(&["diff", "once.jumper", "twice.jumper", "--fail-above", "20%"]);
    assert_eq!(done.status, Some(3), "{}", done.stderr);
    assert!(
        done.stderr.contains("slower by more than 20%: the whole: "),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("; work in "), "{}", done.stderr);
    assert!(
        done.stdout
            .contains("  Slower by more than 20% of the whole\n"),
        "{}",
        done.stdout
    );

    // The other way round it is faster, and by itself it is the same.
    for pair in [
        ["twice.jumper", "once.jumper"],
        ["once.jumper", "once.jumper"],
    ] {
        let done = place.run(&[&["diff"][..], &pair, &["--fail-above", "0%"]].concat());
        assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""));
        assert!(
            done.stdout.contains("Nothing became slower"),
            "{}",
            done.stdout
        );
    }
    let done = place.run(&[
        "diff",
        "once.jumper",
        "twice.jumper",
        "--fail-above",
        "100000%",
    ]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
}

#[test]
fn the_report_goes_into_a_file_in_the_form_of_its_name() {
    let place = recorded();
    let gate = ["diff", "once.jumper", "twice.jumper", "--fail-above", "20%"];
    let done = place.run(&[&gate[..], &["-o", "comment.md"]].concat());
    assert_eq!((done.status, done.stdout.as_str()), (Some(3), ""));
    let comment = place.read("comment.md");
    assert!(
        comment.starts_with("### Slower by more than 20%\n"),
        "{comment}"
    );
    assert!(comment.contains("| `work` |"), "{comment}");
    let done = place.run(&[&gate[..], &["-r", "summary"]].concat());
    assert_eq!(done.status, Some(3), "{}", done.stderr);
    let summary: Value = serde_json::from_str(&done.stdout).expect("valid JSON");
    assert_eq!(summary["kind"], "diff");
    assert_eq!(summary["regressions"]["top"][1]["name"], "work");
    let done = place.run(&[&gate[..], &["-o", "comment.pdf"]].concat());
    assert_eq!(done.status, Some(2), "{}", done.stderr);
    assert!(
        done.stderr
            .contains("end it in .txt, .md, .json, or pass -r"),
        "{}",
        done.stderr
    );
}

#[test]
fn two_parts_of_one_session_are_compared() {
    let place = recorded();
    let done = place.run(&[
        "diff",
        "twice.jumper",
        "--before-time",
        ":0.6",
        "--after-time",
        "0.5:",
        "--fail-above",
        "20%",
    ]);
    assert_eq!(done.status, Some(3), "{}", done.stderr);
    assert!(done.stderr.contains("work in "), "{}", done.stderr);
    let done = place.run(&["diff", "twice.jumper"]);
    assert_eq!(done.status, Some(2), "{}", done.stderr);
}

#[test]
fn a_threshold_that_is_none_is_refused() {
    let place = Place::new();
    for (threshold, message) in [
        ("5", "is that percent? write 5% or 500%"),
        ("0.05", "is that percent? write 0.05% or 5%"),
        ("abc", "write a number with a percent sign, such as 5%"),
        (
            "-1%",
            "nothing can be required to become faster; write 0% or more",
        ),
    ] {
        let done = place.run(&["diff", "a.jumper", "b.jumper", "--fail-above", threshold]);
        assert_eq!(done.status, Some(2), "{threshold}: {}", done.stderr);
        assert!(
            done.stderr.contains(message),
            "{threshold}: {}",
            done.stderr
        );
    }
}
