//! `--template`, the performance report and the summaries, as users ask for them.

use serde_json::Value;

use crate::support::{Place, busy};

/// A place with a session `a.jumper`.
fn recorded() -> Place {
    let place = Place::new();
    place.write("a.py", &busy(0.5));
    let done = place.run(&["run", "--session", "a.jumper", "-o", "a.txt", "a.py"]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    place
}

#[test]
fn a_template_of_one_s_own_makes_the_report() {
    let place = recorded();
    place.write(
        "mine.txt.j2",
        "{{ session.program }}\n{% for row in functions(1) %}{{ row.name }}{% endfor %}\n",
    );
    let done = place.run(&["render", "a.jumper", "--template", "mine.txt.j2"]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    assert!(done.stdout.starts_with("python3 a.py\n"), "{}", done.stdout);
    // Into a file of any name.
    let done = place.run(&[
        "render",
        "a.jumper",
        "--template",
        "mine.txt.j2",
        "-o",
        "r.mine",
    ]);
    assert_eq!((done.status, done.stdout.as_str()), (Some(0), ""));
    assert!(place.read("r.mine").starts_with("python3 a.py\n"));

    place.write("wrong.j2", "one\n{{ sesion.program }}\n");
    let done = place.run(&[
        "render",
        "a.jumper",
        "--template",
        "wrong.j2",
        "-o",
        "r.mine",
    ]);
    assert_eq!(done.status, Some(1));
    assert!(
        done.stderr
            .contains("`sesion` is undefined (in wrong.j2:2); did you mean `session`?"),
        "{}",
        done.stderr
    );
    assert!(
        place.read("r.mine").starts_with("python3 a.py\n"),
        "it was left as it was"
    );

    let done = place.run(&["render", "a.jumper", "--template", "wrong.j2", "-r", "text"]);
    assert_eq!(done.status, Some(2), "{}", done.stderr);
}

#[test]
fn a_template_that_cannot_be_is_refused_before_the_program_runs() {
    let place = Place::new();
    place.write("a.py", "open('ran', 'w').close()\n");
    place.write("wrong.j2", "{% if %}\n");
    for (template, message) in [
        ("wrong.j2", "(in wrong.j2:1)"),
        (
            "none.j2",
            "cannot read the template `none.j2`: there is no such file",
        ),
    ] {
        let done = place.run(&["run", "--template", template, "a.py"]);
        assert_eq!(done.status, Some(1), "{}", done.stderr);
        assert!(done.stderr.contains(message), "{}", done.stderr);
        assert!(!place.path("ran").exists(), "the program ran");
    }
}

#[test]
fn the_performance_report_is_of_the_levels_that_are_asked_for() {
    let place = recorded();
    let report = |arguments: &[&str]| {
        let all = [&["render", "a.jumper", "-r", "perfreport"], arguments].concat();
        let done = place.run(&all);
        assert_eq!(done.status, Some(0), "{}", done.stderr);
        done.stdout
    };
    let both = report(&[]);
    assert!(
        both.contains("  Process ") && both.contains("  System "),
        "{both}"
    );
    assert!(both.contains("  Signature "), "{both}");
    let one = report(&["--level", "process"]);
    assert!(
        one.contains("  Process ") && !one.contains("  System "),
        "{one}"
    );
}

#[test]
fn a_file_says_by_its_name_that_it_is_markdown() {
    let place = recorded();
    let done = place.run(&["render", "a.jumper", "-o", "a.md"]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    assert!(place.read("a.md").starts_with("### `python3 a.py`\n"));
    let summary = place.run(&["render", "a.jumper", "-r", "summary", "-p", "limit=1"]);
    let summary: Value = serde_json::from_str(&summary.stdout).expect("valid JSON");
    assert_eq!(summary["schema_version"], 1);
    assert_eq!(
        summary["functions"]["top"].as_array().map(Vec::len),
        Some(1)
    );
}
