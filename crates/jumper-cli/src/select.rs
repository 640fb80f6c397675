//! From the options that select a part of a session to that part.

use std::collections::BTreeSet;

use jumper_session::{Selection, Session, TimeMode};

use crate::args::{ModeArg, SelectArgs};
use crate::error::CliError;

/// The part of the session that the options name.
pub(crate) fn select(session: Session, arguments: &SelectArgs) -> Result<Session, CliError> {
    let mut selection = Selection::all().in_mode(match arguments.mode {
        ModeArg::Wall => TimeMode::Wall,
        ModeArg::Cpu => TimeMode::Cpu,
    });
    if let Some(span) = arguments.time {
        let (from, to) = span.seconds_of(session.duration());
        selection = selection.between(session.start().after(from), session.start().after(to));
    }
    if let Some(span) = arguments.cell {
        selection = selection.during(session.times_of_cells(span)?);
    }
    if !arguments.thread.is_empty() {
        let threads = arguments.thread.iter().map(|wanted| {
            let found: Vec<_> = session
                .threads()
                .iter()
                .filter(|&(id, thread)| {
                    session.thread_name(id) == Some(wanted)
                        || wanted.parse() == Ok(thread.native_id)
                })
                .map(|(id, _)| id)
                .collect();
            let names = session.threads().iter().map(|(id, thread)| {
                let name = session.thread_name(id).unwrap_or_default();
                format!("{name} ({})", thread.native_id)
            });
            known("thread", wanted, found, names)
        });
        let threads = threads.collect::<Result<Vec<_>, _>>()?;
        selection = selection.of_threads(threads.into_iter().flatten());
    }
    if !arguments.process.is_empty() {
        let processes = arguments.process.iter().map(|&wanted| {
            let all = || session.processes().iter();
            let found = all().filter(|(_, process)| process.pid == wanted);
            let found = found.map(|(id, _)| id).collect();
            let pids = all().map(|(_, process)| process.pid.to_string());
            known("process", &wanted.to_string(), found, pids)
        });
        let processes = processes.collect::<Result<Vec<_>, _>>()?;
        selection = selection.of_processes(processes.into_iter().flatten());
    }
    if !arguments.level.is_empty() {
        let metrics = session.metrics();
        let levels: BTreeSet<&str> = metrics
            .levels()
            .iter()
            .map(|&level| session.string(level))
            .collect();
        for wanted in &arguments.level {
            let found = levels.get(wanted.as_str()).into_iter().collect();
            known(
                "level",
                wanted,
                found,
                levels.iter().map(ToString::to_string),
            )?;
        }
        selection = selection.of_levels(arguments.level.iter().cloned());
    }
    Ok(session.select(&selection)?)
}

/// What was found, or an error that lists what there is.
fn known<T>(
    kind: &str,
    wanted: &str,
    found: Vec<T>,
    all: impl Iterator<Item = String>,
) -> Result<Vec<T>, CliError> {
    const LISTED: usize = 10;
    if !found.is_empty() {
        return Ok(found);
    }
    let mut all: Vec<String> = all.collect::<BTreeSet<_>>().into_iter().collect();
    let more = all.len().saturating_sub(LISTED);
    all.truncate(LISTED);
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let text = format!(
        "there is no {kind} `{wanted}` in the session; there are {}{more}",
        all.join(", ")
    );
    // Names are whatever the recorded program chose.
    let shown = |char: char| match char.is_control() {
        true => char::REPLACEMENT_CHARACTER,
        false => char,
    };
    Err(CliError::Usage(text.chars().map(shown).collect()))
}
