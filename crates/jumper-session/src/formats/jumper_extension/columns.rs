//! What is known of JUmPER's columns, and of ours that it does not have: units, there and here.

use crate::{MetricColumn, MetricKind};

/// A column of a known name.
struct Known {
    name: &'static str,
    /// The unit in JUmPER's files.
    theirs: &'static str,
    /// The unit in ours, which is the one that JUmPER shows.
    ours: &'static str,
    kind: MetricKind,
    help: &'static str,
}

const fn gauge(
    name: &'static str,
    theirs: &'static str,
    ours: &'static str,
    help: &'static str,
) -> Known {
    Known {
        name,
        theirs,
        ours,
        kind: MetricKind::Gauge,
        help,
    }
}

const fn counter(name: &'static str, unit: &'static str, help: &'static str) -> Known {
    Known {
        kind: MetricKind::Counter,
        ..gauge(name, unit, unit, help)
    }
}

/// Where there is a number for each device, as `cpu_util_0`, there are `cpu_util_avg`, `cpu_util_min` and `cpu_util_max` too;
/// here they have one entry, `cpu_util_`.
const KNOWN: [Known; 36] = [
    gauge(
        "cpu_util_",
        "%",
        "%",
        "processor time used, as a share of each processor",
    ),
    gauge(
        "memory",
        "GiB",
        "GiB",
        "memory in use; of processes, their resident set sizes summed",
    ),
    gauge("io_read", "B/s", "MiB/s", "data read from storage"),
    gauge("io_write", "B/s", "MiB/s", "data written to storage"),
    gauge("io_read_count", "1/s", "1/s", "reading operations"),
    gauge("io_write_count", "1/s", "1/s", "writing operations"),
    gauge("gpu_util_", "%", "%", "time in which the GPU computed"),
    gauge("gpu_band_", "%", "%", "use of the GPU's memory bandwidth"),
    gauge("gpu_mem_", "GiB", "GiB", "memory of the GPU in use"),
    gauge("net_bytes_sent", "B/s", "B/s", "data sent over the network"),
    gauge(
        "net_bytes_recv",
        "B/s",
        "B/s",
        "data received over the network",
    ),
    gauge(
        "net_packets_sent",
        "1/s",
        "1/s",
        "packets sent over the network",
    ),
    gauge(
        "net_packets_recv",
        "1/s",
        "1/s",
        "packets received over the network",
    ),
    // Ours alone.
    gauge("rss", "GiB", "GiB", "resident set sizes summed"),
    gauge("threads", "", "", "threads"),
    gauge("processes", "", "", "processes"),
    gauge("pss", "GiB", "GiB", "proportional set sizes summed"),
    gauge("swap", "GiB", "GiB", "memory on swap"),
    gauge("ctx_switches", "1/s", "1/s", "context switches"),
    gauge(
        "page_faults_minor",
        "1/s",
        "1/s",
        "page faults without a read",
    ),
    gauge("page_faults_major", "1/s", "1/s", "page faults with a read"),
    gauge(
        "cpu_freq_avg",
        "MHz",
        "MHz",
        "frequency of processors, mean",
    ),
    gauge(
        "cpu_freq_min",
        "MHz",
        "MHz",
        "frequency of processors, lowest",
    ),
    gauge(
        "cpu_freq_max",
        "MHz",
        "MHz",
        "frequency of processors, highest",
    ),
    gauge(
        "pressure_cpu_some",
        "%",
        "%",
        "time in which some waited for a processor",
    ),
    gauge(
        "pressure_memory_some",
        "%",
        "%",
        "time in which some waited for memory",
    ),
    gauge(
        "pressure_memory_full",
        "%",
        "%",
        "time in which all waited for memory",
    ),
    gauge(
        "pressure_io_some",
        "%",
        "%",
        "time in which some waited for I/O",
    ),
    gauge(
        "pressure_io_full",
        "%",
        "%",
        "time in which all waited for I/O",
    ),
    gauge("fs_used", "GiB", "GiB", "file system, used"),
    gauge("fs_free", "GiB", "GiB", "file system, free"),
    gauge("power", "W", "W", "power of processors"),
    counter("energy", "J", "energy of processors"),
    counter(
        "cpu_time",
        "s",
        "processor time used, summed over processors",
    ),
    counter("cpu_time_user", "s", "processor time used in user mode"),
    counter("cpu_time_system", "s", "processor time used in the kernel"),
];

fn known(name: &str) -> Option<&'static Known> {
    KNOWN
        .iter()
        .find(|known| match name.strip_prefix(known.name) {
            Some("") => !known.name.ends_with('_'),
            Some("avg" | "min" | "max") => known.name.ends_with('_'),
            Some(rest) => {
                known.name.ends_with('_') && rest.bytes().all(|byte| byte.is_ascii_digit())
            }
            None => false,
        })
}

/// The metric that a column of JUmPER's becomes, and what its values are multiplied by.
pub(super) fn from_theirs(name: &str) -> (MetricColumn, f64) {
    let Some(known) = known(name) else {
        let column = MetricColumn {
            name: name.into(),
            ..MetricColumn::default()
        };
        return (column, 1.0);
    };
    let column = MetricColumn {
        name: name.into(),
        unit: known.ours.into(),
        kind: known.kind,
        help: known.help.into(),
        beat: None,
    };
    (column, scale(known.theirs, known.ours))
}

/// What the values of a metric are multiplied by, to be those of JUmPER's column of that name.
pub(super) fn to_theirs(column: &MetricColumn) -> f64 {
    known(&column.name).map_or(1.0, |known| scale(&column.unit, known.theirs))
}

/// How many of `to` one of `from` is. Powers of 2, so that no digit is lost. 1 where they cannot be compared.
fn scale(from: &str, to: &str) -> f64 {
    match (bytes(from), bytes(to)) {
        (Some((from, is_rate)), Some((to, is_rate_too))) if is_rate == is_rate_too => from / to,
        _ => 1.0,
    }
}

/// How many bytes a unit is, and whether that is in each second.
fn bytes(unit: &str) -> Option<(f64, bool)> {
    let (amount, is_rate) = match unit.strip_suffix("/s") {
        Some(amount) => (amount, true),
        None => (unit, false),
    };
    let exponent = ["B", "KiB", "MiB", "GiB", "TiB"]
        .iter()
        .position(|known| *known == amount)?;
    Some(((1_u64 << (10 * exponent)) as f64, is_rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_bytes_are_what_jumper_shows_and_come_back() {
        let (column, factor) = from_theirs("io_read");
        assert_eq!((column.unit.as_str(), factor), ("MiB/s", 1.0 / 1_048_576.0));
        assert_eq!(to_theirs(&column), 1_048_576.0);
        let in_kib = MetricColumn {
            unit: "KiB/s".into(),
            ..column.clone()
        };
        assert_eq!(to_theirs(&in_kib), 1024.0);
        // Not a rate of bytes: nobody knows what it is.
        let odd = MetricColumn {
            unit: "GiB".into(),
            ..column
        };
        assert_eq!(to_theirs(&odd), 1.0);
    }

    #[test]
    fn columns_of_devices_are_known_by_how_they_begin() {
        for (name, unit) in [
            ("cpu_util_0", "%"),
            ("cpu_util_max", "%"),
            ("gpu_mem_127", "GiB"),
            ("gpu_band_avg", "%"),
            ("cpu_util_", ""),
            ("cpu_util_total", ""),
            ("memory", "GiB"),
            ("memory_2", ""),
            ("watts", ""),
        ] {
            let (column, factor) = from_theirs(name);
            assert_eq!(
                (column.name.as_str(), column.unit.as_str(), factor),
                (name, unit, 1.0)
            );
        }
    }

    #[cfg(feature = "record")]
    #[test]
    fn what_we_measure_ourselves_has_the_same_units_here() {
        use jumper_sampler::Pid;
        use jumper_sampler::metrics::{Kind, MetricsSampler};

        let sampler = MetricsSampler::new(Pid::new(std::process::id())).expect("we are alive");
        for metric in sampler.metrics() {
            if known(&metric.name).is_none() {
                continue;
            }
            let (column, _) = from_theirs(&metric.name);
            let kind = match metric.kind {
                Kind::Gauge => MetricKind::Gauge,
                Kind::Counter => MetricKind::Counter,
            };
            assert_eq!(
                (column.unit.as_str(), column.kind),
                (metric.unit.symbol(), kind),
                "{}",
                metric.name
            );
        }
    }
}
