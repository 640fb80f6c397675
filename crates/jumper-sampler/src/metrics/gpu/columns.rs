//! From readings to columns: JUmPER's three with their average, minimum and maximum, then those of each device.

use std::borrow::Cow;

use super::PROCESSES_EVERY;
use super::reading::{Reading, Share};
use crate::metrics::metric::{Kind, Metric, Unit, gibibytes_from_bytes};

/// What processes have of a GPU, and its own.
const SHARED: [(&str, Unit, &str); 3] = [
    (
        "gpu_util",
        Unit::Percent,
        "time in which the GPU computed: for the machine (system level) or for these processes",
    ),
    (
        "gpu_band",
        Unit::Percent,
        "time in which the GPU's memory was read or written: by anybody (system level) or by these processes",
    ),
    (
        "gpu_mem",
        Unit::Gibibytes,
        "memory of the GPU in use: all of it (system level) or that of these processes",
    ),
];

/// What only the device as a whole has.
const DEVICE: [(&str, Unit, Kind, &str); 8] = [
    (
        "gpu_power",
        Unit::Watts,
        Kind::Gauge,
        "power that the GPU takes (system level only)",
    ),
    (
        "gpu_temp",
        Unit::Celsius,
        Kind::Gauge,
        "temperature of the GPU (system level only)",
    ),
    (
        "gpu_clock",
        Unit::Megahertz,
        Kind::Gauge,
        "clock of the GPU's processors (system level only)",
    ),
    (
        "gpu_memclock",
        Unit::Megahertz,
        Kind::Gauge,
        "clock of the GPU's memory (system level only)",
    ),
    (
        "gpu_throttle_power",
        Unit::Count,
        Kind::Gauge,
        "1 where the GPU's clocks are down to save power, else 0 (system level only)",
    ),
    (
        "gpu_throttle_thermal",
        Unit::Count,
        Kind::Gauge,
        "1 where the GPU's clocks are down because it is hot, else 0 (system level only)",
    ),
    (
        "gpu_throttle_other",
        Unit::Count,
        Kind::Gauge,
        "1 where the GPU's clocks are down for another reason than that it is idle, else 0 (system level only)",
    ),
    (
        "gpu_energy",
        Unit::Joules,
        Kind::Counter,
        "energy that the GPU has taken (system level only)",
    ),
];

/// The columns of so many GPUs.
#[derive(Debug, Default)]
pub(super) struct Columns {
    metrics: Vec<Metric>,
    energy: Vec<Energy>,
}

impl Columns {
    pub(super) fn of(gpus: usize) -> Self {
        let mut metrics = Vec::new();
        if gpus > 0 {
            for (name, unit, help) in &SHARED {
                let of_all = [
                    ("avg", "average over GPUs"),
                    ("min", "least of any GPU"),
                    ("max", "most of any GPU"),
                ];
                for (which, what) in of_all {
                    let help = format!("{help}; {what} of which it is known");
                    metrics.push(metric(format!("{name}_{which}"), unit, Kind::Gauge, help));
                }
                for gpu in 0..gpus {
                    metrics.push(metric(
                        format!("{name}_{gpu}"),
                        unit,
                        Kind::Gauge,
                        (*help).into(),
                    ));
                }
            }
            for metric in &mut metrics {
                metric.beat = Some(PROCESSES_EVERY);
            }
        }
        for (name, unit, kind, help) in &DEVICE {
            for gpu in 0..gpus {
                metrics.push(metric(format!("{name}_{gpu}"), unit, *kind, (*help).into()));
            }
        }
        Self {
            metrics,
            energy: vec![Energy::default(); gpus],
        }
    }

    pub(super) fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// Takes the counters of these readings in.
    pub(super) fn begin(&mut self, readings: &[Reading]) {
        for (energy, reading) in self.energy.iter_mut().zip(readings) {
            energy.add(reading.energy);
        }
    }

    /// The values of the machine.
    pub(super) fn machine(&self, readings: &[Reading], values: &mut Vec<Option<f64>>) {
        self.processes(readings.iter().map(Reading::whole), values);
        let flag = |flag: Option<bool>| flag.map(|flag| f64::from(u8::from(flag)));
        let mut each = |value: &dyn Fn(&Reading) -> Option<f64>| {
            values.extend(readings.iter().map(value));
        };
        each(&|reading| reading.power);
        each(&|reading| reading.temperature);
        each(&|reading| reading.clock);
        each(&|reading| reading.memory_clock);
        each(&|reading| flag(reading.throttle.map(|throttle| throttle.power)));
        each(&|reading| flag(reading.throttle.map(|throttle| throttle.thermal)));
        each(&|reading| flag(reading.throttle.map(|throttle| throttle.other)));
        values.extend(self.energy.iter().map(|energy| energy.total));
    }

    /// The values of processes; what belongs to the device is missing.
    pub(super) fn processes(
        &self,
        shares: impl Iterator<Item = Share> + Clone,
        values: &mut Vec<Option<f64>>,
    ) {
        summarised(shares.clone().map(|share| share.util), values);
        summarised(shares.clone().map(|share| share.band), values);
        summarised(
            shares.map(|share| share.memory.map(gibibytes_from_bytes)),
            values,
        );
    }
}

fn metric(name: String, unit: &Unit, kind: Kind, help: String) -> Metric {
    Metric {
        help: Cow::Owned(help),
        ..Metric::new(name.into(), unit.clone(), kind, "")
    }
}

/// Average, minimum and maximum of those that are known, then all of them.
fn summarised(values: impl Iterator<Item = Option<f64>> + Clone, into: &mut Vec<Option<f64>>) {
    let known = || values.clone().flatten();
    let count = known().count();
    let average = (count > 0).then(|| known().sum::<f64>() / count as f64);
    into.extend([average, known().reduce(f64::min), known().reduce(f64::max)]);
    into.extend(values);
}

/// A total since the first reading.
#[derive(Clone, Copy, Debug, Default)]
struct Energy {
    last: Option<f64>,
    sum: f64,
    total: Option<f64>,
}

impl Energy {
    /// The driver begins at 0 when it is loaded anew; what was taken meanwhile is not known.
    fn add(&mut self, reading: Option<f64>) {
        let Some(reading) = reading else {
            self.total = None;
            return;
        };
        let before = self.last.unwrap_or(reading);
        self.sum += (reading - before).max(0.0);
        self.last = Some(reading);
        self.total = Some(self.sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::gpu::reading::Throttle;

    fn by_name(columns: &Columns, values: &[Option<f64>], name: &str) -> Option<f64> {
        let at = columns
            .metrics()
            .iter()
            .position(|metric| metric.name == name);
        values
            .get(at.unwrap_or_else(|| panic!("no metric {name}")))
            .copied()
            .flatten()
    }

    #[test]
    fn each_device_and_all_of_them_have_columns() {
        let mut columns = Columns::of(2);
        let known = Reading {
            util: Some(40.0),
            band: Some(10.0),
            memory: Some(2 << 30),
            power: Some(250.0),
            throttle: Some(Throttle {
                thermal: true,
                ..Throttle::default()
            }),
            energy: Some(1000.0),
            ..Reading::default()
        };
        let other = Reading {
            util: Some(20.0),
            ..Reading::default()
        };
        columns.begin(&[known.clone(), other.clone()]);
        columns.begin(&[
            Reading {
                energy: Some(1500.0),
                ..known.clone()
            },
            other.clone(),
        ]);
        // The driver was loaded anew.
        columns.begin(&[
            Reading {
                energy: Some(7.0),
                ..known.clone()
            },
            other.clone(),
        ]);
        let mut values = Vec::new();
        columns.machine(&[known, other], &mut values);
        assert_eq!(values.len(), columns.metrics().len());
        let value = |name| by_name(&columns, &values, name);
        assert_eq!(
            [
                value("gpu_util_avg"),
                value("gpu_util_min"),
                value("gpu_util_max"),
                value("gpu_util_1")
            ],
            [Some(30.0), Some(20.0), Some(40.0), Some(20.0)]
        );
        // Of one of two it is not known.
        assert_eq!(
            [value("gpu_band_avg"), value("gpu_band_1")],
            [Some(10.0), None]
        );
        assert_eq!(
            [value("gpu_mem_0"), value("gpu_power_0")],
            [Some(2.0), Some(250.0)]
        );
        assert_eq!(
            [
                value("gpu_throttle_thermal_0"),
                value("gpu_throttle_power_0")
            ],
            [Some(1.0), Some(0.0)]
        );
        assert_eq!(
            [value("gpu_throttle_other_1"), value("gpu_energy_1")],
            [None, None]
        );
        assert_eq!(value("gpu_energy_0"), Some(500.0));
    }

    #[test]
    fn without_gpus_there_are_no_columns() {
        assert!(Columns::of(0).metrics().is_empty());
    }
}
