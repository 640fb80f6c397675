//! Prometheus' text format: a line for each value, and comments that say what it is.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>. OpenMetrics, its successor, differs in what is not used here.

use std::collections::HashMap;

use crate::metrics::Unit;

/// A value, and what the text says of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line<'a> {
    /// The name with its labels, as they stand there: `queue{a="b"}`.
    pub(super) series: &'a str,
    /// The name alone.
    pub(super) name: &'a str,
    pub(super) value: f64,
    pub(super) kind: Type,
    pub(super) help: &'a str,
}

/// How values relate to time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Type {
    Counter,
    #[default]
    Other,
}

impl Line<'_> {
    /// By convention the name ends in it, but for `_total` behind it.
    pub(super) fn unit(&self) -> Unit {
        let name = ["_total", "_sum"].iter().fold(self.name, |name, end| {
            name.strip_suffix(end).unwrap_or(name)
        });
        match name.rsplit('_').next() {
            Some("seconds") => Unit::Seconds,
            Some("bytes") => Unit::Other("B".into()),
            Some("celsius") => Unit::Celsius,
            Some("joules") => Unit::Joules,
            Some("watts") => Unit::Watts,
            Some("percent") => Unit::Percent,
            _ => Unit::Count,
        }
    }
}

/// Calls `each` for the lines that have a value. What is no such line is skipped, as are the classes of histograms.
pub(super) fn read<'a>(text: &'a str, mut each: impl FnMut(&Line<'a>)) {
    let mut types: HashMap<&str, &str> = HashMap::new();
    let mut helps: HashMap<&str, &str> = HashMap::new();
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix('#') {
            let mut words = comment.trim_start().splitn(3, [' ', '\t']);
            match (words.next(), words.next(), words.next()) {
                (Some("TYPE"), Some(name), Some(kind)) => drop(types.insert(name, kind.trim())),
                (Some("HELP"), Some(name), Some(help)) => drop(helps.insert(name, help.trim())),
                _ => {}
            }
            continue;
        }
        let Some((series, name, value)) = sample(line) else {
            continue;
        };
        let family = family(name, &types);
        let declared = types.get(family).copied().unwrap_or_default();
        let is_class = declared == "histogram" && name.ends_with("_bucket");
        if is_class || !value.is_finite() {
            continue;
        }
        let counts = match declared {
            "counter" => true,
            "histogram" | "summary" => name != family,
            "" | "untyped" | "unknown" => name.ends_with("_total"),
            _ => false,
        };
        each(&Line {
            series,
            name,
            value,
            kind: if counts { Type::Counter } else { Type::Other },
            help: helps.get(family).copied().unwrap_or_default(),
        });
    }
}

/// What a name is declared under: histograms, summaries and OpenMetrics' counters have names behind their own.
fn family<'a>(name: &'a str, types: &HashMap<&str, &str>) -> &'a str {
    if types.contains_key(name) {
        return name;
    }
    let ends = ["_bucket", "_count", "_sum", "_total"];
    let families = ends.iter().filter_map(|end| name.strip_suffix(end));
    families
        .into_iter()
        .find(|family| types.contains_key(family))
        .unwrap_or(name)
}

/// `name{labels} value [time]`: the series, its name, its value.
fn sample(line: &str) -> Option<(&str, &str, f64)> {
    let is_in_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let name_end = line.find(|c| !is_in_name(c))?;
    let name = line.get(..name_end).filter(|name| !name.is_empty())?;
    let series_end = match line[name_end..].strip_prefix('{') {
        Some(labels) => name_end + 1 + labels_end(labels)?,
        None => name_end,
    };
    let value = line[series_end..].split_ascii_whitespace().next()?;
    Some((&line[..series_end], name, value.parse().ok()?))
}

/// Where the labels end, behind their brace. Values are quoted, and may have quotes and braces in them.
fn labels_end(labels: &str) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, byte) in labels.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b'}' if !is_quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(String, f64, bool)> {
        let mut lines = Vec::new();
        read(text, |line| {
            lines.push((
                line.series.to_owned(),
                line.value,
                line.kind == Type::Counter,
            ))
        });
        lines
    }

    fn line(series: &str, value: f64, counts: bool) -> (String, f64, bool) {
        (series.into(), value, counts)
    }

    #[test]
    fn the_example_of_the_specification_is_read() {
        let text = r#"
# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045

# HELP http_request_duration_seconds A histogram of the request duration.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="+Inf"} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320

# TYPE rpc_duration_seconds summary
rpc_duration_seconds{quantile="0.5"} 4773
rpc_duration_seconds_sum 1.7560473e+07
rpc_duration_seconds_count 2693
"#;
        let expected = [
            line(
                r#"http_requests_total{method="post",code="200"}"#,
                1027.0,
                true,
            ),
            line(
                r#"http_requests_total{method="post",code="400"}"#,
                3.0,
                true,
            ),
            line(
                r#"msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""}"#,
                1.458_255_915e9,
                false,
            ),
            line("metric_without_timestamp_and_labels", 12.47, false),
            line("http_request_duration_seconds_sum", 53423.0, true),
            line("http_request_duration_seconds_count", 144_320.0, true),
            line(r#"rpc_duration_seconds{quantile="0.5"}"#, 4773.0, false),
            line("rpc_duration_seconds_sum", 1.756_047_3e7, true),
            line("rpc_duration_seconds_count", 2693.0, true),
        ];
        assert_eq!(all(text), expected);
    }

    #[test]
    fn what_is_no_line_is_skipped() {
        let text = "<html>\n{a=\"b\"} 1\na{b=\"c 1\na{b=\"}\" 1\na b\na\n\u{e9} 1\nNaN\nb NaN\nc 1 2 3\n# TYPE\n# EOF\n";
        assert_eq!(all(text), [line("c", 1.0, false)]);
    }
}
