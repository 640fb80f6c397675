//! Traffic over the network, from `/proc/net/dev`.

use super::collector::{Collector, Scan};
use super::kept::KeptFile;
use super::level::Level;
use super::metric::{Metric, Unit, gauge};
use super::rate::Rate;

static METRICS: [Metric; 4] = [
    gauge(
        "net_bytes_sent",
        Unit::BytesPerSecond,
        "data sent by all interfaces, the one to oneself included (system level only)",
    ),
    gauge(
        "net_bytes_recv",
        Unit::BytesPerSecond,
        "data received by all interfaces (system level only)",
    ),
    gauge(
        "net_packets_sent",
        Unit::PerSecond,
        "packets sent by all interfaces (system level only)",
    ),
    gauge(
        "net_packets_recv",
        Unit::PerSecond,
        "packets received by all interfaces (system level only)",
    ),
];

/// Fills what begins with `net_`. The kernel does not say which process traffic belongs to.
#[derive(Debug)]
pub(super) struct Network {
    file: KeptFile,
    interfaces: Vec<Interface>,
    totals: [u64; 4],
    rates: [Rate; 4],
}

/// An interface, and its counters as they were read last.
#[derive(Debug)]
struct Interface {
    name: String,
    before: [u64; 4],
}

impl Network {
    pub(super) fn new(scan: &Scan) -> Self {
        // `net` is a link to that of whoever reads it: of the observed process, which may be in a network of its own.
        let path = scan.roots().proc(&format!("{}/net/dev", scan.root()));
        Self {
            file: KeptFile::of_records(path),
            interfaces: Vec::new(),
            totals: [0; 4],
            rates: Default::default(),
        }
    }

    /// What all interfaces together have transferred since the first reading. An interface that goes takes nothing back, and one
    /// that comes counts from then on.
    fn read(&mut self) -> Option<[u64; 4]> {
        let text = self.file.text()?;
        for (name, now) in text.lines().filter_map(parse_line) {
            let known = self.interfaces.iter_mut().find(|known| known.name == name);
            let Some(known) = known else {
                self.interfaces.push(Interface {
                    name: name.into(),
                    before: now,
                });
                continue;
            };
            for ((total, before), now) in self.totals.iter_mut().zip(&mut known.before).zip(now) {
                *total += now.saturating_sub(*before);
                *before = now;
            }
        }
        Some(self.totals)
    }
}

impl Collector for Network {
    fn metrics(&self) -> &[Metric] {
        &METRICS
    }

    fn collect(&mut self, level: Level, scan: &Scan, values: &mut [Option<f64>]) {
        if level != Level::System {
            return;
        }
        let totals = self.read();
        for (at, (value, rate)) in values.iter_mut().zip(&mut self.rates).enumerate() {
            *value = rate.per_second(scan.time(), totals.map(|totals| totals[at]));
        }
    }
}

/// The name and the counters of an interface: bytes sent and received, packets sent and received.
fn parse_line(line: &str) -> Option<(&str, [u64; 4])> {
    let (name, fields) = line.rsplit_once(':')?;
    let mut numbers = [0; 10];
    let mut fields = fields.split_ascii_whitespace();
    for number in &mut numbers {
        *number = fields.next()?.parse().ok()?;
    }
    Some((
        name.trim(),
        [numbers[8], numbers[0], numbers[9], numbers[1]],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_what_was_received_first() {
        let line = "  eth0: 100 2 0 0 0 0 0 0 300 4 0 0 0 0 0 0";
        assert_eq!(parse_line(line), Some(("eth0", [300, 100, 4, 2])));
        assert_eq!(parse_line("Inter-|   Receive  | Transmit"), None);
        assert_eq!(parse_line("eth0: 1 2 3"), None);
    }
}
