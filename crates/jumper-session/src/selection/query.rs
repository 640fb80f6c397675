//! A part of a session as people name it, before anybody knows whether it is there.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::{CellSpan, Selection, Span, TimeMode};
use crate::error::{Error, Result};
use crate::{Parts, Session};

/// So many names are listed where one is not known.
const LISTED: usize = 10;

/// What somebody asks to see of a session. Everything that is said narrows it down; of several threads, processes or
/// levels any will do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// Only these seconds since the beginning.
    pub time: Option<Span>,
    /// Only while these cells ran.
    pub cells: Option<CellSpan>,
    /// Only threads of these names or numbers.
    pub threads: Vec<String>,
    /// Only processes of these numbers.
    pub processes: Vec<u32>,
    /// Only tasks of these numbers.
    pub tasks: Vec<u64>,
    /// Of the metrics only these levels.
    pub levels: Vec<String>,
    /// Only time of this kind.
    pub mode: TimeMode,
}

impl Query {
    /// What of a session must be [read](Session::read) to [find](Session::find) this and to select it.
    pub fn needs(&self) -> Parts {
        if *self == Self::default() {
            return Parts::NONE;
        }
        let kinds = [
            (true, Parts::CALLS),
            (self.mode != TimeMode::Wall, Parts::SAMPLES),
            (!self.tasks.is_empty(), Parts::SAMPLES),
            (self.cells.is_some(), Parts::CELLS),
            (!self.levels.is_empty(), Parts::METRICS),
        ];
        let wanted = kinds.iter().filter(|(is_wanted, _)| *is_wanted);
        wanted.fold(Parts::NONE, |all, (_, parts)| all.with(*parts))
    }
}

impl Session {
    /// Finds what a query names.
    ///
    /// # Errors
    /// [`Error::NotThere`] and [`Error::NoSuchCell`] where it is not in the session.
    ///
    /// # Panics
    /// If what the query [needs](Query::needs) was not read.
    pub fn find(&self, query: &Query) -> Result<Selection> {
        let mut selection = Selection::all().in_mode(query.mode);
        if let Some(span) = query.time {
            let (from, to) = span.seconds_of(self.duration());
            selection = selection.between(self.start().after(from), self.start().after(to));
        }
        if let Some(span) = query.cells {
            selection = selection.during(self.times_of_cells(span)?);
        }
        if !query.threads.is_empty() {
            let threads = each(&query.threads, |wanted| {
                let found = self.threads().iter().filter(|&(id, thread)| {
                    self.thread_name(id) == Some(wanted) || wanted.parse() == Ok(thread.native_id)
                });
                let names = self.threads().iter().map(|(id, thread)| {
                    let name = self.thread_name(id).unwrap_or_default();
                    format!("{name} ({})", thread.native_id)
                });
                known("thread", wanted, found.map(|(id, _)| id).collect(), names)
            })?;
            selection = selection.of_threads(threads);
        }
        if !query.processes.is_empty() {
            let processes = each(&query.processes, |wanted| {
                let all = || self.processes().iter();
                let found = all().filter(|(_, process)| process.pid == *wanted);
                let pids = all().map(|(_, process)| process.pid.to_string());
                known("process", wanted, found.map(|(id, _)| id).collect(), pids)
            })?;
            selection = selection.of_processes(processes);
        }
        if !query.tasks.is_empty() {
            selection = selection.of_tasks(query.tasks.iter().copied());
        }
        if !query.levels.is_empty() {
            let levels = self.metrics().levels().iter();
            let all: BTreeSet<&str> = levels.map(|&level| self.string(level)).collect();
            let levels = each(&query.levels, |wanted| {
                let found = all.get(wanted.as_str()).into_iter().copied().collect();
                known("level", wanted, found, all.iter().map(ToString::to_string))
            })?;
            selection = selection.of_levels(levels);
        }
        Ok(selection)
    }
}

/// What is found of all that is wanted.
fn each<'a, W, T>(wanted: &'a [W], find: impl Fn(&'a W) -> Result<Vec<T>>) -> Result<Vec<T>> {
    let found = wanted.iter().map(find).collect::<Result<Vec<_>>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// What was found, or an error that lists what there is.
fn known<T>(
    kind: &'static str,
    wanted: impl Display,
    found: Vec<T>,
    all: impl Iterator<Item = String>,
) -> Result<Vec<T>> {
    if !found.is_empty() {
        return Ok(found);
    }
    let all: BTreeSet<String> = all.collect();
    let more = all.len().saturating_sub(LISTED);
    let listed = all.into_iter().take(LISTED).collect::<Vec<_>>().join(", ");
    Err(Error::NotThere {
        kind,
        wanted: wanted.to_string(),
        known: match (listed.is_empty(), more) {
            (true, _) => "none".into(),
            (false, 0) => listed,
            (false, more) => format!("{listed} and {more} more"),
        },
    })
}
