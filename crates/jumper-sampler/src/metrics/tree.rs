//! The observed processes: the root, its descendants, and the totals of what they have used together.
//!
//! The tree exists so that every collector sees the same processes and no counter is read twice. It decides who
//! belongs to the set and what counts; it does not know units, metrics or rates.

use std::collections::HashMap;

use super::MetricsError;
use super::account::{Account, Reading};
use super::children::Children;
use super::process::{IoCounters, Stat, read_io, read_stat};
use super::procfs::{MachineUnits, Missing, TextFile};
use crate::Pid;

/// A counter that is totalled over the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counter {
    /// Processor time in clock ticks.
    CpuTicks,
    /// Bytes from storage.
    ReadBytes,
    /// Bytes to storage.
    WriteBytes,
    /// Reading system calls.
    ReadCalls,
    /// Writing system calls.
    WriteCalls,
}

const COUNTERS: usize = 5;

/// Tells processes apart for as long as the sampler lives, other than their numbers. Ascending in the order of
/// discovery, so a parent's is always lower than its children's.
type Serial = u64;

const ROOT: Serial = 0;

/// One observed process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    serial: Serial,
    parent: Option<Serial>,
    /// What was read last; `None` only until the first time.
    stat: Option<Stat>,
    readings: [Option<Reading>; COUNTERS],
    accounts: [Account; COUNTERS],
    seen: bool,
    gone: bool,
    /// Whether it waited for a child before the latest scan, and before the one before.
    waited: [bool; 2],
}

impl Process {
    fn new(pid: u32, serial: Serial) -> Self {
        Self {
            pid,
            serial,
            parent: None,
            stat: None,
            readings: [None; COUNTERS],
            accounts: [Account::FROM_NOW; COUNTERS],
            seen: false,
            gone: false,
            waited: [false; 2],
        }
    }

    fn is_same(&self, stat: &Stat) -> bool {
        self.stat
            .is_none_or(|known| known.start_ticks == stat.start_ticks)
    }

    fn take(&mut self, stat: Stat, io: Option<IoCounters>) {
        let before = self
            .stat
            .filter(|_| self.seen)
            .map_or(0, |stat| stat.children_minor_faults);
        self.waited = [stat.children_minor_faults > before, self.waited[0]];
        self.readings = readings(&stat, io);
        self.stat = Some(stat);
        self.seen = true;
    }

    /// Its status at this scan, unless it has ended and is only waiting to be waited for.
    fn running(&self) -> Option<&Stat> {
        self.stat.as_ref().filter(|stat| !stat.has_ended())
    }
}

/// The root process and its descendants.
///
/// A descendant is found below its parent and then remembered by number and start time, so it stays in the set when
/// its parent ends and another process adopts it. One that is orphaned before it was ever seen is not found.
#[derive(Debug)]
pub(super) struct ProcessTree {
    /// In the order of discovery: parents before children, which is also the order of reading. A child that can be
    /// read had therefore not been waited for when its parent was read; [`Account`] builds on that.
    processes: Vec<Process>,
    /// The present owner of each process number in the set.
    by_pid: HashMap<u32, Serial>,
    next_serial: Serial,
    children: Children,
    found: Vec<u32>,
    file: TextFile,
    ticks_per_second: u64,
    /// When the latest scan began, in clock ticks since boot; `None` before the first, or where it is not known.
    scanned_at: Option<u64>,
    scans: u64,
    totals: [u64; COUNTERS],
    known: [bool; COUNTERS],
}

impl ProcessTree {
    /// A tree that grows from `root`, which must exist.
    pub(super) fn new(root: Pid, units: MachineUnits) -> Result<Self, MetricsError> {
        Self::with_children(root, units, Children::detect())
    }

    fn with_children(
        root: Pid,
        units: MachineUnits,
        children: Children,
    ) -> Result<Self, MetricsError> {
        let mut tree = Self {
            processes: Vec::new(),
            by_pid: HashMap::new(),
            next_serial: ROOT,
            children,
            found: Vec::new(),
            file: TextFile::default(),
            ticks_per_second: units.ticks_per_second,
            scanned_at: None,
            scans: 0,
            totals: [0; COUNTERS],
            known: [false; COUNTERS],
        };
        let stat = read_stat(&mut tree.file, root.get())
            .map_err(|_| MetricsError::NoSuchProcess { pid: root })?;
        tree.adopt(root.get());
        // Whoever has this number at the first scan must be the process that has it now.
        tree.processes[0].stat = Some(stat);
        Ok(tree)
    }

    /// Reads all processes of the set anew and adds up what they have used since.
    pub(super) fn scan(&mut self) {
        let now = self.ticks_since_boot();
        self.children.refresh(&mut self.file);
        let mut at = 0;
        while at < self.processes.len() {
            self.visit(at);
            at += 1;
        }
        self.pass_on_what_ended();
        self.settle();
        self.forget_what_ended();
        self.scanned_at = now;
        self.scans += 1;
    }

    /// The processes that run, with their status at the latest scan.
    pub(super) fn running(&self) -> impl Iterator<Item = (&Process, &Stat)> {
        self.processes
            .iter()
            .filter_map(|process| Some((process, process.running()?)))
    }

    /// Whether the process that the tree began with still has its number.
    pub(super) fn has_root(&self) -> bool {
        self.processes
            .first()
            .is_some_and(|process| process.serial == ROOT)
    }

    /// What the tree has used of something since the first scan, also by processes that have ended; `None` where
    /// a process that runs could not be read. It never falls.
    pub(super) fn total(&self, counter: Counter) -> Option<u64> {
        self.known[counter as usize].then_some(self.totals[counter as usize])
    }

    /// `/proc/uptime` and the start time of a process share one clock, so they can be compared. Should a container
    /// show an uptime of its own, it is the smaller one, and every process that is new to the set counts as started
    /// since the previous scan.
    fn ticks_since_boot(&mut self) -> Option<u64> {
        let text = self.file.read_text(format_args!("/proc/uptime")).ok()?;
        ticks_from_uptime(text, self.ticks_per_second)
    }

    fn adopt(&mut self, pid: u32) {
        let serial = self.next_serial;
        self.next_serial += 1;
        self.by_pid.insert(pid, serial);
        self.processes.push(Process::new(pid, serial));
    }

    fn visit(&mut self, at: usize) {
        let pid = self.processes[at].pid;
        // The counters of I/O before the status, so that a child which this process waits for in between is not
        // in a counter while the status still says that it waited for none.
        let io = read_io(&mut self.file, pid);
        match read_stat(&mut self.file, pid) {
            // Its parent, which was read before, may have it in its counters already.
            Ok(stat) if stat.is_waited_for() => self.processes[at].gone = true,
            Ok(stat) if self.processes[at].is_same(&stat) => {
                self.update(at, stat, io.ok());
                self.adopt_children(pid, stat.threads);
            }
            Ok(stranger) => self.replace(at, &stranger),
            Err(Missing::Gone) => self.processes[at].gone = true,
            Err(Missing::Unknown) => self.processes[at].readings = [None; COUNTERS],
        }
    }

    fn update(&mut self, at: usize, stat: Stat, io: Option<IoCounters>) {
        let parent = self.by_pid.get(&stat.parent).copied();
        let is_new = self.scans > 0 && self.scanned_at.is_none_or(|scan| stat.start_ticks >= scan);
        let process = &mut self.processes[at];
        if is_new && !process.seen {
            process.accounts = [Account::FROM_START; COUNTERS];
        }
        process.parent = parent;
        process.take(stat, io);
    }

    fn adopt_children(&mut self, pid: u32, threads: u64) {
        let mut found = std::mem::take(&mut self.found);
        self.children.list(&mut self.file, pid, threads, &mut found);
        for child in found.drain(..) {
            if !self.by_pid.contains_key(&child) {
                self.adopt(child);
            }
        }
        self.found = found;
    }

    /// The number of an ended process has gone to another one, which may itself be a child of the set.
    fn replace(&mut self, at: usize, stranger: &Stat) {
        let process = &mut self.processes[at];
        process.gone = true;
        self.by_pid.remove(&process.pid);
        if self.by_pid.contains_key(&stranger.parent) {
            let pid = process.pid;
            self.adopt(pid);
        }
    }

    fn pass_on_what_ended(&mut self) {
        for at in 0..self.processes.len() {
            if !self.processes[at].gone {
                continue;
            }
            let inheritance = self.processes[at]
                .accounts
                .map(|account| account.inheritance());
            if let Some(heir) = self.heir(at) {
                let accounts = &mut self.processes[heir].accounts;
                accounts
                    .iter_mut()
                    .zip(inheritance)
                    .for_each(|(account, amount)| account.owe(amount));
            }
        }
    }

    /// The nearest ancestor that still is there: if each in between was waited for, all has come up to it.
    fn heir(&self, mut at: usize) -> Option<usize> {
        while self.processes[at].gone {
            let parent = self.processes[at].parent?;
            // Going up only, whatever the files said: this ends.
            at = self.processes[..at]
                .binary_search_by_key(&parent, |process| process.serial)
                .ok()?;
        }
        Some(at)
    }

    fn settle(&mut self) {
        self.known = [true; COUNTERS];
        for process in self.processes.iter_mut().filter(|process| !process.gone) {
            let waited = process.waited.contains(&true);
            let runs = process.running().is_some();
            for counter in 0..COUNTERS {
                match process.readings[counter] {
                    Some(now) => {
                        self.totals[counter] += process.accounts[counter].settle(now, waited)
                    }
                    None if runs => self.known[counter] = false,
                    None => {}
                }
            }
        }
    }

    fn forget_what_ended(&mut self) {
        let by_pid = &mut self.by_pid;
        self.processes.retain(|process| {
            if process.gone && by_pid.get(&process.pid) == Some(&process.serial) {
                by_pid.remove(&process.pid);
            }
            !process.gone
        });
    }
}

fn readings(stat: &Stat, io: Option<IoCounters>) -> [Option<Reading>; COUNTERS] {
    let mixed = |value: fn(&IoCounters) -> u64| io.as_ref().map(|io| Reading::mixed(value(io)));
    let mut readings = [None; COUNTERS];
    readings[Counter::CpuTicks as usize] = Some(stat.cpu_ticks);
    readings[Counter::ReadBytes as usize] = mixed(|io| io.read_bytes);
    readings[Counter::WriteBytes as usize] = mixed(|io| io.write_bytes);
    readings[Counter::ReadCalls as usize] = mixed(|io| io.read_calls);
    readings[Counter::WriteCalls as usize] = mixed(|io| io.write_calls);
    readings
}

/// The first number of `/proc/uptime` is seconds with two decimals, rounded down as the ticks are.
fn ticks_from_uptime(text: &str, ticks_per_second: u64) -> Option<u64> {
    let (seconds, hundredths) = text.split_ascii_whitespace().next()?.split_once('.')?;
    let hundredths =
        seconds.parse::<u64>().ok()?.checked_mul(100)? + hundredths.parse::<u64>().ok()?;
    Some(hundredths.checked_mul(ticks_per_second)? / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command};

    struct Sleeper(Child);

    impl Sleeper {
        fn start() -> Self {
            Self(
                Command::new("sleep")
                    .arg("60")
                    .spawn()
                    .expect("bug: `sleep` cannot be started"),
            )
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            // It may have been ended by the test.
            let _ = self.0.kill().and_then(|()| self.0.wait());
        }
    }

    fn tree(root: u32, children: Children) -> ProcessTree {
        let units = MachineUnits::read().expect("bug: no auxiliary vector");
        ProcessTree::with_children(Pid::new(root), units, children)
            .expect("bug: the root is not there")
    }

    fn pids(tree: &ProcessTree) -> Vec<u32> {
        tree.running().map(|(process, _)| process.pid).collect()
    }

    #[test]
    fn a_child_is_found_by_the_table_of_processes_too() {
        let mut tree = tree(std::process::id(), Children::Table(HashMap::new()));
        tree.scan();
        let child = Sleeper::start();
        tree.scan();
        assert!(pids(&tree).contains(&child.0.id()));
    }

    #[test]
    fn nothing_is_left_of_a_tree_whose_root_is_gone() {
        let root = Sleeper::start();
        let mut tree = tree(root.0.id(), Children::detect());
        tree.scan();
        assert_eq!(pids(&tree), [root.0.id()]);
        assert_eq!(tree.total(Counter::CpuTicks), Some(0));
        drop(root);
        tree.scan();
        assert!(pids(&tree).is_empty() && !tree.has_root());
        assert!(tree.total(Counter::CpuTicks).is_some());
    }

    #[test]
    fn a_reused_number_is_another_process() {
        let root = Sleeper::start();
        let mut tree = tree(root.0.id(), Children::detect());
        let stat = tree.processes[0]
            .stat
            .as_mut()
            .expect("bug: the root was read");
        stat.start_ticks -= 1;
        tree.scan();
        assert!(pids(&tree).is_empty());
    }

    #[test]
    fn a_reused_number_below_the_root_is_a_new_member() {
        let mut tree = tree(std::process::id(), Children::detect());
        let child = Sleeper::start();
        tree.scan();
        let at = tree
            .processes
            .iter()
            .position(|process| process.pid == child.0.id());
        let known = &mut tree.processes[at.expect("bug: the child is not found")];
        let serial = known.serial;
        known
            .stat
            .as_mut()
            .expect("bug: the child was read")
            .start_ticks -= 1;
        tree.scan();
        let (now, _) = tree
            .running()
            .find(|(process, _)| process.pid == child.0.id())
            .expect("it is dropped");
        assert!(now.serial > serial);
    }

    #[test]
    fn uptime_becomes_ticks() {
        assert_eq!(ticks_from_uptime("1373.90 2600.11\n", 100), Some(137_390));
        assert_eq!(ticks_from_uptime("2.50 1.00\n", 1024), Some(2560));
        assert_eq!(ticks_from_uptime("\n", 100), None);
    }
}
