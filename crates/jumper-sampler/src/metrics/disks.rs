//! The disks of the machine, from `/proc/diskstats`: each byte once.
//!
//! The file lists a transfer several times: for the partition, for the disk, for the volume or the loop device on
//! top. Only whole devices that nothing but hardware, or a network, lies under are counted.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::kept::KeptFile;
use super::roots::Roots;

/// Bytes read, bytes written, reads completed, writes completed.
pub(super) type DiskTotals = [u64; 4];

/// What all disks together have transferred since the first reading.
#[derive(Debug)]
pub(super) struct Disks {
    file: KeptFile,
    sys_block: PathBuf,
    devices: HashMap<String, Device>,
    totals: DiskTotals,
}

#[derive(Debug)]
enum Device {
    Counted(DiskTotals),
    Ignored,
}

impl Disks {
    pub(super) fn new(roots: &Roots) -> Self {
        Self {
            file: KeptFile::of_records(roots.proc("diskstats")),
            sys_block: roots.sys("block"),
            devices: HashMap::new(),
            totals: DiskTotals::default(),
        }
    }

    /// The totals by now, which never fall; `None` on a machine that shows no disk.
    ///
    /// A device counts from its first appearance on.
    pub(super) fn read(&mut self) -> Option<DiskTotals> {
        let text = self.file.text()?;
        let mut disks = 0;
        for (name, now) in text.lines().filter_map(parse_line) {
            if !self.devices.contains_key(name) {
                self.devices.insert(
                    name.to_owned(),
                    Device::classify(&self.sys_block, name, now),
                );
            }
            if let Some(Device::Counted(before)) = self.devices.get_mut(name) {
                add_growth(&mut self.totals, &std::mem::replace(before, now), &now);
                disks += 1;
            }
        }
        (disks > 0).then_some(self.totals)
    }
}

impl Device {
    fn classify(sys_block: &Path, name: &str, now: DiskTotals) -> Self {
        if is_disk(sys_block, name) {
            Self::Counted(now)
        } else {
            Self::Ignored
        }
    }
}

fn add_growth(totals: &mut DiskTotals, before: &DiskTotals, now: &DiskTotals) {
    for ((total, before), now) in totals.iter_mut().zip(before).zip(now) {
        *total += now.saturating_sub(*before);
    }
}

/// The name and the totals of a line. The fields are described in the kernel's `Documentation/admin-guide/iostats`.
fn parse_line(line: &str) -> Option<(&str, DiskTotals)> {
    // Of 512 bytes, whatever the sectors of the device are.
    const SECTOR_BYTES: u64 = 512;
    let mut fields = line.split_ascii_whitespace().skip(2);
    let name = fields.next()?;
    let mut numbers = [0; 7];
    for number in &mut numbers {
        *number = fields.next()?.parse::<u64>().ok()?;
    }
    let [reads, _, sectors_read, _, writes, _, sectors_written] = numbers;
    let bytes = |sectors: u64| sectors.saturating_mul(SECTOR_BYTES);
    Some((
        name,
        [bytes(sectors_read), bytes(sectors_written), reads, writes],
    ))
}

/// Whether a device is a whole one, and storage of its own.
fn is_disk(sys_block: &Path, name: &str) -> bool {
    // Memory, or a second view of another device. Most of the latter list theirs under `slaves`; not all do.
    const NOT_STORAGE: [&str; 7] = ["loop", "ram", "zram", "dm-", "md", "drbd", "bcache"];
    if NOT_STORAGE.iter().any(|prefix| name.starts_with(prefix)) {
        return false;
    }
    // Partitions have no directory here. A slash in a name is an exclamation mark in sysfs.
    let directory = sys_block.join(name.replace('/', "!"));
    let has_slaves =
        fs::read_dir(directory.join("slaves")).is_ok_and(|mut slaves| slaves.next().is_some());
    directory.is_dir() && !has_slaves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_bytes_and_completed_requests() {
        let line = " 254       0 vda 79125 26915 6096650 48556 24163 34156 4548288 24444 0 22524 74139 8664 18 802896";
        let totals = [6_096_650 * 512, 4_548_288 * 512, 79125, 24163];
        assert_eq!(parse_line(line), Some(("vda", totals)));
        assert_eq!(parse_line(" 254 0 vda 1 2 3"), None);
        assert_eq!(parse_line(""), None);
    }

    /// A directory that looks like `/sys/block`, removed afterwards.
    struct SysBlock(PathBuf);

    impl SysBlock {
        fn with(devices: &[&str]) -> Self {
            let root =
                std::env::temp_dir().join(format!("jumper-sys-block-{}", std::process::id()));
            for device in devices {
                fs::create_dir_all(root.join(device)).unwrap();
            }
            Self(root)
        }
    }

    impl Drop for SysBlock {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn only_whole_devices_at_the_bottom_are_counted() {
        let devices = [
            "sda/slaves",
            "nvme0n1/slaves",
            "cciss!c0d0",
            "vg/slaves/sda",
            "loop0",
            "dm-0/slaves/sda",
        ];
        let sys = SysBlock::with(&devices);
        let names = [
            "sda",
            "sda1",
            "nvme0n1",
            "nvme0n1p1",
            "cciss/c0d0",
            "vg",
            "loop0",
            "dm-0",
            "zram0",
            "ram1",
        ];
        let counted: Vec<_> = names
            .into_iter()
            .filter(|name| is_disk(&sys.0, name))
            .collect();
        assert_eq!(counted, ["sda", "nvme0n1", "cciss/c0d0"]);
    }

    #[test]
    fn a_disk_that_is_replaced_takes_nothing_back() {
        let mut totals = [10, 10, 10, 10];
        add_growth(&mut totals, &[100, 100, 100, 100], &[105, 0, 100, 101]);
        assert_eq!(totals, [15, 10, 10, 11]);
    }
}
