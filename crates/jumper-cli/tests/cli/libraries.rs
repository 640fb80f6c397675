//! What is the program's own code and what is a library's, as the program itself says where libraries are.

use std::process::Command;

use jumper_session::Session;
use serde_json::Value;

use crate::support::Place;

/// Calls a package of its environment, which calls the standard library.
const PROGRAM: &str = "
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent / 'plugins'))
import plugin
import helper

def work():
    end = time.perf_counter() + 0.6
    while time.perf_counter() < end:
        helper.text()
        plugin.count()
work()
";
const HELPER: &str = "
import json

def text():
    return json.dumps(list(range(2000)), indent=1)
";
const PLUGIN: &str = "
def count():
    return sum(number % 7 for number in range(20_000))
";

/// The frames of a report with this name.
fn frames<'a>(report: &'a Value, function: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    let mut pending = vec![&report["root_frame"]];
    while let Some(frame) = pending.pop() {
        if frame["function"] == function {
            found.push(frame);
        }
        pending.extend(frame["children"].as_array().into_iter().flatten());
    }
    found
}

#[test]
fn in_a_virtual_environment_libraries_are_what_is_installed() {
    let place = Place::new();
    let venv = place.path("app/env");
    let made = Command::new("python3")
        .args(["-m", "venv", "--without-pip"])
        .arg(&venv)
        .status();
    assert!(made.is_ok_and(|status| status.success()), "no environment");
    let libraries = std::fs::read_dir(venv.join("lib")).expect("it is there");
    let version = libraries.flatten().next().expect("one of a version");
    let installed = version.path().join("site-packages/helper");
    let plugins = place.path("app/plugins");
    for (folder, file, text) in [
        (&installed, "__init__.py", HELPER),
        (&plugins, "plugin.py", PLUGIN),
    ] {
        std::fs::create_dir_all(folder).expect("it can be made");
        std::fs::write(folder.join(file), text).expect("it can be written");
    }
    place.write("app/main.py", PROGRAM);
    let python = venv.join("bin/python");
    let python = python.to_str().expect("a name that is text");
    let run = [
        "run",
        "--python",
        python,
        "--session",
        "s.jumper",
        "-o",
        "r.json",
    ];
    let done = place.run(&[&run[..], &["app/main.py"]].concat());
    assert_eq!(done.status, Some(0), "{}", done.stderr);

    let report: Value = serde_json::from_str(&place.read("r.json")).expect("valid JSON");
    for (function, path, is_application) in [
        ("work", "main.py", true),
        ("count", "plugin.py", true),
        ("text", "helper/__init__.py", false),
        ("dumps", "json/__init__.py", false),
    ] {
        let found = frames(&report, function);
        assert!(!found.is_empty(), "no {function}");
        for frame in found {
            assert_eq!(frame["file_path_short"], path);
            assert_eq!(frame["is_application_code"], is_application, "{frame}");
        }
    }
    let text = place.run(&["render", "s.jumper", "-r", "text"]).stdout;
    assert!(text.contains("work  main.py:"), "{text}");
    assert!(text.contains("count  plugin.py:"), "{text}");
    assert!(text.contains("text  helper/__init__.py:"), "{text}");
    let page = place.run(&["render", "s.jumper", "-r", "html"]).stdout;
    assert!(page.contains(r#""helper/__init__.py""#), "no short path");

    let session = Session::open(place.path("s.jumper")).expect("a session");
    let prefixes = session.manifest().sys_prefixes.clone();
    let prefixes = prefixes.expect("they were read");
    let venv = venv.canonicalize().expect("it is there");
    assert_eq!(prefixes.len(), 4);
    assert_eq!(prefixes[0], venv.display().to_string());
    assert!(!prefixes[1].starts_with(&prefixes[0]));
}
