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
