//! How many processes and threads there are, and how many of these want to run.

use super::collector::{Collector, Scan};
use super::level::Level;
use super::metric::{Metric, Unit, gauge};

static METRICS: [Metric; 5] = [
    gauge(
        "threads",
        Unit::Count,
        "threads of the processes, or of the machine with those of its kernel (system level)",
    ),
    gauge(
        "processes",
        Unit::Count,
        "processes that run, or all that are visible (system level)",
    ),
    gauge(
        "load_1",
        Unit::Count,
        "threads that ran or waited for a processor or for storage, as a mean over the last minute (system level only)",
    ),
    gauge(
        "load_5",
        Unit::Count,
        "the same over five minutes (system level only)",
    ),
    gauge(
        "load_15",
        Unit::Count,
        "the same over a quarter of an hour (system level only)",
    ),
];

/// Fills `threads`, `processes` and the load. Zero is an answer here: nothing is left of the program.
#[derive(Debug)]
pub(super) struct Counts;

impl Collector for Counts {
    fn metrics(&self) -> &[Metric] {
        &METRICS
    }

    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
        if level == Level::System {
            let census = scan.processes().census();
            if let Some(load) = census.load() {
                values[0] = Some(load.threads as f64);
                values[2..].copy_from_slice(&load.means.map(Some));
            }
            let processes = census.pids().len();
            values[1] = (processes > 0).then_some(processes as f64);
        } else if scan.has_processes(level) {
            let present = scan.processes().present(level);
            values[0] = Some(present.threads as f64);
            values[1] = Some(present.processes as f64);
        }
    }
}
