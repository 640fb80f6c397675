//! Metrics as other programs show them: a row of values over time for each metric of a level of a machine.

use std::collections::HashMap;
use std::rc::Rc;

use jumper_session::{HostId, MetricId, MetricKind, ProcessId, Session, StringId, Timestamp};

/// A metric of a level of a host that has values.
pub(super) struct Counter {
    pub(super) metric: MetricId,
    host: HostId,
    level: StringId,
    /// The rows of the level, in the order of time.
    rows: Rc<[usize]>,
}

/// What the values of a metric are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Quantity {
    /// Room that is taken, in units of so many bytes.
    Bytes(f64),
    /// Bytes that come in a second, in units of so many.
    BytesPerSecond(f64),
    /// A count that rises.
    Count,
    /// Anything else.
    Level,
}

impl Counter {
    /// All of a session, level by level.
    pub(super) fn all(session: &Session) -> Vec<Self> {
        let metrics = session.metrics();
        let mut places: HashMap<(HostId, StringId), usize> = HashMap::new();
        let mut levels: Vec<((HostId, StringId), Vec<usize>)> = Vec::new();
        for (row, key) in metrics
            .hosts()
            .iter()
            .copied()
            .zip(metrics.levels().iter().copied())
            .enumerate()
        {
            let place = *places.entry(key).or_insert_with(|| {
                levels.push((key, Vec::new()));
                levels.len() - 1
            });
            levels[place].1.push(row);
        }
        let mut counters = Vec::new();
        for ((host, level), mut rows) in levels {
            rows.sort_by_key(|&row| metrics.times()[row]);
            let rows: Rc<[usize]> = rows.into();
            let ids = metrics
                .columns()
                .iter()
                .filter_map(|column| metrics.find(&column.name));
            let with_values =
                ids.filter(|id| rows.iter().any(|&row| metrics.values(*id)[row].is_some()));
            counters.extend(with_values.map(|metric| Self {
                metric,
                host,
                level,
                rows: Rc::clone(&rows),
            }));
        }
        counters
    }

    /// What people call it: its level, the metric, its unit, and its machine where there are several.
    pub(super) fn name(&self, session: &Session) -> String {
        let column = session.metrics().column(self.metric);
        let mut name = format!("{} {}", session.string(self.level), column.name);
        if !column.unit.is_empty() {
            name = format!("{name} ({})", column.unit);
        }
        match session.hosts() {
            [] | [_] => name,
            hosts => format!("{name} on {}", hosts[self.host.index()].name),
        }
    }

    /// The first process of its machine.
    pub(super) fn process(&self, session: &Session) -> Option<ProcessId> {
        let mut processes = session.processes().iter();
        processes
            .find(|(_, process)| process.host == self.host)
            .map(|(id, _)| id)
    }

    pub(super) fn quantity(&self, session: &Session) -> Quantity {
        let column = session.metrics().column(self.metric);
        match (column.bytes(), column.kind) {
            (Some(bytes), _) if column.is_rate() => Quantity::BytesPerSecond(bytes),
            (_, MetricKind::Counter) => Quantity::Count,
            (Some(bytes), _) => Quantity::Bytes(bytes),
            (None, _) => Quantity::Level,
        }
    }

    /// The values that are known, in the unit of the metric.
    pub(super) fn values(&self, session: &Session) -> impl Iterator<Item = (Timestamp, f64)> {
        let (times, values) = (
            session.metrics().times(),
            session.metrics().values(self.metric),
        );
        let known = |&row: &usize| values[row].map(|value| (times[row], value));
        self.rows.iter().filter_map(known)
    }
}
