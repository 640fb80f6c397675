//! Whose numbers of processes the driver uses.
//!
//! A process has a number in each PID namespace that it is visible in. NVIDIA's driver gives that of the machine; newer ones
//! translate it, so that a container sees its own. Which of both it does, nobody says. So within a container the
//! driver is believed only when its list has a process that has opened the driver's device for computing, by one of
//! the numbers that the kernel gives for it (`NSpid`, proc(5)).

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::reading::Processes;

/// Opened by whoever computes, and not by those who only look.
const DEVICE: &str = "/dev/nvidia-uvm";

/// How the driver's numbers become ours.
#[derive(Debug)]
pub(super) enum Numbering {
    /// They are ours: we see the whole machine.
    Same,
    /// They are ours as far as that is proven, from what is below this directory, `/proc`.
    Proven(PathBuf),
}

impl Numbering {
    /// As seen from here.
    pub(super) fn here() -> Self {
        /// The number that the kernel gives to the first PID namespace (`PROC_PID_INIT_INO`, include/linux/proc_ns.h).
        const FIRST: u64 = 0xEFFF_FFFC;
        match fs::metadata("/proc/self/ns/pid") {
            Ok(namespace) if namespace.ino() == FIRST => Self::Same,
            _ => Self::Proven("/proc".into()),
        }
    }

    /// What the driver says of `pids`, by our numbers. Unknown as a whole where it may mean others.
    pub(super) fn ours(&self, said: Processes, pids: &[u32]) -> Processes {
        let Self::Proven(proc) = self else {
            return said;
        };
        let Some(listed) = &said.memory else {
            return Processes::default();
        };
        let (mut memory, mut busy) = (HashMap::new(), HashMap::new());
        let (mut computes, mut is_proven) = (false, false);
        for &pid in pids {
            match has_opened(proc, pid) {
                Some(false) => continue,
                Some(true) => computes = true,
                None => {
                    memory.insert(pid, None);
                    busy.insert(pid, None);
                    continue;
                }
            }
            let number = numbers(proc, pid)
                .into_iter()
                .find(|number| listed.contains_key(number));
            // A child that was forked has the device open and may not have begun to use it.
            let Some(number) = number else { continue };
            is_proven = true;
            memory.insert(pid, listed[&number]);
            if let Some(&said) = said.busy.as_ref().and_then(|busy| busy.get(&number)) {
                busy.insert(pid, said);
            }
        }
        if computes && !is_proven {
            return Processes::default();
        }
        Processes {
            memory: Some(memory),
            busy: said.busy.is_some().then_some(busy),
        }
    }
}

/// Whether a process computes on a GPU; `None` where its files may not be seen. One that is gone does not.
fn has_opened(proc: &Path, pid: u32) -> Option<bool> {
    let files = match fs::read_dir(proc.join(format!("{pid}/fd"))) {
        Ok(files) => files,
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) => {
            return Some(false);
        }
        Err(_) => return None,
    };
    let mut targets = files
        .flatten()
        .filter_map(|file| fs::read_link(file.path()).ok());
    Some(targets.any(|target| target == Path::new(DEVICE)))
}

/// Its number here and in the namespaces below.
fn numbers(proc: &Path, pid: u32) -> Vec<u32> {
    let status = fs::read_to_string(proc.join(format!("{pid}/status"))).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    let numbers = line.into_iter().flat_map(str::split_ascii_whitespace);
    let mut all: Vec<u32> = numbers.filter_map(|number| number.parse().ok()).collect();
    if all.is_empty() {
        all.push(pid);
    }
    all
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::metrics::gpu::reading::Busy;

    /// A `/proc` with processes: number, `NSpid`, and whether they compute.
    fn proc(processes: &[(u32, &str, bool)]) -> tempfile::TempDir {
        let proc = tempfile::tempdir().expect("a temporary directory");
        for &(pid, numbers, computes) in processes {
            let files = proc.path().join(format!("{pid}/fd"));
            fs::create_dir_all(&files).expect("it can be made");
            let status = format!("Name:\tx\nNSpid:\t{numbers}\nThreads:\t1\n");
            fs::write(proc.path().join(format!("{pid}/status")), status)
                .expect("it can be written");
            symlink("/dev/null", files.join("0")).expect("it can be linked");
            if computes {
                symlink(DEVICE, files.join("3")).expect("it can be linked");
            }
        }
        proc
    }

    fn said(pids: &[u32]) -> Processes {
        let busy = Some(Busy {
            util: 7.0,
            band: Some(1.0),
        });
        Processes {
            memory: Some(pids.iter().map(|&pid| (pid, Some(100))).collect()),
            busy: Some(pids.iter().map(|&pid| (pid, busy)).collect()),
        }
    }

    #[test]
    fn numbers_of_the_machine_are_unknown_in_a_container() {
        let proc = proc(&[(7, "7", true), (8, "8", false)]);
        let numbering = Numbering::Proven(proc.path().into());
        let ours = numbering.ours(said(&[40_007, 40_008]), &[7, 8]);
        assert_eq!(ours, Processes::default());
        // A number of the machine may be that of another process here.
        assert_eq!(numbering.ours(said(&[8]), &[7, 8]), Processes::default());
        assert_eq!(
            numbering.ours(Processes::default(), &[7]),
            Processes::default()
        );
    }

    #[test]
    fn numbers_that_are_proven_are_ours() {
        let proc = proc(&[
            (7, "7", true),
            (8, "8", false),
            (9, "9\t2", true),
            (10, "10", true),
        ]);
        let numbering = Numbering::Proven(proc.path().into());
        let ours = numbering.ours(said(&[7, 8, 2]), &[7, 8, 9, 10]);
        let memory = ours.memory.expect("it is known");
        assert_eq!(
            (memory.len(), memory[&7], memory[&9]),
            (2, Some(100), Some(100))
        );
        assert_eq!(ours.busy.expect("it is known").len(), 2);
    }

    #[test]
    fn who_does_not_compute_uses_nothing() {
        let proc = proc(&[(8, "8", false)]);
        let numbering = Numbering::Proven(proc.path().into());
        let ours = numbering.ours(said(&[40_007]), &[8, 9]);
        assert_eq!(ours.memory, Some(HashMap::new()));
    }

    #[test]
    fn without_a_namespace_all_is_ours() {
        assert_eq!(Numbering::Same.ours(said(&[1, 2]), &[1]), said(&[1, 2]));
    }
}
