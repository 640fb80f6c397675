//! Resource numbers against programs that know what they used.
//!
//! Each program is told what to do, does it, and answers with the truth from its own clocks and counters. Nothing
//! here depends on how long anything takes, only on what it uses.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use jumper_sampler::Pid;
use jumper_sampler::metrics::{
    Collector, Kind, Level, Metric, MetricsError, MetricsOptions, MetricsSample, MetricsSampler,
    Scan, Unit,
};

/// What clock ticks (10 ms each for user and system time, in two processes) and answering commands may add.
const CPU_TOLERANCE: f64 = 0.15;

/// `tests/targets/metrics_program.py`, ended when dropped.
struct Program {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Program {
    fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets/metrics_program.py");
        let mut child = Command::new("python3")
            .arg(script)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is needed for this test");
        let orders = child.stdin.take().expect("bug: standard input is piped");
        let answers = BufReader::new(child.stdout.take().expect("bug: standard output is piped"));
        let mut program = Self {
            child,
            orders,
            answers,
        };
        assert_eq!(program.answer(), "ready");
        program
    }

    fn end(&mut self) {
        // It may have been ended before. Its descendants end by themselves when nobody can order them any more.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }

    fn pid(&self) -> Pid {
        Pid::new(self.child.id())
    }

    fn order(&mut self, command: &str) {
        writeln!(self.orders, "{command}").expect("the program takes no orders");
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .expect("the program's answer is no text");
        line.trim().to_owned()
    }

    fn ask(&mut self, command: &str) -> f64 {
        self.order(command);
        self.number()
    }

    fn number(&mut self) -> f64 {
        let answer = self.answer();
        answer
            .parse()
            .unwrap_or_else(|_| panic!("the program answers `{answer}`"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

/// A sampler and all that it has sampled.
struct Table {
    sampler: MetricsSampler,
    samples: Vec<MetricsSample>,
}

impl Table {
    fn of(program: &Program) -> Self {
        // All anew each time: here samples follow each other at once.
        let options = MetricsOptions::default().with_slow_beat(Duration::ZERO);
        Self::with_options(program, &options)
    }

    fn with_options(program: &Program, options: &MetricsOptions) -> Self {
        let sampler = MetricsSampler::with_options(program.pid(), options)
            .expect("the program cannot be observed");
        Self {
            sampler,
            samples: Vec::new(),
        }
    }

    fn sample(&mut self) -> &mut Self {
        self.samples.push(self.sampler.sample().clone());
        self
    }

    fn values(&self, level: Level, name: &str) -> Vec<Option<f64>> {
        let column = self
            .sampler
            .position(name)
            .unwrap_or_else(|| panic!("no metric `{name}`"));
        let row = |sample: &MetricsSample| {
            sample.row(level).expect("bug: a level is missing").values[column]
        };
        self.samples.iter().map(row).collect()
    }

    /// The latest value at the process level.
    fn last(&self, name: &str) -> Option<f64> {
        *self
            .values(Level::Process, name)
            .last()
            .expect("bug: nothing was sampled")
    }

    fn known(&self, name: &str) -> f64 {
        self.last(name)
            .unwrap_or_else(|| panic!("`{name}` is unknown"))
    }

    /// A rate at the process level, summed over time.
    fn integral(&self, name: &str) -> f64 {
        let seconds = |pair: &[MetricsSample]| {
            pair[1]
                .time
                .saturating_duration_since(pair[0].time)
                .as_secs_f64()
        };
        let values = self.values(Level::Process, name);
        let parts = self.samples.windows(2).zip(&values[1..]);
        parts
            .map(|(pair, value)| value.expect("the rate is unknown") * seconds(pair))
            .sum()
    }
}

#[track_caller]
fn assert_near(measured: f64, truth: f64, tolerance: f64) {
    assert!(
        (measured - truth).abs() <= tolerance,
        "measured {measured}, the truth is {truth} +- {tolerance}"
    );
}

#[track_caller]
fn assert_never_falls(values: &[Option<f64>]) {
    assert!(
        values
            .is_sorted_by(|early, late| early.zip(*late).is_none_or(|(early, late)| early <= late)),
        "{values:?}"
    );
}

/// A file to write to, on a file system that has storage where the build directory has.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn the_first_sample_has_totals_and_no_rates() {
    let program = Program::start();
    let mut table = Table::of(&program);
    table.sample();
    assert_eq!(table.last("processes"), Some(1.0));
    for level in [Level::Process, Level::System] {
        for rate in [
            "cpu_util_avg",
            "io_read",
            "io_write",
            "io_read_count",
            "io_write_count",
        ] {
            assert_eq!(
                table.values(level, rate),
                [None],
                "{rate} at level {}",
                level.name()
            );
        }
        assert_eq!(table.values(level, "cpu_time"), [Some(0.0)]);
    }
}

#[test]
fn processor_time_is_what_the_program_used() {
    let mut program = Program::start();
    let mut table = Table::of(&program);
    let cpus = program.ask("cpus");
    table.sample();
    let truth = program.ask("burn 0.5") + {
        table.sample();
        program.ask("burn 0.5")
    };
    table.sample();
    assert_near(table.known("cpu_time"), truth, CPU_TOLERANCE);
    assert_near(
        table.integral("cpu_util_avg") / 100.0 * cpus,
        table.known("cpu_time"),
        1e-6,
    );
    let machine = table.values(Level::System, "cpu_time");
    assert!(
        machine[2] >= Some(truth - CPU_TOLERANCE),
        "the machine was busy for {machine:?}, a program for {truth}"
    );
    let shares = table.values(Level::System, "cpu_util_avg");
    assert!(
        shares[1..]
            .iter()
            .all(|share| share.is_some_and(|share| (0.0..=100.0).contains(&share))),
        "{shares:?}"
    );
}

#[test]
fn processor_time_of_a_child_that_was_never_seen_is_counted() {
    let mut program = Program::start();
    let mut table = Table::of(&program);
    table.sample();
    let truth = program.ask("run burn 0.4");
    table.sample();
    assert!(truth >= 0.4);
    assert_near(table.known("cpu_time"), truth, CPU_TOLERANCE);
}

#[test]
fn processor_time_of_a_child_is_counted_once() {
    let mut program = Program::start();
    let mut table = Table::of(&program);
    table.sample();
    let mut truth = program.ask("fork-burn 0.5");
    table.sample();
    assert_eq!(table.known("processes"), 2.0);
    assert_near(table.known("cpu_time"), truth, CPU_TOLERANCE);
    truth += program.ask("end-fork");
    table.sample().sample().sample();
    assert_eq!(table.known("processes"), 1.0);
    assert_near(table.known("cpu_time"), truth, CPU_TOLERANCE);
    assert_never_falls(&table.values(Level::Process, "cpu_time"));
}

#[test]
fn a_child_that_nobody_waits_for_takes_nothing_back() {
    let mut program = Program::start();
    let mut table = Table::of(&program);
    program.order("ignore-children");
    assert_eq!(program.answer(), "ignored");
    table.sample();
    let seen = program.ask("fork-burn 0.4");
    table.sample();
    // What it uses after it was seen last is lost with it; what its parent uses meanwhile is not.
    program.ask("end-fork");
    let own = program.ask("burn 0.4");
    table.sample().sample();
    assert_eq!(table.known("processes"), 1.0);
    assert_near(table.known("cpu_time"), seen + own, CPU_TOLERANCE);
    assert_never_falls(&table.values(Level::Process, "cpu_time"));
}

#[test]
fn an_orphan_still_belongs_to_the_program() {
    let mut program = Program::start();
    let mut table = Table::of(&program);
    program.order("grandchild 0.4");
    let pid = program.number();
    table.sample();
    assert_eq!(table.known("processes"), 3.0);
    program.order("orphan");
    let truth = program.number();
    table.sample();
    assert_eq!(table.known("processes"), 2.0, "the orphan is process {pid}");
    assert_near(table.known("cpu_time"), truth, CPU_TOLERANCE);
}

#[test]
fn what_is_left_of_a_program_is_still_observed() {
    let mut program = Program::start();
    let mut table = Table::of(&program);
    program.order("grandchild 0.2");
    program.number();
    table.sample();
    program.order("orphan");
    let truth = program.number();
    program.end();
    table.sample();
    assert_eq!(
        (table.last("processes"), table.last("threads")),
        (Some(1.0), Some(1.0))
    );
    assert_near(table.known("cpu_time"), truth, CPU_TOLERANCE);
    assert!(table.known("memory") > 0.0);
    // The orphan ends once nobody can give orders any more.
    drop(program);
    let give_up = Instant::now() + Duration::from_secs(60);
    while table.sample().known("processes") > 0.0 {
        assert!(Instant::now() < give_up, "the orphan does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(table.last("threads"), Some(0.0));
    assert_near(table.known("cpu_time"), truth, CPU_TOLERANCE);
    for unknown in [
        "cpu_util_avg",
        "memory",
        "rss",
        "io_read",
        "io_write",
        "io_read_count",
        "io_write_count",
    ] {
        assert_eq!(table.last(unknown), None, "{unknown}");
    }
}

#[test]
fn a_sample_may_fall_anywhere_into_the_life_of_a_child() {
    let mut program = Program::start();
    let mut table = Table::of(&program);
    let file = Scratch::new("metrics-busy");
    table.sample();
    program.order(&format!("busy-children 8 {}", file.0.display()));
    let answer = std::thread::scope(|scope| {
        let answer = scope.spawn(|| program.answer());
        while !answer.is_finished() {
            table.sample();
        }
        answer.join().expect("the answer cannot be read")
    });
    table.sample();
    let (cpu, bytes) = answer
        .split_once(' ')
        .expect("the program answers with two numbers");
    assert_near(
        table.known("cpu_time"),
        cpu.parse().expect("no number"),
        CPU_TOLERANCE,
    );
    let written = table.integral("io_write") * f64::from(1 << 20);
    assert_near(written, bytes.parse().expect("no number"), 1.0);
    assert_never_falls(&table.values(Level::Process, "cpu_time"));
}

#[test]
fn memory_rises_by_what_is_held() {
    let mut program = Program::start();
    let mut table = Table::of(&program);
    table.sample();
    let held = program.ask("hold 100000000") / f64::from(1 << 30);
    table.sample();
    for name in ["memory", "rss"] {
        let values = table.values(Level::Process, name);
        let rise = values[1]
            .zip(values[0])
            .map(|(after, before)| after - before);
        assert_near(
            rise.unwrap_or_else(|| panic!("`{name}` is unknown")),
            held,
            0.1 * held,
        );
    }
    assert!(
        table.known("memory") <= table.known("rss") + 0.01,
        "a unique set exceeds the resident one"
    );
    let used = table.values(Level::System, "memory");
    assert!(used[1] > Some(held), "{used:?}");
}

#[test]
fn bytes_written_are_the_integral_of_the_rate() {
    let mut program = Program::start();
    let mut table = Table::of(&program);
    let file = Scratch::new("metrics-written");
    table.sample();
    let mut truth = 0.0;
    for count in [3_000_000, 0, 5_000_000] {
        truth += program.ask(&format!("write {count} {}", file.0.display()));
        table.sample();
    }
    assert_near(table.integral("io_write") * f64::from(1 << 20), truth, 1.0);
    assert!(
        table.integral("io_write_count") >= 2.0,
        "writing a file takes calls"
    );
}

#[test]
fn bytes_that_a_child_wrote_are_counted_once() {
    let mut program = Program::start();
    let mut table = Table::of(&program);
    let file = Scratch::new("metrics-child-written");
    table.sample();
    let mut truth = program.ask(&format!("fork-write 4000000 {}", file.0.display()));
    table.sample();
    truth += program.ask("end-fork");
    table.sample().sample().sample();
    assert_near(table.integral("io_write") * f64::from(1 << 20), truth, 1.0);
}

#[test]
fn bytes_of_a_child_that_nobody_waits_for_cost_the_parent_nothing() {
    let mut program = Program::start();
    let mut table = Table::of(&program);
    let file = Scratch::new("metrics-ignored-written");
    program.order("ignore-children");
    assert_eq!(program.answer(), "ignored");
    table.sample();
    let seen = program.ask(&format!("fork-write 4000000 {}", file.0.display()));
    table.sample();
    program.ask("end-fork");
    let own = program.ask(&format!("write 2000000 {}", file.0.display()));
    table.sample().sample();
    assert_near(
        table.integral("io_write") * f64::from(1 << 20),
        seen + own,
        1.0,
    );
}

#[test]
fn a_name_cannot_hide_a_program() {
    let mut program = Program::start();
    let mut table = Table::of(&program);
    program.order("name a) R (b) 1");
    assert_eq!(program.answer(), "named");
    table.sample();
    let truth = program.ask("burn 0.2");
    table.sample();
    assert_near(table.known("cpu_time"), truth, CPU_TOLERANCE);
    assert_eq!(table.last("threads"), Some(1.0));
}

#[test]
fn threads_are_counted() {
    let mut program = Program::start();
    let mut table = Table::of(&program);
    table.sample();
    assert_eq!(
        (table.last("threads"), table.last("processes")),
        (Some(1.0), Some(1.0))
    );
    assert_eq!(program.ask("threads 5"), 6.0);
    table.sample();
    assert_eq!(
        (table.last("threads"), table.last("processes")),
        (Some(6.0), Some(1.0))
    );
    let machine = table.values(Level::System, "processes");
    assert!(
        machine.iter().all(|count| *count >= Some(2.0)),
        "{machine:?}"
    );
}

#[test]
fn a_process_that_is_not_there_is_an_error_that_names_it() {
    let error =
        MetricsSampler::new(Pid::new(u32::MAX)).expect_err("a process has an impossible number");
    assert!(matches!(error, MetricsError::NoSuchProcess { pid } if pid.get() == u32::MAX));
    assert!(
        error
            .to_string()
            .starts_with("there is no process 4294967295"),
        "{error}"
    );
}

/// Brings one metric, the number of processes.
struct Own(Vec<Metric>);

impl Own {
    fn boxed() -> Box<Self> {
        Box::new(Self(vec![Self::metric("own")]))
    }

    fn metric(name: &'static str) -> Metric {
        Metric::new(name.into(), Unit::Count, Kind::Gauge, "processes, again")
    }
}

impl Collector for Own {
    fn metrics(&self) -> &[Metric] {
        &self.0
    }

    fn begin(&mut self, _: &Scan) {
        if self.0.len() == 1 {
            self.0.extend([Self::metric("late"), Self::metric("rss")]);
        }
    }

    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
        let count = scan.pids(level).map(|pids| pids.count() as f64);
        values.fill(count.filter(|_| level == Level::Process));
    }
}

#[test]
fn a_collector_of_the_user_joins_the_table() {
    let program = Program::start();
    let mut table = Table::of(&program);
    table
        .sampler
        .add_collector(Own::boxed())
        .expect("the name is free");
    let again = table
        .sampler
        .add_collector(Own::boxed())
        .expect_err("the name is taken");
    assert!(
        matches!(&again, MetricsError::DuplicateMetric { name } if name == "own"),
        "{again}"
    );
    assert_eq!(table.sampler.metrics().last(), Some(&Own::metric("own")));
    table.sample();
    assert_eq!(table.last("own"), Some(1.0));
    assert_eq!(table.values(Level::System, "own"), [None]);
    // Another metric comes with the first sample, and one whose name is taken.
    assert_eq!(table.sampler.metrics().last(), Some(&Own::metric("late")));
    assert_eq!(table.last("late"), Some(1.0));
    assert_ne!(table.last("rss"), Some(1.0));
    let notes = table.sampler.take_notes();
    assert!(notes.len() == 1 && notes[0].contains("`rss`"), "{notes:?}");
}
