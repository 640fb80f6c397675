//! What has a tree of its own.

use std::borrow::Cow;

use jumper_session::{Cell, CellId, Process, ProcessId, Scope, Selection, Session};

use super::options::By;
use crate::format::{plain, span};

/// How much of a cell's code is told.
const CODE: usize = 60;

/// A part of a session, or all of it.
pub(super) struct Part<'a> {
    pub(super) title: Option<String>,
    pub(super) session: Cow<'a, Session>,
    pub(super) scope: Scope,
}

/// The parts, one after the other: each takes as much memory as the session.
pub(super) fn parts(session: &Session, by: By) -> Box<dyn Iterator<Item = Part<'_>> + '_> {
    let all = |scope| {
        Box::new(std::iter::once(Part {
            title: None,
            session: Cow::Borrowed(session),
            scope,
        }))
    };
    match by {
        By::Session => all(Scope::Session),
        By::Thread => all(Scope::Thread),
        By::Auto => match has_several_threads(session) {
            true => all(Scope::Thread),
            false => all(Scope::Session),
        },
        By::Process => {
            let processes = session.processes().iter();
            Box::new(processes.map(|(id, process)| of_process(session, id, &process)))
        }
        By::Cell => {
            let cells = session.cells().iter();
            Box::new(cells.map(|(id, cell)| of_cell(session, id, &cell)))
        }
    }
}

/// Whether more than one thread was sampled.
fn has_several_threads(session: &Session) -> bool {
    let threads = session.samples().threads();
    threads.iter().any(|thread| *thread != threads[0])
}

fn of_process<'a>(session: &'a Session, id: ProcessId, process: &Process) -> Part<'a> {
    let command = session.process_command(id).map(plain);
    let host = match session.hosts() {
        [] | [_] => String::new(),
        hosts => format!(" on {}", plain(&hosts[process.host.index()].name)),
    };
    let command = command.map_or(String::new(), |command| format!(": {command}"));
    Part {
        title: Some(format!("Process {}{host}{command}", process.pid)),
        session: selected(session, &Selection::all().of_processes([id])),
        scope: Scope::Session,
    }
}

fn of_cell<'a>(session: &'a Session, id: CellId, cell: &Cell) -> Part<'a> {
    let end = cell.end.unwrap_or(session.end()).max(cell.start);
    let code = session.string(cell.source);
    let code = code.lines().find(|line| !line.trim().is_empty());
    let code: String = plain(code.unwrap_or_default()).chars().take(CODE).collect();
    let took = span(end.since(cell.start));
    let selection = Selection::all()
        .between(cell.start, end)
        .of_processes([cell.process]);
    Part {
        title: Some(format!("Cell {}, {took}: {code}", id.index())),
        session: selected(session, &selection),
        scope: Scope::Session,
    }
}

/// What is selected, or else a session in which nothing is.
fn selected<'a>(session: &Session, selection: &Selection) -> Cow<'a, Session> {
    let part = session.clone().select(selection);
    let nothing = |_| jumper_session::SessionBuilder::new().finish(session.manifest().clone());
    Cow::Owned(part.unwrap_or_else(nothing))
}
