//! Says for tables of measurements what a program was short of, to be compared with what JUmPER says.
//!
//! Each line of the standard input is a JSON object: `columns`, lists of numbers or nulls by JUmPER's names; `memory_limit` and
//! `gpu_memory_limit` in GiB, the latter null where there is no GPU; and `thresholds`. Each is answered by one line, a list of
//! objects with `tag` and `score`, and under `statistics` the smallest, mean and largest value of each column.
//!
//!     cargo run -p jumper-session --example performance_tags

use std::error::Error;
use std::io::{self, BufRead, Write};

use jumper_session::{
    Gpu, Host, Manifest, MetricColumn, MetricStatistics, Session, SessionBuilder, Signature,
    Thresholds, Timestamp,
};
use serde_json::{Map, Value, json};

const GIB: f64 = 1_073_741_824.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let table: Value = serde_json::from_str(&line?)?;
        serde_json::to_writer(&mut out, &judged(&session(&table)?))?;
        writeln!(out)?;
    }
    Ok(())
}

fn session(table: &Value) -> Result<Session, Box<dyn Error>> {
    let bytes = |gibibytes: f64| (gibibytes * GIB) as u64;
    let gpu = table["gpu_memory_limit"].as_f64().map(|limit| Gpu {
        memory_bytes: bytes(limit),
        ..Gpu::default()
    });
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host {
        memory_bytes: bytes(table["memory_limit"].as_f64().unwrap_or_default()),
        gpus: gpu.into_iter().collect(),
        ..Host::default()
    });
    let level = builder.intern_string("process");
    let columns = table["columns"].as_object().ok_or("there are no columns")?;
    for name in columns.keys() {
        builder.declare_metric(MetricColumn {
            name: name.clone(),
            ..MetricColumn::default()
        })?;
    }
    let values: Vec<&Vec<Value>> = columns.values().filter_map(Value::as_array).collect();
    for row in 0..values.first().map_or(0, |column| column.len()) {
        let time = Timestamp::from_nanos(row as i64 * 1_000_000_000);
        let row: Vec<Option<f64>> = values.iter().map(|column| column[row].as_f64()).collect();
        builder.push_metrics(time, host, level, &row);
    }
    let session = builder.finish(Manifest::default());
    let thresholds: Thresholds = serde_json::from_value(table["thresholds"].clone())?;
    Ok(session.with_thresholds(thresholds))
}

fn judged(session: &Session) -> Value {
    let signatures = Signature::of(session);
    let tags = signatures.iter().flat_map(|signature| &signature.tags);
    let tags: Vec<Value> = tags
        .map(|tag| json!({ "tag": tag.tag.name(), "score": tag.score }))
        .collect();
    let statistics: Map<String, Value> = MetricStatistics::of(session)
        .iter()
        .map(|found| {
            let name = session.metrics().column(found.metric).name.clone();
            (name, json!([found.min, found.average, found.max]))
        })
        .collect();
    json!({ "tags": tags, "statistics": statistics })
}
