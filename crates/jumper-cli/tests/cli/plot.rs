//! `jumper plot`: pictures of what was measured.

use std::path::Path;

use crate::support::Place;

/// A session with notebook cells, in the corpus of another crate.
fn rich() -> String {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../jumper-session/tests/corpus/session/rich");
    path.display().to_string()
}

fn begins(place: &Place, file: &str, with: &[u8]) -> bool {
    let bytes = std::fs::read(place.path(file)).expect("it was written");
    bytes.starts_with(with)
}

#[test]
fn the_extension_says_which_picture() {
    let place = Place::new();
    let session = rich();
    for (file, beginning) in [
        ("a.svg", &b"<svg "[..]),
        ("a.PNG", b"\x89PNG\r\n\x1a\n"),
        ("a.jpg", b"\xff\xd8\xff"),
        ("a.jpeg", b"\xff\xd8\xff"),
    ] {
        let done = place.run(&[
            "plot",
            &session,
            "-o",
            file,
            "--metrics",
            "all",
            "--theme",
            "dark",
        ]);
        assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""), "{file}");
        assert!(begins(&place, file, beginning), "{file}");
    }
    let done = place.run(&["plot", &session, "-o", "-"]);
    assert!(done.stdout.starts_with("<svg "), "{}", done.stdout);
    let done = place.run(&["plot", &session, "-o", "a.html"]);
    assert_eq!(done.status, Some(2));
    assert!(
        done.stderr
            .contains("end it in .svg, .png or .jpg; `jumper render` makes such files")
    );
}

#[test]
fn cells_are_selected_and_the_time_between_them_is_cut_out() {
    let place = Place::new();
    let line = [
        "plot",
        &rich(),
        "-o",
        "a.svg",
        "--cell",
        "0:1",
        "--idle",
        "compressed",
    ];
    let done = place.run(&line);
    assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""));
    assert!(place.read("a.svg").contains("idle time cut out"));
}

#[test]
fn what_was_not_measured_is_an_error_that_says_what_was() {
    let place = Place::new();
    let done = place.run(&["plot", &rich(), "-o", "a.svg", "--metrics", "memroy"]);
    assert_eq!(done.status, Some(2));
    assert!(
        done.stderr.contains("no measurements of `memroy`"),
        "{}",
        done.stderr
    );
    let done = place.run(&["plot", &rich(), "-o", "a.svg", "--level", "planet"]);
    assert_eq!(done.status, Some(2), "{}", done.stderr);
    assert!(!place.path("a.svg").exists());
}

#[test]
fn a_session_without_metrics_says_so() {
    let place = Place::new();
    let empty =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../jumper-session/tests/corpus/session/empty");
    let empty = empty.display().to_string();
    let done = place.run(&["plot", &empty, "-o", "a.png"]);
    assert_eq!(done.status, Some(1));
    assert!(
        done.stderr.contains("there are no metrics in"),
        "{}",
        done.stderr
    );
}
