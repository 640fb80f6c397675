//! The vocabulary: what is measured, in which unit, for whom.

/// Whose use a row of a sample describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Level {
    /// The observed process and its descendants, also those whose parent has ended meanwhile.
    Process,
    /// The whole machine, as far as it is visible from here.
    System,
}

impl Level {
    /// The name in tables and options, which is JUmPER's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::System => "system",
        }
    }
}

/// What a value counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Hundredths of what is there.
    Percent,
    /// 2^30 bytes.
    Gibibytes,
    /// 2^20 bytes in a second.
    MebibytesPerSecond,
    /// Events in a second.
    PerSecond,
    /// A plain number.
    Count,
    /// Seconds.
    Seconds,
}

impl Unit {
    /// The symbol to print behind a value; empty for a plain number.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Percent => "%",
            Self::Gibibytes => "GiB",
            Self::MebibytesPerSecond => "MiB/s",
            Self::PerSecond => "1/s",
            Self::Count => "",
            Self::Seconds => "s",
        }
    }
}

/// How the values of a metric relate to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A value of the moment, or of the interval that ends with the sample. It may go up and down.
    Gauge,
    /// A total since the first sample. It never falls.
    Counter,
}

/// One column of the table of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name of the column, unique within a sampler.
    pub name: &'static str,
    /// What its values count in.
    pub unit: Unit,
    /// How its values relate to time.
    pub kind: Kind,
    /// What it means, in one sentence for the reader of a report.
    pub help: &'static str,
}

pub(super) const fn gauge(name: &'static str, unit: Unit, help: &'static str) -> Metric {
    Metric {
        name,
        unit,
        kind: Kind::Gauge,
        help,
    }
}

pub(super) const fn counter(name: &'static str, unit: Unit, help: &'static str) -> Metric {
    Metric {
        name,
        unit,
        kind: Kind::Counter,
        help,
    }
}

const BYTES_PER_KIBIBYTE: f64 = 1024.0;
const BYTES_PER_MEBIBYTE: f64 = 1024.0 * 1024.0;
const BYTES_PER_GIBIBYTE: f64 = 1024.0 * 1024.0 * 1024.0;

pub(super) fn gibibytes_from_bytes(bytes: u64) -> f64 {
    bytes as f64 / BYTES_PER_GIBIBYTE
}

pub(super) fn gibibytes_from_kibibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 * (BYTES_PER_KIBIBYTE / BYTES_PER_GIBIBYTE)
}

pub(super) fn mebibytes_from_bytes(bytes: f64) -> f64 {
    bytes / BYTES_PER_MEBIBYTE
}
