//! What was measured, level by level.

use jumper_session::{Host, HostId, MetricKind, MetricStatistics, Session, Signature, StringId};
use serde::Serialize;

use super::text::line;
use crate::metrics::Metric;

/// A level of a host: what its metrics came to, and what it was short of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Level<M = Vec<MetricRow>> {
    /// `process`, `system`, …
    pub(crate) level: String,
    /// The name of the machine; empty where it is not known.
    pub(crate) host: String,
    /// The level for people, with the host where there are several.
    pub(crate) title: String,
    /// JUmPER's performance tags, what weighs most first; `normal` alone where there is nothing to be said.
    pub(crate) tags: Vec<TagRow>,
    /// Tags of which nobody knows whether they apply.
    pub(crate) unknown_tags: Vec<&'static str>,
    /// CPUs that the program could use; null where that is not known.
    pub(crate) cpus: Option<u32>,
    pub(crate) gpus: usize,
    pub(crate) metrics: M,
}

/// A performance tag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct TagRow {
    pub(crate) tag: &'static str,
    /// The share that was used, from 0 to 1.
    pub(crate) score: f64,
}

/// A metric, in its own unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct MetricRow {
    pub(crate) name: String,
    /// What people call it.
    pub(crate) label: String,
    /// The unit of all but the total; empty where there is none.
    pub(crate) unit: String,
    /// `gauge`, `counter` or null.
    pub(crate) kind: Option<&'static str>,
    /// Measurements with a value.
    pub(crate) count: usize,
    /// Null for what only ever rises, as are `min` and `max`.
    pub(crate) average: Option<f64>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    /// What a rate or a counter came to, in `total_unit`.
    pub(crate) total: Option<f64>,
    pub(crate) total_unit: String,
    /// What there was to use.
    pub(crate) limit: Option<f64>,
}

/// All levels, as they appear.
pub(crate) fn levels(session: &Session) -> Vec<Level> {
    let mut levels: Vec<((HostId, StringId), Level)> = Vec::new();
    for signature in Signature::of(session) {
        let source = (signature.host, signature.level);
        levels.push((source, Level::of(session, &signature)));
    }
    for statistics in MetricStatistics::of(session) {
        let source = (statistics.host, statistics.level);
        let level = levels.iter_mut().find(|(known, _)| *known == source);
        if let Some((_, level)) = level {
            level.metrics.push(MetricRow::of(session, &statistics));
        }
    }
    levels.into_iter().map(|(_, level)| level).collect()
}

impl Level {
    fn of(session: &Session, signature: &Signature) -> Self {
        let host = &session.hosts()[signature.host.index()];
        let level = session.string(signature.level);
        Self {
            level: line(level),
            host: line(&host.name),
            title: title(session.hosts(), host, level),
            tags: signature
                .tags
                .iter()
                .map(|score| TagRow {
                    tag: score.tag.name(),
                    score: score.score,
                })
                .collect(),
            unknown_tags: signature.unknown.iter().map(|tag| tag.name()).collect(),
            cpus: Some(host.cpus).filter(|cpus| *cpus > 0),
            gpus: host.gpus.len(),
            metrics: Vec::new(),
        }
    }
}

impl<M> Level<M> {
    /// The same with the metrics in another form.
    pub(crate) fn with_metrics<N>(self, form: impl FnOnce(M) -> N) -> Level<N> {
        Level {
            level: self.level,
            host: self.host,
            title: self.title,
            tags: self.tags,
            unknown_tags: self.unknown_tags,
            cpus: self.cpus,
            gpus: self.gpus,
            metrics: form(self.metrics),
        }
    }
}

/// `process` as a title, with the host where there are several.
fn title(hosts: &[Host], host: &Host, level: &str) -> String {
    let mut characters = level.chars();
    let level: String = match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    };
    match hosts {
        [_] => line(&level),
        _ => line(&format!("{level}, {}", host.name)),
    }
}

impl MetricRow {
    fn of(session: &Session, statistics: &MetricStatistics) -> Self {
        let column = session.metrics().column(statistics.metric);
        let metric = Metric {
            column,
            level: session.string(statistics.level),
        };
        // What only ever rises has no average that means anything.
        let is_level = column.kind != MetricKind::Counter;
        let figure = |value: f64| is_level.then_some(value);
        Self {
            name: line(&column.name),
            label: line(metric.label_at_level()),
            unit: line(&column.unit),
            kind: match column.kind {
                MetricKind::Gauge => Some("gauge"),
                MetricKind::Counter => Some("counter"),
                MetricKind::Unknown => None,
            },
            count: statistics.count,
            average: figure(statistics.average),
            min: figure(statistics.min),
            max: figure(statistics.max),
            total: statistics.total,
            total_unit: line(column.total_unit()),
            limit: statistics.limit,
        }
    }
}
