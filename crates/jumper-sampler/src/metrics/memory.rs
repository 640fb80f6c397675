//! Memory, of the observed processes from `/proc/PID/smaps_rollup` and `stat`, of the machine from `/proc/meminfo`.

use super::collector::{Collector, Scan};
use super::level::Level;
use super::metric::{Metric, Unit, gauge, gibibytes_from_bytes, gibibytes_from_kibibytes};
use super::procfs::{Missing, TextFile, value_of};

static METRICS: [Metric; 2] = [
    gauge(
        "memory",
        Unit::Gibibytes,
        "memory that ending the program would free (process level: unique set size) or that is in use and cannot \
         be reclaimed (system level)",
    ),
    gauge(
        "rss",
        Unit::Gibibytes,
        "resident set size summed over processes (process level only); what they share counts once for each",
    ),
];

/// Fills `memory` and `rss`.
///
/// JUmPER's `memory` of processes is the sum of their resident sets, which counts an interpreter shared by eight
/// forked workers eight times. Here it is the sum of the *unique* sets, with what is shared left out, and the other
/// sum has a column of its own. The unique set takes the right to trace the process (ptrace(2)); without it the
/// value is unknown, as another number under the same name would be worse than none.
#[derive(Debug, Default)]
pub(super) struct Memory {
    file: TextFile,
}

impl Collector for Memory {
    fn metrics(&self) -> &[Metric] {
        &METRICS
    }

    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
        match level {
            Level::Process if scan.is_empty() => {}
            Level::Process => {
                values[0] = self.unique_kibibytes(scan).map(gibibytes_from_kibibytes);
                values[1] = Some(resident_gibibytes(scan));
            }
            Level::System => values[0] = self.used_kibibytes().map(gibibytes_from_kibibytes),
            _ => {}
        }
    }
}

impl Memory {
    fn unique_kibibytes(&mut self, scan: &Scan) -> Option<u64> {
        let mut sum = 0;
        for (process, stat) in scan.tree().running() {
            match self.unique_kibibytes_of(process.pid) {
                Ok(kibibytes) => sum += kibibytes,
                // The file belongs to the main thread. Where that has ended before the others, the memory is
                // still there and cannot be seen.
                Err(Missing::Gone) if stat.state != b'Z' => {}
                Err(_) => return None,
            }
        }
        Some(sum)
    }

    /// The kernel walks the page tables for this one: some milliseconds for many gibibytes of small pages.
    fn unique_kibibytes_of(&mut self, pid: u32) -> Result<u64, Missing> {
        let text = self
            .file
            .read_text(format_args!("/proc/{pid}/smaps_rollup"))?;
        parse_unique(text).ok_or(Missing::Unknown)
    }

    fn used_kibibytes(&mut self) -> Option<u64> {
        parse_used(self.file.read_text(format_args!("/proc/meminfo")).ok()?)
    }
}

fn resident_gibibytes(scan: &Scan) -> f64 {
    let pages = scan
        .tree()
        .running()
        .map(|(_, stat)| stat.resident_pages)
        .sum::<u64>();
    gibibytes_from_bytes(pages.saturating_mul(scan.units().page_bytes))
}

/// The pages that no other process maps. Huge pages of hugetlbfs are listed apart from the rest.
fn parse_unique(smaps_rollup: &str) -> Option<u64> {
    let clean = value_of(smaps_rollup, "Private_Clean:")?;
    let dirty = value_of(smaps_rollup, "Private_Dirty:")?;
    // Missing in kernels that are built without such pages.
    let huge = value_of(smaps_rollup, "Private_Hugetlb:").unwrap_or(0);
    Some(clean + dirty + huge)
}

/// As JUmPER has it: all that is neither free nor could be freed without swapping.
fn parse_used(meminfo: &str) -> Option<u64> {
    Some(value_of(meminfo, "MemTotal:")?.saturating_sub(value_of(meminfo, "MemAvailable:")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unique_set_is_all_that_is_private() {
        let text = "558a4a568000-7ffee5e70000 ---p 00000000 00:00 0                          [rollup]\n\
                    Rss:                1708 kB\nPss:                 302 kB\nShared_Clean:       1556 kB\n\
                    Private_Clean:        40 kB\nPrivate_Dirty:       112 kB\nPrivate_Hugetlb:    2048 kB\n";
        assert_eq!(parse_unique(text), Some(2200));
        assert_eq!(
            parse_unique(&text.replace("Private_Hugetlb", "Shared_Hugetlb")),
            Some(152)
        );
        assert_eq!(parse_unique(&text.replace("Private_Dirty", "Dirty")), None);
    }

    #[test]
    fn memory_in_use_is_what_is_not_available() {
        let text = "MemTotal:       24684112 kB\nMemFree:        10000000 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(parse_used(text), Some(4_684_112));
        assert_eq!(parse_used("MemTotal: 1 kB\n"), None);
    }
}
