//! What a session says about the machine and the program. What cannot be found out stays empty.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use jumper_sampler::metrics::{Limit, LimitSource, Limits};
use jumper_sampler::{Pid, Timestamp as Clock};

use super::from_clock;
use crate::{ClockAnchor, Host};

/// The machine, and how much of it the process may use.
pub(super) fn host(pid: Pid) -> Host {
    let limits = Limits::of(pid);
    let machine = |limits: &[Limit]| {
        let whole = limits
            .iter()
            .find(|limit| limit.source == LimitSource::Machine);
        whole.map_or(0.0, |limit| limit.amount)
    };
    let memory = limits.memory_bytes().unwrap_or(0);
    let all_memory = machine(&limits.memory) as u64;
    let is_limited = all_memory > memory;
    // Whoever is more than the program has all of it.
    let of_all = ["user", "system"].map(|level| (level.to_owned(), all_memory));
    Host {
        name: first_line("/proc/sys/kernel/hostname"),
        os: format!("Linux {}", first_line("/proc/sys/kernel/osrelease")),
        // Of one and a half, two can be busy.
        cpus: limits.cpus().map_or(0, |cpus| cpus.ceil() as u32),
        memory_bytes: memory,
        system_cpus: machine(&limits.cpus) as u32,
        memory_limits: of_all.into_iter().filter(|_| is_limited).collect(),
        cpus_limited_by: limits.cpus.first().map_or(String::new(), who),
        memory_limited_by: limits.memory.first().map_or(String::new(), who),
        ..Host::default()
    }
}

fn who(limit: &Limit) -> String {
    match limit.source {
        LimitSource::Machine => limit.source.to_string(),
        _ => format!("{}: {}", limit.source, limit.place),
    }
}

fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
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
