//! How much of the machine a process may use, and who says so.

use std::fmt;
use std::fs;
use std::path::Path;

use super::cgroup::{Controller, Hierarchies, Version};
use super::cpu_set::CpuSet;
use super::procfs::value_of;
use super::roots::Roots;
use super::slurm::variable;
use crate::Pid;

/// Who sets a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitSource {
    /// There is no more in the machine.
    Machine,
    /// The processors that the process may run on (sched_setaffinity(2), cpusets).
    Affinity,
    /// A control group.
    Cgroup,
    /// The job of Slurm that the process belongs to.
    Slurm,
    /// The address space of the process (`RLIMIT_AS`, `ulimit -v`).
    AddressSpace,
}

impl LimitSource {
    /// A word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Affinity => "affinity",
            Self::Cgroup => "cgroup",
            Self::Slurm => "slurm",
            Self::AddressSpace => "address-space",
        }
    }
}

impl fmt::Display for LimitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A limit: of processors, which need not be whole, or of memory, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// How much there is.
    pub amount: f64,
    /// Who says so.
    pub source: LimitSource,
    /// Where it is said, such as a file or a variable.
    pub place: String,
}

/// How much of the machine a process may use, by all who have a say.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Of processors, the smallest first.
    pub cpus: Vec<Limit>,
    /// Of memory in bytes, the smallest first.
    pub memory: Vec<Limit>,
    /// The numbers of the processors that the process may run on, as `0-3,8`; empty where they are not known.
    pub affinity: String,
}

impl Limits {
    /// The limits of a process. What cannot be read limits nothing.
    pub fn of(pid: Pid) -> Self {
        Self::of_root(pid, &Roots::default())
    }

    /// The same with other places of the kernel's files.
    pub fn of_root(pid: Pid, roots: &Roots) -> Self {
        let text = |name: &str| fs::read_to_string(roots.proc(&format!("{pid}/{name}")));
        let groups = text("cgroup").unwrap_or_default();
        let environment = fs::read(roots.proc(&format!("{pid}/environ"))).unwrap_or_default();
        let hierarchies = Hierarchies::read(roots);
        let mut limits = Self::default();
        limits.add_machine(roots);
        limits.add_affinity(roots, &text("status").unwrap_or_default());
        limits.add_groups(&hierarchies, &groups);
        limits.add_slurm(&environment);
        limits.add_address_space(&text("limits").unwrap_or_default());
        // Of equal ones that of the nearest, which was added last.
        limits.cpus.reverse();
        limits.memory.reverse();
        limits
            .cpus
            .sort_by(|one, other| one.amount.total_cmp(&other.amount));
        limits
            .memory
            .sort_by(|one, other| one.amount.total_cmp(&other.amount));
        limits
    }

    /// How many processors there are for the process.
    pub fn cpus(&self) -> Option<f64> {
        self.cpus.first().map(|limit| limit.amount)
    }

    /// How many bytes of memory there are for the process.
    pub fn memory_bytes(&self) -> Option<u64> {
        self.memory.first().map(|limit| limit.amount as u64)
    }

    fn add_cpus(&mut self, amount: f64, source: LimitSource, place: impl Into<String>) {
        if amount > 0.0 {
            let place = place.into();
            self.cpus.push(Limit {
                amount,
                source,
                place,
            });
        }
    }

    /// The kernel says "none" with numbers larger than any memory.
    fn add_memory(&mut self, bytes: u64, source: LimitSource, place: impl Into<String>) {
        const NONE: u64 = 1 << 60;
        if (1..NONE).contains(&bytes) {
            let place = place.into();
            self.memory.push(Limit {
                amount: bytes as f64,
                source,
                place,
            });
        }
    }

    fn add_machine(&mut self, roots: &Roots) {
        let online = roots.sys("devices/system/cpu/online");
        if let Some(set) = fs::read_to_string(&online)
            .ok()
            .and_then(|list| CpuSet::parse(&list))
        {
            self.add_cpus(set.len().into(), LimitSource::Machine, shown(&online));
        }
        let meminfo = roots.proc("meminfo");
        let text = fs::read_to_string(&meminfo).unwrap_or_default();
        if let Some(kibibytes) = value_of(&text, "MemTotal:") {
            let bytes = kibibytes.saturating_mul(1024);
            self.add_memory(bytes, LimitSource::Machine, shown(&meminfo));
        }
    }

    fn add_affinity(&mut self, roots: &Roots, status: &str) {
        let list = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let Some(allowed) = list.and_then(CpuSet::parse) else {
            return;
        };
        // The list may name processors that the machine could have and has not.
        let online = fs::read_to_string(roots.sys("devices/system/cpu/online"));
        let online = online.ok().and_then(|list| CpuSet::parse(&list));
        let count = online.map_or(allowed.len(), |online| allowed.shared_with(&online));
        self.affinity = list.unwrap_or_default().trim().to_owned();
        self.add_cpus(count.into(), LimitSource::Affinity, "sched_getaffinity");
    }

    /// The limits of the process's groups and of all above them.
    fn add_groups(&mut self, hierarchies: &Hierarchies, groups: &str) {
        let source = LimitSource::Cgroup;
        if let Some((version, directories)) = hierarchies.directories(groups, Controller::Cpu) {
            for directory in directories.iter().rev() {
                if let Some((cpus, file)) = quota(version, directory) {
                    self.add_cpus(cpus, source, shown(&directory.join(file)));
                }
            }
        }
        if let Some((version, directories)) = hierarchies.directories(groups, Controller::Memory) {
            let file = match version {
                Version::One => "memory.limit_in_bytes",
                Version::Two => "memory.max",
            };
            for path in directories
                .iter()
                .rev()
                .map(|directory| directory.join(file))
            {
                if let Some(bytes) = number(&path) {
                    self.add_memory(bytes, source, shown(&path));
                }
            }
        }
    }

    /// What Slurm says that it gave the job on this node: a limit also where nothing enforces it.
    fn add_slurm(&mut self, environment: &[u8]) {
        let value = |name: &str| variable(environment, name)?.parse::<u64>().ok();
        let cpus = value("SLURM_CPUS_ON_NODE");
        if let Some(cpus) = cpus {
            self.add_cpus(cpus as f64, LimitSource::Slurm, "SLURM_CPUS_ON_NODE");
        }
        let mebibytes = |number: u64| number.saturating_mul(1 << 20);
        if let Some(memory) = value("SLURM_MEM_PER_NODE") {
            self.add_memory(mebibytes(memory), LimitSource::Slurm, "SLURM_MEM_PER_NODE");
        } else if let Some((memory, cpus)) = value("SLURM_MEM_PER_CPU").zip(cpus) {
            let bytes = mebibytes(memory).saturating_mul(cpus);
            self.add_memory(bytes, LimitSource::Slurm, "SLURM_MEM_PER_CPU");
        }
    }

    fn add_address_space(&mut self, limits: &str) {
        let soft = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max address space"))
            .and_then(|line| line.split_ascii_whitespace().next());
        if let Some(bytes) = soft.and_then(|soft| soft.parse().ok()) {
            self.add_memory(bytes, LimitSource::AddressSpace, "RLIMIT_AS");
        }
    }
}

/// How many processors' time a group may use, and the file that says so.
fn quota(version: Version, directory: &Path) -> Option<(f64, &'static str)> {
    match version {
        Version::One => {
            // -1 is no limit.
            let quota = number(&directory.join("cpu.cfs_quota_us"))?;
            let period =
                number(&directory.join("cpu.cfs_period_us")).filter(|&period| period > 0)?;
            Some((quota as f64 / period as f64, "cpu.cfs_quota_us"))
        }
        Version::Two => {
            let text = fs::read_to_string(directory.join("cpu.max")).ok()?;
            let (quota, period) = text.trim().split_once(' ')?;
            let period = period.parse::<u64>().ok().filter(|&period| period > 0)?;
            let quota = quota.parse::<u64>().ok()?;
            Some((quota as f64 / period as f64, "cpu.max"))
        }
    }
}

/// The one number in a file; `None` for `max` and for what is negative.
fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
