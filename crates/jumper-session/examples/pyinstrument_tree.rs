//! Prints the processed tree of a `.pyisession`, as pyinstrument's JSON renderer has it, but as a list in pre-order.
//!
//! Each line of the standard input is a JSON object of options: `show_all`, `timeline`, `filter_threshold`, `hide_regex`,
//! `show_regex`. Each is answered by one line. With a second path, the session is written there once more.
//!
//!     cargo run -p jumper-session --example pyinstrument_tree -- IN.pyisession [OUT.pyisession]

use std::error::Error;
use std::io::{self, BufRead, Write};

use jumper_session::formats::pyinstrument;
use jumper_session::{
    FrameTree, NodeId, NodeKind, PathPattern, ProcessorOptions, Scope, Session, TreeOptions,
    default_processors,
};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args_os().skip(1);
    let path = paths.next().ok_or("the path of a session is missing")?;
    let session = pyinstrument::read(path)?;
    if let Some(out) = paths.next() {
        pyinstrument::write(&session, out)?;
    }
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let options: Value = serde_json::from_str(&line?)?;
        serde_json::to_writer(&mut out, &report(&session, &options)?)?;
        writeln!(out)?;
    }
    Ok(())
}

fn report(session: &Session, options: &Value) -> Result<Value, Box<dyn Error>> {
    let is = |name: &str| options[name].as_bool().unwrap_or_default();
    let (show_all, timeline) = (is("show_all"), is("timeline"));
    let pattern = |name: &str| options[name].as_str().map(PathPattern::new).transpose();
    let defaults = ProcessorOptions::default();
    let chosen = ProcessorOptions {
        filter_threshold: options["filter_threshold"]
            .as_f64()
            .unwrap_or(defaults.filter_threshold),
        hide_regex: pattern("hide_regex")?,
        show_regex: pattern("show_regex")?,
    };
    let shape = TreeOptions {
        timeline,
        self_nodes: true,
        scope: Scope::Session,
        ..TreeOptions::default()
    };
    let tree = default_processors(show_all, timeline)
        .into_iter()
        .fold(FrameTree::build_with(session, &shape), |tree, processor| {
            processor(tree, &chosen)
        });
    let manifest = session.manifest();
    Ok(json!({
        "start_time_ns": manifest.clock.unix_nanos_at(session.start()),
        "duration": session.duration().as_secs_f64(),
        "sample_count": session.samples().len(),
        "target_description": manifest.program.description,
        "cpu_time": manifest.cpu_time.unwrap_or_default().as_secs_f64(),
        "frames": frames(session, &tree),
    }))
}

fn frames(session: &Session, tree: &FrameTree) -> Vec<Value> {
    let (await_times, application) = (tree.await_times(), tree.application_code());
    let top = tree.tops().next();
    let walk = top.into_iter().flat_map(|top| tree.walk_from(top));
    // What is no code is where its caller is.
    let mut short_paths: Vec<String> = vec![String::new(); tree.len()];
    walk.map(|(id, depth)| {
        let node = tree.node(id);
        let (function, file, line) = name(session, tree, id);
        let caller = node.parent().filter(|_| depth > 0 && tree.is_synthetic(id));
        let short_path = match caller {
            Some(caller) => short_paths[caller.index()].clone(),
            None => session.short_path(file).into_owned(),
        };
        short_paths[id.index()].clone_from(&short_path);
        json!({
            "depth": depth,
            "function": function,
            "file_path": file,
            "file_path_short": short_path,
            "line_no": line,
            "time": node.time().as_secs_f64(),
            "await_time": await_times[id.index()].as_secs_f64(),
            "is_application_code": application[id.index()],
            "group": node.group().map(|group| group.as_u32()),
            "class_name": node.class().map(|class| session.string(class)),
        })
    })
    .collect()
}

fn name<'a>(session: &'a Session, tree: &'a FrameTree, id: NodeId) -> (&'a str, &'a str, u64) {
    match tree.node(id).kind() {
        NodeKind::Root => ("[root]", "", 0),
        NodeKind::SelfTime => ("[self]", "", 0),
        NodeKind::Thread(thread) => {
            let number = session.threads().get(thread).native_id;
            (
                session.thread_name(thread).unwrap_or_default(),
                "<thread>",
                number,
            )
        }
        NodeKind::Function(function) => {
            let function = tree.function(function);
            (function.name, function.file, function.first_line.into())
        }
    }
}
