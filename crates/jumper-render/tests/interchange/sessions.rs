//! Sessions that formats of other programs are made of, here and in the example `interchange_files`.

use std::time::Duration;

use jumper_session::{
    Cell, CellOutcome, ClockAnchor, Function, FunctionId, Host, HostId, Manifest, MetricColumn,
    MetricKind, NewSample, Program, Session, SessionBuilder, StacksSummary, ThreadId, ThreadState,
    Timestamp,
};

/// A name that ends whatever it is put into, if it is not encoded.
pub(crate) const HOSTILE: &str = "a;b\nc\"d\\</script>\u{202e}\u{0}\u{2028}\x1b[31m";

/// All of them by name.
pub(crate) fn all() -> Vec<(&'static str, Session)> {
    vec![
        ("full", full()),
        ("single", single()),
        ("no_stacks", no_stacks()),
        ("no_metrics", no_metrics()),
        ("empty", SessionBuilder::new().finish(Manifest::default())),
    ]
}

const MILLISECOND: i64 = 1_000_000;

fn function(builder: &mut SessionBuilder, name: &str, file: &str) -> FunctionId {
    builder.intern_function(&Function {
        name,
        qualname: None,
        file,
        first_line: 7,
        hidden: false,
    })
}

/// Samples of a thread, a millisecond each and one after the other, from the `from`th millisecond on.
fn samples(
    builder: &mut SessionBuilder,
    thread: ThreadId,
    from: i64,
    stacks: &[(&[FunctionId], i64)],
) {
    let mut time = from;
    for (frames, count) in stacks {
        let places = frames.iter().enumerate();
        let stack = builder.intern_stack_frames(places.map(|(line, frame)| (*frame, line as u32)));
        for _ in 0..*count {
            time += 1;
            builder.push_sample(NewSample {
                time: Timestamp::from_nanos(time * MILLISECOND),
                duration: Duration::from_millis(1),
                thread,
                task: None,
                state: match time % 2 {
                    0 => ThreadState::ON_CPU,
                    _ => ThreadState::NONE,
                },
                stack,
            });
        }
    }
}

fn metrics(builder: &mut SessionBuilder, host: HostId) {
    for (name, unit, kind) in [
        ("cpu_util_avg", "%", MetricKind::Gauge),
        ("memory", "GiB", MetricKind::Gauge),
        ("io_read", "MiB/s", MetricKind::Gauge),
        ("cpu_time", "s", MetricKind::Counter),
        ("unknown", "%", MetricKind::Gauge),
    ] {
        let column = MetricColumn {
            name: name.into(),
            unit: unit.into(),
            kind,
            help: format!("what {name} is"),
            ..MetricColumn::default()
        };
        builder.declare_metric(column).expect("a good name");
    }
    let process = builder.intern_string("process");
    let system = builder.intern_string("system");
    for step in 0..10 {
        let value = step as f64;
        let time = Timestamp::from_nanos(step * 10 * MILLISECOND);
        let row = [Some(value), Some(0.5 + value), None, Some(value / 100.0)];
        builder.push_metrics(time, host, process, &row);
        builder.push_metrics(time, host, system, &[Some(50.0), None, Some(4.0)]);
    }
}

fn manifest(end_ms: i64) -> Manifest {
    Manifest {
        program: Program {
            description: format!("app.py {HOSTILE}"),
            pid: 100,
            ..Program::default()
        },
        clock: ClockAnchor {
            unix_ns: 1_700_000_000_000_000_000,
            ..ClockAnchor::default()
        },
        end: Timestamp::from_nanos(end_ms * MILLISECOND),
        cpu_time: Some(Duration::from_millis(50)),
        stacks: Some(StacksSummary {
            interval: Duration::from_millis(1),
            ..StacksSummary::default()
        }),
        ..Manifest::default()
    }
}

/// Two machines, on which processes and threads have the same numbers; names that are no names; metrics and cells.
fn full() -> Session {
    let mut builder = SessionBuilder::new();
    let hosts = ["one", "two"].map(|name| {
        builder.add_host(Host {
            name: name.into(),
            ..Host::default()
        })
    });
    let processes = hosts.map(|host| builder.add_process(host, 100, Some("python app.py")));
    let main = builder.add_thread(processes[0], 100, Some("MainThread"));
    let worker = builder.add_thread(processes[0], 101, Some(HOSTILE));
    let other = builder.add_thread(processes[1], 100, None);
    let outer = function(&mut builder, "<module>", "/app/app.py");
    let work = function(&mut builder, "work", "/app/app.py");
    let hostile = function(&mut builder, HOSTILE, HOSTILE);
    let nameless = function(&mut builder, "", "");
    let stacks: [(&[FunctionId], i64); 4] = [
        (&[outer, work], 30),
        (&[outer, work, work, hostile], 20),
        (&[], 5),
        (&[outer, nameless], 10),
    ];
    samples(&mut builder, main, 0, &stacks);
    // Two stretches with a pause between them.
    samples(&mut builder, worker, 5, &[(&[hostile, work], 20)]);
    samples(&mut builder, worker, 60, &[(&[hostile, work], 7)]);
    samples(&mut builder, other, 0, &[(&[outer], 40)]);
    for host in hosts {
        metrics(&mut builder, host);
    }
    let source = builder.intern_string(HOSTILE);
    for (start, end, outcome) in [
        (1, Some(30), CellOutcome::Ok),
        (31, Some(60), CellOutcome::Error),
        (61, None, CellOutcome::Unknown),
    ] {
        builder.push_cell(Cell {
            process: processes[0],
            start: Timestamp::from_nanos(start * MILLISECOND),
            end: end.map(|end: i64| Timestamp::from_nanos(end * MILLISECOND)),
            source,
            outcome,
        });
    }
    builder.finish(manifest(100))
}

/// One thread, and a recursion.
fn single() -> Session {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 100, None);
    let main = builder.add_thread(process, 100, Some("MainThread"));
    let outer = function(&mut builder, "<module>", "/app/app.py");
    let down = function(&mut builder, "down", "/app/app.py");
    let stacks: [(&[FunctionId], i64); 2] = [(&[outer, down], 10), (&[outer, down, down], 20)];
    samples(&mut builder, main, 0, &stacks);
    metrics(&mut builder, host);
    builder.finish(manifest(30))
}

/// Metrics of a machine on which no process was seen.
fn no_stacks() -> Session {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    metrics(&mut builder, host);
    builder.finish(manifest(100))
}

fn no_metrics() -> Session {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 100, None);
    let main = builder.add_thread(process, 100, Some("MainThread"));
    let outer = function(&mut builder, "<module>", "/app/app.py");
    samples(&mut builder, main, 0, &[(&[outer], 10)]);
    builder.finish(manifest(10))
}
