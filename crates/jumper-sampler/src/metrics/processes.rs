//! The processes of the levels asked for, and what they have used up together since the first scan.
//!
//! All counters are read and added up here, in one pass, so that every metric speaks of the same set of
//! processes and no counter is read twice. It decides what counts; it does not know units, metrics or rates. Who belongs to a level
//! is said by [`Membership`], but for descent, which is followed here.

use std::collections::HashMap;
use std::time::Duration;

use super::MetricsError;
use super::account::Account;
use super::account::Reading;
use super::census::Census;
use super::children::Children;
use super::counters::{COUNTERS, Counter, PerCounter, readings};
use super::kept::KeptFile;
use super::level::{Level, LevelSet};
use super::membership::Membership;
use super::process::{Files, ProcessPath, Stat};
use super::procfs::{MachineUnits, Missing};
use super::roots::Roots;
use super::system_calls::{cpu_nanos, open_files_limit};
use crate::{Pid, Timestamp};

/// Tells processes apart for as long as the sampler lives, other than their numbers. Ascending in the order of
/// discovery, so a parent's is lower than its children's.
pub(super) type Serial = u64;

const ROOT: Serial = 0;

/// A process that has not run is read again after so long, for what others may have done to it: its memory swapped out, say.
const REREAD_AFTER: Duration = Duration::from_secs(5);

/// Whether a process belongs to a level is asked again after so long, if it has run.
const BELONGING_LASTS: Duration = Duration::from_secs(1);

/// A process of some level.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) serial: Serial,
    pub(super) levels: LevelSet,
    /// The scan in which it was read last: it has run since the one before, or was new.
    pub(super) read_in: u64,
    /// The scan in which a process that may share memory with it came or went: its parent, a child, a sibling.
    pub(super) kin_changed_in: u64,
    parent: Option<Serial>,
    /// What was read last; `None` only until the first time.
    stat: Option<Stat>,
    /// Its own clock then.
    clock: Option<u64>,
    is_first_read: bool,
    read_at: Timestamp,
    belongs_since: Timestamp,
    files: Option<Files>,
    readings: PerCounter<Option<Reading>>,
    accounts: PerCounter<Account>,
    gone: bool,
    /// Whether it waited for a child before the latest scan, and before the one before.
    waited: [bool; 2],
}

impl Process {
    fn new(pid: u32, serial: Serial, levels: LevelSet, now: Timestamp) -> Self {
        Self {
            pid,
            serial,
            levels,
            read_in: 0,
            kin_changed_in: 0,
            parent: None,
            stat: None,
            clock: None,
            is_first_read: false,
            read_at: now,
            belongs_since: now,
            files: None,
            readings: [None; COUNTERS],
            accounts: [Account::FROM_NOW; COUNTERS],
            gone: false,
            waited: [false; 2],
        }
    }

    fn is_same(&self, stat: &Stat) -> bool {
        self.stat
            .is_none_or(|known| known.start_ticks == stat.start_ticks)
    }

    const fn was_read(&self) -> bool {
        self.read_in > 0
    }

    /// Its status at this scan, unless it has ended and is only waiting to be waited for.
    fn running(&self) -> Option<&Stat> {
        self.stat
            .as_ref()
            .filter(|stat| self.was_read() && !stat.has_ended())
    }
}

/// A process of no level.
#[derive(Clone, Copy, Debug)]
struct Other {
    clock: Option<u64>,
    looked_at: Timestamp,
    is_kernel: bool,
    listed_in: u64,
}

/// How processes that are new are found.
#[derive(Debug)]
enum Discovery {
    /// Below their parents, where descendants are all that is asked for.
    Children(Children),
    /// Among all that there are.
    Everybody(HashMap<u32, Other>),
}

/// What the processes of a level are at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Present {
    pub(super) processes: u64,
    pub(super) threads: u64,
    pub(super) resident_pages: u64,
}

/// What is known of a level.
#[derive(Clone, Copy, Debug, Default)]
struct Use {
    totals: PerCounter<u64>,
    known: PerCounter<bool>,
    present: Present,
}

/// The processes of all levels that are made of processes.
///
/// A descendant of the root is found below its parent and then remembered by number and start time, so it stays in the set when
/// its parent ends and another process adopts it. One that is orphaned before it was ever seen is not found.
#[derive(Debug)]
pub(super) struct Processes {
    /// In the order of discovery: parents before children, which is also the order of reading. A child that can be
    /// read had therefore not been waited for when its parent was read; [`Account`] builds on that.
    processes: Vec<Process>,
    /// The present owner of each process number in the set.
    by_pid: HashMap<u32, Serial>,
    next_serial: Serial,
    membership: Membership,
    discovery: Discovery,
    census: Census,
    path: ProcessPath,
    bytes: Vec<u8>,
    numbers: Vec<u32>,
    found: Vec<(Stat, u32)>,
    uptime: KeptFile,
    ticks_per_second: u64,
    has_clocks: bool,
    /// How many of the processes have their files open, and how many may.
    kept_open: u64,
    most_kept_open: u64,
    /// Whether one has waited for a child before this scan.
    has_waited: bool,
    /// Whether processes may have begun before the latest scan, or the one before.
    is_busy: [bool; 2],
    now: Timestamp,
    /// When the latest scan began, in clock ticks since boot; `None` before the first, or where it is not known.
    scanned_at: Option<u64>,
    scans: u64,
    /// Those that came or went in this scan, with their parents.
    changed: Vec<(Serial, Option<Serial>)>,
    uses: [Use; Level::ALL.len()],
}

impl Processes {
    /// Begins with `root`, which must exist.
    pub(super) fn new(
        root: Pid,
        levels: LevelSet,
        membership: Membership,
        roots: &Roots,
        units: MachineUnits,
    ) -> Result<Self, MetricsError> {
        let by_descent = |level| matches!(level, Level::Process | Level::System);
        let discovery = match levels.iter().all(by_descent) {
            true => Discovery::Children(Children::detect(roots)),
            false => Discovery::Everybody(HashMap::new()),
        };
        Self::with_discovery(root, membership, discovery, roots, units)
    }

    fn with_discovery(
        root: Pid,
        membership: Membership,
        discovery: Discovery,
        roots: &Roots,
        units: MachineUnits,
    ) -> Result<Self, MetricsError> {
        let now = Timestamp::now();
        let mut processes = Self {
            processes: Vec::new(),
            by_pid: HashMap::new(),
            next_serial: ROOT,
            membership,
            discovery,
            census: Census::new(roots),
            path: ProcessPath::new(roots),
            bytes: Vec::new(),
            numbers: Vec::new(),
            found: Vec::new(),
            uptime: KeptFile::new(roots.proc("uptime")),
            ticks_per_second: units.ticks_per_second,
            has_clocks: roots.are_own_processes(),
            kept_open: 0,
            // Two files each. Most are for the program, which this process may be itself.
            most_kept_open: (open_files_limit() / 16).min(256),
            has_waited: false,
            is_busy: [true; 2],
            now,
            scanned_at: None,
            scans: 0,
            changed: Vec::new(),
            uses: [Use::default(); Level::ALL.len()],
        };
        let files = Files::open(processes.path.of(root.get()));
        let stat = files
            .and_then(|files| files.stat(&mut processes.bytes))
            .map_err(|_| MetricsError::NoSuchProcess { pid: root })?;
        let mut levels = processes.belongings(root.get());
        levels.insert(Level::Process);
        processes.adopt(root.get(), levels);
        // Whoever has this number at the first scan must be the process that has it now.
        processes.processes[0].stat = Some(stat);
        Ok(processes)
    }

    /// Reads what has run since the scan before, and adds up what was used.
    pub(super) fn scan(&mut self, now: Timestamp) {
        self.now = now;
        self.scans += 1;
        self.has_waited = false;
        let ticks = self.ticks_since_boot();
        let is_new_list = self.census.refresh();
        self.is_busy = [is_new_list, self.is_busy[0]];
        self.begin_discovery(is_new_list);
        let mut at = 0;
        while at < self.processes.len() {
            self.visit(at);
            at += 1;
        }
        self.tell_kin();
        self.pass_on_what_ended();
        self.settle();
        self.forget_what_ended();
        self.scanned_at = ticks;
    }

    /// The processes of a level that run, with their status at the latest scan.
    pub(super) fn running(&self, level: Level) -> impl Iterator<Item = (&Process, &Stat)> {
        self.processes
            .iter()
            .filter(move |process| process.levels.contains(level))
            .filter_map(|process| Some((process, process.running()?)))
    }

    /// Whether the process that it began with still has its number.
    pub(super) fn has_root(&self) -> bool {
        self.processes
            .first()
            .is_some_and(|process| process.serial == ROOT)
    }

    /// What the processes of a level have used of something since the first scan, also those that have ended; `None` where
    /// one that runs could not be read. It never falls.
    pub(super) fn total(&self, level: Level, counter: Counter) -> Option<u64> {
        let used = &self.uses[level as usize];
        used.known[counter as usize].then_some(used.totals[counter as usize])
    }

    /// How many there are of a level, and how large.
    pub(super) fn present(&self, level: Level) -> Present {
        self.uses[level as usize].present
    }

    pub(super) fn membership(&self) -> &Membership {
        &self.membership
    }

    pub(super) fn census(&self) -> &Census {
        &self.census
    }

    /// The number of the latest scan.
    pub(super) fn scans(&self) -> u64 {
        self.scans
    }

    /// Whether a process has come or gone in the latest scan.
    pub(super) fn have_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// `/proc/uptime` and the start time of a process share one clock, so they can be compared. Should a container
    /// show an uptime of its own, it is the smaller one, and every process that is new to the set counts as started
    /// since the previous scan.
    fn ticks_since_boot(&mut self) -> Option<u64> {
        ticks_from_uptime(self.uptime.text()?, self.ticks_per_second)
    }

    /// Finds processes that are new, where all are looked through.
    fn begin_discovery(&mut self, is_new_list: bool) {
        match &mut self.discovery {
            Discovery::Children(children) => {
                if is_new_list {
                    children.refresh(&mut self.path, &mut self.bytes, self.census.pids());
                }
                return;
            }
            Discovery::Everybody(others) => {
                if is_new_list {
                    let (scans, by_pid) = (self.scans, &self.by_pid);
                    for &pid in self.census.pids() {
                        match others.get_mut(&pid) {
                            Some(other) => other.listed_in = scans,
                            None if by_pid.contains_key(&pid) => {}
                            None => self.numbers.push(pid),
                        }
                    }
                    others.retain(|_, other| other.listed_in == scans);
                }
                for (&pid, other) in others.iter() {
                    let is_due = self.now.saturating_duration_since(other.looked_at)
                        >= match other.is_kernel {
                            true => REREAD_AFTER,
                            false => BELONGING_LASTS,
                        };
                    let has_run = || {
                        let clock = self.has_clocks.then(|| cpu_nanos(pid)).flatten();
                        clock.is_none() || clock != other.clock
                    };
                    if is_due && has_run() {
                        self.numbers.push(pid);
                    }
                }
            }
        }
        self.examine();
    }

    /// Decides about the processes in `numbers`, which are in no level so far.
    fn examine(&mut self) {
        let mut numbers = std::mem::take(&mut self.numbers);
        let mut found = std::mem::take(&mut self.found);
        for pid in numbers.drain(..) {
            let files = Files::open(self.path.of(pid));
            match files.and_then(|files| files.stat(&mut self.bytes)) {
                Ok(stat) => found.push((stat, pid)),
                Err(_) => self.leave_out(pid, false),
            }
        }
        // Parents first: they began before their children.
        found.sort_unstable_by_key(|&(stat, pid)| (stat.start_ticks, pid));
        for (stat, pid) in found.drain(..) {
            let mut levels = match stat.is_kernel {
                true => LevelSet::EMPTY,
                false => self.belongings(pid),
            };
            // A child begins where its parent is; one that has ended is in no control group any more.
            let inherited = self.levels_of_parent(&stat);
            for level in [Level::Process, Level::Slurm, Level::Container] {
                if inherited.contains(level) {
                    levels.insert(level);
                }
            }
            match levels.is_empty() {
                true => self.leave_out(pid, stat.is_kernel),
                false => self.adopt(pid, levels),
            }
        }
        (self.numbers, self.found) = (numbers, found);
    }

    fn belongings(&mut self, pid: u32) -> LevelSet {
        self.membership.of(self.path.of(pid))
    }

    /// The levels of the parent, if it is one of ours.
    fn levels_of_parent(&self, stat: &Stat) -> LevelSet {
        let parent = self.by_pid.get(&stat.parent);
        parent
            .and_then(|&serial| self.position(serial, self.processes.len()))
            .map_or(LevelSet::EMPTY, |at| self.processes[at].levels)
    }

    fn leave_out(&mut self, pid: u32, is_kernel: bool) {
        let clock = self.has_clocks.then(|| cpu_nanos(pid)).flatten();
        let (looked_at, listed_in) = (self.now, self.scans);
        if let Discovery::Everybody(others) = &mut self.discovery {
            others.insert(
                pid,
                Other {
                    clock,
                    looked_at,
                    is_kernel,
                    listed_in,
                },
            );
        }
    }

    fn adopt(&mut self, pid: u32, levels: LevelSet) {
        if let Discovery::Everybody(others) = &mut self.discovery {
            others.remove(&pid);
        }
        let serial = self.next_serial;
        self.next_serial += 1;
        self.by_pid.insert(pid, serial);
        self.processes
            .push(Process::new(pid, serial, levels, self.now));
    }

    fn visit(&mut self, at: usize) {
        let process = &mut self.processes[at];
        let pid = process.pid;
        let clock = self.has_clocks.then(|| cpu_nanos(pid)).flatten();
        let is_fresh = self.now.saturating_duration_since(process.read_at) < REREAD_AFTER;
        // One that runs is told its time only now and then.
        let may_rest = process.running().is_some_and(Stat::is_waiting) && is_fresh;
        let rests = may_rest && clock.is_some() && clock == process.clock;
        if rests && !self.may_have_been_waited_for(at) {
            let process = &mut self.processes[at];
            self.kept_open -= u64::from(process.files.take().is_some());
            // A child that was left out when it was read last is not the work of now.
            if process.read_in + 1 == self.scans {
                let threads = process.stat.map_or(1, |stat| stat.threads);
                self.adopt_children(pid, threads);
            }
            return;
        }
        match self.read(at, clock) {
            // Its parent, which was read before, may have it in its counters already.
            Ok(stat) if stat.is_waited_for() => self.processes[at].gone = true,
            Ok(stat) => {
                self.update(at, stat);
                self.adopt_children(pid, stat.threads);
            }
            Err(Missing::Gone) => self.processes[at].gone = true,
            Err(Missing::Unknown) => self.processes[at].readings = [None; COUNTERS],
        }
    }

    /// Whether its parent, which was read before, may have it in its counters already. Then it must be known whether it has ended,
    /// which the clock of one that is just ending does not tell yet.
    fn may_have_been_waited_for(&self, at: usize) -> bool {
        self.has_waited
            && self.processes[at]
                .parent
                .and_then(|parent| self.position(parent, at))
                .map(|parent| &self.processes[parent])
                .is_some_and(|parent| parent.read_in == self.scans && parent.waited[0])
    }

    /// The status of a process, whose counters are taken over. One that has another's number is gone.
    fn read(&mut self, at: usize, clock: Option<u64>) -> Result<Stat, Missing> {
        let process = &mut self.processes[at];
        let kept = process.files.take();
        self.kept_open -= u64::from(kept.is_some());
        let files = match kept {
            Some(files) => files,
            None => Files::open(self.path.of(process.pid))?,
        };
        // The counters of I/O before the status, so that a child which this process waits for in between is not
        // in a counter while the status still says that it waited for none.
        let io = files.io(&mut self.bytes);
        let stat = files.stat(&mut self.bytes)?;
        if !process.is_same(&stat) {
            self.replace(at);
            return Err(Missing::Gone);
        }
        // Those of another namespace stay closed: there, numbers do not tell who has ended.
        if self.has_clocks && self.kept_open < self.most_kept_open {
            process.files = Some(files);
            self.kept_open += 1;
        }
        process.clock = clock;
        let nanos_per_tick = 1_000_000_000 / self.ticks_per_second;
        process.readings = readings(&stat, io, clock, nanos_per_tick);
        Ok(stat)
    }

    fn update(&mut self, at: usize, stat: Stat) {
        let parent = self.by_pid.get(&stat.parent).copied();
        let is_new = self.scans > 1 && self.scanned_at.is_none_or(|scan| stat.start_ticks >= scan);
        let process = &mut self.processes[at];
        if is_new && !process.was_read() {
            process.accounts = [Account::FROM_START; COUNTERS];
        }
        let faults = process
            .stat
            .filter(|_| process.was_read())
            .map_or(0, |stat| stat.children_faults());
        process.waited = [stat.children_faults() > faults, process.waited[0]];
        self.has_waited |= process.waited[0];
        process.parent = parent;
        process.stat = Some(stat);
        process.is_first_read = !process.was_read();
        process.read_in = self.scans;
        process.read_at = self.now;
        if self.now.saturating_duration_since(process.belongs_since) >= BELONGING_LASTS {
            process.belongs_since = self.now;
            let pid = process.pid;
            self.belong(at, pid);
        }
    }

    /// A process may have become another user's, or been moved to another group. Descendants stay such.
    fn belong(&mut self, at: usize, pid: u32) {
        let has_ended = self.processes[at].running().is_none();
        if has_ended || matches!(self.discovery, Discovery::Children(_)) {
            return;
        }
        let mut levels = self.belongings(pid);
        if self.processes[at].levels.contains(Level::Process) {
            levels.insert(Level::Process);
        }
        self.processes[at].levels = levels;
    }

    fn adopt_children(&mut self, pid: u32, threads: u64) {
        let Discovery::Children(children) = &self.discovery else {
            return;
        };
        if !self.is_busy.contains(&true) {
            return;
        }
        let mut found = std::mem::take(&mut self.numbers);
        children.list(self.path.of(pid), &mut self.bytes, pid, threads, &mut found);
        for child in found.drain(..) {
            if !self.by_pid.contains_key(&child) {
                self.adopt(child, LevelSet::from_iter([Level::Process]));
            }
        }
        self.numbers = found;
    }

    /// The number of an ended process has gone to another one, which may itself be one of ours.
    fn replace(&mut self, at: usize) {
        let process = &mut self.processes[at];
        process.gone = true;
        let pid = process.pid;
        self.by_pid.remove(&pid);
        self.numbers.push(pid);
        self.examine();
    }

    /// Pages that were shared with a process which has ended may be one's own now, and after a fork the other way round.
    fn tell_kin(&mut self) {
        let is_new = |process: &Process| process.read_in == self.scans && process.is_first_read;
        let changed = self
            .processes
            .iter()
            .filter(|process| process.gone || is_new(process));
        self.changed.clear();
        self.changed
            .extend(changed.map(|process| (process.serial, process.parent)));
        if self.scans == 1 || self.changed.is_empty() {
            return;
        }
        for process in &mut self.processes {
            let (serial, parent) = (Some(process.serial), process.parent);
            let is_kin = |&(other, its_parent): &(Serial, Option<Serial>)| {
                its_parent == serial
                    || parent == Some(other)
                    || (parent.is_some() && parent == its_parent)
            };
            if self.changed.iter().any(is_kin) {
                process.kin_changed_in = self.scans;
            }
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
            // Going up only, whatever the files said: this ends.
            at = self.position(self.processes[at].parent?, at)?;
        }
        Some(at)
    }

    /// Where the process of a serial number is, among the first so many.
    fn position(&self, serial: Serial, below: usize) -> Option<usize> {
        self.processes[..below]
            .binary_search_by_key(&serial, |process| process.serial)
            .ok()
    }

    fn settle(&mut self) {
        for used in &mut self.uses {
            used.known = [true; COUNTERS];
            used.present = Present::default();
        }
        let grain = 2_000_000_000 / self.ticks_per_second;
        for process in self.processes.iter_mut().filter(|process| !process.gone) {
            let waited = process.waited.contains(&true);
            // For one that has not run no time has passed: it may find later what children left to it.
            let was_read = process.read_in == self.scans;
            let running = process.running().copied();
            for counter in 0..COUNTERS {
                let grain = match counter == Counter::CpuNanos as usize {
                    true => grain,
                    false => 0,
                };
                let reading = process.readings[counter];
                let used = reading.map(|now| match was_read {
                    true => process.accounts[counter].settle(now, waited, grain),
                    false => 0,
                });
                for level in process.levels.iter() {
                    let level = &mut self.uses[level as usize];
                    match used {
                        Some(used) => level.totals[counter] += used,
                        None => level.known[counter] &= running.is_none(),
                    }
                }
            }
            let Some(stat) = running else { continue };
            for level in process.levels.iter() {
                let present = &mut self.uses[level as usize].present;
                present.processes += 1;
                present.threads += stat.threads;
                present.resident_pages += stat.resident_pages;
            }
        }
    }

    fn forget_what_ended(&mut self) {
        let (by_pid, kept_open) = (&mut self.by_pid, &mut self.kept_open);
        self.processes.retain(|process| {
            if process.gone {
                *kept_open -= u64::from(process.files.is_some());
                if by_pid.get(&process.pid) == Some(&process.serial) {
                    by_pid.remove(&process.pid);
                }
            }
            !process.gone
        });
    }
}

/// The first number of `/proc/uptime` is seconds with two decimals, rounded down as the ticks are.
fn ticks_from_uptime(text: &str, ticks_per_second: u64) -> Option<u64> {
    let (seconds, hundredths) = text.split_ascii_whitespace().next()?.split_once('.')?;
    let hundredths =
        seconds.parse::<u64>().ok()?.checked_mul(100)? + hundredths.parse::<u64>().ok()?;
    Some(hundredths.checked_mul(ticks_per_second)? / 100)
}

#[cfg(test)]
#[path = "processes_tests.rs"]
mod tests;
