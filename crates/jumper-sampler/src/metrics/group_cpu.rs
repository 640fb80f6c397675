//! The processor time of a control group, as the kernel counts it: also that of processes which nobody ever saw.

use super::cgroup::{Controller, Group, Version};
use super::kept::KeptFile;
use super::procfs::{MachineUnits, value_of};

/// The files that tell it.
#[derive(Debug)]
pub(super) enum GroupCpu {
    /// `cpuacct.usage` in nanoseconds, and `cpuacct.stat` in clock ticks.
    One { usage: KeptFile, split: KeptFile },
    /// `cpu.stat`, in microseconds.
    Two(KeptFile),
}

impl GroupCpu {
    /// Of just this group, where the kernel counts it apart.
    pub(super) fn of(group: &Group, groups: &str) -> Option<Self> {
        let (version, directory) = group.directory(groups, Controller::CpuAccounting)?;
        let file = |name: &str| KeptFile::new(directory.join(name));
        let mut cpu = match version {
            Version::One => Self::One {
                usage: file("cpuacct.usage"),
                split: file("cpuacct.stat"),
            },
            Version::Two => Self::Two(file("cpu.stat")),
        };
        cpu.used().is_some().then_some(cpu)
    }

    fn used(&mut self) -> Option<u64> {
        match self {
            Self::One { usage, .. } => usage.text()?.trim().parse().ok(),
            Self::Two(stat) => value_of(stat.text()?, "usage_usec ")?.checked_mul(1000),
        }
    }

    /// Nanoseconds by now: all, in user programs, in the kernel.
    pub(super) fn nanos(&mut self, units: MachineUnits) -> [Option<u64>; 3] {
        let all = self.used();
        let (text, keys, nanos) = match self {
            Self::One { split, .. } => (split.text(), ["user ", "system "], units.nanos_per_tick()),
            Self::Two(stat) => (stat.text(), ["user_usec ", "system_usec "], 1000),
        };
        let part = |key| value_of(text?, key)?.checked_mul(nanos);
        [all, part(keys[0]), part(keys[1])]
    }
}
