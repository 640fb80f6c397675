//! Traffic with storage: of processes from `/proc/PID/io`, of the machine from its disks.

use super::collector::{Collector, Scan};
use super::counters::Counter;
use super::disks::Disks;
use super::level::Level;
use super::metric::{Metric, Unit, gauge, mebibytes_from_bytes};
use super::rate::Rate;

static METRICS: [Metric; 4] = [
    gauge(
        "io_read",
        Unit::MebibytesPerSecond,
        "data fetched from storage; reads served from memory are not counted",
    ),
    gauge(
        "io_write",
        Unit::MebibytesPerSecond,
        "data sent to storage, at the time of writing (processes) or of reaching the device (system level)",
    ),
    gauge(
        "io_read_count",
        Unit::PerSecond,
        "reading system calls on files of any kind (processes) or reads completed by disks (system level)",
    ),
    gauge(
        "io_write_count",
        Unit::PerSecond,
        "writing system calls on files of any kind (processes) or writes completed by disks (system level)",
    ),
];

/// Fills `io_read`, `io_write`, `io_read_count` and `io_write_count`.
///
/// The names are JUmPER's, the numbers differ on purpose: JUmPER divides totals since the start by the interval,
/// here it is what was added within the interval.
#[derive(Debug)]
pub(super) struct Io {
    disks: Disks,
    rates: [[Rate; 4]; Level::ALL.len()],
}

impl Io {
    pub(super) fn new(scan: &Scan) -> Self {
        Self {
            disks: Disks::new(scan.roots()),
            rates: Default::default(),
        }
    }
}

impl Collector for Io {
    fn metrics(&self) -> &[Metric] {
        &METRICS
    }

    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
        let totals = match level {
            Level::System => match self.disks.read() {
                Some(totals) => totals.map(Some),
                None => return,
            },
            _ if !scan.has_processes(level) || scan.is_empty(level) => return,
            _ => [
                Counter::ReadBytes,
                Counter::WriteBytes,
                Counter::ReadCalls,
                Counter::WriteCalls,
            ]
            .map(|counter| scan.processes().total(level, counter)),
        };
        let rates = &mut self.rates[level as usize];
        for ((value, rate), total) in values.iter_mut().zip(rates).zip(totals) {
            *value = rate.per_second(scan.time(), total);
        }
        for bytes in &mut values[..2] {
            *bytes = bytes.map(mebibytes_from_bytes);
        }
    }
}
