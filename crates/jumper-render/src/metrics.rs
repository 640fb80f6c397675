//! Metrics of a session, put together for a report: which there are, at which level, and what they come to.

use jumper_session::{MetricColumn, MetricId, MetricKind, Session, StringId};

use crate::format::number;

/// One metric of one level of one host, over time.
pub(crate) struct Series<'a> {
    pub(crate) column: &'a MetricColumn,
    pub(crate) level: &'a str,
    /// Nanoseconds since the session began, ascending, with the value at each; `None` is unknown.
    pub(crate) points: Vec<(i64, Option<f64>)>,
}

/// What a series comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) average: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// What a rate adds up to; what a counter rose by.
    pub(crate) total: Option<f64>,
}

/// All series that have any value, metric by metric in the order of the table, levels in the order in which
/// they appear.
pub(crate) fn series(session: &Session) -> Vec<Series<'_>> {
    let table = session.metrics();
    let mut sources: Vec<(u32, StringId)> = Vec::new();
    for (host, level) in table.hosts().iter().zip(table.levels()) {
        let source = (host.index() as u32, *level);
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    let columns = table
        .columns()
        .iter()
        .filter_map(|column| Some((table.find(&column.name)?, column)));
    let all = columns.flat_map(|(metric, column)| {
        sources.iter().map(move |&source| Series {
            column,
            level: session.string(source.1),
            points: points(session, metric, source),
        })
    });
    all.filter(|series| series.points.iter().any(|point| point.1.is_some()))
        .collect()
}

fn points(session: &Session, metric: MetricId, source: (u32, StringId)) -> Vec<(i64, Option<f64>)> {
    let table = session.metrics();
    let start = session.start().as_nanos();
    let rows = (0..table.len()).filter(|&row| {
        table.hosts()[row].index() as u32 == source.0 && table.levels()[row] == source.1
    });
    let values = table.values(metric);
    let mut points: Vec<_> = rows
        .map(|row| {
            (
                table.times()[row].as_nanos().saturating_sub(start),
                values[row],
            )
        })
        .collect();
    points.sort_by_key(|point| point.0);
    points
}

impl Series<'_> {
    /// Whether values are per second, and so hold for the time since the one before.
    fn is_rate(&self) -> bool {
        self.column.unit.ends_with("/s")
    }

    /// `None` where no value is known.
    pub(crate) fn summary(&self) -> Option<Summary> {
        let known: Vec<f64> = self.points.iter().filter_map(|point| point.1).collect();
        let (first, last) = (*known.first()?, *known.last()?);
        let min = known.iter().copied().fold(f64::INFINITY, f64::min);
        let max = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (seconds, sum) = self.integral();
        let average = if seconds > 0.0 {
            sum / seconds
        } else {
            known.iter().sum::<f64>() / known.len() as f64
        };
        let total = match self.column.kind {
            MetricKind::Counter => Some(last - first),
            _ if self.is_rate() => Some(sum),
            _ => None,
        };
        Some(Summary {
            average,
            min,
            max,
            total,
        })
    }

    /// The seconds over which values are known, and the sum of values times seconds. A value holds for the
    /// time since the point before it.
    fn integral(&self) -> (f64, f64) {
        let steps = self.points.windows(2).filter_map(|pair| {
            let seconds = pair[1].0.saturating_sub(pair[0].0) as f64 / 1e9;
            pair[1].1.map(|value| (seconds, value * seconds))
        });
        steps.fold((0.0, 0.0), |sums, step| (sums.0 + step.0, sums.1 + step.1))
    }

    /// What people call the metric, whatever the level.
    pub(crate) fn label(&self) -> &str {
        match self.column.name.as_str() {
            "cpu_util_avg" => "CPU, of all cores",
            "cpu_time" => "CPU time",
            "rss" => "memory (RSS)",
            "io_read" => "read",
            "io_write" => "written",
            "io_read_count" => "read operations",
            "io_write_count" => "write operations",
            name => name,
        }
    }

    /// What people call it at this level: memory is counted differently for a process and for the machine.
    pub(crate) fn label_at_level(&self) -> &str {
        match (self.column.name.as_str(), self.level) {
            ("memory", "process") => "memory (USS)",
            ("memory", _) => "memory used",
            _ => self.label(),
        }
    }

    /// A value of this series with its unit.
    pub(crate) fn quantity(&self, value: f64) -> String {
        with_unit(value, &self.column.unit)
    }

    /// A [total](Summary::total) with its unit: what is per second adds up to what it counts.
    pub(crate) fn total_quantity(&self, total: f64) -> String {
        with_unit(
            total,
            self.column
                .unit
                .trim_end_matches("/s")
                .trim_end_matches('1'),
        )
    }
}

/// Memory below one GiB reads better in MiB.
fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "" if value.fract() == 0.0 => format!("{value:.0}"),
        "1/s" => format!("{} /s", number(value)),
        "GiB" if value.abs() < 1.0 => format!("{} MiB", number(value * 1024.0)),
        "" => number(value),
        unit => format!("{} {unit}", number(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series_of<'a>(column: &'a MetricColumn, points: &[(i64, Option<f64>)]) -> Series<'a> {
        let points = points
            .iter()
            .map(|&(seconds, value)| (seconds * 1_000_000_000, value))
            .collect();
        Series {
            column,
            level: "process",
            points,
        }
    }

    #[test]
    fn a_rate_is_weighted_by_the_time_that_it_held_for() {
        let column = MetricColumn {
            name: "io_read".into(),
            unit: "MiB/s".into(),
            ..MetricColumn::default()
        };
        let summary = series_of(&column, &[(0, None), (1, Some(10.0)), (4, Some(2.0))]).summary();
        let summary = summary.expect("values are known");
        assert_eq!((summary.average, summary.total), (4.0, Some(16.0)));
        assert_eq!((summary.min, summary.max), (2.0, 10.0));
    }

    #[test]
    fn the_unknown_is_no_value() {
        let column = MetricColumn {
            name: "memory".into(),
            unit: "GiB".into(),
            ..MetricColumn::default()
        };
        assert_eq!(series_of(&column, &[(0, None), (1, None)]).summary(), None);
        let series = series_of(&column, &[(0, Some(0.5)), (1, None), (2, Some(0.25))]);
        let summary = series.summary().expect("values are known");
        assert_eq!((summary.min, summary.max, summary.total), (0.25, 0.5, None));
        assert_eq!(series.quantity(summary.min), "256 MiB");
    }
}
