//! What can be plotted, by name: JUmPER's keys, and every metric of a session under its own.

use jumper_session::{MetricId, Session, StringId};

use crate::RenderError;

/// How the columns of a key are drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Drawn {
    /// The average as a line, and a band from the least to the most.
    Summary {
        average: Option<MetricId>,
        least: Option<MetricId>,
        most: Option<MetricId>,
    },
    /// A line for each device.
    Each(Vec<MetricId>),
    /// One line.
    Column(MetricId),
}

/// Something to plot.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) drawn: Drawn,
}

/// JUmPER's keys of what is measured per device, with what their columns begin with.
const SUMMARIES: [(&str, &str); 4] = [
    ("cpu_summary", "cpu_util_"),
    ("gpu_util_summary", "gpu_util_"),
    ("gpu_band_summary", "gpu_band_"),
    ("gpu_mem_summary", "gpu_mem_"),
];

/// The same, device by device.
const EACH: [(&str, &str); 4] = [
    ("cpu_all", "cpu_util_"),
    ("gpu_util", "gpu_util_"),
    ("gpu_band", "gpu_band_"),
    ("gpu_mem", "gpu_mem_"),
];

/// JUmPER's names for several keys.
const SETS: [(&str, &[&str]); 7] = [
    ("cpu", &["cpu_summary"]),
    ("mem", &["memory"]),
    (
        "io",
        &["io_read", "io_write", "io_read_count", "io_write_count"],
    ),
    (
        "gpu",
        &["gpu_util_summary", "gpu_band_summary", "gpu_mem_summary"],
    ),
    ("gpu_all", &["gpu_util", "gpu_band", "gpu_mem"]),
    (
        "network",
        &[
            "net_bytes_sent",
            "net_bytes_recv",
            "net_packets_sent",
            "net_packets_recv",
        ],
    ),
    ("net_vs_disk_read", &["io_read", "net_bytes_recv"]),
];

/// What is plotted where nothing was asked for, as far as it was measured.
const DEFAULT: [&str; 6] = [
    "cpu_summary",
    "memory",
    "io_read",
    "io_write",
    "gpu_util_summary",
    "gpu_mem_summary",
];

/// The metrics of a session that have values at some levels.
pub(super) struct Measured<'a> {
    session: &'a Session,
    metrics: Vec<MetricId>,
}

impl<'a> Measured<'a> {
    pub(super) fn of(session: &'a Session, sources: &[(u32, StringId)]) -> Self {
        let table = session.metrics();
        let rows: Vec<bool> = (table.hosts().iter().zip(table.levels()))
            .map(|(host, level)| sources.contains(&(host.index() as u32, *level)))
            .collect();
        let columns = table.columns().iter();
        let metrics = columns
            .filter_map(|column| table.find(&column.name))
            .filter(|&metric| {
                let values = table.values(metric).iter().zip(&rows);
                values
                    .into_iter()
                    .any(|(value, is_wanted)| value.is_some() && *is_wanted)
            })
            .collect();
        Self { session, metrics }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.metrics.is_empty()
    }

    fn name(&self, metric: MetricId) -> &'a str {
        &self.session.metrics().column(metric).name
    }

    fn find(&self, name: &str) -> Option<MetricId> {
        let mut metrics = self.metrics.iter().copied();
        metrics.find(|&metric| self.name(metric) == name)
    }

    /// The key of this name, if there is anything to draw.
    fn key(&self, name: &str) -> Option<Key> {
        let drawn = self.find(name).map(Drawn::Column);
        let drawn = drawn
            .or_else(|| self.summary(name))
            .or_else(|| self.each(name))?;
        Some(Key {
            name: name.into(),
            drawn,
        })
    }

    fn summary(&self, name: &str) -> Option<Drawn> {
        let (_, prefix) = SUMMARIES.iter().find(|(key, _)| *key == name)?;
        let of = |end: &str| self.find(&format!("{prefix}{end}"));
        let (average, least, most) = (of("avg"), of("min"), of("max"));
        let has_band = least.is_some() && most.is_some();
        (average.is_some() || has_band).then_some(Drawn::Summary {
            average,
            least: least.filter(|_| has_band),
            most: most.filter(|_| has_band),
        })
    }

    fn each(&self, name: &str) -> Option<Drawn> {
        let (_, prefix) = EACH.iter().find(|(key, _)| *key == name)?;
        let number = |metric: MetricId| -> Option<u32> {
            self.name(metric).strip_prefix(prefix)?.parse().ok()
        };
        let mut devices: Vec<(u32, MetricId)> = self
            .metrics
            .iter()
            .filter_map(|&metric| Some((number(metric)?, metric)))
            .collect();
        devices.sort_by_key(|(number, _)| *number);
        let devices: Vec<MetricId> = devices.into_iter().map(|(_, metric)| metric).collect();
        (!devices.is_empty()).then_some(Drawn::Each(devices))
    }

    /// What these names stand for, each key once. Without names, what is looked at most.
    ///
    /// # Errors
    /// [`RenderError::UnknownMetric`] where there is nothing of a name.
    pub(super) fn keys(&self, names: &[String]) -> Result<Vec<Key>, RenderError> {
        let mut keys: Vec<Key> = Vec::new();
        for name in names {
            let set = SETS.iter().find(|(set, _)| set == name);
            let found: Vec<Key> = match set {
                Some((_, members)) => members.iter().filter_map(|name| self.key(name)).collect(),
                None if name == "all" => {
                    let names = self.metrics.iter().map(|&metric| self.name(metric));
                    names.filter_map(|name| self.key(name)).collect()
                }
                None => self.key(name).into_iter().collect(),
            };
            if found.is_empty() {
                return Err(RenderError::UnknownMetric {
                    name: name.clone(),
                    known: self.known(),
                });
            }
            for key in found {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        if names.is_empty() {
            keys = DEFAULT.iter().filter_map(|name| self.key(name)).collect();
        }
        if keys.is_empty() {
            /// More would be a poster.
            const MOST: usize = 6;
            let names = self.metrics.iter().map(|&metric| self.name(metric));
            keys = names.filter_map(|name| self.key(name)).take(MOST).collect();
        }
        Ok(keys)
    }

    /// All names that there is something of.
    fn known(&self) -> Vec<String> {
        let keys = SUMMARIES.iter().chain(&EACH).map(|(key, _)| *key);
        let sets = SETS.iter();
        let columns = self.metrics.iter().map(|&metric| self.name(metric));
        let mut known: Vec<String> = Vec::new();
        for name in keys.chain(columns) {
            if self.key(name).is_some() {
                known.push(name.into());
            }
        }
        let sets = sets.filter(|(_, members)| members.iter().any(|name| self.key(name).is_some()));
        known.extend(sets.map(|(set, _)| String::from(*set)));
        known
    }
}
