//! Processor time, of the observed processes from `/proc/PID/stat` and of the machine from `/proc/stat`.
//!
//! The kernel shows both in ticks of mostly 10 ms: over half a second a utilisation is good to some two percent of
//! one processor for each process. The totals do not drift.

use super::collector::{Collector, Scan};
use super::level::Level;
use super::metric::{Metric, Unit, counter, gauge};
use super::procfs::TextFile;
use super::rate::Rate;
use super::tree::Counter;

static METRICS: [Metric; 2] = [
    gauge(
        "cpu_util_avg",
        Unit::Percent,
        "processor time used, as a share of all processors that the program may run on (process level) \
         or that are online (system level)",
    ),
    counter(
        "cpu_time",
        Unit::Seconds,
        "processor time used since the first sample, summed over processors",
    ),
];

/// Fills `cpu_util_avg` and `cpu_time`.
///
/// As in JUmPER, 100 % is all processors busy and not one of them. JUmPER takes the processors that the monitor may
/// run on; here they are those of the observed root process, the largest number seen so far: a program may bind its
/// main thread to a single one while its other threads run elsewhere. A descendant can be allowed more processors
/// than the root, and then the utilisation can exceed 100 %; it is not cut off.
#[derive(Debug, Default)]
pub(super) struct Cpu {
    file: TextFile,
    tree_ticks: Rate,
    root_cpus: Option<u32>,
    machine: Option<MachineTicks>,
    machine_busy: u64,
}

impl Collector for Cpu {
    fn metrics(&self) -> &[Metric] {
        &METRICS
    }

    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
        let (utilisation, ticks) = match level {
            Level::Process => self.tree(scan),
            Level::System => self.machine(),
            _ => return,
        };
        values[0] = utilisation;
        values[1] = ticks.map(|ticks| ticks as f64 / scan.units().ticks_per_second as f64);
    }
}

impl Cpu {
    /// Utilisation in percent, and ticks since the first sample.
    fn tree(&mut self, scan: &Scan) -> (Option<f64>, Option<u64>) {
        if scan.tree().has_root() {
            self.root_cpus = self.root_cpus.max(self.allowed_cpus(scan.root().get()));
        }
        let ticks = scan.tree().total(Counter::CpuTicks);
        let per_second = self
            .tree_ticks
            .per_second(scan.time(), ticks)
            .filter(|_| !scan.is_empty());
        let available = self
            .root_cpus
            .map(|cpus| f64::from(cpus) * scan.units().ticks_per_second as f64);
        (
            per_second
                .zip(available)
                .map(|(used, available)| 100.0 * used / available),
            ticks,
        )
    }

    fn machine(&mut self) -> (Option<f64>, Option<u64>) {
        let read = self
            .file
            .read_text(format_args!("/proc/stat"))
            .ok()
            .and_then(MachineTicks::parse);
        let Some(now) = read else { return (None, None) };
        let grown = self.machine.replace(now).map(|before| now.since(&before));
        self.machine_busy += grown.map_or(0, |grown| grown.busy);
        (
            grown.and_then(|grown| grown.utilisation()),
            Some(self.machine_busy),
        )
    }

    /// How many processors a process may run on.
    fn allowed_cpus(&mut self, pid: u32) -> Option<u32> {
        let status = self
            .file
            .read_text(format_args!("/proc/{pid}/status"))
            .ok()?;
        let allowed = CpuSet::parse(
            status
                .lines()
                .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?,
        )?;
        // The list may name processors that the machine could have and has not.
        let online = self
            .file
            .read_text(format_args!("/sys/devices/system/cpu/online"))
            .ok()
            .and_then(CpuSet::parse);
        let count = online.map_or(allowed.len(), |online| allowed.shared_with(&online));
        (count > 0).then_some(count)
    }
}

/// Ticks of all processors of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MachineTicks {
    /// Spent on work, in user programs, guests or the kernel.
    busy: u64,
    idle: u64,
    /// Idle while something waits for storage. proc(5) warns that it can fall.
    io_wait: u64,
    /// Wanted by this machine and given to another one by the hypervisor: neither work nor idle.
    stolen: u64,
}

impl MachineTicks {
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let mut ticks = [0; 8];
        let mut fields = line.split_ascii_whitespace();
        for tick in &mut ticks {
            *tick = fields.next()?.parse().ok()?;
        }
        // The guest fields that follow are contained in `user` and `nice`.
        let [user, nice, system, idle, io_wait, irq, soft_irq, stolen] = ticks;
        let busy = [user, nice, system, irq, soft_irq]
            .into_iter()
            .fold(0, u64::saturating_add);
        Some(Self {
            busy,
            idle,
            io_wait,
            stolen,
        })
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            busy: self.busy.saturating_sub(before.busy),
            idle: self.idle.saturating_sub(before.idle),
            io_wait: self.io_wait.saturating_sub(before.io_wait),
            stolen: self.stolen.saturating_sub(before.stolen),
        }
    }

    fn utilisation(&self) -> Option<f64> {
        let all = self.busy + self.idle + self.io_wait + self.stolen;
        (all > 0).then(|| 100.0 * self.busy as f64 / all as f64)
    }
}

/// Processors as the kernel lists them: `0-3,8`, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CpuSet {
    ranges: Vec<(u32, u32)>,
}

impl CpuSet {
    fn parse(list: &str) -> Option<Self> {
        let parts = list.trim().split(',').filter(|part| !part.is_empty());
        let ranges = parts.map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last && last < MOST_CPUS).then_some((first, last))
        });
        Some(Self {
            ranges: ranges.collect::<Option<_>>()?,
        })
    }

    fn len(&self) -> u32 {
        self.shared_with(self)
    }

    fn shared_with(&self, other: &Self) -> u32 {
        let pairs = self
            .ranges
            .iter()
            .flat_map(|one| other.ranges.iter().map(move |two| (one, two)));
        pairs
            .map(|(one, two)| (one.1.min(two.1) + 1).saturating_sub(one.0.max(two.0)))
            .sum()
    }
}

/// Far more than Linux can be built for.
const MOST_CPUS: u32 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  24236 10 3294 164642 1662 5 68 45 7 8\n\
                        cpu0 11167 0 1369 84133 251 0 15 20 0 0\nintr 1 2 3\n";

    #[test]
    fn busy_is_work_and_neither_waiting_nor_stolen() {
        let expected = MachineTicks {
            busy: 24236 + 10 + 3294 + 5 + 68,
            idle: 164_642,
            io_wait: 1662,
            stolen: 45,
        };
        assert_eq!(MachineTicks::parse(STAT), Some(expected));
        assert_eq!(MachineTicks::parse("cpu0 1 2 3 4 5 6 7 8\n"), None);
        assert_eq!(MachineTicks::parse("cpu  1 2 3\n"), None);
    }

    #[test]
    fn io_wait_that_falls_does_not_make_utilisation_wrong() {
        let before = MachineTicks {
            busy: 100,
            idle: 100,
            io_wait: 50,
            stolen: 0,
        };
        let after = MachineTicks {
            busy: 150,
            idle: 150,
            io_wait: 49,
            stolen: 0,
        };
        assert_eq!(after.since(&before).utilisation(), Some(50.0));
        assert_eq!(after.since(&after).utilisation(), None);
    }

    #[test]
    fn processor_lists_are_counted_and_intersected() {
        let count = |list: &str| CpuSet::parse(list).map(|set| set.len());
        assert_eq!(count("\t0-1\n"), Some(2));
        assert_eq!(count("0-3,8,10-11"), Some(7));
        assert_eq!(count(""), Some(0));
        assert_eq!(count("3-1"), None);
        assert_eq!(count("0-4294967295"), None);
        assert_eq!(count("x"), None);
        let (allowed, online) = (
            CpuSet::parse("0-127").unwrap(),
            CpuSet::parse("0-1,64").unwrap(),
        );
        assert_eq!(allowed.shared_with(&online), 3);
    }
}
