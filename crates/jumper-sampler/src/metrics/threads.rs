//! How many processes and threads there are.

use super::children::numbered_entries;
use super::collector::{Collector, Scan};
use super::level::Level;
use super::metric::{Metric, Unit, gauge};
use super::procfs::TextFile;

static METRICS: [Metric; 2] = [
    gauge(
        "threads",
        Unit::Count,
        "threads of the program and its descendants (process level) or of the machine with those of its kernel \
         (system level)",
    ),
    gauge(
        "processes",
        Unit::Count,
        "the program and its descendants that run (process level) or all processes that are visible (system level)",
    ),
];

/// Fills `threads` and `processes`. Zero is an answer here: nothing is left of the program.
#[derive(Debug, Default)]
pub(super) struct Threads {
    file: TextFile,
}

impl Collector for Threads {
    fn metrics(&self) -> &[Metric] {
        &METRICS
    }

    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
        match level {
            Level::Process => {
                let running = || scan.tree().running().map(|(_, stat)| stat.threads);
                values[0] = Some(running().sum::<u64>() as f64);
                values[1] = Some(running().count() as f64);
            }
            Level::System => {
                values[0] = self.machine_threads().map(|threads| threads as f64);
                values[1] = machine_processes().map(|processes| processes as f64);
            }
            _ => {}
        }
    }
}

impl Threads {
    fn machine_threads(&mut self) -> Option<u64> {
        parse_load(self.file.read_text(format_args!("/proc/loadavg")).ok()?)
    }
}

/// Lists the names under `/proc` and opens none of them.
fn machine_processes() -> Option<usize> {
    Some(numbered_entries("/proc").count()).filter(|&count| count > 0)
}

/// The fourth field of `/proc/loadavg` is `running/all`, in threads.
fn parse_load(text: &str) -> Option<u64> {
    text.split_ascii_whitespace()
        .nth(3)?
        .split_once('/')?
        .1
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threads_of_the_machine_stand_behind_the_slash() {
        assert_eq!(parse_load("0.65 0.44 0.21 1/433 11087\n"), Some(433));
        assert_eq!(parse_load("0.65 0.44 0.21\n"), None);
    }
}
