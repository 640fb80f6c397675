//! GPUs: NVIDIA's through the library of their driver, AMD's through files of the kernel, both in one numbering.
//!
//! A machine without a GPU pays for one look. A driver may take a second to start, and one that is broken may never
//! answer: GPUs are a [`Source`], and their columns are there as soon as they are found.
//!
//! | file | what it does |
//! | --- | --- |
//! | `driver` | what both makers have in common |
//! | `nvml` | NVIDIA |
//! | `numbering` | whose numbers of processes NVIDIA's driver uses |
//! | `amd`, `fdinfo` | AMD: the devices, and the processes that use them |
//! | `reading` | what was read of one GPU |
//! | `columns` | from readings to columns |

mod amd;
mod columns;
mod driver;
mod fdinfo;
mod numbering;
mod nvml;
mod reading;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use super::level::Level;
use super::metric::Metric;
use super::source::{Answer, Question, Source, SourceError};
use crate::{Timestamp, without_signals};
use amd::Amd;
use columns::Columns;
use driver::Driver;
use nvml::Nvidia;
pub use reading::GpuInfo;
use reading::{Processes, Reading};

/// The GPUs of this machine, by NVIDIA and AMD, in the order in which metrics number them. A driver that has not answered
/// within `limit` is an error that says so.
///
/// # Errors
/// In words for people, where GPUs may be there and cannot be asked.
pub fn gpus(limit: Duration) -> Result<Vec<GpuInfo>, String> {
    let (tell, told) = mpsc::channel();
    let thread = std::thread::Builder::new().name("jumper-gpus".into());
    let look = move || {
        let (drivers, error) = find();
        let _ = tell.send((infos(&drivers), error));
    };
    without_signals(|| thread.spawn(look))
        .map_err(|error| format!("cannot start a thread to look for GPUs: {error}"))?;
    match told.recv_timeout(limit) {
        Ok((gpus, None)) => Ok(gpus),
        Ok((gpus, Some(error))) if gpus.is_empty() => Err(error),
        Ok((gpus, Some(_))) => Ok(gpus),
        Err(_) => Err(format!(
            "no driver of a GPU has answered within {} s",
            limit.as_secs_f64()
        )),
    }
}

type Drivers = Vec<Box<dyn Driver>>;
type Find = Box<dyn FnOnce() -> (Drivers, Option<String>) + Send>;

/// Those that are there, and why there may be more.
fn find() -> (Drivers, Option<String>) {
    let (nvidia, error) = match Nvidia::find() {
        Ok(nvidia) => (nvidia, None),
        Err(error) => (None, Some(error)),
    };
    let mut drivers: Drivers = Vec::new();
    drivers.extend(nvidia.map(|driver| Box::new(driver) as Box<dyn Driver>));
    drivers.extend(Amd::find().map(|driver| Box::new(driver) as Box<dyn Driver>));
    (drivers, error)
}

fn infos(drivers: &Drivers) -> Vec<GpuInfo> {
    drivers
        .iter()
        .flat_map(|driver| driver.gpus().to_vec())
        .collect()
}

/// The GPUs that were found, for whoever wants to know; empty until then.
#[derive(Clone, Debug, Default)]
pub(super) struct Found(Arc<OnceLock<Vec<GpuInfo>>>);

impl Found {
    pub(super) fn get(&self) -> &[GpuInfo] {
        self.0.get().map_or(&[], Vec::as_slice)
    }
}

/// Who uses a GPU is looked at no more often than this: it is the driver's own beat, and means looking at every open file.
const PROCESSES_EVERY: Duration = Duration::from_secs(1);

/// The source of all metrics of GPUs.
pub(super) struct Gpus {
    /// Gone once it was asked.
    find: Option<Find>,
    drivers: Drivers,
    columns: Columns,
    readings: Vec<Reading>,
    /// When processes were looked at last, and what was seen, for each GPU.
    processes: Option<(Timestamp, Vec<Processes>)>,
    found: Found,
}

impl Gpus {
    /// Looks for GPUs when it is asked first.
    pub(super) fn new() -> Self {
        Self::found_by(find)
    }

    fn found_by(find: impl FnOnce() -> (Drivers, Option<String>) + Send + 'static) -> Self {
        Self {
            find: Some(Box::new(find)),
            drivers: Drivers::new(),
            columns: Columns::default(),
            readings: Vec::new(),
            processes: None,
            found: Found::default(),
        }
    }

    /// What is found, when it is.
    pub(super) fn found(&self) -> Found {
        self.found.clone()
    }

    /// Finds them, the first time.
    fn look(&mut self) -> Result<(), SourceError> {
        let Some(find) = self.find.take() else {
            return Ok(());
        };
        let (drivers, error) = find();
        let gpus = infos(&drivers);
        self.columns = Columns::of(gpus.len());
        let _ = self.found.0.set(gpus);
        self.drivers = drivers;
        error.map_or(Ok(()), |error| Err(SourceError::Failed(error)))
    }
}

impl Source for Gpus {
    fn name(&self) -> &str {
        "the use of GPUs"
    }

    fn metrics(&self) -> &[Metric] {
        self.columns.metrics()
    }

    fn read(&mut self, question: &Question, answer: &mut Answer) -> Result<(), SourceError> {
        self.look()?;
        if self.drivers.is_empty() {
            return Err(SourceError::Absent);
        }
        let time = question.time();
        let is_due = self
            .processes
            .as_ref()
            .is_none_or(|(last, _)| time.saturating_duration_since(*last) >= PROCESSES_EVERY);
        let mut pids: Vec<u32> = Vec::new();
        if is_due {
            let levels = Level::ALL
                .into_iter()
                .filter(|&level| level != Level::System);
            pids.extend(levels.filter_map(|level| question.pids(level)).flatten());
            pids.sort_unstable();
            pids.dedup();
        }
        self.readings.clear();
        for driver in &mut self.drivers {
            driver.read(is_due.then_some(&pids), &mut self.readings);
        }
        if is_due {
            let seen = self
                .readings
                .iter_mut()
                .map(|reading| std::mem::take(&mut reading.processes));
            self.processes = Some((time, seen.collect()));
        }
        self.columns.begin(&self.readings);
        let processes = self.processes.as_ref().map_or(&[][..], |(_, seen)| seen);
        for level in Level::ALL {
            let values = answer.level(level);
            match question.pids(level) {
                _ if level == Level::System => self.columns.machine(&self.readings, values),
                Some(pids) => {
                    let shares = processes.iter().map(|processes| processes.share_of(pids));
                    self.columns.processes(shares, values);
                }
                None => {}
            }
        }
        Ok(())
    }
}
