//! Which processes there are, found out only where it may have changed.

use std::fs::File;
use std::os::linux::fs::MetadataExt as _;

use super::kept::KeptFile;
use super::roots::Roots;
use super::system_calls::list_numbers;

/// What `/proc/loadavg` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Load {
    /// How many threads ran or were ready to, as means over 1, 5 and 15 minutes.
    pub(super) means: [f64; 3],
    /// How many threads there are.
    pub(super) threads: u64,
    /// The number that was given away last, to a process or a thread.
    last_number: u64,
}

impl Load {
    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split_ascii_whitespace();
        let mut means = [0.0; 3];
        for mean in &mut means {
            *mean = fields.next()?.parse().ok()?;
        }
        Some(Self {
            means,
            threads: fields.next()?.split_once('/')?.1.parse().ok()?,
            last_number: fields.next()?.parse().ok()?,
        })
    }
}

/// The numbers of all processes that are visible.
///
/// Listing `/proc` costs about a microsecond for each process. `/proc/loadavg` says which number the kernel gave away last and how
/// many threads there are: where both are as before, no process has begun or ended.
#[derive(Debug)]
pub(super) struct Census {
    directory: Option<File>,
    buffer: Vec<u8>,
    load_file: KeptFile,
    load: Option<Load>,
    /// Whether the numbers of `load_file` are the kernel's own. Some containers have one that is made up by a program.
    is_telling: bool,
    pids: Vec<u32>,
    scans: u64,
}

/// Listed anew at least each so many scans, whatever is said.
const LISTED_EVERY: u64 = 16;

impl Census {
    pub(super) fn new(roots: &Roots) -> Self {
        let device = |name: &str| roots.proc(name).metadata().map(|file| file.st_dev()).ok();
        Self {
            directory: File::open(&roots.proc).ok(),
            buffer: Vec::new(),
            load_file: KeptFile::new(roots.proc("loadavg")),
            load: None,
            is_telling: roots.are_own_processes() && device("loadavg") == device("."),
            pids: Vec::new(),
            scans: 0,
        }
    }

    /// Finds out which processes there are now; returns whether they were listed anew.
    pub(super) fn refresh(&mut self) -> bool {
        let before = self.load;
        self.load = self.load_file.text().and_then(Load::parse);
        self.scans += 1;
        let numbers = |load: Load| (load.last_number, load.threads);
        let is_same = self.is_telling
            && self.load.is_some_and(|load| load.last_number > 0)
            && self.load.map(numbers) == before.map(numbers)
            && !self.scans.is_multiple_of(LISTED_EVERY);
        if is_same {
            return false;
        }
        self.pids.clear();
        let Some(directory) = &self.directory else {
            return true;
        };
        let pids = &mut self.pids;
        if list_numbers(directory, &mut self.buffer, |pid| pids.push(pid)).is_err() {
            pids.clear();
        }
        true
    }

    /// The processes as of the last listing, those of the kernel among them.
    pub(super) fn pids(&self) -> &[u32] {
        &self.pids
    }

    pub(super) fn load(&self) -> Option<Load> {
        self.load
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_has_five_fields() {
        let load = Load {
            means: [0.65, 0.44, 0.21],
            threads: 433,
            last_number: 11087,
        };
        assert_eq!(Load::parse("0.65 0.44 0.21 1/433 11087\n"), Some(load));
        assert_eq!(Load::parse("0.65 0.44 0.21\n"), None);
    }

    #[test]
    fn a_process_that_begins_and_ends_is_noticed() {
        let mut census = Census::new(&Roots::default());
        assert!(census.refresh());
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .expect("there is sleep");
        assert!(census.refresh() && census.pids().contains(&child.id()));
        child
            .kill()
            .and_then(|()| child.wait().map(drop))
            .expect("it is ours");
        assert!(census.refresh() && !census.pids().contains(&child.id()));
    }
}
