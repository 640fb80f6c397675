//! `docs/metrics.md` against the code.

use std::collections::BTreeSet;

use jumper_sampler::Pid;
use jumper_sampler::metrics::{Kind, Level, MetricsSampler};

const DOCS: &str = include_str!("../../../docs/metrics.md");

/// The cells of all rows that begin with a name in code.
fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = DOCS.lines().filter(|line| line.starts_with("| `"));
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
}

#[test]
fn each_metric_is_documented_with_its_unit_and_kind() {
    let sampler = MetricsSampler::new(Pid::own()).expect("we are alive");
    let in_code: BTreeSet<_> = sampler
        .metrics()
        .iter()
        .filter(|metric| !metric.name.starts_with("gpu_"))
        .map(|metric| {
            let number = metric.name.strip_prefix("cpu_util_");
            let is_number =
                number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
            let name = if is_number {
                "cpu_util_N"
            } else {
                &*metric.name
            };
            let kind = match metric.kind {
                Kind::Gauge => "gauge",
                Kind::Counter => "counter",
            };
            [
                format!("`{name}`"),
                metric.unit.symbol().to_owned(),
                kind.to_owned(),
            ]
        })
        .collect();
    let documented: BTreeSet<_> = rows()
        .filter(|cells| cells.len() == 6)
        .map(|cells| [cells[0], cells[1], cells[2]].map(str::to_owned))
        .collect();
    assert_eq!(in_code, documented);
}

#[test]
fn each_level_is_documented() {
    let documented: Vec<_> = rows()
        .filter(|cells| cells.len() == 2)
        .map(|cells| cells[0])
        .collect();
    let in_code = Level::ALL.map(|level| format!("`{level}`"));
    assert_eq!(documented, in_code);
}
