//! The files under `/proc/PID` that the stack sampler reads (proc(5)).

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::{Error, Pid, Tid};

/// `/proc/PID/name`.
pub(crate) fn path(pid: Pid, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

/// A file that the process calls `name`, as we reach it when it lives in another mount namespace.
pub(crate) fn in_root_of(pid: Pid, name: &str) -> PathBuf {
    path(pid, "root").join(name.trim_start_matches('/'))
}

/// The program that the process runs.
pub(crate) fn executable(pid: Pid) -> Result<PathBuf, Error> {
    let link = path(pid, "exe");
    fs::read_link(&link).map_err(|source| Error::from_proc(pid, link, source))
}

/// One mapping of a file into a process.
pub(crate) struct Mapping {
    pub(crate) start: u64,
    pub(crate) offset: u64,
    pub(crate) path: String,
}

/// The mappings of files, in the order of their addresses.
pub(crate) fn mappings(pid: Pid) -> Result<Vec<Mapping>, Error> {
    let path = path(pid, "maps");
    // Bytes: a path may be anything but a null.
    let text = fs::read(&path).map_err(|source| Error::from_proc(pid, path, source))?;
    Ok(String::from_utf8_lossy(&text)
        .lines()
        .filter_map(mapping)
        .collect())
}

/// `55d0-55d1 r-xp 00002000 fe:00 1234   /usr/bin/python3.11`
fn mapping(line: &str) -> Option<Mapping> {
    let (start, rest) = line.split_once('-')?;
    let mut fields = rest.splitn(5, ' ');
    let offset = fields.nth(2)?;
    let path = fields
        .nth(1)?
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .trim_start();
    path.starts_with('/').then_some(())?;
    Some(Mapping {
        start: u64::from_str_radix(start, 16).ok()?,
        offset: u64::from_str_radix(offset, 16).ok()?,
        path: path.trim_end_matches(" (deleted)").to_owned(),
    })
}

/// The parent of a process.
pub(crate) fn parent(pid: Pid) -> Result<Pid, Error> {
    let path = path(pid, "stat");
    let text = fs::read(&path).map_err(|source| Error::from_proc(pid, path.clone(), source))?;
    let field = fields_after_name(&text).and_then(|fields| fields.split(|&b| b == b' ').nth(1));
    let number = field.and_then(|field| std::str::from_utf8(field).ok()?.parse().ok());
    number.map(Pid::new).ok_or_else(|| Error::Proc {
        path,
        source: io::ErrorKind::InvalidData.into(),
    })
}

/// What follows the name in `stat`: the name is in parentheses and may hold any of `) R (`.
fn fields_after_name(stat: &[u8]) -> Option<&[u8]> {
    let close = stat.iter().rposition(|&byte| byte == b')')?;
    stat.get(close + 2..)
}

/// Whether a thread is on its way out, or gone. The kernel drops the signals that are sent to it (`PF_EXITING`, Linux's
/// include/linux/sched.h).
pub(crate) fn is_exiting(pid: Pid, tid: Tid) -> bool {
    const EXITING: u64 = 4;
    let stat = fs::read(path(pid, &format!("task/{tid}/stat"))).unwrap_or_default();
    let flags = fields_after_name(&stat).and_then(|fields| fields.split(|&b| b == b' ').nth(6));
    let flags = flags.and_then(|flags| std::str::from_utf8(flags).ok()?.parse::<u64>().ok());
    flags.is_none_or(|flags| flags & EXITING != 0)
}

/// The threads of a process: our number for each, and its number in the process's own PID namespace.
pub(crate) fn tasks(pid: Pid) -> Result<Vec<(Tid, u64)>, Error> {
    let path = path(pid, "task");
    let entries = fs::read_dir(&path).map_err(|source| Error::from_proc(pid, path, source))?;
    let numbers = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(numbers
        .map(|tid| (Tid::new(tid), number_inside(pid, tid)))
        .collect())
}

/// The last number of the `NSpid:` line, which is missing before Linux 4.1.
fn number_inside(pid: Pid, tid: u32) -> u64 {
    let status = fs::read_to_string(path(pid, &format!("task/{tid}/status"))).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    line.and_then(|line| line.split_ascii_whitespace().last()?.parse().ok())
        .unwrap_or(u64::from(tid))
}

/// What decides whether a signal handler can run in a thread and read memory there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SignalState {
    /// Whether the thread blocks the signal.
    pub(crate) blocked: bool,
    /// Whether the signal was sent to the thread and has not reached it.
    pub(crate) pending: bool,
    /// How many filters its system calls go through (seccomp(2)); before Linux 5.9 whether there are any.
    pub(crate) filters: u32,
}

/// The state of one thread. One that is gone has none.
pub(crate) fn signal_state(pid: Pid, tid: Tid, signal: i32) -> SignalState {
    let status = fs::read_to_string(path(pid, &format!("task/{tid}/status"))).unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map(str::trim)
    };
    let is_in = |name: &str| {
        let mask = field(name).and_then(|mask| u64::from_str_radix(mask, 16).ok());
        mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
    };
    let filters = field("Seccomp_filters:").or_else(|| field("Seccomp:"));
    SignalState {
        blocked: is_in("SigBlk:"),
        pending: is_in("SigPnd:"),
        filters: filters.and_then(|number| number.parse().ok()).unwrap_or(0),
    }
}

/// The name that the kernel knows a thread by; at most 15 bytes.
pub(crate) fn thread_comm(pid: Pid, tid: Tid) -> Option<String> {
    let text = fs::read(path(pid, &format!("task/{tid}/comm"))).ok()?;
    Some(
        String::from_utf8_lossy(&text)
            .trim_end_matches('\n')
            .to_owned(),
    )
}

/// What a thread is doing, from files that stay open.
#[derive(Debug)]
pub(crate) struct TaskFiles {
    stat: File,
    /// Missing where the kernel was built without scheduler statistics.
    schedstat: Option<File>,
    /// Says "running", or the system call that the thread waits in. Missing where we may not trace the thread.
    syscall: Option<File>,
}

/// The state letter of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskState {
    /// On a CPU or waiting for one.
    Running,
    /// Waiting in the kernel for something else.
    Blocked,
    /// Ended.
    Gone,
}

/// How often a thread was given a CPU. A thread whose number stands still has not run in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunCount(u64);

impl TaskFiles {
    pub(crate) fn open(pid: Pid, tid: Tid) -> io::Result<Self> {
        let open = |name: &str| File::open(path(pid, &format!("task/{tid}/{name}")));
        Ok(Self {
            stat: open("stat")?,
            schedstat: open("schedstat").ok(),
            syscall: open("syscall").ok(),
        })
    }

    /// Whether it is surely on a CPU or waiting for one. Six times cheaper to ask for than its `state`.
    pub(crate) fn is_running(&self) -> bool {
        let mut buffer = [0; 8];
        let read = self
            .syscall
            .as_ref()
            .map(|file| file.read_at(&mut buffer, 0));
        matches!(read, Some(Ok(8))) && buffer == *b"running\n"
    }

    pub(crate) fn state(&self) -> TaskState {
        if self.is_running() {
            return TaskState::Running;
        }
        // The name has at most 15 bytes, some of them escaped; the state follows it.
        let mut buffer = [0; 128];
        let Ok(len) = self.stat.read_at(&mut buffer, 0) else {
            return TaskState::Gone;
        };
        match fields_after_name(&buffer[..len]).and_then(|fields| fields.first()) {
            Some(b'R') => TaskState::Running,
            Some(b'Z' | b'X' | b'x') | None => TaskState::Gone,
            Some(_) => TaskState::Blocked,
        }
    }

    /// `None` where the kernel does not tell.
    pub(crate) fn run_count(&self) -> Option<RunCount> {
        let mut buffer = [0; 80];
        let len = self.schedstat.as_ref()?.read_at(&mut buffer, 0).ok()?;
        let text = std::str::from_utf8(&buffer[..len]).ok()?;
        text.split_ascii_whitespace()
            .nth(2)?
            .parse()
            .ok()
            .map(RunCount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_of_files_are_read_whole() {
        let line = "7f2c4e7000-7f2c4f9000 r-xp 00002000 fe:00 3418 /opt/my python (x)/bin/python3.9 (deleted)";
        let mapping = mapping(line).expect("a mapping of a file");
        assert_eq!(mapping.start, 0x7f_2c4e_7000);
        assert_eq!(mapping.offset, 0x2000);
        assert_eq!(mapping.path, "/opt/my python (x)/bin/python3.9");
        assert!(
            super::mapping("7ffc8a5f0000-7ffc8a611000 rw-p 00000000 00:00 0    [stack]").is_none()
        );
    }

    #[test]
    fn a_name_with_parentheses_does_not_hide_the_state() {
        let fields = fields_after_name(b"12 (a) R (b) S 7 1 1").expect("fields");
        assert_eq!(fields, b"S 7 1 1");
    }

    #[test]
    fn our_own_threads_are_listed() {
        let tasks = tasks(Pid::own()).expect("we are there");
        assert!(
            tasks
                .iter()
                .any(|&(tid, _)| tid.get() == std::process::id())
        );
    }
}
