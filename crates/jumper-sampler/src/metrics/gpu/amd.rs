//! AMD's GPUs, by what the kernel's driver `amdgpu` tells in files: of a device below `/sys/class/drm`, of the processes
//! that use it in `/proc/PID/fdinfo` (Linux, Documentation/gpu/amdgpu and drm-usage-stats.rst).

use std::fs;
use std::path::{Path, PathBuf};

use super::driver::Driver;
use super::fdinfo::Clients;
use super::reading::{GpuInfo, Reading};

/// The maker's number on the PCI bus.
const VENDOR: &str = "0x1002";

/// The GPUs of AMD.
pub(super) struct Amd {
    cards: Vec<Card>,
    gpus: Vec<GpuInfo>,
    clients: Clients,
}

/// Where one GPU's files are.
struct Card {
    device: PathBuf,
    /// Its sensors; the kernel numbers them in the order in which it finds them.
    sensors: Option<PathBuf>,
    /// Its place on the PCI bus, such as `0000:03:00.0`.
    slot: String,
}

impl Amd {
    /// Looks for them. `None` where there are none.
    pub(super) fn find() -> Option<Self> {
        Self::find_below(Path::new("/sys/class/drm"), Path::new("/proc"))
    }

    /// The same below other directories.
    pub(super) fn find_below(drm: &Path, proc: &Path) -> Option<Self> {
        let mut numbers: Vec<u32> = fs::read_dir(drm)
            .into_iter()
            .flatten()
            .flatten()
            // Connectors are called `card0-DP-1`.
            .filter_map(|entry| {
                entry
                    .file_name()
                    .to_str()?
                    .strip_prefix("card")?
                    .parse()
                    .ok()
            })
            .collect();
        numbers.sort_unstable();
        let devices = numbers
            .into_iter()
            .map(|number| drm.join(format!("card{number}/device")));
        let cards: Vec<Card> = devices.filter_map(Card::open).collect();
        (!cards.is_empty()).then(|| Self {
            gpus: cards.iter().map(Card::info).collect(),
            cards,
            clients: Clients::below(proc),
        })
    }
}

impl Driver for Amd {
    fn gpus(&self) -> &[GpuInfo] {
        &self.gpus
    }

    fn read(&mut self, pids: Option<&[u32]>, readings: &mut Vec<Reading>) {
        if let Some(pids) = pids {
            self.clients.refresh(pids);
        }
        for card in &self.cards {
            readings.push(Reading {
                processes: pids
                    .map(|_| self.clients.of(&card.slot))
                    .unwrap_or_default(),
                ..card.read()
            });
        }
    }
}

impl Card {
    /// `None` where the device is another maker's, or another driver's, which tells nothing.
    fn open(device: PathBuf) -> Option<Self> {
        let is_amd = text(&device.join("vendor")).as_deref() == Some(VENDOR);
        let tells = device.join("mem_info_vram_total").exists();
        if !is_amd || !tells {
            return None;
        }
        let uevent = text(&device.join("uevent")).unwrap_or_default();
        let slot = uevent
            .lines()
            .find_map(|line| line.strip_prefix("PCI_SLOT_NAME="));
        let sensors = fs::read_dir(device.join("hwmon"))
            .into_iter()
            .flatten()
            .flatten();
        Some(Self {
            slot: slot.unwrap_or_default().to_owned(),
            sensors: sensors.map(|entry| entry.path()).min(),
            device,
        })
    }

    fn info(&self) -> GpuInfo {
        // Only cards for computers in racks have a name.
        let name = text(&self.device.join("product_name")).filter(|name| !name.is_empty());
        let number = || text(&self.device.join("device")).unwrap_or_default();
        GpuInfo {
            name: name.unwrap_or_else(|| format!("AMD GPU {}", number()).trim_end().to_owned()),
            memory_bytes: self.number("mem_info_vram_total"),
        }
    }

    fn read(&self) -> Reading {
        let percent = |name| self.number(name).map(|percent| percent as f64);
        let sensor = |names: &[&str], scale: f64| {
            let sensors = self.sensors.as_deref()?;
            let value = names.iter().find_map(|name| number(&sensors.join(name)));
            value.map(|value| value as f64 * scale)
        };
        Reading {
            util: percent("gpu_busy_percent"),
            band: percent("mem_busy_percent"),
            memory: self.number("mem_info_vram_used"),
            // Which of the two there is depends on the device.
            power: sensor(&["power1_average", "power1_input"], 1e-6),
            temperature: sensor(&["temp1_input"], 1e-3),
            clock: sensor(&["freq1_input"], 1e-6),
            memory_clock: sensor(&["freq2_input"], 1e-6),
            ..Reading::default()
        }
    }

    fn number(&self, name: &str) -> Option<u64> {
        number(&self.device.join(name))
    }
}

fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path)
        .ok()
        .map(|text| text.trim().to_owned())
}

fn number(path: &Path) -> Option<u64> {
    text(path)?.parse().ok()
}
