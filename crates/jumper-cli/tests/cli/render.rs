//! `jumper render` and `jumper info`: the same session gives the same report, on any day.

use crate::support::{Place, busy, session_of};

#[test]
fn a_session_rendered_again_gives_the_same_bytes() {
    let place = Place::new();
    place.write("a.py", &busy(0.4));
    let first = place.run(&["run", "a.py"]);
    let session = session_of(&first.stderr).display().to_string();
    let again = place.run(&["render", &session]);
    assert_eq!(again.stdout, first.stderr);
    // Another day, another time zone: nothing of that may show.
    let elsewhere = place
        .jumper(&["render", &session])
        .env("TZ", "Asia/Tokyo")
        .output()
        .expect("it starts");
    assert_eq!(String::from_utf8_lossy(&elsewhere.stdout), first.stderr);
}

#[test]
fn every_renderer_works_on_a_saved_session() {
    let place = Place::new();
    place.write("a.py", &busy(0.3));
    place.run(&["run", "--session", "s.jumper", "-o", "r.txt", "a.py"]);
    assert!(
        place
            .run(&["render", "s.jumper", "-r", "html"])
            .stdout
            .contains("</html>")
    );
    assert!(
        place
            .run(&["render", "s.jumper", "-r", "json"])
            .stdout
            .contains("\"root_frame\"")
    );
    let done = place.run(&["render", "s.jumper", "-o", "page.html"]);
    assert_eq!((done.status, done.stdout.as_str()), (Some(0), ""));
    assert!(place.read("page.html").contains("spin"));
}

#[test]
fn what_the_locale_cannot_show_is_drawn_in_ascii() {
    let place = Place::new();
    place.write("a.py", &busy(0.3));
    place.run(&["run", "--session", "s.jumper", "-o", "r.txt", "a.py"]);
    let output = place
        .jumper(&["render", "s.jumper"])
        .env("LC_ALL", "C")
        .output()
        .expect("it starts");
    assert!(output.stdout.is_ascii());
    let unicode = place.run(&["render", "s.jumper"]).stdout;
    assert!(unicode.contains('└') && !unicode.contains('\u{1b}'));
    assert!(
        place
            .run(&["render", "s.jumper", "--color"])
            .stdout
            .contains("\u{1b}[")
    );
}

#[test]
fn info_names_the_session_its_program_and_its_threads() {
    let place = Place::new();
    place.write("a.py", &busy(0.3));
    place.run(&["run", "--session", "s.jumper", "-o", "r.txt", "a.py"]);
    let done = place.run(&["info", "s.jumper"]);
    for text in [
        "jumper-session 1",
        "python3 a.py",
        "MainThread",
        "cpu_util_avg",
        "s.jumper",
    ] {
        assert!(done.stdout.contains(text), "no {text:?} in {}", done.stdout);
    }
}

#[test]
fn a_reader_that_goes_away_early_is_no_error() {
    let place = Place::new();
    place.write("a.py", &busy(0.3));
    place.run(&["run", "--session", "s.jumper", "-o", "r.txt", "a.py"]);
    let pipe = format!(
        "{} render s.jumper -r html | head -c 10",
        env!("CARGO_BIN_EXE_jumper")
    );
    let mut shell = std::process::Command::new("bash");
    let output = shell
        .args(["-c", &format!("set -o pipefail; {pipe}")])
        .current_dir(place.path(""))
        .output();
    let output = output.expect("there is a bash");
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
}

#[test]
fn completions_are_there_for_the_usual_shells() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let done = place.run(&["completions", shell]);
        assert!(
            done.stdout.contains("attach") && done.status == Some(0),
            "{shell}"
        );
    }
}

#[test]
fn a_part_of_a_session_is_shown_on_request() {
    let place = Place::new();
    place.write(
        "a.py",
        r#"
import threading, time
def first(end):
    while time.perf_counter() < end:
        pass
def second(end):
    while time.perf_counter() < end:
        pass
def wait(seconds):
    time.sleep(seconds)
begin = time.perf_counter()
waiter = threading.Thread(target=wait, args=(1.5,), name="waiter")
waiter.start()
first(begin + 0.8)
second(begin + 1.5)
waiter.join()
"#,
    );
    let done = place.run(&["run", "--session", "a.jumper", "-o", "a.txt", "a.py"]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    let shown = |arguments: &[&str]| {
        let all = [&["render", "a.jumper", "-r", "text"], arguments].concat();
        let done = place.run(&all);
        assert_eq!(done.status, Some(0), "{}", done.stderr);
        done.stdout
    };
    let has = |report: &str, name: &str| report.contains(&format!(" {name}  "));
    let all = shown(&[]);
    assert!(
        has(&all, "first") && has(&all, "second") && has(&all, "wait"),
        "{all}"
    );
    let early = shown(&["--time=:-1.0"]);
    assert!(has(&early, "first") && !has(&early, "second"), "{early}");
    assert!(early.contains("part of a recording"), "{early}");
    let late = shown(&["--time=-0.4:"]);
    assert!(!has(&late, "first") && has(&late, "second"), "{late}");
    let cpu = shown(&["--mode", "cpu"]);
    // It ran for a moment to begin and to end, if it was seen then.
    let waited = cpu.lines().find(|line| line.contains(" waiter  <thread>"));
    assert!(
        has(&cpu, "first") && waited.is_none_or(|line| line.starts_with("0.")),
        "{cpu}"
    );
    // The report itself needs neither states nor metrics.
    let done = place.run(&[
        "render",
        "a.jumper",
        "-r",
        "json",
        "--level=process",
        "--mode=cpu",
    ]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    let waiter = shown(&["--thread", "waiter"]);
    assert!(!has(&waiter, "first") && has(&waiter, "wait"), "{waiter}");

    let refused = |arguments: &[&str], text: &str| {
        let all = [&["render", "a.jumper"], arguments].concat();
        let done = place.run(&all);
        assert!(done.status == Some(1) || done.status == Some(2));
        assert!(done.stderr.contains(text), "{}", done.stderr);
    };
    refused(
        &["--thread", "nobody"],
        "there is no thread `nobody` in the session; there are MainThread (",
    );
    refused(
        &["--process", "1"],
        "there is no process `1` in the session",
    );
    refused(
        &["--level", "moon"],
        "there is no level `moon` in the session; there are process, system",
    );
    refused(
        &["--time", "x"],
        "is no range; write two numbers with a colon between",
    );
    for nowhere in [&["--mode", "gil"][..], &["--task", "1"], &["--time", "2:1"]] {
        refused(nowhere, "nothing was recorded in what is selected");
    }
    refused(
        &["--cell", "0"],
        "there are no cells `0`: the recording has no cells",
    );
    refused(
        &["--time", "900:"],
        "nothing was recorded in what is selected",
    );
}
