//! `jumper attach`: a program that runs already, and goes on afterwards.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jumper_session::Session;

use crate::support::{Place, busy, finish, send};

/// A Python program that runs without us, and is killed in the end.
struct Program(Child);

impl Program {
    fn start(place: &Place) -> Self {
        place.write("a.py", &busy(600.0));
        let child = Command::new("python3")
            .arg("a.py")
            .current_dir(place.path(""))
            .spawn()
            .expect("it starts");
        place.wait_for("ready");
        Self(child)
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }

    fn still_runs(&mut self) -> bool {
        self.0.try_wait().expect("it is ours").is_none()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_report_goes_to_stdout_and_the_program_goes_on() {
    let place = Place::new();
    let mut program = Program::start(&place);
    let done = place.run(&["attach", &program.pid(), "-d", "0.5"]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    for text in ["spin", "main", "MainThread", "Process"] {
        assert!(done.stdout.contains(text), "no {text:?} in {}", done.stdout);
    }
    assert!(program.still_runs());
    let [kept] = &place.kept()[..] else {
        panic!("one session is kept")
    };
    let session = Session::open(kept).expect("a session");
    let sys_path = session.manifest().sys_path.clone();
    let folder = place.path("").canonicalize().expect("it is there");
    assert_eq!(
        sys_path.expect("it was read").first().map(PathBuf::from),
        Some(folder)
    );
    assert_eq!(
        session.manifest().sys_prefixes.as_ref().map(Vec::len),
        Some(4)
    );
}

/// Starts the command, and lets it record for a while.
fn attached(place: &Place, arguments: &[&str]) -> Child {
    let mut command = place.jumper(arguments);
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = piped.spawn().expect("it starts");
    std::thread::sleep(Duration::from_millis(700));
    child
}

#[test]
fn an_interrupt_ends_the_recording_and_not_the_program() {
    let place = Place::new();
    let mut program = Program::start(&place);
    let child = attached(&place, &["attach", &program.pid()]);
    send(child.id(), "INT");
    let done = finish(child);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    assert!(done.stdout.contains("spin"), "{}", done.stdout);
    assert!(program.still_runs());
}

#[test]
fn the_end_of_the_program_ends_the_recording() {
    let place = Place::new();
    let mut program = Program::start(&place);
    let child = attached(&place, &["attach", &program.pid(), "-r", "json"]);
    program.0.kill().expect("it is ours");
    program.0.wait().expect("it is ours");
    let done = finish(child);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    assert!(
        done.stdout.contains("\"function\":\"spin\""),
        "{}",
        done.stdout
    );
}
