//! What a recording has is on disk, whatever ends the recorder.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use jumper_session::Session;

use crate::support::Place;

/// Runs for four seconds, most of them asleep, and says when it begins.
const PROGRAM: &str = "
import pathlib, sys, time
def work():
    sum(range(20_000))
def wait():
    time.sleep(0.002)
pathlib.Path(sys.argv[1]).touch()
end = time.monotonic() + 4
while time.monotonic() < end:
    work()
    wait()
";

fn start(place: &Place, number: usize) -> Child {
    let (session, ready) = (format!("{number}.jumper"), format!("ready{number}"));
    let mut command = place.jumper(&["run", "--session", &session, "a.py", &ready]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    child.expect("the command starts")
}

/// When the session ends, by the wall clock, in seconds since 1970.
fn end_of(session: &Session) -> f64 {
    session.manifest().clock.unix_nanos_at(session.end()) as f64 / 1e9
}

fn now() -> f64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("after 1970").as_secs_f64()
}

#[test]
fn a_recorder_that_is_killed_at_any_moment_loses_little() {
    let place = Place::new();
    place.write("a.py", PROGRAM);
    // Ten times five at once, from the first moments of the program to two seconds later.
    for round in 0..10 {
        let mut children: Vec<_> = (0..5)
            .map(|index| (index, start(&place, round * 5 + index)))
            .collect();
        let begin = Instant::now();
        for index in 0..5 {
            place.wait_for(&format!("ready{}", round * 5 + index));
        }
        for (index, child) in &mut children {
            let number = round * 5 + *index;
            let moment = Duration::from_millis(40 * number as u64 + 13 * *index as u64);
            std::thread::sleep(moment.saturating_sub(begin.elapsed()));
            let killed = now();
            child.kill().and_then(|()| child.wait()).expect("it runs");
            let path = place.path(&format!("{number}.jumper"));
            let session = Session::open(&path).expect("it can be read");
            let lag = killed - end_of(&session);
            assert!(lag < 1.5, "it ends {lag} s before the kill");
            let samples = session.samples();
            let last = samples.times().iter().max();
            if let Some(&last) = last {
                assert!(session.manifest().clock.unix_nanos_at(last) as f64 / 1e9 < killed + 0.01);
            }
            assert_eq!(
                session.manifest().program.argv.get(1).map(String::as_str),
                Some("a.py")
            );
        }
    }
}

#[test]
fn an_unfinished_recording_is_a_session_for_every_command_and_can_be_finished() {
    let place = Place::new();
    place.write("a.py", PROGRAM);
    let mut child = start(&place, 1);
    place.wait_for("ready1");
    std::thread::sleep(Duration::from_millis(1500));
    let live = place.run(&["repair", "1.jumper"]);
    assert_eq!(live.status, Some(1), "{}", live.stderr);
    assert!(
        live.stderr
            .contains("is still being recorded; wait for the end"),
        "{}",
        live.stderr
    );
    child.kill().and_then(|()| child.wait()).expect("it runs");

    let text = place.run(&["render", "1.jumper", "-r", "text"]);
    assert_eq!(text.status, Some(0), "{}", text.stderr);
    assert!(
        text.stdout.contains("wait") && text.stdout.contains("MainThread"),
        "{}",
        text.stdout
    );
    let info = place.run(&["info", "1.jumper"]);
    assert_eq!(info.status, Some(0), "{}", info.stderr);

    let before = Session::open(place.path("1.jumper")).expect("it can be read");
    let done = place.run(&["repair", "1.jumper"]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    let after = Session::open(place.path("1.jumper")).expect("it is whole");
    assert_eq!(before.samples(), after.samples());
    assert!(before.manifest().sys_path.is_some() && before.manifest().sys_prefixes.is_some());
    assert_eq!(before.manifest().sys_path, after.manifest().sys_path);
    assert!(Path::new(&place.path("1.jumper/samples.parquet")).exists());
    assert!(!place.path("1.jumper/journal").exists());
    let again = place.run(&["repair", "1.jumper"]);
    assert_eq!(again.status, Some(0));
    assert!(
        again.stderr.contains("nothing to repair"),
        "{}",
        again.stderr
    );
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "that something is not tested is for people to see"
)]
fn a_full_disk_ends_the_recording_and_keeps_what_is_there() {
    let place = Place::new();
    place.write("a.py", PROGRAM);
    std::fs::create_dir(place.path("small")).expect("it can be made");
    // A file system of its own, which takes a user namespace where this is not root.
    let line = "unshare -rm sh -c 'mount -t tmpfs -o size=200k none small && \"$0\" run -i 0.0002 --session \
                small/a.jumper a.py ready; status=$?; cp -r small/a.jumper kept.jumper; exit $status' \"$0\"";
    let done = place.run_in_shell(line);
    if done.stderr.contains("unshare") || done.stderr.contains("mount:") {
        eprintln!(
            "not tested, since nothing can be mounted here: {}",
            done.stderr
        );
        return;
    }
    // The program ended well, and the recording did not.
    assert_eq!(done.status, Some(1), "{}", done.stderr);
    assert!(
        done.stderr
            .contains("the recording ends early: cannot write"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr.contains("no space left; free some space"),
        "{}",
        done.stderr
    );
    let session = Session::open(place.path("kept.jumper")).expect("what is there can be read");
    assert!(session.samples().len() > 100, "{}", session.samples().len());
    let repaired = place.run(&["repair", "kept.jumper"]);
    assert_eq!(repaired.status, Some(0), "{}", repaired.stderr);
}

#[test]
fn nothing_takes_the_place_of_a_recording_that_goes_on() {
    let place = Place::new();
    place.write("a.py", PROGRAM);
    place.write("b.py", "print('b')");
    let child = start(&place, 1);
    place.wait_for("ready1");
    let other = place.run(&["run", "--session", "2.jumper", "b.py"]);
    assert_eq!(other.status, Some(0), "{}", other.stderr);
    for arguments in [
        &["run", "--session", "1.jumper", "b.py"][..],
        &["convert", "2.jumper", "1.jumper"],
        &["merge", "2.jumper", "2.jumper", "-o", "1.jumper"],
    ] {
        let refused = place.run(arguments);
        assert_eq!(refused.status, Some(1), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("is still being recorded"),
            "{}",
            refused.stderr
        );
        assert_eq!(refused.stdout, "", "the program did not start");
    }
    let done = child.wait_with_output().expect("it runs");
    assert!(done.status.success());
    let session = Session::open(place.path("1.jumper")).expect("it is whole");
    assert_eq!(session.manifest().program.argv[1], "a.py");
    assert!(session.samples().len() > 1000);
}

#[test]
fn a_journal_that_is_damaged_is_kept_when_it_is_repaired() {
    let place = Place::new();
    place.write("a.py", PROGRAM);
    let mut child = start(&place, 1);
    place.wait_for("ready1");
    std::thread::sleep(Duration::from_millis(1500));
    child.kill().and_then(|()| child.wait()).expect("it runs");
    let frames = place.path("1.jumper/journal/frames.arrows");
    let mut bytes = std::fs::read(&frames).expect("it is there");
    bytes[40] ^= 0x81;
    std::fs::write(&frames, bytes).expect("there is room");
    let done = place.run(&["repair", "1.jumper"]);
    assert_eq!(done.status, Some(1), "{}", done.stderr);
    assert!(
        done.stderr.contains("a part of the recording is left out")
            && done.stderr.contains("is still in `journal/`"),
        "{}",
        done.stderr
    );
    assert!(place.path("1.jumper/manifest.json").exists() && frames.exists());
}
