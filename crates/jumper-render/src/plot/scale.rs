//! Round numbers for axes, and the units that make them short.

/// The prefixes of a thousand, and of 1024.
const DECIMAL: [(&str, f64); 5] = [("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)];
const BINARY: [(&str, f64); 5] = [
    ("", 1.0),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
];

/// Larger values are drawn as this one, so that nothing overflows.
const LARGEST: f64 = 1e300;

/// How values are written: so many of the metric's unit are one of `symbol`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unit {
    pub(super) size: f64,
    pub(super) symbol: String,
}

impl Unit {
    /// A unit in which values up to `largest` of another one have few digits.
    pub(super) fn for_values(unit: &str, largest: f64) -> Self {
        let (plain, per_second) = match unit.strip_suffix("/s") {
            Some(plain) => (plain, "/s"),
            None => (unit, ""),
        };
        let (prefixes, symbol, size) = match plain {
            "1" | "" => (DECIMAL, "", 1.0),
            "B" | "bytes" => (BINARY, "B", 1.0),
            _ => match Self::bytes(plain) {
                Some((prefixes, size)) => (prefixes, "B", size),
                None => {
                    let (size, symbol) = (1.0, unit.to_owned());
                    return Self { size, symbol };
                }
            },
        };
        let largest = largest * size;
        let fits = |prefix: &&(&str, f64)| largest >= prefix.1;
        let (prefix, step) = prefixes.iter().rev().find(fits).unwrap_or(&prefixes[0]);
        Self {
            size: step / size,
            symbol: format!("{prefix}{symbol}{per_second}"),
        }
    }

    /// How many bytes one is, and by which prefixes its multiples are named.
    fn bytes(symbol: &str) -> Option<([(&'static str, f64); 5], f64)> {
        let symbol = symbol.strip_suffix('B')?;
        let symbol = if symbol == "K" { "k" } else { symbol };
        [BINARY, DECIMAL].into_iter().find_map(|prefixes| {
            let prefix = prefixes.iter().find(|prefix| prefix.0 == symbol)?;
            Some((prefixes, prefix.1))
        })
    }

    /// A value with three digits that mean something.
    pub(super) fn quantity(&self, value: f64) -> String {
        let value = value / self.size;
        let digits = match value.abs() {
            0.0 => 0,
            size if size >= 100.0 => 0,
            size if size >= 10.0 => 1,
            _ => 2,
        };
        self.with_symbol(value, digits)
    }

    fn with_symbol(&self, value: f64, digits: usize) -> String {
        let number = match value.abs() {
            size if size >= 1e7 || size > 0.0 && size < 1e-4 => format!("{value:.0e}"),
            _ => format!("{value:.digits$}"),
        };
        match self.symbol.as_str() {
            "" => number,
            symbol => format!("{number} {symbol}"),
        }
    }
}

/// A value axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Values with what is written beside them.
    pub(super) ticks: Vec<(f64, String)>,
    pub(super) unit: Unit,
}

impl Axis {
    /// An axis with nothing on it, and about `wanted` steps of a round size. Percentages are of the whole.
    pub(super) fn of(unit: &str, (low, high): (f64, f64), wanted: f64) -> Self {
        let (low, high) = (low.clamp(-LARGEST, 0.0), high.clamp(0.0, LARGEST));
        let is_share = unit == "%" && low == 0.0 && high <= 100.0;
        let high = if is_share { 100.0 } else { high };
        let unit = Unit::for_values(unit, high.max(-low));
        let (low, high) = (low / unit.size, high / unit.size);
        let high = if high > low { high } else { low + 1.0 };
        let step = match is_share {
            true if wanted >= 4.0 => 25.0,
            true => 50.0,
            false => round_step((high - low) / wanted),
        };
        let first = (low / step).floor();
        let last = (high / step).ceil().max(first + 1.0);
        let digits = digits(step);
        let ticks = (0..=((last - first) as usize).min(20)).map(|index| {
            let value = (first + index as f64) * step;
            let text = match value == 0.0 {
                true => "0".into(),
                false => unit.with_symbol(value, digits),
            };
            (value * unit.size, text)
        });
        Self {
            ticks: ticks.collect(),
            low: first * step * unit.size,
            high: last * step * unit.size,
            unit,
        }
    }

    /// How far up a value is, from 0 to 1.
    pub(super) fn share(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        share.clamp(0.0, 1.0)
    }
}

/// The next of 1, 2, 2.5 and 5 times a power of ten.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|step| step * power);
    let fits = |step: &f64| *step >= least * (1.0 - 1e-9);
    steps.into_iter().find(fits).unwrap_or(10.0 * power)
}

/// The decimals that multiples of a step need.
fn digits(step: f64) -> usize {
    let needed = (0..6).find(|&digits| {
        let scaled = step * 10_f64.powi(digits);
        (scaled - scaled.round()).abs() < 1e-6 * scaled
    });
    needed.unwrap_or(6) as usize
}

/// Moments for a time axis of this length, in nanoseconds from its beginning, with what is written below them.
pub(super) fn moments(length: i64, wanted: f64) -> Vec<(i64, String)> {
    const SECOND: f64 = 1e9;
    if length <= 0 {
        return vec![(0, "0".into())];
    }
    let length = length as f64;
    let (unit, symbol) = match length / SECOND {
        s if s < 1e-3 => (1e3, "µs"),
        s if s < 1.0 => (1e6, "ms"),
        s if s <= 180.0 => (SECOND, "s"),
        s if s <= 10_800.0 => (60.0 * SECOND, "min"),
        _ => (3600.0 * SECOND, "h"),
    };
    let least = length / unit / wanted.max(1.0);
    // Of minutes and hours other numbers are round.
    let sixties = [0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0];
    let hours = [0.5, 1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 48.0];
    let fits = |step: &f64| *step >= least;
    let step = match symbol {
        "min" => sixties.into_iter().find(fits),
        "h" => hours.into_iter().find(fits),
        _ => None,
    };
    let step = step.unwrap_or_else(|| round_step(least));
    let digits = digits(step);
    let count = ((length / unit / step) + 1e-9).floor() as usize;
    let moments = (0..=count.min(200)).map(|index| {
        let value = index as f64 * step;
        let text = match index {
            0 => "0".into(),
            _ => format!("{value:.digits$} {symbol}"),
        };
        ((value * unit).round() as i64, text)
    });
    moments.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn values_have_round_ticks_in_a_short_unit() {
        let axis = |unit, high| Axis::of(unit, (0.0, high), 3.0);
        assert_eq!(texts(&axis("%", 37.0)), ["0", "50 %", "100 %"]);
        assert_eq!(texts(&axis("%", 180.0)), ["0", "100 %", "200 %"]);
        assert_eq!(
            texts(&axis("GiB", 0.25)),
            ["0", "100 MiB", "200 MiB", "300 MiB"]
        );
        assert_eq!(
            texts(&axis("MiB/s", 3000.0)),
            ["0", "1 GiB/s", "2 GiB/s", "3 GiB/s"]
        );
        assert_eq!(
            texts(&axis("GB", 0.0005)),
            ["0", "200 kB", "400 kB", "600 kB"]
        );
        assert_eq!(
            texts(&axis("1/s", 12_000.0)),
            ["0", "5 k/s", "10 k/s", "15 k/s"]
        );
        assert_eq!(
            texts(&axis("furlongs", 0.7)),
            ["0", "0.25 furlongs", "0.50 furlongs", "0.75 furlongs"]
        );
        assert_eq!(texts(&axis("", 0.0)), ["0", "0.5", "1.0"]);
    }

    #[test]
    fn absurd_values_have_an_axis_too() {
        for range in [
            (0.0, 1e300),
            (-1e308, 1e308),
            (0.0, 1e-300),
            (0.0, f64::MAX),
            (-5.0, -1.0),
        ] {
            let axis = Axis::of("GiB", range, 4.0);
            assert!(axis.low.is_finite() && axis.high > axis.low, "{axis:?}");
            assert!((2..=21).contains(&axis.ticks.len()), "{axis:?}");
            for value in [range.0, range.1, 0.0] {
                assert!((0.0..=1.0).contains(&axis.share(value)), "{axis:?}");
            }
        }
    }

    #[test]
    fn moments_are_in_a_unit_for_their_length() {
        let texts = |length: f64| -> Vec<String> {
            let moments = moments((length * 1e9) as i64, 4.0);
            moments.into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(texts(0.4), ["0", "100 ms", "200 ms", "300 ms", "400 ms"]);
        assert_eq!(texts(9.0), ["0", "2.5 s", "5.0 s", "7.5 s"]);
        assert_eq!(texts(600.0), ["0", "5 min", "10 min"]);
        assert_eq!(texts(86_400.0), ["0", "6 h", "12 h", "18 h", "24 h"]);
        assert_eq!(texts(0.0), ["0"]);
        assert!(moments(i64::MAX, 8.0).len() <= 10);
    }
}
