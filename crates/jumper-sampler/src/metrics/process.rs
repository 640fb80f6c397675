//! What `/proc` says of one process: its line of status and its counters of I/O.

use std::fmt::Write as _;
use std::fs::File;

use super::account::Reading;
use super::kept::{Makes, read_from_start};
use super::procfs::{Missing, value_of};
use super::roots::Roots;

/// The fields of `/proc/PID/stat` that are used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// One letter; `Z` is a zombie, which has ended and not been waited for. `X` is one that is being waited for: the
    /// kernel adds its counters to its parent's and only then removes its entry.
    pub(super) state: u8,
    /// The process number of the parent.
    pub(super) parent: u32,
    /// Time in user programs in clock ticks; `folded` is that of the children waited for.
    pub(super) user_ticks: Reading,
    /// Time in the kernel, likewise.
    pub(super) system_ticks: Reading,
    /// Page faults that took no reading from storage, likewise.
    pub(super) minor_faults: Reading,
    /// Page faults that did, likewise.
    pub(super) major_faults: Reading,
    /// Whether it is a thread of the kernel.
    pub(super) is_kernel: bool,
    /// Threads, the main one included.
    pub(super) threads: u64,
    /// When it started, in clock ticks since boot. With the process number this identifies a process.
    pub(super) start_ticks: u64,
    /// Resident pages. The kernel keeps this number loosely: it may be off by some dozen pages for each thread.
    pub(super) resident_pages: u64,
}

impl Stat {
    /// Parses `/proc/PID/stat`.
    ///
    /// The second field is the program's name in parentheses. A program may call itself anything, with spaces,
    /// parentheses and bytes that are no UTF-8, so the fields are counted from the last closing parenthesis.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let name_end = line.iter().rposition(|&byte| byte == b')')?;
        let fields = std::str::from_utf8(&line[name_end + 1..]).ok()?;
        let mut fields = Fields {
            fields: fields.split_ascii_whitespace(),
            next: 3,
        };
        /// A bit of the flags (`PF_KTHREAD`).
        const KERNEL_THREAD: u64 = 0x0020_0000;
        let state = *fields.text(3)?.as_bytes().first()?;
        let parent = fields.text(4)?.parse().ok()?;
        let flags = fields.number(9)?;
        let faults = [10, 11, 12, 13].map(|number| fields.number(number));
        let ticks = [14, 15, 16, 17].map(|number| fields.number(number));
        let reading = |own: Option<u64>, folded: Option<u64>| {
            Some(Reading {
                own: own?,
                folded: folded?,
            })
        };
        Some(Self {
            state,
            parent,
            user_ticks: reading(ticks[0], ticks[2])?,
            system_ticks: reading(ticks[1], ticks[3])?,
            minor_faults: reading(faults[0], faults[1])?,
            major_faults: reading(faults[2], faults[3])?,
            is_kernel: flags & KERNEL_THREAD != 0,
            threads: fields.number(20)?,
            start_ticks: fields.number(22)?,
            resident_pages: fields.number(24)?,
        })
    }

    /// Page faults of the children waited for. No process gets by without one, so this grows exactly when the process
    /// waits for a child.
    pub(super) const fn children_faults(&self) -> u64 {
        self.minor_faults.folded
    }

    /// Whether nothing is left of the process but its entry and its counters.
    ///
    /// A main thread that has ended alone also shows as a zombie; then other threads are still counted.
    pub(super) const fn has_ended(&self) -> bool {
        self.state == b'Z' && self.threads <= 1
    }

    /// Whether it did not want to run: it slept or was stopped.
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.state, b'S' | b'D' | b'T' | b't' | b'I')
    }

    /// Whether its parent is just waiting for it, or has done so and the entry is about to go.
    pub(super) const fn is_waited_for(&self) -> bool {
        matches!(self.state, b'X' | b'x')
    }
}

/// Fields of a line, asked for in ascending order by the numbers that proc(5) gives them.
struct Fields<'a> {
    fields: std::str::SplitAsciiWhitespace<'a>,
    next: usize,
}

impl<'a> Fields<'a> {
    fn text(&mut self, number: usize) -> Option<&'a str> {
        let skipped = number.checked_sub(self.next)?;
        self.next = number + 1;
        self.fields.nth(skipped)
    }

    /// A number below 2^63, so that two of them can be added: the kernel prints some fields signed.
    fn number(&mut self, number: usize) -> Option<u64> {
        u64::try_from(self.text(number)?.parse::<i64>().ok()?).ok()
    }
}

/// The counters of `/proc/PID/io` that are used here. All contain the children waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IoCounters {
    /// Bytes fetched from storage; what the page cache had is not among them.
    pub(super) read_bytes: u64,
    /// Bytes to be sent to storage, counted when a page is made dirty and not when it is written out.
    pub(super) write_bytes: u64,
    /// Calls such as read(2), on files of any kind.
    pub(super) read_calls: u64,
    /// Calls such as write(2), on files of any kind.
    pub(super) write_calls: u64,
}

impl IoCounters {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(Self {
            read_bytes: value_of(text, "read_bytes:")?,
            write_bytes: value_of(text, "write_bytes:")?,
            read_calls: value_of(text, "syscr:")?,
            write_calls: value_of(text, "syscw:")?,
        })
    }
}

/// The files of a process that are read at each sample, open as long as it runs.
#[derive(Debug)]
pub(super) struct Files {
    stat: File,
    io: Option<File>,
}

impl Files {
    pub(super) fn open(path: &mut ProcessPath) -> Result<Self, Missing> {
        Ok(Self {
            stat: File::open(path.file("stat"))?,
            io: File::open(path.file("io")).ok(),
        })
    }

    pub(super) fn stat(&self, bytes: &mut Vec<u8>) -> Result<Stat, Missing> {
        let count = read_from_start(&self.stat, bytes, Makes::AtOnce)?;
        Stat::parse(&bytes[..count]).ok_or(Missing::Unknown)
    }

    pub(super) fn io(&self, bytes: &mut Vec<u8>) -> Option<IoCounters> {
        let count = read_from_start(self.io.as_ref()?, bytes, Makes::AtOnce).ok()?;
        IoCounters::parse(std::str::from_utf8(&bytes[..count]).ok()?)
    }
}

/// Makes the paths of one process after the other without allocating.
#[derive(Debug)]
pub(super) struct ProcessPath {
    path: String,
    root: usize,
    directory: usize,
}

impl ProcessPath {
    pub(super) fn new(roots: &Roots) -> Self {
        // A path that is no text leads nowhere, and then no process is found.
        let path = roots.proc.to_str().unwrap_or_default().to_owned();
        Self {
            root: path.len(),
            directory: path.len(),
            path,
        }
    }

    /// The process that [`file`](Self::file) is about from now on.
    pub(super) fn of(&mut self, pid: u32) -> &mut Self {
        self.path.truncate(self.root);
        // Writing to a text cannot fail.
        let _ = write!(self.path, "/{pid}");
        self.directory = self.path.len();
        self
    }

    /// Its directory.
    pub(super) fn directory(&mut self) -> &str {
        self.path.truncate(self.directory);
        &self.path
    }

    /// One of its files.
    pub(super) fn file(&mut self, name: &str) -> &str {
        self.path.truncate(self.directory);
        self.path.push('/');
        self.path.push_str(name);
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &str = "S 4955 6600 4955 34816 6700 4194304 981 6535 3 2 41 9 25 7 20 0 12 0 137390 31334400 \
                          3950 18446744073709551615 1 1 0 0 0 0 0 16781312 2 0 0 0 17 1 0 0 0 0 0";

    fn parse(name: &[u8]) -> Option<Stat> {
        let line = [b"6607 (", name, b") ", FIELDS.as_bytes(), b"\n"].concat();
        Stat::parse(&line)
    }

    #[test]
    fn the_fields_are_those_of_proc_5() {
        let expected = Stat {
            state: b'S',
            parent: 4955,
            user_ticks: Reading {
                own: 41,
                folded: 25,
            },
            system_ticks: Reading { own: 9, folded: 7 },
            minor_faults: Reading {
                own: 981,
                folded: 6535,
            },
            major_faults: Reading { own: 3, folded: 2 },
            is_kernel: false,
            threads: 12,
            start_ticks: 137_390,
            resident_pages: 3950,
        };
        assert_eq!(parse(b"python3"), Some(expected));
    }

    #[test]
    fn a_name_cannot_forge_fields() {
        let honest = parse(b"python3");
        for name in [
            &b"a) R (b"[..],
            b"a b",
            b") Z 1 1 1",
            b"((((",
            b"))))",
            b"",
            b"\xff\xfe) R 1",
            b"x\n) R 1",
        ] {
            assert_eq!(parse(name), honest, "{}", name.escape_ascii());
        }
    }

    #[test]
    fn a_cut_or_foreign_line_is_refused() {
        assert_eq!(Stat::parse(b""), None);
        assert_eq!(Stat::parse(b"6607 (python3"), None);
        assert_eq!(Stat::parse(b"6607 (python3)"), None);
        assert_eq!(Stat::parse(b"6607 (python3) S 1 1 1 0 -1 0 5 5"), None);
        assert_eq!(
            Stat::parse(b"6607 (python3) S x 1 1 0 -1 0 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5"),
            None
        );
    }

    #[test]
    fn a_zombie_with_threads_has_not_ended() {
        let stat = parse(b"python3").expect("bug: the line is whole");
        assert!(!stat.has_ended());
        assert!(
            !Stat {
                state: b'Z',
                ..stat
            }
            .has_ended()
        );
        assert!(
            Stat {
                state: b'Z',
                threads: 1,
                ..stat
            }
            .has_ended()
        );
    }

    #[test]
    fn io_counters_are_taken_by_name() {
        let text = "rchar: 6976\nwchar: 1\nsyscr: 10\nsyscw: 2\nread_bytes: 4096\nwrite_bytes: 8192\n\
                    cancelled_write_bytes: 3\n";
        let expected = IoCounters {
            read_bytes: 4096,
            write_bytes: 8192,
            read_calls: 10,
            write_calls: 2,
        };
        assert_eq!(IoCounters::parse(text), Some(expected));
        assert_eq!(IoCounters::parse("rchar: 6976\n"), None);
    }
}
