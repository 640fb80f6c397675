//! What is in a session, without its contents.

use std::io::{self, Write};

use jumper_session::{CellOutcome, Parts, Session, Signature, Thresholds};

use crate::facts;
use crate::format::{count, plain, span};
use crate::text::{paint::Paint, table};

/// What of a session [`info`] looks at: how large its tables are is known without reading them.
pub const INFO_NEEDS: Parts = Parts::SAMPLE_COUNTS.with(Parts::CELLS).with(Parts::METRICS);

/// Writes what a session says about itself: what ran where, how it was recorded, how much there is of each
/// table; then what the metrics came to.
///
/// # Errors
/// If `out` cannot be written to.
pub fn info(session: &Session, out: &mut dyn Write) -> io::Result<()> {
    let (manifest, rows) = (session.manifest(), session.row_counts());
    let mut line = |label: &str, value: &str| writeln!(out, "{label:<12} {value}");
    if let Some(path) = session.path() {
        line("Session", &plain(&path.display().to_string()))?;
    }
    line(
        "Format",
        &format!(
            "{} {}",
            plain(&manifest.format.name),
            manifest.format.version
        ),
    )?;
    if !manifest.jumper_version.is_empty() {
        line(
            "Written by",
            &format!("jumper {}", plain(&manifest.jumper_version)),
        )?;
    }
    line("Program", &facts::program(session))?;
    if let Some(cwd) = &manifest.program.cwd {
        line("Directory", &plain(cwd))?;
    }
    if let Some(python) = &manifest.python {
        let executable = python.executable.as_deref().unwrap_or_default();
        let text = format!("{} {}  {executable}", python.implementation, python.version);
        line("Python", plain(&text).trim_end())?;
    }
    for host in session.hosts() {
        line("Host", &plain(&facts::host(host)))?;
    }
    line("Recorded", &facts::recorded(session))?;
    line(
        "Outcome",
        &facts::outcome(session).unwrap_or_else(|| "finished".into()),
    )?;
    for fact in facts::figures(session) {
        line(fact.label, &fact.value)?;
    }
    if let Some(stacks) = manifest.stacks {
        line(
            "Stacks",
            &format!(
                "every {}, {} functions, {} distinct stacks",
                span(stacks.interval),
                count(rows.functions as u64),
                count(rows.stacks as u64)
            ),
        )?;
    }
    if let Some(metrics) = manifest.metrics {
        let columns = session.metric_columns().iter();
        let names: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
        line(
            "Metrics",
            &format!(
                "every {}, {} rows of {}",
                span(metrics.interval),
                count(rows.metrics as u64),
                plain(&names.join(", "))
            ),
        )?;
    }
    let mut samples = vec![0_u64; session.threads().len()];
    for thread in session.samples().threads() {
        samples[thread.index()] += 1;
    }
    for (id, thread) in session.threads().iter() {
        let name = plain(session.thread_name(id).unwrap_or("unnamed"));
        line(
            "Thread",
            &format!(
                "{name} ({}{}): {} samples, {} lost",
                thread.native_id,
                facts::owner(session, thread.process),
                count(samples[id.index()]),
                count(thread.lost)
            ),
        )?;
    }
    for (id, cell) in session.cells().iter() {
        let source = session.string(cell.source);
        let first = source.lines().find(|line| !line.trim().is_empty());
        let ran = match cell.end {
            Some(end) => span(end.since(cell.start)),
            None => "not ended".into(),
        };
        let outcome = match cell.outcome {
            CellOutcome::Error => ", raised an exception",
            CellOutcome::Interrupted => ", interrupted",
            CellOutcome::Ok | CellOutcome::Unknown => "",
        };
        let text = format!(
            "{} ({ran}{outcome}): {}",
            id.as_u32(),
            first.unwrap_or_default()
        );
        line("Cell", &plain(&text))?;
    }
    for signature in Signature::of(session) {
        line("Signature", &plain(&judged(session, &signature)))?;
    }
    if let Some(chosen) = manifest.thresholds {
        line("Thresholds", &thresholds(chosen))?;
    }
    for note in &manifest.notes {
        line("Note", &plain(note))?;
    }
    let mut tables = Vec::new();
    table::metrics(session, Paint::new(false), &mut tables)?;
    if !tables.is_empty() {
        writeln!(out)?;
    }
    out.write_all(&tables)
}

/// What a level was short of, and what nobody knows.
fn judged(session: &Session, signature: &Signature) -> String {
    let mut text = format!(
        "{}: {}",
        session.string(signature.level),
        facts::tags(signature)
    );
    if let [_, _, ..] = session.hosts() {
        text = format!("{} {text}", session.hosts()[signature.host.index()].name);
    }
    let unknown: Vec<&str> = signature.unknown.iter().map(|tag| tag.name()).collect();
    match unknown.is_empty() {
        true => text,
        false => format!("{text}; not known: {}", unknown.join(", ")),
    }
}

fn thresholds(mut chosen: Thresholds) -> String {
    let each = Thresholds::NAMES.iter().filter_map(|name| {
        let value = chosen.get_mut(name)?;
        Some(format!("{name} {value}"))
    });
    each.collect::<Vec<_>>().join(", ")
}
