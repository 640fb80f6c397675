//! What a session says about the machine and the program. What cannot be found out stays empty.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use jumper_sampler::{Pid, Timestamp as Clock};

use super::from_clock;
use crate::{ClockAnchor, Host};

pub(super) fn host() -> Host {
    Host {
        name: first_line("/proc/sys/kernel/hostname"),
        os: format!("Linux {}", first_line("/proc/sys/kernel/osrelease")),
        cpus: std::thread::available_parallelism().map_or(0, |count| count.get() as u32),
        memory_bytes: memory_bytes().unwrap_or(0),
        ..Host::default()
    }
}

fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

/// `MemTotal:  24690684 kB` (proc(5)).
fn memory_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim()
        .trim_end_matches(" kB")
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}

/// The arguments of a process, as one line.
pub(super) fn command_line(pid: Pid) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline"))
        .ok()
        .filter(|bytes| !bytes.is_empty())?;
    let arguments = bytes
        .strip_suffix(b"\0")
        .unwrap_or(&bytes)
        .split(|&byte| byte == 0);
    Some(
        arguments
            .map(String::from_utf8_lossy)
            .collect::<Vec<_>>()
            .join(" "),
    )
}

pub(super) fn executable(pid: Pid) -> Option<String> {
    fs::read_link(format!("/proc/{pid}/exe"))
        .ok()
        .map(|path| path.display().to_string())
}

/// The same moment on both clocks: the wall clock is read between two readings of the monotonic one.
pub(super) fn clock_anchor() -> ClockAnchor {
    let before = Clock::now();
    let wall = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let after = Clock::now();
    let middle = before.after(after.saturating_duration_since(before) / 2);
    ClockAnchor {
        monotonic: from_clock(middle),
        unix_ns: i64::try_from(wall.as_nanos()).unwrap_or(i64::MAX),
        utc_offset_s: chrono::Local::now().offset().local_minus_utc(),
    }
}
