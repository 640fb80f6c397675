//! Samples what a process and its machine use, and prints it: `metrics PID [SECONDS [COUNT [LEVEL...]]]`.
//!
//! One line of JSON for each sample, with its time and a row for each level; at last one that says what it cost and how many samples
//! were late. The benchmarks read it.

#![allow(clippy::print_stdout, reason = "that is what it is for")]

use std::time::Duration;

use jumper_sampler::metrics::{Level, MetricsOptions, MetricsSample, MetricsSampler};
use jumper_sampler::{Pid, Ticker, wake_exactly};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let pid = arguments
        .next()
        .ok_or("usage: metrics PID [SECONDS [COUNT [LEVEL...]]]")?;
    let seconds = arguments.next().map_or(Ok(1.0), |text| text.parse())?;
    let count = arguments
        .next()
        .map_or(Ok(10), |text| text.parse::<u64>())?;
    let levels = arguments
        .map(|name| name.parse())
        .collect::<Result<Vec<Level>, _>>()?;
    let options = MetricsOptions::default().with_levels(levels);
    let mut sampler = MetricsSampler::with_options(Pid::new(pid.parse()?), &options)?;
    let interval = Duration::from_secs_f64(seconds);
    wake_exactly();
    let mut ticker = Ticker::regular(interval);
    let mut late = 0;
    for number in 0..count {
        if number > 0 {
            let deadline = ticker.next_deadline();
            deadline.due.sleep_until();
            late += deadline.reached().missed(interval);
        }
        let began = sampler.cost().cpu_time;
        let sample = sampler.sample().clone();
        let took = sampler.cost().cpu_time.saturating_sub(began);
        println!("{}", line(&sampler, &sample, took));
    }
    let cost = sampler.cost();
    println!(
        "{{\"samples\": {}, \"late\": {late}, \"cpu_ns\": {}, \"longest_ns\": {}}}",
        cost.samples,
        cost.cpu_time.as_nanos(),
        cost.longest.as_nanos()
    );
    Ok(())
}

fn line(sampler: &MetricsSampler, sample: &MetricsSample, took: Duration) -> String {
    let rows = sample.rows.iter().map(|row| {
        let values = sampler.metrics().iter().zip(&row.values);
        let known = values.filter_map(|(metric, value)| Some((&metric.name, (*value)?)));
        let values: Vec<_> = known
            .map(|(name, value)| format!("\"{name}\": {value}"))
            .collect();
        format!("\"{}\": {{{}}}", row.level, values.join(", "))
    });
    let rows: Vec<_> = rows.collect();
    format!(
        "{{\"time_ns\": {}, \"cpu_ns\": {}, {}}}",
        sample.time.as_nanos(),
        took.as_nanos(),
        rows.join(", ")
    )
}
