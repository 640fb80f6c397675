//! The memory of a control group, as the kernel counts it: what is shared by its processes counts once.

use super::cgroup::{Controller, Group, Version};
use super::kept::KeptFile;
use super::procfs::value_of;

/// The files that tell it.
#[derive(Debug)]
pub(super) struct GroupMemory {
    version: Version,
    usage: KeptFile,
    stat: KeptFile,
    swap: KeptFile,
}

impl GroupMemory {
    /// Of just this group, where the kernel counts it apart.
    pub(super) fn of(group: &Group, groups: &str) -> Option<Self> {
        let (version, directory) = group.directory(groups, Controller::Memory)?;
        let file = |name: &str| KeptFile::new(directory.join(name));
        let mut memory = match version {
            Version::One => Self {
                version,
                usage: file("memory.usage_in_bytes"),
                stat: file("memory.stat"),
                swap: file("memory.stat"),
            },
            Version::Two => Self {
                version,
                usage: file("memory.current"),
                stat: file("memory.stat"),
                swap: file("memory.swap.current"),
            },
        };
        memory.bytes().0.is_some().then_some(memory)
    }

    /// Bytes in use, without the page cache, which goes when memory is wanted; and in swap space.
    pub(super) fn bytes(&mut self) -> (Option<u64>, Option<u64>) {
        let used = self
            .usage
            .text()
            .and_then(|text| text.trim().parse::<u64>().ok());
        // In version 1 what is not "total" is of this group alone, without those below.
        let (cached, swap) = match self.version {
            Version::One => (
                ["total_active_file ", "total_inactive_file "],
                Some("total_swap "),
            ),
            Version::Two => (["active_file ", "inactive_file "], None),
        };
        let stat = self.stat.text().unwrap_or_default();
        let pages = cached.map(|key| value_of(stat, key));
        let memory = used
            .zip(pages[0].zip(pages[1]))
            .map(|(used, (active, inactive))| used.saturating_sub(active + inactive));
        let swap = match (swap, self.swap.text()) {
            (Some(key), Some(text)) => value_of(text, key),
            (None, Some(text)) => text.trim().parse().ok(),
            (_, None) => None,
        };
        (memory, swap)
    }
}
