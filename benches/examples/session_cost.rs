//! What it costs to record a session of any size, and to make a call tree of one.
//!
//! `session_cost record SAMPLES DIRECTORY` records made-up samples through the recorder, with its journal, and finishes it;
//! `session_cost tree SESSION` opens a session of any format and builds the aggregated tree. Both print a line of JSON for
//! each step: seconds of CPU time and of wall time, and the most memory that the process has had so far, in MiB.

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use jumper_benches::Walk;
use jumper_session::{
    FrameTree, Host, Kept, Manifest, NewSample, Parts, Program, Recorder, SessionBuilder,
    StacksSummary, ThreadState, Timestamp, formats,
};
use rustix::time::{ClockId, clock_gettime};

const INTERVAL: Duration = Duration::from_millis(1);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["record", samples, directory] => record(samples.parse()?, directory.as_ref()),
        ["tree", session] => tree(session.as_ref()),
        _ => Err("pass `record SAMPLES DIRECTORY` or `tree SESSION`".into()),
    }
}

/// One source, which hands over a sample at a time as fast as they are taken.
fn record(samples: u32, directory: &Path) -> Result<(), Box<dyn Error>> {
    let begin = Step::begin();
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 1, Some("walk"));
    let thread = builder.add_thread(process, 1, Some("MainThread"));
    let mut walk = Walk::new(&mut builder);
    let manifest = Manifest {
        stacks: Some(StacksSummary {
            interval: INTERVAL,
            ..StacksSummary::default()
        }),
        ..Manifest::default()
    };
    let kept = Kept {
        is_required: true,
        path: directory.into(),
        program: Program::default(),
        parts: Parts::NONE,
    };
    let recorder = Recorder::start(builder, manifest.clone(), Some(kept))?;
    let time = |sample: u32| Timestamp::from_nanos(i64::from(sample) * INTERVAL.as_nanos() as i64);
    for sample in 0..samples {
        walk.step();
        recorder.record(|builder| {
            let stack = walk.stack(builder);
            builder.push_sample(NewSample {
                time: time(sample),
                duration: INTERVAL,
                thread,
                task: None,
                state: ThreadState::ON_CPU,
                stack,
            });
        });
    }
    begin.end("record");
    let begin = Step::begin();
    let session = recorder.finish(Manifest {
        end: time(samples),
        ..manifest
    })?;
    begin.end("finish");
    let rows = session.row_counts();
    println!(
        "{{\"samples\": {}, \"stacks\": {}, \"notes\": {}}}",
        rows.samples,
        rows.stacks,
        session.manifest().notes.len()
    );
    Ok(())
}

fn tree(session: &Path) -> Result<(), Box<dyn Error>> {
    let begin = Step::begin();
    let session = formats::read(session, Parts::CALLS)?;
    begin.end("open");
    let begin = Step::begin();
    let tree = FrameTree::build(&session);
    begin.end("tree");
    println!(
        "{{\"samples\": {}, \"nodes\": {}, \"seconds\": {}}}",
        session.samples().len(),
        tree.len(),
        tree.total().as_secs_f64()
    );
    Ok(())
}

/// A part of the work, from its beginning.
struct Step {
    wall: Instant,
    cpu: f64,
}

impl Step {
    fn begin() -> Self {
        Self {
            wall: Instant::now(),
            cpu: cpu_seconds(),
        }
    }

    fn end(self, name: &str) {
        println!(
            "{{\"step\": \"{name}\", \"cpu_s\": {:.3}, \"wall_s\": {:.3}, \"peak_mib\": {:.1}}}",
            cpu_seconds() - self.cpu,
            self.wall.elapsed().as_secs_f64(),
            peak_mib()
        );
    }
}

/// The CPU time of all threads, in the kernel and out of it, those that have ended too.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn peak_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB"));
    peak.and_then(|kib| kib.trim().parse::<f64>().ok())
        .map_or(f64::NAN, |kib| kib / 1024.0)
}
