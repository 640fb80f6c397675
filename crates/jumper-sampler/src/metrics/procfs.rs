//! Reading `/proc`: what a failure means, and what its numbers count in.
//!
//! It knows no file's contents beyond the two shapes that most of them share (a number, `Key: value`); each source
//! parses its own. It must not turn a failure into a number.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::MetricsError;

/// Why a file under `/proc` gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The process is not there any more, and so uses nothing.
    Gone,
    /// It may be there, and what it uses is not known: no permission, no file descriptor left, unexpected text.
    Unknown,
}

impl From<io::Error> for Missing {
    fn from(error: io::Error) -> Self {
        // Opening fails with ENOENT once a process has been waited for; reading a file opened before, or one that
        // needs the memory of a process that has given it back, fails with ESRCH.
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ESRCH) => Self::Gone,
            _ => Self::Unknown,
        }
    }
}

/// The first number of the line `key value...`, where `key` includes its colon.
pub(super) fn value_of(text: &str, key: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix(key))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// What the kernel's counters count in. Both are fixed while the machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MachineUnits {
    /// Clock ticks of `/proc/PID/stat` in a second, `sysconf(_SC_CLK_TCK)`.
    pub(super) ticks_per_second: u64,
    /// Bytes in a page of memory.
    pub(super) page_bytes: u64,
}

impl MachineUnits {
    /// Nanoseconds in a clock tick.
    pub(super) const fn nanos_per_tick(self) -> u64 {
        1_000_000_000 / self.ticks_per_second
    }

    /// Takes them from what the kernel told this process at its start, which needs no foreign function.
    pub(super) fn read() -> Result<Self, MetricsError> {
        let path = PathBuf::from("/proc/self/auxv");
        fs::read(&path)
            .and_then(|auxv| {
                Self::from_auxv(&auxv).ok_or_else(|| io::ErrorKind::InvalidData.into())
            })
            .map_err(|source| MetricsError::Proc { path, source })
    }

    /// The auxiliary vector is pairs of machine words, a key and its value; see getauxval(3).
    fn from_auxv(auxv: &[u8]) -> Option<Self> {
        const AT_PAGESZ: usize = 6;
        const AT_CLKTCK: usize = 17;
        let value = |key| {
            let (words, _) = auxv.as_chunks::<{ size_of::<usize>() }>();
            let (pairs, _) = words.as_chunks::<2>();
            let pair = pairs
                .iter()
                .find(|pair| usize::from_ne_bytes(pair[0]) == key)?;
            u64::try_from(usize::from_ne_bytes(pair[1]))
                .ok()
                .filter(|&value| value > 0)
        };
        Some(Self {
            ticks_per_second: value(AT_CLKTCK)?,
            page_bytes: value(AT_PAGESZ)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_not_there_is_gone_and_a_directory_is_unknown() {
        let gone = fs::read("/proc/4294967295/stat").expect_err("there is none");
        assert_eq!(Missing::from(gone), Missing::Gone);
        let directory = fs::read("/proc/self").expect_err("it is a directory");
        assert_eq!(Missing::from(directory), Missing::Unknown);
    }

    #[test]
    fn a_key_is_matched_from_the_start_of_its_line() {
        let text = "MemTotal:  8 kB\nNotMemFree: 1 kB\nMemFree:   2 kB\n";
        assert_eq!(value_of(text, "MemFree:"), Some(2));
        assert_eq!(value_of(text, "Mem"), None);
        assert_eq!(value_of(text, "Cached:"), None);
    }

    #[test]
    fn machine_units_are_found_in_the_auxiliary_vector() {
        let words = [33usize, 0xdead, 6, 4096, 17, 100, 0, 0];
        let auxv: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let units = MachineUnits {
            ticks_per_second: 100,
            page_bytes: 4096,
        };
        assert_eq!(MachineUnits::from_auxv(&auxv), Some(units));
        assert_eq!(MachineUnits::from_auxv(&auxv[..32]), None);
        assert!(MachineUnits::read().is_ok());
    }
}
