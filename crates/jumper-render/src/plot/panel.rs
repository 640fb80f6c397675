//! What is in a plot before it has a size: panels with their series, as they were measured.

use jumper_session::{MetricId, MetricStatistics, Session, StringId};

use super::keys::{Drawn, Key};
use crate::format::plain;
use crate::metrics::{Metric, points};

/// The least and the most that was measured at a moment; `None` where it is not known.
type Range = Option<(f64, f64)>;

/// A level of a host.
pub(super) type Source = (u32, StringId);

/// A line, and what lies around it.
pub(super) struct Series {
    /// What tells it from the others of its panel; empty where it is the only one.
    pub(super) label: String,
    /// Nanoseconds since the beginning, ascending.
    pub(super) line: Vec<(i64, Range)>,
    /// From the least to the most of all devices.
    pub(super) band: Vec<(i64, Range)>,
}

/// One of the plots that share the time axis.
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) unit: String,
    pub(super) series: Vec<Series>,
    /// What there was to use, smallest first.
    pub(super) limits: Vec<f64>,
}

impl Panel {
    pub(super) fn of(session: &Session, key: &Key, sources: &[Source]) -> Self {
        let metric = key.any_metric();
        let column = session.metrics().column(metric);
        let level = match sources {
            [(_, level)] => session.string(*level),
            _ => "",
        };
        let metric_at_level = Metric { column, level };
        let title = match (key.title(), level) {
            (Some(title), _) => title,
            (None, "") => metric_at_level.label(),
            (None, _) => metric_at_level.label_at_level(),
        };
        let mut series: Vec<Series> = Vec::new();
        for source in sources {
            series.extend(self::series(
                session,
                key,
                *source,
                source_label(session, *source, sources),
            ));
        }
        series.retain(|series| {
            let mut points = series.line.iter().chain(&series.band);
            points.any(|(_, range)| range.is_some())
        });
        if let [only] = series.as_mut_slice() {
            only.label.clear();
        }
        Self {
            title: capitalised(&plain(title), &column.name),
            unit: match column.unit.as_str() {
                "percent" => "%".into(),
                unit => plain(unit),
            },
            series,
            limits: limits(session, metric, sources),
        }
    }

    /// From the least to the most that is drawn.
    pub(super) fn range(&self) -> (f64, f64) {
        let all = self
            .series
            .iter()
            .flat_map(|series| series.line.iter().chain(&series.band));
        all.filter_map(|(_, range)| *range)
            .fold((0.0, 0.0), |(low, high), range| {
                (f64::min(low, range.0), f64::max(high, range.1))
            })
    }
}

impl Series {
    /// The mean and the largest value of the line.
    pub(super) fn figures(&self) -> Option<(f64, f64)> {
        let values = || {
            self.line
                .iter()
                .filter_map(|(_, range)| Some(range.as_ref()?.1))
        };
        let count = values().count();
        if count == 0 {
            return None;
        }
        // Divided first, because the sum of absurd values is none.
        let average = values().map(|value| value / count as f64).sum();
        Some((average, values().fold(f64::MIN, f64::max)))
    }
}

impl Key {
    fn any_metric(&self) -> MetricId {
        match &self.drawn {
            Drawn::Summary {
                average,
                least,
                most,
            } => average
                .or(*least)
                .or(*most)
                .expect("bug: a summary of nothing"),
            Drawn::Each(devices) => devices[0],
            Drawn::Column(metric) => *metric,
        }
    }

    /// What people call it, where the names of its columns do not say it.
    fn title(&self) -> Option<&'static str> {
        Some(match self.name.as_str() {
            "cpu_summary" => "CPU, of all cores",
            "cpu_all" => "CPU, by core",
            "gpu_util_summary" => "GPU use",
            "gpu_util" => "GPU use, by GPU",
            "gpu_band_summary" => "GPU memory bandwidth",
            "gpu_band" => "GPU memory bandwidth, by GPU",
            "gpu_mem_summary" => "GPU memory",
            "gpu_mem" => "GPU memory, by GPU",
            "io_read" => "Read from storage",
            "io_write" => "Written to storage",
            "net_bytes_sent" => "Sent over the network",
            "net_bytes_recv" => "Received over the network",
            "net_packets_sent" => "Packets sent",
            "net_packets_recv" => "Packets received",
            _ => return None,
        })
    }
}

/// A title begins with a capital, unless it is the name of a metric.
fn capitalised(title: &str, name: &str) -> String {
    let mut characters = title.chars();
    match characters.next() {
        Some(first) if title != name || name == "memory" => {
            first.to_uppercase().chain(characters).collect()
        }
        _ => title.into(),
    }
}

/// What tells a level of a host from the others.
fn source_label(session: &Session, (host, level): Source, sources: &[Source]) -> String {
    let host_name = session
        .hosts()
        .get(host as usize)
        .map_or("", |host| host.name.as_str());
    let level_name = session.string(level);
    let (hosts, levels) = (
        sources.iter().any(|other| other.0 != host),
        sources.iter().any(|other| other.1 != level),
    );
    let label = match (hosts, levels) {
        (true, true) => format!("{host_name} {level_name}"),
        (true, false) => host_name.to_owned(),
        (false, true) => level_name.to_owned(),
        (false, false) => String::new(),
    };
    plain(&label)
}

fn series(session: &Session, key: &Key, source: Source, label: String) -> Vec<Series> {
    let single = |metric: MetricId| -> Vec<(i64, Range)> {
        let points = points(session, metric, source).into_iter();
        points
            .map(|(time, value)| (time, value.map(|value| (value, value))))
            .collect()
    };
    match &key.drawn {
        Drawn::Column(metric) => vec![Series {
            label,
            line: single(*metric),
            band: Vec::new(),
        }],
        Drawn::Summary {
            average,
            least,
            most,
        } => {
            let band = least.zip(*most).map(|(least, most)| {
                let pairs = points(session, least, source)
                    .into_iter()
                    .zip(points(session, most, source));
                let pairs = pairs.map(|((time, low), (_, high))| (time, low.zip(high)));
                pairs.collect()
            });
            vec![Series {
                label,
                line: average.map(single).unwrap_or_default(),
                band: band.unwrap_or_default(),
            }]
        }
        Drawn::Each(devices) => {
            let device = |&metric: &MetricId| {
                let name = &session.metrics().column(metric).name;
                let number = name.rsplit('_').next().unwrap_or(name);
                Series {
                    label: format!("{number} {label}").trim_end().to_owned(),
                    line: single(metric),
                    band: Vec::new(),
                }
            };
            devices.iter().map(device).collect()
        }
    }
}

/// The limits of a metric at some levels, each once.
fn limits(session: &Session, metric: MetricId, sources: &[Source]) -> Vec<f64> {
    let statistics = MetricStatistics::of(session).into_iter();
    let mut limits: Vec<f64> = statistics
        .filter(|found| found.metric == metric)
        .filter(|found| sources.contains(&(found.host.index() as u32, found.level)))
        .filter_map(|found| found.limit)
        .filter(|limit| limit.is_finite())
        .collect();
    limits.sort_by(f64::total_cmp);
    limits.dedup();
    limits
}
