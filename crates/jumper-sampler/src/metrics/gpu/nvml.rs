//! NVIDIA's GPUs, by the library that comes with their driver (NVML).
//!
//! The library is loaded when a recording starts. Without it, or without a driver, there are no GPUs here.
//!
//! NVML says of each value whether it has it, and a value that it does not have is unknown. Two it would get wrong:
//! - **MIG.** A GPU that is cut into instances has no utilisation of its own. Some drivers say so, others say 0.
//! - **Numbers of processes** are those of the machine, not those of a container: see [`Numbering`].

use std::collections::HashMap;
use std::ffi::OsStr;
use std::time::{Duration, Instant};

use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use super::driver::Driver;
use super::numbering::Numbering;
use super::reading::{Busy, GpuInfo, Processes, Reading, Throttle};

/// What the dynamic linker looks for. The name without a number belongs to packages for development.
const LIBRARY: &str = "libnvidia-ml.so.1";

/// For so long what the driver last said of a process that was busy stands. It says something new every 1/6 s to 1 s.
const BUSY_FOR: Duration = Duration::from_secs(1);

/// The GPUs of NVIDIA.
pub(super) struct Nvidia {
    nvml: Nvml,
    gpus: Vec<GpuInfo>,
    /// What was read last of busy processes, for each GPU.
    busy: Vec<BusyProcesses>,
    numbering: Numbering,
}

impl Nvidia {
    /// Loads the library and looks for GPUs. `None` where there are none; an error where there is a driver that cannot be asked.
    pub(super) fn find() -> Result<Option<Self>, String> {
        Self::find_with(OsStr::new(LIBRARY), Numbering::here())
    }

    /// The same with another library.
    pub(super) fn find_with(library: &OsStr, numbering: Numbering) -> Result<Option<Self>, String> {
        let nvml = match Nvml::builder().lib_path(library).init() {
            Ok(nvml) => nvml,
            // No library, or one that is left over: the machine has no such GPU.
            Err(
                NvmlError::LibloadingError(_)
                | NvmlError::FailedToLoadSymbol(_)
                | NvmlError::DriverNotLoaded
                | NvmlError::LibraryNotFound,
            ) => return Ok(None),
            Err(error) => return Err(format!("NVIDIA's driver cannot be asked: {error}")),
        };
        let count = nvml.device_count();
        let count = count.map_err(|error| format!("NVIDIA's driver cannot be asked: {error}"))?;
        let gpus: Vec<GpuInfo> = (0..count).map(|index| info(&nvml, index)).collect();
        if gpus.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            busy: gpus.iter().map(|_| BusyProcesses::default()).collect(),
            nvml,
            gpus,
            numbering,
        }))
    }
}

/// A GPU that cannot be asked keeps its number.
fn info(nvml: &Nvml, index: u32) -> GpuInfo {
    let Ok(device) = nvml.device_by_index(index) else {
        return GpuInfo {
            name: "NVIDIA GPU".into(),
            memory_bytes: None,
        };
    };
    GpuInfo {
        name: device.name().unwrap_or_else(|_| "NVIDIA GPU".into()),
        memory_bytes: device.memory_info().ok().map(|memory| memory.total),
    }
}

impl Driver for Nvidia {
    fn gpus(&self) -> &[GpuInfo] {
        &self.gpus
    }

    fn read(&mut self, pids: Option<&[u32]>, readings: &mut Vec<Reading>) {
        for (index, busy) in (0..).zip(&mut self.busy) {
            // A device that has fallen off the bus may not even be found any more.
            let reading = self.nvml.device_by_index(index).map_or_else(
                |_| Reading::default(),
                |device| read(&device, busy, &self.numbering, pids),
            );
            readings.push(reading);
        }
    }
}

fn read(
    device: &Device<'_>,
    busy: &mut BusyProcesses,
    numbering: &Numbering,
    pids: Option<&[u32]>,
) -> Reading {
    let instances = Instances::of(device);
    let rates = match instances {
        Instances::None => device.utilization_rates().ok(),
        _ => None,
    };
    let megahertz = |clock| device.clock_info(clock).ok().map(f64::from);
    let processes = pids.map(|pids| {
        let busy = match instances {
            Instances::None => busy.refresh(device),
            _ => None,
        };
        let memory = instances.memory_of_processes(device);
        numbering.ours(
            Processes {
                memory,
                busy: busy.cloned(),
            },
            pids,
        )
    });
    Reading {
        util: rates.as_ref().map(|rates| rates.gpu.into()),
        band: rates.as_ref().map(|rates| rates.memory.into()),
        memory: instances.memory(device),
        power: device
            .power_usage()
            .ok()
            .map(|milliwatts| f64::from(milliwatts) / 1e3),
        temperature: device
            .temperature(TemperatureSensor::Gpu)
            .ok()
            .map(f64::from),
        clock: megahertz(Clock::SM),
        memory_clock: megahertz(Clock::Memory),
        throttle: device.current_throttle_reasons().ok().map(throttle),
        energy: device
            .total_energy_consumption()
            .ok()
            .map(|millijoules| millijoules as f64 / 1e3),
        processes: processes.unwrap_or_default(),
    }
}

/// The parts that a GPU is cut into.
enum Instances<'nvml> {
    None,
    Known(Vec<Device<'nvml>>),
    /// There are some, and they cannot all be asked.
    Unknown,
}

impl<'nvml> Instances<'nvml> {
    fn of(device: &Device<'nvml>) -> Self {
        const ENABLED: u32 = 1;
        match device.mig_mode() {
            Ok(mode) if mode.current == ENABLED => Self::list(device).unwrap_or(Self::Unknown),
            Ok(_) | Err(NvmlError::NotSupported | NvmlError::FailedToLoadSymbol(_)) => Self::None,
            Err(_) => Self::Unknown,
        }
    }

    fn list(device: &Device<'nvml>) -> Option<Self> {
        let mut found = Vec::new();
        for index in 0..device.mig_device_count().ok()? {
            match device.mig_device_by_index(index) {
                Ok(instance) => found.push(instance),
                // Their numbers have gaps.
                Err(NvmlError::NotFound | NvmlError::InvalidArg) => {}
                Err(_) => return None,
            }
        }
        Some(Self::Known(found))
    }

    /// The device's memory. Within a container only its parts may say.
    fn memory(&self, device: &Device<'_>) -> Option<u64> {
        let used = |device: &Device<'_>| device.memory_info().ok().map(|memory| memory.used);
        match self {
            Self::Known(parts) => used(device).or_else(|| parts.iter().map(used).sum()),
            _ => used(device),
        }
    }

    fn memory_of_processes(&self, device: &Device<'_>) -> Option<HashMap<u32, Option<u64>>> {
        match self {
            Self::None => memory_of_processes([device]),
            Self::Known(parts) => memory_of_processes(parts),
            Self::Unknown => None,
        }
    }
}

/// Compute and graphics: a process may be in both lists, with the same amount.
fn memory_of_processes<'a, 'nvml: 'a>(
    devices: impl IntoIterator<Item = &'a Device<'nvml>>,
) -> Option<HashMap<u32, Option<u64>>> {
    let mut all: HashMap<u32, Option<u64>> = HashMap::new();
    for device in devices {
        let mut here: HashMap<u32, Option<u64>> = HashMap::new();
        let graphics = match device.running_graphics_processes() {
            Err(NvmlError::NotSupported) => Vec::new(),
            processes => processes.ok()?,
        };
        for process in device
            .running_compute_processes()
            .ok()?
            .into_iter()
            .chain(graphics)
        {
            let used = match process.used_gpu_memory {
                UsedGpuMemory::Used(bytes) => Some(bytes),
                UsedGpuMemory::Unavailable => None,
            };
            let known = here.entry(process.pid).or_insert(used);
            *known = known.zip(used).map(|(one, other)| one.max(other));
        }
        for (pid, used) in here {
            let sum = all.entry(pid).or_insert(Some(0));
            *sum = sum.zip(used).map(|(sum, used)| sum.saturating_add(used));
        }
    }
    Some(all)
}

/// What the driver last said of the processes that were busy on a GPU.
///
/// It samples by itself and hands out what is newer than a time of its own clock. From what it had before the first look only
/// that time is taken: it may be old.
#[derive(Debug, Default)]
struct BusyProcesses {
    newest: Option<u64>,
    heard: Option<Instant>,
    processes: HashMap<u32, Option<Busy>>,
}

impl BusyProcesses {
    fn refresh(&mut self, device: &Device<'_>) -> Option<&HashMap<u32, Option<Busy>>> {
        let samples = match device.process_utilization_stats(self.newest.unwrap_or(0)) {
            Ok(samples) => samples,
            // Nobody was busy since.
            Err(NvmlError::NotFound) => Vec::new(),
            Err(_) => return None,
        };
        let is_first = self.newest.is_none();
        let newest = samples.iter().map(|sample| sample.timestamp).max();
        self.newest = Some(newest.unwrap_or(0).max(self.newest.unwrap_or(0)));
        if is_first {
            self.heard = Some(Instant::now());
            return None;
        }
        if !samples.is_empty() {
            let mut sums: HashMap<u32, (f64, f64, f64)> = HashMap::new();
            for sample in &samples {
                let sum = sums.entry(sample.pid).or_default();
                *sum = (
                    sum.0 + 1.0,
                    sum.1 + f64::from(sample.sm_util.min(100)),
                    sum.2 + f64::from(sample.mem_util.min(100)),
                );
            }
            let mean = |(count, util, band)| {
                Some(Busy {
                    util: util / count,
                    band: Some(band / count),
                })
            };
            self.processes = sums
                .into_iter()
                .map(|(pid, sums)| (pid, mean(sums)))
                .collect();
            self.heard = Some(Instant::now());
        } else if self.heard.is_none_or(|heard| heard.elapsed() > BUSY_FOR) {
            self.processes.clear();
        }
        Some(&self.processes)
    }
}

fn throttle(reasons: ThrottleReasons) -> Throttle {
    let power = ThrottleReasons::SW_POWER_CAP | ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN;
    let thermal = ThrottleReasons::SW_THERMAL_SLOWDOWN | ThrottleReasons::HW_THERMAL_SLOWDOWN;
    // A hardware slowdown is also reported by itself beside its cause.
    let caused = ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN | ThrottleReasons::HW_THERMAL_SLOWDOWN;
    let mut rest = reasons - power - thermal - ThrottleReasons::GPU_IDLE;
    if reasons.intersects(caused) {
        rest -= ThrottleReasons::HW_SLOWDOWN;
    }
    Throttle {
        power: reasons.intersects(power),
        thermal: reasons.intersects(thermal),
        other: !rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_apart_and_idleness_is_none() {
        let of = |reasons| {
            let Throttle {
                power,
                thermal,
                other,
            } = throttle(reasons);
            (power, thermal, other)
        };
        assert_eq!(of(ThrottleReasons::GPU_IDLE), (false, false, false));
        assert_eq!(of(ThrottleReasons::SW_POWER_CAP), (true, false, false));
        assert_eq!(
            of(ThrottleReasons::HW_SLOWDOWN | ThrottleReasons::HW_THERMAL_SLOWDOWN),
            (false, true, false)
        );
        assert_eq!(of(ThrottleReasons::HW_SLOWDOWN), (false, false, true));
        assert_eq!(
            of(ThrottleReasons::APPLICATIONS_CLOCKS_SETTING),
            (false, false, true)
        );
    }
}
