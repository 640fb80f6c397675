//! The system calls for which the standard library has no function.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::time::Duration;

/// The processor time that a process has used in all its threads, also those that ended, to the nanosecond; its children's is
/// not among it. `None` where there is no such process, or the system does not tell.
///
/// It takes no permission and no descriptor. A process of which it is the same twice has not run in between, but for what it
/// may have run since the last tick of the kernel: of a thread on another processor the time is brought up to date at ticks and when
/// it stops running.
pub(super) fn cpu_nanos(pid: u32) -> Option<u64> {
    // As clock_getcpuclockid(3) makes it of a process number: inverted, with the kernel's CPUCLOCK_SCHED in the last bits.
    const CPUCLOCK_SCHED: libc::clockid_t = 2;
    let pid = libc::clockid_t::try_from(pid).ok().filter(|&pid| pid > 0)?;
    clock(((!pid) << 3) | CPUCLOCK_SCHED)
}

/// The processor time that the calling thread has used.
pub(super) fn thread_cpu_time() -> Duration {
    Duration::from_nanos(clock(libc::CLOCK_THREAD_CPUTIME_ID).unwrap_or(0))
}

fn clock(clock: libc::clockid_t) -> Option<u64> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid, writable timespec for the length of the call; any number may be asked for.
    let result = unsafe { libc::clock_gettime(clock, &raw mut time) };
    (result == 0).then(|| time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// Calls `found` with each number among the names in a directory. Allocates nothing once `buffer` is large enough.
pub(super) fn list_numbers(
    directory: &File,
    buffer: &mut Vec<u8>,
    mut found: impl FnMut(u32),
) -> io::Result<()> {
    /// Where in a `linux_dirent64` its length and its name are (getdents64(2)).
    const LENGTH: usize = 16;
    const NAME: usize = 19;
    buffer.resize(32 * 1024, 0);
    // SAFETY: a descriptor that is open; no memory is involved.
    if unsafe { libc::lseek(directory.as_raw_fd(), 0, libc::SEEK_SET) } < 0 {
        return Err(io::Error::last_os_error());
    }
    loop {
        // SAFETY: the kernel writes at most `buffer.len()` bytes, all of which are there.
        let filled = unsafe {
            libc::syscall(
                libc::SYS_getdents64,
                directory.as_raw_fd(),
                buffer.as_mut_ptr(),
                buffer.len(),
            )
        };
        let filled = usize::try_from(filled).map_err(|_| io::Error::last_os_error())?;
        if filled == 0 {
            return Ok(());
        }
        let mut entries = &buffer[..filled];
        while let Some(&[low, high]) = entries.get(LENGTH..LENGTH + 2) {
            let length = usize::from(u16::from_ne_bytes([low, high]));
            let Some(name) = entries.get(NAME..length) else {
                break;
            };
            if let Some(number) = leading_number(name) {
                found(number);
            }
            entries = &entries[length..];
        }
    }
}

/// The number that a name ended by a zero byte is; `None` for any other name.
fn leading_number(name: &[u8]) -> Option<u32> {
    let end = name.iter().position(|&byte| byte == 0)?;
    std::str::from_utf8(&name[..end])
        .ok()?
        .parse()
        .ok()
        .filter(|_| name[0].is_ascii_digit())
}

/// The size of a file system and what is free of it, in bytes: all of it, and what anybody may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Space {
    pub(super) size: u64,
    pub(super) free: u64,
    pub(super) available: u64,
}

/// Asks for the space of the file system that a file is in. Waits where that is far away.
pub(super) fn space(file: &File) -> Option<Space> {
    // SAFETY: a structure of numbers, for which zero is a value.
    let mut answer: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: the descriptor is open, and `answer` writable for the length of the call.
    if unsafe { libc::fstatvfs(file.as_raw_fd(), &raw mut answer) } != 0 {
        return None;
    }
    let bytes = |blocks: libc::fsblkcnt_t| blocks.saturating_mul(answer.f_frsize);
    Some(Space {
        size: bytes(answer.f_blocks),
        free: bytes(answer.f_bfree),
        available: bytes(answer.f_bavail),
    })
}

/// How many files this process may have open at the same time.
pub(super) fn open_files_limit() -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is writable for the length of the call.
    match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } {
        0 => limit.rlim_cur,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_a_clock_as_long_as_it_is_there() {
        let own = std::process::id();
        let before = cpu_nanos(own).expect("we run");
        let mut work = 0u64;
        while cpu_nanos(own) <= Some(before + 1_000_000) {
            work = work.wrapping_add(1);
        }
        assert!(work > 0 && thread_cpu_time() > Duration::ZERO);
        assert_eq!(cpu_nanos(0), None);
        assert_eq!(cpu_nanos(u32::MAX), None);
    }

    #[test]
    fn the_numbers_in_a_directory_are_found_each_time() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for name in ["1", "23", "4294967295", "4294967296", "self", "1x", "+5"] {
            std::fs::create_dir(directory.path().join(name)).expect("it is ours");
        }
        let file = File::open(directory.path()).expect("it is there");
        let mut buffer = Vec::new();
        for _ in 0..2 {
            let mut found = Vec::new();
            list_numbers(&file, &mut buffer, |number| found.push(number)).expect("it can be read");
            found.sort_unstable();
            assert_eq!(found, [1, 23, u32::MAX]);
        }
    }

    #[test]
    fn the_root_file_system_has_a_size() {
        let space = space(&File::open("/").expect("there is a root")).expect("it is local");
        assert!(space.size >= space.free && space.free >= space.available);
        assert!(open_files_limit() > 0);
    }
}
