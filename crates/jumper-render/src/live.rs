//! What was measured last, as a table of a few lines for the bottom of a terminal.

use std::time::Duration;

use jumper_session::MetricColumn;

use crate::format::plain;
use crate::metrics::Metric;
use crate::text::paint::{Paint, Style};

/// How to draw it.
#[derive(Clone, Copy, Debug)]
pub struct LiveOptions {
    /// How long it has been measured.
    pub elapsed: Duration,
    /// Columns of the terminal.
    pub width: usize,
    /// So many lines at most.
    pub lines: usize,
    /// Whether to colour it.
    pub color: bool,
    /// Whether to draw with more than ASCII.
    pub unicode: bool,
}

/// What people look at first. The rest is in the report.
const FIRST: [&str; 14] = [
    "cpu_util_avg",
    "memory",
    "rss",
    "io_read",
    "io_write",
    "net_bytes_recv",
    "net_bytes_sent",
    "gpu_util_avg",
    "gpu_mem_avg",
    "gpu_band_avg",
    "gpu_power_0",
    "gpu_temp_0",
    "processes",
    "threads",
];

/// Metrics that are not ours, such as those of a server, behind what people look at first.
const MOST_OTHERS: usize = 6;
const LABEL: usize = 28;
const VALUE: usize = 13;

/// One line for each metric that is known, with a value for each level: `rows` are levels by name, each with a value for
/// each of `columns`. Metrics of one's own come last.
pub fn live_table(
    columns: &[MetricColumn],
    rows: &[(&str, Vec<Option<f64>>)],
    options: &LiveOptions,
) -> Vec<String> {
    let paint = Paint::new(options.color);
    // Levels that do not fit are left out.
    let fitting = options.width.saturating_sub(LABEL + 2) / VALUE;
    let rows = &rows[..rows.len().min(fitting.max(1))];
    let seconds = options.elapsed.as_secs();
    let title = format!(
        "{:<LABEL$}",
        format!("{}:{:02} min", seconds / 60, seconds % 60)
    );
    let levels: String = rows
        .iter()
        .map(|(level, _)| format!("{level:>VALUE$}"))
        .collect();
    let rule = if options.unicode { "\u{2500}" } else { "-" };
    let width = (LABEL + VALUE * rows.len()).min(options.width.saturating_sub(2));
    let mut lines = vec![
        format!(" {}", paint.style(Style::Dim, &rule.repeat(width))),
        format!(
            " {}{}",
            paint.style(Style::Bold, &title),
            paint.style(Style::Dim, &levels)
        ),
    ];
    let first = FIRST
        .iter()
        .filter_map(|name| columns.iter().position(|column| column.name == *name));
    let others = (0..columns.len())
        .filter(|&at| is_of_ones_own(&columns[at]))
        .take(MOST_OTHERS);
    for at in first.chain(others) {
        if lines.len() >= options.lines {
            break;
        }
        let known = |(_, values): &(&str, Vec<Option<f64>>)| values.get(at).copied().flatten();
        if !rows.iter().any(|row| known(row).is_some()) {
            continue;
        }
        let label = Metric {
            column: &columns[at],
            level: "",
        };
        let label: String = plain(label.label()).chars().take(LABEL - 1).collect();
        let values: String = rows
            .iter()
            .map(|row| {
                let metric = Metric {
                    column: &columns[at],
                    level: row.0,
                };
                let value = known(row).map(|value| metric.quantity(value));
                format!("{:>VALUE$}", value.unwrap_or_default())
            })
            .collect();
        lines.push(format!(" {label:<LABEL$}{values}").trim_end().to_owned());
    }
    for line in &mut lines {
        // A line that is too long would wrap, and move the others.
        if !options.color && line.chars().count() > options.width {
            *line = line.chars().take(options.width).collect();
        }
    }
    lines
}

/// Sources of one's own say where their values are read; ours need not.
fn is_of_ones_own(column: &MetricColumn) -> bool {
    column.help.contains("(read at ") || column.help.starts_with("read at ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, unit: &str) -> MetricColumn {
        MetricColumn {
            name: name.into(),
            unit: unit.into(),
            ..MetricColumn::default()
        }
    }

    #[test]
    fn what_is_known_is_shown_for_each_level() {
        let columns = [
            column("load", ""),
            column("memory", "GiB"),
            column("cpu_util_avg", "%"),
            column("rss", "GiB"),
        ];
        let rows = [
            ("process", vec![None, Some(0.5), Some(12.0), None]),
            ("system", vec![Some(1.0), Some(2.0), None, None]),
        ];
        let options = LiveOptions {
            elapsed: Duration::from_secs(75),
            width: 80,
            lines: 10,
            color: false,
            unicode: false,
        };
        let lines = live_table(&columns, &rows, &options);
        assert_eq!(
            lines[1..],
            [
                " 1:15 min                          process       system",
                " CPU, of all cores                  12.0 %",
                " memory                            512 MiB     2.00 GiB",
            ]
        );
        let narrow = live_table(
            &columns,
            &rows,
            &LiveOptions {
                width: 30,
                lines: 3,
                ..options
            },
        );
        assert!(
            narrow.len() == 3 && narrow.iter().all(|line| line.len() <= 30),
            "{narrow:?}"
        );
    }
}
