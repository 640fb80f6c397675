//! The table of metrics.

use std::io::{self, Write};

use jumper_session::{HostId, MetricKind, MetricStatistics, Session, StringId};

use super::paint::{Paint, Style};
use crate::format::plain;
use crate::metrics::Metric;

/// Width of a column of figures.
const WIDTH: usize = 13;

/// Writes a line for each metric, level by level.
pub(crate) fn metrics(session: &Session, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let all = MetricStatistics::of(session);
    let metric = |statistics: &MetricStatistics| Metric {
        column: session.metrics().column(statistics.metric),
        level: session.string(statistics.level),
    };
    let mut heads = vec!["average", "min", "max", "total"];
    if all.iter().any(|statistics| statistics.limit.is_some()) {
        heads.push("limit");
    }
    let head: String = heads.iter().map(|name| format!("{name:>WIDTH$}")).collect();
    let sources = sources(&all);
    let titles: Vec<String> = sources
        .iter()
        .map(|&source| title(session, source))
        .collect();
    let labels = all
        .iter()
        .map(|statistics| plain(metric(statistics).label_at_level()));
    let widths = labels.chain(titles.iter().cloned());
    let width = widths.map(|label| label.chars().count()).max();
    let width = width.unwrap_or(0).max(16);
    for (source, title) in sources.into_iter().zip(titles) {
        let title = paint.style(Style::Bold, &format!("{title:<width$}"));
        writeln!(out, "  {title}{}", paint.style(Style::Dim, &head))?;
        let here = |statistics: &&MetricStatistics| (statistics.host, statistics.level) == source;
        for statistics in all.iter().filter(here) {
            let metric = metric(statistics);
            let label = plain(metric.label_at_level());
            let line = format!("  {label:<width$}{}", figures(metric, statistics));
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Levels and where they were measured, as they appear.
fn sources(all: &[MetricStatistics]) -> Vec<(HostId, StringId)> {
    let mut sources: Vec<_> = all
        .iter()
        .map(|statistics| (statistics.host, statistics.level))
        .collect();
    // Those of one level of one host follow each other.
    sources.dedup();
    sources
}

/// The level, with the host where there are several.
fn title(session: &Session, (host, level): (HostId, StringId)) -> String {
    let level = capitalised(session.string(level));
    let text = match session.hosts() {
        [_] => level,
        hosts => format!("{level}, {}", hosts[host.index()].name),
    };
    plain(&text)
}

/// `process` as a title.
fn capitalised(level: &str) -> String {
    let mut characters = level.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

fn figures(metric: Metric<'_>, statistics: &MetricStatistics) -> String {
    // What only ever rises has no average that means anything.
    let is_level = metric.column.kind != MetricKind::Counter;
    let values = [statistics.average, statistics.min, statistics.max];
    let values = values.map(|value| is_level.then(|| metric.quantity(value)));
    let total = statistics.total.map(|total| metric.total_quantity(total));
    let limit = statistics.limit.map(|limit| metric.quantity(limit));
    let cells = values.into_iter().chain([total, limit]);
    cells
        .map(|cell| format!("{:>WIDTH$}", cell.unwrap_or_default()))
        .collect()
}
