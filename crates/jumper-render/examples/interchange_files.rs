//! Writes sessions that the tests make in every format, for programs that read those.
//!
//! Beside them lies `facts.json`, which says of each session what has to be in its files.
//!
//!     cargo run -p jumper-render --example interchange_files -- DIRECTORY

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use jumper_render::{RenderOptions, render_to_file, renderers};
use jumper_session::{Sample, Session, ThreadState};
use serde_json::{Map, Value, json};

#[path = "../tests/interchange/sessions.rs"]
mod sessions;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args_os().nth(1);
    let directory = PathBuf::from(directory.ok_or("the path of a directory is missing")?);
    fs::create_dir_all(&directory)?;
    let mut all = Map::new();
    for (name, session) in sessions::all() {
        let mut files = Map::new();
        for renderer in renderers() {
            let about = renderer.about();
            let file = format!("{name}.{}", about.extension());
            let path = directory.join(&file);
            // There are renderers that say what they miss in a session, rather than writing a file that says nothing.
            if render_to_file(*renderer, &session, &RenderOptions::default(), &path).is_ok() {
                files.insert(about.name.into(), file.into());
            }
        }
        let mut facts = facts(&session);
        facts["files"] = files.into();
        all.insert(name.into(), facts);
    }
    fs::write(directory.join("facts.json"), Value::from(all).to_string())?;
    Ok(())
}

fn facts(session: &Session) -> Value {
    let threads: Vec<Value> = session
        .threads()
        .iter()
        .map(|(id, thread)| {
            let samples = session.samples().iter();
            let samples: Vec<Sample> = samples.filter(|sample| sample.thread == id).collect();
            let ns = |is_counted: fn(ThreadState) -> bool| -> u128 {
                let counted = samples.iter().filter(|sample| is_counted(sample.state));
                counted.map(|sample| sample.duration.as_nanos()).sum()
            };
            json!({
                "name": session.thread_name(id),
                "samples": samples.len(),
                "wall_ns": ns(|_| true) as u64,
                "cpu_ns": ns(|state| state.contains(ThreadState::ON_CPU)) as u64,
                "native_id": thread.native_id,
            })
        })
        .collect();
    json!({
        "threads": threads,
        "processes": session.processes().len(),
        "cells": session.cells().len(),
        // Four of the metrics of each machine have values, three at one level and two at the other.
        "counters": if session.metrics().is_empty() { 0 } else { 5 * session.hosts().len() },
        "duration_ns": session.duration().as_nanos() as u64,
    })
}
