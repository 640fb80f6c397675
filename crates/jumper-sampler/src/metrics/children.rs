//! Who the children of a process are.
//!
//! The kernel tells in two ways. `/proc/PID/task/TID/children` costs one file for each thread of the observed
//! processes, whatever else runs; it exists since Linux 3.5 where the kernel is built with `CONFIG_PROC_CHILDREN`.
//! Otherwise every process of the machine is asked for its parent, which is slow on a machine shared by thousands.
//!
//! The first way may leave out a child when another one ends while the file is read (proc(5)). A child that was seen
//! once is therefore remembered by the [tree](super::tree); one that is new is found a sample later.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::process::read_stat;
use super::procfs::TextFile;

/// How children are found on this machine.
#[derive(Debug)]
pub(super) enum Children {
    /// By the files of their parent's threads.
    TaskFiles,
    /// By one pass over all processes at the start of a scan: parent to children.
    Table(HashMap<u32, Vec<u32>>),
}

impl Children {
    /// Finds out which way is open here.
    pub(super) fn detect() -> Self {
        if Path::new("/proc/thread-self/children").exists() {
            Self::TaskFiles
        } else {
            Self::Table(HashMap::new())
        }
    }

    /// To be called at the start of each scan.
    pub(super) fn refresh(&mut self, file: &mut TextFile) {
        let Self::Table(table) = self else { return };
        table.clear();
        for pid in numbered_entries("/proc") {
            if let Ok(stat) = read_stat(file, pid) {
                table.entry(stat.parent).or_default().push(pid);
            }
        }
    }

    /// Adds the children of process `pid`, which has `threads` threads, to `found`.
    pub(super) fn list(&self, file: &mut TextFile, pid: u32, threads: u64, found: &mut Vec<u32>) {
        match self {
            Self::TaskFiles if threads <= 1 => list_thread(file, pid, pid, found),
            Self::TaskFiles => {
                for tid in numbered_entries(format!("/proc/{pid}/task")) {
                    list_thread(file, pid, tid, found);
                }
            }
            Self::Table(table) => found.extend(table.get(&pid).into_iter().flatten()),
        }
    }
}

/// A child belongs to the thread that made it, until that thread ends.
fn list_thread(file: &mut TextFile, pid: u32, tid: u32, found: &mut Vec<u32>) {
    // A thread that is gone has no children left, and one that cannot be read is asked again at the next scan.
    if let Ok(text) = file.read_text(format_args!("/proc/{pid}/task/{tid}/children")) {
        found.extend(
            text.split_ascii_whitespace()
                .filter_map(|number| number.parse::<u32>().ok()),
        );
    }
}

/// The entries of a directory whose names are numbers: processes of `/proc`, threads of a process.
pub(super) fn numbered_entries(directory: impl AsRef<Path>) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command, Stdio};

    /// A child of this test's own thread that waits to be killed.
    fn sleeper() -> Child {
        Command::new("sleep")
            .arg("60")
            .stdout(Stdio::null())
            .spawn()
            .expect("bug: `sleep` cannot be started")
    }

    fn finds(mut children: Children, pid: u32) -> bool {
        let (mut file, mut found) = (TextFile::default(), Vec::new());
        children.refresh(&mut file);
        let own = std::process::id();
        let threads = read_stat(&mut file, own)
            .expect("bug: no own status")
            .threads;
        children.list(&mut file, own, threads, &mut found);
        found.contains(&pid)
    }

    #[test]
    fn both_ways_find_the_same_child() {
        let mut child = sleeper();
        let by_table = finds(Children::Table(HashMap::new()), child.id());
        let by_detected = finds(Children::detect(), child.id());
        child
            .kill()
            .and_then(|()| child.wait())
            .expect("bug: the child cannot be ended");
        assert!(by_table, "the table of processes misses the child");
        assert!(by_detected, "the detected way misses the child");
    }
}
