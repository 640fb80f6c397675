//! Reading `/proc`: one file, one read, and what a failure means.
//!
//! It knows no file's contents beyond the two shapes that most of them share (a number, `Key: value`); each source
//! parses its own. It must not turn a failure into a number.

use std::fmt::{Arguments, Write as _};
use std::fs::{self, File};
use std::io::{self, Read as _};
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

/// Reads small text files again and again without allocating.
#[derive(Debug, Default)]
pub(super) struct TextFile {
    path: String,
    bytes: Vec<u8>,
}

impl TextFile {
    /// The whole of a file, e.g. `read(format_args!("/proc/{pid}/stat"))`.
    pub(super) fn read(&mut self, path: Arguments<'_>) -> io::Result<&[u8]> {
        self.path.clear();
        self.path
            .write_fmt(path)
            .map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut file = File::open(&self.path)?;
        // Files under /proc have no size to ask for, and the kernel makes their text anew for each read from the
        // start: one read into a buffer that holds it all is the consistent way.
        let mut filled = 0;
        loop {
            if self.bytes.len() < filled + SPACE {
                self.bytes.resize(filled + 2 * SPACE, 0);
            }
            match file.read(&mut self.bytes[filled..]) {
                Ok(0) => return Ok(&self.bytes[..filled]),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Like [`read`](Self::read) for files that are plain ASCII.
    pub(super) fn read_text(&mut self, path: Arguments<'_>) -> io::Result<&str> {
        std::str::from_utf8(self.read(path)?).map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

/// Room for one more read; larger than any `/proc` text of a single process.
const SPACE: usize = 16 * 1024;

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
    fn a_file_is_read_whole_each_time() {
        let mut file = TextFile::default();
        let first = file.read(format_args!("/proc/cpuinfo")).unwrap().len();
        assert!(first > 0);
        assert_eq!(
            file.read(format_args!("/proc/self/comm")).unwrap().last(),
            Some(&b'\n')
        );
    }

    #[test]
    fn a_file_larger_than_the_buffer_is_read_whole() {
        let path = std::env::temp_dir().join(format!("jumper-textfile-{}", std::process::id()));
        let text = "0123456789".repeat(10_000);
        fs::write(&path, &text).unwrap();
        let read = TextFile::default()
            .read_text(format_args!("{}", path.display()))
            .map(str::to_owned);
        fs::remove_file(&path).unwrap();
        assert_eq!(read.unwrap(), text);
    }

    #[test]
    fn a_process_that_is_not_there_is_gone_and_a_directory_is_unknown() {
        let mut file = TextFile::default();
        let gone = file
            .read(format_args!("/proc/4294967295/stat"))
            .unwrap_err();
        assert_eq!(Missing::from(gone), Missing::Gone);
        let directory = file.read(format_args!("/proc/self")).unwrap_err();
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
