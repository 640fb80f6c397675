//! What was measured last, in Prometheus' text format.
//!
//! A metric keeps its name behind `jumper_`; whose use it is, is the label `level`. A metric that was read in this format, with
//! labels, keeps these too. What is unknown is not there.

use std::fmt::Write;

use jumper_session::{MetricColumn, MetricKind};

/// The page: `rows` are levels by name, each with a value for each of `columns`.
pub fn prometheus(columns: &[MetricColumn], rows: &[(&str, Vec<Option<f64>>)]) -> String {
    let mut families: Vec<(String, Vec<usize>)> = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let name = family(column);
        // Lines of one name must stand together.
        match families.iter_mut().find(|(known, _)| *known == name) {
            Some((_, members)) => members.push(at),
            None => families.push((name, vec![at])),
        }
    }
    let mut page = String::new();
    for (name, members) in families {
        let column = &columns[members[0]];
        let mut lines = String::new();
        for (at, (level, values)) in members
            .iter()
            .flat_map(|&at| rows.iter().map(move |row| (at, row)))
        {
            if let Some(value) = values.get(at).copied().flatten() {
                let labels = labels(&columns[at]);
                let _ = writeln!(lines, "{name}{{{labels}level=\"{level}\"}} {value}");
            }
        }
        if lines.is_empty() {
            continue;
        }
        let unit = match column.unit.as_str() {
            "" => String::new(),
            unit => format!(" [{unit}]"),
        };
        let help = format!("{}{unit}", column.help)
            .replace('\\', "\\\\")
            .replace('\n', "\\n");
        let kind = match column.kind {
            MetricKind::Counter => "counter",
            _ => "gauge",
        };
        let _ = write!(page, "# HELP {name} {help}\n# TYPE {name} {kind}\n{lines}");
    }
    page
}

/// The name without labels, of the characters that one may have.
fn family(column: &MetricColumn) -> String {
    let name = column.name.split('{').next().unwrap_or_default();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let name: String = name
        .chars()
        .map(|c| if is_allowed(c) { c } else { '_' })
        .collect();
    format!("jumper_{name}")
}

/// The labels that are in the name of a metric, with a comma behind.
fn labels(column: &MetricColumn) -> String {
    let inside = column
        .name
        .split_once('{')
        .and_then(|(_, labels)| labels.strip_suffix('}'));
    match inside.map(|labels| labels.trim_end_matches([',', ' '])) {
        None | Some("") => String::new(),
        // Another's label of this name would stand there twice.
        Some(labels) => format!(
            "{},",
            labels
                .replace("level=\"", "exported_level=\"")
                .replace('\n', " ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_name_stand_together_and_unknown_is_not_zero() {
        let column = |name: &str, unit: &str, kind| MetricColumn {
            name: name.into(),
            unit: unit.into(),
            kind,
            help: "what\nit is".into(),
            ..MetricColumn::default()
        };
        let columns = [
            column("a_total{x=\"1\"}", "", MetricKind::Counter),
            column("memory", "GiB", MetricKind::Gauge),
            column("a_total{x=\"2\",level=\"y\"}", "", MetricKind::Counter),
            column("queue length", "", MetricKind::Gauge),
        ];
        let rows = [
            ("process", vec![Some(1.0), Some(0.25), Some(3.0), None]),
            ("system", vec![None, Some(1.5), None, Some(2.0)]),
        ];
        let expected = "# HELP jumper_a_total what\\nit is\n# TYPE jumper_a_total counter\n\
            jumper_a_total{x=\"1\",level=\"process\"} 1\n\
            jumper_a_total{x=\"2\",exported_level=\"y\",level=\"process\"} 3\n\
            # HELP jumper_memory what\\nit is [GiB]\n# TYPE jumper_memory gauge\n\
            jumper_memory{level=\"process\"} 0.25\njumper_memory{level=\"system\"} 1.5\n\
            # HELP jumper_queue_length what\\nit is\n# TYPE jumper_queue_length gauge\n\
            jumper_queue_length{level=\"system\"} 2\n";
        assert_eq!(prometheus(&columns, &rows), expected);
    }
}
