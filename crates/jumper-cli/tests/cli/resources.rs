//! Who used what: a program whose functions do one thing each, and what its reports say of them.

use serde_json::Value;

use crate::support::{Place, parsed};

/// Functions that compute, allocate, write and sleep, with a rest after each that is longer than the time between two
/// measurements. They work until so much processor time is used, or so much is done: how busy the machine is does not matter.
const PROGRAM: &str = r#"
import os, time

def compute():
    end = time.process_time() + 1.0
    while time.process_time() < end:
        sum(range(1000))

def allocate():
    kept = []
    for _ in range(32):
        kept.append(bytearray(b"x" * (8 << 20)))
        time.sleep(0.002)
    return kept

def write():
    with open("written", "wb", buffering=0) as file:
        for _ in range(32):
            file.write(b"x" * (4 << 20))
            time.sleep(0.002)

def rest():
    time.sleep(0.6)

def main():
    rest()
    compute()
    rest()
    kept = allocate()
    rest()
    write()
    rest()
    return kept

kept = main()
os._exit(0)
"#;

fn recorded() -> Place {
    let place = Place::new();
    place.write("a.py", PROGRAM);
    let done = place.run(&[
        "run",
        "--metrics-interval",
        "0.1",
        "--session",
        "a.jumper",
        "-o",
        "a.json",
        "a.py",
    ]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    place
}

/// What frames of this name used with all that they called. None of them calls itself.
fn used(frame: &Value, name: &str, resource: &str) -> f64 {
    if frame["function"] == name {
        let amount = &frame["resources"]["total"][resource];
        return amount
            .as_f64()
            .unwrap_or_else(|| panic!("no {resource}: {amount}"));
    }
    let called = frame["children"].as_array().expect("a list").iter();
    called.map(|frame| used(frame, name, resource)).sum()
}

#[test]
fn each_function_has_most_of_what_it_alone_used() {
    let place = recorded();
    let report = parsed(&place.read("a.json"));
    let root = &report["root_frame"];
    let measured = |resource: &str| report["resources"][resource]["measured"].as_f64();
    let mut checked = 0;
    for (resource, function, used_by_it) in [
        ("cpu_time", "compute", 1.0),
        ("memory_gained", "allocate", (256 << 20) as f64),
        // On a file system in memory, writing is not measured: nothing goes to storage.
        ("bytes_written", "write", (128 << 20) as f64),
    ] {
        let least = 0.8 * used_by_it;
        let Some(measured) = measured(resource).filter(|measured| *measured >= least) else {
            continue;
        };
        checked += 1;
        let own = used(root, function, resource);
        // The others use some too, and more on a busy machine.
        assert!(own > 0.75 * used_by_it, "{resource}: {own} of {measured}");
        let rest = used(root, "rest", resource);
        assert!(
            rest < 0.1 * measured,
            "{resource} at rest: {rest} of {measured}"
        );
        let main = used(root, "main", resource);
        assert!(
            main >= own && main <= measured * 1.001,
            "{resource}: {main} of {measured}"
        );
    }
    // Memory is not measured where the program may not be traced.
    assert!(
        checked >= 1,
        "nothing was measured: {}",
        report["resources"]
    );
    assert!(root["resources"]["estimate"] == true);
}

#[test]
fn info_says_what_metrics_came_to_and_who_used_what() {
    let place = recorded();
    let info = |arguments: &[&str]| place.run(&[&["info", "a.jumper"], arguments].concat());
    let all = info(&["--resources"]).stdout;
    for text in [
        "Signature    process: ",
        "Process  ",
        "System  ",
        "an estimate",
        "CPU time  ",
    ] {
        assert!(all.contains(text), "no {text:?} in {all}");
    }
    assert!(all.contains("compute  "), "{all}");
    // Two of three tags of GPUs are not known where there is none.
    assert!(all.contains("not known: gpu-util-bound"), "{all}");

    let process = info(&["--level", "process"]).stdout;
    assert!(!process.contains("System  "), "{process}");
    let strict = info(&["--threshold", "cpu_ratio=0.001"]).stdout;
    assert!(strict.contains("process: cpu-bound"), "{strict}");
    let refused = info(&["--threshold", "cpu=1"]);
    assert_eq!(refused.status, Some(2));
    assert!(
        refused.stderr.contains("there are memory_ratio, cpu_ratio"),
        "{}",
        refused.stderr
    );

    // Thresholds are kept with the session.
    let kept = place.run(&[
        "convert",
        "a.jumper",
        "b.jumper",
        "--threshold",
        "cpu_ratio=0.001",
    ]);
    assert_eq!(kept.status, Some(0), "{}", kept.stderr);
    let again = place.run(&["info", "b.jumper"]).stdout;
    assert!(again.contains("process: cpu-bound"), "{again}");
    assert!(
        again.contains("Thresholds   memory_ratio 0.8, cpu_ratio 0.001"),
        "{again}"
    );
    let report = place.run(&["render", "b.jumper"]).stdout;
    assert!(report.contains("Signature cpu-bound ("), "{report}");
}
