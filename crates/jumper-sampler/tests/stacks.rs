//! The stack sampler against every real CPython that this machine has.

#![allow(
    clippy::print_stdout,
    reason = "the matrix is for whoever reads the output"
)]

#[allow(dead_code, reason = "each test binary uses its part of the support")]
mod support;

use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

use jumper_sampler::{
    Error, Frame, Function, HoldMode, Location, Pid, SampleOutcome, StackSampler, SysPaths,
    ThreadKey, Ticker, Timestamp,
};
use support::{Python, Target, VERSIONS, Venv, marked_line, python, pythons, source};

/// One level of a stack as a test wants to see it.
#[derive(Debug)]
struct Level {
    name: String,
    first_line: u32,
    line: u32,
    location: Location,
}

impl Level {
    fn of(function: &Function, frame: &Frame) -> Self {
        assert_eq!(frame.location().line, frame.line);
        Self {
            name: function.qualname.as_ref().unwrap_or(&function.name).clone(),
            first_line: function.first_line,
            line: frame.line.unwrap_or(0),
            location: frame.location(),
        }
    }
}

/// The stacks of all threads by thread name, outermost level first.
fn stacks(sampler: &mut StackSampler) -> Vec<(String, Vec<Level>)> {
    let tick = sampler.sample().expect("the target runs");
    tick.threads()
        .filter(|sample| sample.outcome == SampleOutcome::Stack)
        .map(|sample| {
            let frames = sample.frames.iter().rev();
            let levels =
                frames.map(|frame| Level::of(tick.sampler().function(frame.function), frame));
            (
                tick.sampler().thread(sample.thread).name.clone(),
                levels.collect(),
            )
        })
        .collect()
}

fn stack_of<'a>(stacks: &'a [(String, Vec<Level>)], thread: &str) -> &'a [Level] {
    let found = stacks.iter().find(|(name, _)| name == thread);
    found
        .map(|(_, levels)| levels.as_slice())
        .unwrap_or_else(|| panic!("no thread {thread:?} in {stacks:?}"))
}

#[test]
fn only_chosen_threads_are_looked_at() {
    let python = pythons().pop().expect("there is a Python");
    let target = Target::start(&python, "known_stacks.py");
    let mut sampler =
        StackSampler::attach(target.pid(), HoldMode::Ptrace).expect("a supported Python");
    for _ in 0..4 {
        sampler.sample().expect("the target runs");
    }
    let deep = sampler
        .threads()
        .iter()
        .find(|thread| thread.name == "deep");
    let deep = deep.expect("it was seen").tid;
    sampler.choose_threads([deep]);
    let tick = sampler.sample().expect("the target runs");
    let seen = tick
        .threads()
        .map(|sample| tick.sampler().thread(sample.thread).tid);
    assert_eq!(seen.collect::<Vec<_>>(), [deep]);
    sampler.choose_threads([]);
    assert_eq!(
        sampler.sample().expect("the target runs").threads().count(),
        4
    );
}

/// Names are qualified from 3.11 on.
fn name(python: &Python, qualified: &str) -> String {
    let bare = qualified
        .rsplit('.')
        .next()
        .expect("there is always one part");
    if matches!(python.version.as_str(), "3.9" | "3.10") {
        bare.into()
    } else {
        qualified.into()
    }
}

/// Reads the known stacks of one interpreter, and checks every name and line.
fn check_known_stacks(python: &Python) {
    let script = "known_stacks.py";
    let target = Target::start(python, script);
    let mut sampler =
        StackSampler::attach(target.pid(), HoldMode::Ptrace).expect("a supported Python");
    let version = sampler.version();
    assert_eq!(
        format!("{}.{}", version.major, version.minor),
        python.version
    );
    // Names are looked up until they are found, so a few ticks may pass before the last one is there.
    for _ in 0..4 {
        sampler.sample().expect("the target runs");
    }
    let stacks = stacks(&mut sampler);
    assert_eq!(stacks.len(), 4, "{stacks:?}");

    let worker = stack_of(&stacks, "worker-\u{fc}\u{4e2d}\u{1f40d}");
    let tail: Vec<(String, u32)> = worker[worker.len() - 3..]
        .iter()
        .map(|level| (level.name.clone(), level.line))
        .collect();
    let expected = ["Worker.run", "Worker.pull", "Worker.numbers"];
    assert_eq!(
        tail,
        expected.map(|level| (name(python, level), marked_line(script, level)))
    );

    let deep = stack_of(&stacks, "deep");
    let levels: Vec<&Level> = deep.iter().filter(|level| level.name == "down").collect();
    assert_eq!(levels.len(), 3000);
    let calling = marked_line(script, "down");
    assert!(
        levels[..2999]
            .iter()
            .all(|level| level.line == calling && level.first_line == calling - 2),
        "{:?}",
        levels[7]
    );
    assert_eq!(levels[2999].line, marked_line(script, "down.bottom"));

    // The list comprehension is a frame of its own up to 3.11 and part of its function from 3.12 (PEP 709).
    let handler = stack_of(&stacks, "handler");
    let [.., call, bottom] = handler else {
        panic!("too short: {handler:?}")
    };
    assert_eq!(call.line, marked_line(script, "nap.call"));
    assert_eq!(bottom.name, "nap");

    let places = [
        (levels[7], "down(levels - 1)"),
        (levels[2999], "time.sleep(3600)"),
        (call, "nap(value)"),
        (bottom, "time.sleep(\n        3600\n    )"),
    ];
    for (level, text) in places {
        check_place(python, script, level, text);
    }

    let main = stack_of(&stacks, "MainThread");
    assert_eq!((main.len(), main[0].name.as_str()), (1, "<module>"));
    let threads = sampler.threads();
    assert!(
        threads
            .iter()
            .any(|thread| thread.tid.get() == target.pid().get() && thread.name == "MainThread")
    );
}

/// A level is at `text`: the columns of its location cut that out of the script, from 3.11 on.
fn check_place(python: &Python, script: &str, level: &Level, text: &str) {
    let Location {
        line,
        end_line,
        column,
        end_column,
    } = level.location;
    if matches!(python.version.as_str(), "3.9" | "3.10") {
        assert_eq!((end_line, column, end_column), (None, None, None));
        return;
    }
    let source = source(script);
    let start_of = |line: Option<u32>| {
        let before = line.expect("there is a line") as usize - 1;
        source
            .split_inclusive('\n')
            .take(before)
            .map(str::len)
            .sum::<usize>()
    };
    let start = start_of(line) + column.expect("there are columns") as usize;
    let end = start_of(end_line) + end_column.expect("there are columns") as usize;
    assert_eq!(&source[start..end], text, "{level:?} under {}", python.full);
}

/// Prints which interpreters were really tested. A version that is missing here is named.
#[test]
fn version_matrix() {
    println!("CPython versions tested against a real interpreter:");
    let mut tested = 0;
    for version in VERSIONS {
        match python(version) {
            Some(python) => {
                check_known_stacks(&python);
                println!("  {version:<5} tested with {}", python.full);
                tested += 1;
            }
            None => println!("  {version:<5} NOT TESTED: this machine has no python{version}"),
        }
    }
    println!("{tested} of {} versions tested", VERSIONS.len());
    assert!(
        tested > 0,
        "no supported CPython on this machine; install python3.9 or later"
    );
}

#[test]
fn where_modules_are_is_what_the_program_says() {
    let mut environments = 0;
    for python in pythons() {
        check_sys_paths(&python);
        if let Some(venv) = Venv::of(&python) {
            check_sys_paths(&venv.python);
            environments += 1;
        }
    }
    assert!(
        environments > 0,
        "no interpreter here has virtual environments"
    );
}

fn check_sys_paths(python: &Python) {
    let (target, said) = Target::start_and_hear(python, "sys_paths.py");
    let mut said = said.split('\t').map(str::to_owned);
    let prefixes: Vec<String> = said.by_ref().take(4).collect();
    let sampler = StackSampler::attach(target.pid(), HoldMode::Nothing).expect("a supported one");
    let expected = SysPaths {
        path: Some(said.collect()),
        prefixes: Some(prefixes),
    };
    assert_eq!(sampler.sys_paths(), expected, "under {}", python.full);
}

/// A call graph is known, so that a stack which mixes two moments would show.
#[test]
fn a_held_stack_is_never_torn() {
    for python in pythons() {
        let target = Target::start(&python, "call_heavy.py");
        let mut sampler =
            StackSampler::attach(target.pid(), HoldMode::Ptrace).expect("a supported Python");
        let (whole, lost) = count_possible_stacks(&mut sampler, Duration::from_millis(800));
        println!("{whole} whole and {lost} lost under {}", python.full);
        assert!(whole > 100, "{whole} samples under {}", python.full);
        assert!(
            lost * 50 <= whole,
            "{lost} lost of {whole} under {}",
            python.full
        );
    }
}

#[test]
fn without_holding_what_counts_is_possible_and_the_rest_is_lost() {
    for python in pythons() {
        let target = Target::start(&python, "call_heavy.py");
        let mut sampler =
            StackSampler::attach(target.pid(), HoldMode::Nothing).expect("a supported Python");
        let (whole, lost) = count_possible_stacks(&mut sampler, Duration::from_millis(500));
        assert!(
            whole + lost > 50,
            "{whole} + {lost} samples under {}",
            python.full
        );
    }
}

/// Samples for a while and checks each stack against the calls that `call_heavy.py` makes.
fn count_possible_stacks(sampler: &mut StackSampler, length: Duration) -> (usize, usize) {
    let end = Timestamp::now().after(length);
    let mut ticker = Ticker::start(Duration::from_millis(1));
    let (mut whole, mut lost) = (0, 0);
    let mut last: HashMap<ThreadKey, Vec<Frame>> = HashMap::new();
    while ticker.wait().at < end {
        let tick = sampler.sample().expect("the target runs");
        for sample in tick.threads() {
            if matches!(sample.outcome, SampleOutcome::Lost(_)) {
                lost += 1;
                continue;
            }
            whole += usize::from(sample.outcome == SampleOutcome::Stack);
            let before = last.entry(sample.thread).or_default();
            let outer = |frames: &[Frame]| frames[frames.len() - sample.shared..].to_vec();
            assert_eq!(
                outer(sample.frames),
                outer(before),
                "what is shared is the same"
            );
            *before = sample.frames.to_vec();
            let names = sample
                .frames
                .iter()
                .rev()
                .map(|frame| tick.sampler().function(frame.function).name.as_str());
            let names: Vec<&str> = names.collect();
            check_calls(&names);
        }
    }
    (whole, lost)
}

fn check_calls(names: &[&str]) {
    assert_eq!(
        names[..2.min(names.len())],
        ["<module>", "main"][..names.len().min(2)],
        "{names:?}"
    );
    for pair in names[1..].windows(2) {
        let possible = match pair[0] {
            "main" => matches!(pair[1], "even" | "__init__" | "<module>"),
            "even" => pair[1] == "odd",
            "odd" => pair[1] == "even",
            "__init__" => matches!(pair[1], "__init__" | "numbers"),
            "<module>" => matches!(pair[1], "<listcomp>" | "<lambda>"),
            "<listcomp>" => pair[1] == "<lambda>",
            _ => false,
        };
        assert!(possible, "{} does not call {}: {names:?}", pair[0], pair[1]);
    }
    let depth = names
        .iter()
        .filter(|name| matches!(**name, "even" | "odd"))
        .count();
    assert!(depth <= 21, "{depth} levels: {names:?}");
}

#[test]
fn subinterpreters_are_walked() {
    let mut tested = 0;
    for python in pythons() {
        let probe = python
            .command()
            .args(["-c", "import sys\ntry:\n import _interpreters\nexcept ImportError:\n import _xxsubinterpreters"])
            .output()
            .expect("it runs");
        if !probe.status.success() {
            continue;
        }
        let target = Target::start(&python, "subinterpreter.py");
        let mut sampler =
            StackSampler::attach(target.pid(), HoldMode::Ptrace).expect("a supported Python");
        let stacks = stacks(&mut sampler);
        let inside = stacks
            .iter()
            .any(|(_, levels)| levels.iter().any(|level| level.name == "inside"));
        assert!(inside, "{stacks:?} under {}", python.full);
        println!("a subinterpreter was walked in {}", python.full);
        tested += 1;
    }
    assert!(tested > 0, "no interpreter here has subinterpreters");
}

#[test]
fn a_blocked_thread_is_read_once_and_then_known_to_be_unchanged() {
    let python = pythons().pop().expect("a supported Python");
    let target = Target::start(&python, "known_stacks.py");
    let mut sampler =
        StackSampler::attach(target.pid(), HoldMode::Ptrace).expect("a supported Python");
    sampler.sample().expect("the target runs");
    let tick = sampler.sample().expect("the target runs");
    for sample in tick.threads() {
        assert!(
            sample.unchanged && !sample.on_cpu && !sample.frames.is_empty(),
            "{sample:?}"
        );
    }
}

#[test]
fn the_end_of_the_program_is_an_error_of_its_own() {
    let python = pythons().pop().expect("a supported Python");
    let target = Target::start(&python, "known_stacks.py");
    let pid = target.pid();
    let mut sampler = StackSampler::attach(pid, HoldMode::Ptrace).expect("a supported Python");
    drop(target);
    assert!(matches!(
        sampler.sample().map(|_| ()),
        Err(Error::NoSuchProcess { .. })
    ));
    assert!(matches!(
        StackSampler::attach(pid, HoldMode::Ptrace).map(|_| ()),
        Err(Error::NoSuchProcess { .. })
    ));
}

#[test]
fn a_process_that_is_no_python_is_told_so() {
    let mut child = Command::new("sleep")
        .arg("60")
        .spawn()
        .expect("there is a sleep");
    let result = StackSampler::attach(Pid::new(child.id()), HoldMode::Ptrace).map(|_| ());
    child
        .kill()
        .and_then(|()| child.wait())
        .expect("it can be killed");
    let error = result.expect_err("sleep is no Python");
    assert!(matches!(error, Error::NotPython { .. }), "{error}");
    assert!(
        error.to_string().contains("sleep") && error.to_string().contains("not a CPython program"),
        "{error}"
    );
}

#[test]
fn an_older_python_is_named_with_its_version() {
    let old = ["3.8", "3.7", "3.6"]
        .into_iter()
        .filter_map(python)
        .collect::<Vec<_>>();
    for python in &old {
        let mut child = python
            .command()
            .args(["-c", "import time; time.sleep(60)"])
            .spawn()
            .expect("it starts");
        std::thread::sleep(Duration::from_millis(300));
        let result = StackSampler::attach(Pid::new(child.id()), HoldMode::Ptrace).map(|_| ());
        child
            .kill()
            .and_then(|()| child.wait())
            .expect("it can be killed");
        let error = result.expect_err("too old");
        assert!(matches!(error, Error::UnsupportedPython { .. }), "{error}");
        assert!(
            error
                .to_string()
                .contains(&format!("CPython {}", python.version)),
            "{error}"
        );
    }
    println!("older versions at hand: {}", old.len());
}

/// The class that a function of `methods.py` says it has: what follows the two underscores.
fn class_in_name(name: &str) -> Option<Option<&str>> {
    let (_, class) = name.rsplit_once("__")?;
    Some(Some(class).filter(|class| !class.is_empty()))
}

#[test]
fn frames_say_whose_method_they_are_and_whether_they_hide() {
    for python in pythons() {
        for hold in [HoldMode::Ptrace, HoldMode::Nothing] {
            let target = Target::start(&python, "methods.py");
            let mut sampler = StackSampler::attach(target.pid(), hold).expect("a supported Python");
            let mut seen = HashMap::new();
            for _ in 0..2 {
                let tick = sampler.sample().expect("the target runs");
                for frame in tick.threads().flat_map(|sample| sample.frames) {
                    let function = tick.sampler().function(frame.function);
                    let Some(expected) = class_in_name(&function.name) else {
                        continue;
                    };
                    let class = frame.class.map(|class| tick.sampler().class_name(class));
                    assert_eq!(class, expected, "{function:?} under {}", python.full);
                    let hides = function.name.contains("hide") && !function.name.contains("_not");
                    assert_eq!(function.hidden, hides, "{function:?} under {}", python.full);
                    *seen.entry(function.name.clone()).or_insert(0) += 1;
                }
            }
            assert_eq!(seen.len(), 30, "{seen:?} under {}", python.full);
            assert_eq!(seen["recursive__Derived"], 2 * 51);
            assert_eq!(seen["visit__Node"], 2 * 201);
        }
    }
}

#[test]
fn an_object_that_is_gone_never_gives_a_wrong_class() {
    for python in pythons() {
        for hold in [HoldMode::Ptrace, HoldMode::Nothing] {
            let target = Target::start(&python, "short_lived.py");
            let mut sampler = StackSampler::attach(target.pid(), hold).expect("a supported Python");
            let (mut with, mut without) = (0, 0);
            let end = Timestamp::now().after(Duration::from_millis(600));
            while Timestamp::now() < end {
                let tick = sampler.sample().expect("the target runs");
                for frame in tick.threads().flat_map(|sample| sample.frames) {
                    let function = tick.sampler().function(frame.function);
                    let class = frame.class.map(|class| tick.sampler().class_name(class));
                    let expected = function.name.split_once('_').map(|(_, class)| class);
                    match class {
                        Some(class) if function.name != "__del__" => {
                            assert_eq!(Some(class), expected, "{function:?} {}", python.full);
                            with += 1;
                        }
                        Some(class) => assert_eq!(class, "Green"),
                        None => without += usize::from(expected.is_some()),
                    }
                }
            }
            println!(
                "{with} with class, {without} without, {hold:?} {}",
                python.full
            );
            match hold {
                HoldMode::Nothing => assert_eq!(with, 0),
                _ => assert!(with > 100 && with > without * 4),
            }
        }
    }
}
