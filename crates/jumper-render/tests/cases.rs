//! Reports as files: `cases/RENDERER/NAME.json` says of which session and with which options a report is made, and beside it
//! lies what comes of it, or what is said where nothing does.

use std::fs;
use std::path::Path;

use jumper_render::{RenderError, RenderOptions, renderer};
use serde_json::Value;

mod sessions;

/// Makes the reports of a folder and compares each with what is beside it.
fn check(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(name);
    let entries = fs::read_dir(&folder).expect("there are cases");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let mut cases: Vec<_> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for path in cases {
            let text = fs::read_to_string(&path).expect("it can be read");
            let case: Value = serde_json::from_str(&text).expect("a case is JSON");
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let report = report(name, &case).unwrap_or_else(|error| format!("error: {error}\n"));
            // What a terminal would obey is written so that it can be read.
            insta::assert_snapshot!(stem.expect("a name"), report.replace('\u{1b}', "␛"));
        }
    });
}

fn report(name: &str, case: &Value) -> Result<String, RenderError> {
    let renderer = renderer(name)?;
    let given = case["options"].as_object().cloned().unwrap_or_default();
    let options = RenderOptions::of(renderer, given)?;
    let session = sessions::session(case["session"].as_str().expect("a case names its session"));
    let mut out = Vec::new();
    renderer.render(&session, &options, &mut out)?;
    Ok(String::from_utf8(out).expect("the report is text"))
}

#[test]
fn text() {
    check("text");
}
