//! Plots and flame graphs of sessions that the tests make.

use std::io::Cursor;
use std::time::Duration;

use image::{GenericImageView, ImageFormat};
use jumper_render::{RenderError, RenderOptions, renderer};
use jumper_session::{
    Cell, CellOutcome, Function, Host, HostId, Manifest, MetricColumn, MetricKind, NewSample,
    Program, Session, SessionBuilder, ThreadState, Timestamp,
};
use serde_json::{Value, json};

const SECOND: i64 = 1_000_000_000;
const HOSTILE: &str = "</text><script>alert(1)</script>\u{202e}\x1b[31m&;\u{ffff}";

fn manifest(seconds: i64) -> Manifest {
    Manifest {
        program: Program {
            description: "python3 train.py".into(),
            ..Program::default()
        },
        start: Timestamp::from_nanos(0),
        end: Timestamp::from_nanos(seconds * SECOND),
        ..Manifest::default()
    }
}

fn declare(builder: &mut SessionBuilder, columns: &[(&str, &str)]) {
    for (name, unit) in columns {
        let column = MetricColumn {
            name: (*name).into(),
            unit: (*unit).into(),
            kind: MetricKind::Gauge,
            help: String::new(),
            ..MetricColumn::default()
        };
        builder.declare_metric(column).expect("a good name");
    }
}

fn host(builder: &mut SessionBuilder) -> HostId {
    builder.add_host(Host {
        name: "node1".into(),
        memory_bytes: 2 << 30,
        ..Host::default()
    })
}

/// Twelve seconds in three cells, the second of which failed; a second in which the CPU is not known.
fn notebook() -> Session {
    let mut builder = SessionBuilder::new();
    let host = host(&mut builder);
    let process = builder.add_process(host, 1, Some("python3"));
    let columns = [
        ("cpu_util_avg", "%"),
        ("cpu_util_min", "%"),
        ("cpu_util_max", "%"),
        ("memory", "GiB"),
        ("io_read", "MiB/s"),
        ("never", "1/s"),
    ];
    declare(&mut builder, &columns);
    let (own, system) = (
        builder.intern_string("process"),
        builder.intern_string("system"),
    );
    for second in 0..=12_i64 {
        let busy = (second % 4) as f64 * 20.0 + 10.0;
        let cpu = (second != 5).then_some(busy);
        let row = [
            cpu,
            cpu.map(|busy| busy / 2.0),
            cpu.map(|busy| busy + 20.0),
            Some(0.25 + second as f64 / 10.0),
            Some(second as f64 * 30.0),
        ];
        let time = Timestamp::from_nanos(second * SECOND);
        builder.push_metrics(time, host, own, &row);
        builder.push_metrics(time, host, system, &[Some(50.0), None, None, Some(1.0)]);
    }
    let source = builder.intern_string("train()");
    for (start, end, outcome) in [
        (1, Some(4), CellOutcome::Ok),
        (6, Some(7), CellOutcome::Error),
        (9, None, CellOutcome::Unknown),
    ] {
        builder.push_cell(Cell {
            process,
            start: Timestamp::from_nanos(start * SECOND),
            end: end.map(|end: i64| Timestamp::from_nanos(end * SECOND)),
            source,
            outcome,
        });
    }
    builder.finish(manifest(12))
}

fn rendered(
    session: &Session,
    name: &str,
    given: &[(&str, Value)],
) -> Result<Vec<u8>, RenderError> {
    let renderer = renderer(name)?;
    let given = given
        .iter()
        .map(|(name, value)| ((*name).into(), value.clone()));
    let options = RenderOptions::of(renderer, given)?;
    let mut out = Vec::new();
    renderer.render(session, &options, &mut out)?;
    Ok(out)
}

fn svg(session: &Session, name: &str, given: &[(&str, Value)]) -> String {
    let out = rendered(session, name, given).expect("it can be drawn");
    String::from_utf8(out).expect("SVG is text")
}

fn message(session: &Session, given: &[(&str, Value)]) -> String {
    let drawn = rendered(session, "plot", given);
    drawn.expect_err("it is wrong").to_string()
}

#[test]
fn a_plot_has_cells_bands_gaps_and_a_limit() {
    insta::assert_snapshot!(svg(&notebook(), "plot", &[]));
}

#[test]
fn a_plot_without_idle_time_in_the_dark() {
    let given = [
        ("metrics", json!("memory")),
        ("idle", json!("compressed")),
        ("theme", json!("dark")),
        ("level", json!("process,system")),
        ("width", json!(400)),
    ];
    insta::assert_snapshot!(svg(&notebook(), "plot", &given));
}

#[test]
fn a_gap_is_a_line_less_and_never_zero() {
    let given = [("metrics", json!("cpu_util_avg")), ("cells", json!(false))];
    let plot = svg(&notebook(), "plot", &given);
    let line = plot
        .lines()
        .find(|line| line.contains("stroke-width=\"1.6\""))
        .expect("the line of the metric");
    assert_eq!(line.matches('M').count(), 2, "{line}");
}

#[test]
fn limits_are_lines_where_something_is_near_or_always_or_never() {
    let dashes = |limits: &str, level: &str| {
        let given = [
            ("metrics", json!("memory")),
            ("limits", json!(limits)),
            ("level", json!(level)),
        ];
        let plot = svg(&notebook(), "plot", &given);
        (
            plot.contains("stroke-dasharray"),
            plot.contains("limit 2.00 GiB"),
        )
    };
    assert_eq!(dashes("near", "process"), (true, true));
    assert_eq!(dashes("always", "system"), (true, true));
    assert_eq!(dashes("never", "process"), (false, false));
}

#[test]
fn pixels_are_as_many_as_was_asked_for_and_the_same_every_time() {
    let given = [
        ("metrics", json!(["cpu_summary", "memory"])),
        ("width", json!(400)),
        ("height", json!(300)),
        ("scale", json!(1.5)),
        ("theme", json!("dark")),
    ];
    for (name, format) in [
        ("plot-png", ImageFormat::Png),
        ("plot-jpeg", ImageFormat::Jpeg),
    ] {
        let bytes = rendered(&notebook(), name, &given).expect("it can be drawn");
        assert!(bytes == rendered(&notebook(), name, &given).expect("again"));
        let picture = image::load(Cursor::new(&bytes), format).expect("a picture");
        assert_eq!(picture.dimensions(), (600, 450), "{name}");
        let corner = picture.get_pixel(2, 2).0;
        assert!(corner[..3].iter().all(|&part| part < 0x28), "{corner:?}");
        let colours: std::collections::HashSet<_> =
            picture.pixels().map(|(_, _, pixel)| pixel.0).collect();
        assert!(colours.len() > 50, "{name} shows nothing");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let given = [
        ("width", json!(8000)),
        ("height", json!(20_000)),
        ("scale", json!(8)),
    ];
    let error = rendered(&notebook(), "plot-png", &given).expect_err("it is too large");
    assert!(error.is_usage());
    assert!(
        error
            .to_string()
            .contains("too large; choose fewer metrics"),
        "{error}"
    );
}

#[test]
fn a_key_that_is_not_there_names_those_that_are() {
    insta::assert_snapshot!(
        [
            message(&notebook(), &[("metrics", json!("cpu_sumary"))]),
            message(&notebook(), &[("metrics", json!("gpu"))]),
            message(&notebook(), &[("metrics", json!("never"))]),
            message(&notebook(), &[("level", json!("slurm"))]),
            message(&one_point(1.0), &[("idle", json!("compressed"))]),
        ]
        .join("\n")
    );
}

#[test]
fn jumper_s_names_stand_for_several_panels() {
    let titles = |metrics: &str| -> Vec<String> {
        let plot = svg(&notebook(), "plot", &[("metrics", json!(metrics))]);
        let titles = plot
            .lines()
            .filter(|line| line.contains("font-size=\"12.5\""));
        titles
            .map(|line| line.split(['>', '<']).nth(2).unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(
        titles("cpu,mem,io,cpu_summary"),
        ["CPU, of all cores", "Memory (USS)", "Read from storage"]
    );
    assert_eq!(titles("all").len(), 5);
}

fn one_point(value: f64) -> Session {
    let mut builder = SessionBuilder::new();
    let host = host(&mut builder);
    declare(&mut builder, &[("memory", "GiB")]);
    let level = builder.intern_string("process");
    builder.push_metrics(Timestamp::from_nanos(0), host, level, &[Some(value)]);
    builder.finish(manifest(0))
}

#[test]
fn nothing_and_next_to_nothing_are_drawn_too() {
    let empty = SessionBuilder::new().finish(Manifest::default());
    for name in ["plot", "flamegraph"] {
        let drawn = svg(&empty, name, &[]);
        assert!(drawn.contains("recorded</text>"), "{drawn}");
    }
    for name in ["plot-png", "plot-jpeg"] {
        assert!(
            !rendered(&empty, name, &[])
                .expect("it can be drawn")
                .is_empty()
        );
    }
    assert!(svg(&one_point(1.0), "plot", &[]).contains("<circle"));
    for value in [f64::NAN, f64::INFINITY] {
        assert!(svg(&one_point(value), "plot", &[]).contains("no metrics were recorded"));
    }
}

#[test]
fn absurd_values_and_times_have_finite_coordinates() {
    let mut builder = SessionBuilder::new();
    let host = host(&mut builder);
    declare(
        &mut builder,
        &[("a", "GiB"), ("b", ""), ("c", "%"), ("d", "1/s")],
    );
    let level = builder.intern_string(HOSTILE);
    for (time, value) in [
        (i64::MIN, 1e300),
        (-1, -1e308),
        (0, f64::MAX),
        (i64::MAX, 1e-300),
    ] {
        builder.push_metrics(Timestamp::from_nanos(time), host, level, &[Some(value); 4]);
    }
    let session = builder.finish(manifest(1));
    for (metrics, name) in [("all", "plot"), ("all", "plot-png")] {
        let drawn =
            rendered(&session, name, &[("metrics", json!(metrics))]).expect("it can be drawn");
        let text = String::from_utf8_lossy(&drawn);
        assert!(!text.contains("NaN") && !text.contains("inf\""), "{text}");
    }
}

#[test]
fn a_million_rows_are_a_small_picture() {
    let mut builder = SessionBuilder::new();
    let host = host(&mut builder);
    declare(&mut builder, &[("cpu_util_avg", "%"), ("memory", "GiB")]);
    let level = builder.intern_string("process");
    for row in 0..1_000_000_i64 {
        let cpu = (row % 3 != 0).then_some((row % 101) as f64);
        let time = Timestamp::from_nanos(row * 12_000);
        builder.push_metrics(time, host, level, &[cpu, Some((row % 7) as f64)]);
    }
    let plot = svg(&builder.finish(manifest(12)), "plot", &[]);
    assert!(plot.len() < 300_000, "{} bytes", plot.len());
}

/// Calls with hostile names in two threads, as deep as is asked for.
fn calls(depth: usize) -> Session {
    let mut builder = SessionBuilder::new();
    let host = host(&mut builder);
    let process = builder.add_process(host, 1, Some("python3 train.py"));
    let threads = [("MainThread", 1), ("worker 7", 2)]
        .map(|(name, id)| builder.add_thread(process, id, Some(name)));
    let mut function = |name, file, first_line| {
        builder.intern_function(&Function {
            name,
            qualname: None,
            file,
            first_line,
            hidden: false,
        })
    };
    let module = function("<module>", "/home/me/train.py", 1);
    let hostile = function(HOSTILE, "/home/me/a;b 12", 0);
    let library = function("loads", "/usr/lib/python3.12/json/__init__.py", 299);
    let stacks = [
        vec![module; depth],
        vec![module, hostile],
        vec![module, library],
        vec![],
    ];
    let stacks = stacks
        .map(|frames| builder.intern_stack_frames(frames.into_iter().map(|frame| (frame, 1))));
    for row in 0..40_usize {
        builder.push_sample(NewSample {
            time: Timestamp::from_nanos(1_000_000 * (row as i64 + 1)),
            duration: Duration::from_millis(1),
            thread: threads[row % 2],
            task: None,
            state: match row % 3 {
                0 => ThreadState::ON_CPU,
                _ => ThreadState::from_bits(0),
            },
            stack: stacks[row % 4],
        });
    }
    builder.finish(manifest(1))
}

/// The frames of a flame graph: their labels with milliseconds.
fn frames(graph: &str) -> Vec<&str> {
    let titles = graph.split("<title>").skip(1);
    titles
        .map(|rest| rest.split("</title>").next().unwrap_or_default())
        .collect()
}

#[test]
fn a_flame_graph_adds_up_and_no_name_has_power_over_it() {
    let graph = svg(&calls(1), "flamegraph", &[]);
    insta::assert_snapshot!(frames(&graph).join("\n"));
    assert!(!graph.contains("<script>alert") && !graph.contains('\u{202e}'));
    assert!(!graph.contains('\u{1b}') && !graph.contains('\u{ffff}'));
    assert_eq!(graph, svg(&calls(1), "flamegraph", &[]));
}

#[test]
fn a_flame_graph_by_process_and_of_cpu_time() {
    let by = |by: &str, mode: &str| {
        let given = [
            ("by", json!(by)),
            ("mode", json!(mode)),
            ("icicle", json!(true)),
        ];
        let graph = svg(&calls(1), "flamegraph", &given);
        frames(&graph).join("\n")
    };
    assert!(by("process", "wall").contains("process 1 python3 train.py (40 ms, 100.00%)"));
    let cpu = by("nothing", "cpu");
    assert!(
        cpu.contains("all (14 ms, 100%)") && !cpu.contains("MainThread"),
        "{cpu}"
    );
}

#[test]
fn a_flame_graph_of_calls_without_end_has_one() {
    let graph = svg(&calls(100_000), "flamegraph", &[("theme", json!("dark"))]);
    assert!(graph.contains("calls deeper than 500 are part of their callers"));
    assert!(graph.len() < 1_000_000, "{} bytes", graph.len());
}
