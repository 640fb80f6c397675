//! How fast the processors run.

use std::time::Duration;

use super::collector::{Collector, Scan};
use super::kept::KeptFile;
use super::level::Level;
use super::metric::{Metric, Unit, gauge};
use crate::Timestamp;

/// Asking a processor for its frequency may wake it.
const BEAT: Duration = Duration::from_secs(5);

/// Fills `cpu_freq_avg`, `cpu_freq_min` and `cpu_freq_max` from what the driver says (`cpufreq`), or failing that
/// `/proc/cpuinfo`. A virtual machine says what it was told when it started.
#[derive(Debug)]
pub(super) struct Frequency {
    metrics: [Metric; 3],
    processors: Vec<KeptFile>,
    cpuinfo: KeptFile,
    read_at: Option<Timestamp>,
    last: [Option<f64>; 3],
}

impl Frequency {
    pub(super) fn new(scan: &Scan) -> Self {
        let mut processors = Vec::new();
        loop {
            let name = format!(
                "devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq",
                processors.len()
            );
            let path = scan.roots().sys(&name);
            if !path.exists() {
                break;
            }
            processors.push(KeptFile::new(path));
        }
        let metric = |name, help| gauge(name, Unit::Megahertz, help).with_beat(BEAT);
        Self {
            metrics: [
                metric(
                    "cpu_freq_avg",
                    "frequency of the processors, their mean (system level only)",
                ),
                metric(
                    "cpu_freq_min",
                    "frequency of the slowest processor (system level only)",
                ),
                metric(
                    "cpu_freq_max",
                    "frequency of the fastest processor (system level only)",
                ),
            ],
            processors,
            cpuinfo: KeptFile::of_records(scan.roots().proc("cpuinfo")),
            read_at: None,
            last: [None; 3],
        }
    }

    fn read(&mut self) -> [Option<f64>; 3] {
        let mut summary = Summary::default();
        for file in &mut self.processors {
            if let Some(kilohertz) = file.text().and_then(|text| text.trim().parse::<f64>().ok()) {
                summary.add(kilohertz / 1e3);
            }
        }
        if self.processors.is_empty()
            && let Some(text) = self.cpuinfo.text()
        {
            let lines = text.lines().filter_map(|line| line.strip_prefix("cpu MHz"));
            lines
                .filter_map(|line| line.split_once(':')?.1.trim().parse().ok())
                .for_each(|megahertz| summary.add(megahertz));
        }
        summary.values()
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Summary {
    count: u32,
    sum: f64,
    least: f64,
    most: f64,
}

impl Summary {
    fn add(&mut self, value: f64) {
        self.least = match self.count {
            0 => value,
            _ => self.least.min(value),
        };
        self.most = self.most.max(value);
        self.sum += value;
        self.count += 1;
    }

    fn values(self) -> [Option<f64>; 3] {
        match self.count {
            0 => [None; 3],
            count => [self.sum / f64::from(count), self.least, self.most].map(Some),
        }
    }
}

impl Collector for Frequency {
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
            self.last = self.read();
        }
        values.copy_from_slice(&self.last);
    }
}
