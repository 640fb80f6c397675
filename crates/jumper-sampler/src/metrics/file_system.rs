//! The space of the file system that the program works in.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use super::collector::{Collector, Scan};
use super::level::Level;
use super::metric::{Metric, Unit, gauge, gibibytes_from_bytes};
use super::system_calls::space;
use crate::Timestamp;

const BEAT: Duration = Duration::from_secs(5);

/// File systems that answer from elsewhere, and keep waiting who asks when nobody answers there.
const REMOTE: [&str; 14] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "ceph",
    "lustre",
    "gpfs",
    "beegfs",
    "afs",
    "glusterfs",
    "orangefs",
    "virtiofs",
];

/// Fills `fs_used` and `fs_free`: of the file system of the directory that the program was in when the recording began. Of one that is
/// not of this machine nothing is said, since a sample must not wait.
#[derive(Debug)]
pub(super) struct FileSystem {
    metrics: [Metric; 2],
    directory: Option<File>,
    read_at: Option<Timestamp>,
    last: [Option<f64>; 2],
}

impl FileSystem {
    pub(super) fn new(scan: &Scan) -> Self {
        let process = scan.roots().proc(&scan.root().to_string());
        let metric = |name, help| gauge(name, Unit::Gibibytes, help).with_beat(BEAT);
        Self {
            metrics: [
                metric(
                    "fs_used",
                    "space in use on the file system that the program works in (system level only)",
                ),
                metric("fs_free", "space left on it for users (system level only)"),
            ],
            directory: open_local(&process),
            read_at: None,
            last: [None; 2],
        }
    }
}

/// The directory that a process works in, where that is on this machine.
fn open_local(process: &Path) -> Option<File> {
    let directory = fs::read_link(process.join("cwd")).ok()?;
    let mounts = fs::read_to_string(process.join("mountinfo")).ok()?;
    (!is_remote(&mounts, &directory)).then_some(())?;
    // Through the process, which may have another root than we.
    let options = fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH)
        .to_owned();
    options.open(process.join("cwd")).ok()
}

fn is_remote(mountinfo: &str, directory: &Path) -> bool {
    let mounts = mountinfo.lines().filter_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let point = Path::new(place.split(' ').nth(4)?);
        Some((point, kind.split(' ').next()?))
    });
    mounts
        .filter(|(point, _)| directory.starts_with(point))
        // Of two at the same place the later one is on top.
        .max_by_key(|(point, _)| point.components().count())
        .is_some_and(|(_, kind)| REMOTE.contains(&kind) || kind.starts_with("fuse"))
}

impl Collector for FileSystem {
    fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
        if level != Level::System {
            return;
        }
        let is_due = self
            .read_at
            .is_none_or(|at| scan.time().saturating_duration_since(at) >= BEAT);
        if is_due {
            self.read_at = Some(scan.time());
            let space = self.directory.as_ref().and_then(space);
            self.last = match space {
                Some(space) => [space.size - space.free.min(space.size), space.available]
                    .map(|bytes| Some(gibibytes_from_bytes(bytes))),
                None => [None; 2],
            };
        }
        values.copy_from_slice(&self.last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_other_machines_are_recognised() {
        let mounts = "22 1 254:0 / / rw - ext4 /dev/vda rw\n40 22 0:9 / /home rw - nfs4 server:/home rw\n\
                      41 40 0:10 / /home/me/local rw - tmpfs tmpfs rw\n42 22 0:11 / /mnt rw - fuse.sshfs x rw\n";
        for (directory, remote) in [
            ("/", false),
            ("/homes", false),
            ("/home/me", true),
            ("/home/me/local/x", false),
            ("/mnt", true),
        ] {
            assert_eq!(
                is_remote(mounts, Path::new(directory)),
                remote,
                "{directory}"
            );
        }
    }
}
