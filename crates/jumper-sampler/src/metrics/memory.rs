//! Memory: of processes from `/proc/PID/smaps_rollup` and `stat`, of the machine from `/proc/meminfo`, of a control group as the
//! kernel counts it.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::collector::{Collector, Scan};
use super::group_memory::GroupMemory;
use super::kept::KeptFile;
use super::level::Level;
use super::metric::{Metric, Unit, gauge, gibibytes_from_bytes};
use super::process::ProcessPath;
use super::processes::{Process, Serial};
use super::procfs::{Missing, value_of};
use super::system_calls::thread_cpu_time;
use crate::Timestamp;

/// The page tables of processes are walked for at most this share of the time.
const SHARE_OF_TIME: u32 = 200;

/// Fills `memory`, `rss`, `pss` and `swap`.
///
/// JUmPER's `memory` of processes is the sum of their resident sets, which counts an interpreter shared by eight
/// forked workers eight times. Here it is the sum of the *unique* sets, with what is shared left out, and the other
/// sums have columns of their own. All but the resident set takes the right to trace the process (ptrace(2)); without it the
/// value is unknown, as another number under the same name would be worse than none.
///
/// The kernel walks the page tables for it: some milliseconds for many gibibytes of small pages. A process that has neither run nor
/// lost or gained relatives is not asked again, and all of them pause when asking took long.
#[derive(Debug)]
pub(super) struct Memory {
    metrics: [Metric; 4],
    slow_beat: Duration,
    meminfo: KeptFile,
    groups: [Option<GroupMemory>; Level::ALL.len()],
    path: ProcessPath,
    mapped: HashMap<Serial, Known>,
    due: Option<Timestamp>,
    is_paused: bool,
}

/// What is known of a process, and of which scan.
#[derive(Clone, Copy, Debug)]
struct Known {
    scan: u64,
    rollup: Result<Rollup, Missing>,
}

impl Memory {
    pub(super) fn new(scan: &Scan, slow_beat: Duration) -> Self {
        let slow = |metric: Metric| match slow_beat.is_zero() {
            true => metric,
            false => metric.with_beat(slow_beat),
        };
        Self {
            metrics: [
                slow(gauge(
                    "memory",
                    Unit::Gibibytes,
                    "memory that ending the processes would free (their unique sets), or that is in use and cannot be reclaimed \
                     (system level; of a job or container without the page cache)",
                )),
                gauge(
                    "rss",
                    Unit::Gibibytes,
                    "resident set size summed over processes; what they share counts once for each",
                ),
                slow(gauge(
                    "pss",
                    Unit::Gibibytes,
                    "the same, where what is shared counts in equal parts for each that shares it",
                )),
                slow(gauge("swap", Unit::Gibibytes, "memory in swap space")),
            ],
            slow_beat,
            meminfo: KeptFile::new(scan.roots().proc("meminfo")),
            groups: Level::ALL.map(|level| {
                let (group, membership) = scan.group(level)?;
                GroupMemory::of(group, &membership.groups)
            }),
            path: ProcessPath::new(scan.roots()),
            mapped: HashMap::new(),
            due: None,
            is_paused: false,
        }
    }

    /// Sums over the processes of a level.
    fn sum(&mut self, scan: &Scan, level: Level) -> Option<Rollup> {
        let mut sum = Rollup::default();
        for (process, stat) in scan.processes().running(level) {
            match self.rollup(scan.processes().scans(), process) {
                Ok(rollup) => sum.add(&rollup),
                // The file belongs to the main thread. Where that has ended before the others, the memory is
                // still there and cannot be seen.
                Err(Missing::Gone) if stat.state != b'Z' => {}
                Err(_) => return None,
            }
        }
        Some(sum)
    }

    fn rollup(&mut self, now: u64, process: &Process) -> Result<Rollup, Missing> {
        let known = self.mapped.get(&process.serial).copied();
        let changed_in = process.read_in.max(process.kin_changed_in);
        if let Some(known) = known.filter(|known| self.is_paused || known.scan >= changed_in) {
            return known.rollup;
        }
        let text = fs::read_to_string(self.path.of(process.pid).file("smaps_rollup"));
        let rollup = match text {
            Ok(text) => Rollup::parse(&text).ok_or(Missing::Unknown),
            // A kernel that has no such file (before 4.14) is not a process that has ended.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.is_there() => {
                Err(Missing::Unknown)
            }
            Err(error) => Err(error.into()),
        };
        self.mapped
            .insert(process.serial, Known { scan: now, rollup });
        rollup
    }

    /// Whether the process that was asked last has not been waited for.
    fn is_there(&mut self) -> bool {
        Path::new(self.path.directory()).exists()
    }
}

impl Collector for Memory {
    fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    fn begin(&mut self, scan: &Scan) {
        self.is_paused = self.due.is_some_and(|due| scan.time() < due);
        if scan.processes().have_changed() {
            let pids: Vec<Serial> = Level::ALL
                .into_iter()
                .flat_map(|level| scan.processes().running(level))
                .map(|(process, _)| process.serial)
                .collect();
            self.mapped.retain(|serial, _| pids.contains(serial));
        }
    }

    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
        if level == Level::System {
            let used = self.meminfo.text().and_then(parse_used);
            values[0] = used.map(|[memory, _]| gibibytes_from_bytes(memory));
            values[3] = used.map(|[_, swap]| gibibytes_from_bytes(swap));
            return;
        }
        if !scan.has_processes(level) || scan.is_empty(level) {
            return;
        }
        let pages = scan.processes().present(level).resident_pages;
        values[1] = Some(gibibytes_from_bytes(
            pages.saturating_mul(scan.units().page_bytes),
        ));
        let began = thread_cpu_time();
        let sum = self.sum(scan, level);
        if !self.is_paused {
            let took = thread_cpu_time().saturating_sub(began);
            let pause = (took * SHARE_OF_TIME).min(self.slow_beat);
            self.due = self.due.max(Some(scan.time().after(pause)));
        }
        values[0] = sum.map(|sum| gibibytes_from_bytes(sum.unique));
        values[2] = sum.map(|sum| gibibytes_from_bytes(sum.proportional));
        values[3] = sum.map(|sum| gibibytes_from_bytes(sum.swap));
        if let Some(group) = &mut self.groups[level as usize] {
            let (memory, swap) = group.bytes();
            values[0] = memory.map(gibibytes_from_bytes);
            values[3] = swap.map(gibibytes_from_bytes);
        }
    }
}

/// What `/proc/PID/smaps_rollup` says, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rollup {
    /// The pages that no other process maps.
    unique: u64,
    /// All pages, each divided by how many map it.
    proportional: u64,
    swap: u64,
}

impl Rollup {
    fn parse(text: &str) -> Option<Self> {
        let bytes = |key| value_of(text, key).map(|kibibytes| kibibytes.saturating_mul(1024));
        let clean = bytes("Private_Clean:")?;
        let dirty = bytes("Private_Dirty:")?;
        // Huge pages of hugetlbfs are listed apart from the rest, and missing in kernels that are built without.
        let huge = bytes("Private_Hugetlb:").unwrap_or(0);
        Some(Self {
            unique: clean + dirty + huge,
            proportional: bytes("Pss:")? + huge,
            swap: bytes("SwapPss:").unwrap_or(0),
        })
    }

    fn add(&mut self, other: &Self) {
        self.unique += other.unique;
        self.proportional += other.proportional;
        self.swap += other.swap;
    }
}

/// Memory as JUmPER has it, all that is neither free nor could be freed without swapping, and swap space, in bytes.
fn parse_used(meminfo: &str) -> Option<[u64; 2]> {
    let bytes = |key| value_of(meminfo, key).map(|kibibytes| kibibytes.saturating_mul(1024));
    let used = |all, left| Some(bytes(all)?.saturating_sub(bytes(left)?));
    Some([
        used("MemTotal:", "MemAvailable:")?,
        used("SwapTotal:", "SwapFree:").unwrap_or(0),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unique_set_is_all_that_is_private() {
        let text = "558a4a568000-7ffee5e70000 ---p 00000000 00:00 0                          [rollup]\n\
                    Rss:                1708 kB\nPss:                 302 kB\nShared_Clean:       1556 kB\n\
                    Private_Clean:        40 kB\nPrivate_Dirty:       112 kB\nPrivate_Hugetlb:    2048 kB\nSwapPss: 7 kB\n";
        let rollup = |unique: u64, proportional: u64| Rollup {
            unique: unique * 1024,
            proportional: proportional * 1024,
            swap: 7 * 1024,
        };
        assert_eq!(Rollup::parse(text), Some(rollup(2200, 2350)));
        let without_huge = text.replace("Private_Hugetlb", "Shared_Hugetlb");
        assert_eq!(Rollup::parse(&without_huge), Some(rollup(152, 302)));
        assert_eq!(Rollup::parse(&text.replace("Private_Dirty", "Dirty")), None);
    }

    #[test]
    fn memory_in_use_is_what_is_not_available() {
        let text = "MemTotal:       24684112 kB\nMemFree:        10000000 kB\nMemAvailable:   20000000 kB\n\
                    SwapTotal: 100 kB\nSwapFree: 60 kB\n";
        assert_eq!(parse_used(text), Some([4_684_112 * 1024, 40 * 1024]));
        assert_eq!(parse_used("MemTotal: 1 kB\n"), None);
    }
}
