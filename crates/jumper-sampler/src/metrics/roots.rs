//! Where the kernel's files are.

use std::path::PathBuf;

/// The directories in which the kernel shows what there is. Others than the usual ones are those of a host that a container
/// has mounted, or of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    /// Where procfs is mounted.
    pub proc: PathBuf,
    /// Where sysfs is mounted, and the control groups below it.
    pub sys: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            proc: "/proc".into(),
            sys: "/sys".into(),
        }
    }
}

impl Roots {
    /// A file of procfs, such as `stat` or `1/stat`.
    pub(super) fn proc(&self, name: &str) -> PathBuf {
        self.proc.join(name)
    }

    /// A file of sysfs.
    pub(super) fn sys(&self, name: &str) -> PathBuf {
        self.sys.join(name)
    }

    /// Whether the numbers of processes in `proc` are those that system calls take: it is the procfs of our own namespace.
    pub(super) fn are_own_processes(&self) -> bool {
        std::fs::read_link(self.proc("self"))
            .is_ok_and(|pid| pid.as_os_str() == std::process::id().to_string().as_str())
    }
}
