//! A session with something of everything, hostile names included.

use std::time::Duration;

use jumper_render::{RenderOptions, Session, renderer};
use jumper_session::{
    Cell, CellOutcome, Function, FunctionId, Gpu, Hold, Host, HostId, Manifest, MetricColumn,
    MetricKind, NewSample, Outcome, Program, Python, SessionBuilder, StacksSummary, ThreadId,
    ThreadState, Timestamp,
};
use serde_json::Value;

/// A name that wants to be a script, Markdown, a mention, a formula, an escape sequence and a right-to-left text.
pub(crate) const HOSTILE: &str =
    "=x|`</script><script>alert(1)</script>@team #1 [a](http://b)\u{202e}\x1b[31m\u{9b}2J\n# h";

fn function(builder: &mut SessionBuilder, name: &str, file: &str, first_line: u32) -> FunctionId {
    builder.intern_function(&Function {
        name,
        qualname: None,
        file,
        first_line,
        hidden: false,
    })
}

fn samples(builder: &mut SessionBuilder, thread: ThreadId, frames: &[FunctionId], count: u32) {
    let stack = builder.intern_stack_frames(frames.iter().map(|&frame| (frame, 7)));
    for _ in 0..count {
        builder.push_sample(NewSample {
            time: Timestamp::from_nanos(1_000_000 * builder.sample_count() as i64),
            duration: Duration::from_millis(1),
            thread,
            task: None,
            state: ThreadState::ON_CPU,
            stack,
        });
    }
}

fn measurements(builder: &mut SessionBuilder) -> HostId {
    let host = builder.add_host(Host {
        name: "node1".into(),
        os: "Linux 6.1".into(),
        cpus: 4,
        memory_bytes: 8 << 30,
        gpus: vec![Gpu {
            name: "A100".into(),
            memory_bytes: 40 << 30,
        }],
        ..Host::default()
    });
    for (name, unit, kind) in [
        ("cpu_util_avg", "%", MetricKind::Gauge),
        ("memory", "GiB", MetricKind::Gauge),
        ("io_read", "MiB/s", MetricKind::Gauge),
        ("cpu_time", "s", MetricKind::Counter),
        ("gpu_util_avg", "%", MetricKind::Gauge),
        ("gpu_mem_avg", "GiB", MetricKind::Gauge),
    ] {
        let column = MetricColumn {
            name: name.into(),
            unit: unit.into(),
            kind,
            ..MetricColumn::default()
        };
        builder.declare_metric(column).expect("a good name");
    }
    let [process, system] = ["process", "system"].map(|level| builder.intern_string(level));
    for (second, row) in [
        [None, Some(6.25), None, Some(0.0), Some(1.0), Some(2.0)],
        [
            Some(92.0),
            Some(6.5),
            Some(4.0),
            Some(0.4),
            Some(0.0),
            Some(2.0),
        ],
        [Some(96.5), Some(7.75), Some(2.0), Some(1.2), None, None],
    ]
    .iter()
    .enumerate()
    {
        let time = Timestamp::from_nanos(second as i64 * 500_000_000);
        builder.push_metrics(time, host, process, row);
        builder.push_metrics(time, host, system, &[Some(50.0), Some(3.0)]);
    }
    host
}

/// A session in which `work` takes so many milliseconds.
pub(crate) fn session_with(work_ms: u32) -> Session {
    let mut builder = SessionBuilder::new();
    let host = measurements(&mut builder);
    let process = builder.add_process(host, 4321, Some("python3 app.py --fast"));
    let main = builder.add_thread(process, 4321, Some("MainThread"));
    let worker = builder.add_thread(process, 4400, Some(HOSTILE));
    let module = function(&mut builder, "<module>", "/home/me/project/app.py", 1);
    let work = function(&mut builder, "work", "/home/me/project/app.py", 10);
    let hostile = function(&mut builder, HOSTILE, &format!("/home/me/{HOSTILE}.py"), 3);
    let long = function(
        &mut builder,
        &"long_".repeat(200_000),
        "/home/me/long.py",
        1,
    );
    samples(&mut builder, main, &[module, work], work_ms);
    samples(&mut builder, main, &[module, hostile], 200);
    samples(&mut builder, main, &[module, long], 30);
    samples(&mut builder, worker, &[hostile], 40);
    builder.add_lost(worker, 2);
    let source = format!("%%time\nwork()  # {HOSTILE}");
    for (start, end, source, outcome) in [
        (0, Some(400), "import app\nwork()", CellOutcome::Ok),
        (450, Some(700), source.as_str(), CellOutcome::Error),
        (900, None, "app.rest()", CellOutcome::Unknown),
    ] {
        let millis = |ms: i64| Timestamp::from_nanos(ms * 1_000_000);
        let source = builder.intern_string(source);
        builder.push_cell(Cell {
            process,
            start: millis(start),
            end: end.map(millis),
            source,
            outcome,
        });
    }
    builder.finish(Manifest {
        jumper_version: "0.1.0".into(),
        python: Some(Python {
            version: "3.12.4".into(),
            implementation: "CPython".into(),
            executable: None,
        }),
        program: Program {
            description: format!("python3 app.py {HOSTILE}"),
            pid: 4321,
            ..Program::default()
        },
        end: Timestamp::from_nanos(1_250_000_000),
        outcome: Outcome::Finished { exit_status: 3 },
        cpu_time: Some(Duration::from_millis(1200)),
        stacks: Some(StacksSummary {
            interval: Duration::from_millis(1),
            hold: Hold::Ptrace,
            ticks: 1001,
            late_ticks: 12,
            span: Duration::from_secs(1),
            ..StacksSummary::default()
        }),
        notes: vec![format!("a note with {HOSTILE}")],
        ..Manifest::default()
    })
}

/// The usual one.
pub(crate) fn session() -> Session {
    session_with(500)
}

/// A report with options.
pub(crate) fn report(
    session: &Session,
    name: &str,
    options: &[(&str, Value)],
) -> Result<String, String> {
    let renderer = renderer(name).expect("it is there");
    let given = options
        .iter()
        .map(|(name, value)| ((*name).into(), value.clone()));
    let options = RenderOptions::of(renderer, given).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    renderer
        .render(session, &options, &mut out)
        .map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).expect("it is text"))
}
