//! Whose samples they are, in words and in numbers that are unique within a session.

use std::collections::HashSet;

use jumper_session::{Cell, ProcessId, Session, ThreadId};

/// The name of a process: its command, else its number, and its machine where there are several.
pub(super) fn process_name(session: &Session, process: ProcessId) -> String {
    let row = session.processes().get(process);
    let command = session.process_command(process).unwrap_or_default();
    let description = session.manifest().program.description.as_str();
    let name = match (command, session.processes().len()) {
        ("", 1) if !description.is_empty() => description.to_owned(),
        ("", _) => format!("process {}", row.pid),
        (command, _) => command.to_owned(),
    };
    match session.hosts() {
        [] | [_] => name,
        hosts => format!("{name} on {}", hosts[row.host.index()].name),
    }
}

/// The name of a thread, else its number.
pub(super) fn thread_name(session: &Session, thread: ThreadId) -> String {
    match session.thread_name(thread) {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => format!("Thread {}", session.threads().get(thread).native_id),
    }
}

/// How the run of a cell ended, in a word.
pub(super) fn cell_outcome(cell: &Cell) -> &'static str {
    cell.outcome.name().unwrap_or("unknown")
}

/// Numbers of processes and threads for formats that have room for 32 bits and tell them apart by nothing else: the kernel's
/// where these are unique, others where they are not, because two machines had the same.
pub(super) struct Numbers {
    processes: Vec<u32>,
    threads: Vec<u32>,
}

impl Numbers {
    pub(super) fn of(session: &Session) -> Self {
        let processes = session.processes().iter();
        let threads = session.threads().iter();
        Self {
            processes: unique(
                processes
                    .map(|(_, process)| u64::from(process.pid))
                    .collect(),
            ),
            threads: unique(threads.map(|(_, thread)| thread.native_id).collect()),
        }
    }

    pub(super) fn process(&self, id: ProcessId) -> u32 {
        self.processes[id.index()]
    }

    pub(super) fn thread(&self, id: ThreadId) -> u32 {
        self.threads[id.index()]
    }

    /// A number that no process has.
    pub(super) fn spare_process(&self, index: usize) -> u32 {
        let taken: HashSet<u32> = self.processes.iter().copied().collect();
        spare()
            .filter(|number| !taken.contains(number))
            .nth(index)
            .unwrap_or(u32::MAX)
    }
}

/// The numbers that are given where the kernel's are not unique: beyond those that Linux gives.
fn spare() -> impl Iterator<Item = u32> {
    1 << 30..i32::MAX as u32
}

fn unique(wanted: Vec<u64>) -> Vec<u32> {
    let mut taken: HashSet<u32> = HashSet::new();
    let known = |number: u64| {
        u32::try_from(number)
            .ok()
            .filter(|number| (1..1 << 30).contains(number))
    };
    let kept: Vec<Option<u32>> = wanted
        .iter()
        .map(|&number| known(number).filter(|number| taken.insert(*number)))
        .collect();
    let mut others = spare();
    kept.into_iter()
        .map(|number| number.or_else(|| others.next()).unwrap_or(u32::MAX))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_taken_or_too_large_become_others() {
        let numbers = unique(vec![7, 8, 7, 0, 140_000_000_000_000]);
        assert_eq!(numbers, [7, 8, 1 << 30, (1 << 30) + 1, (1 << 30) + 2]);
    }
}
