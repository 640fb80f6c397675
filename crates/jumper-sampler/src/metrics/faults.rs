//! Page faults: memory that programs found not to be there yet, or no longer.

use super::collector::{Collector, Scan};
use super::counters::Counter;
use super::kept::KeptFile;
use super::level::Level;
use super::metric::{Metric, Unit, gauge};
use super::procfs::value_of;
use super::rate::Rate;

static METRICS: [Metric; 2] = [
    gauge(
        "page_faults_minor",
        Unit::PerSecond,
        "page faults that took no reading from storage",
    ),
    gauge(
        "page_faults_major",
        Unit::PerSecond,
        "page faults that waited for storage",
    ),
];

/// Fills `page_faults_minor` and `page_faults_major`.
#[derive(Debug)]
pub(super) struct Faults {
    vmstat: KeptFile,
    rates: [[Rate; 2]; Level::ALL.len()],
}

impl Faults {
    pub(super) fn new(scan: &Scan) -> Self {
        Self {
            vmstat: KeptFile::new(scan.roots().proc("vmstat")),
            rates: Default::default(),
        }
    }

    fn of_machine(&mut self) -> [Option<u64>; 2] {
        let vmstat = self.vmstat.text();
        let counter = |key| value_of(vmstat?, key);
        let major = counter("pgmajfault ");
        // There, all faults are counted together.
        let minor = counter("pgfault ")
            .zip(major)
            .map(|(all, major)| all.saturating_sub(major));
        [minor, major]
    }
}

impl Collector for Faults {
    fn metrics(&self) -> &[Metric] {
        &METRICS
    }

    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
        let total = |counter| scan.processes().total(level, counter);
        let totals = match level {
            Level::System => self.of_machine(),
            _ if !scan.has_processes(level) || scan.is_empty(level) => return,
            _ => [total(Counter::MinorFaults), total(Counter::MajorFaults)],
        };
        let rates = &mut self.rates[level as usize];
        for ((value, rate), total) in values.iter_mut().zip(rates).zip(totals) {
            *value = rate.per_second(scan.time(), total);
        }
    }
}
