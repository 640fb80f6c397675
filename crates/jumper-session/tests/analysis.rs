//! What metrics say: sessions of which it is known who used what.

use std::collections::BTreeSet;
use std::time::Duration;

use jumper_session::*;

use crate::support::{Random, saved};

const GIB: f64 = 1_073_741_824.0;
const MIB: f64 = 1_048_576.0;

/// Builds sessions in words of one letter: a function, called by `main`.
struct Maker {
    builder: SessionBuilder,
    host: HostId,
    process: ProcessId,
}

impl Maker {
    fn new() -> Self {
        Self::on(Host {
            cpus: 4,
            memory_bytes: 8 << 30,
            ..Host::default()
        })
    }

    fn on(host: Host) -> Self {
        let mut builder = SessionBuilder::new();
        let host = builder.add_host(host);
        let process = builder.add_process(host, 1, None);
        Self {
            builder,
            host,
            process,
        }
    }

    fn thread(&mut self, name: &str) -> ThreadId {
        let number = name.len() as u64;
        self.builder.add_thread(self.process, number, Some(name))
    }

    /// Columns as `NAME UNIT`, with an asterisk in front of counters.
    fn metrics(&mut self, columns: &[&str]) {
        for text in columns {
            let (name, unit) = text.split_once(' ').unwrap_or((text, ""));
            let column = MetricColumn {
                name: name.trim_start_matches('*').into(),
                unit: unit.into(),
                kind: match name.starts_with('*') {
                    true => MetricKind::Counter,
                    false => MetricKind::Gauge,
                },
                help: String::new(),
                beat: None,
            };
            self.builder.declare_metric(column).unwrap();
        }
    }

    fn row(&mut self, millis: i64, level: &str, values: &[Option<f64>]) {
        let level = self.builder.intern_string(level);
        let time = Timestamp::from_nanos(millis * 1_000_000);
        self.builder.push_metrics(time, self.host, level, values);
    }

    /// A sample from one millisecond to another.
    fn sample(&mut self, thread: ThreadId, letter: &str, millis: (i64, i64), on_cpu: bool) {
        let frames: Vec<_> = ["main", letter]
            .iter()
            .map(|name| {
                let function = Function {
                    name,
                    qualname: None,
                    file: "t.py",
                    first_line: 1,
                    hidden: false,
                };
                (self.builder.intern_function(&function), 1)
            })
            .collect();
        let stack = self.builder.intern_stack_frames(frames);
        self.builder.push_sample(NewSample {
            time: Timestamp::from_nanos(millis.1 * 1_000_000),
            duration: Duration::from_millis(millis.1.abs_diff(millis.0)),
            thread,
            task: None,
            state: match on_cpu {
                true => ThreadState::ON_CPU,
                false => ThreadState::NONE,
            },
            stack,
        });
    }

    fn finish(self) -> Session {
        self.builder.finish(Manifest {
            end: Timestamp::from_nanos(10_000_000_000),
            ..Manifest::default()
        })
    }
}

fn with_resources(session: &Session) -> FrameTree {
    let options = TreeOptions {
        resources: true,
        ..TreeOptions::default()
    };
    FrameTree::build_with(session, &options)
}

/// What each function used of something while it was the innermost frame.
fn own(session: &Session, resource: Resource) -> Vec<(String, f64)> {
    let tree = with_resources(session);
    let mut own: Vec<_> = tree
        .functions()
        .iter()
        .map(|used| {
            let name = tree.function(used.function).name.to_owned();
            (name, used.own.get(resource))
        })
        .filter(|(name, _)| name != "main")
        .collect();
    own.sort_by(|one, other| one.0.cmp(&other.0));
    own
}

fn assert_own(session: &Session, resource: Resource, expected: &[(&str, f64)]) {
    let found = own(session, resource);
    assert_eq!(found.len(), expected.len(), "{resource:?}: {found:?}");
    for ((name, amount), (expected_name, expected)) in found.iter().zip(expected) {
        assert_eq!(name, expected_name);
        assert_close(*amount, *expected, &format!("{resource:?} of {name}"));
    }
}

fn assert_close(found: f64, expected: f64, what: &str) {
    let size = found.abs().max(expected.abs()).max(1.0);
    assert!(
        (found - expected).abs() <= 1e-9 * size,
        "{what}: {found} and not {expected}"
    );
}

fn statistics<'a>(
    session: &Session,
    all: &'a [MetricStatistics],
    name: &str,
) -> &'a MetricStatistics {
    let metric = session.metrics().find(name).unwrap();
    let found = all
        .iter()
        .find(|found| found.metric == metric && session.string(found.level) == "process");
    found.unwrap()
}

fn measured_program() -> Maker {
    let mut maker = Maker::new();
    maker.metrics(&["memory GiB", "io_read MiB/s", "*cpu_time s", "gone %"]);
    maker.row(0, "process", &[Some(1.0), None, Some(0.5)]);
    maker.row(1000, "process", &[Some(4.0), Some(10.0), Some(1.0)]);
    maker.row(2000, "process", &[None, None, None]);
    maker.row(4000, "process", &[Some(1.0), Some(2.0), Some(3.5)]);
    maker.row(4000, "system", &[Some(2.0), None, None]);
    maker
}

#[test]
fn statistics_are_those_of_what_is_known() {
    let session = measured_program().finish();
    let all = MetricStatistics::of(&session);
    let memory = statistics(&session, &all, "memory");
    assert_eq!((memory.rows, memory.count), (4, 3));
    assert_eq!((memory.min, memory.average, memory.max), (1.0, 2.0, 4.0));
    assert_eq!((memory.total, memory.limit), (None, Some(8.0)));
    // The last rate is one over all the time since the one before.
    let read = statistics(&session, &all, "io_read");
    assert_eq!((read.average, read.total), (6.0, Some(10.0 + 3.0 * 2.0)));
    assert_eq!(read.limit, None);
    let cpu = statistics(&session, &all, "cpu_time");
    assert_eq!(cpu.total, Some(3.0));
    // What nobody measured has no statistics, and what was measured once adds up to nothing that is known.
    let gone = session.metrics().find("gone").unwrap();
    assert!(all.iter().all(|found| found.metric != gone));
    let system = all.last().unwrap();
    assert_eq!(session.string(system.level), "system");
    assert_eq!((system.count, system.average, system.total), (1, 2.0, None));
}

#[test]
fn statistics_of_a_selection_are_those_of_its_rows() {
    let seconds = |from, to| {
        let time = |seconds: i64| Timestamp::from_nanos(seconds * 1_000_000_000);
        Selection::all().between(time(from), time(to))
    };
    let session = measured_program().finish().select(&seconds(1, 4)).unwrap();
    let all = MetricStatistics::of(&session);
    let memory = statistics(&session, &all, "memory");
    assert_eq!((memory.count, memory.average), (2, 2.5));
    assert_eq!(statistics(&session, &all, "io_read").total, Some(6.0));
}

#[test]
fn limits_are_those_of_the_level() {
    let mut host = Host {
        memory_bytes: 16 << 30,
        gpus: vec![Gpu {
            memory_bytes: 4 << 30,
            ..Gpu::default()
        }],
        ..Host::default()
    };
    host.memory_limits.insert("process".into(), 2 << 30);
    let mut maker = Maker::on(host);
    maker.metrics(&["memory MiB", "gpu_mem_avg GiB"]);
    maker.row(0, "process", &[Some(1.0), Some(1.0)]);
    maker.row(0, "system", &[Some(1.0), Some(1.0)]);
    let limits: Vec<_> = MetricStatistics::of(&maker.finish())
        .iter()
        .map(|found| found.limit)
        .collect();
    assert_eq!(limits, [Some(2048.0), Some(4.0), Some(16384.0), Some(4.0)]);
}

/// The tags of the level `process` with their scores, and those of which nothing is known.
fn tags(session: &Session) -> (Vec<(&'static str, f64)>, Vec<&'static str>) {
    let signatures = Signature::of(session);
    let tags = signatures[0].tags.iter();
    let unknown = signatures[0].unknown.iter();
    (
        tags.map(|score| (score.tag.name(), score.score)).collect(),
        unknown.map(|tag| tag.name()).collect(),
    )
}

#[test]
fn a_program_is_tagged_by_the_shares_that_it_used() {
    let mut maker = Maker::on(Host {
        memory_bytes: 8 << 30,
        gpus: vec![Gpu {
            memory_bytes: 10 << 30,
            ..Gpu::default()
        }],
        ..Host::default()
    });
    maker.metrics(&[
        "cpu_util_avg %",
        "memory GiB",
        "gpu_util_avg %",
        "gpu_mem_avg GiB",
    ]);
    maker.row(0, "process", &[Some(70.0), Some(7.2), Some(0.0), Some(1.0)]);
    maker.row(
        1,
        "process",
        &[Some(70.0), Some(7.2), Some(90.0), Some(1.0)],
    );
    let session = maker.finish();
    let expected = vec![
        ("gpu-allocated-but-not-used", 0.5),
        ("memory-bound", 0.9),
        ("cpu-bound", 0.7),
    ];
    assert_eq!(tags(&session), (expected, vec![]));

    // Chosen thresholds stay with the session.
    let strict = Thresholds {
        cpu_ratio: 0.71,
        gpu_util_ratio: 0.4,
        gpu_alloc_min_fraction: 0.6,
        ..Thresholds::default()
    };
    let (_directory, path) = saved(&session.with_thresholds(strict));
    let session = Session::open(path).unwrap();
    assert_eq!(session.manifest().thresholds, Some(strict));
    let expected = vec![("memory-bound", 0.9), ("gpu-util-bound", 0.45)];
    assert_eq!(tags(&session), (expected, vec![]));
}

#[test]
fn what_is_not_known_is_not_judged() {
    let mut maker = Maker::on(Host::default());
    maker.metrics(&["cpu_util_avg %", "memory GiB", "gpu_util_avg %"]);
    maker.row(0, "process", &[None, Some(5.0), Some(99.0)]);
    maker.row(1, "process", &[Some(20.0), Some(5.0), None]);
    // A threshold that nothing is below.
    let session = maker.finish().with_thresholds(Thresholds {
        memory_ratio: 0.0,
        gpu_memory_ratio: 0.0,
        ..Thresholds::default()
    });
    // Of memory the limit is not known, and of GPUs how many there are.
    assert_eq!(
        tags(&session),
        (
            vec![("gpu-util-bound", 0.99)],
            vec![
                "memory-bound",
                "gpu-memory-bound",
                "gpu-allocated-but-not-used"
            ]
        )
    );
    let mut idle = Maker::new();
    idle.metrics(&["cpu_util_avg %"]);
    idle.row(0, "process", &[None]);
    let (given, unknown) = tags(&idle.finish());
    assert_eq!((given, unknown.len()), (vec![("normal", 0.0)], 5));
}

#[test]
fn each_function_has_what_was_used_while_it_ran() {
    let mut maker = Maker::new();
    maker.metrics(&[
        "memory GiB",
        "*cpu_time s",
        "io_read MiB/s",
        "io_write MiB/s",
    ]);
    maker.row(0, "process", &[Some(1.0), Some(0.0), None, None]);
    maker.row(
        1000,
        "process",
        &[Some(3.0), Some(1.0), Some(0.0), Some(0.0)],
    );
    maker.row(
        2000,
        "process",
        &[Some(2.5), Some(1.5), Some(8.0), Some(0.0)],
    );
    maker.row(
        3000,
        "process",
        &[Some(2.5), Some(1.75), Some(0.0), Some(4.0)],
    );
    let thread = maker.thread("Main");
    // Not in the order of time, and one of them reaches from one second into the next.
    maker.sample(thread, "w", (2000, 3000), true);
    maker.sample(thread, "a", (0, 500), true);
    maker.sample(thread, "r", (1500, 2000), true);
    maker.sample(thread, "a", (500, 1500), true);
    let session = maker.finish();
    let both = [("a", 2.0 * GIB), ("r", 0.0), ("w", 0.0)];
    assert_own(&session, Resource::MemoryGained, &both);
    let freed = [("a", 0.25 * GIB), ("r", 0.25 * GIB), ("w", 0.0)];
    assert_own(&session, Resource::MemoryFreed, &freed);
    assert_own(
        &session,
        Resource::CpuTime,
        &[("a", 1.25), ("r", 0.25), ("w", 0.25)],
    );
    let read = [("a", 4.0 * MIB), ("r", 4.0 * MIB), ("w", 0.0)];
    assert_own(&session, Resource::BytesRead, &read);
    let written = [("a", 0.0), ("r", 0.0), ("w", 4.0 * MIB)];
    assert_own(&session, Resource::BytesWritten, &written);
    let attribution = Attribution::of(&session);
    assert_eq!(attribution.measured(Resource::CpuTime), Some(1.75));
    assert_eq!(attribution.unattributed(Resource::CpuTime), Some(0.0));
    assert_eq!(attribution.measured(Resource::GpuTime), None);

    // Whoever called them has it all.
    let tree = with_resources(&session);
    let functions = tree.functions();
    let main = functions
        .iter()
        .find(|used| tree.function(used.function).name == "main");
    let main = main.unwrap();
    assert_close(main.total.get(Resource::CpuTime), 1.75, "total of main");
    assert_eq!(main.own.get(Resource::CpuTime), 0.0);
    assert_eq!(main.time, Duration::from_secs(3));
}

#[test]
fn who_waits_gets_nothing_while_another_runs() {
    let mut maker = Maker::new();
    maker.metrics(&["memory GiB", "*cpu_time s"]);
    maker.row(0, "process", &[Some(0.0), Some(0.0)]);
    maker.row(1000, "process", &[Some(1.0), Some(0.5)]);
    maker.row(2000, "process", &[Some(2.0), Some(0.75)]);
    maker.row(3000, "process", &[Some(3.0), Some(1.75)]);
    let (main, worker) = (maker.thread("Main"), maker.thread("worker"));
    maker.sample(main, "wait", (0, 2000), false);
    maker.sample(worker, "work", (0, 1000), true);
    maker.sample(worker, "sleep", (1000, 2000), false);
    let session = maker.finish();
    // In the second of these seconds nobody runs: memory is shared, and CPU time is nobody's.
    let gained = [("sleep", 0.5 * GIB), ("wait", 0.5 * GIB), ("work", GIB)];
    assert_own(&session, Resource::MemoryGained, &gained);
    let cpu = [("sleep", 0.0), ("wait", 0.0), ("work", 0.5)];
    assert_own(&session, Resource::CpuTime, &cpu);
    let attribution = Attribution::of(&session);
    // In the third there is no sample at all.
    assert_eq!(attribution.unattributed(Resource::MemoryGained), Some(GIB));
    assert_eq!(attribution.unattributed(Resource::CpuTime), Some(1.25));
}

#[test]
fn a_part_of_a_session_gets_its_part() {
    let mut maker = Maker::new();
    maker.metrics(&["memory GiB", "*cpu_time s"]);
    maker.row(0, "process", &[Some(0.0), Some(0.0)]);
    maker.row(1000, "process", &[Some(4.0), Some(2.0)]);
    let (main, worker) = (maker.thread("Main"), maker.thread("worker"));
    maker.sample(main, "m", (0, 1000), true);
    maker.sample(worker, "w", (0, 1000), true);
    let session = maker.finish();
    let whole = [("m", 2.0 * GIB), ("w", 2.0 * GIB)];
    assert_own(&session, Resource::MemoryGained, &whole);
    let one = Selection::all().of_threads([main]);
    let part = session.clone().select(&one).unwrap();
    assert_own(&part, Resource::MemoryGained, &[("m", 2.0 * GIB)]);
    // Of a time between two measurements, too, and of a part of a part.
    let time = |millis: i64| Timestamp::from_nanos(millis * 1_000_000);
    let middle = Selection::all().between(time(250), time(500));
    let part = part.select(&middle).unwrap();
    assert_own(&part, Resource::MemoryGained, &[("m", 0.5 * GIB)]);
    assert_own(&part, Resource::CpuTime, &[("m", 0.25)]);
    let attribution = Attribution::of(&part);
    assert_eq!(attribution.measured(Resource::CpuTime), Some(2.0));
}

#[test]
fn cpu_time_that_was_not_measured_is_that_of_the_samples() {
    let mut maker = Maker::new();
    let thread = maker.thread("Main");
    maker.sample(thread, "f", (0, 300), true);
    maker.sample(thread, "g", (300, 1000), false);
    let session = maker.finish();
    assert_own(&session, Resource::CpuTime, &[("f", 0.3), ("g", 0.0)]);
    assert_eq!(
        Attribution::of(&session).measured(Resource::CpuTime),
        Some(0.3)
    );

    // Where nobody looked whether threads run, nothing is known.
    let mut maker = Maker::new();
    let thread = maker.thread("Main");
    maker.sample(thread, "f", (0, 300), false);
    assert!(Attribution::of(&maker.finish()).is_empty());
}

#[test]
fn utilisations_are_used_where_there_are_no_counters() {
    let mut maker = Maker::on(Host {
        cpus: 4,
        gpus: vec![Gpu::default(), Gpu::default()],
        ..Host::default()
    });
    maker.metrics(&["cpu_util_avg %", "gpu_util_avg %", "gpu_mem_avg GiB"]);
    maker.row(0, "process", &[Some(99.0), Some(99.0), Some(1.0)]);
    maker.row(2000, "process", &[Some(25.0), Some(50.0), Some(2.0)]);
    let thread = maker.thread("Main");
    maker.sample(thread, "f", (0, 2000), true);
    let session = maker.finish();
    assert_own(&session, Resource::CpuTime, &[("f", 2.0)]);
    assert_own(&session, Resource::GpuTime, &[("f", 2.0)]);
    assert_own(&session, Resource::GpuMemoryGained, &[("f", 2.0 * GIB)]);
}

#[test]
fn the_time_from_one_recording_to_the_next_is_in_neither() {
    let recording = |pid: u32, from: i64, memory: f64| {
        let mut maker = Maker::new();
        maker.process = maker.builder.add_process(maker.host, pid, None);
        maker.metrics(&["*cpu_time s", "memory GiB"]);
        maker.row(from, "process", &[Some(0.0), Some(memory)]);
        maker.row(from + 1000, "process", &[Some(1.0), Some(memory + 1.0)]);
        let thread = maker.thread("Main");
        maker.sample(thread, "f", (from, from + 1000), true);
        maker.finish()
    };
    let after = merge(&[recording(7, 0, 1.0), recording(8, 5000, 8.0)]).unwrap();
    assert_own(&after, Resource::CpuTime, &[("f", 2.0)]);
    assert_own(&after, Resource::MemoryGained, &[("f", 2.0 * GIB)]);

    // At the same time, nobody knows which row belongs to which.
    let mixed = |pid: u32, shift: i64| {
        let mut maker = Maker::new();
        maker.process = maker.builder.add_process(maker.host, pid, None);
        maker.metrics(&["*cpu_time s"]);
        for row in 0..9 {
            let values = [Some(row as f64 + f64::from(pid))];
            maker.row(row * 100 + shift, "process", &values);
        }
        maker.finish()
    };
    let at_once = merge(&[mixed(10, 0), mixed(70, 50)]).unwrap();
    assert_eq!(Attribution::of(&at_once).measured(Resource::CpuTime), None);
    let all = MetricStatistics::of(&at_once);
    assert_eq!(statistics(&at_once, &all, "cpu_time").total, None);
}

/// Any session: rows in any order, of several hosts, with anything unknown, and samples of any length.
fn random_session(seed: u64) -> Session {
    let mut random = Random::new(seed);
    let mut maker = Maker::new();
    let other = maker.builder.add_host(Host {
        name: "other".into(),
        ..Host::default()
    });
    let elsewhere = maker.builder.add_process(other, 2, None);
    maker.metrics(&[
        "memory GiB",
        "*cpu_time s",
        "io_read MiB/s",
        "io_write kB/s",
        "gpu_util_avg %",
        "gpu_mem_avg GiB",
    ]);
    let (mut cpu, length) = (0.0, 1000);
    let mut times: Vec<i64> = (0..random.below(30))
        .map(|_| random.below(length) as i64)
        .collect();
    times.sort_unstable();
    for time in times {
        cpu += random.below(100) as f64 / 100.0;
        let values: Vec<Option<f64>> = (0..6)
            .map(|column| {
                let value = match column {
                    1 => cpu,
                    _ => random.below(1000) as f64 / 10.0,
                };
                (random.below(5) > 0).then_some(value)
            })
            .collect();
        let first = maker.host;
        maker.host = [first, other][random.below(4) / 3];
        maker.row(time, ["process", "system"][random.below(8) / 7], &values);
        maker.host = first;
    }
    let threads = [
        maker.thread("Main"),
        maker.thread("other"),
        maker.builder.add_thread(elsewhere, 9, None),
    ];
    for _ in 0..random.below(300) {
        let end = random.below(length + 100) as i64;
        let longest = [3, 40, length][random.below(3)];
        let begin = end - random.below(longest) as i64;
        let letter = ["a", "b", "c", "d"][random.below(4)];
        let thread = threads[random.below(threads.len())];
        maker.sample(thread, letter, (begin, end), random.below(2) == 0);
    }
    maker.finish()
}

/// What a metric says was used, by host: from when to when, and how much.
fn changes(session: &Session, name: &str) -> Vec<(HostId, i64, i64, f64)> {
    let metrics = session.metrics();
    let values = metrics.values(metrics.find(name).unwrap());
    let mut found = Vec::new();
    for host in [0, 1] {
        let mut rows: Vec<usize> = (0..metrics.len())
            .filter(|&row| {
                metrics.hosts()[row].index() == host
                    && session.string(metrics.levels()[row]) == "process"
                    && values[row].is_some()
            })
            .collect();
        rows.sort_by_key(|&row| metrics.times()[row]);
        for pair in rows.windows(2) {
            let [from, to] = [pair[0], pair[1]].map(|row| metrics.times()[row].as_nanos());
            let amount = values[pair[1]].unwrap() - values[pair[0]].unwrap();
            found.push((metrics.hosts()[pair[0]], from, to, amount));
        }
    }
    found
}

/// How long a sample was between two moments, in nanoseconds.
fn overlap(sample: &Sample, from: i64, to: i64) -> f64 {
    let end = sample.time.as_nanos();
    let begin = end - sample.duration.as_nanos() as i64;
    (end.min(to) - begin.max(from)).max(0) as f64
}

/// The rule, word by word: each change is shared out among the samples on a CPU, else among all. Returns what each stack has,
/// and what nobody has.
fn shared_out(session: &Session, name: &str, sign: f64, only_running: bool) -> (Vec<f64>, f64) {
    let mut own = vec![0.0; session.stacks().len()];
    let mut left = 0.0;
    for (host, from, to, amount) in changes(session, name) {
        let amount = (amount * sign).max(0.0);
        let is_here = |sample: &Sample| sample.host == host && overlap(sample, from, to) > 0.0;
        let here: Vec<Sample> = session.samples().iter().filter(is_here).collect();
        let running = here
            .iter()
            .filter(|sample| sample.state.contains(ThreadState::ON_CPU));
        let mut payees: Vec<&Sample> = running.collect();
        if payees.is_empty() && !only_running {
            payees = here.iter().collect();
        }
        let time: f64 = payees.iter().map(|sample| overlap(sample, from, to)).sum();
        if payees.is_empty() {
            left += amount;
        }
        for sample in payees {
            own[sample.stack.unwrap().index()] += amount * overlap(sample, from, to) / time;
        }
    }
    (own, left)
}

#[test]
fn any_session_is_shared_out_by_the_rule() {
    let mut busy = 0;
    for seed in 0..300 {
        let session = random_session(seed);
        let attribution = Attribution::of(&session);
        let own = attribution.own_of_stacks(&session);
        for (name, sign, resource, scale) in [
            ("memory", 1.0, Resource::MemoryGained, GIB),
            ("memory", -1.0, Resource::MemoryFreed, GIB),
            ("cpu_time", 1.0, Resource::CpuTime, 1.0),
        ] {
            let is_cpu = resource == Resource::CpuTime;
            // A host without its counter has the time of the samples, which is not what is looked at here.
            let hosts: BTreeSet<HostId> = changes(&session, name)
                .iter()
                .map(|change| change.0)
                .collect();
            if hosts.is_empty() || is_cpu && hosts.len() < 2 {
                continue;
            }
            busy += 1;
            let (expected, left) = shared_out(&session, name, sign, is_cpu);
            for (own, expected) in own.iter().zip(expected) {
                let what = format!("seed {seed}, {resource:?}");
                assert_close(own.get(resource), expected * scale, &what);
            }
            let unattributed = attribution.unattributed(resource).unwrap();
            assert_close(unattributed, left * scale, "unattributed");
        }
    }
    assert!(busy > 300, "{busy}");
}

#[test]
fn what_samples_have_and_what_nobody_has_is_what_was_measured() {
    for seed in 0..300 {
        let session = random_session(seed);
        let attribution = Attribution::of(&session);
        for timeline in [false, true] {
            let options = TreeOptions {
                timeline,
                self_nodes: seed % 2 == 0,
                scope: [Scope::Thread, Scope::Session][seed as usize % 3 / 2],
                resources: true,
                states: false,
            };
            let tree = FrameTree::build_with(&session, &options);
            let root = tree.resource_totals()[tree.root().index()];
            for resource in Resource::ALL {
                let what = format!("seed {seed}, {resource:?}");
                match attribution.measured(resource) {
                    None => assert_eq!(root.get(resource), 0.0, "{what}"),
                    Some(measured) => {
                        let left = attribution.unattributed(resource).unwrap();
                        assert_close(root.get(resource) + left, measured, &what);
                    }
                }
            }
        }
    }
}

#[test]
fn parts_of_a_session_have_together_what_it_has() {
    for seed in 0..60 {
        let session = random_session(seed);
        let sum = |session: &Session| {
            let tree = with_resources(session);
            tree.resource_totals()[tree.root().index()]
        };
        let whole = sum(&session);
        let time = |millis: i64| Timestamp::from_nanos(millis * 1_000_000);
        let edges = [-2_000, 130, 131, 600, 5_000];
        let spans = edges.windows(2);
        let mut selections: Vec<Vec<Selection>> = vec![
            spans
                .map(|edges| Selection::all().between(time(edges[0]), time(edges[1])))
                .collect(),
        ];
        let threads = session.threads().iter();
        selections.push(
            threads
                .map(|(id, _)| Selection::all().of_threads([id]))
                .collect(),
        );
        for selections in selections {
            let mut parts = Resources::default();
            for selection in selections {
                if let Ok(part) = session.clone().select(&selection) {
                    parts += sum(&part);
                }
            }
            for resource in Resource::ALL {
                let what = format!("seed {seed}, {resource:?}");
                assert_close(parts.get(resource), whole.get(resource), &what);
            }
        }
    }
}

#[test]
fn samples_as_long_as_the_recording_cost_no_more_than_others() {
    const ROWS: i64 = 50_000;
    let mut maker = Maker::new();
    maker.metrics(&["*cpu_time s"]);
    for row in 0..ROWS {
        maker.row(row, "process", &[Some(row as f64)]);
    }
    let thread = maker.thread("Main");
    // One look at each row for each sample would be 2.5 thousand million.
    for _ in 0..ROWS {
        maker.sample(thread, "f", (-5, ROWS + 5), true);
    }
    let session = maker.finish();
    assert_own(&session, Resource::CpuTime, &[("f", (ROWS - 1) as f64)]);
}

#[test]
fn values_that_nothing_can_have_stay_numbers() {
    let mut maker = Maker::new();
    maker.metrics(&["memory GiB", "*cpu_time s", "io_read MiB/s", "rss GiB"]);
    let thread = maker.thread("Main");
    for (row, value) in [f64::MAX, f64::MIN, f64::MAX, -1.0, 1e300]
        .into_iter()
        .enumerate()
    {
        let millis = row as i64 * 1000;
        maker.row(millis, "process", &[Some(value); 4]);
        maker.sample(thread, "f", (millis, millis + 1000), true);
    }
    let session = maker.finish();
    let attribution = Attribution::of(&session);
    for resource in Resource::ALL {
        assert!(attribution.measured(resource).is_none_or(f64::is_finite));
        assert!(own(&session, resource)[0].1.is_finite());
    }
}
