//! The vocabulary: what is measured, and in which unit.

use std::borrow::Cow;
use std::time::Duration;

/// What a value counts in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Hundredths of what is there.
    Percent,
    /// 2^30 bytes.
    Gibibytes,
    /// 2^20 bytes.
    Mebibytes,
    /// 2^20 bytes in a second.
    MebibytesPerSecond,
    /// Bytes in a second.
    BytesPerSecond,
    /// Events in a second.
    PerSecond,
    /// A plain number.
    Count,
    /// Seconds.
    Seconds,
    /// Joules in a second.
    Watts,
    /// Energy.
    Joules,
    /// Degrees.
    Celsius,
    /// 10^6 periods in a second.
    Megahertz,
    /// Another one, by its symbol.
    Other(Cow<'static, str>),
}

impl Unit {
    /// The symbol to print behind a value; empty for a plain number.
    pub fn symbol(&self) -> &str {
        match self {
            Self::Percent => "%",
            Self::Gibibytes => "GiB",
            Self::Mebibytes => "MiB",
            Self::MebibytesPerSecond => "MiB/s",
            Self::BytesPerSecond => "B/s",
            Self::PerSecond => "1/s",
            Self::Count => "",
            Self::Seconds => "s",
            Self::Watts => "W",
            Self::Joules => "J",
            Self::Celsius => "\u{b0}C",
            Self::Megahertz => "MHz",
            Self::Other(symbol) => symbol,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name of the column, unique within a sampler.
    pub name: Cow<'static, str>,
    /// What its values count in.
    pub unit: Unit,
    /// How its values relate to time.
    pub kind: Kind,
    /// What it means, in one sentence for the reader of a report.
    pub help: Cow<'static, str>,
    /// The least time between two readings, where it is not read anew for each sample: a value may be as old as that.
    pub beat: Option<Duration>,
}

impl Metric {
    /// A metric that is read for each sample.
    pub const fn new(name: Cow<'static, str>, unit: Unit, kind: Kind, help: &'static str) -> Self {
        Self {
            name,
            unit,
            kind,
            help: Cow::Borrowed(help),
            beat: None,
        }
    }

    /// The same, read at most once in `beat`.
    #[must_use]
    pub fn with_beat(self, beat: Duration) -> Self {
        Self {
            beat: Some(beat),
            ..self
        }
    }
}

pub(super) const fn gauge(name: &'static str, unit: Unit, help: &'static str) -> Metric {
    Metric::new(Cow::Borrowed(name), unit, Kind::Gauge, help)
}

pub(super) const fn counter(name: &'static str, unit: Unit, help: &'static str) -> Metric {
    Metric::new(Cow::Borrowed(name), unit, Kind::Counter, help)
}

const BYTES_PER_MEBIBYTE: f64 = 1024.0 * 1024.0;
const BYTES_PER_GIBIBYTE: f64 = 1024.0 * 1024.0 * 1024.0;

pub(super) fn gibibytes_from_bytes(bytes: u64) -> f64 {
    bytes as f64 / BYTES_PER_GIBIBYTE
}

pub(super) fn mebibytes_from_bytes(bytes: f64) -> f64 {
    bytes / BYTES_PER_MEBIBYTE
}
