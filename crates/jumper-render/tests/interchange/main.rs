//! Files for other programs, as far as Rust can open them; `make test-interchange` opens them with the programs themselves.

mod sessions;

use jumper_render::{RenderOptions, renderer, renderers};
use jumper_session::Session;
use serde_json::{Value, json};

fn bytes(session: &Session, name: &str, given: Value) -> Vec<u8> {
    let renderer = renderer(name).expect("it is there");
    let given = given.as_object().cloned().unwrap_or_default();
    let options = RenderOptions::of(renderer, given).expect("they are right");
    let mut out = Vec::new();
    let made = renderer.render(session, &options, &mut out);
    made.expect("it is rendered");
    out
}

fn json_of(session: &Session, name: &str) -> Value {
    serde_json::from_slice(&bytes(session, name, json!({}))).expect("valid JSON")
}

fn session(name: &str) -> Session {
    let mut all = sessions::all().into_iter();
    let found = all.find(|(known, _)| *known == name);
    found.expect("it is there").1
}

#[test]
fn every_session_has_valid_json_in_every_format_of_json() {
    for (name, session) in sessions::all() {
        for renderer in renderers() {
            let about = renderer.about();
            if about.media_type != "application/json" {
                continue;
            }
            let mut out = Vec::new();
            if renderer
                .render(&session, &RenderOptions::default(), &mut out)
                .is_ok()
            {
                let read: Result<Value, _> = serde_json::from_slice(&out);
                assert!(read.is_ok(), "{name} as {}: {read:?}", about.name);
            }
        }
    }
}

#[test]
fn inferno_makes_a_flame_graph_of_collapsed_stacks() {
    for count in ["samples", "microseconds"] {
        let stacks = bytes(&session("full"), "collapsed", json!({ "count": count }));
        let text = String::from_utf8(stacks).expect("UTF-8");
        let total: u64 = text
            .lines()
            .map(|line| line.rsplit_once(' ').expect("a count").1.parse::<u64>())
            .sum::<Result<u64, _>>()
            .expect("numbers");
        assert_eq!(total, if count == "samples" { 132 } else { 132_000 });
        // Machine and process, thread, and the frames.
        assert!(
            text.starts_with("python app.py on one (100);MainThread"),
            "{text}"
        );
        let mut options = inferno::flamegraph::Options::default();
        let mut image = Vec::new();
        inferno::flamegraph::from_lines(&mut options, text.lines(), &mut image)
            .expect("inferno reads it");
        let image = String::from_utf8(image).expect("UTF-8");
        assert!(
            image.contains("<svg") && image.contains("work (app/app.py:7)"),
            "{image}"
        );
    }
}

#[test]
fn a_session_without_stacks_has_no_collapsed_ones() {
    assert!(bytes(&session("no_stacks"), "collapsed", json!({})).is_empty());
}

#[test]
fn a_thread_is_a_profile_of_speedscope() {
    let profile = json_of(&session("full"), "speedscope");
    let names: Vec<&Value> = (0..3)
        .map(|index| &profile["profiles"][index]["name"])
        .collect();
    assert_eq!(names[0], "MainThread of process 100 on one");
    assert_eq!(names[2], "Thread 100 of process 100 on two");
    let hostile = names[1].as_str().expect("a text");
    assert!(hostile.starts_with(sessions::HOSTILE), "{hostile}");
    let together = bytes(
        &session("full"),
        "speedscope",
        json!({ "per_thread": false }),
    );
    let together: Value = serde_json::from_slice(&together).expect("valid JSON");
    assert_eq!(together["profiles"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_numbers_of_two_machines_are_told_apart() {
    let trace = json_of(&session("full"), "perfetto");
    let events = trace["traceEvents"].as_array().expect("a list");
    let processes = events
        .iter()
        .filter(|event| event["name"] == "process_name");
    let pids: Vec<u64> = processes
        .filter_map(|event| event["pid"].as_u64())
        .collect();
    assert_eq!(pids, [100, 1 << 30]);
    let profile = json_of(&session("full"), "firefox");
    let threads = profile["threads"].as_array().expect("a list");
    let owners = threads.iter().map(|thread| thread["pid"].to_string());
    assert_eq!(owners.collect::<std::collections::BTreeSet<_>>().len(), 2);
}

#[test]
fn what_was_not_sampled_is_a_gap_in_a_trace() {
    let trace = json_of(&session("full"), "perfetto");
    let events = trace["traceEvents"].as_array().expect("a list");
    let of_worker = |kind: &str| -> Vec<f64> {
        let events = events
            .iter()
            .filter(|event| event["tid"] == 101 && event["ph"] == kind);
        events.filter_map(|event| event["ts"].as_f64()).collect()
    };
    assert_eq!(of_worker("B"), [5000.0, 5000.0, 60000.0, 60000.0]);
    assert_eq!(of_worker("E"), [25000.0, 25000.0, 67000.0, 67000.0]);
}

#[test]
fn metrics_are_counters_and_cells_are_markers_of_firefox() {
    let profile = json_of(&session("full"), "firefox");
    let counters = profile["counters"].as_array().expect("a list");
    let names: Vec<&str> = counters
        .iter()
        .filter_map(|counter| counter["name"].as_str())
        .collect();
    assert_eq!(names.len(), 10);
    let memory = names
        .iter()
        .position(|name| *name == "process memory (GiB) on one");
    let memory = &counters[memory.expect("it is there")];
    assert_eq!(memory["category"], "Memory");
    let sum: f64 = memory["samples"]["count"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_f64)
        .sum();
    assert_eq!(sum, 9.5 * f64::from(1 << 30));
    let main = &profile["threads"][0];
    assert_eq!(main["isMainThread"], true);
    assert_eq!(main["markers"]["length"], 3);
    assert_eq!(main["samples"]["length"], 65);
}
