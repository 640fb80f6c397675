//! Changes sessions at random, reads them, and keeps those at which a reader fails: by a panic, an abort, more than
//! 2 GiB of memory, more than ten seconds, or a session that is not the same when it is written and read again.
//!
//!     make fuzz ARGS="--seconds 60 --target zip --seed 1"
//!     make fuzz ARGS="--replay target/fuzz/zip-1-2345"
//!
//! The inputs are tried in a process of their own, whose end is looked at. An input depends on the seed and its number alone.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people"
)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

#[path = "../tests/fuzz.rs"]
mod fuzz;

use fuzz::{Input, Random, TARGETS, Target, check};

const MAX_KIB: u64 = 2 << 20;
const MAX_TIME: Duration = Duration::from_secs(10);
/// After so many there is enough to do.
const MAX_FAILURES: usize = 10;

struct Options {
    seconds: u64,
    targets: Vec<Target>,
    seed: u64,
    replay: Option<PathBuf>,
    /// Where the process that tries inputs does so, and from which number on.
    worker: Option<(PathBuf, u64)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    if let Some(path) = options.replay {
        let room = tempfile::tempdir()?;
        let copy = room.path().join("input");
        Input::read(&path).write(&copy);
        let is_session = check(&copy, room.path());
        println!(
            "{}: {}",
            path.display(),
            if is_session { "a session" } else { "an error" }
        );
        return Ok(());
    }
    if let Some((room, first)) = &options.worker {
        work(
            options.targets[0],
            room,
            options.seed,
            *first,
            Duration::from_secs(options.seconds),
        );
        return Ok(());
    }
    let mut failures = 0;
    for target in &options.targets {
        failures += supervise(*target, options.seed, Duration::from_secs(options.seconds))?;
    }
    exit(i32::from(failures > 0));
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        seconds: 60,
        targets: TARGETS.into(),
        seed: 1,
        replay: None,
        worker: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args
            .next()
            .ok_or_else(|| format!("`{name}` needs a value"))?;
        match name.as_str() {
            "--seconds" => options.seconds = value.parse()?,
            "--seed" => options.seed = value.parse()?,
            "--replay" => options.replay = Some(value.into()),
            "--target" => {
                options.targets.retain(|target| target.name == value);
                if options.targets.is_empty() {
                    let names = TARGETS.map(|target| target.name).join(", ");
                    return Err(format!("there is no target `{value}`; there are {names}").into());
                }
            }
            "--worker" => {
                let first = args.next().ok_or("`--worker` needs a number")?;
                options.worker = Some((value.into(), first.parse()?));
            }
            _ => return Err(format!("there is no option `{name}`").into()),
        }
    }
    Ok(options)
}

/// Tries inputs until the time is over. Leaves the number of the last one, and that input, in `room`.
fn work(target: Target, room: &Path, seed: u64, first: u64, time: Duration) {
    // What a reader catches is its own affair.
    std::panic::set_hook(Box::new(|_| {}));
    let corpus = target.corpus();
    let start = Instant::now();
    let (path, mut opened) = (room.join("input"), 0_u64);
    for number in first.. {
        if start.elapsed() > time {
            println!(
                "{}: {opened} of {} were sessions",
                target.name,
                number - first
            );
            return;
        }
        let mut random = Random::new(seed.wrapping_mul(1 << 40).wrapping_add(number));
        let input = target.changed(&corpus, &mut random);
        remove(&path);
        input.write(&path);
        fs::write(room.join("number"), number.to_string()).expect("there is room");
        match std::panic::catch_unwind(|| check(&path, room)) {
            Ok(is_session) => opened += u64::from(is_session),
            Err(_) => exit(101),
        }
    }
}

fn remove(path: &Path) {
    // One of them is right, or nothing is there.
    let _ = fs::remove_dir_all(path);
    let _ = fs::remove_file(path);
}

/// Has inputs tried in processes of their own, and keeps those at which one ends. Returns how many.
fn supervise(target: Target, seed: u64, time: Duration) -> Result<usize, Box<dyn Error>> {
    let memory = Path::new("/dev/shm");
    let room = match memory.is_dir() {
        true => tempfile::tempdir_in(memory)?,
        false => tempfile::tempdir()?,
    };
    let (start, corpus) = (Instant::now(), target.corpus());
    let (mut first, mut failures) = (0, 0);
    while start.elapsed() < time && failures < MAX_FAILURES {
        let left = (time - start.elapsed()).as_secs().max(1);
        let failed = worker(target, room.path(), seed, first, left)?;
        let number = fs::read_to_string(room.path().join("number"))?.parse::<u64>()?;
        first = number + 1;
        if let Some(how) = failed {
            failures += 1;
            let kept = PathBuf::from(format!("target/fuzz/{}-{seed}-{number}", target.name));
            remove(&kept);
            // Made anew: the reader may have changed what it was given.
            let mut random = Random::new(seed.wrapping_mul(1 << 40).wrapping_add(number));
            target.changed(&corpus, &mut random).write(&kept);
            println!(
                "{}: seed {seed}, input {number}: {how}; see {}",
                target.name,
                kept.display()
            );
        }
    }
    let seconds = start.elapsed().as_secs();
    println!(
        "{}: {first} inputs in {seconds} s, {failures} failures",
        target.name
    );
    Ok(failures)
}

/// One process that tries inputs. Returns how it failed, if it did.
fn worker(
    target: Target,
    room: &Path,
    seed: u64,
    first: u64,
    seconds: u64,
) -> Result<Option<String>, Box<dyn Error>> {
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -v {MAX_KIB}; exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe()?)
        .arg("--worker")
        .args([room.as_os_str(), first.to_string().as_ref()])
        .args(["--target", target.name, "--seed", &seed.to_string()])
        .args(["--seconds", &seconds.to_string()])
        .env("TMPDIR", room)
        .spawn()?;
    let mut since = Instant::now();
    let mut last = SystemTime::UNIX_EPOCH;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((!status.success()).then(|| status.to_string()));
        }
        let now = fs::metadata(room.join("number")).and_then(|number| number.modified());
        if let Ok(now) = now
            && now != last
        {
            (since, last) = (Instant::now(), now);
        }
        if since.elapsed() > MAX_TIME {
            child.kill()?;
            child.wait()?;
            return Ok(Some(format!("it takes more than {} s", MAX_TIME.as_secs())));
        }
        sleep(Duration::from_millis(100));
    }
}
