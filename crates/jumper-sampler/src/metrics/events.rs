//! What the kernel did for programs: page faults, and switches from one thread to another.

use super::collector::{Collector, Scan};
use super::counters::Counter;
use super::kept::KeptFile;
use super::level::Level;
use super::metric::{Metric, Unit, gauge};
use super::procfs::value_of;
use super::rate::Rate;

static METRICS: [Metric; 3] = [
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
    gauge(
        "ctx_switches",
        Unit::PerSecond,
        "switches of processors from one thread to another (system level only: the kernel forgets those of threads that \
         have ended)",
    ),
];

/// Fills the three of them.
#[derive(Debug)]
pub(super) struct Events {
    vmstat: KeptFile,
    stat: KeptFile,
    rates: [[Rate; 3]; Level::ALL.len()],
}

impl Events {
    pub(super) fn new(scan: &Scan) -> Self {
        Self {
            vmstat: KeptFile::new(scan.roots().proc("vmstat")),
            stat: KeptFile::new(scan.roots().proc("stat")),
            rates: Default::default(),
        }
    }

    fn of_machine(&mut self) -> [Option<u64>; 3] {
        let vmstat = self.vmstat.text();
        let counter = |key| value_of(vmstat?, key);
        let major = counter("pgmajfault ");
        // There, all faults are counted together.
        let minor = counter("pgfault ")
            .zip(major)
            .map(|(all, major)| all.saturating_sub(major));
        let switches = self.stat.text().and_then(|text| value_of(text, "ctxt "));
        [minor, major, switches]
    }
}

impl Collector for Events {
    fn metrics(&self) -> &[Metric] {
        &METRICS
    }

    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
        let total = |counter| scan.processes().total(level, counter);
        let totals = match level {
            Level::System => self.of_machine(),
            _ if !scan.has_processes(level) || scan.is_empty(level) => return,
            _ => [
                total(Counter::MinorFaults),
                total(Counter::MajorFaults),
                None,
            ],
        };
        let rates = &mut self.rates[level as usize];
        for ((value, rate), total) in values.iter_mut().zip(rates).zip(totals) {
            *value = rate.per_second(scan.time(), total);
        }
    }
}
