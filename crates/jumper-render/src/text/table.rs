//! The table of metrics.

use std::io::{self, Write};

use jumper_session::Session;

use super::paint::{Paint, Style};
use crate::format::plain;
use crate::metrics::{Series, Summary, series};

/// Width of a column of figures.
const WIDTH: usize = 13;

/// Writes a line for each metric, level by level.
pub(super) fn metrics(session: &Session, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let all: Vec<(Series<'_>, Summary)> = series(session)
        .into_iter()
        .filter_map(|series| series.summary().map(|summary| (series, summary)))
        .collect();
    if all.is_empty() {
        return Ok(());
    }
    let label_width = all
        .iter()
        .map(|(series, _)| plain(series.label_at_level()).chars().count())
        .max()
        .unwrap_or(0)
        .max(16);
    let head: String = ["average", "min", "max", "total"]
        .iter()
        .map(|name| format!("{name:>WIDTH$}"))
        .collect();
    let mut levels: Vec<&str> = Vec::new();
    for (series, _) in &all {
        if !levels.contains(&series.level) {
            levels.push(series.level);
        }
    }
    for level in levels {
        let title = format!("{:<label_width$}", plain(&capitalised(level)));
        writeln!(
            out,
            "  {}{}",
            paint.style(Style::Bold, &title),
            paint.style(Style::Dim, &head)
        )?;
        for (series, summary) in all.iter().filter(|(series, _)| series.level == level) {
            let line = format!(
                "  {:<label_width$}{}",
                plain(series.label_at_level()),
                figures(series, summary)
            );
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// `process` as a title.
fn capitalised(level: &str) -> String {
    let mut characters = level.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

fn figures(series: &Series<'_>, summary: &Summary) -> String {
    // What only ever rises has no average that means anything.
    let is_counter = summary.total.is_some() && !series.column.unit.ends_with("/s");
    let cells = match is_counter {
        true => [None, None, None, summary.total],
        false => [
            Some(summary.average),
            Some(summary.min),
            Some(summary.max),
            None,
        ],
    };
    let mut texts = cells.map(|cell| cell.map_or_else(String::new, |value| series.quantity(value)));
    if let Some(total) = summary.total.filter(|_| !is_counter) {
        texts[3] = series.total_quantity(total);
    }
    texts.iter().map(|text| format!("{text:>WIDTH$}")).collect()
}
