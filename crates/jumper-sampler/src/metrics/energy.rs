//! Energy of the processors, where the machine measures it (RAPL) and lets us read it.

use std::fs;
use std::path::Path;

use super::collector::{Collector, Scan};
use super::kept::KeptFile;
use super::level::Level;
use super::metric::{Metric, Unit, counter, gauge};
use super::rate::Rate;

static METRICS: [Metric; 2] = [
    counter(
        "energy",
        Unit::Joules,
        "energy used by the processors since the first sample (system level only)",
    ),
    gauge(
        "power",
        Unit::Watts,
        "power of the processors (system level only)",
    ),
];

/// Fills `energy` and `power`. Most kernels show them to root alone, and virtual machines have none.
#[derive(Debug)]
pub(super) struct Energy {
    packages: Vec<Package>,
    microjoules: u64,
    is_known: bool,
    rate: Rate,
}

#[derive(Debug)]
struct Package {
    file: KeptFile,
    /// Where the counter begins again.
    range: u64,
    before: Option<u64>,
}

impl Package {
    fn open(directory: &Path) -> Option<Self> {
        let range = fs::read_to_string(directory.join("max_energy_range_uj")).ok()?;
        Some(Self {
            file: KeptFile::new(directory.join("energy_uj")),
            range: range.trim().parse().ok()?,
            before: None,
        })
    }

    /// What came to it; `None` where it cannot be read.
    fn growth(&mut self) -> Option<u64> {
        let now: u64 = self.file.text()?.trim().parse().ok()?;
        let before = self.before.replace(now).unwrap_or(now);
        Some(match now < before {
            true => now.saturating_add(self.range).saturating_sub(before),
            false => now - before,
        })
    }
}

impl Energy {
    pub(super) fn new(scan: &Scan) -> Self {
        Self::in_directory(&scan.roots().sys("class/powercap"))
    }

    fn in_directory(powercap: &Path) -> Self {
        let entries = fs::read_dir(powercap).into_iter().flatten().flatten();
        // Whole packages are `intel-rapl:0` (also AMD's); their parts, `intel-rapl:0:1`, are contained in them.
        let mut names: Vec<_> = entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| {
                name.strip_prefix("intel-rapl:")
                    .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
            })
            .collect();
        names.sort_unstable();
        let packages: Vec<_> = names
            .iter()
            .filter_map(|name| Package::open(&powercap.join(name)))
            .collect();
        Self {
            is_known: !packages.is_empty(),
            packages,
            microjoules: 0,
            rate: Rate::default(),
        }
    }

    fn read(&mut self) -> Option<u64> {
        for package in &mut self.packages {
            match package.growth() {
                Some(grown) => self.microjoules += grown,
                // A sum of some would look like less energy.
                None => self.is_known = false,
            }
        }
        self.is_known.then_some(self.microjoules)
    }
}

impl Collector for Energy {
    fn metrics(&self) -> &[Metric] {
        &METRICS
    }

    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
        if level != Level::System {
            return;
        }
        let microjoules = self.read();
        values[0] = microjoules.map(|microjoules| microjoules as f64 / 1e6);
        let rate = self.rate.per_second(scan.time(), microjoules);
        values[1] = rate.map(|rate| rate / 1e6);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_summed_and_their_counters_begin_again() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let write = |package: &str, microjoules: u64| {
            let package = directory.path().join(package);
            fs::create_dir_all(&package).expect("it is ours");
            fs::write(package.join("max_energy_range_uj"), "1000\n").expect("it is ours");
            fs::write(package.join("energy_uj"), format!("{microjoules}\n")).expect("it is ours");
        };
        write("intel-rapl:0", 900);
        write("intel-rapl:1", 10);
        write("intel-rapl:0:0", 5);
        let mut energy = Energy::in_directory(directory.path());
        assert_eq!(energy.read(), Some(0));
        write("intel-rapl:0", 50);
        write("intel-rapl:1", 30);
        write("intel-rapl:0:0", 500);
        assert_eq!(energy.read(), Some(150 + 20));
        assert_eq!(Energy::in_directory(Path::new("/nowhere")).read(), None);
    }
}
