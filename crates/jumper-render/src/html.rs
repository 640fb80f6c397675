//! The report for a browser: one file that holds everything and asks the network for nothing.
//!
//! What comes from the observed program reaches the page as JSON inside a script element that is not executed,
//! encoded so that nothing in it can end the element; the page's script makes text nodes of it. The only other
//! way in is the title, which the template engine escapes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;

use jumper_session::{
    FrameTree, NodeKind, Parts, ProcessorOptions, Session, ShortPaths, remove_irrelevant_nodes,
};
use minijinja::{Value, context};
use serde::Serialize;

use crate::format::{call_name, share, span};
use crate::metrics::series;
use crate::template::{Engine, Source, for_script};
use crate::{About, RenderError, RenderOptions, Renderer, facts};

const STYLE: &str = include_str!("../templates/report.css");
const SCRIPT: &str = include_str!("../templates/report.js");

/// The most calls that a page holds: about 5 MB of file, which a browser opens in well under a second.
const MAX_NODES: usize = 50_000;

const ABOUT: About = About {
    name: "html",
    help: "a page to fold, unfold and search, in one file",
    extensions: &["html"],
    media_type: "text/html; charset=utf-8",
    is_binary: false,
    options: &[],
};

/// The renderer `html`.
pub(crate) struct Html;

impl Renderer for Html {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self, _options: &RenderOptions) -> Parts {
        Parts::CALLS.with(Parts::METRICS)
    }

    fn render(
        &self,
        session: &Session,
        _options: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        let values = context! {
            css => STYLE,
            js => SCRIPT,
            data_json => data(session)?,
        };
        Engine::of(session)
            .with(values)
            .render(&Source::builtin("jumper/report.html"), out)
    }
}

/// What the page's script reads, to stand inside a script element.
fn data(session: &Session) -> Result<Value, RenderError> {
    let json = serde_json::to_string(&Report::of(session))?;
    Ok(Value::from_safe_string(for_script(&json)))
}

/// What the page's script reads; see `templates/report.js`.
#[derive(Serialize)]
struct Report {
    version: u32,
    jumper: String,
    program: String,
    recorded: String,
    outcome: String,
    facts: Vec<Fact>,
    duration_ns: u64,
    threads: Vec<Thread>,
    files: Files,
    nodes: Nodes,
    metrics: Vec<Metric>,
}

#[derive(Serialize)]
struct Fact {
    label: String,
    value: String,
}

#[derive(Serialize)]
struct Thread {
    name: String,
    process: u32,
    tid: u64,
    time_ns: u64,
    /// A row of [`Nodes`].
    root: usize,
}

/// The files of functions in columns: their paths as they are, and as people know them. The first one is none.
#[derive(Serialize)]
struct Files {
    path: Vec<String>,
    short: Vec<String>,
}

/// The call trees in columns; -1 is none.
#[derive(Default, Serialize)]
struct Nodes {
    name: Vec<String>,
    /// A row of [`Files`].
    file: Vec<usize>,
    line: Vec<u64>,
    time_ns: Vec<u64>,
    self_ns: Vec<u64>,
    first_child: Vec<i64>,
    next_sibling: Vec<i64>,
    parent: Vec<i64>,
}

#[derive(Serialize)]
struct Metric {
    name: String,
    label: String,
    unit: String,
    level: String,
    time_ns: Vec<i64>,
    value: Vec<Option<f64>>,
}

impl Report {
    fn of(session: &Session) -> Self {
        let (tree, left_out) = bounded_tree(session);
        let mut facts: Vec<Fact> = facts::python(session)
            .map(|value| Fact {
                label: "Python".into(),
                value,
            })
            .into_iter()
            .chain(facts::figures(session).into_iter().map(|fact| Fact {
                label: fact.label.into(),
                value: fact.value,
            }))
            .collect();
        facts.extend(left_out.map(|value| Fact {
            label: "Left out".into(),
            value,
        }));
        let (files, nodes) = nodes(session, &tree);
        let notes = session.manifest().notes.iter();
        facts.extend(notes.map(|note| Fact {
            label: "Note".into(),
            value: crate::format::plain(note),
        }));
        Self {
            version: 1,
            jumper: session.manifest().jumper_version.clone(),
            program: facts::program(session),
            recorded: facts::recorded(session),
            outcome: facts::outcome(session).unwrap_or_else(|| "finished".into()),
            facts,
            duration_ns: nanos(session.duration()),
            threads: threads(session, &tree),
            files,
            nodes,
            metrics: metrics(session),
        }
    }
}

fn nanos(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The tree, and what had to be left out to keep it within [`MAX_NODES`].
fn bounded_tree(session: &Session) -> (FrameTree, Option<String>) {
    let mut tree = FrameTree::build(session);
    let mut left_out = None;
    for exponent in (1..=8).rev() {
        if tree.len() <= MAX_NODES {
            break;
        }
        let filter_threshold = 0.1_f64.powi(exponent);
        let kept = ProcessorOptions {
            filter_threshold,
            ..ProcessorOptions::default()
        };
        tree = remove_irrelevant_nodes(tree, &kept);
        left_out = Some(format!(
            "calls below {} of their thread, {} in all",
            share(filter_threshold, 1.0),
            {
                span(
                    tree.walk()
                        .map(|(id, _)| tree.node(id).absorbed_time())
                        .sum(),
                )
            }
        ));
    }
    (tree, left_out)
}

/// Node 0 of the tree is the root above the threads, which the page does not have.
fn row(id: jumper_session::NodeId) -> usize {
    id.index() - 1
}

fn threads(session: &Session, tree: &FrameTree) -> Vec<Thread> {
    let described = tree.roots().filter_map(|id| {
        let NodeKind::Thread(thread) = tree.node(id).kind() else {
            return None;
        };
        let info = session.threads().get(thread);
        Some(Thread {
            name: session
                .thread_name(thread)
                .unwrap_or("unnamed thread")
                .into(),
            process: session.processes().get(info.process).pid,
            tid: info.native_id,
            time_ns: nanos(tree.node(id).time()),
            root: row(id),
        })
    });
    described.collect()
}

/// The files that a page names.
struct FileRows<'a> {
    paths: Option<ShortPaths<'a>>,
    rows: HashMap<&'a str, usize>,
    files: Files,
}

impl<'a> FileRows<'a> {
    fn new(session: &'a Session) -> Self {
        let mut rows = Self {
            paths: session.short_paths(),
            rows: HashMap::new(),
            files: Files {
                path: Vec::new(),
                short: Vec::new(),
            },
        };
        rows.row("");
        rows
    }

    /// The row of a file. Where it is not known in which directories modules were looked for, the page shortens its path.
    fn row(&mut self, path: &'a str) -> usize {
        let (files, paths) = (&mut self.files, &self.paths);
        *self.rows.entry(path).or_insert_with(|| {
            let short = paths.as_ref().map_or(path.into(), |paths| paths.of(path));
            files.path.push(path.into());
            files.short.push(short.into());
            files.path.len() - 1
        })
    }
}

fn nodes(session: &Session, tree: &FrameTree) -> (Files, Nodes) {
    let mut files = FileRows::new(session);
    let mut nodes = Nodes::default();
    for (id, depth) in tree.walk() {
        let node = tree.node(id);
        let (name, file, line): (Cow<'_, str>, _, _) = match node.kind() {
            NodeKind::Function(function) => {
                let function = session.function(function);
                (
                    call_name(&function, node.class().map(|class| session.string(class))),
                    function.file,
                    function.first_line.into(),
                )
            }
            NodeKind::Thread(thread) => (
                session.thread_name(thread).unwrap_or_default().into(),
                "",
                0,
            ),
            NodeKind::Root => ("".into(), "", 0),
            NodeKind::SelfTime => ("[self]".into(), "", 0),
        };
        nodes.name.push(name.into());
        nodes.file.push(files.row(file));
        nodes.line.push(line);
        nodes.time_ns.push(nanos(node.time()));
        nodes.self_ns.push(nanos(node.self_time()));
        nodes.parent.push(if depth == 0 {
            -1
        } else {
            node.parent().map_or(-1, |id| row(id) as i64)
        });
        nodes.first_child.push(
            tree.children(id)
                .next()
                .map_or(-1, |child| row(child) as i64),
        );
        nodes.next_sibling.push(-1);
    }
    nodes.link_siblings(tree);
    (files.files, nodes)
}

impl Nodes {
    fn link_siblings(&mut self, tree: &FrameTree) {
        for (id, _) in tree.walk() {
            let mut before: Option<usize> = None;
            for child in tree.children(id) {
                if let Some(before) = before {
                    self.next_sibling[before] = row(child) as i64;
                }
                before = Some(row(child));
            }
        }
    }
}

fn metrics(session: &Session) -> Vec<Metric> {
    let all = series(session);
    let largest = |name: &str| {
        let same = all
            .iter()
            .filter(|series| series.metric.column.name == name);
        let values = same.flat_map(|series| series.points.iter().filter_map(|point| point.1));
        values.fold(0.0, f64::max)
    };
    let described = all.iter().map(|series| {
        let (unit, factor) = scale(
            &series.metric.column.unit,
            largest(&series.metric.column.name),
        );
        let scaled = |value: Option<f64>| value.map(|value| value * factor);
        Metric {
            name: series.metric.column.name.clone(),
            label: series.metric.label().into(),
            unit: unit.into(),
            level: series.metric.level.into(),
            time_ns: series.points.iter().map(|point| point.0).collect(),
            value: series.points.iter().map(|point| scaled(point.1)).collect(),
        }
    });
    described.collect()
}

/// The unit to show a metric in, all its levels alike, and what to multiply by.
fn scale(unit: &str, largest: f64) -> (&str, f64) {
    match unit {
        "GiB" if largest < 2.0 => ("MiB", 1024.0),
        unit => (unit, 1.0),
    }
}
