//! `jumper resources`, and `--level`.

use serde_json::Value;

use crate::support::Place;

#[test]
fn resources_are_shown_with_what_limits_them() {
    let place = Place::new();
    let text = place.run(&["resources"]);
    assert_eq!(text.status, Some(0), "{text:?}");
    for line in ["CPUs ", "Affinity ", "Memory ", "GPUs "] {
        assert!(
            text.stdout.lines().any(|found| found.starts_with(line)),
            "{text:?}"
        );
    }
    let json = place.run(&["resources", "--json"]);
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let least = |list: &str| json[list][0]["amount"].as_f64();
    assert_eq!(least("cpu_limits"), json["cpus"].as_f64());
    assert_eq!(least("memory_limits"), json["memory_bytes"].as_f64());
    assert!(json["cpus"].as_f64() > Some(0.0) && json["memory_bytes"].as_u64() > Some(0));
}

#[test]
fn a_limit_of_the_shell_is_found_and_named() {
    let place = Place::new();
    let done = place.run_in_shell("ulimit -v 4194304; \"$0\" resources --json");
    let json: Value = serde_json::from_str(&done.stdout).expect("JSON");
    let limits = json["memory_limits"].as_array().expect("a list");
    let found = limits
        .iter()
        .find(|limit| limit["source"] == "address-space");
    assert_eq!(
        found.map(|limit| &limit["amount"]),
        Some(&Value::from(4_u64 << 30))
    );
}

#[test]
fn resources_of_a_process_that_is_not_there_are_an_error() {
    let done = Place::new().run(&["resources", "--pid", "4294967295"]);
    assert_eq!(done.status, Some(1));
    assert!(
        done.stderr.contains("there is no process 4294967295"),
        "{done:?}"
    );
}

#[test]
fn an_unknown_level_is_answered_with_those_there_are() {
    let done = Place::new().run(&["run", "--level", "proces", "-c", "1"]);
    assert_eq!(done.status, Some(2));
    assert!(
        done.stderr
            .contains("there are process, user, system, slurm and container"),
        "{done:?}"
    );
}
