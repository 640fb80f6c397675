//! Traffic with storage, of the observed processes from `/proc/PID/io` and of the machine from its disks.

use super::collector::{Collector, Scan};
use super::disks::Disks;
use super::level::Level;
use super::metric::{Metric, Unit, gauge, mebibytes_from_bytes};
use super::rate::Rate;
use super::tree::Counter;

static METRICS: [Metric; 4] = [
    gauge(
        "io_read",
        Unit::MebibytesPerSecond,
        "data fetched from storage; reads served from memory are not counted",
    ),
    gauge(
        "io_write",
        Unit::MebibytesPerSecond,
        "data sent to storage, at the time of writing (process level) or of reaching the device (system level)",
    ),
    gauge(
        "io_read_count",
        Unit::PerSecond,
        "reading system calls on files of any kind (process level) or reads completed by disks (system level)",
    ),
    gauge(
        "io_write_count",
        Unit::PerSecond,
        "writing system calls on files of any kind (process level) or writes completed by disks (system level)",
    ),
];

/// Fills `io_read`, `io_write`, `io_read_count` and `io_write_count`.
///
/// The names are JUmPER's, the numbers differ on purpose: JUmPER divides totals since the start by the interval,
/// here it is what was added within the interval.
#[derive(Debug, Default)]
pub(super) struct Io {
    disks: Disks,
    tree_rates: [Rate; 4],
    machine_rates: [Rate; 4],
}

impl Collector for Io {
    fn metrics(&self) -> &[Metric] {
        &METRICS
    }

    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
        let (totals, rates) = match level {
            Level::Process if scan.is_empty() => return,
            Level::Process => (tree_totals(scan), &mut self.tree_rates),
            Level::System => (
                self.disks
                    .read()
                    .map_or([None; 4], |totals| totals.map(Some)),
                &mut self.machine_rates,
            ),
            _ => return,
        };
        for ((value, rate), total) in values.iter_mut().zip(rates).zip(totals) {
            *value = rate.per_second(scan.time(), total);
        }
        for bytes in &mut values[..2] {
            *bytes = bytes.map(mebibytes_from_bytes);
        }
    }
}

/// Totals in the order of the metrics.
fn tree_totals(scan: &Scan) -> [Option<u64>; 4] {
    [
        Counter::ReadBytes,
        Counter::WriteBytes,
        Counter::ReadCalls,
        Counter::WriteCalls,
    ]
    .map(|counter| scan.tree().total(counter))
}
