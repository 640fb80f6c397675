//! Reports of sessions that the tests make, as users see them.

use std::time::Duration;

use jumper_render::{
    DIFF_NEEDS, Diff, DiffForm, INFO_NEEDS, RenderError, RenderOptions, check_file, info,
    render_to_file, renderer, renderers,
};
use jumper_session::{
    ClockAnchor, Function, FunctionId, Hold, Host, Manifest, MetricColumn, MetricKind,
    MetricsSummary, NewSample, Outcome, Place, Program, Python, Session, SessionBuilder,
    StacksSummary, ThreadId, ThreadState, Timestamp,
};
use serde_json::{Value, json};

const HOSTILE: &str = "</script><script>alert(1)</script>\u{202e}\x1b[31m";

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

fn metrics(builder: &mut SessionBuilder, host: jumper_session::HostId) {
    for (name, unit, kind) in [
        ("cpu_util_avg", "%", MetricKind::Gauge),
        ("memory", "GiB", MetricKind::Gauge),
        ("io_read", "MiB/s", MetricKind::Gauge),
        ("cpu_time", "s", MetricKind::Counter),
        ("made_up", "1/s", MetricKind::Gauge),
        ("unknown", "%", MetricKind::Gauge),
    ] {
        let column = MetricColumn {
            name: name.into(),
            unit: unit.into(),
            kind,
            help: String::new(),
            beat: None,
        };
        builder.declare_metric(column).expect("a good name");
    }
    let (process, system) = (
        builder.intern_string("process"),
        builder.intern_string("system"),
    );
    for (second, row) in [
        [None, Some(0.25), None, Some(0.0), Some(1.0)],
        [Some(80.0), Some(0.5), Some(4.0), Some(0.4), None],
        [Some(90.5), Some(1.75), Some(2.0), Some(1.2), Some(3.0)],
    ]
    .iter()
    .enumerate()
    {
        let time = Timestamp::from_nanos(second as i64 * 500_000_000);
        builder.push_metrics(time, host, process, row);
        builder.push_metrics(time, host, system, &[Some(50.0), Some(3.0)]);
    }
}

fn manifest() -> Manifest {
    Manifest {
        jumper_version: "0.1.0".into(),
        python: Some(Python {
            version: "3.12.4".into(),
            implementation: "CPython".into(),
            executable: None,
        }),
        program: Program {
            description: "python3 app.py --fast".into(),
            pid: 4321,
            ..Program::default()
        },
        clock: ClockAnchor {
            unix_ns: 1_700_000_000_000_000_000,
            utc_offset_s: 7200,
            ..ClockAnchor::default()
        },
        start: Timestamp::from_nanos(0),
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
        metrics: Some(MetricsSummary {
            interval: Duration::from_millis(500),
            samples: 3,
            late: 0,
            cpu: Duration::from_millis(3),
        }),
        notes: vec!["a note with \x1b[31m in it".into()],
        ..Manifest::default()
    }
}

/// Two threads, a library, a hostile name, lost samples, metrics with unknown values.
fn session() -> Session {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 4321, Some("python3 app.py --fast"));
    let main = builder.add_thread(process, 4321, Some("MainThread"));
    let worker = builder.add_thread(process, 4400, Some("worker \x1b[1m"));
    let module = function(&mut builder, "<module>", "/home/me/project/app.py", 1);
    let work = function(&mut builder, "work", "/home/me/project/app.py", 10);
    let hostile = function(&mut builder, HOSTILE, "<img src=x onerror=alert(1)>", 3);
    let loads = function(
        &mut builder,
        "loads",
        "/usr/lib/python3.12/json/__init__.py",
        299,
    );
    let rare = function(&mut builder, "rare", "/home/me/project/app.py", 90);
    samples(&mut builder, main, &[module, work], 300);
    samples(&mut builder, main, &[module, work, loads], 450);
    samples(&mut builder, main, &[module, hostile], 200);
    samples(&mut builder, main, &[module, rare], 5);
    samples(&mut builder, worker, &[loads], 40);
    builder.add_lost(worker, 2);
    metrics(&mut builder, host);
    builder.finish(manifest())
}

/// Options of the renderer `text`.
fn chosen(given: &[(&str, Value)]) -> RenderOptions {
    let given = given
        .iter()
        .map(|(name, value)| ((*name).into(), value.clone()));
    RenderOptions::of(renderer("text").expect("it is there"), given).expect("they are right")
}

fn text(session: &Session, options: &RenderOptions) -> String {
    let mut out = Vec::new();
    renderer("text")
        .and_then(|text| text.render(session, options, &mut out))
        .expect("it is rendered");
    String::from_utf8(out).expect("text is UTF-8")
}

fn bytes(session: &Session, name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    renderer(name)
        .and_then(|it| it.render(session, &RenderOptions::default(), &mut out))
        .expect("it is rendered");
    out
}

fn report(session: &Session, name: &str) -> String {
    String::from_utf8(bytes(session, name)).expect("reports are UTF-8")
}

#[test]
fn text_without_unicode_is_ascii() {
    let text = text(&session(), &chosen(&[("unicode", json!(false))]));
    assert!(text.is_ascii(), "{text}");
}

#[test]
fn text_in_colour_is_the_same_text() {
    let plain = text(&session(), &RenderOptions::default());
    let coloured = text(&session(), &chosen(&[("color", json!(true))]));
    assert!(coloured.contains("\x1b[31m0.955\x1b[0m"));
    let mut stripped = String::new();
    for (index, piece) in coloured.split("\x1b[").enumerate() {
        stripped.push_str(if index == 0 {
            piece
        } else {
            piece.split_once('m').expect("an SGR sequence").1
        });
    }
    let trimmed = |text: &str| {
        text.lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(trimmed(&stripped), trimmed(&plain));
}

#[test]
fn a_threshold_of_zero_shows_every_call() {
    let all = text(
        &session(),
        &chosen(&[("processor_options.filter_threshold", json!(0))]),
    );
    assert!(all.contains("rare"), "{all}");
}

#[test]
fn json_has_the_schema_of_pyinstrument_and_the_right_figures() {
    let report: Value = serde_json::from_str(&report(&session(), "json")).expect("valid JSON");
    assert_eq!(report["target_description"], "python3 app.py --fast");
    assert_eq!(
        (&report["sample_count"], &report["lost_sample_count"]),
        (&995.into(), &2.into())
    );
    assert_eq!(report["duration"], 1.25);
    let root = &report["root_frame"];
    assert_eq!(
        (&root["function"], &root["time"]),
        (&"[root]".into(), &0.995.into())
    );
    let main = &root["children"][0];
    assert_eq!(
        (&main["function"], &main["file_path"], &main["line_no"]),
        (&"MainThread".into(), &"<thread>".into(), &4321.into())
    );
    let work = &main["children"][0]["children"][0];
    assert_eq!(
        (
            &work["function"],
            &work["time"],
            &work["is_application_code"]
        ),
        (&"work".into(), &0.75.into(), &true.into())
    );
    let loads = &work["children"][0];
    assert_eq!(
        (&loads["file_path_short"], &loads["is_application_code"]),
        (&"json/__init__.py".into(), &false.into())
    );
    assert_eq!(main["children"][0]["children"][1]["function"], HOSTILE);
    // What is rare is left out, as it is by pyinstrument.
    assert_eq!(main["children"][0]["children"][2], Value::Null);
}

#[test]
fn json_says_what_metrics_came_to_and_who_used_what() {
    let report: Value = serde_json::from_str(&report(&session(), "json")).expect("valid JSON");
    let metrics = report["metrics"].as_array().expect("a list");
    let read = metrics.iter().find(|metric| metric["name"] == "io_read");
    let expected = serde_json::json!({
        "name": "io_read", "host": "", "level": "process", "unit": "MiB/s", "rows": 3, "count": 2,
        "min": 2.0, "average": 3.0, "max": 4.0, "total": 3.0, "total_unit": "MiB", "limit": null,
    });
    assert_eq!(read, Some(&expected));
    let process = &report["signatures"][0];
    assert_eq!(process["level"], "process");
    assert_eq!(process["tags"][0]["tag"], "cpu-bound");
    assert_eq!(process["unknown"][0], "memory-bound");

    let resources = &report["resources"];
    assert_eq!(resources["cpu_time"]["measured"], 1.2);
    assert_eq!(resources["gpu_time"], Value::Null);
    let root = &report["root_frame"]["resources"];
    assert_eq!(root["estimate"], true);
    assert_eq!(root["total"]["cpu_time"], 1.2);
    assert_eq!(root["total"]["memory_gained"], 1_610_612_736);
    assert_eq!(root["own"]["cpu_time"], 0.0);
    assert_eq!(root["total"]["gpu_time"], Value::Null);
    // `work` ran from 0 to 0.3 s, when 0.4 s of CPU time were used in half a second; `loads` below it came after.
    let work = &report["root_frame"]["children"][0]["children"][0]["children"][0];
    assert_eq!(work["resources"]["own"]["cpu_time"], 0.0);
    let itself = &work["children"][1];
    assert_eq!(itself["function"], "[self]");
    let used = itself["resources"]["own"]["cpu_time"]
        .as_f64()
        .expect("a number");
    assert!((used - 0.4 * 299.0 / 500.0).abs() < 1e-6, "{used}");
}

#[test]
fn info_of_a_session() {
    let mut out = Vec::new();
    jumper_render::info(&session(), &mut out).expect("it is written");
    jumper_render::resources(&session(), &mut out).expect("it is written");
    insta::assert_snapshot!(String::from_utf8(out).expect("text is UTF-8"));
}

#[test]
fn one_thread_is_the_root_of_the_json() {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 1, None);
    let thread = builder.add_thread(process, 1, Some("MainThread"));
    let only = function(&mut builder, "only", "a.py", 1);
    samples(&mut builder, thread, &[only], 3);
    let report: Value =
        serde_json::from_str(&report(&builder.finish(Manifest::default()), "json")).expect("JSON");
    assert_eq!(report["root_frame"]["function"], "MainThread");
    assert_eq!(report["root_frame"]["children"][0]["function"], "only");
}

#[test]
fn methods_are_called_by_the_class_whose_they_are() {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 1, None);
    let thread = builder.add_thread(process, 1, Some("MainThread"));
    let run = builder.intern_function(&Function {
        name: "run",
        qualname: Some("Worker.run"),
        file: "a.py",
        first_line: 1,
        hidden: false,
    });
    let class = Some(builder.intern_string("<Fast>\x1b[1m"));
    let at = Place {
        line: 2,
        class,
        ..Place::default()
    };
    let stack = builder.intern_stack_frames([(run, at)]);
    builder.push_sample(NewSample {
        time: Timestamp::from_nanos(0),
        duration: Duration::from_millis(1),
        thread,
        task: None,
        state: ThreadState::ON_CPU,
        stack,
    });
    let session = builder.finish(Manifest::default());
    let json: Value = serde_json::from_str(&report(&session, "json")).expect("valid JSON");
    let frame = &json["root_frame"]["children"][0];
    let said = [&frame["function"], &frame["class_name"], &frame["qualname"]];
    assert_eq!(said, ["run", "<Fast>\x1b[1m", "Worker.run"]);
    let text = text(&session, &RenderOptions::default());
    assert!(text.contains("<Fast>\\x1b[1m.run"), "{text}");
    let page = report(&session, "html");
    assert!(page.contains(r"\u003cFast\u003e\u001b[1m.run"), "{page}");
}

#[test]
fn html_holds_the_data_and_nothing_that_could_run() {
    let page = report(&session(), "html");
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"));
    assert!(
        !page.contains("http://") || !page.contains("src=\"http"),
        "nothing is loaded from elsewhere"
    );
    let start = page.find("id=\"report-data\"").expect("the data element");
    let json = page[start..]
        .split_once('>')
        .and_then(|(_, rest)| rest.split_once("</script>"))
        .expect("its text")
        .0;
    let data: Value = serde_json::from_str(json).expect("valid JSON");
    assert_eq!(
        data["nodes"]["name"][data["threads"][0]["root"].as_u64().expect("a row") as usize],
        "MainThread"
    );
    assert!(
        data["nodes"]["name"]
            .as_array()
            .expect("a column")
            .contains(&HOSTILE.into())
    );
    let nodes = data["nodes"]["name"].as_array().expect("a column").len();
    for column in [
        "file",
        "line",
        "time_ns",
        "self_ns",
        "first_child",
        "next_sibling",
        "parent",
    ] {
        assert_eq!(
            data["nodes"][column].as_array().expect("a column").len(),
            nodes,
            "{column}"
        );
    }
    let read = data["metrics"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|metric| metric["name"] == "io_read");
    assert_eq!(
        read.expect("it is there")["value"],
        serde_json::json!([null, 4.0, 2.0])
    );
}

#[test]
fn renderers_declare_all_that_they_read() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("a.jumper");
    session().save(&path).expect("there is room");
    let whole = Session::open(&path).expect("a session");
    for renderer in renderers() {
        let part =
            Session::read(&path, renderer.needs(&RenderOptions::default())).expect("a session");
        let (of_whole, of_part) = (
            bytes(&whole, renderer.about().name),
            bytes(&part, renderer.about().name),
        );
        assert!(of_part == of_whole, "{}", renderer.about().name);
    }
    let told = |session: &Session| {
        let mut out = Vec::new();
        info(session, &mut out).expect("memory can be written to");
        out
    };
    let part = Session::read(&path, INFO_NEEDS).expect("a session");
    assert_eq!(told(&part), told(&whole));
    let part = Session::read(&path, DIFF_NEEDS).expect("a session");
    let compared = |session: &Session| {
        let mut out = Vec::new();
        for form in DiffForm::ALL {
            let diff = Diff::of(session, session);
            diff.write(form, &mut out).expect("it is in memory");
        }
        out
    };
    assert_eq!(compared(&part), compared(&whole));
}

#[test]
fn a_session_without_anything_is_reported_as_such() {
    let empty = SessionBuilder::new().finish(Manifest::default());
    assert!(text(&empty, &RenderOptions::default()).contains("No samples were recorded"));
    let json: Value = serde_json::from_str(&report(&empty, "json")).expect("valid JSON");
    assert_eq!(json["root_frame"], Value::Null);
    assert!(report(&empty, "html").contains("report-data"));
}

#[test]
fn depth_does_not_matter() {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 1, None);
    let thread = builder.add_thread(process, 1, None);
    let down = function(&mut builder, "down", "a.py", 1);
    samples(&mut builder, thread, &vec![down; 20_000], 2);
    let session = builder.finish(Manifest::default());
    // Those that show calls by themselves, each with all above it.
    for name in ["text", "html", "json"] {
        let renderer = renderer(name).expect("it is there");
        let mut out = Vec::new();
        renderer
            .render(&session, &RenderOptions::default(), &mut out)
            .expect("it is rendered");
        let about = renderer.about();
        let calls = out.windows(4).filter(|found| found == b"down").count();
        assert!(calls >= 20_000, "{}", about.name);
        assert!(
            out.len() < 20_000_000,
            "{}: {} bytes",
            about.name,
            out.len()
        );
    }
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("report.txt");
    std::fs::write(&path, "an older report").expect("it can be written");
    let text = renderer("text").expect("it is there");
    render_to_file(text, &session(), &RenderOptions::default(), &path).expect("it can be written");
    assert!(
        std::fs::read_to_string(&path)
            .expect("it is there")
            .contains("MainThread")
    );
    assert_eq!(
        std::fs::read_dir(directory.path())
            .expect("it is there")
            .count(),
        1,
        "nothing is left beside it"
    );

    for bad in [
        directory.path().join("no/such/place.txt"),
        directory.path().to_owned(),
        path.join("inside"),
    ] {
        let error = check_file(&bad).expect_err("it cannot be written");
        assert!(
            matches!(error, RenderError::Unwritable { .. })
                && error.to_string().contains("another place")
        );
        assert!(render_to_file(text, &session(), &RenderOptions::default(), &bad).is_err());
    }
}
