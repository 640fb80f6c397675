//! Bad input: one line that names the thing and the remedy, 2 for usage and 1 otherwise, nothing overwritten.

use std::fs;
use std::process::Command;

use crate::support::{Done, Place, busy};

/// Checks that an error is one line that holds all of `texts`.
#[track_caller]
fn is_error(done: &Done, status: i32, texts: &[&str]) {
    assert_eq!(done.status, Some(status), "{}", done.stderr);
    assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
    assert!(
        done.stderr.starts_with("jumper: error: "),
        "{}",
        done.stderr
    );
    for text in texts {
        assert!(done.stderr.contains(text), "no {text:?} in {}", done.stderr);
    }
}

#[test]
fn a_missing_script_or_interpreter_is_named() {
    let place = Place::new();
    is_error(
        &place.run(&["run", "nothing.py"]),
        2,
        &["`nothing.py`", "-m"],
    );
    place.write("a.py", "");
    is_error(
        &place.run(&["run", "--python", "no-such-python", "a.py"]),
        2,
        &["`no-such-python`", "--python"],
    );
    is_error(&place.run(&["run"]), 2, &["SCRIPT", "--help"]);
    is_error(&place.run(&["frobnicate"]), 2, &["frobnicate", "--help"]);
}

#[test]
fn an_interval_that_makes_no_sense_is_refused() {
    let place = Place::new();
    let ran = place.write("a.py", "open('ran', 'w')");
    for interval in ["0", "-1", "nan", "1e9", "0.0000001"] {
        is_error(
            &place.run(&["run", "-i", interval, "a.py"]),
            2,
            &["interval", "0.001"],
        );
        is_error(
            &place.run(&["run", "--metrics-interval", interval, "a.py"]),
            2,
            &["interval", "0.001"],
        );
    }
    is_error(
        &place.run(&["run", "-i", "soon", "a.py"]),
        2,
        &["soon", "--interval"],
    );
    is_error(&place.run(&["attach", "1", "-d", "-5"]), 2, &["-5", "-d"]);
    assert!(
        ran.exists() && !place.path("ran").exists(),
        "the program was not started"
    );
}

#[test]
fn a_pid_that_is_gone_or_no_number_is_named() {
    let place = Place::new();
    let mut child = Command::new("true").spawn().expect("there is a true");
    let pid = child.id().to_string();
    child.wait().expect("it ends");
    is_error(&place.run(&["attach", &pid]), 1, &[&pid, "no process"]);
    is_error(&place.run(&["attach", "abc"]), 2, &["abc"]);
    let mut sleep = Command::new("sleep")
        .arg("60")
        .spawn()
        .expect("there is a sleep");
    let done = place.run(&["attach", &sleep.id().to_string()]);
    sleep
        .kill()
        .and_then(|()| sleep.wait())
        .expect("it is ours");
    is_error(&done, 1, &["not a CPython program", "sleep"]);
}

#[test]
fn a_place_that_cannot_be_written_is_refused_before_the_program_starts() {
    let place = Place::new();
    place.write("a.py", "open('ran', 'w')");
    is_error(
        &place.run(&["run", "-o", "no/such/dir/r.html", "a.py"]),
        1,
        &["no/such/dir/r.html", "another place"],
    );
    is_error(
        &place.run(&["run", "-o", ".", "-r", "html", "a.py"]),
        1,
        &["`.`", "directory"],
    );
    is_error(
        &place.run(&["run", "-o", "report.pdf", "a.py"]),
        2,
        &["report.pdf", ".html"],
    );
    is_error(
        &place.run(&["run", "-r", "pdf", "a.py"]),
        2,
        &["`pdf`", "text, html, json"],
    );
    is_error(
        &place.run(&["run", "--session", "no/such/s.jumper", "a.py"]),
        1,
        &["no/such/s.jumper"],
    );
    fs::create_dir(place.path("mine")).expect("it can be made");
    place.write("mine/data.txt", "precious");
    is_error(
        &place.run(&["run", "--session", "mine", "a.py"]),
        1,
        &["mine"],
    );
    is_error(
        &place.run(&["run", "-o", "a.py/r.html", "a.py"]),
        1,
        &["a.py/r.html"],
    );
    assert_eq!(place.read("mine/data.txt"), "precious");
    assert!(!place.path("ran").exists(), "the program was not started");
}

#[test]
fn a_session_that_is_none_is_named() {
    let place = Place::new();
    is_error(
        &place.run(&["render", "nothing.jumper"]),
        1,
        &["nothing.jumper"],
    );
    place.write("file.jumper", "text");
    is_error(
        &place.run(&["render", "file.jumper"]),
        1,
        &["file.jumper", "not a jumper session"],
    );
    fs::create_dir(place.path("empty.jumper")).expect("it can be made");
    is_error(
        &place.run(&["info", "empty.jumper"]),
        1,
        &["empty.jumper", "manifest.json"],
    );
}

#[test]
fn a_session_that_is_incomplete_damaged_or_newer_is_named_and_nothing_overwritten() {
    let place = Place::new();
    place.write("a.py", &busy(0.2));
    place.run(&["run", "--session", "s.jumper", "-o", "r.txt", "a.py"]);
    place.write("old.html", "an older report");

    let samples = place.path("s.jumper/samples.parquet");
    let whole = fs::read(&samples).expect("it is there");
    fs::write(&samples, &whole[..whole.len() / 2]).expect("it can be written");
    is_error(
        &place.run(&["render", "s.jumper", "-o", "old.html"]),
        1,
        &["s.jumper", "samples.parquet"],
    );
    fs::remove_file(&samples).expect("it can be removed");
    is_error(
        &place.run(&["render", "s.jumper", "-o", "old.html"]),
        1,
        &["s.jumper", "samples.parquet"],
    );
    fs::write(&samples, &whole).expect("it can be written");
    assert_eq!(place.run(&["render", "s.jumper"]).status, Some(0));

    let manifest = place.read("s.jumper/manifest.json");
    place.write(
        "s.jumper/manifest.json",
        &manifest.replacen("\"version\": 1", "\"version\": 99", 1),
    );
    is_error(
        &place.run(&["render", "s.jumper", "-o", "old.html"]),
        1,
        &["newer", "99", "upgrade"],
    );
    assert_eq!(place.read("old.html"), "an older report");
}

#[test]
fn without_permission_the_error_says_what_to_do() {
    // As root the test starts the command as another user; otherwise the first process is not ours.
    let place = Place::new();
    let is_root = fs::metadata("/proc/self")
        .is_ok_and(|data| std::os::unix::fs::MetadataExt::uid(&data) == 0);
    let mut program = Command::new("python3")
        .args(["-c", "import time; time.sleep(60)"])
        .spawn()
        .expect("it starts");
    std::thread::sleep(std::time::Duration::from_millis(300));
    let done: Done = if is_root {
        let copy = place.path("jumper");
        fs::copy(env!("CARGO_BIN_EXE_jumper"), &copy).expect("it can be copied");
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(place.path(""), open).expect("it is ours");
        let mut command = Command::new(copy);
        command
            .args(["attach", &program.id().to_string()])
            .current_dir("/")
            .env("XDG_DATA_HOME", "/nonexistent");
        std::os::unix::process::CommandExt::uid(&mut command, 65534);
        command.output().expect("it starts").into()
    } else {
        place.run(&["attach", "1"])
    };
    program
        .kill()
        .and_then(|()| program.wait())
        .expect("it is ours");
    is_error(&done, 1, &["no permission", "ptrace_scope", "root"]);
}

#[test]
fn other_people_s_files_in_a_session_directory_are_not_replaced() {
    let place = Place::new();
    let run = ["run", "--session", "s.jumper", "-o", "r.txt", "-c", "pass"];
    place.run(&run);
    assert_eq!(
        place.run(&run).status,
        Some(0),
        "a session alone is replaced"
    );
    place.write("s.jumper/notes.txt", "precious");
    is_error(&place.run(&run), 1, &["s.jumper"]);
    assert_eq!(place.read("s.jumper/notes.txt"), "precious");
}

#[test]
fn a_stderr_that_cannot_be_written_does_not_change_the_exit_status() {
    let place = Place::new();
    let full = || {
        fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("every Linux has it")
    };
    for (code, status) in [("import sys; sys.exit(3)", 3), ("pass", 0)] {
        let mut command = place.jumper(&["run", "-o", "r.txt", "-c", code]);
        assert_eq!(
            command.stderr(full()).status().expect("it starts").code(),
            Some(status)
        );
    }
    let mut command = place.jumper(&["render", "nothing.jumper"]);
    assert_eq!(
        command.stderr(full()).status().expect("it starts").code(),
        Some(1)
    );
}

#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    let place = Place::new();
    is_error(
        &place.run(&["run", "-o", "/dev/full", "-r", "json", "-c", "pass"]),
        1,
        &["`/dev/full`", "another place"],
    );
}

#[test]
fn what_monitor_cannot_measure_is_refused_before_the_program_starts() {
    let place = Place::new();
    let refused = |arguments: &[&str], status: i32, texts: &[&str]| {
        let program = ["--", "touch", "ran"];
        let done = place.run(&[&["monitor"], arguments, &program].concat());
        is_error(&done, status, texts);
    };
    refused(
        &["--level", "proces"],
        2,
        &["`proces`", "process, user, system, slurm and container"],
    );
    for interval in ["0", "0.000000001", "-1", "nan"] {
        refused(&["-i", interval], 2, &["interval", "0.001"]);
    }
    refused(&["-d", "0"], 2, &["duration", "-d"]);
    refused(
        &["--scrape", "https://localhost"],
        2,
        &[
            "https://localhost",
            "only http://",
            "[NAME=]http://HOST:PORT/PATH",
        ],
    );
    refused(
        &["--prometheus", "nonsense"],
        2,
        &["`nonsense`", "HOST:PORT"],
    );
    refused(&["-o", "no/such/dir/r.txt"], 1, &["no/such/dir/r.txt"]);
    assert!(!place.path("ran").exists(), "the program was not started");
    is_error(
        &place.run(&["monitor", "--", "no-such-program"]),
        1,
        &["`no-such-program`"],
    );
    is_error(
        &place.run(&["monitor", "--level", "process"]),
        2,
        &["process", "`--`"],
    );
    is_error(&place.run(&["monitor", "sleep", "1"]), 2, &["sleep"]);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has one").to_string();
    let done = place.run(&["monitor", "--prometheus", &address, "--", "touch", "ran"]);
    is_error(&done, 1, &[&address, "--prometheus"]);
    assert!(!place.path("ran").exists(), "the program was not started");
}
