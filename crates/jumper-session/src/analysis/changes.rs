//! What a metric says was used between two measurements.

use crate::analysis::source::Source;
use crate::{MetricColumn, MetricId, MetricKind};

use super::unit::is_rate;

/// An amount, in the metric's unit without a `/s`, and the places of the two rows between which it was used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) amount: f64,
}

/// How amounts follow from values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A count that rises: the difference of two rows, never less than nothing.
    Count,
    /// So much in a second, since the row before: times that time.
    Rate,
    /// A level: the difference of two rows.
    Level,
}

impl Meaning {
    pub(super) fn of(column: &MetricColumn) -> Self {
        match column.kind {
            MetricKind::Counter => Self::Count,
            _ if is_rate(column) => Self::Rate,
            _ => Self::Level,
        }
    }
}

/// The changes of a metric in the order of time. There are none where nothing is known, and over a value that is not known
/// there is one from the last to the next that is.
///
/// A rate is measured since the last time that it was known, too; the first one since the row before it. The time before the
/// first row is not in any change, nor is that from one recording to another.
pub(super) fn changes(source: &Source<'_>, metric: MetricId, meaning: Meaning) -> Vec<Change> {
    let mut changes = Vec::new();
    for recording in source.recordings() {
        let mut last: Option<(usize, f64)> = None;
        for to in recording.clone() {
            let Some(value) = source.value(metric, to) else {
                continue;
            };
            let change = match (meaning, last) {
                (Meaning::Count, Some((from, before))) => Some((from, (value - before).max(0.0))),
                (Meaning::Level, Some((from, before))) => Some((from, value - before)),
                (Meaning::Rate, Some((from, _))) => Some((from, rate(source, from, to, value))),
                (Meaning::Rate, None) if to > recording.start => {
                    Some((to - 1, rate(source, to - 1, to, value)))
                }
                _ => None,
            };
            changes.extend(change.map(|(from, amount)| Change { from, to, amount }));
            last = Some((to, value));
        }
    }
    changes
}

fn rate(source: &Source<'_>, from: usize, to: usize, value: f64) -> f64 {
    value * source.time(to).since(source.time(from)).as_secs_f64()
}
