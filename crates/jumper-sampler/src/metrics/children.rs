//! Who the children of a process are, where only descendants are asked for.
//!
//! The kernel tells in two ways. `/proc/PID/task/TID/children` costs one file for each thread of the observed
//! processes, whatever else runs; it exists since Linux 3.5 where the kernel is built with `CONFIG_PROC_CHILDREN`.
//! Otherwise every process of the machine is asked for its parent, which is slow on a machine shared by thousands.
//!
//! The first way may leave out a child when another one ends while the file is read (proc(5)). A child that was seen
//! once is therefore remembered by the [table](super::processes); one that is new is found a sample later.

use std::collections::HashMap;
use std::fs::{self, File};

use super::kept::{Makes, read_from_start};
use super::process::{Files, ProcessPath};
use super::roots::Roots;

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
    pub(super) fn detect(roots: &Roots) -> Self {
        match roots.proc("thread-self/children").exists() {
            true => Self::TaskFiles,
            false => Self::Table(HashMap::new()),
        }
    }

    /// To be called when there may be new ones, with all processes that there are.
    pub(super) fn refresh(&mut self, path: &mut ProcessPath, bytes: &mut Vec<u8>, pids: &[u32]) {
        let Self::Table(table) = self else { return };
        table.clear();
        for &pid in pids {
            let files = Files::open(path.of(pid));
            if let Ok(stat) = files.and_then(|files| files.stat(bytes)) {
                table.entry(stat.parent).or_default().push(pid);
            }
        }
    }

    /// Adds the children of process `pid`, whose `path` it is and which has `threads` threads, to `found`.
    pub(super) fn list(
        &self,
        path: &mut ProcessPath,
        bytes: &mut Vec<u8>,
        pid: u32,
        threads: u64,
        found: &mut Vec<u32>,
    ) {
        match self {
            Self::TaskFiles if threads <= 1 => list_thread(path, bytes, pid, found),
            Self::TaskFiles => {
                let tasks = fs::read_dir(path.file("task"))
                    .into_iter()
                    .flatten()
                    .flatten();
                for task in tasks {
                    if let Some(tid) = task.file_name().to_str().and_then(|name| name.parse().ok())
                    {
                        list_thread(path, bytes, tid, found);
                    }
                }
            }
            Self::Table(table) => found.extend(table.get(&pid).into_iter().flatten()),
        }
    }
}

/// A child belongs to the thread that made it, until that thread ends.
fn list_thread(path: &mut ProcessPath, bytes: &mut Vec<u8>, tid: u32, found: &mut Vec<u32>) {
    // A thread that is gone has no children left, and one that cannot be read is asked again at the next scan.
    let Ok(file) = File::open(path.file(&format!("task/{tid}/children"))) else {
        return;
    };
    let Ok(count) = read_from_start(&file, bytes, Makes::Records) else {
        return;
    };
    let text = String::from_utf8_lossy(&bytes[..count]);
    found.extend(
        text.split_ascii_whitespace()
            .filter_map(|number| number.parse::<u32>().ok()),
    );
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
        let (roots, own) = (Roots::default(), std::process::id());
        let (mut path, mut bytes, mut found) = (ProcessPath::new(&roots), Vec::new(), Vec::new());
        children.refresh(&mut path, &mut bytes, &[own, pid]);
        let files = Files::open(path.of(own)).expect("bug: no own status");
        let threads = files.stat(&mut bytes).expect("bug: no own status").threads;
        children.list(path.of(own), &mut bytes, own, threads, &mut found);
        found.contains(&pid)
    }

    #[test]
    fn both_ways_find_the_same_child() {
        let mut child = sleeper();
        let by_table = finds(Children::Table(HashMap::new()), child.id());
        let by_detected = finds(Children::detect(&Roots::default()), child.id());
        child
            .kill()
            .and_then(|()| child.wait())
            .expect("bug: the child cannot be ended");
        assert!(by_table, "the table of processes misses the child");
        assert!(by_detected, "the detected way misses the child");
    }
}
