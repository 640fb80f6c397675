//! Metrics of a session, put together for a report: which there are, at which level, and what people call them.

use jumper_session::{MetricColumn, MetricId, Session, StringId};

use crate::format::{bytes, number};

const GIB: f64 = 1_073_741_824.0;

/// A metric at a level.
#[derive(Clone, Copy)]
pub(crate) struct Metric<'a> {
    pub(crate) column: &'a MetricColumn,
    pub(crate) level: &'a str,
}

/// One metric of one level of one host, over time.
pub(crate) struct Series<'a> {
    pub(crate) metric: Metric<'a>,
    /// Nanoseconds since the session began, ascending, with the value at each; `None` is unknown.
    pub(crate) points: Vec<(i64, Option<f64>)>,
}

/// All series that have any value, metric by metric in the order of the table, levels in the order in which
/// they appear.
pub(crate) fn series(session: &Session) -> Vec<Series<'_>> {
    let table = session.metrics();
    let sources = sources(session);
    let columns = table
        .columns()
        .iter()
        .filter_map(|column| Some((table.find(&column.name)?, column)));
    let all = columns.flat_map(|(metric, column)| {
        sources.iter().map(move |&source| Series {
            metric: Metric {
                column,
                level: session.string(source.1),
            },
            points: points(session, metric, source),
        })
    });
    all.filter(|series| series.points.iter().any(|point| point.1.is_some()))
        .collect()
}

/// The host and the level of each row, each pair once, in the order in which they appear.
pub(crate) fn sources(session: &Session) -> Vec<(u32, StringId)> {
    let table = session.metrics();
    let mut sources: Vec<(u32, StringId)> = Vec::new();
    for (host, level) in table.hosts().iter().zip(table.levels()) {
        let source = (host.index() as u32, *level);
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources
}

/// The values of a metric at a level of a host, as [`Series`] has them.
pub(crate) fn points(
    session: &Session,
    metric: MetricId,
    source: (u32, StringId),
) -> Vec<(i64, Option<f64>)> {
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

impl Metric<'_> {
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

    /// A value with its unit.
    pub(crate) fn quantity(&self, value: f64) -> String {
        with_unit(value, &self.column.unit)
    }

    /// A total with its unit: what is per second adds up to what it counts.
    pub(crate) fn total_quantity(&self, total: f64) -> String {
        with_unit(total, self.column.total_unit())
    }
}

pub(crate) fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "" if value.fract() == 0.0 => format!("{value:.0}"),
        "1/s" => format!("{} /s", number(value)),
        "GiB" => bytes(value * GIB),
        "" => number(value),
        unit => format!("{} {unit}", number(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_below_a_gibibyte_reads_better_in_mebibytes() {
        let column = MetricColumn {
            name: "memory".into(),
            unit: "GiB".into(),
            ..MetricColumn::default()
        };
        let metric = Metric {
            column: &column,
            level: "process",
        };
        let texts = [0.25, 0.0, 1.5].map(|value| metric.quantity(value));
        assert_eq!(texts, ["256 MiB", "0 MiB", "1.50 GiB"]);
    }
}
