//! Pressure: how long threads waited for a processor, for memory or for storage (PSI), of the machine and of control groups.

use super::cgroup::{Controller, Version};
use super::collector::{Collector, Scan};
use super::kept::KeptFile;
use super::level::Level;
use super::metric::{Metric, Unit, gauge};
use super::rate::Rate;

/// Share of the time in which `some` or all of the threads waited.
const fn share(name: &'static str, help: &'static str) -> Metric {
    gauge(name, Unit::Percent, help)
}

static METRICS: [Metric; 5] = [
    share(
        "pressure_cpu_some",
        "share of the time in which a thread waited for a processor",
    ),
    share(
        "pressure_memory_some",
        "share of the time in which a thread waited for memory",
    ),
    share(
        "pressure_memory_full",
        "share of the time in which all threads that had work waited for memory",
    ),
    share(
        "pressure_io_some",
        "share of the time in which a thread waited for storage",
    ),
    share(
        "pressure_io_full",
        "share of the time in which all threads that had work waited for storage",
    ),
];

/// Fills what begins with `pressure_`, where the kernel measures it (`CONFIG_PSI`, since Linux 4.20): for the system, and for
/// jobs and containers with a control group of version 2.
#[derive(Debug)]
pub(super) struct Pressure {
    sources: [Option<Source>; Level::ALL.len()],
}

#[derive(Debug)]
struct Source {
    cpu: KeptFile,
    memory: KeptFile,
    io: KeptFile,
    rates: [Rate; 5],
}

impl Pressure {
    pub(super) fn new(scan: &Scan) -> Self {
        Self {
            sources: Level::ALL.map(|level| {
                let place = |name: &str| match level {
                    Level::System => Some(scan.roots().proc("pressure").join(name)),
                    _ => {
                        let (group, membership) = scan.group(level)?;
                        // Of version 2, the controller is all the same.
                        match group.directory(&membership.groups, Controller::Cpu)? {
                            (Version::Two, directory) => {
                                Some(directory.join(format!("{name}.pressure")))
                            }
                            (Version::One, _) => None,
                        }
                    }
                };
                let file = |name| place(name).map(KeptFile::new);
                Some(Source {
                    cpu: file("cpu")?,
                    memory: file("memory")?,
                    io: file("io")?,
                    rates: Default::default(),
                })
            }),
        }
    }
}

impl Collector for Pressure {
    fn metrics(&self) -> &[Metric] {
        &METRICS
    }

    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
        let Some(source) = &mut self.sources[level as usize] else {
            return;
        };
        let [cpu, _] = totals(source.cpu.text());
        let memory = totals(source.memory.text());
        let io = totals(source.io.text());
        let totals = [cpu, memory[0], memory[1], io[0], io[1]];
        for ((value, rate), total) in values.iter_mut().zip(&mut source.rates).zip(totals) {
            // Microseconds in a second.
            *value = rate.per_second(scan.time(), total).map(|rate| rate / 1e4);
        }
    }
}

/// The microseconds in which some, and in which all, have waited.
fn totals(text: Option<&str>) -> [Option<u64>; 2] {
    ["some ", "full "].map(|which| {
        let mut fields = text?
            .lines()
            .find_map(|line| line.strip_prefix(which))?
            .split(' ');
        fields
            .find_map(|field| field.strip_prefix("total="))?
            .parse()
            .ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_of_some_and_of_all() {
        let text = "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=67\n";
        assert_eq!(totals(Some(text)), [Some(12345), Some(67)]);
        assert_eq!(totals(Some("some avg10=0.00\n")), [None, None]);
        assert_eq!(totals(None), [None, None]);
    }
}
