//! Sessions that tests make, by name.

use std::time::Duration;

use jumper_session::{
    Cell, CellOutcome, ClockAnchor, Function, FunctionId, Host, HostId, Manifest, MetricColumn,
    MetricKind, NewSample, Place, Program, Session, SessionBuilder, StacksSummary, ThreadId,
    ThreadState, Timestamp,
};

/// The session of this name.
pub(crate) fn session(name: &str) -> Session {
    match name {
        "crawler" => crawler(),
        "notebook" => notebook(),
        "cluster" => cluster(),
        "recursion" => recursion(),
        "hostile" => hostile(),
        "metrics" => metrics_only(),
        "empty" => SessionBuilder::new().finish(Manifest::default()),
        other => panic!("there is no session {other}"),
    }
}

/// A session while it is made: samples of a millisecond, one after the other.
struct Maker {
    builder: SessionBuilder,
    now: i64,
}

/// A function: its name or qualified name, its file and its line.
type Call = (&'static str, &'static str, u32);

impl Maker {
    fn new() -> Self {
        Self {
            builder: SessionBuilder::new(),
            now: 0,
        }
    }

    fn thread(&mut self, host: HostId, pid: u32, command: &str, name: &str) -> ThreadId {
        let process = self.builder.add_process(host, pid, Some(command));
        self.builder.add_thread(process, pid.into(), Some(name))
    }

    fn function(&mut self, (qualname, file, first_line): Call) -> FunctionId {
        let name = qualname.rsplit('.').next().unwrap_or(qualname);
        self.builder.intern_function(&Function {
            name,
            qualname: (name != qualname).then_some(qualname),
            file,
            first_line,
            hidden: false,
        })
    }

    fn samples(&mut self, thread: ThreadId, state: ThreadState, count: u32, calls: &[Call]) {
        let frames: Vec<(FunctionId, Place)> = calls
            .iter()
            .map(|&call| (self.function(call), Place::default()))
            .collect();
        let stack = self.builder.intern_stack_frames(frames);
        for _ in 0..count {
            self.builder.push_sample(NewSample {
                time: Timestamp::from_nanos(self.now),
                duration: Duration::from_millis(1),
                thread,
                task: None,
                state,
                stack,
            });
            self.now += 1_000_000;
        }
    }

    /// Declares the growth of memory, and measures it every 100 ms.
    fn memory(&mut self, host: HostId, mebibytes: &[f64]) {
        let column = MetricColumn {
            name: "memory".into(),
            unit: "MiB".into(),
            kind: MetricKind::Gauge,
            help: String::new(),
            beat: None,
        };
        self.builder.declare_metric(column).expect("a good name");
        let level = self.builder.intern_string("process");
        for (row, &memory) in mebibytes.iter().enumerate() {
            let time = Timestamp::from_nanos(row as i64 * 100_000_000);
            self.builder
                .push_metrics(time, host, level, &[Some(memory)]);
        }
    }

    fn finish(self, description: &str) -> Session {
        let now = self.now;
        self.builder.finish(Manifest {
            jumper_version: "0.1.0".into(),
            program: Program {
                description: description.into(),
                ..Program::default()
            },
            clock: ClockAnchor {
                unix_ns: 1_700_000_000_000_000_000,
                ..ClockAnchor::default()
            },
            end: Timestamp::from_nanos(now),
            sys_path: Some(vec!["/app".into(), "/usr/lib/python3.12".into()]),
            sys_prefixes: Some(vec!["/usr".into()]),
            stacks: Some(StacksSummary {
                interval: Duration::from_millis(1),
                ticks: 1 + (now / 1_000_000) as u64,
                span: Duration::from_nanos(now as u64),
                ..StacksSummary::default()
            }),
            ..Manifest::default()
        })
    }
}

const ON_CPU: ThreadState = ThreadState::ON_CPU;
const WITH_LOCK: ThreadState = ThreadState::ON_CPU.with(ThreadState::GIL);
const WAITING: ThreadState = ThreadState::NONE;

const MODULE: Call = ("<module>", "/app/crawl.py", 1);
const CRAWL: Call = ("Crawler.crawl", "/app/crawl.py", 20);
const PARSE: Call = ("parse", "/app/crawl.py", 40);
const OPEN: Call = ("urlopen", "/usr/lib/python3.12/urllib/request.py", 189);
const SEND: Call = (
    "OpenerDirector.open",
    "/usr/lib/python3.12/urllib/request.py",
    499,
);
const REQUEST: Call = (
    "HTTPConnection.request",
    "/usr/lib/python3.12/http/client.py",
    1327,
);
const CONNECT: Call = ("create_connection", "/usr/lib/python3.12/socket.py", 828);
const LOADS: Call = ("loads", "/usr/lib/python3.12/json/__init__.py", 299);
const DECODE: Call = (
    "JSONDecoder.decode",
    "/usr/lib/python3.12/json/decoder.py",
    332,
);
const HOOK: Call = ("hook", "/app/crawl.py", 60);

/// One thread, with libraries that call each other and are called back from, and all that is known of samples.
fn crawler() -> Session {
    let mut maker = Maker::new();
    let host = maker.builder.add_host(Host::default());
    let thread = maker.thread(host, 4321, "python3 crawl.py", "MainThread");
    maker.samples(
        thread,
        WAITING,
        420,
        &[MODULE, CRAWL, OPEN, SEND, REQUEST, CONNECT],
    );
    maker.samples(thread, WITH_LOCK, 60, &[MODULE, CRAWL, OPEN, SEND]);
    maker.samples(
        thread,
        WITH_LOCK,
        150,
        &[MODULE, CRAWL, PARSE, LOADS, DECODE],
    );
    maker.samples(
        thread,
        WITH_LOCK,
        200,
        &[MODULE, CRAWL, PARSE, LOADS, DECODE, HOOK],
    );
    maker.samples(thread, ON_CPU, 90, &[MODULE, CRAWL, PARSE]);
    maker.samples(thread, WITH_LOCK, 75, &[MODULE, CRAWL]);
    maker.samples(
        thread,
        WITH_LOCK,
        5,
        &[MODULE, ("rare", "/app/crawl.py", 90)],
    );
    maker.memory(
        host,
        &[
            64.0, 64.0, 64.0, 64.0, 64.0, 80.0, 120.0, 160.0, 160.0, 160.5, 160.5,
        ],
    );
    maker.finish("python3 crawl.py")
}

/// The kernel of a notebook: three cells, during one of which nothing was sampled, and another thread.
fn notebook() -> Session {
    const CELL: Call = ("<module>", "<ipython-input-1>", 1);
    let mut maker = Maker::new();
    let host = maker.builder.add_host(Host::default());
    let process = maker.builder.add_process(host, 100, Some("ipykernel"));
    let main = maker.builder.add_thread(process, 100, Some("MainThread"));
    let heartbeat = maker.builder.add_thread(process, 101, Some("Heartbeat"));
    maker.builder.add_lost(heartbeat, 3);
    let sources = ["import pandas\n", "\n  data = load()\nplot(data)", "pass"];
    let ends = [100, 300, 300].map(|millis| Timestamp::from_nanos(millis * 1_000_000));
    for (row, source) in sources.into_iter().enumerate() {
        let source = maker.builder.intern_string(source);
        maker.builder.push_cell(Cell {
            process,
            start: row
                .checked_sub(1)
                .map_or(Timestamp::from_nanos(0), |row| ends[row]),
            end: Some(ends[row]),
            source,
            outcome: CellOutcome::Ok,
        });
    }
    maker.samples(
        main,
        ON_CPU,
        100,
        &[CELL, ("find", "/usr/lib/python3.12/pathlib.py", 7)],
    );
    maker.samples(main, ON_CPU, 150, &[CELL, ("load", "/app/data.py", 3)]);
    maker.samples(heartbeat, WAITING, 50, &[("run", "/app/beat.py", 9)]);
    maker.finish("")
}

/// Processes on two machines.
fn cluster() -> Session {
    let mut maker = Maker::new();
    for (rank, name) in ["node1", "node2"].into_iter().enumerate() {
        let host = maker.builder.add_host(Host {
            name: name.into(),
            ..Host::default()
        });
        let thread = maker.thread(host, 7, &format!("python3 job.py {rank}"), "MainThread");
        let work = [("work", "/app/job.py", 1), ("exchange", "/app/job.py", 8)];
        maker.samples(thread, ON_CPU, 30 + 10 * rank as u32, &work);
    }
    maker.finish("python3 job.py")
}

/// A function that calls itself and another one, which calls it.
fn recursion() -> Session {
    const DOWN: Call = ("down", "/app/tree.py", 1);
    const VISIT: Call = ("visit", "/app/tree.py", 9);
    let mut maker = Maker::new();
    let host = maker.builder.add_host(Host::default());
    let thread = maker.thread(host, 1, "python3 tree.py", "MainThread");
    maker.samples(thread, WAITING, 10, &[DOWN, DOWN, VISIT]);
    maker.samples(thread, WAITING, 20, &[DOWN, VISIT, DOWN]);
    maker.samples(thread, WAITING, 5, &[VISIT]);
    maker.finish("python3 tree.py")
}

/// Names that would do something to a terminal, or to a reader.
fn hostile() -> Session {
    let mut maker = Maker::new();
    let host = maker.builder.add_host(Host::default());
    let name = "Main\u{1b}]0;title\u{7}\nThread";
    let thread = maker.thread(host, 1, "python3 \u{1b}[2J", name);
    const RED: Call = (
        "\u{1b}[31mred\u{9b}31m",
        "/app/\u{1b}]8;;http://evil\u{1b}\\.py",
        1,
    );
    const LINES: Call = ("two\nlines\r\tand a tab", "/app/new\nline.py", 2);
    const TURNED: Call = ("\u{202e}desrever\u{2066}", "/app/\u{200f}right.py", 3);
    let long: &'static str = Box::leak("megabyte".repeat(1 << 17).into_boxed_str());
    let path: &'static str = Box::leak(format!("/app/{long}.py").into_boxed_str());
    maker.samples(thread, WAITING, 10, &[RED, LINES, TURNED, (long, path, 4)]);
    maker.samples(
        thread,
        WAITING,
        10,
        &[RED, ("", "", 0), ("関数の名前", "/app/ファイル.py", 5)],
    );
    maker.finish("\u{1b}[31mred\nprogram")
}

/// Metrics and no stacks.
fn metrics_only() -> Session {
    let mut maker = Maker::new();
    let host = maker.builder.add_host(Host::default());
    maker.memory(host, &[1.0, 2.0]);
    maker.builder.finish(Manifest::default())
}
