//! Resource measurements: any set of named columns over time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{HostId, MetricId, StringId, Timestamp};

/// How the values of a metric are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// A level at a point in time, such as memory in use.
    #[default]
    Gauge,
    /// A count that only rises, such as bytes read; its rate is the difference of two rows over time.
    Counter,
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

/// The declaration of a metric: one column of the [`MetricsTable`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricColumn {
    /// The name, unique within a session, such as `cpu_util_avg`.
    pub name: String,
    /// The unit, such as `percent` or `bytes`; empty when the metric has none.
    #[serde(default)]
    pub unit: String,
    /// How the values are to be read.
    #[serde(default)]
    pub kind: MetricKind,
    /// One line for people: what is measured and how.
    #[serde(default)]
    pub help: String,
    /// The least time between two readings, where it was not read anew for each row: a value may be as old as that.
    #[serde(
        default,
        rename = "beat_ns",
        with = "crate::manifest::optional_nanos",
        skip_serializing_if = "Option::is_none"
    )]
    pub beat: Option<Duration>,
}

/// Measurements of machines and processes; `metrics.parquet` on disk.
///
/// A row is one look at one level (such as `process` or `system`) of one host. Every value may be
/// missing: unknown is not zero. Values are finite; a NaN or an infinity counts as missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricsTable {
    columns: Vec<MetricColumn>,
    times: Vec<Timestamp>,
    hosts: Vec<HostId>,
    levels: Vec<StringId>,
    values: Vec<Vec<Option<f64>>>,
}

impl MetricsTable {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The declared metrics in the order of their handles.
    pub fn columns(&self) -> &[MetricColumn] {
        &self.columns
    }

    /// The handle of the metric with this name.
    pub fn find(&self, name: &str) -> Option<MetricId> {
        self.columns
            .iter()
            .position(|column| column.name == name)
            .map(MetricId::from_len)
    }

    /// The declaration of a metric.
    ///
    /// # Panics
    /// If the handle is of another session and out of range here.
    pub fn column(&self, metric: MetricId) -> &MetricColumn {
        &self.columns[metric.index()]
    }

    /// The values of a metric, one per row, in its unit.
    ///
    /// # Panics
    /// If the handle is of another session and out of range here.
    pub fn values(&self, metric: MetricId) -> &[Option<f64>] {
        &self.values[metric.index()]
    }

    /// The times of all rows.
    pub fn times(&self) -> &[Timestamp] {
        &self.times
    }

    /// The hosts of all rows.
    pub fn hosts(&self) -> &[HostId] {
        &self.hosts
    }

    /// The levels of all rows, such as `process` or `system`.
    pub fn levels(&self) -> &[StringId] {
        &self.levels
    }

    /// Adds a column whose value is missing in the rows that exist already.
    pub(crate) fn declare(&mut self, column: MetricColumn) -> MetricId {
        let id = MetricId::from_len(self.columns.len());
        self.columns.push(column);
        self.values.push(vec![None; self.times.len()]);
        id
    }

    /// Leaves out the rows of which `keep` says no.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(Timestamp, StringId) -> bool) {
        let rows = self.times.iter().zip(&self.levels);
        let kept: Vec<bool> = rows.map(|(&time, &level)| keep(time, level)).collect();
        retain(&mut self.times, &kept);
        retain(&mut self.hosts, &kept);
        retain(&mut self.levels, &kept);
        for column in &mut self.values {
            retain(column, &kept);
        }
    }

    /// Takes all rows out and leaves the declarations.
    #[cfg(feature = "record")]
    pub(crate) fn take_rows(&mut self) -> Self {
        let empty = Self {
            columns: self.columns.clone(),
            values: vec![Vec::new(); self.columns.len()],
            ..Self::default()
        };
        std::mem::replace(self, empty)
    }

    /// Adds a row; columns beyond the end of `values` are missing in it.
    pub(crate) fn push<I>(&mut self, time: Timestamp, host: HostId, level: StringId, values: I)
    where
        I: IntoIterator<Item = Option<f64>>,
    {
        self.times.push(time);
        self.hosts.push(host);
        self.levels.push(level);
        let mut values = values.into_iter();
        for column in &mut self.values {
            column.push(values.next().flatten().filter(|value| value.is_finite()));
        }
        assert!(
            values.next().is_none(),
            "bug: more values than declared metrics"
        );
    }
}

/// Leaves the rows of a column for which `kept` says so.
fn retain<T>(column: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    column.retain(|_| kept.next().copied().unwrap_or(false));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_columns_short_rows_and_nan_are_missing() {
        let mut metrics = MetricsTable::default();
        let column = |name: &str| MetricColumn {
            name: name.into(),
            ..MetricColumn::default()
        };
        let (host, level) = (HostId::from_raw(0), StringId::from_raw(0));
        let cpu = metrics.declare(column("cpu"));
        metrics.push(Timestamp::from_nanos(1), host, level, [Some(0.5)]);
        let memory = metrics.declare(column("memory"));
        metrics.push(
            Timestamp::from_nanos(2),
            host,
            level,
            [Some(f64::NAN), Some(8.0)],
        );
        metrics.push(Timestamp::from_nanos(3), host, level, []);
        assert_eq!(metrics.values(cpu), [Some(0.5), None, None]);
        assert_eq!(metrics.values(memory), [None, Some(8.0), None]);
        assert_eq!(metrics.find("memory"), Some(memory));
    }
}
