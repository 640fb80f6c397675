//! What the unit of a metric says about it.

use crate::MetricColumn;

/// What a unit measures, however large its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dimension {
    Bytes,
    Seconds,
    /// A part of what is there; 1 is all of it.
    Share,
}

/// A unit that is understood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unit {
    pub(super) dimension: Dimension,
    /// How many bytes, seconds or wholes one is.
    pub(super) size: f64,
    /// Whether it is so much in a second.
    pub(super) per_second: bool,
}

impl Unit {
    /// `None` for a unit that says nothing about bytes, seconds or shares.
    pub(super) fn of(column: &MetricColumn) -> Option<Self> {
        let symbol = column.unit.as_str();
        let (plain, per_second) = match symbol.strip_suffix("/s") {
            Some(plain) => (plain, true),
            None => (symbol, false),
        };
        let (dimension, size) = match plain {
            "s" | "seconds" => (Dimension::Seconds, 1.0),
            "ms" => (Dimension::Seconds, 1e-3),
            "us" => (Dimension::Seconds, 1e-6),
            "ns" => (Dimension::Seconds, 1e-9),
            "%" | "percent" => (Dimension::Share, 0.01),
            plain => (Dimension::Bytes, bytes(plain)?),
        };
        Some(Self {
            dimension,
            size,
            per_second,
        })
    }
}

fn bytes(symbol: &str) -> Option<f64> {
    if matches!(symbol, "B" | "bytes") {
        return Some(1.0);
    }
    let (base, prefix): (f64, _) = match symbol.strip_suffix("iB") {
        Some(prefix) => (1024.0, prefix),
        None => (1000.0, symbol.strip_suffix('B')?),
    };
    let power = match prefix {
        "k" | "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        _ => return None,
    };
    Some(base.powi(power))
}

/// Whether the values of a metric hold for the time since the one before, and are so much in a second.
pub(super) fn is_rate(column: &MetricColumn) -> bool {
    column.unit.ends_with("/s")
}

impl MetricColumn {
    /// The unit of what the values add up to over time: of `MiB/s` it is `MiB`, of `1/s` none.
    pub fn total_unit(&self) -> &str {
        match self.unit.strip_suffix("/s") {
            Some("1") => "",
            Some(unit) => unit,
            None => &self.unit,
        }
    }

    /// How many bytes one of its unit is, or how many in a second; `None` for a unit of something else.
    pub fn bytes(&self) -> Option<f64> {
        let unit = Unit::of(self)?;
        (unit.dimension == Dimension::Bytes).then_some(unit.size)
    }

    /// Whether the values are so much in a second.
    pub fn is_rate(&self) -> bool {
        is_rate(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(unit: &str) -> MetricColumn {
        MetricColumn {
            unit: unit.into(),
            ..MetricColumn::default()
        }
    }

    #[test]
    fn units_of_bytes_are_told_apart() {
        let size = |unit: &str| Unit::of(&column(unit)).map(|unit| (unit.size, unit.per_second));
        assert_eq!(size("MiB/s"), Some((1_048_576.0, true)));
        assert_eq!(size("GB"), Some((1e9, false)));
        assert_eq!(size("kB"), Some((1e3, false)));
        assert_eq!(size("B"), Some((1.0, false)));
        assert_eq!(size("%"), Some((0.01, false)));
        for unit in ["", "1/s", "iB", "XB", "furlongs", "/s"] {
            assert_eq!(size(unit), None, "{unit}");
        }
    }

    #[test]
    fn what_is_per_second_adds_up_to_what_it_counts() {
        let totals = ["MiB/s", "1/s", "s", "%"].map(|unit| column(unit).total_unit().to_owned());
        assert_eq!(totals, ["MiB", "", "s", "%"]);
        let bytes = ["MiB/s", "kB", "1/s", "s", "%"].map(|unit| column(unit).bytes());
        assert_eq!(bytes, [Some(1_048_576.0), Some(1e3), None, None, None]);
    }
}
