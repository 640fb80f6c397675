//! The processes and threads that were observed.

use crate::{HostId, ProcessId, StringId, ThreadId};

/// A process: one row of the [`ProcessTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    /// The machine it ran on.
    pub host: HostId,
    /// The process id that the machine's kernel gave it.
    pub pid: u32,
    /// Its command line, where that could be read.
    pub command: Option<StringId>,
}

/// One row for every observed process; `processes.parquet` on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessTable {
    rows: Vec<Process>,
}

impl ProcessTable {
    /// The row of a process.
    ///
    /// # Panics
    /// If the handle is of another session and out of range here.
    pub fn get(&self, id: ProcessId) -> Process {
        self.rows[id.index()]
    }

    /// How many processes there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no process was observed.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All processes in the order of their handles.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ProcessId, Process)> + '_ {
        self.rows
            .iter()
            .enumerate()
            .map(|(row, process)| (ProcessId::from_len(row), *process))
    }

    pub(crate) fn rows(&self) -> &[Process] {
        &self.rows
    }

    pub(crate) fn get_mut(&mut self, id: ProcessId) -> &mut Process {
        &mut self.rows[id.index()]
    }

    pub(crate) fn push(&mut self, process: Process) -> ProcessId {
        let id = ProcessId::from_len(self.rows.len());
        self.rows.push(process);
        id
    }
}

/// A thread: one row of the [`ThreadTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thread {
    /// The process it belongs to.
    pub process: ProcessId,
    /// The thread id that the machine's kernel gave it (`threading.get_native_id()`), or what a recorder of another
    /// program had in its place.
    pub native_id: u64,
    /// Its name, where one is known.
    pub name: Option<StringId>,
    /// How many samples of it were attempted and thrown away because they could not be trusted.
    pub lost: u64,
}

impl Thread {
    /// Whether nothing is known of it: it stands for samples of which a file did not say whose they are.
    pub fn is_anonymous(&self) -> bool {
        self.name.is_none() && self.native_id == 0
    }
}

/// One row for every observed thread; `threads.parquet` on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadTable {
    rows: Vec<Thread>,
}

impl ThreadTable {
    /// The row of a thread.
    ///
    /// # Panics
    /// If the handle is of another session and out of range here.
    pub fn get(&self, id: ThreadId) -> Thread {
        self.rows[id.index()]
    }

    /// How many threads there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no thread was observed.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All threads in the order of their handles.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ThreadId, Thread)> + '_ {
        self.rows
            .iter()
            .enumerate()
            .map(|(row, thread)| (ThreadId::from_len(row), *thread))
    }

    /// Samples of all threads that were attempted and thrown away.
    pub fn lost(&self) -> u64 {
        self.rows
            .iter()
            .fold(0, |sum, thread| sum.saturating_add(thread.lost))
    }

    pub(crate) fn rows(&self) -> &[Thread] {
        &self.rows
    }

    pub(crate) fn get_mut(&mut self, id: ThreadId) -> &mut Thread {
        &mut self.rows[id.index()]
    }

    pub(crate) fn push(&mut self, thread: Thread) -> ThreadId {
        let id = ThreadId::from_len(self.rows.len());
        self.rows.push(thread);
        id
    }
}
