//! `jumper run`: the program is what it would be without us, and the report is there whatever happens to it.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Done, Place, busy, finish, parsed, send, session_of};

/// The share of the time that a function has in a JSON report, wherever it was called.
fn share_of(report: &Value, function: &str) -> f64 {
    let mut total = 0.0;
    let mut open = vec![&report["root_frame"]];
    while let Some(frame) = open.pop() {
        if frame["function"] == function {
            total += frame["time"].as_f64().expect("a number");
        } else {
            open.extend(frame["children"].as_array().expect("a list"));
        }
    }
    total / report["root_frame"]["time"].as_f64().expect("a number")
}

#[test]
fn the_report_says_where_the_time_went() {
    let place = Place::new();
    place.write("a.py", &busy(0.6));
    let done = place.run(&["run", "a.py"]);
    assert_eq!((done.status, done.stdout.as_str()), (Some(0), ""));
    for text in [
        "python3 a.py",
        "CPython 3.",
        "MainThread",
        "spin",
        "a.py:2",
        "Process",
        "System",
        "memory (USS)",
    ] {
        assert!(done.stderr.contains(text), "no {text:?} in {}", done.stderr);
    }
    assert!(session_of(&done.stderr).is_absolute());
    assert_eq!(place.kept(), [session_of(&done.stderr)]);
}

#[test]
fn json_goes_to_stdout_and_its_figures_are_right() {
    let place = Place::new();
    place.write("a.py", &busy(1.0));
    let done = place.run(&["run", "-r", "json", "a.py"]);
    let report = parsed(&done.stdout);
    assert!(share_of(&report, "spin") > 0.8, "{report}");
    let samples = report["sample_count"].as_u64().expect("a number");
    assert!(samples > 100, "{samples} samples");
    let duration = report["duration"].as_f64().expect("a number");
    assert!((1.0..30.0).contains(&duration), "{duration} s");
}

/// Methods whose names end in the one class that they are called with. The objects live for a few calls each, so that the
/// memory of one becomes that of another of another class.
const METHODS: &str = "
import time
class Base:
    def run_Left(self): return self.spin_Left()
    def spin_Left(self):
        __tracebackhide__ = True
        return [self for _ in range(3)] and sum(range(2000))
class Left(Base):
    pass
class Right:
    def run_Right(self):
        def use(): return self
        return self.spin_Right() and use()
    def spin_Right(self): return sum(range(2000))
    @classmethod
    def of_class_Right(cls): return sum(range(2000))
def made():
    kind = type('Made', (), {'run_Made': run_Made})
    kind().run_Made()
    Right.of_class_Right()
def run_Made(self): return sum(range(2000))
end = time.monotonic() + 1.5
while time.monotonic() < end:
    for _ in range(10):
        Left().run_Left()
        Right().run_Right()
    made()
";

#[test]
fn methods_are_called_by_their_classes() {
    let place = Place::new();
    place.write("a.py", METHODS);
    let done = place.run(&["run", "--session", "s.jumper", "-o", "r.txt", "a.py"]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    let session = jumper_session::Session::open(place.path("s.jumper")).expect("a session");
    let stacks = session.manifest().stacks.expect("there are stacks");
    // On a machine that is too busy for threads to answer, ptrace takes over from the agent.
    let held = [jumper_session::Hold::Agent, jumper_session::Hold::Ptrace];
    assert!(held.contains(&stacks.hold), "{:?}", stacks.hold);
    let (mut with, mut without) = (0, 0);
    for (_, stack) in session.stacks().iter() {
        let function = session.function(stack.function);
        assert_eq!(function.hidden, function.name == "spin_Left");
        let expected = match function.name.rsplit_once('_') {
            Some((_, class @ ("Left" | "Right" | "Made"))) => class,
            _ => continue,
        };
        match stack.class.map(|class| session.string(class)) {
            Some(class) => {
                assert_eq!(class, expected, "{function:?}");
                with += 1;
            }
            None => without += 1,
        }
    }
    assert!(
        with >= 6 && with > without,
        "{with} with, {without} without"
    );
    let text = place.read("r.txt");
    for call in ["Left.run_Left", "Right.run_Right", "Made.run_Made"] {
        assert!(text.contains(call), "no {call} in {text}");
    }
    // What asks to be hidden is.
    for call in ["Base.run_Left", "spin_Left"] {
        assert!(!text.contains(call), "{call} in {text}");
    }
}

#[test]
fn the_program_keeps_its_streams_arguments_and_directory() {
    let place = Place::new();
    let script = "import os, sys\nprint(sys.stdin.read().upper(), sys.argv, os.getcwd())\nprint('e', file=sys.stderr)\n";
    place.write("a.py", script);
    let mut child = place
        .jumper(&["run", "-o", "r.txt", "a.py", "-o", "x", "--", "-c", "ü"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    child
        .stdin
        .take()
        .expect("it is piped")
        .write_all(b"hello")
        .expect("it reads");
    let done = finish(child);
    let directory = place.path("").canonicalize().expect("it is there");
    let expected = format!(
        "HELLO ['a.py', '-o', 'x', '--', '-c', 'ü'] {}\n",
        directory.display()
    );
    assert_eq!(done.stdout, expected);
    assert!(done.stderr.starts_with("e\n"), "{}", done.stderr);
    assert!(place.read("r.txt").contains("python3 a.py -o x -- -c ü"));
}

#[test]
fn modules_and_code_are_run_as_python_does() {
    let place = Place::new();
    place.write("mine.py", "import sys\nprint(__name__, sys.argv[1:])\n");
    let module = place.run(&["run", "-m", "mine", "-c", "--help"]);
    assert_eq!(module.stdout, "__main__ ['-c', '--help']\n");
    let code = place.run(&["run", "-c", "import sys; print(sys.argv)", "-m", "x"]);
    assert_eq!(code.stdout, "['-c', '-m', 'x']\n");
}

#[test]
fn the_exit_status_is_the_program_s() {
    let place = Place::new();
    for status in [0, 1, 3, 120] {
        let done = place.run(&["run", "-c", &format!("import sys; sys.exit({status})")]);
        assert_eq!(done.status, Some(status));
        assert!(done.stderr.contains("jumper 0."), "{}", done.stderr);
    }
    let done = place.run(&["run", "-c", "import sys; sys.exit(3)"]);
    assert!(
        done.stderr.contains("exited with status 3"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_program_that_dies_by_a_signal_leaves_a_report_and_the_signal() {
    let place = Place::new();
    for (name, number) in [("SEGV", 11), ("KILL", 9), ("ABRT", 6), ("TERM", 15)] {
        let code = format!(
            "import os, signal; sum(range(5_000_000)); os.kill(os.getpid(), signal.SIG{name})"
        );
        let done = place.run(&["run", "-c", &code]);
        assert_eq!(
            (done.status, done.signal),
            (None, Some(number)),
            "{}",
            done.stderr
        );
        assert!(
            done.stderr.contains(&format!("ended by SIG{name}")),
            "{}",
            done.stderr
        );
        assert!(done.stderr.contains("MainThread"), "{}", done.stderr);
    }
}

/// Interrupts `jumper` itself while the program is busy.
fn interrupted(place: &Place, signal: &str) -> Done {
    place.write("a.py", &busy(600.0));
    let child = place.start(&["run", "-o", "report.txt", "a.py"]);
    std::thread::sleep(Duration::from_millis(300));
    send(child.id(), signal);
    finish(child)
}

#[test]
fn sigterm_reaches_the_program_and_the_report_is_there() {
    let place = Place::new();
    let done = interrupted(&place, "TERM");
    assert_eq!(
        (done.status, done.signal),
        (None, Some(15)),
        "{}",
        done.stderr
    );
    let report = place.read("report.txt");
    assert!(
        report.contains("ended by SIGTERM") && report.contains("spin"),
        "{report}"
    );
}

#[test]
fn sigint_reaches_the_program_and_the_report_is_there() {
    let place = Place::new();
    let done = interrupted(&place, "INT");
    assert!(done.stderr.contains("KeyboardInterrupt"), "{}", done.stderr);
    assert_eq!(
        (done.status, done.signal),
        (None, Some(2)),
        "{}",
        done.stderr
    );
    let report = place.read("report.txt");
    assert!(
        report.contains("ended by SIGINT") && report.contains("spin"),
        "{report}"
    );
}

#[test]
fn a_program_that_handles_the_signal_goes_its_own_way() {
    let place = Place::new();
    let script = "import signal, sys, time\n\
                  signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n\
                  open('ready', 'w').close()\n\
                  while True: time.sleep(0.01)\n";
    place.write("a.py", script);
    let child = place.start(&["run", "a.py"]);
    send(child.id(), "TERM");
    let done = finish(child);
    assert_eq!((done.status, done.signal), (Some(7), None));
    assert!(
        done.stderr.contains("exited with status 7"),
        "{}",
        done.stderr
    );
}

#[test]
fn every_thread_has_its_tree() {
    let place = Place::new();
    let script = "import threading, time\n\
                  def wait(): time.sleep(0.6)\n\
                  thread = threading.Thread(target=wait, name='the waiter')\n\
                  thread.start(); thread.join()\n";
    place.write("a.py", script);
    let done = place.run(&["run", "a.py"]);
    assert!(
        done.stderr.contains("the waiter") && done.stderr.contains("MainThread"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_program_that_becomes_another_is_followed() {
    let place = Place::new();
    place.write("b.py", &busy(0.6));
    place.write(
        "a.py",
        "import os, sys\nos.execv(sys.executable, [sys.executable, 'b.py'])\n",
    );
    let done = place.run(&["run", "a.py"]);
    assert_eq!(done.status, Some(0));
    assert!(done.stderr.contains("spin"), "{}", done.stderr);
    assert_eq!(
        done.stderr.matches("MainThread").count(),
        1,
        "{}",
        done.stderr
    );
}

#[test]
fn a_program_that_is_no_python_is_run_and_said_to_be_none() {
    let place = Place::new();
    let script = place.write("not-python", "#!/bin/sh\nsleep 0.2\nexit 4\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).expect("it is ours");
    place.write("a.py", "");
    let done = place.run(&["run", "--python", "./not-python", "a.py"]);
    assert_eq!(done.status, Some(4));
    assert!(
        done.stderr.contains("is not a CPython program"),
        "{}",
        done.stderr
    );
}

#[test]
fn without_holding_threads_the_report_says_so() {
    let place = Place::new();
    place.write("a.py", &busy(0.5));
    let done = place.run(&["run", "--nonblocking", "a.py"]);
    assert!(
        done.stderr.contains("Held") && done.stderr.contains("spin"),
        "{}",
        done.stderr
    );
}

#[test]
fn an_output_file_is_chosen_by_its_extension() {
    let place = Place::new();
    place.write("a.py", &busy(0.3));
    for (name, start) in [
        ("r.txt", "\n  jumper"),
        ("r.html", "<!"),
        ("r.json", "{\"start_time\""),
    ] {
        let done = place.run(&["run", "-o", name, "a.py"]);
        assert!(place.read(name).to_lowercase().starts_with(start), "{name}");
        assert!(done.stderr.contains(name), "{}", done.stderr);
    }
    place.run(&["run", "-o", "r.jumper", "a.py"]);
    assert!(place.path("r.jumper/manifest.json").is_file());
    place.run(&["run", "--session", "s.jumper", "a.py"]);
    assert!(place.path("s.jumper/manifest.json").is_file());
    assert_eq!(
        place.kept().len(),
        3,
        "only those without a place of their own"
    );
}

#[test]
fn a_long_command_line_does_not_hide_the_report() {
    let place = Place::new();
    place.write("a.py", "sum(range(3_000_000))");
    let long = "x".repeat(20_000);
    let done = place.run(&["run", "a.py", &long]);
    let line = done
        .stderr
        .lines()
        .find(|line| line.contains("Program"))
        .expect("the header names it");
    assert!(line.chars().count() < 400 && line.ends_with('…'), "{line}");
    let code = place.run(&["run", "-c", "x = 1\nraise SystemExit(0)\n# secret"]);
    assert!(
        code.stderr.contains("-c x = 1…") && !code.stderr.contains("secret"),
        "{}",
        code.stderr
    );
}

#[test]
fn a_report_that_nobody_reads_can_be_interrupted() {
    let place = Place::new();
    let made = std::process::Command::new("mkfifo")
        .arg(place.path("pipe.txt"))
        .status();
    assert!(made.expect("there is a mkfifo").success());
    let mut command = place.jumper(&["run", "-o", "pipe.txt", "-c", "open('ready', 'w').close()"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    place.wait_for("ready");
    std::thread::sleep(Duration::from_secs(1));
    send(child.id(), "TERM");
    assert_eq!(finish(child).signal, Some(15));
    assert_eq!(
        place.kept().len(),
        1,
        "the session was kept before the report"
    );
}

/// A program that forbids itself process_vm_readv(2), which is number 310 or 270, in the way that `action` says.
fn filtered(action: &str) -> String {
    format!(
        r#"
import ctypes, platform, struct, time
def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
number = {{"x86_64": 310, "aarch64": 270}}[platform.machine()]
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, {action}), (0x06, 0, 0, 0x7fff0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
libc = ctypes.CDLL(None, use_errno=True)
spin(0.3)
assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
program = Program(len(steps), ctypes.addressof(code))
assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0  # PR_SET_SECCOMP
spin(0.6)
print("alive")
"#
    )
}

#[test]
fn a_program_may_forbid_itself_what_the_agent_does() {
    for action in ["0x80000000", "0x00050001"] {
        let place = Place::new();
        place.write("a.py", &filtered(action));
        let done = place.run(&["run", "-r", "json", "-o", "a.json", "a.py"]);
        assert_eq!(
            (done.status, done.stdout.as_str()),
            (Some(0), "alive\n"),
            "{}",
            done.stderr
        );
        let report = parsed(&place.read("a.json"));
        let spun =
            share_of(&report, "spin") * report["root_frame"]["time"].as_f64().expect("a number");
        assert!(spun > 0.8, "{spun} seconds of 0.9");
    }
}

#[test]
fn a_limit_on_the_size_of_files_is_no_limit_on_profiling() {
    let place = Place::new();
    place.write("a.py", &busy(0.3));
    let limited = place.run_in_shell("ulimit -f 20000 && exec \"$0\" run a.py");
    assert_eq!(limited.status, Some(0), "{}", limited.stderr);
    assert!(
        limited.stderr.contains("held by ptrace"),
        "{}",
        limited.stderr
    );
    assert!(limited.stderr.contains("spin"), "{}", limited.stderr);
}
