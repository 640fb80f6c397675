//! `jumper monitor`: a program is measured, the machine is, and others read and are read meanwhile.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jumper_session::Session;

use crate::support::{Done, Place, busy, finish, send, session_of};

/// The values of a metric at a level, in the order of time.
fn values(session: &Session, level: &str, name: &str) -> Vec<Option<f64>> {
    let table = session.metrics();
    let metric = table
        .find(name)
        .unwrap_or_else(|| panic!("no metric `{name}`"));
    let levels = table.levels().iter().zip(table.values(metric));
    let here = levels.filter(|(known, _)| session.string(**known) == level);
    here.map(|(_, value)| *value).collect()
}

fn known(session: &Session, level: &str, name: &str) -> Vec<f64> {
    values(session, level, name).into_iter().flatten().collect()
}

#[test]
fn a_program_is_measured_and_its_end_is_ours() {
    let place = Place::new();
    place.write(
        "a.py",
        &format!("{}\nprint('mine')\nraise SystemExit(3)\n", busy(0.5)),
    );
    let done = place.run(&[
        "monitor", "-i", "0.05", "--level", "process", "--level", "user", "--", "python3", "a.py",
    ]);
    assert_eq!(
        (done.status, done.stdout.as_str()),
        (Some(3), "mine\n"),
        "{}",
        done.stderr
    );
    for text in [
        "python3 a.py",
        "exited with status 3",
        "Process",
        "User",
        "CPU, of all cores",
    ] {
        assert!(done.stderr.contains(text), "no {text:?} in {}", done.stderr);
    }
    assert!(
        !done.stderr.contains('\u{1b}'),
        "no terminal, no table: {}",
        done.stderr
    );
    let session = Session::open(session_of(&done.stderr)).expect("a session");
    let manifest = session.manifest();
    assert!(manifest.stacks.is_none() && session.samples().is_empty());
    assert_eq!(manifest.program.argv, ["python3", "a.py"]);
    let metrics = manifest.metrics.expect("there are some");
    assert_eq!(metrics.interval.as_millis(), 50);
    assert!(metrics.samples >= 2, "{metrics:?}");
    let used = known(&session, "process", "cpu_time");
    assert!(
        used.last().is_some_and(|&seconds| seconds > 0.0),
        "{used:?}"
    );
}

#[test]
fn the_machine_is_measured_until_an_interrupt() {
    let place = Place::new();
    let mut command = place.jumper(&["monitor", "-i", "0.02", "--session", "a.jumper"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut samples = 0;
    while samples < 3 {
        std::thread::sleep(Duration::from_millis(20));
        samples =
            Session::open(place.path("a.jumper")).map_or(0, |session| session.metrics().len());
    }
    send(child.id(), "INT");
    let done = finish(child);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    assert!(
        done.stdout.contains("the machine") && done.stdout.contains("System"),
        "{}",
        done.stdout
    );
    assert!(!done.stdout.contains("Process"), "{}", done.stdout);
    let session = Session::open(place.path("a.jumper")).expect("a session");
    assert!(
        known(&session, "system", "memory")
            .iter()
            .all(|&gibibytes| gibibytes > 0.0)
    );
}

#[test]
fn a_program_that_is_left_alone_goes_on() {
    let place = Place::new();
    place.write(
        "a.sh",
        "echo $$ > pid; mv pid ready; exec sleep 60 >/dev/null 2>&1",
    );
    let done = place.run(&[
        "monitor", "-i", "0.02", "-d", "0.3", "-o", "a.txt", "--", "sh", "a.sh",
    ]);
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    place.wait_for("ready");
    let pid: u32 = place.read("ready").trim().parse().expect("a number");
    send(pid, "0");
    send(pid, "KILL");
    assert!(place.read("a.txt").contains("sh a.sh"));
}

/// Records `sleep` in `a.jumper` until the session is as it should be, and ends both.
fn recorded_until(
    command: &mut Command,
    place: &Place,
    is_enough: impl Fn(&Session) -> bool,
) -> Done {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let path = place.path("a.jumper");
    while !Session::open(&path).is_ok_and(|session| is_enough(&session)) {
        std::thread::sleep(Duration::from_millis(20));
    }
    send(child.id(), "TERM");
    let done = finish(child);
    assert_eq!(
        done.signal,
        Some(15),
        "it ends as its program does: {}",
        done.stderr
    );
    done
}

const RECORD: [&str; 5] = ["monitor", "-i", "0.05", "--session", "a.jumper"];
const PROGRAM: [&str; 3] = ["--", "sleep", "600"];

fn has(session: &Session, level: &str, name: &str) -> bool {
    session.metrics().find(name).is_some() && !known(session, level, name).is_empty()
}

/// A server that answers every request with the same page, until the test ends.
fn serve(page: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has one");
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.expect("somebody comes");
            let mut request = [0; 1024];
            let _ = client.read(&mut request);
            let _ = write!(
                client,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{page}",
                page.len()
            );
        }
    });
    format!("http://{address}/metrics")
}

#[test]
fn endpoints_are_read_and_one_that_is_silent_delays_nobody() {
    let place = Place::new();
    let url =
        serve("# TYPE queue gauge\n# HELP queue Who waits.\nqueue 4\ndone_total{who=\"me\"} 2\n");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let silent = format!("http://{}/", silent.local_addr().expect("it has one"));
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let nobody = format!("none=http://{}/", free.expect("a port is free"));
    let named = format!("web={url}");
    let scrape = ["--scrape", &named, "--scrape", &silent, "--scrape", &nobody];
    let mut command = place.jumper(&[&RECORD[..], &scrape, &PROGRAM].concat());
    recorded_until(&mut command, &place, |session| {
        has(session, "process", "web_queue") && known(session, "process", "processes").len() >= 2
    });
    let session = Session::open(place.path("a.jumper")).expect("a session");
    let queue = known(&session, "process", "web_queue");
    assert!(
        !queue.is_empty() && queue.iter().all(|&length| length == 4.0),
        "{queue:?}"
    );
    let done = known(&session, "process", "web_done_total{who=\"me\"}");
    assert!(
        done.iter().all(|&count| count == 0.0),
        "counted from the first look: {done:?}"
    );
    assert!(
        values(&session, "system", "web_queue")
            .iter()
            .all(Option::is_none)
    );
}

/// Starts the command with `--prometheus`, and waits until it says where it serves.
fn serving(
    place: &Place,
    arguments: &[&str],
) -> (Child, String, BufReader<std::process::ChildStderr>) {
    let mut command = place.jumper(
        &[
            &["monitor", "-i", "0.05", "--prometheus", "127.0.0.1:0"],
            arguments,
        ]
        .concat(),
    );
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("it is text");
    let address = line
        .trim()
        .strip_prefix("jumper: metrics at http://")
        .and_then(|rest| rest.strip_suffix("/metrics"));
    let address = address.unwrap_or_else(|| panic!("{line}")).to_owned();
    (child, address, stderr)
}

fn get(address: &str, request: &str) -> String {
    let mut client = TcpStream::connect(address).expect("it listens");
    write!(client, "{request} HTTP/1.1\r\nHost: x\r\n\r\n").expect("it reads");
    let mut page = String::new();
    client.read_to_string(&mut page).expect("it answers");
    page
}

#[test]
fn what_was_measured_last_is_served_whoever_else_is_silent() {
    let place = Place::new();
    let (child, address, mut stderr) = serving(&place, &["-o", "a.txt", "--", "sleep", "600"]);
    let silent: Vec<TcpStream> = (0..4)
        .map(|_| TcpStream::connect(&address).expect("it listens"))
        .collect();
    let mut page = String::new();
    while !page.contains("jumper_cpu_util_avg{level=\"system\"}") {
        page = get(&address, "GET /metrics");
    }
    assert!(
        page.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"),
        "{page}"
    );
    for text in [
        "# TYPE jumper_cpu_time counter\n",
        "jumper_processes{level=\"process\"} 1\n",
        "# HELP jumper_memory ",
    ] {
        assert!(page.contains(text), "no {text:?} in {page}");
    }
    assert!(get(&address, "GET /other").starts_with("HTTP/1.1 404 "));
    assert!(get(&address, "POST /metrics").starts_with("HTTP/1.1 405 "));
    assert!(get(&address, "HEAD /metrics").ends_with("\r\n\r\n"));
    drop(silent);
    send(child.id(), "TERM");
    let done = finish(child);
    assert_eq!(done.signal, Some(15), "it ends as its program does");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("it is text");
    assert!(place.read("a.txt").contains("ended by SIGTERM"), "{rest}");
}

/// The library that stands in for NVIDIA's, where the dynamic linker finds it.
fn stand_in(place: &Place, state: &str) -> PathBuf {
    let directory = place.path("driver");
    fs::create_dir(&directory).expect("it can be made");
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../jumper-sampler/tests/gpu/nvml_stand_in.c");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", "-o"])
        .arg(directory.join("libnvidia-ml.so.1"))
        .arg(source);
    assert!(compiler.status().expect("there is a C compiler").success());
    fs::write(directory.join("nvml.state"), state).expect("it can be written");
    directory
}

#[test]
fn gpus_are_in_the_session_and_in_the_report() {
    let place = Place::new();
    let driver = stand_in(&place, "");
    let mut command = place.jumper(&[&RECORD[..], &PROGRAM].concat());
    command.env("LD_LIBRARY_PATH", driver);
    let done = recorded_until(&mut command, &place, |session| {
        has(session, "process", "gpu_mem_0")
    });
    let session = Session::open(place.path("a.jumper")).expect("a session");
    let [host] = session.hosts() else {
        panic!("there is one host")
    };
    let first: Vec<_> = host
        .gpus
        .iter()
        .take(2)
        .map(|gpu| gpu.name.as_str())
        .collect();
    assert_eq!(first, ["NVIDIA Stand-in 0", "NVIDIA Stand-in 1"]);
    let busy = known(&session, "system", "gpu_util_1");
    assert!(
        !busy.is_empty() && busy.iter().all(|&percent| percent == 80.0),
        "{busy:?}"
    );
    let used = known(&session, "process", "gpu_mem_0");
    // In a container it is unknown whose numbers of processes the driver uses.
    assert!(used.iter().all(|&used| used == 0.0), "{used:?}");
    assert!(done.stderr.contains("gpu_util_avg"), "{}", done.stderr);
}

#[test]
fn a_driver_that_hangs_keeps_nobody() {
    let place = Place::new();
    let driver = stand_in(&place, "hang\n");
    let mut command = place.jumper(&[&RECORD[..], &PROGRAM].concat());
    command.env("LD_LIBRARY_PATH", driver);
    recorded_until(&mut command, &place, |session| {
        session.metrics().find("processes").is_some()
            && known(session, "system", "processes").len() >= 5
    });
    let session = Session::open(place.path("a.jumper")).expect("a session");
    assert!(session.metrics().find("gpu_util_avg").is_none());
}
