//! Who uses a GPU, by what the kernel tells of open files (`/proc/PID/fdinfo`, Linux's drm-usage-stats.rst).
//!
//! A *client* is one opening of a device. It may stand behind several descriptors, and in several processes after a fork; it is
//! counted once, for the first process that has it.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::reading::{Busy, Processes};
use crate::Timestamp;

/// The driver that is asked for.
const DRIVER: &str = "amdgpu";

/// The clients of all GPUs of one driver.
#[derive(Debug)]
pub(super) struct Clients {
    proc: PathBuf,
    time: Option<Timestamp>,
    /// What each client's engines had worked when it was looked at last, in nanoseconds.
    worked: HashMap<ClientId, u64>,
    uses: Vec<Use>,
    /// Of whom nothing is known.
    hidden: Vec<u32>,
    /// Who computes past the clients, with ROCm: their work is in no engine's time.
    elsewhere: Vec<u32>,
}

type ClientId = (String, u64);

/// One process's use of one GPU.
#[derive(Debug)]
struct Use {
    pid: u32,
    slot: String,
    memory: Option<u64>,
    util: Option<f64>,
}

/// What one descriptor says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct FdInfo {
    slot: String,
    client: u64,
    /// Nanoseconds in which any of its engines worked.
    worked: u64,
    /// In bytes.
    memory: Option<u64>,
}

impl Clients {
    pub(super) fn below(proc: &Path) -> Self {
        Self {
            proc: proc.into(),
            time: None,
            worked: HashMap::new(),
            uses: Vec::new(),
            hidden: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    /// Looks at what `pids` have open.
    pub(super) fn refresh(&mut self, pids: &[u32]) {
        self.refresh_at(pids, Timestamp::now());
    }

    fn refresh_at(&mut self, pids: &[u32], now: Timestamp) {
        let elapsed = self
            .time
            .map(|before| now.saturating_duration_since(before));
        let elapsed = elapsed
            .map(|elapsed| elapsed.as_nanos() as f64)
            .filter(|&elapsed| elapsed > 0.0);
        let mut worked = HashMap::new();
        let mut seen = HashSet::new();
        self.uses.clear();
        self.hidden.clear();
        self.elsewhere.clear();
        for &pid in pids {
            let Some(open) = self.open_devices(pid) else {
                self.hidden.push(pid);
                continue;
            };
            for info in open {
                let id = (info.slot.clone(), info.client);
                if !seen.insert(id.clone()) {
                    continue;
                }
                // A client that is new began within the interval.
                let before = self.worked.get(&id).copied().unwrap_or(0);
                let util = elapsed.map(|elapsed| {
                    let busy = info.worked.saturating_sub(before) as f64 / elapsed;
                    (100.0 * busy).min(100.0)
                });
                worked.insert(id, info.worked);
                self.uses.push(Use {
                    pid,
                    slot: info.slot,
                    memory: info.memory,
                    util,
                });
            }
        }
        self.worked = worked;
        self.time = Some(now);
    }

    /// What its descriptors say; `None` where they may not be seen. A process that is gone has none.
    fn open_devices(&mut self, pid: u32) -> Option<Vec<FdInfo>> {
        let process = self.proc.join(pid.to_string());
        let files = match fs::read_dir(process.join("fd")) {
            Ok(files) => files,
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) => {
                return Some(Vec::new());
            }
            Err(_) => return None,
        };
        let mut open = Vec::new();
        for file in files.flatten() {
            let target = fs::read_link(file.path()).unwrap_or_default();
            if target == Path::new("/dev/kfd") {
                self.elsewhere.push(pid);
            }
            if target.starts_with("/dev/dri") {
                let info = fs::read_to_string(process.join("fdinfo").join(file.file_name()));
                open.extend(info.ok().as_deref().and_then(FdInfo::parse));
            }
        }
        Some(open)
    }

    /// What processes use of the GPU in this slot.
    pub(super) fn of(&self, slot: &str) -> Processes {
        let mut memory: HashMap<u32, Option<u64>> = HashMap::new();
        let mut busy: HashMap<u32, Option<Busy>> = HashMap::new();
        for used in self.uses.iter().filter(|used| used.slot == slot) {
            let sum = memory.entry(used.pid).or_insert(Some(0));
            *sum = sum
                .zip(used.memory)
                .map(|(sum, more)| sum.saturating_add(more));
            let sum = busy.entry(used.pid).or_insert(Some(Busy {
                util: 0.0,
                band: None,
            }));
            *sum = sum.zip(used.util).map(|(sum, more)| Busy {
                util: sum.util + more,
                ..sum
            });
        }
        memory.extend(self.hidden.iter().map(|&pid| (pid, None)));
        busy.extend(
            self.hidden
                .iter()
                .chain(&self.elsewhere)
                .map(|&pid| (pid, None)),
        );
        Processes {
            memory: Some(memory),
            busy: Some(busy),
        }
    }
}

impl FdInfo {
    /// `None` where the file is no client of the driver.
    fn parse(text: &str) -> Option<Self> {
        let mut info = Self::default();
        let (mut driver, mut client) = (None, None);
        let (mut resident, mut older) = (None, None);
        for line in text.lines() {
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            match key {
                "drm-driver" => driver = Some(value),
                "drm-pdev" => value.clone_into(&mut info.slot),
                "drm-client-id" => client = value.parse().ok(),
                "drm-resident-vram" => resident = bytes(value),
                // Before Linux 6.13.
                "drm-memory-vram" => older = bytes(value),
                _ if key.starts_with("drm-engine-") && !key.starts_with("drm-engine-capacity-") => {
                    info.worked = info.worked.saturating_add(nanoseconds(value)?);
                }
                _ => {}
            }
        }
        info.client = client?;
        info.memory = resident.or(older);
        (driver == Some(DRIVER)).then_some(info)
    }
}

/// `1234 ns`.
fn nanoseconds(value: &str) -> Option<u64> {
    value.strip_suffix(" ns")?.parse().ok()
}

/// `12 KiB`, `3 MiB`, or a number of bytes.
fn bytes(value: &str) -> Option<u64> {
    let (number, unit) = value.split_once(' ').unwrap_or((value, ""));
    let scale = match unit {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(scale)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use super::*;

    const SLOT: &str = "0000:03:00.0";

    fn info(client: u64, worked: u64, memory: u64) -> String {
        format!(
            "pos:\t0\nflags:\t02100002\nmnt_id:\t26\ndrm-driver:\tamdgpu\ndrm-client-id:\t{client}\ndrm-pdev:\t{SLOT}\n\
             pasid:\t32771\ndrm-memory-vram:\t{memory} KiB\ndrm-memory-gtt:\t2048 KiB\ndrm-engine-gfx:\t{worked} ns\n\
             drm-engine-compute:\t0 ns\ndrm-engine-capacity-gfx:\t2\n"
        )
    }

    /// Gives a process descriptor `fd` of a render node.
    fn open(proc: &Path, pid: u32, fd: u32, target: &str, text: &str) {
        let process = proc.join(pid.to_string());
        for directory in ["fd", "fdinfo"] {
            fs::create_dir_all(process.join(directory)).expect("it can be made");
        }
        let _ = symlink(target, process.join(format!("fd/{fd}")));
        fs::write(process.join(format!("fdinfo/{fd}")), text).expect("it can be written");
    }

    #[test]
    fn work_is_a_share_of_the_time_and_each_client_counts_once() {
        let proc = tempfile::tempdir().expect("a temporary directory");
        let node = "/dev/dri/renderD128";
        let set = |worked: u64| {
            for (pid, fd) in [(7, 3), (7, 4), (8, 5)] {
                open(proc.path(), pid, fd, node, &info(1, worked, 1024));
            }
            open(proc.path(), 8, 6, node, &info(2, worked / 2, 512));
            open(proc.path(), 9, 0, "/dev/null", "pos:\t0\n");
        };
        let mut clients = Clients::below(proc.path());
        let start = Timestamp::from_nanos(5_000_000_000);
        set(9_000_000_000);
        clients.refresh_at(&[7, 8, 9], start);
        assert_eq!(
            clients.of(SLOT).busy.expect("it is known")[&7],
            None,
            "no rate yet"
        );
        set(9_400_000_000);
        clients.refresh_at(&[7, 8, 9], start.after(Duration::from_secs(1)));
        let processes = clients.of(SLOT);
        let busy = processes.busy.expect("it is known");
        let util = |pid| {
            busy.get(&pid)
                .map(|busy: &Option<Busy>| busy.expect("it is known").util)
        };
        assert_eq!((util(7), util(8), util(9)), (Some(40.0), Some(20.0), None));
        let memory = processes.memory.expect("it is known");
        assert_eq!((memory[&7], memory[&8]), (Some(1 << 20), Some(1 << 19)));
        assert_eq!(clients.of("0000:04:00.0").memory, Some(HashMap::new()));
    }

    #[test]
    fn who_computes_with_rocm_is_busy_in_an_unknown_way() {
        let proc = tempfile::tempdir().expect("a temporary directory");
        open(proc.path(), 7, 3, "/dev/dri/renderD128", &info(1, 5, 1024));
        open(proc.path(), 7, 4, "/dev/kfd", "");
        let mut clients = Clients::below(proc.path());
        for second in 1..3 {
            clients.refresh_at(&[7], Timestamp::from_nanos(second * 1_000_000_000));
        }
        let processes = clients.of(SLOT);
        assert_eq!(processes.busy.expect("it is known")[&7], None);
        assert_eq!(processes.memory.expect("it is known")[&7], Some(1 << 20));
    }

    #[test]
    fn newer_kernels_and_other_drivers_are_told_apart() {
        let newer = "drm-driver:\tamdgpu\ndrm-client-id:\t3\ndrm-pdev:\t0000:03:00.0\n\
                     drm-total-vram:\t9 MiB\ndrm-resident-vram:\t3 MiB\ndrm-memory-vram:\t1 KiB\n";
        assert_eq!(
            FdInfo::parse(newer).expect("a client").memory,
            Some(3 << 20)
        );
        assert_eq!(FdInfo::parse(&newer.replace("amdgpu", "i915")), None);
        assert_eq!(FdInfo::parse("pos:\t0\n"), None);
        assert_eq!(bytes("99999999999999999999 KiB"), None);
        assert_eq!(bytes("18446744073709551615 KiB"), None);
    }
}
