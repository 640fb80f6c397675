//! Templates: each file in `cases/templates` is a template, and what comes of it is its snapshot.

mod support;

use serde_json::json;
use support::{HOSTILE, report, session};

fn rendered(template: &str) -> Result<String, String> {
    report(&session(), "template", &[("template", json!(template))])
}

#[test]
fn every_case_gives_what_it_gave() {
    insta::glob!("cases/templates/*.j2", |path| {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.expect("a name in UTF-8");
        // Relative, so that messages have no place of this machine in them.
        let made = rendered(&format!("tests/cases/templates/{name}"));
        assert_eq!(made.is_err(), name.starts_with("err_"), "{name}: {made:?}");
        let text = made.unwrap_or_else(|error| format!("error: {error}\n"));
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(text);
        });
    });
}

#[test]
fn the_examples_work() {
    for (name, begin) in [
        ("pull-request.md.j2", "## "),
        ("functions.csv.j2", "function,file,line,self_s,time_s\n"),
        ("team.html.j2", "<!doctype html>\n"),
    ] {
        let made = rendered(&format!("../../examples/templates/{name}")).expect("it works");
        assert!(made.starts_with(begin), "{name}: {made}");
        assert_is_harmless(&made);
        assert!(made.contains("work"), "{name}: {made}");
    }
    let csv = rendered("../../examples/templates/functions.csv.j2").expect("it works");
    assert!(csv.contains("\n'=x|"), "{csv}");
    let html = rendered("../../examples/templates/team.html.j2").expect("it works");
    assert_eq!(html.matches("<script").count(), 1, "{html}");
    assert_eq!(html.matches("</script").count(), 1, "{html}");
}

/// Nothing of it has power over a terminal.
fn assert_is_harmless(text: &str) {
    let is_control = |character: char| character.is_control() && character != '\n';
    assert!(!text.contains(is_control), "{text:?}");
    assert!(!text.contains('\u{202e}'), "{text:?}");
    assert!(!text.contains(HOSTILE), "{text:?}");
}

#[test]
fn our_own_templates_are_there_under_their_names() {
    let session = session();
    for (template, renderer) in [
        ("jumper/perfreport.txt", "perfreport"),
        ("jumper/report.txt", "text"),
    ] {
        assert_eq!(
            rendered(template).expect("it works"),
            report(&session, renderer, &[]).expect("it works")
        );
    }
}

#[test]
fn what_is_no_template_is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let message = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).expect("there is room");
        let error = rendered(path.to_str().expect("UTF-8")).expect_err("it is wrong");
        error.replace(&format!("{}/", directory.path().display()), "")
    };
    assert_eq!(
        message("a.j2", b"\xff"),
        "cannot read the template `a.j2`: it is not UTF-8"
    );
    assert_eq!(
        message("b.j2", &vec![b' '; (4 << 20) + 1]),
        "cannot read the template `b.j2`: it is larger than 4 MiB"
    );
    assert_eq!(
        rendered("nowhere.j2"),
        Err("cannot read the template `nowhere.j2`: there is no such file".into())
    );
    assert_eq!(
        rendered("src"),
        Err("cannot read the template `src`: it is a directory".into())
    );
    let error = rendered("jumper/nothing.txt").expect_err("there is none");
    assert!(
        error.contains("; ours are jumper/report.txt, jumper/report.html"),
        "{error}"
    );
}

#[test]
fn a_template_includes_what_lies_beside_it_and_nothing_above() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let place = directory.path().join("inner");
    std::fs::create_dir(&place).expect("there is room");
    let write = |name: &str, text: &str| {
        std::fs::write(place.join(name), text).expect("there is room");
    };
    std::fs::write(directory.path().join("above.txt"), "above").expect("there is room");
    write("part.txt", "a part of {{ session.jumper_version }}");
    write("good.txt.j2", "{% include 'part.txt' %}");
    write("bad.txt.j2", "{% include '../above.txt' %}");
    let of = |name: &str| rendered(place.join(name).to_str().expect("UTF-8"));
    assert_eq!(of("good.txt.j2"), Ok("a part of 0.1.0".into()));
    let error = of("bad.txt.j2").expect_err("it is above");
    assert!(error.contains("'../above.txt'"), "{error}");
}
